"""Texts that share most of their word n-grams. The search is exact: it reports no false pair and misses no pair.

The similarity of two texts is the Jaccard index of their sets of word n-grams; in scripts without spaces a character is a word
(`words.py`). A text without a letter or a digit, such as punctuation or emoji, has no words and repeats only equal texts.

Four facts avoid nearly all comparisons. Each rules out only pairs that cannot reach the threshold; for the other pairs the
common n-grams are counted:

- Two sets that share enough n-grams share one of their rarest n-grams. So only prefixes of sets ordered by rarity are indexed
  and looked up (Chaudhuri, Ganti and Kaushik, ICDE 2006; Bayardo, Ma and Srikant, WWW 2007).
- Their sizes are close.
- Their 64-bit signatures, the exclusive or of one bit per n-gram, differ in at most as many bits as the sets differ in n-grams
  (Sandes, Teodoro and Melo, Bitmap filter, 2020). The index holds the signatures, so a candidate costs a few nanoseconds.
- A text that repeats a kept text is not indexed. So a proposer that always writes the same text costs no quadratic time.

The number of n-grams that two sets must share comes from the same division that decides, so rounding decides no pair.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from reversegen.config.task import Deduplication
from reversegen.ids import normalise
from reversegen.text.words import words

Function = TypeVar("Function", bound=Callable[..., Any])
Ints = npt.NDArray[np.int64]

_SAYS = re.compile(r"[^\W_]")
"""A letter or a digit."""


def near_duplicates(texts: Mapping[str, str], settings: Deduplication) -> dict[str, str]:
    """Ids of the texts that nearly repeat a kept text, each with the id of that kept text.

    Texts are taken in the order of their ids, so the order of rows decides nothing. A text is kept unless its similarity with
    a kept text is at least the threshold. If several kept texts are that similar, the first id counts.
    """
    ids = sorted(texts)
    every = np.ones(len(ids), dtype=np.bool_)
    pairs = _similar([texts[i] for i in ids], settings, probing=every, indexed=every, kept_only=True)
    return {ids[later]: ids[earlier] for later, earlier in pairs.tolist()}


def similar_pairs(texts: Sequence[str], settings: Deduplication) -> Ints:
    """All pairs of texts that reach the threshold, shape (pairs, 2): the numbers of the later and of the earlier text."""
    every = np.ones(len(texts), dtype=np.bool_)
    return _similar(texts, settings, probing=every, indexed=every, kept_only=False)


def near_any(texts: Sequence[str], others: Sequence[str], settings: Deduplication) -> list[bool]:
    """Whether each text is similar to any of the others."""
    indexed = np.arange(len(others) + len(texts)) < len(others)
    pairs = _similar([*others, *texts], settings, probing=~indexed, indexed=indexed, kept_only=True)
    near = np.zeros(len(indexed), dtype=np.bool_)
    near[pairs[:, 0]] = True
    return list(map(bool, near[len(others) :]))


def _similar(
    texts: Sequence[str],
    settings: Deduplication,
    probing: npt.NDArray[np.bool_],
    indexed: npt.NDArray[np.bool_],
    kept_only: bool,
) -> Ints:
    """Similar pairs of a probing text and an earlier indexed text. `_join` explains `kept_only`."""
    if not len(texts):
        return np.empty((0, 2), dtype=np.int64)
    sets = _ngram_sets(texts, settings.ngram)
    sizes = np.diff(sets.starts)
    shared = _least_shared(settings.threshold, 2 * int(sizes.max()))
    prefixes = _prefixes(shared)[sizes]
    in_index = np.arange(len(sets.members)) - np.repeat(sets.starts[:-1], sizes) < np.repeat(prefixes * indexed, sizes)
    places = np.append(0, np.cumsum(np.bincount(sets.members[in_index], minlength=int(sets.members.max()) + 1)))
    return _join(sets, shared, prefixes, places, probing, indexed, kept_only)


class _Sets(NamedTuple):
    """Sets of n-grams. The n-grams are numbered by rarity, and 0 is among the rarest."""

    members: npt.NDArray[np.int32]
    """The n-grams of all sets, one set after another, each in ascending order."""
    starts: Ints
    """The place where each set starts, and the end of the last set; no set is empty."""
    signatures: npt.NDArray[np.uint64]
    """64 bits for each set: every n-gram flips one of them, so two sets differ in at least as many n-grams as bits."""


def _ngram_sets(texts: Sequence[str], ngram: int) -> _Sets:
    """The word n-grams of each normalised text. A text with fewer than `ngram` words is one n-gram of its own."""
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    lengths = []

    def cut() -> Iterator[list[str]]:
        for text in texts:
            plain = normalise(text)
            cut_words = words(plain) if plain[:1].isalnum() or _SAYS.search(plain) else [plain]
            cut_words += [""] * (ngram - len(cut_words))  # no word is empty, so a filled-up text equals no longer text
            lengths.append(len(cut_words))
            yield cut_words

    words_of = np.fromiter(map(numbers.__getitem__, itertools.chain.from_iterable(cut())), dtype=np.int64)
    grams = words_of
    for n in range(1, ngram):
        grams = np.unique(grams[:-1] * len(numbers) + words_of[n:], return_inverse=True)[1]
    ends = np.cumsum(lengths)
    text_of = np.repeat(np.arange(len(texts)), lengths)[: len(grams)]
    within = np.arange(len(grams)) + ngram <= ends[text_of]
    grams, text_of = grams[within], text_of[within]
    counts = np.bincount(grams)
    rank = np.empty_like(counts)
    rank[np.argsort(counts, kind="stable")] = np.arange(len(counts))
    packed = text_of << 32 | rank[grams]
    packed.sort(kind="stable")
    packed = packed[np.append(True, packed[1:] != packed[:-1])]
    starts = np.searchsorted(packed, np.arange(len(texts) + 1) << 32)
    members = (packed & 0xFFFFFFFF).astype(np.int32)
    bits = np.uint64(1) << (members.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(58))
    return _Sets(members, starts, np.bitwise_xor.reduceat(bits, starts[:-1]))


def _least_shared(threshold: float, most: int) -> Ints:
    """The number of n-grams that two sets must share, for each sum of their sizes up to `most`."""
    shared = [0, 1]
    for total in range(2, most + 1):
        count = shared[-1]
        while count / (total - count) < threshold:
            count += 1
        shared.append(count)
    return np.array(shared)


def _prefixes(shared: Ints) -> Ints:
    """For each size of a set, the number of its rarest n-grams of which every similar set shares at least one."""
    lengths = np.zeros(len(shared) // 2 + 1, dtype=np.int64)
    smallest = 1
    for size in range(1, len(lengths)):
        while shared[size + smallest] > smallest:  # a set of size `smallest` is too small to be similar
            smallest += 1
        lengths[size] = size - shared[size + smallest] + 1
    return lengths


def _compiled(function: Function) -> Function:
    """Machine code, cached beside the module or in the user's cache; without a writable cache each process compiles again."""
    try:
        return cast(Function, numba.njit(cache=True)(function))
    except RuntimeError:  # numba found no place for its cache
        return cast(Function, numba.njit(function))


@_compiled
def _differing(one: np.uint64, other: np.uint64) -> np.int64:
    """Number of bits that differ; it compiles to one instruction."""
    bits = one ^ other
    bits = bits - ((bits >> np.uint64(1)) & np.uint64(0x5555555555555555))
    bits = (bits & np.uint64(0x3333333333333333)) + ((bits >> np.uint64(2)) & np.uint64(0x3333333333333333))
    bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((bits * np.uint64(0x0101010101010101)) >> np.uint64(56))


@_compiled
def _common(
    members: npt.NDArray[np.int32], one: np.int64, one_end: np.int64, other: np.int64, other_end: np.int64
) -> np.int64:
    """Number of members that two sets share, from the places of their first members to their exclusive ends."""
    common = np.int64(0)
    while one < one_end and other < other_end:
        if members[one] == members[other]:
            one, other, common = one + 1, other + 1, common + 1
        elif members[one] < members[other]:
            one += 1
        else:
            other += 1
    return np.int64(common)


@_compiled
def _join(
    sets: _Sets,
    shared: Ints,
    prefixes: Ints,
    places: Ints,
    probing: npt.NDArray[np.bool_],
    indexed: npt.NDArray[np.bool_],
    kept_only: bool,
) -> Ints:
    """Rows (set, earlier set) of similar sets.

    With `kept_only`, each set has only its first match, and a set with a match is not indexed. The first prefixes[n] members of
    set n are looked up in an index and then added to it; the entries of member m are at places[m] to places[m + 1].
    """
    members, starts, signatures = sets.members, sets.starts, sets.signatures
    count = len(starts) - 1
    ends = places[:-1].copy()
    set_at = np.empty(places[-1], np.int32)
    size_at = np.empty(places[-1], np.int32)
    signature_at = np.empty(places[-1], np.uint64)

    pairs = np.empty((1024, 2), np.int64)
    matches = 0
    compared = np.full(count, -1, np.int64)
    for one in range(count):
        start, end = starts[one], starts[one + 1]
        size, signature = end - start, signatures[one]
        prefix_end = start + prefixes[one]
        first = count
        if probing[one]:
            for position in range(start, prefix_end):
                for place in range(places[members[position]], ends[members[position]]):
                    total = size + size_at[place]
                    if _differing(signature, signature_at[place]) > total - 2 * shared[total]:
                        continue
                    other = set_at[place]
                    if kept_only and other >= first:
                        break
                    if compared[other] == one:
                        continue
                    compared[other] = one
                    if _common(members, start, end, starts[other], starts[other + 1]) < shared[total]:
                        continue
                    if kept_only and first < count:
                        matches -= 1
                    first = other
                    if matches == len(pairs):
                        larger = np.empty((2 * matches, 2), np.int64)
                        larger[:matches] = pairs
                        pairs = larger
                    pairs[matches, 0], pairs[matches, 1] = one, other
                    matches += 1
        if indexed[one] and not (kept_only and first < count):
            for position in range(start, prefix_end):
                place = ends[members[position]]
                set_at[place], size_at[place], signature_at[place] = one, size, signature
                ends[members[position]] += 1
    return pairs[:matches].copy()
