"""The contamination gate counts overlaps of training rows with tests and held-out seeds, and stops the run."""

import random
import re
from collections.abc import Sequence

import pytest
from tests.support.kinds import MATH

from reversegen.config.task import Deduplication, KindUse
from reversegen.core.records import Message, Pair, Reference, TrainingRow
from reversegen.ids import instruction_id
from reversegen.kinds import open_kind
from reversegen.kinds.honesty import Honesty
from reversegen.kinds.safety import Safety
from reversegen.loop.contamination import Contamination, KeptOut, find_contamination, taught
from reversegen.worlds.arithmetic import TYPES, draw_expression, read_question, write_question

CHOICES = Honesty(
    samples=2, temperature=1, threshold=1, none_of_the_above=True, sure_question="?", sure="y", unsure="n"
)
GRAMS = Deduplication(ngram=3, threshold=0.7)


def asked_in(texts: Sequence[str]) -> KeptOut:
    return KeptOut(texts, None)


def heldout(texts: Sequence[str]) -> KeptOut:
    return KeptOut(texts, frozenset(map(instruction_id, texts)))


def given(texts: Sequence[str]) -> list[tuple[str, str]]:
    return [(instruction_id(text), text) for text in texts]


def row(text: str) -> TrainingRow:
    solved = Reference(instruction_id="i", answer="1", solution="#### 1", teacher="l", invalid=None)
    prompt, completion = MATH.enhancement_row(text, solved, "failed", "Think of 20 + 3 first.")
    return TrainingRow(prompt=prompt, completion=completion, instruction_id=instruction_id(text), origin="seeds")


def test_what_a_row_teaches() -> None:
    user, assistant = (Message(role=role, content=f"of the {role}") for role in ("user", "assistant"))
    turns = [Message(role="system", content="s"), user, assistant, Message(role="user", content="sure ?")]
    chat = TrainingRow(
        prompt=turns, completion=[Message(role="assistant", content="I am")], instruction_id="i", origin="o"
    )
    shots = TrainingRow(prompt="Q1. one ?\n\nQ2.", completion=" two ?\nthree", instruction_id="i", origin="seed")
    pair = Pair(prompt="Q4.", chosen=" one ?", rejected=" two ?", chosen_id="c", rejected_id="r", pairing="same_prompt")
    assert taught(chat) == [("i", "of the user")]
    assert taught(shots) == [("i", "two ?\nthree")]
    assert taught(pair) == [("c", "one ?"), ("r", "two ?")]


def test_the_gate_finds_exactly_the_planted_contamination_in_other_forms() -> None:
    rng = random.Random(0)
    expressions = {e.canonical: e for e in (draw_expression(rng.choice(TYPES), rng) for _ in range(400))}
    asked, free = list(expressions.values())[:100], list(expressions.values())[100:]
    tests = {"a": [write_question(e, "story", rng) for e in asked[:50]]}
    tests["b"] = [write_question(e, "words", rng) for e in asked[50:]]

    def warmup_row(text: str) -> TrainingRow:
        demonstrations = MATH.build_prompt("More", tests["a"][:3])
        identity = instruction_id(text)
        return TrainingRow(prompt=demonstrations, completion=f" {text}", instruction_id=identity, origin="seed")

    clean = [write_question(e, rng.choice(["symbols", "words", "story"]), rng) for e in free]
    contaminated = [write_question(asked[7], "symbols", rng), write_question(asked[60], "symbols", rng)]
    assert read_question(contaminated[0]).canonical == read_question(tests["a"][7]).canonical
    assert not set(contaminated) & {text for texts in tests.values() for text in texts}
    rows = {
        "clean": [row(t) for t in clean],
        "contaminated": [row(t) for t in [*clean, contaminated[0], contaminated[0]]],
        "warmup": [warmup_row(t) for t in clean],
        "contaminated warmup": [warmup_row(t) for t in [contaminated[1], *clean]],
    }
    training = {name: [teaches for one in of for teaches in taught(one)] for name, of in rows.items()}
    result = find_contamination(training, {name: asked_in(texts) for name, texts in tests.items()}, GRAMS, MATH)
    assert result.exact == {
        "clean": {"a": 0, "b": 0},
        "contaminated": {"a": 2, "b": 0},
        "warmup": {"a": 0, "b": 0},
        "contaminated warmup": {"a": 0, "b": 1},
    }
    assert result.rows == {name: len(of) for name, of in rows.items()}


@pytest.mark.parametrize("side", ["chosen", "rejected"])
def test_both_sides_of_a_pair_are_compared(side: str) -> None:
    texts = {"chosen": "20 + 3 + 4", "rejected": "5 * 6 - 1"} | {side: "20 + 3"}
    ids = {f"{name}_id": instruction_id(text) for name, text in texts.items()}
    pair = Pair(prompt="Q4.", pairing="same_prompt", **{k: f" {v}" for k, v in texts.items()}, **ids)
    kept_out = {"test": asked_in(["what is 3 plus 20 ?"]), "heldout": heldout(["20 + 3", "9 + 9"])}
    result = find_contamination({"pairs": taught(pair)}, kept_out, GRAMS, MATH)
    assert result.exact == {"pairs": {"test": 1, "heldout": 1}}


@pytest.mark.parametrize("letter", ["A", "B"])
def test_the_answer_and_the_order_of_options_do_not_change_what_an_item_asks(letter: str) -> None:
    kind = open_kind(KindUse(name="honesty", honesty=CHOICES, safety=Safety(refusals=["no"])))
    asked, others = "Which planet is largest?\nA. Mars\nB. Jupiter", "Which is it?\nA. Mars\nB. Jupiter"
    item = kind.write_item("which planet  is largest?\nA. Jupiter\nB. Mars", letter)
    row = TrainingRow(prompt="Q4.", completion=f" {item}", instruction_id="i", origin="seed")
    pair = Pair(
        prompt="Q4.",
        chosen=f" {item}",
        rejected=f" {kind.write_item(others, letter)}",
        chosen_id="c",
        rejected_id="r",
        pairing="same_prompt",
    )
    result = find_contamination({"rows": taught(row), "pairs": taught(pair)}, {"test": asked_in([asked])}, GRAMS, kind)
    assert result.exact == {"rows": {"test": 1}, "pairs": {"test": 1}}


def test_a_held_out_seed_overlaps_by_its_text_only() -> None:
    """A training seed may ask the same as a held-out seed in other words. Only test questions are compared by meaning."""
    texts = ["20 + 3", "20  +  3", "what is 3 plus 20 ?", "20 + 4"]
    kept_out = {"seeds": heldout(["20 + 3", "7 + 8"]), "tests": asked_in(["20 + 3", "7 + 8"])}
    result = find_contamination({text: given([text]) for text in texts}, kept_out, GRAMS, MATH)
    assert [result.exact[text] for text in texts] == [
        {"seeds": 1, "tests": 1},
        {"seeds": 1, "tests": 1},
        {"seeds": 0, "tests": 1},
        {"seeds": 0, "tests": 0},
    ]


WORDS = "a farmer has twelve red hens and sells four of them on a very cold market day"


@pytest.mark.parametrize(
    ("text", "near"),
    [
        (WORDS, True),
        (WORDS.upper(), True),
        (WORDS.replace("cold", "warm"), False),  # 12 of 18 distinct 3-grams: below the threshold
        (WORDS.replace("day", "night"), True),  # 14 of 16
        ("how many hens does a baker have ?", False),
        ("", False),
    ],
)
def test_rows_that_share_most_word_n_grams_are_near(text: str, near: bool) -> None:
    others = [f"what is {n} plus {n + 1} times {n + 2} ?" for n in range(200)]
    kept_out = {"test": asked_in([*others, WORDS]), "empty": asked_in([])}
    result = find_contamination({"rows": given([text, "quite another question ?", text])}, kept_out, GRAMS, MATH)
    assert result.near == {"rows": {"test": 2 * near, "empty": 0}}


def counted(exact: int, near: int, rows: int) -> Contamination:
    clean = {"test": 0, "seeds": 0}
    counts = {"a": clean, "b": clean | {"test": exact}}
    return Contamination(exact=counts, near={"a": clean, "b": {"test": near, "seeds": 0}}, rows={"a": 0, "b": rows})


@pytest.mark.parametrize(
    ("contamination", "near_share", "fault"),
    [
        (counted(0, 0, 100), 0.0, None),
        (counted(0, 5, 100), 0.05, None),
        (counted(0, 6, 100), 0.05, "contamination.near_share: .*'b': 0.06.* more than 0.05"),
        (counted(0, 100, 100), None, None),
        (counted(1, 1, 100), 1.0, "'b with test': 1"),
        (counted(1, 1, 100), None, "'b with test': 1"),
    ],
)
def test_one_exact_overlap_or_too_many_near_overlaps_are_a_fault(
    contamination: Contamination, near_share: float | None, fault: str | None
) -> None:
    result = contamination.fault(near_share)
    assert (result is None) is (fault is None)
    if fault:
        assert re.search(fault, str(result))
        assert "'a" not in str(result)
