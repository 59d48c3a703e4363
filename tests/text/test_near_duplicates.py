"""Near-duplicates are exactly those of a loop over all pairs, whatever the texts, the settings and the order of rows."""

from __future__ import annotations

import functools
import itertools
import os
import random
import shutil
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from tests.benchmarks.corpora import made_corpus

from reversegen.config.task import Deduplication
from reversegen.text import near_duplicates as module
from reversegen.text.near_duplicates import near_any, near_duplicates, similar_pairs

PUBLISHED = Deduplication(ngram=1, threshold=0.78)
TINY = Deduplication(ngram=3, threshold=0.85)
SCRIPTS = Path(__file__).parents[2] / "scripts"


@functools.lru_cache(maxsize=10_000)
def ngrams(text: str, ngram: int) -> frozenset[tuple[str, ...]]:
    words = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split()
    return frozenset(tuple(words[i : i + ngram]) for i in range(max(1, len(words) - ngram + 1)))


def similarity(one: str, other: str, ngram: int) -> float:
    a, b = ngrams(one, ngram), ngrams(other, ngram)
    return len(a & b) / len(a | b)


def pairs_of_all(texts: list[str], settings: Deduplication) -> set[tuple[int, int]]:
    numbered = enumerate(texts)
    return {
        (n, m)
        for (m, other), (n, one) in itertools.combinations(numbered, 2)
        if similarity(one, other, settings.ngram) >= settings.threshold
    }


def hostile_texts(rng: random.Random, count: int) -> list[str]:
    """Texts of few or many words: repeats, equal sets in other orders, subsets, empty texts, other cases and letter forms."""
    words = ["a", "B", "b", "ß", "ss", "ﬁ", "fi", "é", "e\u0301", *(f"w{n}" for n in range(rng.choice([1, 20, 200])))]
    texts: list[str] = []
    while len(texts) < count:
        if texts and rng.random() < 0.5:
            earlier = rng.choice(texts).split()
            for _ in range(rng.randint(0, 3)):
                earlier.insert(rng.randint(0, len(earlier)), rng.choice(words))
            del earlier[: rng.randint(0, 2)]
            rng.shuffle(earlier) if rng.random() < 0.3 else None
            texts.append("  ".join(earlier).upper())
        else:
            texts.append(" ".join(rng.choices(words, k=rng.choice([0, 1, 2, 5, 30, 90]))))
    return texts


@pytest.mark.parametrize("seed", range(40))
def test_similar_pairs_are_those_of_a_loop_over_all_pairs(seed: int) -> None:
    rng = random.Random(seed)
    texts = hostile_texts(rng, 70)
    threshold = rng.choice([0.001, 0.1, 0.25, 1 / 3, 0.5, 0.6, 2 / 3, 0.75, 0.78, 0.8, 0.85, 0.9, 1.0, rng.random()])
    settings = Deduplication(ngram=rng.choice([1, 1, 2, 3, 5]), threshold=threshold or 1.0)
    found = [(later, earlier) for later, earlier in similar_pairs(texts, settings).tolist()]
    assert len(found) == len(set(found))
    assert set(found) == pairs_of_all(texts, settings)


@pytest.mark.parametrize("seed", range(20))
def test_a_dropped_text_names_the_first_similar_kept_text(seed: int) -> None:
    rng = random.Random(seed)
    texts = {f"{rng.getrandbits(64):016x}": text for text in hostile_texts(rng, 80)}
    settings = Deduplication(ngram=rng.choice([1, 2, 3]), threshold=rng.choice([0.3, 0.5, 0.78, 1.0]))
    kept: list[str] = []
    expected = {}
    for identity in sorted(texts):
        similar = [k for k in kept if similarity(texts[identity], texts[k], settings.ngram) >= settings.threshold]
        if similar:
            expected[identity] = similar[0]
        else:
            kept.append(identity)
    assert near_duplicates(texts, settings) == expected
    items = list(texts.items())
    rng.shuffle(items)
    assert near_duplicates(dict(items), settings) == expected


@pytest.mark.parametrize("seed", range(20))
def test_a_text_is_near_any_if_a_loop_finds_a_similar_one(seed: int) -> None:
    rng = random.Random(seed)
    texts = hostile_texts(rng, 90)
    texts, others = texts[:60], texts[60:]
    settings = Deduplication(ngram=rng.choice([1, 2, 3]), threshold=rng.choice([0.3, 0.5, 0.78, 1.0]))
    expected = [
        any(similarity(text, other, settings.ngram) >= settings.threshold for other in others) for text in texts
    ]
    assert near_any(texts, others, settings) == expected


@pytest.mark.parametrize("settings", [PUBLISHED, TINY], ids=["published", "tiny"])
def test_pairs_of_a_corpus_equal_an_independent_join_in_any_order_of_rows(settings: Deduplication) -> None:
    from SetSimilaritySearch import all_pairs

    texts = made_corpus(3000).texts
    sets = [ngrams(text, settings.ngram) for text in texts]
    expected = {
        (min(a, b), max(a, b))
        for a, b, _ in all_pairs(sets, similarity_func_name="jaccard", similarity_threshold=settings.threshold)
    }
    assert len(expected) > 30
    for order in (np.arange(3000), np.random.default_rng(0).permutation(3000)):
        pairs = order[similar_pairs([texts[n] for n in order], settings)]
        assert {(min(a, b), max(a, b)) for a, b in pairs.tolist()} == expected


def test_planted_duplicates_of_known_truth_are_found() -> None:
    corpus = made_corpus(4000, random_seed=1)
    pairs = {(later, earlier) for later, earlier in similar_pairs(corpus.texts, PUBLISHED).tolist()}
    by_kind: dict[str, list[bool]] = {}
    for planted in corpus.planted:
        hit = (planted.variant, planted.original) in pairs
        assert hit == (similarity(corpus.texts[planted.variant], corpus.texts[planted.original], 1) >= 0.78)
        by_kind.setdefault(planted.kind, []).append(hit)
    assert all(by_kind["reordered"])  # they have the same words
    assert all(by_kind["one_word"])  # one of at least twelve words differs
    assert 0 < sum(by_kind["three_words"]) < len(by_kind["three_words"])
    assert all(len(hits) > 150 for hits in by_kind.values())


@pytest.mark.parametrize(
    ("one", "other", "similar"),
    [
        ("a b c d e f g h i j k l m n o p q r s t", "a b c d e f g h i j k l m n o p q r s z", True),  # 19 of 21
        ("a b c d e f g h i j", "a b c d e f g h y z", False),  # 8 of 12
        ("a b c d e f g", "a b c d e f g h i", False),  # 7 of 9, just below
        ("a b c d", "D  C B\nA", True),
        ("a b c d", "a a b b c c d d", True),
        ("a b c d", "ab cd", False),
        ("", " \n", True),
        ("", "a", False),
    ],
)
def test_similarity_is_a_share_of_words_counted_by_hand(one: str, other: str, similar: bool) -> None:
    assert near_duplicates({"1": one, "2": other}, PUBLISHED) == ({"2": "1"} if similar else {})
    assert near_any([one], [other], PUBLISHED) == [similar]


@pytest.mark.parametrize("threshold", [0.001, 0.5, 0.9, 0.99, 1.0])
def test_exact_copies_are_found_and_shorter_texts_repeat_only_equal_texts(threshold: float) -> None:
    settings = Deduplication(ngram=2, threshold=threshold)
    texts = {"1": "one and two", "2": "three or four", "3": "ONE  and two", "4": "five", "5": "Five", "6": "five six"}
    assert near_duplicates(texts, settings) == {"3": "1", "5": "4"}


def test_no_texts_have_no_duplicates() -> None:
    assert near_duplicates({}, PUBLISHED) == {}
    assert similar_pairs([], PUBLISHED).shape == (0, 2)
    assert near_any([], ["a"], PUBLISHED) == []
    assert near_any(["a", ""], [], PUBLISHED) == [False, False]


def test_the_least_shared_count_agrees_with_the_division() -> None:
    for threshold in (0.07, 1 / 3, 0.5, 0.78, 0.8, 0.9, 1.0):
        shared = module._least_shared(threshold, 400)
        for total in range(2, 401):
            enough = [n for n in range(1, total // 2 + 1) if n / (total - n) >= threshold]
            assert shared[total] == min(enough, default=(total + 1) // 2)


@pytest.mark.slow
def test_a_proposer_that_writes_only_one_text_costs_no_quadratic_time() -> None:
    """100,000 variants of one text have 5,000,000,000 pairs, which no loop compares in 8 seconds."""
    near_duplicates({"1": "a b", "2": "b a"}, PUBLISHED)  # compiles
    words = [f"w{n}" for n in range(40)]
    texts = {f"{n:06d}": " ".join([*words, f"x{n}"]) for n in range(100_000)}
    started = time.process_time()
    duplicates = near_duplicates(texts, PUBLISHED)
    assert time.process_time() - started < 8
    assert len(duplicates) == 99_999
    assert set(duplicates.values()) == {"000000"}


@pytest.mark.slow
@pytest.mark.parametrize("writable", [True, False])
def test_it_runs_from_a_checkout_that_cannot_be_written(tmp_path: Path, writable: bool) -> None:
    """With a cache in another folder, or without a cache: numba refuses to compile if it finds no place for its cache."""
    copied = shutil.copytree(SCRIPTS, tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    (copied / "reversegen/text/__pycache__").write_text("numba cannot make a folder here, not even as root")
    cache = tmp_path / "cache"
    if not writable:
        cache.write_text("nor here")
    program = (
        "from reversegen.config.task import Deduplication as D; from reversegen.text.near_duplicates import near_duplicates\n"
        "print(near_duplicates({'1': 'a b', '2': 'b a'}, D(ngram=1, threshold=1)))"
    )
    places = {"PYTHONPATH": str(copied), "XDG_CACHE_HOME": str(cache), "HOME": str(cache)}
    environment = {**os.environ, **places, "NUMBA_OPT": "0"}  # compiles faster
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("{'2': '1'}\n", 0), done.stderr
    if writable:
        assert list(cache.rglob("*.nbi"))
