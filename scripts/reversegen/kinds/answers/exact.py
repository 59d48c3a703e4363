r"""Exact reading of answers that are numbers with units, lists, ranges, ratios or times.

`equivalence` states the policy. This module rounds nothing, evaluates nothing, and reads a text only if it has one meaning::

    read(r"1\frac{1}{2}\text{ hours}")      Number(Fraction(3, 2), "hours")
    read(r"\left[0, \frac12\right)")        Numbers("[)", (Fraction(0), Fraction(1, 2)))
    read("x = 5, y = 3")                    Named(("x", "y"), (Number(Fraction(5), ""), Number(Fraction(3), "")))
    read("3:30 PM")                         ColonNumbers((Fraction(3), Fraction(30)), "p")
    read(r"2\sqrt{2}")                      None: latex() prepares it for math-verify
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from reversegen.kinds.answers.plain import plain, unwrapped
from reversegen.kinds.answers.units import MONEY, currency, has_point_groups, measure, read_unit, spelled

LONGEST_NUMBER = 64
"""In characters, including the unit. A longer text is not a number."""


class Number(NamedTuple):
    """A number as it is written: 25% has the value 25."""

    value: Fraction
    unit: str
    """In lower case; "%" for per cent, "dollar 'n words" for an amount with a dollar sign and words after it, "base 2" for
    binary digits that `value` reads as decimal ones, and "" for no unit."""


class Numbers(NamedTuple):
    """Several numbers."""

    brackets: str
    """The brackets at both ends, such as "[)"; "" for a bare list, "," for a list without a space after its only comma; "-"
    and "to" for two numbers with a hyphen or "to" between them, which may be a range."""
    values: tuple[Fraction, ...]
    unit: str = ""
    """The common unit of all values, as in `Number`."""


class Named(NamedTuple):
    """The numbers that one or more names stand for, as in `x = 5, y = 3`."""

    names: tuple[str, ...]
    numbers: tuple[Number, ...]


class ColonNumbers(NamedTuple):
    """Numbers with colons between them: a ratio, a time of day or a duration."""

    values: tuple[Fraction, ...]
    half: str
    """The half of the day, "a" or "p"; "" if it is not given."""


Exact = Number | Numbers | Named | ColonNumbers

_INTEGER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
_PLAIN = rf"(?:{_INTEGER}(?:\.\d*)?|\.\d+)"
_ARGUMENT = rf" *(?:\{{ *([-+]?{_PLAIN}) *\}}|(\d))"
_FRACTION = re.compile(rf"\\frac{_ARGUMENT}{_ARGUMENT}", re.ASCII)
_SEPARATED = re.compile(
    r"(?<![\d.,'_])([1-9]\d{0,2}(?:([ '_.])\d{3})(?:\2\d{3})*)(?:,(\d{1,2}|\d{4,})|(\.\d+))?(?![ '_.,]?[\d/])",
    re.ASCII,
)
_INDIAN = re.compile(r"(?<![\d.,])\d{1,2}(?:,\d{2})+,\d{3}(?![\d,])", re.ASCII)
_MONEY = re.compile(MONEY)
_DIGITS = re.compile(r"^\((\d+)\)(?= ?_)", re.ASCII)
_POWER_OF_TEN = re.compile(r"^([-+]?)10 *\^")
_NUMBER = re.compile(
    rf"""(?P<sign>[-+]?)[ ]*(?P<money>(?:{MONEY})?)[ ]*(?P<late>[-+]?)
    (?:(?P<whole>\d+)[ ]+(?=\d+[ ]*/))? (?P<top>{_PLAIN})
    (?: [ ]*/[ ]*(?P<under>[-+]?{_PLAIN}) | (?:[eE]|[ ]*(?:\\times|\\cdot|[*x])[ ]*10[ ]*\^[ ]*)
        (?P<braced>\{{[ ]*)?(?P<power>[-+]?\d{{1,3}})(?(braced)[ ]*\}}) )?
    (?P<suffix>(?![\d.,]).*)""",
    re.ASCII | re.VERBOSE,
)
_UNIT_FRACTION = re.compile(r" *\\frac *\{ +([a-z]+) *\} *\{ +([a-z]+) *\}$")
"""A fraction of two words in `\\text{}`; `unwrapped` leaves a space before each."""
_SIMPLE = re.compile(rf"[-+]?(?:{_INTEGER}(?:\.\d+)?|\.\d+)", re.ASCII)
_BRACKETS = re.compile(r"([(\[]|\\?\{)(.*?)([)\]]|\\?\})")
_COMMA = re.compile(r" *(?:, +(?:and |or )?|[;&]|(?<= )(?:and|or|und|oder|et|ou|и|или)(?= )|[和或與与]) *")
_MIXED = re.compile(r".*\d (?:and|&) \d+ ?/.*", re.ASCII)
_PLUS_MINUS = re.compile(r"([^\\+]*?) *(?:\\pm(?![a-z])|\+/?-) *(.+)")
_BETWEEN = re.compile(r" *--? *| (to) ")
_MINUS = re.compile(r"(?i:minus|negative) (?=[\d.])")
_PARTS = re.compile(r"(\d+(?:\.\d+)?(?: ?: ?\d+(?:\.\d+)?)*)(?: ?([ap])\.? ?m)?\.?", re.ASCII | re.IGNORECASE)
_REMARK = re.compile(r"(.*[^ (])( ?)\(([^\W\d_][^()\d=<>+*/^\\$]*)\)")
_NAME = re.compile(
    r"(?:(\\?[^\W\d_][\w '(){}\\|]{0,40}?)|(?:[\d+*/(). ,$%-]|\\(?:times|cdot|div) )+)"
    r" *(?::?=|\\(?:in|approx)(?![a-z])) *(?=\S)"
)
_TUPLE_NAME = re.compile(r"\( *[^\W\d_]\w*(?: *, *[^\W\d_]\w*)+ *\) *(?:=|\\in(?![a-z])) *")
_OPERATION = re.compile(
    r"\\(?:[dt]?frac|sqrt|times|cdot|pm|mp|div|sum|prod|int|log|ln|sin|cos|tan|bmod|binom)(?![a-z])"
)
_E_NOTATION = re.compile(r"(?<![\w.\\])(\d+(?:\.\d+)?|\.\d+)[eE]([-+]?\d+)(?!\w)", re.ASCII)
_DECIMAL = re.compile(r"(?<![\d.])(\d*)\.(\d+)(?![\d.])", re.ASCII)
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?!,?\d)", re.ASCII)

_LATEX_BRACKETS = {"{": r"\{", "}": r"\}"}


def read(answer: str) -> Exact | None:
    """An answer as exact numbers; None if it does not consist of numbers and units."""
    if _SIMPLE.fullmatch(answer) and len(answer) <= LONGEST_NUMBER:
        return Number(Fraction(answer.replace(",", "")), "")
    text = _DIGITS.sub(r"\1", unwrapped(answer))
    return _parts(text) or _number(text) or _several(_TUPLE_NAME.sub("", text))


def _number(text: str) -> Number | None:
    if len(text) > LONGEST_NUMBER:
        return None
    if remark := _REMARK.fullmatch(text):
        return _remarked(_number(remark[1]), remark[2], remark[3])
    text = _UNIT_FRACTION.sub(r" \1/\2", text)
    text = _POWER_OF_TEN.sub(r"\g<1>1*10^", _FRACTION.sub(r" \1\2/\3\4 ", text).strip()).replace("  ", " ")
    text = _SEPARATED.sub(_joined, _MINUS.sub("-", text, count=1))
    if _MONEY.match(text) or ",0" in text:
        text = _INDIAN.sub(lambda match: match[0].replace(",", ""), text)
    match = _NUMBER.fullmatch(text)
    if not match or (match["sign"] and match["late"]):
        return None
    top, under = (Fraction(match[name].replace(",", "") if match[name] else 1) for name in ("top", "under"))
    if not under or (match["whole"] and not 0 <= top < under):
        return None
    value = (int(match["whole"] or 0) + top / under) * Fraction(10) ** int(match["power"] or 0)
    unit, scale = read_unit(match["suffix"], money=bool(match["money"]))
    if unit is not None and match["money"]:
        unit = currency(match["money"], unit)
    number = Number((-value if "-" in (match["sign"], match["late"]) else value) * scale, unit or "")
    if unit and has_point_groups(unit) and re.fullmatch(r"\d{1,3}\.\d{3}", match["top"]):
        return None
    return None if unit is None or (unit.startswith("base ") and converted(number) is None) else number


def _remarked(number: Number | None, space: str, remark: str) -> Number | None:
    """A number before words in parentheses, which may name its unit or spell the number."""
    if number is None or number.value == spelled(remark):
        return number
    unit, scale = read_unit(space + remark)
    if not unit or scale != 1:
        return None
    return number._replace(unit=unit) if not number.unit and (unit == "%" or measure(unit)) else number


def _joined(match: re.Match[str]) -> str:
    """A number without separators of thousands; a comma after such a separator is a decimal comma."""
    whole, separator, comma, point = match.groups()
    if separator == "." and (point or not (comma or whole.count(".") > 1)):
        return match[0]
    return whole.replace(separator, "") + (f".{comma}" if comma else point or "")


def _parts(text: str) -> ColonNumbers | None:
    match = _PARTS.fullmatch(text) if len(text) <= LONGEST_NUMBER else None
    if not match or not (":" in text or match[2]):
        return None
    values = tuple(Fraction(one) for one in match[1].split(":"))
    if match[2]:
        values += (Fraction(0),) * (len(values) == 1)
        if "." in match[1] or not (1 <= values[0] <= 12 and max(values[1:]) < 60):
            return None
    return ColonNumbers(values, (match[2] or "").lower())


def _named(text: str) -> tuple[str, str]:
    """A name in lower case, or "", and the text of its value. Calculations before the last equals sign are left out."""
    name, match = "", _NAME.match(text)
    while match and not (match[1] and _OPERATION.search(match[1])):
        name = name or "".join((match[1] or "").split()).casefold()
        text = text[match.end() :]
        match = _NAME.match(text)
    return name, text


def _several(text: str) -> Exact | None:
    """A number with a name or in brackets, or several numbers."""
    name, text = _named(text)
    if number := _number(text):
        return Named((name,), (number,)) if name else number
    if both := _PLUS_MINUS.fullmatch(text):
        return _plus_minus(both[1], both[2])
    if limits := _limits(text):
        return limits
    match = _BRACKETS.fullmatch(text)
    brackets, inner = (match[1][-1] + match[3][-1], match[2].strip()) if match else ("", text)
    if (("{" in brackets or "}" in brackets) and brackets != "{}") or _MIXED.fullmatch(inner):
        return None
    parts = _COMMA.split(inner)
    if len(parts) == 1 and "," in inner:
        parts = inner.split(",")
        if any(re.fullmatch(r"0\d\d", part) for part in parts[1:]):
            parts = [inner]
        elif not match:
            brackets = ","
    pairs = [_named(part.strip()) for part in parts]
    names = (name or pairs[0][0], *(later for later, _ in pairs[1:]))
    if any(names[1:]) and not all(names):
        return None
    values = [value for _, value in pairs]
    if all(names) and len(set(names)) == len(values) > 1:
        numbers = tuple(one for one in map(_number, values) if one)
        return Named(names, numbers) if len(numbers) == len(values) and brackets in ("", ",", "()") else None
    return _list(brackets, values)


def _limits(text: str) -> Number | Numbers | None:
    """The ends of a range; None for a calculation with fractions or powers."""
    start, *end = _BETWEEN.split(text, maxsplit=1)
    if not start or not end or end[1][:1] in ("", "-", "+") or re.search(r"[/^\\]", text):
        return None
    return _list(end[0] or "-", [start, end[1]])


def _plus_minus(middle: str, distance: str) -> Exact | None:
    one, other = _number(middle or "0"), _number(distance)
    if not one or not other or one.unit not in ("", other.unit):
        return None
    return Numbers("", (one.value + other.value, one.value - other.value), other.unit)


def _list(brackets: str, parts: list[str]) -> Number | Numbers | None:
    numbers = [one for one in map(_number, (part.strip() for part in parts)) if one]
    units = {one.unit for one in numbers if one.unit}
    if len(numbers) < len(parts) or len(units) > 1:
        return None
    if len(numbers) == 1:
        return numbers[0] if brackets in ("()", "{}", "[]") else None
    return Numbers(brackets, tuple(one.value for one in numbers), *units)


def converted(number: Number) -> int | None:
    """The value of digits in their base; None if they are not digits of that base."""
    base = int(number.unit.removeprefix("base ")) if number.unit.startswith("base ") else 10 if not number.unit else 0
    digits = str(number.value).lstrip("-")
    if not 2 <= base <= 36 or not digits.isdigit() or int(max(digits)) >= base:
        return None
    return int(str(number.value), base)


def latex(answer: str) -> str:
    """An answer for math-verify: decimals become fractions, so that nothing is rounded, and separators of thousands go."""
    exact = read(answer)
    if isinstance(exact, Number):
        return _latex(exact.value) + (r"\%" if exact.unit == "%" else "")
    if isinstance(exact, Numbers) and exact.brackets not in ("-", "to"):
        start, end = (_LATEX_BRACKETS.get(b, b) for b in exact.brackets.strip(",") or ("", ""))
        return start + ", ".join(map(_latex, exact.values)) + end
    text = _in_order(plain(answer).replace("$", ""))
    if ", " in text or not re.search(r"[(\[{]", text):
        text = _THOUSANDS.sub(lambda match: match[0].replace(",", ""), text)
    text = _E_NOTATION.sub(r"\1 \\cdot 10^{\2}", text)
    return _DECIMAL.sub(lambda match: f"{{{_latex(Fraction(match[0]))}}}", text)


def _in_order(text: str) -> str:
    """The values of several names as a tuple in the order of the names; math-verify would read them as a set."""
    pairs = sorted(_named(part.strip()) for part in _COMMA.split(text))
    names = {name for name, _ in pairs}
    return f"({', '.join(value for _, value in pairs)})" if len(names) == len(pairs) > 1 and "" not in names else text


def _latex(value: Fraction) -> str:
    sign, top = "-" * (value < 0), abs(value.numerator)
    return f"{sign}{top}" if value.denominator == 1 else rf"{sign}\frac{{{top}}}{{{value.denominator}}}"
