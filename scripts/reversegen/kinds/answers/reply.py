"""A response as its reader gets it: without the thought before the answer, or with the reason why there is no answer.

Engines write every thought between `<think>` and `</think>`, whatever the model's own marks are (`templates`, `calls`)::

    read_reply("<think>9 + 9?</think>#### 18").text     "#### 18"
    read_reply("<think>9 + 9 is", False).invalid        "response ends inside its thought"
    read_reply("#### 18").text                          "#### 18"
"""

from __future__ import annotations

import re
from typing import NamedTuple

START, END = "<think>", "</think>"
"""What stands around a thought in every record."""
IN_THOUGHT = "response ends inside its thought"
NOT_RECEIVED = "no response received"
TRUNCATED = "response truncated"

_THOUGHT = re.compile(r"<think>.*?</think>\s*", re.DOTALL)


class Reply(NamedTuple):
    """What a response says to the one who asked."""

    text: str
    """Without its thought; empty if it is invalid."""
    finished: bool
    """Whether it ended by itself; False if it was truncated."""
    invalid: str | None
    """Why it is no answer at all; None if it can be read."""


def read_reply(text: str, finished: bool = True, invalid: str | None = None) -> Reply:
    """The reply in a response. `invalid` is the reason that the engine gave, if it received none.

    Everything before a `</think>` without its start is a thought too: some chat templates open the thought in the prompt. A
    thought that does not end takes all that follows it.
    """
    if invalid is not None:
        return Reply("", False, invalid)
    if START not in text and END not in text:
        return Reply(text, finished, None)
    visible = _THOUGHT.sub("", text).rpartition(END)[2]
    visible, unclosed, _ = visible.partition(START)
    if unclosed and not visible.strip():
        return Reply("", False, IN_THOUGHT)
    return Reply(visible.strip(), finished and not unclosed, None)
