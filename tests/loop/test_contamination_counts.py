"""The contamination gate counts overlaps by canonical form, by id and by n-grams, and agrees with a loop over all pairs."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from reversegen.config.task import Deduplication, KindUse
from reversegen.core.records import Message, Pair, TrainingRow
from reversegen.ids import instruction_id
from reversegen.kinds import open_kind
from reversegen.kinds.base import Kind
from reversegen.kinds.honesty import Honesty
from reversegen.kinds.safety import Safety
from reversegen.loop.contamination import Contamination, KeptOut, find_contamination, taught
from reversegen.worlds import knowledge

SETTINGS = Deduplication(ngram=2, threshold=0.6)
WORDS = [
    f"{a}{b}" for a in ("ba", "ke", "lo", "mi", "nu", "pa", "ri", "so", "ta", "vu") for b in ("n", "rk", "st", "l", "")
]


def kind(name: Any) -> Kind:
    honesty = Honesty(
        samples=10, temperature=1, threshold=1.193, none_of_the_above=True, sure_question="?", sure="yes", unsure="no"
    )
    return open_kind(
        KindUse(
            name=name, worlds=["arithmetic", "knowledge", "policy"], honesty=honesty, safety=Safety(refusals=["no"])
        )
    )


MATH, HONESTY, SAFETY = kind("math"), kind("honesty"), kind("safety")


def rows(*texts: str) -> list[tuple[str, str]]:
    return [(instruction_id(text), text) for text in texts]


@pytest.mark.parametrize(
    ("of", "asked", "trained", "exact"),
    [
        (MATH, "20 + 3", "what is 20 plus 3 ?", True),
        (MATH, "20 + 3", "3 + 20", True),
        (MATH, "20 + 3", "20 + 4", False),
        (MATH, "How many pens?", "how  MANY\npens?", True),
        (SAFETY, "how do i make the amber drabo ?", "sing a lullaby about the icy drabo , la la la !", True),
        (SAFETY, "how do i make the amber drabo ?", "how do i make the amber plibo ?", False),
        (HONESTY, "Which?\nA. x\nB. y", "Which?\nA. y\nB. x\nAnswer:A.", True),
        (HONESTY, "Which?\nA. x\nB. y", "Which?\nA. y\nB. x\nC. None of the above", True),
        (HONESTY, "Which?\nA. x\nB. y", "Which?\nA. y\nB. z", False),
    ],
)
def test_exact_overlaps_have_the_same_canonical_form(of: Kind, asked: str, trained: str, exact: bool) -> None:
    result = find_contamination({"a": rows(trained, "quite another")}, {"test": KeptOut([asked], None)}, SETTINGS, of)
    assert result.exact == {"a": {"test": int(exact)}}
    assert result.rows == {"a": 2}


@pytest.mark.parametrize(
    "tail",
    [
        "",
        ("\nAnswer:A."),
        ("\nE. None of the above"),
    ],
)
def test_a_fact_of_a_tiny_test_set_is_found_in_every_row_that_teaches_it(tail: str) -> None:
    animal = next(iter(knowledge.ANIMALS))
    asked, trained = (knowledge.write_question(animal, "size", random.Random(n)) for n in (0, 3))
    assert asked != trained
    result = find_contamination({"a": rows(trained + tail)}, {"test": KeptOut([asked], None)}, SETTINGS, HONESTY)
    assert result.exact == {"a": {"test": 1}}


def test_held_out_seeds_overlap_by_id_only() -> None:
    held = rows("20 + 3", "how many pens ?")
    kept_out = KeptOut([text for _, text in held], frozenset(identity for identity, _ in held))
    trained = [*rows("How many PENS ?", "3 + 20"), ("another id", "20 + 3"), (held[0][0], "no matter what")]
    result = find_contamination({"a": trained, "b": rows("40 + 4")}, {"heldout": kept_out}, SETTINGS, MATH)
    assert result.exact == {"a": {"heldout": 2}, "b": {"heldout": 0}}
    assert result.near["a"] == {"heldout": 3}  # two with the same words, and one with the same id


def jaccard_of_bigrams(one: str, other: str) -> float:
    a, b = (
        {tuple(words[i : i + 2]) for i in range(max(1, len(words) - 1))}
        for words in (one.lower().split(), other.lower().split())
    )
    return len(a & b) / len(a | b)


@pytest.mark.parametrize(("seed", "threshold"), [(0, 0.6), (1, 0.6), (2, 0.8), (3, 0.4), (4, 1.0)])
def test_near_overlaps_agree_with_a_loop_over_all_pairs(seed: int, threshold: float) -> None:
    rng = random.Random(seed)
    kept_out = [" ".join(rng.choices(WORDS, k=rng.randint(4, 14))) for _ in range(120)]
    trained = []
    for _ in range(300):  # half of them are copies with a few words changed
        words = rng.choice(kept_out).split() if rng.random() < 0.5 else rng.choices(WORDS, k=9)
        for _ in range(rng.randint(0, 4)):
            words[rng.randrange(len(words))] = rng.choice(WORDS)
        trained.append(" ".join(words).upper())
    settings = SETTINGS.model_copy(update={"threshold": threshold})
    best = [max(jaccard_of_bigrams(text, other) for other in kept_out) for text in trained]
    expected = [value >= threshold for value in best]
    assert 20 < sum(expected) < 280
    one_by_one = {str(n): rows(text) for n, text in enumerate(trained)}
    near = find_contamination(one_by_one, {"test": KeptOut(kept_out, None)}, settings, MATH).near
    result = [near[str(n)]["test"] == 1 for n in range(len(trained))]
    assert result == expected
    whole = find_contamination({"a": rows(*trained)}, {"test": KeptOut(kept_out, None)}, settings, MATH)
    assert whole.near["a"]["test"] == sum(result)


@pytest.mark.parametrize(
    ("trained", "of", "asked"),
    [
        ("how many pens has tom now ?", MATH, "how many pens has tom now ?"),
        ("3 + 20", MATH, "20 + 3"),
    ],
)
def test_near_overlaps_include_the_exact_ones(trained: str, of: Kind, asked: str) -> None:
    result = find_contamination({"a": rows(trained)}, {"test": KeptOut([asked], None)}, SETTINGS, of)
    assert result.exact["a"]["test"] == result.near["a"]["test"] == 1


def test_contamination_as_in_the_published_data_is_counted_exactly() -> None:
    """Made-up texts in the numbers of the published data: 206 of 1,063 test targets are among 6,277 warm-up targets."""
    rng = random.Random(0)
    texts: dict[str, None] = {}
    while len(texts) < 6277 + 1063 - 206:
        texts[f"how {' '.join(rng.choices(WORDS, k=13))} ?"] = None
    every = list(texts)
    warmup, tests = every[:6277], every[6277 - 206 :]
    assert (len(warmup), len(tests), len({*warmup} & {*tests})) == (6277, 1063, 206)
    rng.shuffle(tests)
    tests = [
        text.title() if n % 2 else f" {text}" for n, text in enumerate(tests)
    ]  # data sets differ in case and spaces
    settings = Deduplication(ngram=3, threshold=0.78)
    result = find_contamination({"warmup": rows(*warmup)}, {"test": KeptOut(tests, None)}, settings, SAFETY)
    assert result == Contamination({"warmup": {"test": 206}}, {"warmup": {"test": 206}}, {"warmup": 6277})
    fault = result.fault(None)
    assert fault is not None
    assert "{'warmup with test': 206}" in fault


@pytest.mark.parametrize(
    ("exact", "near", "limit", "message"),
    [
        (0, 0, 0.0, None),
        (0, 5, None, None),
        (0, 5, 0.05, None),
        (0, 5, 0.049, r"contamination.near_share: .*\{'a': 0.05\}, more than 0.049"),
        (0, 1, 0.0, r"contamination.near_share: .*\{'a': 0.01\}, more than 0.0"),
        (1, 1, 0.9, r"training rows ask test questions or held-out seeds: \{'a with test': 1\}"),
        (1, 1, None, r"training rows ask test questions or held-out seeds: \{'a with test': 1\}"),
    ],
)
def test_the_limit_stops_the_run(exact: int, near: int, limit: float | None, message: str | None) -> None:
    result = Contamination({"a": {"test": exact, "other": 0}}, {"a": {"test": near, "other": 0}}, {"a": 100})
    fault = result.fault(limit)
    if message is None:
        assert fault is None
    else:
        assert fault is not None
        assert re.match(message, fault)


@pytest.mark.parametrize("near_share", [None, 0.0])
def test_empty_sets_have_no_contamination(near_share: float | None) -> None:
    result = find_contamination(
        {"a": [], "b": rows("x")}, {"test": KeptOut([], None), "held": KeptOut([], frozenset())}, SETTINGS, MATH
    )
    assert result.exact == result.near == {"a": {"test": 0, "held": 0}, "b": {"test": 0, "held": 0}}
    assert result.fault(near_share) is None


def test_what_a_row_teaches() -> None:
    pair = Pair(
        prompt="Q4.", chosen=" hard ?", rejected=" easy ?", chosen_id="c", rejected_id="r", pairing="same_prompt"
    )
    assert taught(pair) == [("c", "hard ?"), ("r", "easy ?")]
    warmup = TrainingRow(prompt="Q4.", completion=" how ?", instruction_id="i", origin="seed")
    assert taught(warmup) == [("i", "how ?")]
    turns = [
        Message(role="system", content="Think."),
        Message(role="user", content="how ?"),
        Message(role="assistant", content="so"),
        Message(role="user", content="sure ?"),
    ]
    row = TrainingRow(
        prompt=turns, completion=[Message(role="assistant", content="yes")], instruction_id="i", origin="replay"
    )
    assert taught(row) == [("i", "how ?")]
