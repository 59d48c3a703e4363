"""Letters and words of a text, in one form for all ways to write them, and the codes in which letters can be written."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence

MORSE = {
    ".-": "a", "-...": "b", "-.-.": "c", "-..": "d", ".": "e", "..-.": "f", "--.": "g", "....": "h", "..": "i", ".---": "j",
    "-.-": "k", ".-..": "l", "--": "m", "-.": "n", "---": "o", ".--.": "p", "--.-": "q", ".-.": "r", "...": "s", "-": "t",
    "..-": "u", "...-": "v", ".--": "w", "-..-": "x", "-.--": "y", "--..": "z", "-----": "0", ".----": "1", "..---": "2",
    "...--": "3", "....-": "4", ".....": "5", "-....": "6", "--...": "7", "---..": "8", "----.": "9",
}  # fmt: skip
"""International Morse code (Recommendation ITU-R M.1677-1)."""
_NATO_TEXT = (
    "alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec romeo sierra "
    "tango uniform victor whiskey xray yankee zulu"
)
NATO = {word: word[0] for word in [*_NATO_TEXT.split(), "alpha", "juliet", "whisky"]}
"""The spelling alphabet of ICAO and NATO, with the usual other spellings."""
LEET = {"a": "4@", "b": "8", "e": "3", "g": "69", "i": "1!|", "l": "1|", "o": "0", "s": "5$", "t": "7+", "z": "2"}
"""The signs that stand for a letter in leetspeak."""
_DIGITS_TEXT = """
zero one two three four five six seven eight nine
zero un deux trois quatre cinq six sept huit neuf
cero uno dos tres cuatro cinco seis siete ocho nueve
null eins zwei drei vier funf sechs sieben acht neun
zero uno due tre quattro cinque sei sette otto nove
zero um dois tres quatro cinco seis sete oito nove
"""
DIGITS = {word: str(n) for line in _DIGITS_TEXT.strip().splitlines() for n, word in enumerate(line.split())}
"""The names of digits in English, French, Spanish, German, Italian and Portuguese, folded."""

_JOINED = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d"} | dict.fromkeys("*`~", ""))
_STROKES = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-") | dict.fromkeys("\u00b7\u2022\u2219", ".")
)
_MORSE_RUN = re.compile(r"(?<![.\-])[.\-]{1,5}(?:[\s/|,]+[.\-]{1,6})+(?![.\-])")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{6,}={0,2}")
_NUMBERED = re.compile(r"[\W_]*\d+[.):]")
_LETTER = re.compile(r"[^\W_]")


def folded(text: str) -> str:
    """The text without differences of case, accents, compatibility forms, invisible characters and marks of emphasis."""
    decomposed = unicodedata.normalize("NFKD", text)
    bare = (letter for letter in decomposed if unicodedata.category(letter) not in ("Mn", "Cf"))
    return "".join(bare).casefold().translate(_JOINED)


def tokens(text: str) -> list[str]:
    """The words and numbers of a folded text, without the ending of a possessive."""
    return re.findall(r"[^\W_]+", re.sub(r"(?<=\w)['\u2019]s\b(?!['\u2019])", "", text))


def rot13(word: str) -> str:
    """The word with each letter moved by thirteen places."""
    return "".join(chr((ord(letter) - 84) % 26 + 97) if "a" <= letter <= "z" else letter for letter in word)


def line_starts(text: str) -> str:
    """The first letters of all lines, without bullets and numbers in front of them."""
    lines = (_NUMBERED.sub("", line, count=1) if _NUMBERED.match(line) else line for line in text.splitlines())
    return "".join(match[0] for line in lines if (match := _LETTER.search(line)))


def decoded(text: str) -> Iterator[tuple[str, str]]:
    """Way and content of each run of a text that is written in a code: Morse, base64, hexadecimal, ASCII codes, binary."""
    for run in _MORSE_RUN.findall(text.translate(_STROKES)):
        for signs in (run, run.removesuffix(".")):  # a full stop may follow the code
            words = re.split(r"\s*[/|]\s*|\s{2,}|\n", signs)
            yield (
                "Morse code",
                " ".join("".join(MORSE.get(sign, "") for sign in re.findall(r"[.\-]+", one)) for one in words),
            )
    for run in _BASE64.findall(text):
        plain = run.rstrip("=").replace("-", "+").replace("_", "/")
        try:
            yield "base64", base64.b64decode(plain + "=" * (-len(plain) % 4)).decode("ascii")
        except (binascii.Error, UnicodeDecodeError):
            continue
    numbers = re.findall(r"[^\W_]+", re.sub(r"0x|\\x", " ", text.casefold()))
    readers: dict[str, tuple[Callable[[str], bool], Callable[[str], bytes]]] = {
        "hexadecimal": (lambda word: re.fullmatch(r"(?:[0-9a-f]{2})+", word) is not None, bytes.fromhex),
        "ASCII codes": (
            lambda word: re.fullmatch(r"[0-9]{2,3}", word) is not None and int(word) < 128,
            lambda word: bytes([int(word)]),
        ),
        "binary": (
            lambda word: re.fullmatch(r"[01]{7,8}", word) is not None and int(word, 2) < 128,
            lambda word: bytes([int(word, 2)]),
        ),
    }
    for way, (written_so, read) in readers.items():
        for run in _runs(numbers, written_so):
            yield way, b"".join(map(read, run)).decode("ascii", errors="replace")


def _runs(words: Iterable[str], belongs: Callable[[str], bool]) -> Iterator[Sequence[str]]:
    """The longest runs of words that all belong."""
    run: list[str] = []
    for word in words:
        if belongs(word):
            run.append(word)
        elif run:
            yield run
            run = []
    if run:
        yield run
