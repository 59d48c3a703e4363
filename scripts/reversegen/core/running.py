"""The name and the terminal of the stage that this process runs, for people who watch it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TextIO

NO_BARS = "REVERSEGEN_NO_BARS"
"""Environment variable that turns bars off if another program draws on the terminal, such as a logger plugin of Snakemake."""


def is_main_process() -> bool:
    """Whether this is the only process of the stage, or the first that `accelerate launch` started. Only it logs and shows."""
    return os.environ.get("RANK", "0") == "0"


@dataclass
class Running:
    """The name and the terminal of the stage that this process runs."""

    name: str = ""
    terminal: TextIO = sys.stderr
    """Standard error as it was before it was redirected to the log."""

    @property
    def watched(self) -> bool:
        """Whether this process may draw bars: the terminal is interactive, and nothing else draws on it."""
        return self.terminal.isatty() and is_main_process() and NO_BARS not in os.environ


RUNNING = Running()


def shown_rate(rate: float) -> str:
    """A rate for people to read: a whole number from 10 on, else two digits."""
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
