"""Long work logs a line each minute. The bar is tested with the stage runner, which knows the terminal."""

from __future__ import annotations

import logging
import re
import threading

import pytest

from reversegen.core import progress
from reversegen.core.progress import Progress


def test_the_log_gets_a_line_a_minute_and_none_at_the_end(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter([0.0, 50.0, 70.0, 100.0, 140.0, 200.0])  # at the start and at each batch
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(seconds))
    with caplog.at_level(logging.INFO, "reversegen"), Progress(5000, "items", done=1000) as work:
        for _ in range(5):
            work.advance(800)
    messages = [re.sub(r" +", " ", record.getMessage()) for record in caplog.records]
    assert messages == ["2,600 of 5,000 items, 23 a second", "4,200 of 5,000 items, 23 a second"]
    assert work.done == 5000


def test_threads_lose_no_count() -> None:
    with Progress(8000, "items") as work:
        threads = [threading.Thread(target=lambda: [work.advance() for _ in range(1000)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert work.done == 8000
