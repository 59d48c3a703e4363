"""The words of a text, for every measure that counts words.

Most scripts put spaces between words. The SCRIPTS do not, so each of their characters (a letter with its combining marks) is
a word. A segmenter would split more like a reader, but it depends on a dictionary and its version. Characters are the same
everywhere, and here it only matters whether two texts share them. The tokenizer `zh` of sacreBLEU splits Chinese in the same
way. A character means less than a word, so distinct-n, n-gram entropy and Self-BLEU are comparable only within one script.
"""

from __future__ import annotations

import re
import unicodedata

WORDS = "between spaces; by character in scripts without spaces"
"""The definition of a word for people who read a result."""

SCRIPTS = (
    ("\u0e00", "\u109f"),  # Thai, Lao, Tibetan, Myanmar
    ("\u1780", "\u17ff"),  # Khmer
    ("\u1950", "\u19ff"),  # Tai Le, New Tai Lue, Khmer symbols
    ("\u1a20", "\u1b7f"),  # Tai Tham, Balinese
    ("\u2e80", "\u312f"),  # radicals, CJK punctuation, Hiragana, Katakana, Bopomofo
    ("\u3190", "\u31ff"),  # Kanbun, Bopomofo, Katakana
    ("\u3400", "\u4dbf"),  # Han
    ("\u4e00", "\ua4cf"),  # Han, Yi
    ("\ua980", "\ua9ff"),  # Javanese, Myanmar
    ("\uaa60", "\uaadf"),  # Myanmar, Tai Viet
    ("\uf900", "\ufaff"),  # Han
    ("\uff66", "\uff9f"),  # half-width Katakana
    ("\U00016fe0", "\U00018dff"),  # Tangut, Nushu, Khitan
    ("\U0001aff0", "\U0001b2ff"),  # Hiragana, Katakana, Nushu
    ("\U00020000", "\U0003fffd"),  # Han
)
"""First and last characters of the Unicode blocks of scripts without spaces. Korean has spaces, so it is not included."""


def _marks(*categories: str) -> str:
    """The characters of some Unicode categories in the small blocks of SCRIPTS and among the variation selectors."""
    blocks = [*SCRIPTS[:5], ("\ua980", "\ua9ff"), ("\ufe00", "\ufe4f"), ("\uff5f", "\uff9f")]
    every = (chr(point) for first, last in blocks for point in range(ord(first), ord(last) + 1))
    return "".join(c for c in every if unicodedata.category(c) in categories)


_ENDS, _OPENS = _marks("Po", "Pe", "Pf"), _marks("Ps", "Pi")
PUNCTUATION = _ENDS + _OPENS + _marks("Pd")
"""The punctuation of SCRIPTS. None of it has a special meaning in a character class of `re`."""
_FULL_WIDTH = {point: point - 0xFEE0 for point in range(0xFF01, 0xFF5F)}
"""Maps the full-width forms of ASCII to ASCII."""
_ANY = "".join(f"{first}-{last}" for first, last in SCRIPTS)
_OPENING = r"(\[{\u201c\u2018«" + _OPENS
_CLOSING = r".,;:!?)\]}\u201d\u2019»…" + _ENDS + _marks("Mn", "Mc", "Me")
_CHARACTER = re.compile(
    f"(?<![{_OPENING}])[{_OPENING}]*+(?=[{_ANY}])[^\\W\\d_][{_CLOSING}]*+"
    f"|(?<=[{_ENDS}])(?=\\w)"  # between words of a script with spaces: Python、Java
)
_MARK = re.compile(f"[{PUNCTUATION}]")
_NEAR = bytes({*range(256)} - {0xE0, 0xE1, *range(0xE3, 0xF5)})
"""All UTF-8 bytes except the first bytes of U+0800 to U+1FFF and from U+3000 on. A text of only these needs no split."""


def words(text: str) -> list[str]:
    """The words of a text: the parts of `spaced(text)` between spaces."""
    return text.split() if text.isascii() else spaced(text).split()


def spaced(text: str) -> str:
    """The text with spaces around each character of SCRIPTS, and with full-width forms of ASCII as ASCII.

    Texts of other scripts do not change. Punctuation stays attached to the character before it, or after it if it opens, as it
    does in English, where `"pens,"` is one word. A run of digits is one word in any script.
    """
    if text.isascii() or not text.encode("utf-8", "surrogatepass").translate(
        None, _NEAR
    ):  # this check is ten times as fast as `re`
        return text
    return _CHARACTER.sub(r" \g<0> ", text.translate(_FULL_WIDTH))


def spaced_apart(text: str) -> str:
    """The result of `spaced`, with spaces also around the punctuation of SCRIPTS, which an English tokenizer does not know."""
    return text if (words_apart := spaced(text)) is text else _MARK.sub(r" \g<0> ", words_apart)
