"""The interval of a proportion agrees with scipy's."""

import random

import numpy as np
import pytest

from reversegen.config.task import Evaluation
from reversegen.core.metric import Metric
from reversegen.evaluation.bootstrap import proportion

SETTINGS = Evaluation(bootstrap=2000, diversity_sample=500)
FEW = Evaluation(bootstrap=100, diversity_sample=500)


# The standard error of a 2.5 % quantile from 2,000 resamples is 0.06 of the estimate's own (binomial error of the rank
# over the normal density there), a thirty-third of the interval's half width. Both sides draw, so four errors are allowed.
TOLERANCE = 4 * 2**0.5 / 33


@pytest.mark.parametrize(
    ("clusters", "size", "correlated"),
    [(200, 1, False), (40, 1, False), (60, 5, False), (60, 5, True), (60, None, True)],
)
def test_the_interval_agrees_with_scipys_percentile_bootstrap_over_clusters(
    clusters: int, size: int | None, correlated: bool
) -> None:
    import scipy.stats

    rng = random.Random(clusters)
    sizes = [size or rng.randint(1, 9) for _ in range(clusters)]
    rates = [0.8 if n > 5 else float(rng.random() < 0.3) if correlated else 0.3 for n in sizes]
    counts = [sum(rng.random() < rate for _ in range(n)) for n, rate in zip(sizes, rates, strict=True)]
    rows = [(i < count, c) for c, (n, count) in enumerate(zip(sizes, counts, strict=True)) for i in range(n)]
    rng.shuffle(rows)
    ours = proportion([hit for hit, _ in rows], [cluster for _, cluster in rows], SETTINGS, 0)
    theirs = scipy.stats.bootstrap(
        (np.array(counts), np.array(sizes)),
        lambda c, n, axis=-1: c.sum(axis=axis) / n.sum(axis=axis),
        paired=True,
        n_resamples=SETTINGS.bootstrap,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    assert (ours.count, ours.total) == (sum(counts), sum(sizes))
    assert ours.value == pytest.approx(sum(counts) / sum(sizes), abs=1e-6)
    near = (theirs.high - theirs.low) / 2 * TOLERANCE + 1 / sum(sizes)  # rates change in steps of one count
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=near)


def test_correlated_clusters_give_a_wider_interval_than_independent_ones() -> None:
    hits = [n % 10 < 3 for n in range(500)]  # 30 % in both
    apart = proportion(hits, range(500), SETTINGS, 0)
    together = proportion(
        sorted(hits), [n // 5 for n in range(500)], SETTINGS, 0
    )  # 100 prompts whose samples are all right or all wrong
    assert apart.value == together.value == 0.3
    # five equal samples count as one, so the standard error grows by the square root of the cluster's size
    assert (together.high - together.low) / (apart.high - apart.low) == pytest.approx(5**0.5, rel=0.15)


def test_no_trials_give_no_number_and_the_draw_is_seeded() -> None:
    assert proportion([], [], SETTINGS, 0) == Metric(value=None, count=0, total=0, reason="there is nothing to count")
    hits = [n % 3 == 0 for n in range(300)]
    first, again, other = (proportion(hits, range(300), FEW, seed) for seed in (0, 0, 1))
    assert first == again
    assert (first.low, first.high) != (other.low, other.high)


# The proposer of the small world: its texts, their prompts, how often it wrote them, and their verdicts.
# prompt, split, text, samples, verdict
