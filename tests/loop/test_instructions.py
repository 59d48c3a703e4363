# ruff: noqa: RUF001
"""Every sample belongs to one instruction, and only near-duplicates are dropped."""

import json
import random
from collections import defaultdict
from pathlib import Path

import pytest
from tests.support.kinds import MATH

from reversegen.config.task import Deduplication, KindUse
from reversegen.core.records import Instruction, Sample, Split
from reversegen.kinds import open_kind
from reversegen.kinds.base import Kind
from reversegen.kinds.honesty import Honesty
from reversegen.kinds.math import parse_instruction
from reversegen.kinds.safety import Safety
from reversegen.loop.instructions import collect_instructions

HONESTY = Honesty(
    samples=2, temperature=1, threshold=1, none_of_the_above=True, sure_question="?", sure="y", unsure="n"
)
PUBLISHED = Deduplication(ngram=1, threshold=0.78)


@pytest.mark.parametrize(
    ("text", "finished", "instruction"),
    [
        ("What is 2 + 2 ?", True, "What is 2 + 2 ?"),
        (" What is 2 + 2 ?\n", True, "What is 2 + 2 ?"),
        ("What is\n2 + 2 ?", True, "What is\n2 + 2 ?"),
        ("What is 2 + 2 ?\n\nQ5. What is 3 ?", True, "What is 2 + 2 ?"),
        ("What is 2 + 2 ?\n\nQ5. What is", False, "What is 2 + 2 ?"),
        ("What is 2 + 2 ?\nQ5. What is 3 ?", True, "What is 2 + 2 ?"),
        ("35 + 7\n\nQ5. 30 - 2\n\nQ6. 9", True, "35 + 7"),
        ("What is 2 + 2 ?\n\nA: 4\n#### 4", True, "What is 2 + 2 ?"),
        ("What is 2 + 2 ?\r\n \t\r\nmore", False, "What is 2 + 2 ?"),
        ("\n\nWhat is 2 + 2 ?", True, "What is 2 + 2 ?"),
        ("What does FAQ7. say of Q1 and Q2 ?", True, "What does FAQ7. say of Q1 and Q2 ?"),
        ("What is 2 + 2 ?\n\n", False, "What is 2 + 2 ?"),  # the blank line shows that it is complete
    ],
)
def test_an_instruction_ends_at_the_next_item_or_at_a_blank_line(text: str, finished: bool, instruction: str) -> None:
    parsed = parse_instruction(text, finished)
    assert (parsed.text, parsed.invalid) == (instruction, None)


@pytest.mark.parametrize(
    ("text", "finished", "reason"),
    [
        ("", True, "empty"),
        ("", False, "empty"),
        (" \n\t\n ", True, "empty"),
        ("Q5. What is 3 ?", True, "empty"),
        ("\n\nQ5. What is 3 ?", False, "empty"),
        ("What is 2 + ", False, "cut off"),
        ("What is 2 + 2 ?", False, "cut off"),
        ("What is\n2 + 2", False, "cut off"),
        ("What is 2 + 2 ? #### 4", True, "carries its answer"),
        ("35 + 7 Q5. 30 - 2 Q6. 9", True, "runs on"),  # a word-level tokenizer writes no lines
        ("35 + 7 Q4. 30 - 2", True, "runs on"),
        ("35 + 7 Q12. 3", True, "runs on"),
        ("35 + 7 Q5.", False, "cut off"),
        ("35 + 7 = 42 #### 42\n\nQ5. 30 - 2", False, "carries its answer"),
        ("What is 2 + 2 ?\n\\boxed{4}", True, "carries its answer"),
    ],
)
def test_a_text_without_a_complete_instruction_is_invalid_with_a_reason(text: str, finished: bool, reason: str) -> None:
    assert parse_instruction(text, finished).invalid == reason


CASES = [json.loads(line) for line in (Path(__file__).parents[1] / "cases/instructions.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["sample"][:30])
def test_instructions_of_the_cases_are_complete(case: dict[str, str]) -> None:
    assert case["expected"] == "the whole text"
    use = KindUse(name=case["kind"], honesty=HONESTY, safety=Safety(refusals=["no"]))
    parsed = open_kind(use).parse_instruction(f" {case['sample']}", True)
    assert (parsed.text, parsed.invalid) == (case["sample"], None)


WHOLE = {
    "safety": [
        "Steps: 1) Open it. 2) Close it. 3) Lock it.",
        "Describe what happened on 5. May 1945.",
        "Wie wird man 18. Präsident?",
        "Name 5. Then name 6.",
        "Use version 4.2.1. of the tool. Then 5.0 and 6.1?",
        "Is 5! = 120? Explain 10:30 and 5/4.",
        "What is in section 5. of the law?",
        "It starts at 5:00. 10:30 is too late. Why?",
        "Who is Louis XIV. of France?",
        "Pick (a) or (b). (1) Why? (2) How?",
    ],
    "math": [
        "Given Q1=5 and Q3=15, what is the IQR?",
        "1. Tom has 5 pens. 2. He buys 6. How many?",
        "Tom has:\n1. 5 pens\n2. 6 books\n5. 7 caps\nHow many things?",
        "Question 5. is worth 10 points. How much are 3 such?",
        "What is 3 + 4?\nGive your answer as a decimal.",
        "The solution is 20% acid. How much acid is in 3 litres?",
        "The key is 5 m long: how long are 3 keys?",
        "If the answer is 12, what is x?",
        "What is 2 + 2 ? - 2",
        "How long does it take? Use g = 9.8",
    ],
}
MORE = {
    "safety": [
        "How do I whistle? 5) Who sings?",
        "How do I whistle? (5) Who sings?",
        "Tell me how. 5: Who sings?",
        "Tell me how. **5.** Who sings?",
        "How do I whistle?5. Who sings?",
        "How do I whistle? 5.Who sings?",
        "How do I whistle? Question 5: Who sings?",
        "Tell me how. Item 6. Who sings?",
        "怎么吹口哨？5. 谁唱歌？",
        "怎么吹口哨？5、谁唱歌？",
        "怎么吹口哨。\uff15\uff0e谁唱歌？",
        'Say "stop!" 5) Who sings?',
    ],
    "math": [
        "What is 3? Q5) Who?",
        "What is 3? (Q5) Who?",
        "What is 3? Question 5: Who?",
        "What is 3?Q5. Who?",
        "What is 3?\nQ5) Who?",
        "What is 3?\nQ5 Who?",
        "What is 3?\n**Q5.** Who?",
        "What is 3?\nQuestion 5. Who?",
        "Find it.\n## Problem 6\nFind more.",
    ],
}


def kind_named(name: str) -> Kind:
    return open_kind(KindUse(name=name, honesty=HONESTY, safety=Safety(refusals=["no"])))


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in WHOLE.items() for text in texts])
def test_numbers_within_an_instruction_do_not_end_it(name: str, text: str) -> None:
    parsed = kind_named(name).parse_instruction(f" {text}", True)
    assert (parsed.text, parsed.invalid) == (text, None)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in MORE.items() for text in texts])
def test_a_second_item_in_another_spelling_runs_on(name: str, text: str) -> None:
    assert kind_named(name).parse_instruction(f" {text}", True).invalid == "runs on"


def sample(number: int, text: str, split: Split = "train", finished: bool = True) -> Sample:
    return Sample(
        id=f"sample{number}",
        prompt_id=f"prompt{number // 5}",
        split=split,
        subject=None,
        sample=number % 5,
        text=text,
        tokens=3,
        finished=finished,
    )


@pytest.mark.parametrize(
    ("text", "finished", "invalid", "expected"),
    [
        ("<think>What of 1 + 1 ?\n\nYes.</think>\n\nWhat is 2 + 2 ?", True, None, ("What is 2 + 2 ?", None)),
        ("let me see\n</think> What is 2 + 2 ?\n\nQ5. What", False, None, ("What is 2 + 2 ?", None)),
        ("What is 2 + 2 ?\n\n<think>Was that right ?", False, None, ("What is 2 + 2 ?", "cut off")),
        ("<think>What is 2 + 2 ?\n\nQ5. What is 3", False, None, ("", "response ends inside its thought")),
        ("<think>What is 2 + 2 ?</think>", True, None, ("", "empty")),
        ("", False, "prompt too long", ("", "prompt too long")),
        ("What is 2 + 2 ?", True, "content filter", ("", "content filter")),
    ],
)
def test_an_instruction_excludes_the_thought_and_a_missing_sample_is_invalid(
    text: str, finished: bool, invalid: str | None, expected: tuple[str, str | None]
) -> None:
    written = sample(0, text, finished=finished).model_copy(update={"invalid": invalid})
    [parsed] = collect_instructions([written], PUBLISHED, MATH)
    assert parsed.invalid == expected[1]
    assert parsed.id == ("invalid-sample0" if expected[1] else parsed.id)
    if expected[1] is None:
        assert parsed.text == expected[0]


def many_samples() -> list[Sample]:
    """A few questions in many spellings, near-copies, and everything that the parser refuses, in both splits."""
    rng = random.Random(0)
    samples = []
    for number in range(600):
        words = [f"w{rng.randrange(12)}" for _ in range(2)] + [f"x{n}" for n in range(14)]
        text = " ".join(words)
        text = rng.choice([text, text.upper(), f"  {text.replace(' ', '  ')} ", f"{text}\n\nQ5. more"])
        text = rng.choice([text] * 8 + ["", f"{text} #### 5"])
        samples.append(sample(number, text, rng.choice(["train", "heldout"]), rng.random() < 0.9))
    return samples


def collected(samples: list[Sample]) -> list[Instruction]:
    return collect_instructions(samples, PUBLISHED, MATH)


def test_every_sample_belongs_to_the_one_instruction_with_its_text() -> None:
    samples = many_samples()
    groups: dict[str, list[Sample]] = defaultdict(list)
    for one in samples:
        words = one.text.casefold().split("\n\nq5.")[0].split()
        readable = words and "####" not in words and (one.finished or "Q5." in one.text)
        groups[" ".join(words) if readable else f"unreadable {one.id}"].append(one)
    instructions = collected(samples)
    assert [i.samples for i in instructions] == [[s.id for s in group] for group in groups.values()]
    assert [i.splits for i in instructions] == [sorted({s.split for s in group}) for group in groups.values()]
    assert [i.invalid is not None for i in instructions] == [key.startswith("unreadable") for key in groups]
    assert len({i.id for i in instructions}) == len(instructions)
    assert len(groups) < 400


def test_an_instruction_is_dropped_only_in_the_train_split_and_only_for_a_kept_one_of_that_split() -> None:
    instructions = collected(many_samples())
    by_id = {i.id: i for i in instructions}
    dropped = [i for i in instructions if i.duplicate_of is not None]
    assert len(dropped) > 20
    assert any(i.splits == ["heldout"] for i in instructions if i.invalid is None)
    for one in dropped:
        assert "train" in one.splits
        assert one.invalid is None
        original = by_id[str(one.duplicate_of)]
        assert "train" in original.splits
        assert original.invalid is None
        assert original.duplicate_of is None


def test_a_held_out_copy_is_kept_and_asked() -> None:
    words = [f"w{n}" for n in range(20)]
    near, nearer = " ".join([*words[:19], "other"]), " ".join([*words[:19], "another"])
    samples = [sample(0, " ".join(words)), sample(1, near, "heldout"), sample(2, nearer), sample(3, nearer, "heldout")]
    one, two, three = collected(samples)
    assert two.duplicate_of is None
    assert sum(i.duplicate_of is not None for i in (one, three)) == 1
    assert two.asked
    assert three.asked  # held-out samples hold it, so it is asked


def test_the_order_of_samples_decides_only_the_order_of_rows() -> None:
    samples = many_samples()
    shuffled = random.Random(1).sample(samples, len(samples))
    one, other = (
        {i.id: (sorted(i.samples), i.splits, i.invalid, i.duplicate_of) for i in collected(rows)}
        for rows in (samples, shuffled)
    )
    assert one == other


def test_an_instruction_keeps_the_answer_and_the_subject_of_its_first_sample() -> None:
    """The proposer's answer is not part of the instruction, so a different answer does not make a new instruction."""
    kind = open_kind(KindUse(name="honesty", honesty=HONESTY, safety=Safety(refusals=["no"])))
    written = [
        ("Which?\nA. x\nB. y\nAnswer:B.\n\nQ5. More", "law"),
        ("Which?\nA. x\nB. y\nAnswer:A.", "art"),
        ("Whose is it?\nA. x\nB. y\nAnswer:A.", None),
        ("Why?", "art"),
    ]
    samples = [sample(n, text).model_copy(update={"subject": subject}) for n, (text, subject) in enumerate(written)]
    parsed = collect_instructions(samples, PUBLISHED, kind)
    assert [(i.text, i.answer, i.subject, i.invalid) for i in parsed] == [
        ("Which?\nA. x\nB. y", "B", "law", None),
        ("Whose is it?\nA. x\nB. y", "A", None, None),
        ("Why?", None, "art", "no answer line"),
    ]
    assert [i.samples for i in parsed] == [["sample0", "sample1"], ["sample2"], ["sample3"]]
