"""Diversity agrees with scipy, scikit-learn, the published formulae or a count by hand, and broken limits raise alarms."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from tests.support.kinds import MATH

from reversegen.config.task import Alarm
from reversegen.core.metric import Metric
from reversegen.text.diversity import (
    alarms,
    choose_texts,
    largest_cluster,
    lexical_diversity,
    seeds_covered,
    semantic_diversity,
    semantic_metrics,
    vendi_score,
)
from reversegen.text.embeddings import Vectors
from reversegen.worlds.arithmetic import TYPES, draw_expression, read_question, write_question


def questions(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    expressions = (draw_expression(rng.choices(TYPES, [9, 9, 3, 3, 1, 1, 1, 1])[0], rng) for _ in range(count))
    return [write_question(e, rng.choice(["symbols", "words", "story"]), rng) for e in expressions]


def grams(texts: list[str], n: int) -> Counter[str]:
    """Counts of word n-grams, by a window that slides over each text."""
    counts: Counter[str] = Counter()
    for text in texts:
        window: list[str] = []
        for word in text.split(" "):
            window = [*window, word][-n:]
            if len(window) == n:
                counts[" ".join(window)] += 1
    return counts


def test_lexical_diversity_agrees_with_a_second_implementation() -> None:
    import scipy.stats

    texts = questions(60, 1)
    texts += [texts[0].upper(), f"{texts[1]} ", "word", "two words", *texts[:10]]
    metrics = lexical_diversity(texts, MATH)
    for n in (1, 2, 3, 4):
        counted = grams([t.strip() for t in texts], n)
        metric = metrics[f"distinct_{n}"]
        assert (metric.count, metric.total) == (len(counted), counted.total())
        assert metric.value == pytest.approx(len(counted) / counted.total(), abs=1e-6)
    assert metrics["ngram_entropy"].value == pytest.approx(scipy.stats.entropy(list(counted.values())), abs=1e-6)
    folded = {t.strip().lower() for t in texts}
    assert (metrics["unique_share"].count, metrics["unique_share"].total) == (len(folded), len(texts))
    types = Counter(e.type for t in texts if (e := read_question(t)))
    assert metrics["type_entropy"].value == pytest.approx(scipy.stats.entropy(list(types.values())), abs=1e-6)


def test_diversity_is_measured_on_a_seeded_sample_of_fixed_size_or_not_at_all() -> None:
    assert choose_texts(400, 50, 0) == choose_texts(400, 50, 0) != choose_texts(400, 50, 1)
    assert len(set(choose_texts(400, 50, 0))) == 50
    assert sorted(choose_texts(50, 50, 3)) == list(range(50))
    assert choose_texts(49, 50, 0) == []
    none = lexical_diversity([], MATH)
    assert set(none) == set(lexical_diversity(questions(50, 2), MATH))
    assert set(none.values()) == {Metric(value=None, reason="diversity compares texts: fewer than two are given")}
    assert lexical_diversity(["one text repeats nothing , whatever it says"], MATH) == none


def unit(count: int, dims: int, seed: int, spread: float = 1.0) -> Vectors:
    rng = np.random.default_rng(seed)
    vectors = 1 + spread * rng.normal(size=(count, dims))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("count", [2, 37, 500])
def test_semantic_diversity_is_the_mean_over_all_pairs(count: int) -> None:
    from sklearn.metrics.pairwise import cosine_distances

    vectors = unit(count, 16, count)
    pairs = cosine_distances(vectors.astype(np.float64))[np.triu_indices(count, 1)]
    assert semantic_diversity(vectors) == pytest.approx(pairs.mean(), abs=1e-6)


@pytest.mark.parametrize(("count", "dims"), [(10, 40), (40, 10), (25, 25)])
def test_vendi_score_is_the_published_formula(count: int, dims: int) -> None:
    import scipy.linalg

    vectors = unit(count, dims, 0)
    wide = vectors.astype(np.float64)
    kernel = wide @ wide.T / count
    assert vendi_score(vectors) == pytest.approx(
        np.exp(-np.trace(kernel @ np.real(scipy.linalg.logm(kernel + 1e-13 * np.eye(count))))), rel=1e-4
    )


def test_vendi_score_counts_different_texts() -> None:
    apart = np.eye(12, dtype=np.float32)
    assert vendi_score(apart) == pytest.approx(12)
    assert vendi_score(np.repeat(apart[:3], 5, axis=0)) == pytest.approx(3)
    assert vendi_score(np.repeat(apart[:1], 5, axis=0)) == pytest.approx(1)


@pytest.mark.parametrize("eps", [0.005, 0.02, 0.05])
def test_the_largest_cluster_is_the_largest_connected_component(eps: float) -> None:
    import scipy.sparse.csgraph
    from sklearn.metrics.pairwise import cosine_distances

    vectors = unit(200, 6, 1, spread=0.4)
    graph = 1 - cosine_distances(vectors) > 1 - eps
    _, component = scipy.sparse.csgraph.connected_components(graph)
    sizes = np.bincount(component)
    assert largest_cluster(vectors, eps) == sizes.max()
    assert 1 < sizes.max() < 200


def test_coverage_is_the_published_formula() -> None:
    from sklearn.neighbors import NearestNeighbors

    seeds, texts = unit(80, 8, 1), unit(60, 8, 2, spread=0.8)
    distances, _ = (
        NearestNeighbors(n_neighbors=6).fit(seeds).kneighbors(seeds)
    )  # the first neighbour is the seed itself
    reach = distances[:, 5]
    to_texts = np.linalg.norm(seeds[:, None] - texts[None], axis=2).min(axis=1)
    expected = int((to_texts <= reach).sum())
    assert 0 < expected < 80
    assert seeds_covered(seeds, texts) == expected
    assert seeds_covered(seeds, seeds) == 80


def test_semantic_metrics_are_null_if_there_is_nothing_to_measure() -> None:
    none = semantic_metrics(np.empty((0, 4), np.float32), unit(10, 4, 0), 0.05)
    assert set(none.values()) == {Metric(value=None, reason="diversity compares texts: fewer than two are given")}
    assert semantic_metrics(unit(1, 4, 0), unit(10, 4, 0), 0.05) == none
    some = semantic_metrics(unit(10, 4, 0), unit(3, 4, 1), 0.05)
    assert some["seed_coverage"] == Metric(value=None, reason="3 seeds to cover, fewer than 6")
    copies = semantic_metrics(np.tile(unit(1, 4, 0), (10, 1)), unit(10, 4, 1), 0.05)
    assert copies["largest_cluster"] == Metric(value=1, count=10, total=10)
    assert copies["semantic_diversity"].value == pytest.approx(0, abs=1e-6)
    assert copies["vendi_score"].value == pytest.approx(1, abs=1e-5)


def test_an_alarm_names_each_broken_limit() -> None:
    limits = {"unique_share": 0.5, "type_entropy": None, "semantic_diversity": 0.4, "largest_cluster": 0.25}
    alarm = Alarm.model_validate({"action": "warn", **limits, "self_bleu": 0.9, "judge_gap": None})
    metrics = {name: Metric(value=value) for name, value in [
        ("unique_share", 0.5), ("type_entropy", 0.0), ("semantic_diversity", 0.399), ("largest_cluster", 0.26),
        ("self_bleu", None),
    ]}  # fmt: skip
    assert alarms(metrics, alarm) == [
        "semantic_diversity is 0.399, lower than 0.4",
        "largest_cluster is 0.26, higher than 0.25",
    ]
