"""Reads the choices of a server's reply: the text, the thought before it, and how it ended.

The form is OpenAI's (https://platform.openai.com/docs/api-reference/chat/object), with the variations of vLLM, Mistral,
Databricks and gateways: the content is a text or a list of typed parts, a thought is a part or a separate field, and every
server has its own words for the end of an answer. A choice is read when it is used, from the reply as it was kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from reversegen.config.models import Thinking
from reversegen.engines.base import END, START, Generated
from reversegen.engines.endpoint.calls import Call

FILTERED = "content filter"
ONLY_THOUGHT = "reasoning without an answer"
TOOL_CALL = "tool call instead of an answer"
EMPTY = "empty reply"

_FILTER = re.compile(
    r"filter|safety|recitation|prohibited|blocklist|spii|guardrail|moderat|sensitive|toxic|policy|blocked"
)
_LENGTH = re.compile(r"length|limit|^max|window|truncat|incomplete|unfinished|not_finished")
_ERROR = re.compile(r"error|fail|abort|cancel|malformed|insufficient|interrupt|timeout")
_TEXTS = {"text", "output_text", "refusal"}
_THOUGHTS = {"thinking", "reasoning"}
_FIELDS = ("text", "value", "thinking", "reasoning", "refusal", "summary", "content")
"""The fields that may hold a part's text, which may consist of parts again."""


@dataclass(frozen=True)
class Reading:
    """The settings of a model that decide how its replies are read."""

    limit: int = 0
    """Largest number of tokens of a choice; 0 if it is unknown."""
    thinking: Thinking | None = None


class Unreadable(ValueError):
    """A choice without an answer: it has another form, or an error ended it."""

    def __init__(self, error: Any = None) -> None:
        super().__init__()
        self.error = error
        """The server's account of the error; None for a choice of another form."""


def generated(call: Call, reading: Reading | None = None, n: int = 1) -> list[Generated]:
    """The choices of a call as an engine returns them; `n` invalid ones if this request alone failed permanently.

    Earlier versions did not keep the reason for the end of an answer. Their unfinished answer counts as finished if it has
    fewer tokens than the limit. Raises Unreadable for a choice without an answer.
    """
    reading = reading or Reading()
    if call.invalid is not None:
        return [_invalid(call.invalid)] * n
    if call.choices is None:
        return [
            Generated(one.text, one.tokens, one.finished or 0 < one.tokens < reading.limit)
            for one in call.answers or []
        ]
    return [_read_choice(choice, call.tokens_out // len(call.choices), reading) for choice in call.choices]


def _invalid(reason: str) -> Generated:
    return Generated("", 0, False, reason)


def _read_choice(choice: Any, tokens: int, reading: Reading) -> Generated:
    """One choice. Every end counts as finished, except a content filter, a length limit and an error.

    If the server names no end, the answer is truncated once it has as many tokens as the limit. An answer that did not arrive
    is invalid, never empty and finished.
    """
    if not isinstance(choice, dict) or not isinstance(choice.get("finish_reason"), str | None):
        raise Unreadable
    end = (choice.get("finish_reason") or "").strip().casefold()
    if _FILTER.search(end):
        return _invalid(FILTERED)
    truncated = bool(_LENGTH.search(end)) or (not end and 0 < reading.limit <= tokens)
    if choice.get("error") or (_ERROR.search(end) and not truncated):
        raise Unreadable(choice.get("error") or end)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise Unreadable
    text, thought = _content(message)
    if thinking := reading.thinking:
        text = text.replace(thinking.start, START).replace(thinking.end, END)
        if thinking.enabled and truncated and not thought and START not in text and END not in text:
            text, thought = "", text  # the template opened the thought in the prompt
    if not text and thinking and not thinking.enabled:
        text, thought = thought, ""
    if text:
        whole = f"{START}\n{thought}\n{END}\n\n{text}" if thought else text
        if truncated or whole.rpartition(END)[2].strip():
            return Generated(whole, tokens, not truncated)
        return _invalid(ONLY_THOUGHT)
    if truncated:
        return Generated(f"{START}\n{thought}" if thought else "", tokens, False)
    calls = message.get("tool_calls") or message.get("function_call")
    return _invalid(ONLY_THOUGHT if thought else TOOL_CALL if calls else EMPTY)


def _content(message: dict[str, Any]) -> tuple[str, str]:
    """The text of a message, or the refusal in its place, and its thought. Each is empty if it is blank.

    Parts of an unknown type are ignored. Raises Unreadable if the message has no other parts.
    """
    content, texts, thoughts, unknown = message.get("content"), [], [], False
    for part in [content] if isinstance(content, str | None) else content if isinstance(content, list) else [{}]:
        kind = part.get("type", "text" if part else None) if isinstance(part, dict) else "text"
        if kind in _TEXTS:
            texts.append(_text(part))
        elif kind in _THOUGHTS:
            thoughts.append(_text(part))
        else:
            unknown = True
    fields = (message.get(name) for name in ("reasoning_content", "reasoning", "thinking"))
    thoughts = thoughts or [next((one for one in fields if isinstance(one, str) and one.strip()), "")]
    text, thought = "".join(texts), "".join(thoughts).replace(START, "").replace(END, "")
    if not text.strip():
        if unknown:
            raise Unreadable
        text = message["refusal"] if isinstance(message.get("refusal"), str) else ""
    return text if text.strip() else "", thought if thought.strip() else ""


def _text(part: Any) -> str:
    """All text in a part of a message. Raises Unreadable if the part holds anything else."""
    if part is None or isinstance(part, str):
        return part or ""
    if isinstance(part, list):
        return "".join(map(_text, part))
    name = next((name for name in _FIELDS if name in part), None) if isinstance(part, dict) else None
    if name is None:
        raise Unreadable
    return _text(part[name])
