"""Whether two answers that `exact` has read are equal: True, False, or None if that is undecidable.

`equivalence` states the policy.
"""

from __future__ import annotations

import re
from fractions import Fraction

from reversegen.kinds.answers.exact import ColonNumbers, Exact, Named, Number, Numbers, converted
from reversegen.kinds.answers.units import is_currency, measure, stems


def same(given: Exact, expected: Exact) -> bool | None:
    """Whether two results of `read` are equal; None if that is undecidable."""
    given, expected = sorted((given, expected), key=lambda one: (Number, Numbers, Named, ColonNumbers).index(type(one)))
    match given, expected:
        case Number(), Number():
            return _same_number(given, expected)
        case Number(), Numbers():
            return _is_member(given, expected)
        case Numbers(), Numbers():
            return _same_numbers(given, expected)
        case Named(), Named():
            return _same_names(given, expected)
        case ((Number() | Numbers()), Named()):
            return _same_values(given, expected)
        case _, ColonNumbers():
            return _same_parts(given, expected)
    raise AssertionError


def _is_member(given: Number, expected: Numbers) -> bool | None:
    if expected.brackets in ("-", "to"):  # it is a range or a difference
        start, end = expected.values
        return None if expected.brackets == "to" or given.value == start - end else False
    if expected.brackets == "," or expected.unit == "%":  # 0.125 or 12.5%
        return None
    if expected.brackets not in ("", "{}") or len(set(expected.values)) > 1:
        return False
    return _same_number(given, Number(expected.values[0], expected.unit))


def _same_numbers(given: Numbers, expected: Numbers) -> bool | None:
    one, other = given.values, expected.values
    if given.unit and expected.unit and given.unit != expected.unit:
        sizes = measure(given.unit), measure(expected.unit)
        if not sizes[0] or not sizes[1] or sizes[0].zero != sizes[1].zero:
            return None
        if sizes[0].kind != sizes[1].kind:
            return False
        one, other = (
            tuple(v * size.size for v in values) for values, size in zip((one, other), sizes, strict=True) if size
        )
    verdict = _same_order({given.brackets.strip(","), expected.brackets.strip(",")}, one, other)
    per_cent = "%" in (given.unit, expected.unit) and given.unit != expected.unit
    return None if per_cent and not verdict else verdict


def _same_order(kinds: set[str], given: tuple[Fraction, ...], expected: tuple[Fraction, ...]) -> bool | None:
    members = set(given) == set(expected)
    if kinds & {"-", "to"}:
        if not kinds <= {"-", "to"}:
            return None
        differences = given[0] - given[1] == expected[0] - expected[1]
        return given == expected or (None if differences and "to" not in kinds and given[0] > given[1] else False)
    if kinds <= {"", "{}"}:
        return members
    if "{}" in kinds:
        return None if members else False
    return given == expected and (len(kinds) == 1 or "" in kinds)


def _same_names(given: Named, expected: Named) -> bool | None:
    values = dict(zip(expected.names, expected.numbers, strict=True))
    if set(given.names) == set(values):
        verdicts = {_same_number(number, values[name]) for name, number in zip(given.names, given.numbers, strict=True)}
        verdict = False if False in verdicts else None if None in verdicts else True
        # x_1 and x_2 may be the roots of one equation, in any order
        return (
            None
            if verdict is False and len(values) > 1 and _one_letter(given) and _as_list(given, expected)
            else verdict
        )
    return False if _as_list(given, expected) is False else None


def _same_values(given: Number | Numbers, expected: Named) -> bool | None:
    if len(expected.names) == 1:
        return same(given, expected.numbers[0])
    listed = _listed(expected)
    if isinstance(given, Number) or not listed:
        return False if listed else None
    in_order = _same_numbers(given._replace(brackets="()"), listed._replace(brackets="()"))
    members = _same_numbers(given._replace(brackets=""), listed)
    if in_order is None or not members or given.brackets in ("-", "to"):
        return members and None
    if given.brackets in ("", ",", "{}"):
        return True if _one_letter(expected) or (in_order and given.brackets != "{}") else None
    return True if in_order else False if list(expected.names) == sorted(expected.names) else None


def _listed(named: Named) -> Numbers | None:
    units = {number.unit for number in named.numbers if number.unit}
    return None if len(units) > 1 else Numbers("", tuple(number.value for number in named.numbers), *units)


def _as_list(given: Named, expected: Named) -> bool | None:
    one, other = _listed(given), _listed(expected)
    return None if not one or not other else _same_numbers(one, other)


def _one_letter(named: Named) -> bool:
    """Whether names differ only in their numbers, as x_1 and x_2 do."""
    return len({re.sub(r"[\d_{}]", "", name) for name in named.names}) == 1


def _same_parts(given: Exact, expected: ColonNumbers) -> bool | None:
    if isinstance(given, Numbers) and given.brackets == "to" and not given.unit:
        given = ColonNumbers(given.values, "")
    if isinstance(given, Number) and expected.half and not given.unit:
        hour = given.value == expected.values[0]
        return hour and (None if any(expected.values[1:]) else True)
    if not isinstance(given, ColonNumbers) or len(given.values) != len(expected.values):
        return None
    if given.half and expected.half:
        return given == expected
    if given.values == expected.values:
        return True
    if given.half or expected.half:
        return _of_24_hours(given) == _of_24_hours(expected)
    scaled = [
        tuple(value / one.values[0] for value in one.values) if one.values[0] else () for one in (given, expected)
    ]
    half_a_day = given.values[1:] == expected.values[1:] and abs(given.values[0] - expected.values[0]) == 12
    return None if half_a_day or scaled[0] == scaled[1] else False


def _of_24_hours(time: ColonNumbers) -> tuple[Fraction, ...]:
    hour = time.values[0] % 12 + (12 if time.half == "p" else 0) if time.half else time.values[0]
    return (hour, *time.values[1:])


def _same_number(given: Number, expected: Number) -> bool | None:
    if "base " in given.unit[:5] + expected.unit[:5]:
        return _same_digits(given, expected)
    if not (given.unit and expected.unit):
        factors = [100 if number.unit == "%" else 1 for number in (given, expected)]
        return given.value == expected.value or given.value * factors[1] == expected.value * factors[0]
    if given.unit == expected.unit:
        return given.value == expected.value
    if is_currency(given.unit) and is_currency(expected.unit):  # several currencies may share a sign
        return given.value == expected.value and bool(stems(given.unit) & stems(expected.unit))
    one, other = measure(given.unit), measure(expected.unit)
    if one and other:
        if {one.kind, other.kind} == {"angle", "temperature"}:  # 20 degrees may be 20 degrees Celsius
            return True if given.value == expected.value else None
        return (
            one.kind == other.kind and (given.value + one.zero) * one.size == (expected.value + other.zero) * other.size
        )
    if one or other or given.value == expected.value:
        alike = given.value == expected.value and stems(given.unit) & stems(expected.unit)
        return True if alike else None
    return False


def _same_digits(given: Number, expected: Number) -> bool | None:
    """Whether two numbers are equal if one or both name their base."""
    if given.unit and expected.unit:
        one, other = converted(given), converted(expected)
        return None if one is None or other is None else one == other
    return given.value == expected.value or (None if converted(given) == converted(expected) else False)
