"""A response as a reader sees it: without the thought before the answer, or with the reason why it has no answer.

Engines write every thought between `<think>` and `</think>`, also if the model uses other marks (`engines`)::

    read_reply("<think>9 + 9?</think>#### 18").text     "#### 18"
    read_reply("<think>9 + 9 is", False).invalid        "response ends inside its thought"
    read_reply("#### 18").text                          "#### 18"
"""

from __future__ import annotations

import re
from typing import NamedTuple

from reversegen.engines.base import END, START

IN_THOUGHT = "response ends inside its thought"
TRUNCATED = "response truncated"

SPECIAL_TOKEN = re.compile(
    r"<\|[^<>|\s]{1,40}\|>|<\uff5c[^<>\uff5c]{1,40}\uff5c>|</?(?:s|bos|eos|pad|start_of_turn|end_of_turn)>"
)
"""A token of a chat template that a model writes as text, or that an engine leaves in the text."""


class Reply(NamedTuple):
    """The part of a response that its reader sees."""

    text: str
    """The response without its thought; empty if it is invalid."""
    finished: bool
    """Whether the model ended the response; False if it was truncated."""
    invalid: str | None
    """Why the response is not an answer; None if it can be read."""


def read_reply(text: str, finished: bool = True, invalid: str | None = None) -> Reply:
    """The reply in a response. If the engine received no response, `invalid` is the reason.

    Special tokens at the end are not part of the reply: they show that the model ended it. Text before a `</think>` without
    a `<think>` is a thought too, because some chat templates open the thought in the prompt. A thought without an end takes
    all text after it.
    """
    if invalid is not None:
        return Reply("", False, invalid)
    end = _end(text)
    if end < len(text):
        text, finished = text[:end], True
    if START not in text and END not in text:
        return Reply(text, finished, None)
    first, *others = text.split(END)
    *closed, last = [first, *(piece.lstrip() for piece in others)]
    shown: list[str] = []
    for piece in closed:
        before, start, _ = piece.partition(START)
        if not start:
            shown.clear()
            before = ""
        shown.append(before)
    before, unclosed, _ = last.partition(START)
    visible = "".join(shown) + before
    if unclosed and not visible.strip():
        return Reply("", False, IN_THOUGHT)
    return Reply(visible.strip() if unclosed else visible.lstrip(), finished and not unclosed, None)


def _end(text: str) -> int:
    """The place where the special tokens at the end of a text begin."""
    end = len(text)
    for token in reversed(list(SPECIAL_TOKEN.finditer(text))):
        if text[token.end() : end].strip():
            break
        end = token.start()
    return end
