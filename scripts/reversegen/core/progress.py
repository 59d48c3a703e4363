"""Progress of long work: a bar if somebody watches a terminal, and a line in the log each minute."""

from __future__ import annotations

import logging
import threading
import time

from tqdm import tqdm

from reversegen.core.running import RUNNING, shown_rate

log = logging.getLogger("reversegen")
LOG_SECONDS = 60.0
BAR_AFTER = 3.0
"""Seconds after which a bar appears. The bar of shorter work would only make the terminal flicker."""


class Progress:
    """Progress of `total` items, of which `done` were finished before. Several threads may call `advance`."""

    def __init__(self, total: int, unit: str, done: int = 0) -> None:
        self.total, self.unit, self.done = total, unit, done
        self._before = done
        self._start = self._logged = time.monotonic()
        self._lock = threading.Lock()
        self._bar = tqdm(
            total=total, initial=done, unit=f" {unit}", desc=RUNNING.name, file=RUNNING.terminal, disable=not RUNNING.watched,
            delay=BAR_AFTER, mininterval=0.5, dynamic_ncols=True, leave=False,
        )  # fmt: skip

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()

    def advance(self, count: int = 1) -> None:
        """Count `count` more items as finished, and show it."""
        with self._lock:
            self.done += count
            self._bar.update(count)
            now = time.monotonic()
            if now - self._logged >= LOG_SECONDS and self.done < self.total:
                self._logged = now
                rate = (self.done - self._before) / (now - self._start)
                log.info("%s of %s %s, %s a second", f"{self.done:,}", f"{self.total:,}", self.unit, shown_rate(rate))
