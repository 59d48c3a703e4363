"""Tests of endpoints wait a fifth of the time that a job waits for an endpoint."""

from __future__ import annotations

import pytest

from reversegen.engines.endpoint import batch_api, connection


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((connection, "FIRST_PAUSE"), (connection, "DECIDED"), (batch_api, "QUIET")):
        monkeypatch.setattr(module, name, getattr(module, name) / 5)
