"""The cluster bootstrap: whole clusters are drawn with replacement, since items of one prompt or question are correlated.

The interval of a proportion is the percentile interval of Efron and Tibshirani 1993, chapter 13.
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
    """The ends of the 95 % percentile interval of a number's draws. Draws that are NaN are ignored."""
    low, high = np.nanquantile(draws, [1 - LEVEL, LEVEL])
    return float(low), float(high)


def draw_weights(count: int, draws: int, seed: int) -> Draws:
    """How often each of `count` clusters occurs in each draw, as an array of shape (draws, count)."""
    rng = np.random.default_rng(seed)
    weights = np.empty((draws, count))
    for row in weights:
        row[:] = np.bincount(rng.integers(count, size=count), minlength=count)
    return weights


def cluster_numbers(clusters: Sequence[Hashable]) -> list[int]:
    """The number of each item's cluster. Clusters are numbered from 0 in order of first appearance."""
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(cluster, len(numbers)) for cluster in clusters]


def proportion(hits: Sequence[bool], clusters: Sequence[Hashable], settings: Evaluation, random_seed: int) -> Metric:
    """The share of hits, with its 95 % interval over clusters; null, with a reason, if `hits` is empty."""
    if not hits:
        return Metric(value=None, count=0, total=0, reason="there is nothing to count")
    low, high = percentiles(drawn_rates(hits, clusters, settings, random_seed))
    count, total = sum(hits), len(hits)
    return Metric(
        value=six_decimals(count / total), low=six_decimals(low), high=six_decimals(high), count=count, total=total
    )


Share = tuple[Sequence[bool], Sequence[Hashable]]
"""The hits of a proportion, and the cluster of each."""


def difference_of_shares(one: Share, other: Share, settings: Evaluation, random_seed: int) -> Metric:
    """The rate of `one` minus that of `other`, which count the same items, with the 95 % interval over clusters.

    Null, with a reason, if there are no items.
    """
    if not one[0]:
        return Metric(value=None, reason="there is nothing to count")
    draws = drawn_rates(*one, settings, random_seed) - drawn_rates(*other, settings, random_seed)
    low, high = percentiles(draws)
    value = (sum(one[0]) - sum(other[0])) / len(one[0])
    return Metric(value=six_decimals(value), low=six_decimals(low), high=six_decimals(high))


def drawn_rates(hits: Sequence[bool], clusters: Sequence[Hashable], settings: Evaluation, random_seed: int) -> Draws:
    """The rate of hits in each of `settings.bootstrap` draws, as an array of that length. `hits` must not be empty."""
    numbers = cluster_numbers(clusters)
    totals = np.bincount(numbers).astype(float)
    counts = np.bincount(numbers, weights=np.array(hits, dtype=float))
    weights = draw_weights(len(totals), settings.bootstrap, hashed_seed(random_seed, "bootstrap"))
    rates: Draws = (weights @ counts) / (weights @ totals)
    return rates


def six_decimals(value: float) -> float:
    """A number rounded to six decimals, as `eval.json` holds it."""
    return round(float(value), 6)
