"""Names, numbers and dates of short answers: their normal form, and whether two of them are the same.

normal("The Hague")                 "hague"
normal("São Tomé")                  "sao tome"
normal("Washington, D.C.")          "washington dc"
same_answer("Kiev", "Kyiv")         True
same_answer("8,849 metres", "8.849 km")     True
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from reversegen.kinds.answers.exact import read
from reversegen.kinds.answers.same import same
from reversegen.kinds.answers.units import spelled

_LETTERS = str.maketrans(
    {
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "ð": "d",
        "Ð": "D",
        "þ": "th",
        "Þ": "Th",
        "\u0131": "i",
    }
    | {"æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ħ": "h", "Ħ": "H", "ə": "a", "Ə": "A", "&": " and "}
)
"""Letters that Unicode does not decompose. `str.casefold` already writes ß as ss."""
_APOSTROPHES = re.compile("['\u2018\u2019\u02bb\u02bc\u02bf\u00b4`]")
_POSSESSIVE = re.compile("(?<=\\w)['\u2019]s\\b")
_INITIALS = re.compile(r"\b(?:[A-Za-z]\.){2,}|\b[A-Z]\.(?=\s?[A-Z])")
_UNITED = (
    (re.compile(r"\bUSA?\b|\b[Uu]nited [Ss]tates of [Aa]merica\b"), "United States"),
    (re.compile(r"\bUK\b"), "United Kingdom"),
)
_WORD = re.compile(r"[^\W_]+")
_SHORT_WORDS = {"st": "saint", "mt": "mount", "ft": "fort", "dr": "doctor"}
_ARTICLES = ("the",)
_FIRST_ARTICLES = ("a", "an", "the")

SPELLINGS = {
    "kiev": "kyiv", "kharkov": "kharkiv", "lvov": "lviv", "odessa": "odesa", "peking": "beijing", "canton": "guangzhou",
    "bombay": "mumbai", "calcutta": "kolkata", "madras": "chennai", "bangalore": "bengaluru", "poona": "pune",
    "rangoon": "yangon", "burma": "myanmar", "ceylon": "sri lanka", "swaziland": "eswatini", "turkiye": "turkey",
    "czechia": "czech republic", "cabo verde": "cape verde", "cote divoire": "ivory coast", "timor leste": "east timor",
    "mecca": "makkah", "jiddah": "jeddah", "sanaa": "sana", "addis abeba": "addis ababa",
    "ulan bator": "ulaanbaatar", "ulan baatar": "ulaanbaatar", "tiflis": "tbilisi",
    "kishinev": "chisinau", "chisinev": "chisinau", "pyeongyang": "pyongyang", "teheran": "tehran",
    "bruxelles": "brussels", "kobenhavn": "copenhagen", "wien": "vienna", "roma": "rome", "lisboa": "lisbon",
    "praha": "prague", "warszawa": "warsaw", "moskva": "moscow", "beograd": "belgrade", "bucuresti": "bucharest",
    "athina": "athens", "ad dawhah": "doha", "masqat": "muscat", "dimashq": "damascus", "al qahirah": "cairo",
    "aluminum": "aluminium", "sulfur": "sulphur", "cesium": "caesium",
}  # fmt: skip
"""Transliterations and spellings in normal form, with the one that stands for both. Data sets bring other aliases."""
_SPELLING = re.compile(rf"\b(?:{'|'.join(sorted(SPELLINGS, key=len, reverse=True))})\b")

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH = rf"(?P<month>{'|'.join(MONTHS)}|{'|'.join(month[:3] for month in MONTHS)}|sept)"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_DATES = (
    re.compile(rf"\b{_MONTH} {_DAY}(?: (?P<year>\d{{4}}))?\b"),
    re.compile(rf"\b{_DAY}(?: of)? {_MONTH}(?: (?P<year>\d{{4}}))?\b"),
)
_NUMBER_WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty", "forty",
    "fifty", "sixty", "seventy", "eighty", "ninety",
)  # fmt: skip
_SCALE = r"(?:hundred|thousand|million|billion|trillion)"
_NUMBER = re.compile(
    rf"(?<![\w.,])[-\u2212+]?[$\u20ac\xa3\xa5]?\d(?:[\d,]*\d)?(?:\.\d+)?(?: {_SCALE})?(?: ?%|"
    rf"\xb0[CF]?)?(?: [a-z\xb0/\xb2\xb3]+)?"
    rf"|\b(?:{'|'.join(_NUMBER_WORDS)})(?:[ -](?:{'|'.join(_NUMBER_WORDS)}))?(?: {_SCALE})?\b",
    re.IGNORECASE,
)
_DAY_OF_DATE = re.compile(
    rf"\b{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?(?!\d)|\b\d{{1,2}}(?:st|nd|rd|"
    rf"th)?(?: of)? {_MONTH.replace('month', 'second')}\b",
    re.IGNORECASE,
)


class Word(NamedTuple):
    """A word of a text."""

    text: str
    """In normal form."""
    capital: bool
    """Whether it begins with a capital letter or a digit."""
    joined: bool
    """Whether only a space or hyphen separates it from the word before."""


def words_of(text: str) -> list[Word]:
    """The words of a text in normal form, without the word "the"; spellings are those of the text."""
    plain = _POSSESSIVE.sub("", _INITIALS.sub(lambda initials: initials[0].replace(".", ""), text))
    for pattern, whole in _UNITED:
        plain = pattern.sub(whole, plain)
    plain = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", plain).translate(_LETTERS))
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    words: list[Word] = []
    end = 0
    for match in _WORD.finditer(plain):
        folded = match[0].casefold()
        joined = bool(words) and re.fullmatch(r"[ \t-]*|\. ?", plain[end : match.start()]) is not None
        end = match.end()
        if folded in _ARTICLES:
            continue
        words.append(Word(_SHORT_WORDS.get(folded, folded), match[0][0].isupper() or match[0][0].isdigit(), joined))
    return words


def normal(text: str) -> str:
    """A name or date without differences of case, accents, articles, punctuation, spelling and the order of a date."""
    words = [word.text for word in words_of(text)]
    if len(words) > 1 and words[0] in _FIRST_ARTICLES:
        words = words[1:]
    return spelled_alike(" ".join(words)) or " ".join(text.casefold().split())


def spelled_alike(words: str) -> str:
    """Words in normal form, with one spelling of each name in SPELLINGS and one order of the parts of a date."""
    for pattern in _DATES:
        words = pattern.sub(_day_month_year, words)
    return _SPELLING.sub(lambda name: SPELLINGS[name[0]], words)


def _day_month_year(date: re.Match[str]) -> str:
    month = next(name for name in MONTHS if name.startswith(date["month"][:3]))
    return " ".join(filter(None, (str(int(date["day"])), month, date["year"])))


def is_date(text: str) -> bool:
    """Whether a text holds the day of a month, in figures."""
    words = " ".join(word.text for word in words_of(text))
    return any(pattern.search(words) for pattern in _DATES)


def as_number(text: str) -> str | None:
    """A text that `exact.read` reads as a number, in figures; None for any other text, and for a date."""
    bare = text.strip().rstrip(".")
    if is_date(bare):
        return None
    if (figure := spelled(bare.casefold().replace("-", " "))) is not None:
        return str(figure)
    return bare if read(bare) is not None and any(character.isdigit() for character in bare) else None


def same_answer(one: str, other: str) -> bool:
    """Whether two short answers are the same name, date or number."""
    if normal(one) == normal(other):
        return True
    first, second = as_number(one), as_number(other)
    if first is None or second is None:
        return False
    given, expected = read(first), read(second)
    return given is not None and expected is not None and same(given, expected) is True


def numbers_in(text: str) -> Iterator[str]:
    """The numbers in a text as `as_number` gives them, each with its unit if it has one that is known.

    The day of a date is no number, but its year is.
    """
    for match in _NUMBER.finditer(_DAY_OF_DATE.sub(" ", text)):
        whole = as_number(match[0])
        bare = as_number(re.sub(r" [a-z\xb0/\xb2\xb3]+\Z", "", match[0]))
        number = whole or bare
        if number is not None:
            yield number


def is_any(number: str, accepted: Iterable[str]) -> bool:
    """Whether a number is the same as one of the accepted numbers."""
    return any(same_answer(number, one) for one in accepted)
