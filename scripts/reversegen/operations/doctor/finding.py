"""The result of one check of the doctor, and the function that runs another program."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reversegen.core.markdown import filled

PATIENCE = 15.0
"""Seconds that a program has to answer."""


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    subject: str
    """The subject of the check, in a word or two."""
    state: Literal["ok", "warning", "stops", "skipped"]
    """stops: a run would fail. skipped: the check was not possible, and the text gives the reason."""
    text: str
    fix: str = ""
    """How to fix it; empty if there is nothing to fix."""

    def __str__(self) -> str:
        lines = filled(self.text, f"{self.state:8} {self.subject:13} ")
        return lines + (f"\n{filled(self.fix, ' ' * 23 + '-> ')}" if self.fix else "")


def ask(command: Sequence[str], patience: float | None = None, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command with a text as its input. If it is not installed or not in time, the result is a failure that states so."""
    patience = PATIENCE if patience is None else patience
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=patience, check=False, input=text)
    except FileNotFoundError:
        return subprocess.CompletedProcess(command, 127, "", f"{command[0]} is not installed here")
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"no answer within {patience:.0f} s")


def reason(process: subprocess.CompletedProcess[str]) -> str:
    """The end of the output of a command that failed."""
    return " ".join((process.stderr or process.stdout).split())[-200:] or f"status {process.returncode}"
