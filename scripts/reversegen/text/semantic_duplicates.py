"""Semantic near-duplicates: SemDeDup (Abbas et al., arXiv 2303.09540), but without missed pairs.

The published method compares vectors only within their k-means cluster, so it misses pairs in different clusters. Here the
clusters only show which comparisons are unnecessary. A vector x of cell i and a vector y of cell j are on different sides of
the plane between the centroids of i and j. So the distances of x and y to that plane sum to at most the distance of x to y.
Two unit vectors with a cosine above 1 - eps are closer than sqrt(2 eps). A vector farther from a plane than that is not
compared with the vectors behind it. A few per cent of all comparisons remain, and they hold every pair above the threshold.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reversegen.ids import hashed_seed
from reversegen.text.embeddings import Vectors

log = logging.getLogger("reversegen")

Indices = npt.NDArray[np.int64]

BLOCK = 2048
"""Number of rows of a block. The products of two blocks take 16 MB, for any number of vectors."""
SLACK = 1e-3
"""Added to the bound: the largest float32 error of a distance to a plane between centroids at least 0.01 apart."""
DOUBT = 2e-6
"""A cosine this close to the threshold is computed again in float64, so that the blocks decide nothing."""
POINTS = 39
"""Number of points for each centroid that FAISS recommends at least; training uses at most twice as many."""
SAMPLE = 500
"""Number of vectors that are compared with all others to measure recall."""


@dataclass(frozen=True)
class SemanticDuplicates:
    """The similar pairs among n vectors."""

    earlier: Indices
    """For each vector, the first similar vector in the order of keeping, if it comes before; -1 if the vector is kept."""
    neighbours: Indices
    """The number of similar vectors of each vector."""
    found_pairs: int
    """The number of neighbours found for a seeded sample of the vectors."""
    true: int
    """The number of neighbours that the sample has, by comparison with all vectors."""
    compared: int
    """The number of compared pairs; n vectors have n (n - 1) / 2 pairs."""

    @property
    def recall(self) -> float | None:
        """The share of pairs that were found, on the sample; None if the sample has no pairs."""
        return self.found_pairs / self.true if self.true else None

    @property
    def pairs(self) -> int:
        """The number of all pairs found."""
        return int(self.neighbours.sum()) // 2


def semantic_duplicates(vectors: Vectors, eps: float, random_seed: int) -> SemanticDuplicates:
    """Mark unit vectors that are similar, with a cosine above 1 - eps, to an earlier vector in the order of keeping.

    The keep rule is `hard`, as published: vectors are taken from the farthest to the nearest to their centroid, with ties in
    the given order. A vector is dropped if an earlier vector is similar, whether that one is kept or not. Give the vectors in
    the order of their ids, so that the order of rows decides nothing. Needs about 3 kB of memory for each vector besides it.
    """
    count, start = len(vectors), time.perf_counter()
    if not count:
        empty = np.empty(0, np.int64)
        return SemanticDuplicates(empty, empty, 0, 0, 0)
    centroids = _centroids(vectors, random_seed)
    nearest_cells, likeness, planes = _cells(vectors, centroids, np.sqrt(2 * eps))
    rank = np.empty(count, np.int64)
    rank[np.lexsort((np.arange(count), likeness.round(5)))] = np.arange(count)
    first, neighbours, compared = np.full(count, count), np.zeros(count, np.int64), 0
    for one, other in _comparisons(nearest_cells, planes, len(centroids), np.sqrt(2 * eps) + SLACK):
        same = one is other
        compared += len(one) * (len(one) - 1) // 2 if same else len(one) * len(other)
        for a, b in _similar(vectors, one, other, 1 - eps):
            for x, y in ((a, b), (b, a)):
                np.minimum.at(first, x, rank[y])
                np.add.at(neighbours, x, 1)
    by_rank = np.argsort(rank)
    earlier = np.where(first < rank, by_rank[np.minimum(first, count - 1)], -1)
    rng = np.random.default_rng(hashed_seed(random_seed, "recall"))
    sample = rng.choice(count, size=min(count, SAMPLE), replace=False)
    true = sum(len(a) for a, _ in _similar(vectors, sample, np.arange(count), 1 - eps)) - len(sample)
    result = SemanticDuplicates(earlier, neighbours, int(neighbours[sample].sum()), true, compared)
    recall = "unknown" if result.recall is None else f"{result.recall:.4f}"
    log.info(
        "%d vectors: %d pairs with a cosine above %.3f, from %.1f %% of all comparisons; recall %s (%d of %d pairs of %d "
        "sampled vectors), "
        "%d duplicates, %.1f s",
        count, result.pairs, 1 - eps, 200 * compared / max(1, count * (count - 1)), recall, result.found_pairs, true,
        len(sample), int((earlier >= 0).sum()), time.perf_counter() - start,
    )  # fmt: skip
    return result


def nearest(queries: Vectors, others: Vectors) -> npt.NDArray[np.float32]:
    """The largest cosine of each query with any of the others; -1 without others."""
    best = np.full(len(queries), -1, np.float32)
    for q in range(0, len(queries), BLOCK):
        for o in range(0, len(others), BLOCK):
            likest = (queries[q : q + BLOCK] @ others[o : o + BLOCK].T).max(axis=1)
            np.maximum(best[q : q + BLOCK], likest, out=best[q : q + BLOCK])
    return best


def _centroids(vectors: Vectors, random_seed: int) -> Vectors:
    """Centroids of spherical k-means, about the square root of the number of vectors. FAISS uses a GPU if it has one."""
    logging.getLogger("faiss.loader").setLevel(logging.WARNING)
    import faiss

    clusters = max(1, min(round(len(vectors) ** 0.5), len(vectors) // POINTS))
    means = faiss.Kmeans(
        vectors.shape[1],
        clusters,
        niter=10,
        spherical=True,
        seed=hashed_seed(random_seed, "k-means") % 2**31,
        max_points_per_centroid=2 * POINTS,
        min_points_per_centroid=1,
        gpu=faiss.get_num_gpus() > 0,
    )
    means.train(vectors)
    return np.asarray(means.centroids, dtype=np.float32)


@dataclass(frozen=True)
class _Planes:
    """Vectors near the plane to another cell: their rows, those cells, and the distances to the planes."""

    rows: Indices
    cells: Indices
    distances: npt.NDArray[np.float32]


def _cells(vectors: Vectors, centroids: Vectors, radius: float) -> tuple[Indices, npt.NDArray[np.float32], _Planes]:
    """The cell of each vector, its cosine with the centroid of the cell, and all planes within `radius` of the vector."""
    gaps = np.sqrt(np.maximum(2 - 2 * (centroids @ centroids.T), 0))
    nearest_cells, likeness = np.empty(len(vectors), np.int64), np.empty(len(vectors), np.float32)
    parts = []
    for start in range(0, len(vectors), BLOCK):
        cosines = vectors[start : start + BLOCK] @ centroids.T
        here = np.arange(len(cosines))
        cell = cosines.argmax(axis=1)
        nearest_cells[start : start + BLOCK], likeness[start : start + BLOCK] = cell, cosines[here, cell]
        gap = gaps[cell]
        with np.errstate(divide="ignore", invalid="ignore"):
            distances = np.where(gap < 0.01, 0, (cosines[here, cell][:, None] - cosines) / gap)
        distances[here, cell] = np.inf
        rows, cells = np.nonzero(distances <= radius + SLACK)
        parts.append((rows + start, cells, distances[rows, cells]))
    return nearest_cells, likeness, _Planes(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _comparisons(
    nearest_cells: Indices, planes: _Planes, cells: int, reach: float
) -> Iterator[tuple[Indices, Indices]]:
    """Groups of vectors to compare: each cell with itself, and for two cells the vectors near the plane between them."""
    members = np.split(
        np.argsort(nearest_cells, kind="stable"), np.cumsum(np.bincount(nearest_cells, minlength=cells))[:-1]
    )
    yield from ((rows, rows) for rows in members)
    keys = nearest_cells[planes.rows] * cells + planes.cells
    order = np.lexsort((planes.distances, keys))
    rows, distances = planes.rows[order], planes.distances[order]
    sides, starts = np.unique(keys[order], return_index=True)
    ends = np.append(starts[1:], len(order))
    reverse_keys = sides % cells * cells + sides // cells
    opposite = np.searchsorted(sides, reverse_keys)
    for side, facing in enumerate(opposite):
        if facing <= side or facing == len(sides) or sides[facing] != reverse_keys[side]:
            continue  # the same two cells in the other order, or no vector near the plane on the other side
        a, b = slice(starts[side], ends[side]), slice(starts[facing], ends[facing])
        near = np.searchsorted(distances[a], reach - distances[b][0], side="right")
        far = np.searchsorted(distances[b], reach - distances[a][0], side="right")
        if near and far:
            yield rows[a][:near], rows[b][:far]


def _similar(vectors: Vectors, one: Indices, other: Indices, threshold: float) -> Iterator[tuple[Indices, Indices]]:
    """Pairs of rows with a cosine above the threshold, block by block. If both groups are the same, each pair comes once."""
    for p in range(0, len(one), BLOCK):
        a = one[p : p + BLOCK]
        of_a = vectors[a]
        for q in range(p if one is other else 0, len(other), BLOCK):
            b = other[q : q + BLOCK]
            cosines = of_a @ vectors[b].T
            above = cosines > threshold - DOUBT
            if one is other and p == q:
                above = np.triu(above, 1)
            if not above.any():
                continue
            i, j = np.nonzero(above)
            sure = cosines[i, j] > threshold + DOUBT
            for n in np.flatnonzero(~sure):
                sure[n] = vectors[a[i[n]]].astype(np.float64) @ vectors[b[j[n]]].astype(np.float64) > threshold
            yield a[i[sure]], b[j[sure]]
