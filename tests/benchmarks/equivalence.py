"""Rate, agreement, growth and safety of answer equivalence, beside math-verify alone.

A pair is a real final answer of GSM8K and a seeded other form of it, or another value. Nine in ten are numbers, one in ten is
LaTeX. The construction of a pair decides whether it is equal, and so which checker is wrong if the two differ. Inspected by
hand, math-verify 0.9.0 fails on these forms: it reads `12 crates` and the `e` of `1.2e3` as products of letters, multiplies
`1 200`, and takes a percentage with decimals for no number. Differences are printed with their counts.
"""

import contextlib
import itertools
import json
import logging
import math
import os
import random
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import psutil
from tests.benchmarks.timing import value_row

from reversegen.kinds.answers.equivalence import Checker
from reversegen.kinds.answers.final import final_answer

REPOSITORY = Path(__file__).parents[2]
ROUNDS = 3
SIZES = (10_000, 50_000, 200_000)

NUMBERS: dict[str, Callable[[Fraction], str | None]] = {
    "as it is": lambda n: f"{n}" if n.denominator == 1 else f"{float(n)}",
    "thousands": lambda n: f"{int(n):,}" if n.denominator == 1 else None,
    "two decimals": lambda n: f"{float(n):.2f}" if (100 * n).denominator == 1 else None,
    "dollars": lambda n: f"${float(n):,.2f}" if (100 * n).denominator == 1 and n >= 0 else None,
    "fraction": lambda n: f"{3 * n.numerator}/{3 * n.denominator}",
    "full stop": lambda n: f"{n}." if n.denominator == 1 else None,
}
FORMULAS: dict[str, Callable[[Fraction], str | None]] = {
    "LaTeX fraction": lambda n: rf"\frac{{{2 * n.numerator}}}{{{2 * n.denominator}}}",
    "unit": lambda n: rf"{n}\text{{ cm}}" if n.denominator == 1 else None,
    "counted": lambda n: f"{n} crates" if n.denominator == 1 else None,
    "per cent": lambda n: f"{float(n)}%",
    "scientific": lambda n: f"{float(n):.9e}" if float(f"{float(n):.9e}") == n else None,
    "thousands by space": lambda n: f"{int(n):,}".replace(",", " ") if n.denominator == 1 and n >= 1000 else None,
    "root": lambda n: rf"\sqrt{{{n * n}}}" if n.denominator == 1 and n >= 0 else None,
    "equation": lambda n: f"x = {n}",
    "sum": lambda n: f"{n} + 0" if n.denominator == 1 else None,
    "product": lambda n: rf"\frac{{{n.numerator}}}{{{n.denominator}}} \cdot 1^2",
    "pi": lambda n: rf"\frac{{{n}\pi}}{{\pi}}" if n.denominator == 1 else None,
}

HOSTILE = {
    "tower of powers": "9^{9^{9}}",
    "Python's tower": "9**9**9",
    "tower of five": "10^{10^{10^{10^{10}}}}",
    "factorial": "10^{8}!",
    "factorial of a factorial": "((9!)!)!",
    "huge power of two": "2^{10^{9}}",
    "tiny power": "10^{-400000000}",
    "power of a sum": "(x+1)^{50000}",
    "binomial": r"\binom{10^9}{10^8}",
    "integral": r"\int_0^1 \sin(x^x) dx",
    "product": r"\prod_{n=1}^{1000000} (x+n)",
    "sum": r"\sum_{n=1}^{10^9} \sin(n)",
    "nested fractions": r"\frac{" * 90 + "1" + "}{2}" * 90,
    "nested parentheses": "(" * 400 + "1" + ")" * 400,
    "brackets without end": r"\left[" * 150,
    "code": "__import__('os').system('touch executed')",
    "huge text": "9" * 10_000_000,
}


def measure() -> list[dict[str, Any]]:
    """All rows. REVERSEGEN_DATA names the folder of the real answers, as for the tests."""
    answers = _answers()
    pairs = _pairs(answers, 3000, 7)
    return [*_against_math_verify(pairs), *_growth(answers), *_hostile()]


def _answers() -> list[str]:
    if "REVERSEGEN_DATA" not in os.environ:
        sys.exit(
            "REVERSEGEN_DATA is not set; it names the folder with math/gsm8k_train.jsonl and math/gsm8k_test.jsonl"
        )
    folder = Path(os.environ["REVERSEGEN_DATA"]) / "math"
    if not folder.is_dir():
        sys.exit(f"{folder}: no such folder; REVERSEGEN_DATA names the one above, with GSM8K's files in math/")
    lines = [line for path in sorted(folder.glob("gsm8k_*.jsonl")) for line in path.read_text().splitlines()]
    return [str(final_answer(json.loads(line)["answer"]).value) for line in lines]


def _pairs(answers: list[str], count: int, seed: int) -> list[tuple[str, str, bool, str]]:
    """(answer, reference, whether they are equal, form) of each of `count` draws."""
    rng = random.Random(seed)
    pairs: list[tuple[str, str, bool, str]] = []
    while len(pairs) < count:
        reference = rng.choice(answers)
        value = Fraction(reference.replace(",", ""))
        stated = value if rng.random() < 0.5 else value + rng.choice([-10, -1, 1, 2, 100])
        form, write = rng.choice([*(NUMBERS if rng.random() < 0.9 else FORMULAS).items()])
        if (text := write(stated)) is not None:
            pairs.append((text, reference, stated == value, form))
    return pairs


def _against_math_verify(pairs: list[tuple[str, str, bool, str]]) -> list[dict[str, Any]]:
    logging.getLogger("math_verify").setLevel(logging.ERROR)
    from math_verify import parse, verify  # type: ignore[import-untyped]

    def theirs(answer: str, reference: str) -> bool:
        # a dollar sign within the text would end the formula
        gold, stated = (parse(f"${re.sub(r'[$]', '', text)}$") for text in (reference, answer))
        return bool(verify(gold, stated))

    verdicts: dict[str, list[bool | None]] = {}
    ratios = []
    with Checker() as checker:
        assert checker.equal(r"\sqrt{4}", "2"), "the worker's start is not part of its rate"
        theirs(r"\sqrt{4}", "2")
        for _ in range(ROUNDS):
            seconds = {}
            for name, equal in (("ours", checker.equal), ("theirs", theirs)):
                start = time.perf_counter()
                verdicts[name] = [equal(answer, reference) for answer, reference, *_ in pairs]
                seconds[name] = time.perf_counter() - start
            print({name: f"{len(pairs) / value:.0f} pairs/s" for name, value in seconds.items()})
            ratios.append(seconds["ours"] / seconds["theirs"])
    differences: Counter[tuple[str, str]] = Counter()
    ours_wrong = undecided = 0
    for (answer, reference, equal, form), ours, their in zip(pairs, verdicts["ours"], verdicts["theirs"], strict=True):
        undecided += ours is None
        if ours is not None and ours != their:
            differences[form, "theirs is wrong" if ours == equal else "ours is wrong"] += 1
        if ours is not None and ours != equal:
            ours_wrong += 1
            print("ours is wrong:", answer, reference)
    print({f"{form}: {who}": n for (form, who), n in differences.most_common()}, f"{undecided} undecided")
    size = f"{len(pairs)} pairs of GSM8K"
    return [
        value_row("equivalence, time", "math-verify alone", size, ratios, 0.2),
        value_row(
            "equivalence, differences that are not errors of theirs",
            "math-verify alone",
            size,
            [float(ours_wrong)],
            0.0,
        ),
        value_row("equivalence, undecided", "all pairs", size, [undecided / len(pairs)], 0.0),
    ]


def _growth(answers: list[str]) -> list[dict[str, Any]]:
    """The exponents of time between each size and the next; 1 is linear."""
    seconds = []
    with Checker() as checker:
        checker.equal(r"\sqrt{4}", "2")
        for size in SIZES:
            pairs = _pairs(answers, size, size)
            start = time.perf_counter()
            for answer, reference, *_ in pairs:
                checker.equal(answer, reference)
            seconds.append(time.perf_counter() - start)
    print(dict(zip(SIZES, (round(one, 2) for one in seconds), strict=True)), "seconds")
    exponents = [
        math.log(late / early) / math.log(large / small)
        for (small, early), (large, late) in itertools.pairwise(zip(SIZES, seconds, strict=True))
    ]
    return [value_row("equivalence, exponent of growth", "linear", "10k, 50k, 200k pairs", [max(exponents)], 1.2)]


def _hostile() -> list[dict[str, Any]]:
    """The longest time of a verdict, and the largest memory of the worker and its child (sum of proportional set sizes)."""
    peak, done = 0.0, threading.Event()

    def watch(worker: psutil.Process) -> None:
        nonlocal peak
        while not done.wait(0.1):
            total = 0.0
            with contextlib.suppress(psutil.NoSuchProcess):  # a process that a limit has just ended
                for one in [worker, *worker.children()]:
                    total += one.memory_full_info().pss / 1e6
            peak = max(peak, total)

    seconds: dict[str, list[float]] = {}
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, Checker() as checker:
        os.chdir(folder)
        assert checker.equal(r"\sqrt{4}", "2"), "the worker's start is measured separately"
        watcher = threading.Thread(target=watch, args=psutil.Process().children())
        watcher.start()
        for name, answer in HOSTILE.items():
            for stated, reference in ((answer, "7"), ("7", answer), (answer, answer + " ")):
                start = time.perf_counter()
                verdict = checker.equal(stated, reference)
                seconds.setdefault(name, []).append(time.perf_counter() - start)
                assert checker.equal(r"\sqrt{4}", "2") is not False, name
                assert checker.equal(r"\sqrt{4}", "3") is not True, name
                print(f"{name:26} {verdict!s:6} {seconds[name][-1]:.3f} s")
        done.set()
        watcher.join()
        executed = [*Path(folder).iterdir()]
        os.chdir(here)
    worst = [max(each) for each in seconds.values()]
    size = f"{len(HOSTILE)} kinds, each on both sides"
    return [
        {**value_row("equivalence, hostile answers, time", "1 second", size, worst, 1.0), "ratio": round(max(worst), 3),
         "holds": max(worst) <= 1.0},
        value_row("equivalence, hostile answers, memory", "300 MB", size, [peak / 300], 1.0),
        value_row("equivalence, hostile answers, files made", "0", size, [float(len(executed))], 0.0),
    ]  # fmt: skip
