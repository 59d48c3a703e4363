"""Forms in which models write final answers. For each, a second spelling and a different answer were written by hand."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from unicodedata import normalize

import pytest

from reversegen.kinds.answers.equivalence import LONGEST_ANSWER, Checker
from reversegen.kinds.answers.exact import latex, read
from reversegen.kinds.answers.plain import is_answer, is_doubtful, words

CASES = Path(__file__).parents[2] / "cases"

FORMS: dict[str, list[tuple[str, str, str]]] = {
    "what stands around an answer": [
        ("= 18", "18", "17"),
        ("**18** pens", "18", "8"),
        ("$18$ dollars", "$18", "\u20ac18"),
        (r"$\$18.50$", "18.5", "1850"),
        ("\u2248 18", "18", "17.6"),
        (r"\approx 18", "18", "81"),
        ("approximately 18 cm", "18", "19"),
        ("18,", "18", "1.8"),
        ("18;", "18", "19"),
        ("18\u3002", "18", "8"),
        ('"18"', "18", "17"),
        ("\u201c18\u201d", "18", "17"),
        ("\u00ab18\u00bb.", "18", "17"),
        ("\u300c18\u300d", "18", "17"),
        ("[18]", "18", "81"),
        ("<18>", "18", "17"),
        ("{18}", "18", "8"),
        ("\uff0818\uff09", "18", "8"),
        (r"$\Rightarrow 18$", "18", "1"),
        ("18 (eighteen)", "18", "8"),
        ("18 (cm)", "18 cm", "18 kg"),
        ("20 (twenty)", "20", "12"),
        ("2,345 (two thousand three hundred and forty-five)", "2345", "2"),
        (r"\text{(B)}", "B", "C"),
        ("(B)", "B", "D"),
        ('"C"', "C", "B"),
        (r"= 2\sqrt{2}", r"\sqrt{8}", r"\sqrt{2}"),
        (r"\text{no solution}", "No solution.", "18"),
        ("\u5317\u4eac", "\u5317\u4eac\u3002", "\u4e0a\u6d77"),
    ],
    "digits and signs": [
        ("\u20133", "-3", "3"),
        ("\uff0d3", "-3", "3"),
        ("\u20113", "-3", "3"),
        ("\u2212\u00bd", "-0.5", "0.5"),
        ("minus 5", "-5", "5"),
        ("negative 5", "-5", "5"),
        ("\uff11\uff18", "18", "8"),
        ("\u0661\u0668", "18", "81"),
        ("\u096f\u0967\u096f", "919", "191"),
        ("\u0e51\u0e58", "18", "81"),
        ("\u0663\u066b\u0665", "3.5", "35"),
        ("\u0661\u066c\u0662\u0663\u0664", "1234", "1.234"),
        ("\U0001d7cf\U0001d7d6", "18", "81"),
        ("10<sup>3</sup>", "1000", "103"),
        ("10\u00b3", "1000", "103"),
        ("6.02 \u00d7 10\u00b2\u00b3", r"6.02 \cdot 10^{23}", "6.02e22"),
        ("2 \u00d7 10\u207b\u00b3", "0.002", "2000"),
        ("1\u215b", "9/8", "1/8"),
    ],
    "separators": [
        ("$1,000.00", "1000", "\u20ac1,000"),
        ("1'000", "1000", "1"),
        ("1\u2019234\u2019567.5", "1234567.5", "1234567"),
        ("1_000", "1000", "1"),
        ("12\u2009500", "12500", "500"),
        ("12\u202f500,75", "12500.75", "1250075"),
        (r"12\,500", "12500", "12.5"),
        (r"1\_000", "1000", "1"),
        ("1.234,50 \u20ac", "1234.5", "123450"),
        ("1.234.567", "1234567", "1.234567"),
        ("1.234.567,89", "1234567.89", "123456789"),
        ("\u20b912,34,567", "1234567", "12"),
        ("1,00,000", "100000", "1"),
        ("1.234", "1.234", "1234"),
    ],
    "currencies": [
        ("\u20b9500", "500 rupees", "$500"),
        ("Rs. 500", "\u20b9500", "5"),
        ("Rs. 500/-", "500", "5"),
        ("USD 500", "$500", "500 EUR"),
        ("500 USD", "US$500", "\u00a3500"),
        ("\u00a5500", "500 yen", "\u00a3500"),
        ("18\u5143", "18 yuan", "18 dollars"),
        ("18\u5186", "JPY 18", "18 USD"),
        ("50\u00a2", "$0.50", "$50"),
        (r"\$12.50", "12.5", "1250"),
        ("$5", "5 dollars", "\u20ac5"),
        ("A$5", "AUD 5", "\u20ac5"),
        ("5 \u20bd", "RUB 5", "5 \u20ac"),
        ("CHF 5", "5 CHF", "6 CHF"),
        ("$15k", "15000", "15"),
        ("\u20ac2.5bn", "2500000000", "2.5"),
        ("$5 each", "5", "6"),
        ("$18/hour", "18 dollars per hour", "18 euros per hour"),
        ("18 \u20ac/h", "\u20ac18 per hour", "$18 per hour"),
    ],
    "units and what is counted": [
        ("18\u652f", "18", "180"),
        ("18 \u0448\u0442.", "18", "19"),
        ("18 \u0440\u0443\u0447\u0435\u043a", "18", "81"),
        ("18 Stifte", "18", "8"),
        ("18 \u00e9l\u00e8ves", "18", "8"),
        ("18 \u092a\u0947\u0928", "18", "8"),
        ("18\uac1c", "18", "8"),
        ("18 pens", "18 pens", "19 pens"),
        (r"25 \text{ percent}", "25%", "0.0025"),
        ("25 Prozent", "25", "2500"),
        ("\u0662\u0665\u066a", "0.25", "2500"),
        ("1.5 million", "1500000", "1.5"),
        ("1.5 \u043c\u043b\u043d", "1500000", "1.5"),
        ("1.5\u4e07", "15000", "1.5"),
        ("3 Millionen Euro", "\u20ac3,000,000", "3"),
        ("3 Mio.", "3000000", "3"),
        ("2 lakh", "200000", "2"),
        ("60 miles per hour", "60 mph", "60 km/h"),
        ("60 miles an hour", "60 mph", "60 miles"),
        (r"5 \text{ m s}^{-1}", "5 m/s", "5 m"),
        ("9.8 m/s\u00b2", r"9.8\,\text{m s}^{-2}", "9.8 m/s"),
        ("45\u00b0", r"45^\circ", "45 radians"),
        (r"45\degree", "45 degrees", "54"),
        ("20\u00b0C", "20 degrees Celsius", "20 \u00b0F"),
        ("20\u2103", "68\u00b0F", "68 \u2103"),
        ("20\u00b0C", "20\u00b0", "21\u00b0"),
        ("20 m\u00b2", "20", "20 m"),
        ("20 m2", "20 square meters", "20 m\u00b3"),
        ("20 sq. cm", "20 cm^2", "20 cm"),
        ("1 m\u00b3", "1000 liters", "1 liter"),
        ("1 1/2 hours", "90 minutes", "1.5 minutes"),
        ("1\u00bd hours", "1.5", "11.5"),
    ],
    "several answers": [
        ("3, -3", "-3, 3", "3"),
        (r"3 \text{ or } -3", "-3, 3", "3"),
        ("3 and -3", r"\{-3, 3\}", "-3"),
        ("3 oder -3", "3, -3", "3, 3"),
        ("3\u3001-3", "-3, 3", "-3"),
        (r"\pm 3", "-3, 3", "3"),
        ("\u00b13", "3, -3", "-3"),
        (r"x = 1 \pm 2", "3, -1", "3"),
        (r"x = \pm\sqrt{2}", r"\sqrt{2}, -\sqrt{2}", r"\sqrt{2}"),
        ("3 cm and 4 cm", "4 cm, 3 cm", "3 m, 4 m"),
        ("$3 and $4", "3, 4", "3 euros, 4 euros"),
        (r"x \in \{1, 2\}", "1, 2", "(1, 2, 3)"),
        ("x \u2208 {1, 2}", "2, 1", "1, 3"),
        ("(3 cm, 4 cm)", "(3, 4)", "(4, 3)"),
    ],
    "names": [
        ("N = 18", "18", "-18"),
        (r"\text{x} = 5", "5", "-5"),
        ("x = 5", "x = 5", "y = 5"),
        ("Total cost = $18", "18 dollars", "81"),
        ("x = y = 5", "5", "6"),
        ("x=1,y=2", "(1,2)", "(2,1)"),
        (r"x=5 \quad y=3", "(5, 3)", "(3, 5)"),
        ("$x=5$ and $y=3$", "5, 3", "5, 4"),
        (r"\angle ABC = 60^\circ", "60", "6"),
        ("f(2) = 7", "7", "2"),
        ("2 * 9 = 18 pens", "18", "29"),
        ("x = 5, y = 3", "(5, 3)", "(3, 5)"),
        ("x = 5, y = 3", "y = 3, x = 5", "x = 3, y = 5"),
        ("x = 5 and y = 3", "5, 3", "5, 4"),
        ("(x, y) = (5, 3)", "(5, 3)", "(3, 5)"),
        ("x_1 = 3, x_2 = -3", "-3, 3", "3, 4"),
        (r"x = \sqrt{2}, y = 3", r"(\sqrt{2}, 3)", r"(3, \sqrt{2})"),
    ],
    "times, ratios and ranges": [
        ("3:30 PM", "3:30", "3:30 AM"),
        ("3:30 p.m.", "15:30", "3:30 AM"),
        ("3:30 PM", "03:30 pm", "3:20 PM"),
        ("12:15 a.m.", "0:15", "12:15 PM"),
        ("3 PM", "3:00 pm", "3 AM"),
        ("3:2", "3 : 2", "2:3"),
        (r"\text{3 to 2}", "3:2", "2:3"),
        ("1:2:3", "1:2:3", "1:3:2"),
        ("10-12", "10\u201312", "10-13"),
        ("10-12", "10 to 12", "12-10"),
        ("10\uff5e12", "10-12", "10-11"),
        ("10-12", "10 - 12", "9-11"),
        ("$10-$12", "10-12 dollars", "10-12 euros"),
        ("1011_2", "1011", "1010"),
        ("1011_2", "1011_{2}", "1011_3"),
        ("(1011)_2", "1011_2", "(1011)_3"),
        ("1011\u2082", "1011 base 2", "1011_8"),
        (r"413_{\text{five}}", "413_5", "413_6"),
        ("1011_2", "11_{10}", "12_{10}"),
    ],
}
"""By form: an answer, another spelling of it, and a different answer."""

UNDECIDED = [
    ("18!", "18"),
    ("15k", "15000"),
    ("15k", "15"),
    ("18 kr", "18"),
    ("XYZ 500", "500"),
    ("20 C", "20"),
    ("eighteen", "18"),
    ("\u5341\u516b", "18"),
    ("\u5341\u516b", "\u4e00\u5341\u516b"),
    ("3,14", "3.14"),
    ("12,34,567", "1234567"),
    ("10-12", "-2"),
    ("3:2", r"\frac{3}{2}"),
    ("3:2", "6:4"),
    ("3:30", "15:30"),
    ("18 or more", "18"),
    ("18\u4ee5\u4e0a", "18"),
    ("18 y medio", "18.5"),
    ("18 y medio", "18"),
    ("5 mil", "5"),
    ("18 (or 19)", "18"),
    ("18 (twelve)", "18"),
    ("18\uff08\u5341\u516b\uff09", "18"),
    ("18 (thousand)", "18"),
    ("5 and 1/2", "5.5"),
    ("(B) 12", "12"),
    ("(B) 12", "B"),
    ("1011_2", "11"),
    ("18 \u2665", "18"),
    ("x = 3, y = 5", r"\{3, 5\}"),
    ("b = 5, a = 3", "(3, 5)"),
    ("\u2014 18", "18"),
    ("5 points", "5 pens"),
    ("0.123,45", "123.45"),
    (r"18 \text{ feet } 6 \text{ inches}", "18"),
    ("18-ish", "18"),
    ("5 M", "5000000"),
    ("2020-01-05", "2014"),
    ("R500", "500"),
    ("18 [cm]", "18"),
    ("3-1/2", "3.5"),
    ("3 & 1/2", "3.5"),
    ("15h30", "15:30"),
    ("3.30 pm", "3:30 PM"),
    ("0x1F", "31"),
    ("x: 5, y: 3", "(5, 3)"),
    ("x = 5", "y = 5"),
]
"""Answers with more than one meaning, or without a known meaning."""

NO_ANSWERS = [
    "", " ", "?", "...", "\u2026", r"\ldots", "-", "$$", r"\boxed{}", r"\text{ }", "[]", "()", r"\square", "___", "x =", "=",
    r"\frac{}{}", "**", "N/A", "[your answer here]", "<answer>", "I don't know.", "\u3002", "\u00b0",
]  # fmt: skip


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    with Checker(timeout=10) as checker:
        yield checker


@pytest.mark.parametrize(("text", "right", "wrong"), [form for forms in FORMS.values() for form in forms])
def test_a_form(checker: Checker, text: str, right: str, wrong: str) -> None:
    assert checker.equal(text, right) is True
    assert checker.equal(right, text) is True
    assert checker.equal(text, text) is True
    assert checker.equal(text, wrong) is not True
    assert checker.equal(wrong, text) is not True


@pytest.mark.parametrize(("answer", "reference"), UNDECIDED)
def test_an_answer_that_is_not_understood_is_undecidable(checker: Checker, answer: str, reference: str) -> None:
    assert checker.equal(answer, reference) is None
    assert checker.equal(reference, answer) is None


@pytest.mark.parametrize("text", NO_ANSWERS)
def test_a_text_without_an_answer_equals_nothing(checker: Checker, text: str) -> None:
    assert checker.equal(text, text) is None
    assert checker.equal(text, "18") is not True
    assert checker.equal("18", text) is not True


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ("$5", "\u20ac5"), ("\u00a5500", "\u00a3500"), ("600 yen", "\u00a5500"), ("x = 5", "y = 6"), ("20\u00b0C", "20\u00b0F"),
        ("3:30 PM", "3:30 AM"), ("18 cm", "18 kg"), ("x = 5, y = 3", "(3, 5)"),
    ],
)  # fmt: skip
def test_a_different_answer_is_decided(checker: Checker, answer: str, wrong: str) -> None:
    assert checker.equal(answer, wrong) is False


def test_each_passing_response_has_a_wrong_answer_beside_it() -> None:
    right, wrong = (
        [json.loads(line) for line in (CASES / f"{name}.jsonl").read_text().splitlines()]
        for name in ("math_answers", "math_wrong_answers")
    )
    passing = [(row["what"], row["response"]) for row in right if row["expected"] == "passed"]
    assert [(row["what"], row["response"]) for row in wrong] == passing
    assert len(passing) == 80


@pytest.mark.parametrize(
    "unit",
    [
        "1 ", "1'000", "1.000", "1_", "a ", "a = ", "(a) ", "1 - ", " to ", '"', "<", "\u00ab", ": 1", "1:", "\\pm ", "1 and ",
        "\u00b9", "<sup>1", "\u652f", "1 (a", "= ", "approx. ", "\u00bd", "\\text{", "5 million ", ",00", "**", "**1", "$a",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("length", "seconds"), [(LONGEST_ANSWER, 0.5), pytest.param(10_000, 2.5, marks=pytest.mark.slow)]
)
def test_hostile_text_takes_linear_time(unit: str, length: int, seconds: float) -> None:
    text = unit * (length // len(normalize("NFKC", unit)))
    started = time.process_time()
    for form in (text, f"x = {text}", f"5 {text}", f"({text})", f"{text}!"):
        read(form), words(form), latex(form), is_answer(form), is_doubtful(form, "5")
    assert time.process_time() - started < seconds
