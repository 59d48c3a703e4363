"""Semantic duplicates: the pairs equal a comparison of all with all, and the published rule decides what is kept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from reversegen.text import semantic_duplicates as module
from reversegen.text.embeddings import Vectors
from reversegen.text.semantic_duplicates import nearest, semantic_duplicates


def unit(vectors: npt.NDArray[np.float64]) -> Vectors:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def planted(count: int, dims: int, seed: int, topics: int = 20) -> Vectors:
    """Vectors around topics. A third are copies of others, turned by up to 40 degrees, so they are on both sides of eps."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(topics, dims))[rng.integers(topics, size=count)] + rng.normal(size=(count, dims))
    turned = rng.permutation(count)[: count // 3]
    near = vectors[rng.integers(count, size=len(turned))]
    angle = rng.uniform(0, 0.7, size=(len(turned), 1))
    noise = rng.normal(size=near.shape)
    noise *= np.linalg.norm(near, axis=1, keepdims=True) / np.linalg.norm(noise, axis=1, keepdims=True)
    vectors[turned] = np.cos(angle) * near + np.sin(angle) * noise
    return unit(vectors)


@pytest.mark.parametrize("eps", [0.01, 0.05, 0.2])
@pytest.mark.parametrize(("count", "dims", "block"), [(3000, 24, 2048), (2500, 6, 100), (1700, 3, 2048), (60, 8, 16)])
def test_every_pair_is_found_and_no_other(
    count: int, dims: int, block: int, eps: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn.metrics.pairwise import cosine_similarity

    monkeypatch.setattr(module, "BLOCK", block)
    vectors = planted(count, dims, seed=dims)
    result = semantic_duplicates(vectors, eps, 0)
    similar = cosine_similarity(vectors.astype(np.float64)) > 1 - eps
    np.fill_diagonal(similar, False)
    assert similar.any()
    assert np.array_equal(result.neighbours, similar.sum(axis=1))
    assert result.pairs == similar.sum() // 2
    assert result.recall == 1
    assert result.found_pairs == result.true > 0


def test_far_fewer_than_all_pairs_are_compared() -> None:
    from sklearn.metrics.pairwise import cosine_similarity

    vectors = planted(6000, 64, seed=1, topics=100)
    result = semantic_duplicates(vectors, 0.05, 0)
    assert result.compared < 0.15 * 6000 * 5999 / 2
    similar = sum((cosine_similarity(part, vectors) > 0.95).sum() for part in np.split(vectors, 6))
    assert result.pairs == (similar - 6000) // 2


def published_rule(vectors: Vectors, eps: float) -> list[int]:
    """`hard` for one cluster: from the farthest to the nearest to the mean, drop each vector with a similar earlier one."""
    wide = vectors.astype(np.float64)
    mean = wide.mean(axis=0)
    order = np.argsort(wide @ (mean / np.linalg.norm(mean)), kind="stable")
    earlier = [-1] * len(vectors)
    for place, n in enumerate(order):
        for other in order[:place]:
            if wide[n] @ wide[other] > 1 - eps:
                earlier[n] = other
                break
    return earlier


def test_the_published_rule_decides_what_is_kept() -> None:
    vectors = planted(70, 12, seed=3, topics=4)  # few enough for a single cell
    result = semantic_duplicates(vectors, 0.1, 0)
    assert result.earlier.tolist() == published_rule(vectors, 0.1)
    assert (result.earlier >= 0).sum() > 5


def test_the_same_vectors_give_the_same_result() -> None:
    vectors = planted(2000, 16, seed=4)
    one, two = semantic_duplicates(vectors, 0.05, 0), semantic_duplicates(vectors.copy(), 0.05, 0)
    assert np.array_equal(one.earlier, two.earlier)
    other = semantic_duplicates(vectors, 0.05, 1)  # other cells give another order, but the same pairs
    assert np.array_equal(one.neighbours, other.neighbours)


def test_one_text_written_thousands_of_times_leaves_one_in_little_memory() -> None:
    result = semantic_duplicates(np.tile(unit(np.ones((1, 8))), (4000, 1)), 0.05, 0)
    assert (result.earlier < 0).sum() == 1
    assert result.earlier.max() == 0
    assert result.pairs == 4000 * 3999 // 2
    assert result.recall == 1


def test_a_loss_of_pairs_would_be_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The published search, which compares only within clusters, replaces this one."""

    def within_cells(cells: npt.NDArray[np.int64], *_: object) -> list[tuple[object, object]]:
        return [(rows := np.flatnonzero(cells == cell), rows) for cell in np.unique(cells)]

    vectors = planted(3000, 8, seed=5)
    everything = semantic_duplicates(vectors, 0.05, 0)
    monkeypatch.setattr(module, "_comparisons", within_cells)
    fewer = semantic_duplicates(vectors, 0.05, 0)
    assert fewer.pairs < everything.pairs
    assert fewer.recall == pytest.approx(fewer.pairs / everything.pairs, abs=0.05)
    assert fewer.recall < 1


def test_a_cosine_at_the_threshold_is_decided_in_double_precision() -> None:
    angle = np.arccos(0.95)
    for shift, alike in ((-1e-7, True), (1e-7, False)):
        pair = unit(np.array([[1, 0, 0], [np.cos(angle + shift), np.sin(angle + shift), 0]]))
        exact = float(pair[0].astype(np.float64) @ pair[1].astype(np.float64))
        assert (exact > 0.95) == alike
        assert (semantic_duplicates(pair, 0.05, 0).pairs == 1) == alike


def test_few_or_no_vectors() -> None:
    none = semantic_duplicates(np.empty((0, 4), np.float32), 0.05, 0)
    assert (none.pairs, none.recall, len(none.earlier)) == (0, None, 0)
    assert semantic_duplicates(unit(np.ones((1, 4))), 0.05, 0).earlier.tolist() == [-1]


def test_the_nearest_of_others() -> None:
    from sklearn.metrics.pairwise import cosine_similarity

    one, two = planted(300, 8, seed=6), planted(5000, 8, seed=7)
    assert nearest(one, two) == pytest.approx(cosine_similarity(one, two).max(axis=1), abs=1e-5)
    assert nearest(one, two[:0]).tolist() == [-1] * 300
    assert len(nearest(one[:0], two)) == 0
