r"""Multiple choice items in the published form. `answers.option` reads which option a response chooses.

The form is that of MMLU (https://github.com/hendrycks/test) as the published code of ReverseGen writes it::

    item, answer = read_item("Which planet is largest?\nA. Mars\nB. Venus\nC. Jupiter\nD. Earth\nAnswer:C.")
    answer                                                   "C"
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from string import ascii_uppercase

from reversegen.kinds.items import ANSWER_WORD

NONE_OF_THE_ABOVE = "None of the above"


@dataclass(frozen=True)
class Item:
    """A question with its options."""

    stem: str
    """The question, which may span several lines."""
    options: tuple[str, ...]
    """The texts of the options A, B, C, ... in order."""

    @property
    def letters(self) -> str:
        """The letters of the options."""
        return ascii_uppercase[: len(self.options)]


_LINE_OPTION = re.compile(r"^[ \t]*([A-Z])\.(?=\s|\Z)", re.MULTILINE)
_WORD_OPTION = re.compile(r"(?<!\S)([A-Z])\.(?=\s|\Z)")
_ANSWER_LABEL = rf"{ANSWER_WORD}[ \t*_]{{0,3}}"
_LINE_ANSWER = re.compile(
    rf"^[^\w\n]{{0,6}}{_ANSWER_LABEL}(?:[:\uff1a=.]|is\b(?=[^\w\n]{{0,4}}(?-i:[A-Z])[^\w\n]{{0,4}}$)"
    r"|(?=[ \t(\[>\u2013\u2014-]{1,4}(?-i:[A-Z])[\W_]{0,4}$))",
    re.MULTILINE | re.IGNORECASE,
)
_WORD_ANSWER = re.compile(
    rf"(?<!\S)(?:(?-i:Answer:)|[*_(\[]{{0,3}}{_ANSWER_LABEL}(?:[:\uff1a=.]|is\b)(?=[\W_]{{0,4}}(?-i:[A-Z])[\W_]{{0,4}}\Z))",
    re.IGNORECASE,
)
_LAST_LETTER = r"(?-i:(?<![a-zA-Z0-9_\u00c0-\u024f])[A-Z])[\W_]{0,4}\Z"
_LINE_END = re.compile(rf"\n[^\n]{{0,80}}(?:{_LAST_LETTER}|[:\uff1a=][^\w\n]{{0,4}}\w{{1,2}}[^\w\n]{{0,4}}\Z)")
_VERDICT = re.compile(
    r"[(\[]\W{0,3}(?:the )?(?:correct|right|true|(?:correct |right )?answer)\W{0,3}[)\]]\W{0,3}\Z"
    r"|[\u2713\u2714\u2705\u2611]",
    re.IGNORECASE,
)
"""A mark of the right option within its text."""
_WORD_END = re.compile(
    rf"(?<!\w){_ANSWER_LABEL}(?:[:\uff1a=]|[\W_]{{0,4}}{_LAST_LETTER})|[:\uff1a=][\W_]{{0,4}}{_LAST_LETTER}",
    re.IGNORECASE,
)
_LINE_CUT = re.compile(r"^[ \t]*Answer:[ \t]?[A-Z](?:\.(?!\S)|(?=[ \t]*$))", re.MULTILINE)
_WORD_CUT = re.compile(r"(?<!\S)Answer: ?[A-Z](?:\.(?!\S)|(?!\S))")
_NONE = re.compile(
    r"none(?: of (?:the )?(?:above|these|those|others?|options|answers|choices)(?: (?:options|answers|choices))?)?"
)


def read_item(text: str) -> tuple[Item, str | None]:
    """An item and the answer that it states, or None. Raises ValueError with a reason, which never repeats the text.

    Options are the lines `A. `, `B. `, ... without a gap. They begin at the last line `A. `, because a stem may quote
    `A. J. P. Taylor`; an option may span several lines. A word-level tokenizer decodes a text without newlines, and then
    options begin at words: the longest run of letters counts, or the last of equally long runs. In `A. A. Milne` the first
    `A.` counts. Two options are the same if they differ only in white space: `Bb` is not `bb`. The line of the answer may
    have another spelling (`ANSWER: C`, `Ans: C`, `**Answer:** C`, `Antwort: C`). A text with a line that may be an answer
    but has an unknown spelling is refused.
    """
    text = text.strip()
    flat = "\n" not in text
    match = (_WORD_ANSWER if flat else _LINE_ANSWER).search(text)
    body = text[: match.start()] if match else text
    starts = _words_of_options(body) if flat else _lines_of_options(body)
    if len(starts) < 2:
        raise ValueError("fewer than two options")
    ends = [start.start() for start in starts[1:]] + [len(body)]
    stem = body[: starts[0].start()].strip()
    options = tuple(body[start.end() : end].strip() for start, end in zip(starts, ends, strict=True))
    if not stem:
        raise ValueError("no stem")
    if not all(options):
        raise ValueError("an empty option")
    if len({" ".join(option.split()) for option in options}) < len(options):
        raise ValueError("a repeated option")
    if any(map(_VERDICT.search, options)):
        raise ValueError("an option that is marked as right")
    _check_last(options, flat)
    item = Item(stem, options)
    return item, _stated(text[match.end() :].strip(), item) if match else None


def _stated(tail: str, item: Item) -> str:
    """The letter after `Answer:`. Raises ValueError if the tail is not exactly one letter of the item."""
    letter = re.fullmatch(r"[\W_]{0,4}([A-Z])[\W_]{0,4}", tail)
    if letter and letter[1] in item.letters:
        return letter[1]
    if re.match(r"[A-Z](?:\.|\s)\s*\S", tail):
        raise ValueError("text after the answer")
    raise ValueError("the answer is no option")


def _check_last(options: Sequence[str], flat: bool) -> None:
    """Raise ValueError if the last option may hold more than its own text.

    That may be the answer under an unknown name on a further line, such as `Klucz: C`; any further line, such as
    `It is Jupiter.`, if no other option has several lines; or the next option in another spelling, such as `E) Pluto`.
    """
    last, count = options[-1], len(options)
    if (_WORD_END if flat else _LINE_END).search(last):
        raise ValueError("what may be an answer")
    letter = ascii_uppercase[count : count + 1]
    if letter and re.search(rf"\n[ \t]*[(\[]?{letter}[).:\]](?=\s|\Z)", last, re.IGNORECASE):
        raise ValueError("an option in another spelling")
    if "\n" in last and not any("\n" in option for option in options[:-1]):
        raise ValueError("a last option of several lines")


def _lines_of_options(body: str) -> list[re.Match[str]]:
    lines = list(_LINE_OPTION.finditer(body))
    letters = "".join(line[1] for line in lines)
    first = max(letters.rfind("A"), 0)
    if letters[first:] != ascii_uppercase[: len(letters) - first] or "B" in letters[letters.find("A") : first]:
        raise ValueError("letters out of order")
    return lines[first:]


def _words_of_options(body: str) -> list[re.Match[str]]:
    words = list(_WORD_OPTION.finditer(body))
    first, most = 0, 0
    lengths: dict[str, int] = {}  # of the run of letters that begins at the next word with this letter
    for i in reversed(range(len(words))):
        letter = words[i][1]
        lengths[letter] = 1 + lengths.get(chr(ord(letter) + 1), 0)
        if letter == "A" and (
            lengths["A"] > most or (lengths["A"] == most and words[i].end() + 1 == words[first].start())
        ):
            first, most = i, lengths["A"]
    run: list[re.Match[str]] = []
    for word in words[first:]:
        if len(run) < most and word[1] == ascii_uppercase[len(run)]:
            run.append(word)
    return run


def write_item(item: Item, answer: str | None) -> str:
    """The item in the published form: stem, one line for each option, and `Answer:X.` if an answer is given."""
    lines = [item.stem, *(f"{letter}. {option}" for letter, option in zip(item.letters, item.options, strict=True))]
    return "\n".join([*lines, f"Answer:{answer}."] if answer else lines)


def cut_item(text: str) -> str | None:
    """A generation up to its first `Answer:X.`, with the full stop added if it is missing; None without such an answer.

    As published, except that the answer must be one letter at the start of a line, or a word of its own if the text has no
    newline: `Answer:Because` and `Answer:C is right` do not end an item.
    """
    text = text.strip()
    match = (_LINE_CUT if "\n" in text else _WORD_CUT).search(text)
    return text[: match.end()].removesuffix(".") + "." if match else None


def says_none(option: str) -> bool:
    """Whether an option states that no other option is right."""
    return bool(_NONE.fullmatch(" ".join(re.findall(r"\w+", option.casefold()))))


def with_none_of_the_above(item: Item) -> Item:
    """The item with the option "None of the above", which is added as published, unless an option already states it.

    "none", "none of these" and "none of the others" state it, in any case and punctuation. Raises ValueError if the item
    already has options up to Z.
    """
    if any(map(says_none, item.options)):
        return item
    if len(item.options) == len(ascii_uppercase):
        raise ValueError("no letter is left for the option None of the above; give the item at most 25 options")
    return replace(item, options=(*item.options, NONE_OF_THE_ABOVE))
