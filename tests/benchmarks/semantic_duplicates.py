"""Semantic duplicates beside all pairs by a blocked matrix product: time, recall, and growth.

Vectors are drawn, since embedding 200,000 texts takes more than ten minutes. They form topics and sub-topics of unequal size in
384 dimensions whose variances fall as 1/k. A quarter of the vectors are copies of others, rotated by up to 34 degrees, so
that pairs lie on both sides of cosine 0.95.
"""

import math
import statistics
import time
from typing import Any

import numpy as np

from reversegen.text.embeddings import Vectors
from reversegen.text.semantic_duplicates import BLOCK, semantic_duplicates

EPS = 0.05
ROUNDS = {10_000: 5, 50_000: 3, 200_000: 1}
"""Interleaved rounds of each size; one round of all pairs of 200,000 takes minutes."""
BARS = {10_000: None, 50_000: None, 200_000: 1 / 3}
RECALL = 0.99


def corpus(count: int, seed: int) -> Vectors:
    """Unit vectors with the structure that the module describes."""
    rng = np.random.default_rng(seed)
    scale = (np.arange(1, 385) ** -0.5).astype(np.float32)
    scale /= np.linalg.norm(scale)

    def draw(rows: int) -> Vectors:
        return rng.standard_normal((rows, 384), dtype=np.float32) * scale

    def unit(vectors: Vectors) -> Vectors:
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    topics, sub_topics = draw(400), draw(400 * 25)
    topic = rng.zipf(1.3, size=count) % 400
    vectors = 0.6 * topics[topic] + 0.5 * sub_topics[topic * 25 + rng.integers(25, size=count)] + 0.62 * draw(count)
    vectors = unit(vectors + 0.2 * draw(1))
    turned = rng.permutation(count)[: count // 4]
    near = vectors[rng.integers(count, size=len(turned))]
    noise = draw(len(turned))
    noise = unit(noise - (noise * near).sum(axis=1, keepdims=True) * near)
    angle = rng.uniform(0.02, 0.6, size=(len(turned), 1)).astype(np.float32)
    vectors[turned] = np.cos(angle) * near + np.sin(angle) * noise
    return unit(vectors)


def all_pairs(vectors: Vectors) -> int:
    """Number of pairs above the threshold, by one product for every two blocks of rows."""
    pairs = 0
    for one in range(0, len(vectors), BLOCK):
        for other in range(one, len(vectors), BLOCK):
            above = vectors[one : one + BLOCK] @ vectors[other : other + BLOCK].T > 1 - EPS
            pairs += int(np.count_nonzero(np.triu(above, 1) if one == other else above))
    return pairs


def measure() -> list[dict[str, Any]]:
    """Interleaved rounds. The ratio is our time over that of all pairs, and the recall of pairs must be at least 0.99."""
    rows, times = [], {}
    for count, rounds in ROUNDS.items():
        vectors = corpus(count, 0)
        ours, theirs = [], []
        for _ in range(rounds):
            start = time.perf_counter()
            result = semantic_duplicates(vectors, EPS, 0)
            ours.append(time.perf_counter() - start)
            start = time.perf_counter()
            pairs = all_pairs(vectors)
            theirs.append(time.perf_counter() - start)
        times[count] = min(ours)
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        recall, bar = result.pairs / pairs, BARS[count]
        print(
            f"semantic duplicates: {count} vectors {min(ours):.1f} s, all pairs {min(theirs):.1f} s; "
            f"{result.pairs} of {pairs} pairs, {result.compared / math.comb(count, 2):.3f} of all compared"
        )
        middle = statistics.median(ratios)
        rows.append(
            {
                "name": "semantic duplicates, exact",
                "against": "all pairs by blocked matrix product",
                "size": f"{count} vectors",
                "ratio": round(middle, 3),
                "low": round(min(ratios), 3),
                "high": round(max(ratios), 3),
                "bar": bar,
                "holds": recall >= RECALL and (bar is None or middle <= bar),
            }
        )
    few, many = min(times), max(times)
    print(f"semantic duplicates: growth exponent {math.log(times[many] / times[few]) / math.log(many / few):.2f}")
    return rows
