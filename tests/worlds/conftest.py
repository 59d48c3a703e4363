"""Tests of the world of secrets look for many secrets in the same texts."""

from __future__ import annotations

import functools

import pytest

from reversegen.worlds.confidentiality import verifier


@pytest.fixture
def each_text_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the verifier takes from a text alone is computed once for all secrets."""
    decoded = verifier.decoded
    monkeypatch.setattr(verifier, "decoded", functools.cache(lambda text: (*decoded(text),)))
    for name in ("folded", "tokens"):
        monkeypatch.setattr(verifier, name, functools.cache(getattr(verifier, name)))
