"""95 % intervals of means and paired differences, over random seeds and over prompts or questions, from stored outcomes.

Random seeds and test questions are crossed: every random seed answers the same questions. Held-out prompts are nested: they are
drawn with the random seed, so every random seed has its own prompts. Equal hashes of clusters show which random seeds share
their prompts or questions. So one formula, `half_width`, serves both designs and mixtures of them. The interval of one random
seed is over its prompts or questions only, by percentile bootstrap.
"""

from __future__ import annotations

import functools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from reversegen.core.metric import Metric
from reversegen.evaluation.bootstrap import LEVEL, draw_weights, percentiles
from reversegen.evaluation.outcomes import EvaluationOutcomes
from reversegen.ids import hashed_seed
from reversegen.kinds import target_metrics
from reversegen.kinds.base import MetricDifference, ScoreMetric
from reversegen.kinds.scores import Draws, ratio

RESAMPLES = 1000
"""The number of bootstrap draws of prompts or questions. Their standard error is exact to about 2 %."""
SLACK = 0.08
"""The share of the questions' variance that the second width of `half_width` leaves out. With 0.08 the interval covers the true
value in 94.1 to 96.3 % of draws, for 2 to 10 random seeds and every mixture of the variances
(tests/evaluation/test_statistics.py). With 0 it covers up to 97.7 % for two random seeds, and with 0.2 as little as 92.4 %."""
FLOOR = 1 / 3
"""The least width of an interval over several random seeds, as a share of the interval over questions only. Without it, random
seeds that agree by chance would look certain. It raises the coverage by at most 0.01 (two random seeds that share nothing)."""
LEAST_SEEDS = 5
"""The least number of random seeds for which a sentence calls one source better than another."""

Key = TypeVar("Key", int, str)


@dataclass(frozen=True)
class Estimate:
    """A mean over random seeds, with its 95 % interval."""

    value: float | None
    low: float | None
    """The lower end of the interval. Both ends are None if the outcomes by prompt or question are not stored."""
    high: float | None
    sd: float | None
    """The sample standard deviation over random seeds; None for fewer than two."""
    random_seeds: int


NOTHING = Estimate(None, None, None, None, 0)


@dataclass(frozen=True)
class MetricDraws:
    """The value of a metric of one random seed in each bootstrap draw of its prompts or questions."""

    draws: Draws
    """An array of shape (RESAMPLES,). A draw without anything to measure is NaN."""
    clusters: str
    """A hash of the clusters' names. It is equal for two random seeds that were asked the same."""
    count: int
    """The number of clusters."""
    least: float = 0.0
    """The least value that the metric can have."""


@functools.lru_cache(maxsize=8)
def cluster_weights(clusters: str, count: int) -> Draws:
    """How often each cluster occurs in each draw, as an array of shape (RESAMPLES, count).

    The hash of the clusters decides the draw. So evaluations that asked the same get the same draws, and their differences are
    paired.
    """
    return draw_weights(count, RESAMPLES, hashed_seed("compare_tasks", clusters))


def resample(outcomes: EvaluationOutcomes, metric: str) -> MetricDraws | None:
    """A metric, or `SET/METRIC`, in each draw of its prompts or questions; None if it has no stored outcomes."""
    described = {m.name: m for m in target_metrics(outcomes.evaluation.kind)}
    test_set, slash, name = metric.rpartition("/")
    if isinstance(pair := described.get(name), MetricDifference):
        one, other = (resample(outcomes, f"{test_set}{slash}{part}") for part in (pair.minuend, pair.subtrahend))
        return MetricDraws(one.draws - other.draws, one.clusters, one.count, least=-1.0) if one and other else None
    declared = {name: m for name, m in described.items() if isinstance(m, ScoreMetric)}
    if metric in declared and (scores := outcomes.scores):
        members = np.array(scores.members)
        count = int(members[-1]) + 1
        weights = cluster_weights(scores.clusters, count)[:, members]
        draws = declared[metric].computed(np.array(scores.right, dtype=float), np.array(scores.score), weights)
        return MetricDraws(draws, scores.clusters, count)
    counts = outcomes.counts.get(metric)
    if not counts or not sum(counts.totals):
        return None
    weights = cluster_weights(counts.clusters, len(counts.hits))
    draws = ratio(weights @ np.array(counts.hits, dtype=float), weights @ np.array(counts.totals, dtype=float))
    return MetricDraws(draws, counts.clusters, len(counts.hits))


def half_width(values: Sequence[float], draws_by_seed: Sequence[MetricDraws]) -> float:
    """Half the width of the 95 % interval of the mean of `values`, which has one value for each of two or more random seeds.

    In the model y[s, q] = mean + a[s] + b[q] + e[s, q], the mean over S random seeds and Q questions has the variance
    var(a) / S + var(b) / Q + var(e) / (S Q). `seeds`, the variance of the values divided by S, estimates the first and the
    third term. `questions`, the mean covariance of two random seeds' draws, estimates the second term alone; it is zero between
    random seeds that share no question. So the sum of both counts each term once. A bootstrap of seeds and questions would
    count terms twice, and no bootstrap is exact for crossed effects (Owen, The pigeonhole bootstrap, Annals of Applied
    Statistics 1, 2007).

    The first width is Student's t for the sum, with Satterthwaite's degrees of freedom (An approximate distribution of
    estimates of variance components, Biometrics Bulletin 2, 1946). With two or three random seeds whose variance dominates, it
    is too narrow (87 % coverage for two). The second width is therefore Student's t for the random seeds alone, and the wider
    one is returned. The second width, SLACK and FLOOR are this repository's own, chosen by simulation
    (tests/evaluation/test_statistics.py).
    """
    from scipy.special import stdtrit

    number = len(values)
    draws = np.array([one.draws for one in draws_by_seed])
    unbiased = np.array([one.count / max(one.count - 1, 1) for one in draws_by_seed])
    covariance = np.cov(draws[:, ~np.isnan(draws).any(axis=0)]) * np.sqrt(np.outer(unbiased, unbiased))
    names = np.array([one.clusters for one in draws_by_seed])
    covariance[names[:, None] != names] = 0
    shared = (covariance.sum() - np.trace(covariance)) / (number * (number - 1))
    seeds, questions = statistics.variance(values) / number, max(0.0, float(shared))
    freedom = max(min(one.count for one in draws_by_seed) - 1, 1)
    spread = seeds**2 / (number - 1) + questions**2 / freedom
    both = stdtrit((seeds + questions) ** 2 / spread, LEVEL) * np.sqrt(seeds + questions) if spread else 0.0
    alone = stdtrit(number - 1, LEVEL) * np.sqrt(max(0.0, seeds - SLACK * questions))
    floor = FLOOR * stdtrit(freedom, LEVEL) * np.sqrt(max(0.0, covariance.sum())) / number
    return float(max(both, alone, floor))


def pooled_estimate(metrics: Sequence[Metric | None], draws_by_seed: Sequence[MetricDraws | None]) -> Estimate:
    """The mean of a metric over the random seeds that measured it, with its interval over random seeds and questions.

    One random seed has the interval of its `eval.json`. Several have no interval if the outcomes of one of them are not stored.
    The interval is clipped to the range of the metric, which does not change its coverage: to [-1, 1] for a difference, and to
    [0, 1] for every other metric with outcomes.
    """
    pairs = [
        (metric, r) for metric, r in zip(metrics, draws_by_seed, strict=True) if metric and metric.value is not None
    ]
    values = [metric.value for metric, _ in pairs if metric.value is not None]
    stored = [r for _, r in pairs if r is not None]
    if len(pairs) == 1 and (only := pairs[0][0]).low is not None:
        return Estimate(values[0], only.low, only.high, None, 1)
    return _estimate(values, stored if len(stored) == len(pairs) else [], min((r.least for r in stored), default=0.0))


def estimate(runs: Mapping[Key, EvaluationOutcomes], metric: str) -> Estimate:
    """The mean of a metric over `runs`, which are keyed by random seed or by task, with the interval of `pooled_estimate`."""
    measured = runs.values()
    return pooled_estimate([one.metric(metric) for one in measured], [resample(one, metric) for one in measured])


def difference(
    ones: Mapping[Key, EvaluationOutcomes], others: Mapping[Key, EvaluationOutcomes], metric: str
) -> Estimate:
    """The paired mean of `ones` minus `others` over the random seeds in which both were asked the same, with its interval.

    The interval is clipped to [-1, 1].
    """
    values, draws_by_seed = [], []
    for seed in sorted(set(ones) & set(others)):
        a, b = ones[seed].metric(metric), others[seed].metric(metric)
        x, y = resample(ones[seed], metric), resample(others[seed], metric)
        paired = x is not None and y is not None and x.clusters == y.clusters
        if a and b and a.value is not None and b.value is not None and x and y and paired:
            values.append(a.value - b.value)
            draws_by_seed.append(MetricDraws(x.draws - y.draws, x.clusters, x.count))
    return _estimate(values, draws_by_seed, -1.0)


def _estimate(values: Sequence[float], draws_by_seed: Sequence[MetricDraws], least: float) -> Estimate:
    if not values:
        return NOTHING
    mean, sd = statistics.mean(values), statistics.stdev(values) if len(values) > 1 else None
    if not draws_by_seed:
        return Estimate(mean, None, None, sd, len(values))
    if len(values) == 1:
        return Estimate(mean, *percentiles(draws_by_seed[0].draws), sd, 1)
    half = half_width(values, draws_by_seed)
    return Estimate(mean, max(least, mean - half), min(1.0, mean + half), sd, len(values))


def coverage(random_seeds: int, asked: str) -> str:
    """A phrase for readers about what an interval covers. `asked` is prompts, questions or both."""
    return (
        f"over {random_seeds} random seeds and the {asked}"
        if random_seeds > 1
        else f"over {asked} only: one random seed"
    )


def decides(less: Estimate) -> bool:
    """Whether a difference shows that one of two is better: its interval excludes 0 over LEAST_SEEDS random seeds or more."""
    if less.low is None or less.high is None:
        return False
    return less.random_seeds >= LEAST_SEEDS and not less.low <= 0 <= less.high


def comparison(one: str, other: str, less_is_better: bool, less: Estimate) -> str:
    """A sentence for readers about the difference of two sources, `one` minus `other`.

    It calls one source better only if the difference `decides`.
    """
    if less.value is None or less.low is None or less.high is None:
        return f"{one} and {other} are not compared, since their outcomes by question are not stored"
    numbers = f"{less.value:+.3f} [{less.low:+.3f}, {less.high:+.3f}]"
    if less.low <= 0 <= less.high:
        shown = "the difference is within the noise"
    elif not decides(less):
        shown = f"fewer than {LEAST_SEEDS} random seeds, so neither source is called better"
    else:
        better = (less.value < 0) == less_is_better
        shown = f"{one if better else other} enhances better than {other if better else one}"
    return f"{one} less {other} is {numbers} ({coverage(less.random_seeds, 'questions')}): {shown}"
