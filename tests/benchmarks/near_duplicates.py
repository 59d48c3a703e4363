"""Near-duplicates beside MinHash: rensa's raw candidates, and datasketch's with its default settings.

Ours are compared with the truth. Every pair that they contain must have the similarity. They must contain every planted pair
with that similarity, and every such pair of a sample of texts with any other text, counted by a product of sparse matrices.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
from datasketch import MinHash, MinHashLSH
from rensa import RMinHash, RMinHashLSH
from tests.benchmarks.corpora import Corpus, made_corpus, real_corpora, written_corpora
from tests.benchmarks.timing import exponents, interleaved, ratio_row, seconds, value_row

from reversegen.config.task import Deduplication
from reversegen.text.near_duplicates import similar_pairs

PUBLISHED = Deduplication(ngram=1, threshold=0.78)
PERMUTATIONS, BANDS = 128, 16
SIZES = (10_000, 50_000, 200_000)
SAMPLE = 2000
COLD = """
import os, sys, time
sys.path.insert(0, "scripts")
start = time.perf_counter()
from reversegen.config.task import Deduplication
from reversegen.text.near_duplicates import near_duplicates
near_duplicates({"1": "a b", "2": "b a"}, Deduplication(ngram=1, threshold=0.78))
print(time.perf_counter() - start)
"""


def measure() -> list[dict[str, Any]]:
    """Time beside both libraries, truth, growth, and the wait of a process before its first pair."""
    similar_pairs(["a b", "b a"], PUBLISHED)  # compiled now, or read from the cache
    rows, times = [], {}
    for size in SIZES:
        corpus = made_corpus(size)
        rows += _truth(corpus)
        rounds = 3
        runs = {"ours": lambda c=corpus: similar_pairs(c.texts, PUBLISHED), "rensa": lambda c=corpus: _rensa(c.texts)}
        times[size] = interleaved(runs, rounds)
        label = f"{size:,} made texts"
        rows.append(ratio_row("near-duplicates", "rensa 128/16", label, times[size]["ours"], times[size]["rensa"], 1.2))
    ours, theirs = [], []
    for _ in range(2):
        ours.append(seconds(lambda: similar_pairs(corpus.texts, PUBLISHED)))
        theirs.append(seconds(lambda: _datasketch(corpus.texts)))
    rows.append(ratio_row("near-duplicates", "datasketch 128", label, ours, theirs, 1 / 2.5))
    for few, many in ((SIZES[0], SIZES[1]), (SIZES[1], SIZES[2])):
        span = f"{few:,} to {many:,} texts"
        ours, rensas = (exponents(few, times[few][who], many, times[many][who]) for who in ("ours", "rensa"))
        beside = f"exponent; rensa's is {statistics.median(rensas):.2f}"
        rows.append(value_row("near-duplicates, growth", beside, span, ours, max(statistics.median(rensas), 1.4)))
    for corpus in [*real_corpora(), *written_corpora()]:
        rows += _truth(corpus)
        runs = {"ours": lambda c=corpus: similar_pairs(c.texts, PUBLISHED), "rensa": lambda c=corpus: _rensa(c.texts)}
        one = interleaved(runs, 3)
        label = f"{len(corpus.texts):,} texts, {corpus.name}"
        rows.append(ratio_row("near-duplicates", "rensa 128/16", label, one["ours"], one["rensa"], 1.2))
    return [*rows, _start_up()]


def _rensa(texts: Sequence[str]) -> list[list[int]]:
    """Candidates of each text, in one call for all texts: rensa's fastest way to pairs."""
    hashes = RMinHash.from_token_sets([text.split() for text in texts], PERMUTATIONS, 1)
    index = RMinHashLSH(PUBLISHED.threshold, PERMUTATIONS, BANDS)
    index.insert_many(hashes)
    candidates: list[list[int]] = index.query_all(hashes)
    return candidates


def _datasketch(texts: Sequence[str]) -> list[list[int]]:
    """Candidates of each text among the earlier ones, with the bands that datasketch chooses."""
    index = MinHashLSH(threshold=PUBLISHED.threshold, num_perm=PERMUTATIONS)
    candidates = []
    for n, signature in enumerate(
        MinHash.generator(([w.encode() for w in t.split()] for t in texts), num_perm=PERMUTATIONS)
    ):
        candidates.append(index.query(signature))
        index.insert(n, signature, check_duplication=False)
    return candidates


def _truth(corpus: Corpus) -> list[dict[str, Any]]:
    """Missed pairs over true ones, and false pairs over reported ones; both must be 0."""
    texts = [" ".join(text.lower().split()) for text in corpus.texts]
    pairs = similar_pairs(texts, PUBLISHED)
    reported = {(later, earlier) for later, earlier in pairs.tolist()}
    words = [frozenset(text.split()) for text in texts]

    def similar(a: int, b: int) -> bool:
        return len(words[a] & words[b]) / max(1, len(words[a] | words[b])) >= PUBLISHED.threshold

    false = sum(not similar(a, b) for a, b in reported)
    true = {(p.variant, p.original) for p in corpus.planted if similar(p.variant, p.original)}
    true |= _pairs_of_sample(words)
    missed = len(true - reported)
    print(f"{corpus.name}: {len(reported):,} pairs; {len(true):,} known ones, {missed} missed; {false} false")
    return [
        value_row("near-duplicates, missed", "pairs of known truth", corpus.name, [missed / max(1, len(true))], 0.0),
        value_row("near-duplicates, false", "pairs found", corpus.name, [false / max(1, len(reported))], 0.0),
    ]


def _pairs_of_sample(words: Sequence[frozenset[str]]) -> set[tuple[int, int]]:
    """Pairs of a seeded sample of texts with all texts: shared words by a product of sparse matrices."""
    number = {word: n for n, word in enumerate(sorted(frozenset().union(*words)))}
    columns = [number[word] for of in words for word in of]
    starts = np.cumsum([0, *map(len, words)])
    matrix = scipy.sparse.csr_matrix((np.ones(len(columns), np.int32), columns, starts), (len(words), len(number)))
    sizes = np.diff(starts)
    sample = np.random.default_rng(0).permutation(len(words))[:SAMPLE]
    true = set()
    for rows in np.array_split(sample, 20):
        common = (matrix[rows] @ matrix.T).tocoo()
        one, other = rows[common.row], common.col
        similarity = common.data / (sizes[one] + sizes[other] - common.data)
        for a, b in zip(*(side[similarity >= PUBLISHED.threshold].tolist() for side in (one, other)), strict=True):
            if a != b:
                true.add((max(a, b), min(a, b)))
    return true


def _start_up() -> dict[str, Any]:
    """Seconds to a first pair with the machine code in the cache, over those without it."""
    with tempfile.TemporaryDirectory() as cache:
        program = [sys.executable, "-c", f"import os; os.environ['NUMBA_CACHE_DIR'] = {str(Path(cache))!r}\n{COLD}"]
        cold, warm = (float(subprocess.check_output(program)) for _ in range(2))
    print(f"near-duplicates, start-up: {warm:.2f} s; compiling once: {cold:.2f} s")
    return value_row("near-duplicates, start-up", f"compiling, {cold:.1f} s", f"{warm:.2f} s", [warm / cold], 1.0)
