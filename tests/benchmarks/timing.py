"""Interleaved runs of two sides, so that other work on the machine affects both, and the rows of their results."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any


def seconds(run: Callable[[], Any]) -> float:
    """Wall time of one run."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def interleaved(runs: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each run in each round; a round runs each side once, in turn."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            taken[name].append(seconds(run))
    return taken


def ratio_row(name: str, against: str, size: str, ours: list[float], theirs: list[float], bar: float) -> dict[str, Any]:
    """A row with our time over theirs, round by round."""
    ratios = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    print(f"{name}, {size}: {statistics.median(ours):.3g} s; {against}: {statistics.median(theirs):.3g} s")
    return value_row(name, against, size, ratios, bar)


def value_row(name: str, against: str, size: str, values: list[float], bar: float) -> dict[str, Any]:
    """A row whose median must not exceed the bar."""
    median = statistics.median(values)
    shown = {"ratio": median, "low": min(values), "high": max(values)}
    return {
        "name": name,
        "against": against,
        "size": size,
        **{key: float(f"{value:.4g}") for key, value in shown.items()},
        "bar": bar,
        "holds": median <= bar,
    }


def exponents(small: int, few: list[float], large: int, many: list[float]) -> list[float]:
    """Exponents of the growth of time with size, round by round."""
    return [math.log(b / a) / math.log(large / small) for a, b in zip(few, many, strict=True)]
