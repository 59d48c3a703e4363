"""Semantic near-duplicates: SemDeDup (Abbas et al., arXiv 2303.09540) with no pair of vectors missed.

The published method compares vectors within their k-means cluster alone and misses the pairs that a border parts. Here the
clusters only tell which comparisons cannot matter. A vector x of cell i and a vector y of cell j lie on either side of the
plane that bisects the centroids of i and j, so that the distances of x and y to that plane sum to at most the distance of x
to y. Two unit vectors of cosine above 1 - eps are closer than sqrt(2 eps): whoever is farther from a plane than that need
not be compared with what lies behind it. That leaves a few per cent of all comparisons, and every pair above the threshold.
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
"""Rows of a block: its products are 16 MB, whatever there is to compare."""
SLACK = 1e-3
"""Added to the bound: what float32 may cost a distance to a plane between centroids that are at least 0.01 apart."""
DOUBT = 2e-6
"""A cosine this close to the threshold is computed again in float64, so that blocks decide nothing."""
POINTS = 39
"""Points that FAISS wants for each centroid at least; a centroid is trained on twice as many at most."""
SAMPLE = 500
"""Vectors whose pairs are counted by comparing them with all others."""


@dataclass(frozen=True)
class SemanticDuplicates:
    """What was found among n vectors."""

    earlier: Indices
    """Of each vector, the first similar one in the order of keeping, where that is before it; -1 if it is kept."""
    neighbours: Indices
    """Number of similar vectors of each."""
    found_pairs: int
    """Neighbours that were found of a seeded sample of the vectors."""
    true: int
    """Neighbours that the same vectors have, by comparison with all."""
    compared: int
    """Products of two vectors; all pairs are n (n - 1) / 2."""

    @property
    def recall(self) -> float | None:
        """Of pairs, on the sample; None if it has none."""
        return self.found_pairs / self.true if self.true else None

    @property
    def pairs(self) -> int:
        """All pairs that were found."""
        return int(self.neighbours.sum()) // 2


def semantic_duplicates(vectors: Vectors, eps: float, random_seed: int) -> SemanticDuplicates:
    """Mark unit vectors that are similar, cosine above 1 - eps, to one that is kept before them.

    The keep rule is `hard`, as published: vectors are taken from the farthest from their centroid to the nearest, ties in
    the order given, and one goes where an earlier one is similar, whether that one stays or not. Give the vectors in the order
    of their ids, and the order of rows decides nothing. Needs memory for the vectors, and about 3 kB more for each.
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
        "%d vectors: %d pairs above %.3f by %.1f %% of all comparisons, recall %s (%d of %d pairs of %d sampled), "
        "%d duplicates, %.1f s",
        count, result.pairs, 1 - eps, 200 * compared / max(1, count * (count - 1)), recall, result.found_pairs, true,
        len(sample), int((earlier >= 0).sum()), time.perf_counter() - start,
    )  # fmt: skip
    return result


def nearest(queries: Vectors, others: Vectors) -> npt.NDArray[np.float32]:
    """The greatest cosine of each query with any of the others; -1 if there are none."""
    best = np.full(len(queries), -1, np.float32)
    for q in range(0, len(queries), BLOCK):
        for o in range(0, len(others), BLOCK):
            likest = (queries[q : q + BLOCK] @ others[o : o + BLOCK].T).max(axis=1)
            np.maximum(best[q : q + BLOCK], likest, out=best[q : q + BLOCK])
    return best


def _centroids(vectors: Vectors, random_seed: int) -> Vectors:
    """Centroids of spherical k-means, as many as the root of the number of vectors; on the GPU where FAISS has one."""
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
    """Vectors that lie near the plane to another cell: the row, that cell, and the distance to the plane."""

    rows: Indices
    cells: Indices
    distances: npt.NDArray[np.float32]


def _cells(vectors: Vectors, centroids: Vectors, radius: float) -> tuple[Indices, npt.NDArray[np.float32], _Planes]:
    """The cell of each vector, its cosine with that centroid, and all planes within `radius` of it."""
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
    """Groups of vectors to compare: each cell with itself, and of two cells what lies near the plane between them."""
    members = np.split(
        np.argsort(nearest_cells, kind="stable"), np.cumsum(np.bincount(nearest_cells, minlength=cells))[:-1]
    )
    yield from ((rows, rows) for rows in members)
    keys = nearest_cells[planes.rows] * cells + planes.cells
    order = np.lexsort((planes.distances, keys))
    rows, distances = planes.rows[order], planes.distances[order]
    sides, starts = np.unique(keys[order], return_index=True)
    ends = np.append(starts[1:], len(order))
    behind = sides % cells * cells + sides // cells
    opposite = np.searchsorted(sides, behind)
    for side, facing in enumerate(opposite):
        if facing <= side or facing == len(sides) or sides[facing] != behind[side]:
            continue  # the other way round, or nobody on the other side is near
        a, b = slice(starts[side], ends[side]), slice(starts[facing], ends[facing])
        near = np.searchsorted(distances[a], reach - distances[b][0], side="right")
        far = np.searchsorted(distances[b], reach - distances[a][0], side="right")
        if near and far:
            yield rows[a][:near], rows[b][:far]


def _similar(vectors: Vectors, one: Indices, other: Indices, threshold: float) -> Iterator[tuple[Indices, Indices]]:
    """Pairs of rows of cosine above the threshold, block by block; of a group with itself, each pair once."""
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
