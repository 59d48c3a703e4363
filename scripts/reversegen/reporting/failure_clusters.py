"""Failure clusters: failing instructions grouped by meaning. Each group is named by the terms that set it apart."""

from __future__ import annotations

import logging
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from reversegen.core.failure_records import Cluster, Failure
from reversegen.ids import hashed_seed
from reversegen.reporting.failures import JudgedInstructions
from reversegen.text.embeddings import Embeddings, Vectors
from reversegen.text.words import PUNCTUATION, spaced

log = logging.getLogger("reversegen")

Numbers = npt.NDArray[np.int64]

COMBINING = "".join(c for c in map(chr, range(0x300, 0x20000)) if unicodedata.category(c)[0] == "M")
"""Vowel signs and accents. They belong to the letter before them."""
TOKEN = re.compile(rf"[^\W\d_]+(?:[{COMBINING}]+[^\W\d_]*)*|\d+|[^\w\s]")
"""A word, a number or a mark: the units that tf-idf counts. All numbers count as the same unit."""
NO_TERM = {*".,;:?!'\"()[]{}0", *PUNCTUATION}
"""Marks and the unit for numbers. They never name a cluster."""
LONGEST_TERM = 30
"""Number of characters of a term; a longer word is truncated."""
TERMS, EXAMPLES = 8, 5
"""Numbers of terms and of examples of a cluster."""
FEATURES, DIMENSIONS = 4096, 64
"""Number of words and pairs of words that tf-idf keeps, and the number of dimensions to which latent semantic analysis
(Deerwester et al. 1990) reduces them."""
SAMPLE = 5000
"""Number of failing instructions that decide the centres. Every instruction then belongs to the nearest centre."""
COUNTS = (4, 6, 8, 12, 16, 24)
"""Numbers of clusters to try, no more than a person can read. A number is tried if each cluster could have FEWEST instructions;
if none is, there is one cluster."""
FEWEST = 5
BLOCK = 4096
"""Number of vectors that are processed at once."""


def make_failure_clusters(
    judged: JudgedInstructions, embeddings: Embeddings | None, harmful: bool, random_seed: int
) -> tuple[list[Cluster], list[Failure]]:
    """The clusters, largest first, and every failing instruction with its cluster. If `harmful`, the texts are left out.

    Instructions are compared by their embeddings if the task has a model for them, else by tf-idf reduced to DIMENSIONS.
    The centres come from k-means on a seeded SAMPLE of the failing instructions. Their number is the one of COUNTS with the
    best silhouette (Rousseeuw 1987). Passed instructions belong to the nearest centre too, so that a cluster has a failure
    rate.
    """
    from threadpoolctl import threadpool_limits

    start = time.perf_counter()
    if not judged.failures:
        return [], []
    texts = [str(failure.text) for failure in judged.failures.values()]
    with threadpool_limits(1):  # with several threads, the last bits of sums differ from run to run
        if embeddings is None:
            failed, passed = _tf_idf(texts, list(judged.passes.values()), random_seed)
        else:
            failed, passed = embeddings.vectors_of(list(judged.failures)), embeddings.vectors_of(list(judged.passes))
        centres = _centres(failed, random_seed)
        failed_cluster, distances = _nearest(failed, centres)
        order = np.argsort(-np.bincount(failed_cluster, minlength=len(centres)), kind="stable")  # largest first
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        failed_cluster, passed_cluster = rank[failed_cluster], rank[_nearest(passed, centres)[0]]
    terms = _terms(texts, failed_cluster, len(centres))
    clusters = _clusters(
        judged, failed_cluster, passed_cluster, distances, terms, "tf-idf" if embeddings is None else "embeddings"
    )
    log.info(
        "%d failing and %d passed instructions: %d clusters by %s in %.1f s",
        len(texts), len(judged.passes), len(clusters), clusters[0].vectors, time.perf_counter() - start,
    )  # fmt: skip
    masked = {"text": None, "response": None, "reference": None} if harmful else {}
    return clusters, [
        failure.model_copy(update={"cluster": cluster, **masked})
        for failure, cluster in zip(judged.failures.values(), failed_cluster.tolist(), strict=True)
    ]


def _clusters(
    judged: JudgedInstructions,
    failed_cluster: Numbers,
    passed_cluster: Numbers,
    distances: Vectors,
    terms: Sequence[Sequence[str]],
    vectors: Literal["embeddings", "tf-idf"],
) -> list[Cluster]:
    """The record of each cluster, from the cluster of each failing and passed instruction.

    `distances` are the distances of failing instructions from their centres.
    """
    ids, passed_ids = list(judged.failures), list(judged.passes)
    cluster_of_failed = dict(zip(ids, failed_cluster.tolist(), strict=True))
    cluster_of_passed = dict(zip(passed_ids, passed_cluster.tolist(), strict=True))
    failed = [Counter(cluster_of_failed[i] for i in iteration) for iteration in judged.failed_by_iteration]
    passed, abstained = (
        [Counter(cluster_of_passed[i] for i in iteration if i in cluster_of_passed) for iteration in by_iteration]
        for by_iteration in (judged.passed_by_iteration, judged.abstained_by_iteration)
    )
    abstentions = Counter(cluster_of_passed[i] for i in judged.abstentions)
    clusters = []
    for n in range(len(terms)):
        members = np.flatnonzero(failed_cluster == n)
        if not len(members):
            continue  # a centre of k-means may be nearest to no instruction; such centres come last
        nearest = members[np.lexsort((np.array(ids)[members], distances[members].round(5)))][:EXAMPLES]
        clusters.append(
            Cluster(
                number=n,
                label=", ".join(terms[n][:4]) or f"cluster {n + 1}",
                terms=list(terms[n]),
                vectors=vectors,
                failed=len(members),
                passed=int((passed_cluster == n).sum()),
                abstained=abstentions[n],
                failed_by_iteration=[counts[n] for counts in failed],
                passed_by_iteration=[counts[n] for counts in passed],
                abstained_by_iteration=[counts[n] for counts in abstained],
                examples=[ids[m] for m in nearest],
                groups=_groups([judged.failures[ids[m]] for m in members]),
            )
        )
    return clusters


def _groups(failures: Sequence[Failure]) -> dict[str, int]:
    """The number of failures of each group, largest first, and by name if equal."""
    counts = Counter(failure.group for failure in failures if failure.group)
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def tokens(text: str) -> list[str]:
    """The words (see `words.py`), marks and numbers of a text in lower case, with 0 for every number."""
    return ["0" if token.isdecimal() else token[:LONGEST_TERM] for token in TOKEN.findall(spaced(text.lower()))]


def _tf_idf(failed: Sequence[str], passed: Sequence[str], random_seed: int) -> tuple[Vectors, Vectors]:
    """Unit vectors of both, by words and pairs of words. A sample of the failing instructions decides the space.

    Their shape is (instructions, DIMENSIONS), or (instructions, words and pairs) if there are at most DIMENSIONS of either.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    words = TfidfVectorizer(
        analyzer=_words_and_pairs, max_features=FEATURES, sublinear_tf=True, dtype=np.float32, min_df=1
    )
    sample = _sample(np.array(failed, dtype=object), 4 * SAMPLE, random_seed)
    fitted = words.fit_transform(sample)
    sparse = words.transform(failed) if len(sample) < len(failed) else fitted
    sparse_passed = words.transform(passed) if passed else sparse[:0]
    if fitted.shape[1] <= DIMENSIONS or len(failed) <= DIMENSIONS:
        return sparse.toarray(), sparse_passed.toarray()
    reduction = TruncatedSVD(DIMENSIONS, n_iter=4, random_state=_state(random_seed, "reduction")).fit(fitted)
    parts = [_in_blocks(rows, lambda block: normalize(reduction.transform(block))) for rows in (sparse, sparse_passed)]
    return parts[0], parts[1]


def _words_and_pairs(text: str) -> list[str]:
    words = tokens(text) or [text]  # a text that is all white space counts as one word
    return words + [f"{word} {following}" for word, following in pairwise(words)]


def _in_blocks(rows: Any, vectors_of: Any) -> Vectors:
    parts = [vectors_of(rows[n : n + BLOCK]) for n in range(0, rows.shape[0], BLOCK)]
    return np.concatenate(parts).astype(np.float32) if parts else np.empty((0, DIMENSIONS), np.float32)


def _centres(vectors: Vectors, random_seed: int) -> Vectors:
    """The centres with the best silhouette, of shape (clusters, dimensions)."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    sample = _sample(vectors, SAMPLE, random_seed)
    different = len(np.unique(sample.round(4), axis=0))
    best, centres = -1.0, sample.mean(axis=0, keepdims=True)
    for count in COUNTS:
        if count * FEWEST > len(sample) or count >= different:
            break
        means = KMeans(count, n_init=2, max_iter=50, random_state=_state(random_seed, "centres")).fit(sample)
        score = silhouette_score(
            sample, means.labels_, sample_size=min(len(sample), 1000), random_state=_state(random_seed, "silhouette")
        )
        if score > best:
            best, centres = score, means.cluster_centers_
    return np.asarray(centres, np.float32)


def _sample(rows: Any, count: int, random_seed: int) -> Any:
    """`count` rows in their order, drawn with the random seed; all rows if there are no more."""
    if rows.shape[0] <= count:
        return rows
    rng = np.random.default_rng(hashed_seed(random_seed, "atlas"))
    return rows[np.sort(rng.choice(rows.shape[0], size=count, replace=False))]


def _state(random_seed: int, what: str) -> int:
    return hashed_seed(random_seed, "atlas", what) % 2**32


def _nearest(vectors: Vectors, centres: Vectors) -> tuple[Numbers, Vectors]:
    """The number of the nearest centre of each vector, and its squared distance less the square of the vector itself."""
    numbers, distances = np.empty(len(vectors), np.int64), np.empty(len(vectors), np.float32)
    squares = (centres**2).sum(axis=1)
    for n in range(0, len(vectors), BLOCK):
        block = squares - 2 * (vectors[n : n + BLOCK] @ centres.T)
        numbers[n : n + BLOCK], distances[n : n + BLOCK] = block.argmin(axis=1), block.min(axis=1)
    return numbers, distances


def _terms(texts: Sequence[str], clusters: Numbers, count: int) -> list[list[str]]:
    """The first TERMS of each cluster by class-based tf-idf (Grootendorst, arXiv 2203.05794, equation 2), without stop words.

    A term is in at least two texts, so that no name of a single text is shown. A single letter is no term unless its script
    writes words without spaces.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    texts_with: Counter[str] = Counter()
    in_cluster: list[Counter[str]] = [Counter() for _ in range(count)]
    for text, cluster in zip(texts, clusters.tolist(), strict=True):
        words = [w for w in tokens(text) if w not in NO_TERM and (len(w) > 1 or not w.isalpha() or spaced(w) != w)]
        texts_with.update(set(words))
        in_cluster[cluster].update(words)
    total = sum(in_cluster, Counter[str]())
    average = total.total() / max(1, count)
    chosen = []
    for counts in in_cluster:
        size = max(1, counts.total())
        scores = {
            word: n / size * np.log(1 + average / total[word])
            for word, n in counts.items()
            if texts_with[word] > 1 and word not in ENGLISH_STOP_WORDS
        }
        chosen.append(sorted(scores, key=lambda word: (-scores[word], word))[:TERMS])
    return chosen
