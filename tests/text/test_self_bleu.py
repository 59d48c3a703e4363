"""Self-BLEU equals NLTK's, text by text, on corpora that are made to break its shortcuts."""

from __future__ import annotations

import random
import tracemalloc
import warnings

import numpy as np
import pytest
from tests.benchmarks.corpora import made_corpus

from reversegen.text.self_bleu import ORDERS, bleu_against_others, self_bleu
from reversegen.text.tokens import Tokens, tokenise


def numbered(texts: list[list[int]]) -> Tokens:
    ids = np.array([token for text in texts for token in text], dtype=np.int32)
    return Tokens(ids, np.cumsum([0, *map(len, texts)]))


def nltk_bleu(texts: list[list[int]]) -> np.ndarray:
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    smooth, weights = SmoothingFunction().method1, [(1 / n,) * n for n in ORDERS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the warnings about texts without a match
        return np.array(
            [sentence_bleu(texts[:i] + texts[i + 1 :], text, weights, smooth) for i, text in enumerate(texts)]
        )


def check(texts: list[list[int]]) -> None:
    np.testing.assert_allclose(bleu_against_others(numbered(texts)), nltk_bleu(texts), rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(300))
def test_it_equals_nltks_on_random_corpora(seed: int) -> None:
    """Few words, so that n-grams repeat within and between texts; equally close lengths; duplicates; empty texts."""
    rng = random.Random(seed)
    words, longest = rng.randint(1, 10), rng.choice([3, 8, 20])
    texts = [[rng.randrange(words) for _ in range(rng.randint(0, longest))] for _ in range(rng.randint(2, 12))]
    texts += [list(rng.choice(texts)) for _ in range(rng.randint(0, 3))]
    check(texts)


@pytest.mark.parametrize(
    "texts",
    [
        [[0] * 8, [0] * 10, [0] * 12],  # two lengths are equally close: the shorter has no penalty
        [[0] * 10, [0] * 12, [0] * 12],  # all others are longer
        [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]],  # equal texts
        [[0, 0, 0, 1], [0, 2], [0, 0, 3]],  # one text has the largest count of a word: the second largest matches
        [[0, 0, 0], [0, 0, 0], [0]],  # two texts have the largest count: all of it matches
        [[0, 0, 0, 0], [1, 0, 1], [0, 1]],  # the other texts have the word once each
        [[0, 1, 2], [3, 4, 5]],  # no common word
        [[], []],
        [[], [0, 1], [0, 1]],
        [[0], [0]],  # no n-gram of two words
        [[0, 1], [1, 0], [0, 1, 0, 1, 0, 1]],  # an n-gram that overlaps itself
        [[0, 1, 2], [2, 3, 0], [1, 2, 2, 3]],  # no n-gram spans two texts
    ],
)
def test_it_equals_nltks_on_corpora_made_by_hand(texts: list[list[int]]) -> None:
    check(texts)
    check(texts[::-1])


def test_it_equals_nltks_on_written_texts_in_any_order() -> None:
    texts = made_corpus(60).texts
    tokens = tokenise(texts, processes=1)
    lists = [part.tolist() for part in np.split(tokens.ids, tokens.starts[1:-1])]
    expected = nltk_bleu(lists)
    np.testing.assert_allclose(bleu_against_others(tokens), expected, rtol=0, atol=1e-12)
    assert self_bleu(tokens) == pytest.approx(expected.mean(), abs=1e-12)
    order = np.random.default_rng(0).permutation(len(texts))
    shuffled = tokenise([texts[n] for n in order], processes=1)
    np.testing.assert_allclose(bleu_against_others(shuffled), expected[order], rtol=0, atol=1e-12)


def test_equal_texts_score_one_and_texts_without_a_common_word_score_zero() -> None:
    assert self_bleu(numbered([[0, 1, 2, 3, 4, 5]] * 3)) == 1.0
    assert self_bleu(numbered([[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]])) == 0.0


@pytest.mark.parametrize("texts", [[], [[0, 1]]])
def test_fewer_than_two_texts_cannot_be_compared(texts: list[list[int]]) -> None:
    with pytest.raises(ValueError, match=f"{len(texts)} given, at least 2 needed"):
        self_bleu(numbered(texts))


def test_memory_grows_with_the_texts_not_with_their_pairs() -> None:
    peaks = []
    for size in (2000, 8000):
        tokens = tokenise_by_space(made_corpus(size).texts)
        tracemalloc.start()
        self_bleu(tokens)
        peaks.append(tracemalloc.get_traced_memory()[1] / len(tokens.ids))
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
    assert max(peaks) < 200  # bytes for each token; 200,000 texts of 29 tokens stay below 1.5 GB


def tokenise_by_space(texts: list[str]) -> Tokens:
    known: dict[str, int] = {}
    return numbered([[known.setdefault(word, len(known)) for word in text.split()] for text in texts])
