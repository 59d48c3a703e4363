"""How diverse the instructions of a proposer are, and the alarm for a collapse of diversity.

These metrics depend on the number of texts, so they are measured on a seeded sample of fixed size.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from reversegen.config.task import Alarm
from reversegen.core.metric import Metric
from reversegen.ids import hashed_seed, normalise
from reversegen.kinds.base import Kind
from reversegen.text.embeddings import Vectors
from reversegen.text.self_bleu import ORDERS, self_bleu
from reversegen.text.semantic_duplicates import nearest
from reversegen.text.tokens import tokenise
from reversegen.text.words import words

SEMANTIC = ("semantic_diversity", "vendi_score", "seed_coverage", "largest_cluster")
LEXICAL = ("unique_share", "distinct_1", "distinct_2", "distinct_3", "distinct_4", "ngram_entropy", "self_bleu")
MOST = ("largest_cluster", "self_bleu")
"""The metrics that an alarm limits from above; it limits all others from below."""
ENTROPY_ORDER = 4
"""Number of words in the n-grams of `ngram_entropy`: Ent-4 of Zhang et al. (arXiv 1809.05972)."""
FEW = "diversity compares texts: fewer than two are given"
COVERAGE_NEIGHBOURS = 5
"""The k of coverage, as published (Naeem et al., arXiv 2002.09797, section 4)."""


def choose_texts(count: int, sample: int, random_seed: int) -> list[int]:
    """Numbers of the `sample` texts, of `count`, on which diversity is measured; empty if there are fewer than `sample`."""
    if count < sample:
        return []
    return random.Random(hashed_seed(random_seed, "diversity")).sample(range(count), sample)


def lexical_diversity(texts: Sequence[str], kind: Kind) -> dict[str, Metric]:
    """Diversity of texts by their words (`words.py`) and types; all null, with the reason, for fewer than two texts.

    `unique_share` is distinct texts over texts, and `distinct_n` is distinct word n-grams over word n-grams (Li et al., arXiv
    1510.03055). `ngram_entropy` is the entropy of the 4-grams, `type_entropy` the entropy of the types, both in nats.
    `self_bleu` is the published measure, of each text against all others. A metric is also null if its value would not
    depend on the texts: a single n-gram, or a single text with a type, always has share 1 and entropy 0, and texts too short
    for BLEU of the highest order have no matches.
    """
    metrics = dict.fromkeys((*LEXICAL, "type_entropy"), Metric(value=None, reason=FEW))
    if len(texts) < 2:
        return metrics
    distinct = len(set(map(normalise, texts)))
    metrics["unique_share"] = Metric(value=_round(distinct / len(texts)), count=distinct, total=len(texts))
    cut = list(map(words, texts))
    for n in range(1, 5):
        grams = Counter(tuple(tokens[i : i + n]) for tokens in cut for i in range(len(tokens) - n + 1))
        null = Metric(value=None, reason=f"the texts have {grams.total()} {n}-grams of words, fewer than two")
        value = _round(len(grams) / max(1, grams.total()))
        enough = grams.total() > 1
        metrics[f"distinct_{n}"] = Metric(value=value, count=len(grams), total=grams.total()) if enough else null
        if n == ENTROPY_ORDER:
            metrics["ngram_entropy"] = Metric(value=_round(entropy(grams))) if enough else null
    tokens = tokenise(texts, processes=1)
    long = int((np.diff(tokens.starts) >= ORDERS[-1]).sum())
    few = f"{long} texts have {ORDERS[-1]} words, as BLEU-{ORDERS[-1]} needs: fewer than two"
    metrics["self_bleu"] = Metric(value=_round(self_bleu(tokens))) if long > 1 else Metric(value=None, reason=few)
    types = Counter(group for text in texts if (group := kind.group(text)))
    few = f"{types.total()} texts have a type, fewer than two"
    metrics["type_entropy"] = (
        Metric(value=_round(entropy(types))) if types.total() > 1 else Metric(value=None, reason=few)
    )
    return metrics


def semantic_metrics(vectors: Vectors, seeds: Vectors, eps: float) -> dict[str, Metric]:
    """Diversity of texts by the meaning of their unit vectors; all null for fewer than two texts.

    `largest_cluster` is the share of the largest group of texts that chains of cosines above 1 - eps connect.
    `seed_coverage` is the share of seeds with a text nearby, and null if there are too few seeds.
    """
    metrics = dict.fromkeys(SEMANTIC, Metric(value=None, reason=FEW))
    if len(vectors) < 2:
        return metrics
    largest, total = largest_cluster(vectors, eps), len(vectors)
    metrics["semantic_diversity"] = Metric(value=_round(semantic_diversity(vectors)))
    metrics["vendi_score"] = Metric(value=_round(vendi_score(vectors)))
    metrics["largest_cluster"] = Metric(value=_round(largest / total), count=largest, total=total)
    few = f"{len(seeds)} seeds to cover, fewer than {COVERAGE_NEIGHBOURS + 1}"
    metrics["seed_coverage"] = Metric(value=None, reason=few)
    if len(seeds) > COVERAGE_NEIGHBOURS:
        covered = seeds_covered(seeds, vectors)
        metrics["seed_coverage"] = Metric(value=_round(covered / len(seeds)), count=covered, total=len(seeds))
    return metrics


def entropy(counts: Counter[str] | Counter[tuple[str, ...]]) -> float:
    """Shannon entropy of the distribution that counts give, in nats."""
    return -sum(n / counts.total() * math.log(n / counts.total()) for n in counts.values())


def semantic_diversity(vectors: Vectors) -> float:
    """Mean cosine distance of all pairs of n unit vectors e: 1 - (|sum e|^2 - sum |e|^2) / (n (n - 1)), in linear time."""
    count, wide = len(vectors), vectors.astype(np.float64)
    total = wide.sum(axis=0)
    return float(1 - (total @ total - (wide * wide).sum()) / (count * (count - 1)))


def vendi_score(vectors: Vectors) -> float:
    """The effective number of different texts (Friedman and Dieng, arXiv 2210.02410), with the cosine as similarity.

    It is exp of the entropy of the eigenvalues of K / n, where K holds the similarities. The n x n and the d x d product have
    the same eigenvalues except for zeros, so the smaller product is used.
    """
    wide = vectors.astype(np.float64)
    product = wide @ wide.T if len(wide) < wide.shape[1] else wide.T @ wide
    shares = np.linalg.eigvalsh(product / np.trace(product))
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def largest_cluster(vectors: Vectors, eps: float) -> int:
    """Number of texts in the largest connected component of the graph of cosines above 1 - eps."""
    similar = vectors @ vectors.T > 1 - eps
    np.fill_diagonal(similar, True)
    remaining, largest = np.ones(len(vectors), bool), 0
    while remaining.any():
        reached = np.zeros(len(vectors), bool)
        reached[remaining.argmax()] = True
        while (grown := np.logical_or.reduce(similar[reached])).sum() > reached.sum():
            reached = grown
        largest = max(largest, int(reached.sum()))
        remaining &= ~reached
    return largest


def seeds_covered(seeds: Vectors, vectors: Vectors) -> int:
    """Number of seeds with a text no farther than their k-th nearest other seed, k = 5 (coverage, arXiv 2002.09797)."""
    cosines = seeds @ seeds.T
    np.fill_diagonal(cosines, -np.inf)
    reach = np.partition(cosines, -COVERAGE_NEIGHBOURS, axis=1)[:, -COVERAGE_NEIGHBOURS]
    return int((nearest(seeds, vectors) >= reach).sum())


def alarms(metrics: Mapping[str, Metric], alarm: Alarm) -> list[str]:
    """One sentence for each broken limit of diversity. A metric that was not measured breaks no limit."""
    reasons = []
    for name, limit in alarm.model_dump(exclude={"action", "judge_gap"}).items():
        value = metrics[name].value if name in metrics else None
        if limit is not None and value is not None and (value > limit if name in MOST else value < limit):
            reasons.append(f"{name} is {value}, {'higher' if name in MOST else 'lower'} than {limit}")
    return reasons


def _round(value: float) -> float:
    return round(float(value), 6)
