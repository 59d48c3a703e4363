"""The stage that this process runs, for those who follow it: its name and its terminal."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TextIO

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


def shown_rate(rate: float) -> str:
    """A rate as people read it: whole where it is large."""
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
