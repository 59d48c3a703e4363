"""Texts for benchmarks: made ones with planted duplicates, real ones, and those that the tiny proposers wrote.

A made text is one or two clauses of plain English, filled in from a long-tailed vocabulary. A quarter of the texts are
variants of an earlier one. The kind of a variant defines how it differs, and so which method should find it.
"""

from __future__ import annotations

import itertools
import json
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from reversegen.core.records import Instruction, read_records

REPOSITORY = Path(__file__).parents[2]
VARIANTS = 0.27
"""Share of texts that are variants of an earlier one."""

PlantedKind = Literal["reordered", "one_word", "three_words", "synonyms"]
"""Words of the original in another order; one or three words replaced; every word with a synonym replaced by it."""

VOCABULARY = 17_000
SYLLABLES = [
    a + b
    for a in ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z")
    for b in ("a", "en", "i", "or", "u")
]
PLANTED: tuple[PlantedKind, ...] = ("reordered", "one_word", "three_words", "synonyms")

FRAMES = """
explain to a beginner how the {A} {N} of {T} can {V} every {N} before the {T} report arrives
write a short story about a {A} {N} who wants to {V} the {N} near {T}
what would happen if {T} decided to {V} its {N} and nobody told the {A} {N} about {T}
give me {D} reasons why {T} should {V} the {A} {N} instead of {T}
compare the {N} of {T} with the {N} of {T} and say which one is more {A}
a {A} {N} costs {D} coins in {T} , how much do {D} of them cost after a discount of {D} percent
list the steps that somebody needs to {V} a {A} {N} without waking up the {N} in {T}
translate this sentence about the {N} from {T} into a language that every {A} {N} would understand
is it true that {T} was the first {N} to {V} a {N} larger than {T}
please summarise the argument between {T} and the {A} {N} over {D} pieces of {T}
how many times did the {N} in {T} {V} the {A} {N} if {D} of them left after {D} days
describe the safest way to {V} {T} when the {N} is {A} and the {N} has only {D} minutes left
my {N} at {T} keeps asking me to {V} the {N} , what should i answer to {T}
design a {A} test with {D} questions that shows whether a {N} can {V} {T} or {T}
which of these is the most {A} way for {T} to {V} a {N} : with {T} , with {T} or without them
""".strip().splitlines()

SYNONYMS = {
    "adjective": "big large,quick fast,happy glad,angry mad,quiet silent,strange odd,rich wealthy,hard difficult,"
    "new modern,old ancient,smart clever,small tiny,brave bold,sad unhappy,sick ill,famous renowned",
    "noun": "child kid,house home,boat ship,doctor physician,lawyer attorney,teacher instructor,road street,shop store,"
    "car automobile,job occupation,gift present,stone rock,picture image,error mistake,rule law,forest wood,trip journey,"
    "plane aircraft,film movie,idea thought,price cost,answer reply,money cash,test exam",
    "verb": "buy purchase,repair fix,begin start,end finish,help assist,show display,need require,choose select,"
    "hide conceal,build construct,watch observe,destroy ruin,gather collect,make create,change alter,protect guard",
}


SLOTS = {"{A}": "adjective", "{N}": "noun", "{V}": "verb"}


@dataclass(frozen=True)
class Planted:
    """A variant: the number of its text, the number of the earlier text that it was made from, and its kind."""

    variant: int
    original: int
    kind: PlantedKind


@dataclass(frozen=True)
class Corpus:
    """Distinct texts and, if they are made ones, the truth about their duplicates."""

    name: str
    texts: list[str]
    planted: list[Planted]


def made_corpus(size: int, random_seed: int = 0) -> Corpus:
    """The given number of distinct texts with their planted duplicates. Every draw comes from the seed."""
    rng, draws = random.Random(random_seed), np.random.default_rng(random_seed)
    pairs = {name: [pair.split() for pair in words.split(",")] for name, words in SYNONYMS.items()}
    synonyms = {a: b for of in pairs.values() for one, two in of for a, b in ((one, two), (two, one))}
    words = {slot: [word for pair in pairs[name] for word in pair] for slot, name in SLOTS.items()}
    words |= {"{D}": [str(n) for n in range(2, 500)], "{T}": [_name(n) for n in range(VOCABULARY)]}
    fill = {slot: _long_tailed(of, 15 * size, draws).__next__ for slot, of in words.items()}
    frames = [frame.split() for frame in FRAMES]
    unseen = map(_name, itertools.count(VOCABULARY)).__next__
    texts: dict[str, int] = {}
    originals: list[str] = []
    planted = []
    while len(texts) < size:
        if originals and rng.random() < VARIANTS:
            original, kind = rng.choice(originals), rng.choice(PLANTED)
            text = _variant(original, kind, synonyms, unseen, rng)
            if text not in texts:
                planted.append(Planted(len(texts), texts[original], kind))
        else:
            clauses = rng.choices(frames, k=rng.choice([1, 1, 2, 2]))
            text = " ".join(fill[word]() if word in fill else word for clause in clauses for word in clause)
            if text not in texts:
                originals.append(text)
        texts.setdefault(text, len(texts))
    return Corpus(f"made, {size}", list(texts), planted)


def _long_tailed(words: list[str], count: int, draws: np.random.Generator) -> Iterator[str]:
    """Draws in which the word of rank r has weight 1 / (r + 3), by Zipf's law with Mandelbrot's shift."""
    weights = np.cumsum(1 / (np.arange(len(words)) + 3))
    return map(words.__getitem__, np.searchsorted(weights, draws.random(count) * weights[-1]).tolist())


def _name(number: int) -> str:
    """A pronounceable word for each number."""
    syllables = []
    for _ in range(3):
        number, digit = divmod(number, len(SYLLABLES))
        syllables.append(SYLLABLES[digit])
    return "".join(syllables) + (str(number) if number else "")


def _variant(
    text: str, kind: PlantedKind, synonyms: dict[str, str], unseen: Callable[[], str], rng: random.Random
) -> str:
    words = text.split()
    if kind == "reordered":
        rng.shuffle(words)
    elif kind == "synonyms":
        words = [synonyms.get(word, word) for word in words]
    else:
        for place in rng.sample(range(len(words)), 1 if kind == "one_word" else 3):
            words[place] = unseen()
    return " ".join(words)


def real_corpora() -> list[Corpus]:
    """Safety instructions and GSM8K questions as published; none if REVERSEGEN_DATA names no folder with them."""
    if "REVERSEGEN_DATA" not in os.environ:
        return _absent("real texts: REVERSEGEN_DATA names no folder with them")
    folder = Path(os.environ["REVERSEGEN_DATA"])
    safety, gsm8k = folder / "safety/warmup_train_dedup.json", folder / "math/gsm8k_train.jsonl"
    if not (safety.is_file() and gsm8k.is_file()):
        return _absent(f"real texts: {safety} or {gsm8k} is missing; REVERSEGEN_DATA names the folder")
    texts_by_name = {
        "safety": [row["target"] for row in json.loads(safety.read_text())],
        "gsm8k": [json.loads(line)["question"] for line in gsm8k.read_text().splitlines()],
    }
    return [Corpus(name, list(dict.fromkeys(texts)), []) for name, texts in texts_by_name.items()]


def written_corpora() -> list[Corpus]:
    """All valid and distinct texts that the proposers of each task wrote under results/; none before a run."""
    texts_by_task: dict[str, dict[str, None]] = {}
    for path in sorted(REPOSITORY.glob("results/*/iter*/instructions.jsonl")):
        written = [i.text for i in read_records(path, Instruction) if i.invalid is None]
        texts_by_task.setdefault(path.parts[-3].split(".")[0], {}).update(dict.fromkeys(written))
    if not texts_by_task:
        return _absent("what proposers wrote: nothing under results/; `make demo` writes some")
    return [Corpus(name, list(texts), []) for name, texts in texts_by_task.items()]


def _absent(reason: str) -> list[Corpus]:
    print(f"not measured: {reason}")
    return []
