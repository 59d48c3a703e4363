r"""Answers that are numbers, with their units, or tuples, sets and intervals of numbers: read, and compared exactly.

The policy is in `equivalence`. Here nothing is rounded, nothing evaluated, and a text is read only where it has one meaning::

    read(r"1\frac{1}{2}\text{ hours}")      Number(Fraction(3, 2), "hours")
    read(r"\left[0, \frac12\right)")        Numbers("[)", (Fraction(0), Fraction(1, 2)))
    read(r"2\sqrt{2}")                      None: latex() makes of it what math-verify reads well
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

READABLE = str.maketrans({"\u2212": "-"} | dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufe0f\ufeff", ""))
"""The typographic minus becomes a hyphen; characters without width vanish."""

LONGEST_NUMBER = 64
"""In characters, its unit included. A longer text is no number."""


class Number(NamedTuple):
    """A number as it is written: 25% has the value 25."""

    value: Fraction
    unit: str
    """Lower case; "%" for per cent, "dollar 'n words" for what follows a dollar sign, "" for none."""


class Numbers(NamedTuple):
    """Several numbers."""

    brackets: str
    """Those at both ends, such as "[)"; "" for a bare list, "," for one without a space after its only comma."""
    values: tuple[Fraction, ...]


_LATEX = str.maketrans(
    {
        "\u00d7": r"\times ",
        "\u00b7": r"\cdot ",
        "\u00f7": "/",
        "\u2044": "/",
        "\u03c0": r"\pi ",
        "\u221a": r"\sqrt ",
        "\u221e": r"\infty ",
        "\u00b0": r"^\circ ",
        "\u2264": r"\le ",
        "\u2265": r"\ge ",
        "\u00b2": "^2",
        "\u00b3": "^3",
        "\u00bd": r"\frac12 ",
        "\u00bc": r"\frac14 ",
        "\u00be": r"\frac34 ",
        "\u2153": r"\frac13 ",
        "\u2154": r"\frac23 ",
    }
)
_SYNONYMS = (
    (re.compile(r"\\[,;: ]|~|\\q?quad\b|\s+"), " "),
    (re.compile(r"\\!|\\(?:left|right|displaystyle)(?![a-zA-Z])"), ""),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\([$%])"), r"\1"),
    (re.compile(r"\\[dtc]frac\b"), r"\\frac"),
    (re.compile(r"(?<![\\a-zA-Z])(pi|sin|cos|tan|log|ln)(?![a-zA-Z])"), r"\\\1 "),
    (re.compile(r"\\?(?<![a-zA-Z])sqrt *(?:\(([^()]*)\)|(\d+|[a-zA-Z](?![a-zA-Z])))"), r"\\sqrt{\1\2}"),
)
_WRAPPED = re.compile(r"\\(?:text\w*|math(?:rm|bf|it|sf)|mbox|boxed|fbox) *\{([^{}]*)\}")
_DEGREES = re.compile(r" *\^ *(?:\\circ(?![a-zA-Z])|\{ *\\circ *\})")

_INTEGER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
_PLAIN = rf"(?:{_INTEGER}(?:\.\d*)?|\.\d+)"
_ARGUMENT = rf" *(?:\{{ *([-+]?{_PLAIN}) *\}}|(\d))"
_FRACTION = re.compile(rf"\\frac{_ARGUMENT}{_ARGUMENT}", re.ASCII)
_REPEATING = re.compile(r"(?<![\d.])(\d*)\.(\d*)\\(?:overline|bar) *\{(\d+)\}", re.ASCII)
_SPACED = re.compile(r"[-+]?\d{1,3}(?: \d{3})+(?! ?[\d/])", re.ASCII)
_POWER_OF_TEN = re.compile(r"^([-+]?)10 *\^")
_NUMBER = re.compile(
    rf"""(?P<sign>[-+]?)[ ]*(?P<money>[$\u20ac\u00a3]?)[ ]*(?P<late>[-+]?)
    (?:(?P<whole>\d+)[ ]+(?=\d+[ ]*/))? (?P<top>{_PLAIN})
    (?: [ ]*/[ ]*(?P<under>[-+]?{_PLAIN}) | (?:[eE]|[ ]*(?:\\times|\\cdot|[*x])[ ]*10[ ]*\^[ ]*)
        (?P<braced>\{{[ ]*)?(?P<power>[-+]?\d{{1,3}})(?(braced)[ ]*\}}) )?
    (?P<rest>(?![\d.,]).*)""",
    re.ASCII | re.VERBOSE,
)
_SIMPLE = re.compile(rf"[-+]?(?:{_INTEGER}(?:\.\d+)?|\.\d+)", re.ASCII)
_BRACKETS = re.compile(r"([(\[]|\\?\{)(.*?)([)\]]|\\?\})")
_COMMA = re.compile(r" *(?:, +(?:and |or )?|;|(?<= )(?:and|or)(?= )) *")
_E_NOTATION = re.compile(r"(?<![\w.\\])(\d+(?:\.\d+)?|\.\d+)[eE]([-+]?\d+)(?!\w)", re.ASCII)
_DECIMAL = re.compile(r"(?<![\d.])(\d*)\.(\d+)(?![\d.])", re.ASCII)
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?!,?\d)", re.ASCII)

_SCALES = {"dozen": 12, "hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_CURRENCIES = {"$": "dollar", "\u20ac": "euro", "\u00a3": "pound sterling"}
_MEASURES: dict[str, dict[str, str]] = {  # exact, in the first unit; inch, pound and gallon as NIST Handbook 44 gives them
    "length": {
        "m meter metre": "1", "mm millimeter millimetre": "1/1000", "cm centimeter centimetre": "1/100",
        "km kilometer kilometre": "1000", "in inch": "0.0254", "ft foot feet": "0.3048", "yd yard": "0.9144",
        "mi mile": "1609.344",
    },
    "mass": {
        "g gram": "1", "mg milligram": "1/1000", "kg kilogram": "1000", "lb pound": "453.59237", "oz ounce": "28.349523125",
    },
    "time": {
        "s sec second": "1", "min minute": "60", "h hr hour": "3600", "day": "86400", "week": "604800",
    },
    "months": {"month": "1", "yr year": "12"},
    "money": {"dollar usd": "1", "cent": "1/100"},
    "euros": {"euro eur": "1"},
    "volume": {"l liter litre": "1", "ml milliliter millilitre": "1/1000", "gallon": "3.785411784"},
    "angle": {"degree": "1"},
    "radians": {"radian": "1"},
    "%": {"%": "1"},
}  # fmt: skip
_UNITS = {
    name: (kind, Fraction(factor))
    for kind, units in _MEASURES.items()
    for names, factor in units.items()
    for name in names.split()
}
_UNIT = re.compile(r"(?:(square|sq\.?|cubic) )?([a-z]+|%)\.?(?: *\^ *\{?([23])\}?)?")
_SPEEDS = {"mph": "mile/hour", "kph": "km/hour"}
_PER = re.compile(r" */ *| per ")
_PER_CENT = re.compile(r" ?(?:%|per ?cent(?![a-z]))(?: [a-z' -]+)?")
_COUNTED = re.compile(r" ((?:of (?:an? |the )?)?[a-z]{3}[a-z' -]*)")
_CALCULATION = re.compile(
    r"(?:and|or|plus|minus|times|over|mod|modulo|choose|squared|cubed|factorial|hal(?:f|ves)|third|quarter|fourth|fifth"
    r"|sixth|seventh|eighth|ninth|tenth|hundredth|thousandth|sqrt|exp|cot|csc|gcd|lcm|max|min)s?"
)
"""Words after a number that do not say what is counted."""

_LATEX_BRACKETS = {"{": r"\{", "}": r"\}"}
_COMMAND = re.compile(r"\\(?:begin|end) *\{\w*\}|\\(?:operatorname|math\w+|text\w*|mbox) *\{[^{}]*\}|\\[a-zA-Z]+")
_WORD = re.compile(r"[^\W\d_]{4}")
_WORDS = re.compile(r"no|[^\W\d_]{3}[^\W\d_' -]*")


def plain(answer: str) -> str:
    """An answer in LaTeX without its delimiters, spacing commands, bold type and final full stop."""
    text = answer.translate(READABLE).translate(_LATEX)
    for pattern, replacement in _SYNONYMS:
        text = pattern.sub(replacement, text)
    text = _REPEATING.sub(_repeated, text)
    text = text.strip(" *`").removesuffix(".").rstrip(" *`")
    for start, end in (("$", "$"), (r"\(", r"\)"), (r"\[", r"\]")):
        if len(text) > len(start + end) and text.startswith(start) and text.endswith(end):
            text = text.removeprefix(start).removesuffix(end).strip()
    return text


def read(answer: str) -> Number | Numbers | None:
    """What an answer says, None where it is nothing but numbers and units to no reader."""
    if _SIMPLE.fullmatch(answer) and len(answer) <= LONGEST_NUMBER:
        return Number(Fraction(answer.replace(",", "")), "")
    text = _unwrapped(plain(answer))
    one = _number(text)
    if one:
        return one
    match = _BRACKETS.fullmatch(text)
    brackets, inner = (match[1][-1] + match[3][-1], match[2].strip()) if match else ("", text)
    if ("{" in brackets or "}" in brackets) and brackets != "{}":
        return None
    parts = _COMMA.split(inner)
    if len(parts) == 1 and "," in inner:
        parts = inner.split(",")
        if any(re.fullmatch(r"0\d\d", part) for part in parts[1:]):
            parts = [inner]
        elif not match:
            brackets = ","
    numbers = [_number(part.strip()) for part in parts]
    values = tuple(one.value for one in numbers if one and not one.unit)
    if len(values) < len(numbers):
        return None
    if len(values) == 1:
        return Number(values[0], "") if brackets in ("()", "{}") else None
    return Numbers(brackets, values)


def _repeated(match: re.Match[str]) -> str:
    whole, fixed, repeating = match.groups()
    nines = 10 ** len(repeating) - 1
    top = int(whole + fixed + repeating) - int(whole + fixed or 0)
    return rf"\frac{{{top}}}{{{nines * 10 ** len(fixed)}}}"


def _unwrapped(text: str) -> str:
    """Without `\text{}`, `\boxed{}` and their like around what they hold, and with degrees as a word."""
    found = 1
    while found:
        text, found = _WRAPPED.subn(r" \1", text)
    return " ".join(_DEGREES.sub(" degrees", text).split())


def _number(text: str) -> Number | None:
    if len(text) > LONGEST_NUMBER:
        return None
    text = _POWER_OF_TEN.sub(r"\g<1>1*10^", _FRACTION.sub(r" \1\2/\3\4 ", text).strip()).replace("  ", " ")
    if _SPACED.match(text):
        text = re.sub(r"(?<=\d) (?=\d{3}(?!\d))", "", text)
    match = _NUMBER.fullmatch(text)
    if not match or (match["sign"] and match["late"]):
        return None
    top, under = (Fraction(match[name].replace(",", "") if match[name] else 1) for name in ("top", "under"))
    if not under or (match["whole"] and not 0 <= top < under):
        return None
    value = (int(match["whole"] or 0) + top / under) * Fraction(10) ** int(match["power"] or 0)
    unit, scale = _unit(match["rest"].lower())
    if match["money"] and unit is not None:
        unit = " ".join([_CURRENCIES[match["money"]], *unit.split()[unit.startswith("dollar") :]])
    return None if unit is None else Number((-value if "-" in (match["sign"], match["late"]) else value) * scale, unit)


def _unit(rest: str) -> tuple[str | None, int]:
    """What follows a number: a unit or what is counted, None for anything else, and a factor such as a million."""
    scale = 1
    while (word := rest.split(" ")[1:2]) and word[0].removesuffix("s") in _SCALES:
        scale *= _SCALES[word[0].removesuffix("s")]
        rest = rest[len(word[0]) + 1 :]
    if not rest:
        return "", scale
    if _PER_CENT.fullmatch(rest):
        return "%", scale
    unit = rest.strip()
    if _measure(unit) and (rest[0] == " " or len(unit) > 1):
        return unit, scale
    counted = _COUNTED.fullmatch(rest)
    return (unit if counted and not any(map(_CALCULATION.fullmatch, unit.split())) else None), scale


def _measure(unit: str) -> tuple[str, Fraction] | None:
    """The kind of a known unit and its size, None for one that is not known: "km per hour" is length/time and 5/18."""
    sizes = []
    for name in _PER.split(_SPEEDS.get(unit, unit)):
        match = _UNIT.fullmatch(name)
        stems = (match[2], match[2].removesuffix("s"), match[2].removesuffix("es")) if match else ()
        known = next((_UNITS[stem] for stem in stems if stem in _UNITS), None)
        if not match or not known:
            return None
        power = 1 if not (match[1] or match[3]) else int(match[3] or (3 if match[1] == "cubic" else 2))
        sizes.append((known[0] + "*" * (power - 1), known[1] ** power))
    (kind, size), *others = sizes
    for other, its in others:
        kind, size = f"{kind}/{other}", size / its
    return kind, size


def _stems(unit: str) -> set[str]:
    return {word.removesuffix("s") for word in re.findall(r"[a-z]{3,}", unit)}


def same(given: Number | Numbers, expected: Number | Numbers) -> bool | None:
    """Whether two of what `read` gives are equal, None where that is undecidable."""
    match given, expected:
        case Number(), Number():
            return _same_number(given, expected)
        case Numbers(), Numbers():
            return _same_numbers(given, expected)
        case (Number() as number, Numbers() as numbers) | (Numbers() as numbers, Number() as number):
            return (
                None if numbers.brackets == "," else numbers.brackets == "{}" and set(numbers.values) == {number.value}
            )
    raise AssertionError


def _same_numbers(given: Numbers, expected: Numbers) -> bool | None:
    kinds = {given.brackets.strip(","), expected.brackets.strip(",")}
    members = set(given.values) == set(expected.values)
    if kinds <= {"", "{}"}:
        return members
    if "{}" in kinds:
        return None if members else False
    return given.values == expected.values and (len(kinds) == 1 or "" in kinds)


def _same_number(given: Number, expected: Number) -> bool | None:
    if not (given.unit and expected.unit):
        factors = [100 if number.unit == "%" else 1 for number in (given, expected)]
        return given.value == expected.value or given.value * factors[1] == expected.value * factors[0]
    if given.unit == expected.unit:
        return given.value == expected.value
    one, other = _measure(given.unit), _measure(expected.unit)
    if one and other:
        return one[0] == other[0] and given.value * one[1] == expected.value * other[1]
    if one or other or given.value == expected.value:
        alike = given.value == expected.value and _stems(given.unit) & _stems(expected.unit)
        return True if alike else None
    return False


def words(answer: str) -> str | None:
    """Prose, in lower case; None for what is none: a formula, with words in `\text{}` or without."""
    text = plain(answer)
    bare = _unwrapped(text).casefold()
    return bare if _WORDS.fullmatch(bare) or _WORD.search(_COMMAND.sub(" ", text)) else None


def same_words(given: str | None, expected: str | None) -> bool | None:
    """Whether two of what `words` gives are equal, None where that is undecidable."""
    if given is None or expected is None:
        return None
    if given == expected:
        return True
    # the letters of one word in another order may be a product of variables
    one_word_each = given.isalpha() and expected.isalpha() and sorted(given) != sorted(expected)
    return False if one_word_each else None


def latex(answer: str) -> str:
    """An answer for math-verify: its decimals as fractions, so that nothing is rounded, and no separators of thousands."""
    exact = read(answer)
    if isinstance(exact, Number):
        return _latex(exact.value) + (r"\%" if exact.unit == "%" else "")
    if exact:
        start, end = (_LATEX_BRACKETS.get(b, b) for b in exact.brackets.strip(",") or ("", ""))
        return start + ", ".join(map(_latex, exact.values)) + end
    text = plain(answer).replace("$", "")
    if ", " in text or not re.search(r"[(\[{]", text):
        text = _THOUSANDS.sub(lambda match: match[0].replace(",", ""), text)
    text = _E_NOTATION.sub(r"\1 \\cdot 10^{\2}", text)
    return _DECIMAL.sub(lambda match: f"{{{_latex(Fraction(match[0]))}}}", text)


def _latex(value: Fraction) -> str:
    sign, top = "-" * (value < 0), abs(value.numerator)
    return f"{sign}{top}" if value.denominator == 1 else rf"{sign}\frac{{{top}}}{{{value.denominator}}}"
