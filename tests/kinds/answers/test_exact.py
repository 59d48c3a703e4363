"""Numbers are read as written, only if a text has one meaning, and even hostile text is read quickly."""

import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest

from reversegen.kinds.answers.exact import LONGEST_NUMBER, Number, Numbers, latex, read
from reversegen.kinds.answers.plain import plain, words
from reversegen.kinds.answers.same import same

SCRIPTS = Path(__file__).parents[3] / "scripts"


@pytest.mark.parametrize(
    ("answer", "value", "unit"),
    [
        ("42", 42, ""),
        (" -42. ", -42, ""),
        ("+42", 42, ""),
        ("**42**", 42, ""),
        ("1,234,567.25", Fraction(4938269, 4), ""),
        ("$1,234.50", Fraction(2469, 2), "dollar"),
        ("-$5", -5, "dollar"),
        ("$-5", -5, "dollar"),
        ("$ 5 $", 5, ""),
        ("$3/4$", Fraction(3, 4), ""),
        ("\u20ac5", 5, "euro"),
        ("-6 / 8", Fraction(-3, 4), ""),
        ("\u22125", -5, ""),
        ("9" * LONGEST_NUMBER, 10**LONGEST_NUMBER - 1, ""),
        (r"\boxed{\text{5}}", 5, ""),
        (r"-2\frac{1}{3}", Fraction(-7, 3), ""),
        ("1 234.5", Fraction(2469, 2), ""),
        ("1 100/200", Fraction(3, 2), ""),
        ("-10^{-2}", Fraction(-1, 100), ""),
        ("5 hundred thousand", 500_000, ""),
        ("2 dozen eggs", 24, "eggs"),
        ("$5 dollars", 5, "dollar"),
        ("$5 per hour", 5, "dollar per hour"),
        ("12cm", 12, "cm"),
        ("60 km/h", 60, "km/h"),
        ("12 square feet", 12, "square feet"),
        ("25% of the cake", 25, "%"),
        ("(7)", 7, ""),
    ],
)
def test_a_number(answer: str, value: Fraction | int, unit: str) -> None:
    assert read(answer) == Number(Fraction(value), unit)


@pytest.mark.parametrize(
    ("answer", "brackets", "values"),
    [
        ("(1,2)", "()", (1, 2)),
        (r"\left[0, \frac12\right)", "[)", (0, Fraction(1, 2))),
        (r"\{3; 4\}", "{}", (3, 4)),
        ("1, 2, and 3", "", (1, 2, 3)),
        ("1 or 2", "", (1, 2)),
        ("3,14", ",", (3, 14)),
        ("12,3456", ",", (12, 3456)),
        ("(1,000, 2,000)", "()", (1000, 2000)),
        ("[100,200]", "[]", (100, 200)),
    ],
)
def test_several_numbers(answer: str, brackets: str, values: tuple[Fraction | int, ...]) -> None:
    assert read(answer) == Numbers(brackets, tuple(map(Fraction, values)))


@pytest.mark.parametrize(
    "answer",
    [
        "", ".", "$", "--5", "-$-5", "1/0", "1/2/3", "9**9**9", "2^10", "10^10^10", "1e1000", "1e9999999", "0x10", "1_00",
        "1.2.3", "5x", "5 x", "5m", "5!", "5 pi", "5 squared", "3 and a half", "2 3/2", r"2\frac{3}{2}", "1012_2",
        "3:x", "above 5", "x + 5", "three", "(1, 2", "{1, 2)", "(1, (2, 3))", "(1,,2)", "()", "[]", "(1, x)", r"\frac{1}{x}",
        r"\frac123", "\ud800", "nan", "inf", "9" * (LONGEST_NUMBER + 1),
        "15k", "5 M", "5 kr", "5 and 1/2", "18 y medio", "5 \u4e07\u4e8c", "18\u4ee5\u4e0a",
    ],
)  # fmt: skip
def test_other_texts_are_not_numbers(answer: str) -> None:
    assert read(answer) is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("60 km/h", "60 km per hour"),
        ("5 m/s", "18 km/h"),
        ("60 mph", "60 miles per hour"),
        ("1 square foot", r"144\text{ inches}^2"),
        ("1 gallon", "3.785411784 liters"),
        ("2 years", "24 months"),
        ("$12 per hour", "12 dollars/hour"),
    ],
)
def test_units_are_converted(answer: str, expected: str) -> None:
    given, other = read(answer), read(expected)
    assert given
    assert other
    assert same(given, other) is True
    assert same(given, other._replace(value=other.value + 1)) is False  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("1,234.50 apples", r"\frac{2469}{2}"),
        ("-25%", r"-25\%"),
        (r"\{1, 0.5\}", r"\{1, \frac{1}{2}\}"),
        (r"0.5\pi", r"{\frac{1}{2}}\pi"),
        ("x = 1,200", "x = 1200"),
        (r"(1,000, \pi)", r"(1000, \pi)"),
        ("1.5e3x", r"{\frac{3}{2}}e3x"),
        ("1.5e3 + x", r"{\frac{3}{2}} \cdot 10^{3} + x"),
        ("\u221a(2x)", r"\sqrt{2x}"),
        ("x\u00b2 \u2264 4", r"x^2 \le 4"),
        ("$x$ and $y$", "x and y"),
    ],
)
def test_math_verify_gets_fractions_and_latex(answer: str, expected: str) -> None:
    assert " ".join(latex(answer).split()) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Not enough information.", "not enough information"),
        (r"\text{North}", "north"),
        ("42, or 43 if Tom helps", "42, or 43 if tom helps"),
        (r"5\sqrt{2}\text{ meters}", None),
        ("2abc", None),
        (r"\begin{pmatrix} 1 \end{pmatrix}", None),
        ("x", None),
        ("sin(x)", None),
    ],
)
def test_prose(answer: str, expected: str | None) -> None:
    assert words(answer) == expected


@pytest.mark.parametrize(
    "unit",
    [
        "1",
        "1 ",
        ",111",
        "1,",
        "{",
        r"\text{",
        r"\frac{1}",
        "(",
        " and ",
        "a ",
        "%",
        "^",
        "\\",
        "$",
        "sqrt(",
        "1e1 ",
        ".",
    ],
)
def test_hostile_text_is_read_at_once(unit: str) -> None:
    text = unit * (1000 // len(unit))
    started = time.process_time()
    for form in (text, f"({text})", f"5 {text}", text + "!", r"\text{" * 100 + text + "}" * 100):
        read(form), words(form), latex(form), plain(form)
    assert time.process_time() - started < 0.5  # measured under 0.03


def test_nothing_heavy_is_imported() -> None:
    heavy = "{'sympy', 'math_verify', 'numpy', 'torch'}"
    code = f"import sys, reversegen.kinds.answers.equivalence; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
