r"""An answer without parts that mean nothing: formatting commands, quotation marks, a full stop, `=` or `≈` before it.

The rest is LaTeX or prose::

    plain(r"\approx 1{,}234\,\text{cm}.")     r"1,234 \text{cm}"
    unwrapped(r"\text{«18»};")                "18"
    words(r"\text{North}")                    "north"
    is_answer("...")                          False
"""

from __future__ import annotations

import re
import unicodedata
from itertools import chain

READABLE = str.maketrans(
    {chr(code): str(unicodedata.decimal(chr(code))) for code in range(0x660, 0x1FC00) if chr(code).isdecimal()}
    | {chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F) if chr(code) not in ",|~"}
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\u2796\ufe63\uff0d", "-")
    | {"\u066a": "%", "\u066b": ".", "\u066c": ",", "\uffe0": "\u00a2", "\uffe1": "\u00a3", "\uffe5": "\u00a5"}
    | dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufe0f\ufeff", "")
    | {chr(code): "" for code in chain((0x2705, 0x2713, 0x2714, 0x2728, 0x2B50), range(0x1F300, 0x1FB00))}
)  # fmt: skip
"""Decimal digits of every script and full-width forms become ASCII, except three full-width forms: the comma separates
clauses, the bar is part of special tokens, and the tilde means "to". Dashes that serve as a minus become a hyphen. An em dash
stays, because it separates clauses. Emoji, check marks and characters without width are removed."""

_LATEX = str.maketrans(
    {
        chr(code): r"\frac{{{}}}{{{}}} ".format(*unicodedata.normalize("NFKC", chr(code)).split("\u2044"))
        for code in chain(range(0xBC, 0xBF), range(0x2150, 0x215F))
    }
    | {
        "\u00d7": r"\times ",
        "\u00b7": r"\cdot ",
        "\u22c5": r"\cdot ",
        "\u00f7": "/",
        "\u2044": "/",
        "\u2236": ":",
        "\u03c0": r"\pi ",
        "\u221a": r"\sqrt ",
        "\u221e": r"\infty ",
        "\u2205": r"\emptyset ",
        "\u2208": r"\in ",
        "\u00b1": r"\pm ",
        "\u00b0": r"^\circ ",
        "\u00ba": r"^\circ ",
        "\u2103": r"^\circ C",
        "\u2109": r"^\circ F",
        "\u2264": r"\le ",
        "\u2265": r"\ge ",
        "\u2248": r"\approx ",
        "\u2243": r"\approx ",
        "\u2245": r"\approx ",
        "\u2026": r"\ldots ",
        "\u2019": "'",
        "\u2018": "'",
        "\uff0c": ",",
        "\u060c": ", ",
        "\u3001": ", ",
    }
)
_HIGH = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b"
_LOW = "\u2080\u2081\u2082\u2083\u2084\u2085\u2086\u2087\u2088\u2089"
_LEVEL = str.maketrans(_HIGH + _LOW, "0123456789-0123456789")
_SYNONYMS = (
    (re.compile(r"(?<!\\)\$(?! )((?:[^$\\]|\\.)*)(?<! )\$(?!\d)"), r"\1"),
    (re.compile(r"(?<![\w)*])\*\*([^*]+)\*\*(?![\w(*])"), r"\1"),
    (re.compile(r"(?<=\d) *\\q?quad *(?=[a-zA-Z]\w* *=)"), ", "),
    (re.compile(r"\\[,;: ]|~|\\q?quad\b|\s+"), " "),
    (re.compile(r"\\!|\\(?:left|right|displaystyle)(?![a-zA-Z])"), ""),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\([$%&#_])"), r"\1"),
    (re.compile(r"\\[dtc]frac\b"), r"\\frac"),
    (re.compile(r"<sup>([^<>]{1,20})</sup>"), r"^{\1}"),
    (re.compile(r"<sub>([^<>]{1,20})</sub>"), r"_{\1}"),
    (re.compile(r"(?<=\d) *[\uff5e\u301c] *(?=\d)"), "-"),
    (re.compile(r"\\degrees?(?![a-zA-Z])"), r"^\\circ "),
    (re.compile(r"(?<![\\a-zA-Z])(pi|sin|cos|tan|log|ln)(?![a-zA-Z])"), r"\\\1 "),
    (re.compile(r"\\?(?<![a-zA-Z])sqrt *(?:\(([^()]*)\)|(\d+|[a-zA-Z](?![a-zA-Z])))"), r"\\sqrt{\1\2}"),
)
_SMALL = re.compile(f"([{_HIGH}]+)|([{_LOW}]+)")
_REPEATING = re.compile(r"(?<![\d.])(\d*)\.(\d*)\\(?:overline|bar) *\{(\d+)\}", re.ASCII)

_LEAD = "(?:the )?(?:(?:final|correct) )?(?:answer|result|total)"
_BEFORE = re.compile(
    r"(?:[=:\u2192\u21d2\u2234\uff5e\u301c]+|\\(?:approx|sim(?:eq)?|therefore|implies|[Rr]ightarrow)(?![a-zA-Z])"
    r"|(?i:about|approximately|around|roughly|circa)(?= )|(?i:approx|ca)\.(?= )"
    rf"|(?i:{_LEAD}(?: is|(?= ?[:=]))|\\text\w* *\{{ *{_LEAD}(?: is)? *[:=]? *\}}))"
)
_AFTER = re.compile(r"(?:(?<![.,;])[.,;\u3002\u0964]|\\\\)$")
_PAIRS = {
    **dict(zip("\"'\u201c\u201e\u00ab\u300c\u300e\u3010<", "\"'\u201d\u201c\u00bb\u300d\u300f\u3011>", strict=True)),
    "$": "$", r"\(": r"\)", r"\[": r"\]",
}  # fmt: skip
_WRAPPED = re.compile(r"\\(?:text\w*|math(?:rm|bf|it|sf)|mbox|boxed|fbox) *\{([^{}]*)\}")
_DEGREES = re.compile(r" *\^ *(?:\\circ(?![a-zA-Z])|\{ *\\circ *\})")

_COMMAND = re.compile(r"\\(?:begin|end) *\{\w*\}|\\(?:operatorname|math\w+|text\w*|mbox) *\{[^{}]*\}|\\[a-zA-Z]+")
_WORD = re.compile(r"[^\W\d_]{4}|[^\W\d_\x00-\u03ff\u2100-\u214f\U0001d400-\U0001d7ff]")
_WORDS = re.compile(r"no|(?=(?:.* )?(?!and )[^\W\d_]{3})[^\W\d_]+(?:[ '-][^\W\d_]+)*")
_STRANGE = re.compile(
    r"[^\x00-\u03ff]|\d!$|^(?:\(?[A-H]\) *|[A-H][.:] +)\S|[a-zA-Z]: *[-\d]|\dh\d\d|\d ?[apAP]\.? ?[mM]\b"
    r"|\d-\d+/\d|\d:\d|\d \[|^[A-Z]\d|^0[xbo][\dA-Fa-f]|^\d\w*_"
)
_RELATION = re.compile(r"[<>]|\\(?:le|ge|leq|geq|lt|gt)(?![a-z])")
_INTERVAL = re.compile(r"[(\[].*,.*[)\]]")
_UNIT_LIKE = re.compile(r"[\d)}][ -]*[^\W\d_]{2}|\d ?[kKMB]\b|\d [A-Z]\b|^[^\W\d_]{2,}(?: [^\W\d_]+)*[.:]? ?\d")
_TWO_UNITS = re.compile(r"\d ?(?:[^\W\d_]{2,}|(?<= )[dhm])\.?,? (?:and )?\d|^\d+-\d+-\d+$")
_BLANK = re.compile(r"\\(?:square|box|[lcdv]?dots|underline|phantom)(?![a-z])|[\W_]+")
_PLACEHOLDER = re.compile(
    r"(?:(?:your|the|my|final|correct|numeric(?:al)?) )*(?:answer|result|number|value|solution)(?: goes)?(?: here)?"
    r"|degrees|n a|tbd|todo|unknown|idk|not sure|no answer|i (?:do not|don t) know"
)


def plain(answer: str) -> str:
    """An answer in LaTeX without its delimiters, spacing commands, bold type, quotation marks and final full stop."""
    text = answer.translate(READABLE).translate(_LATEX)
    for pattern, replacement in _SYNONYMS:
        text = pattern.sub(replacement, text)
    text = _SMALL.sub(_levelled, text)
    return _bare(_REPEATING.sub(_repeated, text))


def unwrapped(answer: str) -> str:
    r"""The result of `plain`, with the content of `\text{}`, `\boxed{}` and the like in their place, and degrees as a word."""
    text, depth = plain(answer), 0
    while depth < 10:
        text, wrappers = _WRAPPED.subn(r" \1", text)
        depth = depth + 1 if wrappers else 10
    return _bare(" ".join(_DEGREES.sub(" degrees", text).split()))


def _bare(text: str) -> str:
    for _ in range(3):  # layers around an answer
        text = _AFTER.sub("", text.strip(" *`_")).rstrip(" *`_")
        if match := _BEFORE.match(text):
            text = text[match.end() :].lstrip()
        for start, end in _PAIRS.items():
            inner = text.removeprefix(start).removesuffix(end)
            if len(text) - len(inner) == len(start + end) and inner and start not in inner and end not in inner:
                text = inner.strip()
    return text


def _levelled(match: re.Match[str]) -> str:
    digits = match[0].translate(_LEVEL)
    return ("^" if match[1] else "_") + (digits if len(digits) == 1 else f"{{{digits}}}")


def _repeated(match: re.Match[str]) -> str:
    whole, fixed, repeating = match.groups()
    nines = 10 ** len(repeating) - 1
    top = int(whole + fixed + repeating) - int(whole + fixed or 0)
    return rf"\frac{{{top}}}{{{nines * 10 ** len(fixed)}}}"


def is_answer(answer: str) -> bool:
    """Whether a text means anything, unlike dots, brackets, an empty box, or words such as "your answer here"."""
    text = " ".join(_BLANK.sub(" ", unwrapped(answer).casefold()).split())
    return bool(text) and not _PLACEHOLDER.fullmatch(text)


def is_doubtful(answer: str, reference: str) -> bool:
    """Whether a formula may be something else: an unknown unit or currency, an option with its text, or an inequality."""
    texts = [_COMMAND.sub(" ", unwrapped(text)) for text in (answer, reference)]
    one_has_letters = len([text for text in texts if re.search("[a-zA-Z]", text)]) == 1
    relations = [bool(_RELATION.search(unwrapped(text))) for text in (answer, reference)]
    if any(relations) and not all(relations) and any(_INTERVAL.search(unwrapped(text)) for text in (answer, reference)):
        return True
    return any(_STRANGE.search(text) or (one_has_letters and _UNIT_LIKE.search(text)) for text in texts)


def words(answer: str) -> str | None:
    r"""An answer in prose, in lower case; None for a formula, with or without words in `\text{}`."""
    bare, text = unwrapped(answer).casefold(), plain(answer)
    text = match[1] if (match := _WRAPPED.fullmatch(text)) else text
    if _TWO_UNITS.search(_COMMAND.sub(" ", bare)):  # feet and inches, or a date: math-verify would calculate it
        return bare
    return bare if _WORDS.fullmatch(bare) or _WORD.search(_COMMAND.sub(" ", text)) else None


def same_words(given: str | None, expected: str | None) -> bool | None:
    """Whether two results of `words` are equal; None if that is undecidable."""
    if given is None or expected is None:
        return None
    if given == expected:
        return True
    if not (given.isalpha() and expected.isalpha()) or given.isascii() != expected.isascii():
        return None
    # the letters of one word in another order may be a product of variables, and numerals have several forms
    doubtful = sorted(given) == sorted(expected) or any(unicodedata.numeric(one, -1) >= 0 for one in given + expected)
    return None if doubtful else False
