"""Exact Self-BLEU: BLEU of each text against all others, in time and memory that grow as a sort does.

BLEU-n (Papineni et al., ACL 2002) of a text needs three numbers, and none of them needs a comparison of two texts:

- The largest count of each n-gram in any other text. The largest and the second largest count of an n-gram over all texts
  are enough: the second is used for a text that alone has the largest. An n-gram of only one text has no match. A longer
  n-gram that holds it has none either, so both are left out of the higher orders.
- The length of another text that is closest to its own, or the shorter of two equally close lengths. It is a neighbour among
  the sorted lengths.
- The number of its own n-grams.

The places in the texts are sorted by their n-grams. The (n+1)-gram of a place is its n-gram and the n-gram at the next place.
The sorted places, each minus one, are in the order of the n-gram that follows them. So one stable sort by their own n-gram
gives the order for n+1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reversegen.text.tokens import Tokens

ORDERS = (2, 3, 4, 5)
"""The orders of the published metric, which is the mean of BLEU-2 to BLEU-5 (Texygen, Zhu et al., arXiv 1802.01886)."""
EPSILON = 0.1
"""Replaces a count of zero matches: method 1 of Chen and Cherry, WMT 2014, with the value of NLTK's SmoothingFunction."""

Ints = npt.NDArray[np.int64]


def self_bleu(tokens: Tokens) -> float:
    """Mean over the orders 2 to 5 of the mean BLEU of a text against all others; between 0 and 1, lower is more diverse.

    Raises ValueError for fewer than two texts.
    """
    return float(bleu_against_others(tokens).mean())


def bleu_against_others(tokens: Tokens) -> npt.NDArray[np.float64]:
    """BLEU of each text against all others, shape (texts, 4): one column for each of the ORDERS.

    The values are those of NLTK's `sentence_bleu(others, text, (1 / n,) * n, SmoothingFunction().method1)`. A text that
    shares no word with the others, such as an empty text, has 0. Raises ValueError for fewer than two texts.
    """
    lengths = np.diff(tokens.starts)
    if len(lengths) < 2:
        raise ValueError(f"Self-BLEU compares texts with each other: {len(lengths)} given, at least 2 needed")
    matches = _clipped_matches(tokens)
    possible = np.maximum(lengths - np.arange(ORDERS[-1])[:, None], 1)
    precisions = np.where(matches == 0, EPSILON, matches) / possible
    means = np.cumsum(np.log(precisions), axis=0) / np.arange(1, ORDERS[-1] + 1)[:, None]
    bleu = np.exp(means[np.array(ORDERS) - 1]) * _brevity_penalty(lengths)
    return np.where(matches[0] == 0, 0.0, bleu).T


def _brevity_penalty(lengths: Ints) -> npt.NDArray[np.float64]:
    """The brevity penalty of each text against the closest length of another text; the shorter of two has no penalty."""
    order = np.argsort(lengths, kind="stable")
    ranked = lengths[order]
    before, after = np.empty_like(ranked), np.empty_like(ranked)
    before[1:], before[0] = ranked[:-1], ranked[1]
    after[:-1], after[-1] = ranked[1:], ranked[-2]
    closest = np.empty_like(ranked)
    closest[order] = np.where(ranked - before <= after - ranked, before, after)
    return np.exp(np.minimum(0, 1 - closest / np.maximum(lengths, 1)))


def _clipped_matches(tokens: Tokens) -> Ints:
    """Number of n-grams of each text that another text matches, clipped at the largest count in one text; shape (5, texts)."""
    count = len(tokens.starts) - 1
    # a place without a word follows each text, so that no n-gram spans two texts
    text_of = np.repeat(np.arange(count, dtype=np.int32), np.diff(tokens.starts) + 1)
    place = np.arange(len(tokens.ids), dtype=np.int32)
    place += np.repeat(np.arange(count, dtype=np.int32), np.diff(tokens.starts))
    gram = np.full(
        len(text_of), -1, dtype=np.int32
    )  # the number of the n-gram at each place, -1 without an n-gram that can match
    gram[place] = tokens.ids
    matches = np.zeros((ORDERS[-1], count), dtype=np.int64)
    for order in range(ORDERS[-1]):
        # the key in the upper bits, the rank in the lower: a sort of plain integers, which is fast on sorted runs
        key_and_rank = gram[place].astype(np.int64) << 32
        key_and_rank |= np.arange(len(place))
        key_and_rank.sort(kind="stable")
        place = place[key_and_rank & 0xFFFFFFFF]
        begins = _changes(key_and_rank >> 32)
        if order:
            begins |= _changes(gram[place + 1])
        text = text_of[place]
        runs = np.flatnonzero(begins | _changes(text))  # each of one n-gram in one text
        run_counts = np.diff(runs, append=len(place))
        gram_runs = np.flatnonzero(begins[runs])
        shared = np.diff(gram_runs, append=len(runs)) > 1
        gram_counts = np.diff(runs[gram_runs], append=len(place))
        matched = np.repeat(shared, gram_counts)
        matches[order] = np.bincount(text[matched], minlength=count)

        # only a text that alone has the largest count of an n-gram has more of it than another text matches
        run_gram = np.cumsum(begins[runs]) - 1
        often = np.flatnonzero((run_counts > 1) & shared[run_gram])
        often = often[np.lexsort((-run_counts[often], run_gram[often]))]
        first = _changes(run_gram[often])
        second = np.where(first[1:], 1, run_counts[often[1:]])
        excess = run_counts[often] - np.append(second, 1)
        np.subtract.at(matches[order], text[runs[often[first]]], excess[first])

        place = place[matched]
        gram.fill(-1)
        gram[place] = np.repeat(np.arange(shared.sum(), dtype=np.int32), gram_counts[shared])
        place = place - 1  # now sorted by the n-gram that follows
        place = place[gram[place] >= 0]
    return matches


def _changes(values: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Whether each value differs from the one before it; True for the first."""
    changed = np.ones(len(values), dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=changed[1:])
    return changed
