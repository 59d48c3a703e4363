"""95 % intervals of means and paired differences, over prompts or questions and over random seeds, from stored outcomes.

Random seeds and questions are crossed: every random seed answers the same test questions. Held-out prompts are drawn with the
random seed: each random seed has prompts of its own. Equal hashes of clusters tell which random seeds share what they were
asked, so both designs, and mixtures of them, have one formula (`half_width`). One random seed has an interval over its prompts
or questions only, by percentile bootstrap.
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
from reversegen.kinds.base import ScoreMetric
from reversegen.kinds.scores import Draws, ratio

RESAMPLES = 1000
"""Draws of prompts or questions; the standard error that they give is exact to about 2 %."""
SLACK = 0.08
"""Share of the questions' variance that the second width of `half_width` leaves out. With it the interval covers the true value
in 94.1 to 96.3 % of draws for 2 to 10 random seeds and every mixture of the variances
(tests/evaluation/test_statistics.py); with 0 it covers up to 97.7 % for two random seeds, with 0.2 as little as 92.4 %."""
FLOOR = 1 / 3
"""An interval over several random seeds is at least this share of the one over questions only, so that random seeds that agree
by chance promise no certainty. The coverage rises by at most 0.01, for two random seeds that share nothing."""
LEAST_SEEDS = 5
"""Random seeds that a sentence needs before it calls one source better than another."""

Key = TypeVar("Key", int, str)


@dataclass(frozen=True)
class Estimate:
    """A mean over random seeds."""

    value: float | None
    low: float | None
    """Ends of the 95 % interval; None if the outcomes by prompt or question are not stored."""
    high: float | None
    sd: float | None
    """Sample standard deviation over random seeds; None for fewer than two."""
    random_seeds: int


NOTHING = Estimate(None, None, None, None, 0)


@dataclass(frozen=True)
class MetricDraws:
    """A metric of one random seed in each draw of its prompts or questions."""

    draws: Draws
    """Shape (RESAMPLES,); not a number if a draw has nothing to measure."""
    clusters: str
    """Hash of the clusters' names: equal if two random seeds were asked the same."""
    count: int
    """Number of clusters."""


@functools.lru_cache(maxsize=8)
def cluster_weights(clusters: str, count: int) -> Draws:
    """How often each cluster is in each draw, shape (RESAMPLES, count).

    What the clusters are decides the draw: whatever asked the same prompts is drawn alike, which is what makes pairs.
    """
    return draw_weights(count, RESAMPLES, hashed_seed("compare_tasks", clusters))


def resample(outcomes: EvaluationOutcomes, metric: str) -> MetricDraws | None:
    """A metric, or `SET/METRIC`, in each draw of its prompts or questions; None if its outcomes are not stored."""
    declared = {m.name: m for m in target_metrics(outcomes.evaluation.kind) if isinstance(m, ScoreMetric)}
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
    """Half the width of the 95 % interval of the mean of `values`, one of each of two or more random seeds.

    In the model y[s, q] = mean + a[s] + b[q] + e[s, q] the variance of the mean over S random seeds and Q questions is
    var(a) / S + var(b) / Q + var(e) / (S Q). `seeds`, the variance of the values over S, estimates the first term and the
    third. `questions`, the mean covariance of two random seeds' draws, estimates the second alone; it is zero between random
    seeds that share no question. So their sum counts no term twice. (A bootstrap of seeds and questions would: none is exact
    for crossed effects, see Owen, The pigeonhole bootstrap, Annals of Applied Statistics 1, 2007.)

    The first width takes Student's t for the sum, with the degrees of freedom of Satterthwaite (An approximate distribution of
    estimates of variance components, Biometrics Bulletin 2, 1946). For two or three random seeds that is too narrow if their
    variance dominates (87 % for two): the second width takes Student's t for the random seeds alone, and the wider one holds.
    The second width, SLACK and FLOOR are this repository's, chosen by simulation (tests/evaluation/test_statistics.py).
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
    """The mean of a metric over the random seeds that measured it, with its interval over both.

    The interval of one random seed is the one of its `eval.json`. The interval of several is null if the outcomes of one of
    them are not stored. It is cut at 0 and 1, which no metric with outcomes passes; that changes no coverage.
    """
    pairs = [
        (metric, r) for metric, r in zip(metrics, draws_by_seed, strict=True) if metric and metric.value is not None
    ]
    values = [metric.value for metric, _ in pairs if metric.value is not None]
    stored = [r for _, r in pairs if r is not None]
    if len(pairs) == 1 and (only := pairs[0][0]).low is not None:
        return Estimate(values[0], only.low, only.high, None, 1)
    return _estimate(values, stored if len(stored) == len(pairs) else [], 0.0)


def estimate(runs: Mapping[Key, EvaluationOutcomes], metric: str) -> Estimate:
    """The mean of a metric over random seeds, by random seed or by task, with its interval (see `pooled_estimate`)."""
    measured = runs.values()
    return pooled_estimate([one.metric(metric) for one in measured], [resample(one, metric) for one in measured])


def difference(
    ones: Mapping[Key, EvaluationOutcomes], others: Mapping[Key, EvaluationOutcomes], metric: str
) -> Estimate:
    """The mean of `ones` less `others` over the random seeds in which both were asked the same, in pairs, with its interval.

    The interval is cut at -1 and 1.
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
    """What an interval covers, for people; `asked` is prompts, questions or both."""
    return (
        f"over {random_seeds} random seeds and the {asked}"
        if random_seeds > 1
        else f"over {asked} only: one random seed"
    )


def comparison(one: str, other: str, less_is_better: bool, less: Estimate) -> str:
    """What the difference of two sources, `one` less `other`, shows, for people: no more than its interval does.

    One source is called better only if the interval excludes 0 over LEAST_SEEDS random seeds or more.
    """
    if less.value is None or less.low is None or less.high is None:
        return f"{one} and {other} are not compared, since their outcomes by question are not stored"
    numbers = f"{less.value:+.3f} [{less.low:+.3f}, {less.high:+.3f}]"
    if less.low <= 0 <= less.high:
        shown = "the difference is within the noise"
    elif less.random_seeds < LEAST_SEEDS:
        shown = f"fewer than {LEAST_SEEDS} random seeds, so neither source is called better"
    else:
        better = (less.value < 0) == less_is_better
        shown = f"{one if better else other} enhances better than {other if better else one}"
    return f"{one} less {other} is {numbers} ({coverage(less.random_seeds, 'questions')}): {shown}"
