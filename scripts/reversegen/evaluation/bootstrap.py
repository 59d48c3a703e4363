"""The one bootstrap: whole clusters are drawn with replacement, since what shares a prompt or question is correlated.

Efron and Tibshirani 1993, chapter 13. The interval of a proportion that it gives is the percentile one.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from reversegen.config.task import Evaluation
from reversegen.core.metric import Metric
from reversegen.ids import hashed_seed
from reversegen.kinds.scores import Draws

LEVEL = 0.975
"""The quantile at the upper end of a 95 % interval."""


def percentiles(draws: Draws) -> tuple[float, float]:
    """The ends of the 95 % percentile interval of a number's draws; those that are not a number are left out."""
    low, high = np.nanquantile(draws, [1 - LEVEL, LEVEL])
    return float(low), float(high)


def draw_weights(count: int, draws: int, seed: int) -> Draws:
    """How often each of `count` clusters is in each draw, shape (draws, count)."""
    rng = np.random.default_rng(seed)
    weights = np.empty((draws, count))
    for row in weights:
        row[:] = np.bincount(rng.integers(count, size=count), minlength=count)
    return weights


def cluster_numbers(clusters: Sequence[Hashable]) -> list[int]:
    """The number of the cluster of each item, from 0 in order of first appearance."""
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(cluster, len(numbers)) for cluster in clusters]


def proportion(hits: Sequence[bool], clusters: Sequence[Hashable], settings: Evaluation, random_seed: int) -> Metric:
    """The share of hits with its interval over clusters; null for no trials."""
    if not hits:
        return Metric(value=None, count=0, total=0, reason="there is nothing to count")
    low, high = percentiles(drawn_rates(hits, clusters, settings, random_seed))
    count, total = sum(hits), len(hits)
    return Metric(
        value=six_decimals(count / total), low=six_decimals(low), high=six_decimals(high), count=count, total=total
    )


def drawn_rates(hits: Sequence[bool], clusters: Sequence[Hashable], settings: Evaluation, random_seed: int) -> Draws:
    """The rates of `settings.bootstrap` draws; at least one trial is needed."""
    numbers = cluster_numbers(clusters)
    totals = np.bincount(numbers).astype(float)
    counts = np.bincount(numbers, weights=np.array(hits, dtype=float))
    weights = draw_weights(len(totals), settings.bootstrap, hashed_seed(random_seed, "bootstrap"))
    rates: Draws = (weights @ counts) / (weights @ totals)
    return rates


def six_decimals(value: float) -> float:
    """A number as `eval.json` holds it, to six decimals."""
    return round(float(value), 6)
