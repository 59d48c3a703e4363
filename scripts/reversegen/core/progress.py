"""How far long work has come: a bar where somebody watches a terminal, a line of the log each minute."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from dataclasses import dataclass
from typing import TextIO

from tqdm import tqdm

log = logging.getLogger("reversegen")
LOG_SECONDS = 60.0
BAR_AFTER = 3.0
"""Seconds that work must take to get a bar: short work would only make the terminal flicker."""


NO_BARS = "REVERSEGEN_NO_BARS"
"""Environment variable that is set if something else draws the terminal, such as a logger plugin of Snakemake."""


def is_main_process() -> bool:
    """Whether this is the only process of the stage, or the first that `accelerate launch` started: it alone tells."""
    return os.environ.get("RANK", "0") == "0"


@dataclass
class Running:
    """The stage that this process runs, for those who follow it."""

    name: str = ""
    terminal: TextIO = sys.stderr
    """Standard error as it was before the log took it."""

    @property
    def watched(self) -> bool:
        """Whether somebody sees what is drawn on the terminal: by one process of several, and by no other program."""
        return self.terminal.isatty() and is_main_process() and NO_BARS not in os.environ


RUNNING = Running()


class Progress:
    """Progress of `total` things of which `done` were finished before; `advance` may be called by several threads."""

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
        """Take the bar away."""
        self._bar.close()

    def advance(self, count: int = 1) -> None:
        """Tell that `count` more are finished."""
        with self._lock:
            self.done += count
            self._bar.update(count)
            now = time.monotonic()
            if now - self._logged >= LOG_SECONDS and self.done < self.total:
                self._logged = now
                rate = (self.done - self._before) / (now - self._start)
                log.info("%s of %s %s, %s a second", f"{self.done:,}", f"{self.total:,}", self.unit, shown_rate(rate))


def shown_rate(rate: float) -> str:
    """A rate as people read it: whole where it is large."""
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
