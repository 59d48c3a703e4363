"""The errors whose messages are for the user, and the terminal line of any other error."""

from __future__ import annotations

import re

LONGEST = 300
"""Largest number of characters shown of a message from another library."""
_LONG_QUOTATION = re.compile(r"'[^'\n]{60,}'?|\"[^\"\n]{60,}\"?")


class BadInput(Exception):
    """An error in the user's input. The message names the file, the field and the fix.

    `stage.run` prints it as one line without a traceback and ends with status 1.
    """


class Interrupted(Exception):
    """A signal stopped the job. Its state is kept, and the same command resumes from it.

    `stage.run` prints it as one line without a traceback and ends with status 1.
    """


def describe(error: BaseException) -> str:
    """The type of an error and the first line of its message, at most LONGEST characters.

    Long quotations are left out, because they may be texts of rows, and no log repeats harmful text. For the same reason the
    fields that pydantic lists from the second line on are not shown.
    """
    message = next((line.strip() for line in str(error)[:10_000].splitlines() if line.strip()), "")
    shown = _LONG_QUOTATION.sub("'…'", message)[:LONGEST]
    return f"{type(error).__name__}: {shown}" if shown else type(error).__name__


def fault_line(stage: str, error: BaseException, log_file: str | None) -> str:
    """The terminal line for an error that is not the user's fault: stage, error, log file."""
    return f"{stage}: error: {describe(error)}" + (f"; the traceback is in {log_file}" if log_file else "")
