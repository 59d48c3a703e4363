"""The errors that are meant for the user, and the line that any other error puts on the terminal."""

from __future__ import annotations

import re

LONGEST = 300
"""Characters of a message of somebody else's that are shown."""
_LONG_QUOTATION = re.compile(r"'[^'\n]{60,}'?|\"[^\"\n]{60,}\"?")


class BadInput(Exception):
    """Something the user gave is wrong: the message names the file, the field and the fix.

    `stage.run` prints it as one line without a traceback and ends with status 1.
    """


class Interrupted(Exception):
    """A signal told the job to stop; its state is kept, and the same command resumes from it. `stage.run` ends as above."""


def describe(error: BaseException) -> str:
    """The type of an error and the first line of its message, at most LONGEST characters.

    A long quotation is left out: it may be the text of a row, and no log repeats harmful text. For the same reason the fields
    that pydantic lists from the second line on are not shown.
    """
    message = next((line.strip() for line in str(error)[:10_000].splitlines() if line.strip()), "")
    shown = _LONG_QUOTATION.sub("'…'", message)[:LONGEST]
    return f"{type(error).__name__}: {shown}" if shown else type(error).__name__


def fault_line(stage: str, error: BaseException, log_file: str | None) -> str:
    """What a stage puts on the terminal for an error that is not the user's: stage, error, log file."""
    return f"{stage}: error: {describe(error)}" + (f"; the whole is in {log_file}" if log_file else "")
