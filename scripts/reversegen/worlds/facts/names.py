"""Names in texts: one form for all spellings of a name, and the names that a text contains, the longest first."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ə": "a", "&": " and "}
    | dict.fromkeys("\u2018\u2019\u02bb\u02bc\u00b4`", "'")
)
"""Letters that have no accent to remove, and marks that stand for an apostrophe."""
_WORDS = {"saint": "st", "sainte": "st"}
"""Words with a usual abbreviation."""
_EDGES = "\"'“”\u2018\u2019«»()[]{}*_.,;:!?"
"""Marks around a word that are no part of it."""

_ORDINARY_TEXT = """
bath batman bergen best bury can chad china clermont colon cork deal essen georgia hull jersey jordan lead lens los male man
mobile most nice orange pound pune rand reading real riga roman sale san sol split street taka tin tours turkey van victoria won
"""
ORDINARY = frozenset(_ORDINARY_TEXT.split())
"""Names that are also ordinary words, as `key` writes them. They count as names only with a capital letter."""


def key(text: str) -> str:
    """One form for all spellings of a name: case, accents, apostrophes, full stops and hyphens make no difference.

    >>> key("Côte d'Ivoire"), key("St. George's"), key("Guinea-Bissau")
    ('cote divoire', 'st george s', 'guinea bissau')
    """
    text = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    text = re.sub(r"(?<=\w)'s\b", " s", text).replace("'", "").replace(".", "")
    return " ".join(_WORDS.get(word, word) for word in re.findall(r"\w+", text))


def is_code(name: str) -> bool:
    """Whether a name is a code such as `USA` or `AUD`. In a text it counts only in capital letters."""
    letters = name.replace(".", "")
    return len(letters) <= 4 and letters.isascii() and letters.isalpha() and letters.isupper()


class NameWord(NamedTuple):
    """A word of a text."""

    key: str
    written: str
    """As the text has it, without the marks around it and without full stops."""


def words_of(text: str) -> list[NameWord]:
    """The words of a text, in order."""
    pieces = re.split(r"[\s\-\u2013\u2014/]+", text)
    return [NameWord(word, raw.strip(_EDGES).replace(".", "")) for raw in pieces for word in key(raw).split()]


class Names(Generic[T]):
    """Names, each with what it may mean. `find` returns the meanings of the names in a text."""

    def __init__(self, names: Iterable[tuple[str, T]]) -> None:
        self._meanings: dict[str, list[T]] = {}
        self._codes: dict[str, list[T]] = {}
        for name, meaning in names:
            place = name.replace(".", "") if is_code(name) else key(name)
            meanings = (self._codes if is_code(name) else self._meanings).setdefault(place, [])
            if place and meaning not in meanings:
                meanings.append(meaning)
        self._longest = max((len(name.split()) for name in self._meanings), default=0)

    def find(self, text: str, *, any_case: bool = False) -> list[Sequence[T]]:
        """The meanings of each name in a text, in order. A name inside a longer name does not count.

        With `any_case`, an ordinary word counts as a name in small letters too.
        """
        words, place, found_meanings = words_of(text), 0, list[Sequence[T]]()
        while place < len(words):
            for length in range(min(self._longest, len(words) - place), 0, -1):
                if meanings := self._read(words[place : place + length], any_case):
                    found_meanings.append(meanings)
                    place += length
                    break
            else:
                place += 1
        return found_meanings

    def _read(self, words: Sequence[NameWord], any_case: bool) -> Sequence[T]:
        first = words[0]
        if len(words) == 1 and first.written in self._codes:
            return self._codes[first.written]
        name = " ".join(word.key for word in words)
        if name in ORDINARY and not any_case and not first.written[:1].isupper():
            return []
        return self._meanings.get(name, [])
