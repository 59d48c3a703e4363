"""What the doctor says of one thing that it looked at, and how it asks another program."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

PATIENCE = 15.0
"""Seconds after which an answer is given up."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    """What was looked at, in a word or two."""
    state: Literal["ok", "warning", "stops", "skipped"]
    """stops: a run would fail. skipped: it could not be looked at, and the text says why."""
    text: str
    fix: str = ""
    """What to do; empty if there is nothing."""

    def __str__(self) -> str:
        return f"{self.state:8} {self.subject:13} {self.text}" + (f"\n{'':22} -> {self.fix}" if self.fix else "")


def ask(command: Sequence[str], patience: float | None = None, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command that reads a text. One that is not here, or does not answer in time, fails with that as its error."""
    patience = PATIENCE if patience is None else patience
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=patience, check=False, input=text)
    except FileNotFoundError:
        return subprocess.CompletedProcess(command, 127, "", f"{command[0]} is not installed here")
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"no answer within {patience:.0f} s")


def reason(process: subprocess.CompletedProcess[str]) -> str:
    """The end of what a command that failed has said."""
    return " ".join((process.stderr or process.stdout).split())[-200:] or f"status {process.returncode}"
