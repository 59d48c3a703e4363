r"""Where an item of a proposer ends, and whether it carries its answer.

A prompt holds three numbered items and the number of a fourth. A sample continues the prompt and may hold further items::

    Form("", "\n").first_item("How do I whistle?\n5. Who sings?", True)        ("How do I whistle?", None)
    Form("", "\n").first_item("Rate it from 1 to 5. Then say why.", True)      ("Rate it from 1 to 5. Then say why.", None)
    Form("", "\n").first_item("How do I whistle? 5. Who sings?", True)         ("How do I whistle? 5. Who sings?", "runs on")
"""

from __future__ import annotations

import re
from itertools import pairwise

ASKED = 4
"""The number of the item that a prompt asks for."""
RUNS_ON = "runs on"
"""Why a sample is invalid if it may hold more than one item and nothing shows where the first one ends."""

_QUESTION_ENDS = tuple("?\uff1f\u061f")
_SENTENCE_ENDS = (*_QUESTION_ENDS, *".!\u2026\u3002\uff01\u0964")
_CLOSING = " \t\r\n\"'`*)]}\u201d\u2019\u00bb\u300d\u300f\uff09"
_CLOSED = "\"'*)\\]\u201d\u2019\u300d\uff09"
_ENDS_AT_ONCE = "?!\uff1f\u061f\u2026\u3002\uff01\u0964"
"""Ends of sentences that a number may follow without a space; the decimal point is not among them."""
_ITEM_NAME = r"(?:question|item|problem|prompt|instruction|exercise|frage|aufgabe) {0,2}#?"
_INITIAL = re.compile(r"[A-Z]\.")

ANSWER_WORD = (
    r"(?:(?:the|correct|right|final|best) ){0,3}"
    r"(?:answer|ans|correct(?: option| choice)?|key|sol(?:ution)?|explanation|rationale|antwort|l\u00f6sung|erkl\u00e4rung"
    r"|r\u00e9ponse|respuesta|risposta|resposta|odpowied\u017a|\u043e\u0442\u0432\u0435\u0442|\u6b63\u786e\u7b54\u6848|\u7b54\u6848"
    r"|\u89e3\u6790|\u7b54\u3048|\u6b63\u89e3|\uc815\ub2f5)"
)
"""The beginning of a line that gives an answer or its reason, in the languages of large question sets, in any case."""
_ANSWER = re.compile(
    rf"####|\\boxed|<answer>|(?:^|\.[\"')\]]{{0,3}}\s|[?!\uff1f\u3002\uff01\u061f][\"')\]]{{0,3}}\s?)[^\w\n]{{0,6}}(?:"
    rf"{ANSWER_WORD}[ \t*_]{{0,3}}(?:[:\uff1a=]\s*\S|[.>\u2013\u2014-]{{1,2}}\s?[^\w\n]{{0,3}}\d)"
    r"|(?:the |my ){0,2}(?:(?:correct|right|final) ){0,2}(?:answer|ans)\s?is\s[^\w\n]{0,3}\d"
    r"|(?:\u6b63\u786e)?\u7b54\u6848\u662f|\u7b54[:\uff1a]|\u7b54\u3048\s?\d)"
    r"|[?\uff1f\u061f][\"')\]]{0,3}\s*(?:(?-i:A)|results?|r\xe9sultat|resultado|risultato|ergebnis)\s?[:\uff1a=]\s*\S"
    r"|[?\uff1f\u061f](?:->|[\s=>\[({$\u20ac\u2192]){0,8}-?\d[\d.,]{0,20}\s?[\])}*$.]{0,4}\s*\Z",
    re.IGNORECASE | re.MULTILINE,
)


def ends_sentence(text: str) -> bool:
    """Whether a text ends like a sentence; closing quotes, brackets and marks of emphasis are ignored."""
    return text.rstrip(_CLOSING).endswith(_SENTENCE_ENDS)


def carries_answer(text: str) -> bool:
    r"""Whether a question holds an answer: `####`, `\boxed`, `Answer: 5` as a sentence, or a number after its question mark."""
    return bool(_ANSWER.search(text))


class Form:
    """How the items of a prompt are numbered and separated."""

    def __init__(self, letter: str, separator: str) -> None:
        r"""`letter` comes before the number, as in `Q4.`; the separator is "\n" or "\n\n"."""
        number = rf"{letter}([0-9]{{1,3}})\."
        self.letter = letter
        self.number = re.compile(number)
        self.line_number = re.compile(rf"^{number}(?![0-9])", re.MULTILINE)
        name = rf"(?:{letter}|{_ITEM_NAME})"
        self.other_number = re.compile(
            rf"(?:(?:(?<!\W[A-Z])\.[{_CLOSED}]*\s|[{_ENDS_AT_ONCE}][{_CLOSED}]*)\s*[(\[#*]{{0,3}}{name}(\d{{1,3}})[*]{{0,2}}[.):\uff0e\uff1a\u3001]"
            rf"|\n[ \t(\[#*]{{0,4}}(?!\d){name}(\d{{1,3}}))(?!\d)",
            re.IGNORECASE,
        )
        self.separator = re.compile(r"\n" if separator == "\n" else rf"\n\s*\n|\n(?={number}(?![0-9]))")
        self.newlines = separator.count("\n")

    def first_item(self, text: str, finished: bool) -> tuple[str, str | None]:
        """The item at the start of a sample, and why it is invalid: "empty", "cut off" or "runs on"; None if it is valid.

        The item ends at the separator if it ends like a question or if the number of the next item follows. Otherwise it ends
        with the finished sample. It is never cut elsewhere: if the rest of the sample may belong to the item, it "runs on".
        """
        sample = text.lstrip()
        end = self.separator.search(sample)
        item = sample[: end.start() if end else None].strip()
        text_after = sample[end.end() :].strip() if end else ""
        if not item or self._begins_with_next(item):
            return text, "empty"
        if end and text_after and not item.rstrip(_CLOSING).endswith(_QUESTION_ENDS):
            whole_separator = end[0].count("\n") >= self.newlines
            if not (self._begins_with_next(text_after) and (whole_separator or ends_sentence(item))):
                return text, RUNS_ON
        if not finished and not text_after and not (end and ends_sentence(item)):
            return item, "cut off"
        return (text, RUNS_ON) if self.may_run_on(item) else (item, None)

    def before_next(self, text: str) -> str:
        """The text before the first line that begins with the number of an item."""
        number = self.line_number.search(text)
        return text[: number.start()] if number else text

    def may_run_on(self, item: str) -> bool:
        """Whether the number of another item may be inside the text of an item.

        These may number another item:

        - a number after the end of a sentence; from `4` on also in another spelling: `5)`, `(5)`, `Question 5:`, or no space;
        - a number from `4` on in another spelling at the start of a line;
        - with a letter: `Q5.` and later numbers anywhere, and `Q1.` to `Q4.` after anything without letters.

        A plain `5.` after a word or number, and `Q1.` to `Q4.` after a word, are parts of a sentence.
        """
        for before, word in pairwise(item.split()):
            number = self.number.fullmatch(word)
            if number and ends_sentence(before) and not _INITIAL.fullmatch(before):
                return True
            if number and self.letter and (int(number[1]) > ASKED or not any(map(str.isalpha, before))):
                return True
        other_numbers = (match[1] or match[2] for match in self.other_number.finditer(item))
        return any(int(number) >= ASKED for number in other_numbers)

    def _begins_with_next(self, text: str) -> bool:
        """Whether a text begins with the last number of the prompt, which a sample may repeat, or with a later number."""
        number = self.line_number.match(text)
        return number is not None and int(number[1]) >= ASKED
