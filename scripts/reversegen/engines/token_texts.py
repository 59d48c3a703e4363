"""Tokens as text that shows where each begins and ends, for people. It is safe in a terminal and in a Markdown code block."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from reversegen.core.escaping import visible
from reversegen.engines.chat_templates import control_tokens

BETWEEN = "│"
OPEN, CLOSE = "⟦", "⟧"
"""The marks around a token that only a chat template or the workflow may write."""
SHOWN = {" ": "␣", "\n": "⏎", "\t": "⇥"}
MARKS = {mark: f"[U+{ord(mark):04X}]" for mark in (BETWEEN, OPEN, CLOSE, *SHOWN.values())}
"""How a text shows the characters that are marks here."""
LONGEST_TOKEN = 60
"""In characters."""


class TokenTexts:
    """The tokens of one tokenizer as text."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._controls = {tokenizer.convert_tokens_to_ids(token) for token in control_tokens(tokenizer)}
        # a decoder drops the space before the first token, so every token is decoded after another one
        self._before = list(tokenizer("a", add_special_tokens=False)["input_ids"])

    def text(self, token: int) -> str:
        """A token on one line: `␣` is a space, `⏎` a line break, and `⟦<eos>⟧` a token that no text from outside can hold."""
        name = str(self._tokenizer.convert_ids_to_tokens(token))
        if token in self._controls:
            return f"{OPEN}{_one_line(name)}{CLOSE}"
        head, whole = self._decoded(self._before), self._decoded([*self._before, token])
        text = whole.removeprefix(head) if whole.startswith(head) else self._decoded([token])
        # a part of a character cannot be decoded
        return _one_line(name if not text or "\ufffd" in text else text)

    def _decoded(self, tokens: list[int]) -> str:
        return str(self._tokenizer.decode(tokens, clean_up_tokenization_spaces=False))

    def lines(self, tokens: Sequence[int], loss: Sequence[bool], width: int) -> list[str]:
        """All tokens on lines of at most `width` columns, with the place of each line's first token.

        A line holds tokens with loss or tokens without it, and ends at a line break. `loss` has a value for each token.
        """
        lines: list[str] = []
        room, counted = 0, False
        for place, (token, counts) in enumerate(zip(tokens, loss, strict=True)):
            text = self.text(token)
            new = not lines or counts != counted or lines[-1].endswith(SHOWN["\n"])
            if new or _columns(text) + 1 > room:
                lines.append(f"{place:>5} {'loss' if counts else '':<4}  {text}")
                room = width - _columns(lines[-1])
            else:
                lines[-1] += BETWEEN + text
                room -= _columns(text) + 1
            counted = counts
        return lines


def _one_line(text: str) -> str:
    shown = "".join(SHOWN.get(character) or MARKS.get(character) or character for character in text)
    shown = visible(shown)
    return shown if len(shown) <= LONGEST_TOKEN else f"{shown[:LONGEST_TOKEN]}… ({len(text)} characters)"


def _columns(text: str) -> int:
    """Columns of a terminal: East Asian wide characters take two, and combining ones none."""
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )
