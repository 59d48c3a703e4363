"""Pairs prefer instructions that the target failed, follow every rule of pairing, and are reproducible to the byte."""

import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.kinds import MATH

from reversegen.config.task import KindUse
from reversegen.config.training import Pairing
from reversegen.core.data_files import read_rows
from reversegen.core.errors import BadInput
from reversegen.core.records import Instruction, Label, Pair, Prompt, Question, Sample, Seed, write_records
from reversegen.ids import content_id, instruction_id
from reversegen.kinds import open_kind
from reversegen.kinds.base import Kind
from reversegen.kinds.honesty import Honesty
from reversegen.kinds.safety import Safety
from reversegen.loop.barred import Barred
from reversegen.loop.pairs import Judged, build_pairs, judged_instructions, pair_statistics
from reversegen.worlds.arithmetic import TYPES, draw_expression, read_question, write_question

SAFETY = open_kind(KindUse(name="safety", safety=Safety(refusals=None)))


def nothing(identity: str, text: str) -> bool:
    """No instruction is barred."""
    return False


@dataclass(frozen=True)
class Iteration:
    """The files of one iteration."""

    prompts: list[Prompt]
    samples: list[Sample]
    instructions: list[Instruction]
    labels: list[Label]

    @property
    def judged(self) -> list[Judged]:
        return judged_instructions(self.instructions, self.labels, self.samples, self.prompts, nothing, MATH)


def pairing(
    *,
    across_prompts: bool = True,
    max_reuse: int = 4,
    max_pairs: int | None = None,
    same_type: bool = False,
    equal_types: bool = False,
) -> Pairing:
    return Pairing(
        across_prompts=across_prompts,
        max_reuse=max_reuse,
        max_pairs=max_pairs,
        same_type=same_type,
        equal_types=equal_types,
    )


def judged(text: str, verdict: str, *prompts: str) -> Judged:
    return Judged(
        id=instruction_id(text), item=text, type=MATH.group(text) or "", failed=verdict == "failed", prompts=prompts
    )


def prompt(name: str, split: str = "train") -> Prompt:
    return Prompt(id=f"id of {name}", split=split, text=name, seeds=[], subject=None)


def sample(prompt: Prompt, number: int, text: str) -> Sample:
    identity = content_id(prompt.id, number, text)
    return Sample(
        id=identity,
        prompt_id=prompt.id,
        split=prompt.split,
        subject=prompt.subject,
        sample=number,
        text=text,
        tokens=1,
        finished=True,
    )


def instruction(
    text: str,
    samples: list[Sample],
    invalid: str | None = None,
    duplicate_of: str | None = None,
    answer: str | None = None,
    subject: str | None = None,
) -> Instruction:
    return Instruction(
        id=instruction_id(text),
        text=text,
        answer=answer,
        subject=subject,
        samples=[s.id for s in samples],
        splits=sorted({s.split for s in samples}),
        invalid=invalid,
        duplicate_of=duplicate_of,
    )


def label(text: str, verdict: str) -> Label:
    return Label(instruction_id=instruction_id(text), verdict=verdict, score=None, detail="")


def test_only_distinct_judged_instructions_of_the_train_split_may_enter_a_pair() -> None:
    first, second, held = prompt("first"), prompt("second"), prompt("held", "heldout")
    samples_of = {
        "failed": [sample(second, 0, "a"), sample(held, 0, "a"), sample(first, 0, "a"), sample(second, 1, "a")],
        "passed": [sample(first, 1, "b")],
        "held out only": [sample(held, 1, "c")],
        "near-duplicate": [sample(first, 2, "d")],
        "unreadable": [sample(first, 3, "e")],
        "judged invalid": [sample(first, 4, "f")],
        "without a label": [sample(first, 5, "g")],
    }
    instructions = [
        instruction(
            text,
            samples,
            invalid="cut off" if text == "unreadable" else None,
            duplicate_of=instruction_id("passed") if text == "near-duplicate" else None,
        )
        for text, samples in samples_of.items()
    ]
    verdicts = {"passed": "passed", "judged invalid": "invalid"}
    labels = [label(t, verdicts.get(t, "failed")) for t in samples_of if t not in ("unreadable", "without a label")]
    samples = [s for several in samples_of.values() for s in several]
    rng = random.Random(0)
    rows = (instructions, rng.sample(labels, len(labels)), rng.sample(samples, len(samples)), [held, first, second])
    assert judged_instructions(*rows, nothing, MATH) == [
        judged("failed", "failed", "second", "first"),
        judged("passed", "passed", "first"),
    ]


def test_a_barred_instruction_enters_no_pair() -> None:
    first = prompt("first")
    texts = ["20 + 3", "what is 3 plus 20 ?", "5 * 6 - 1", "7 + 8", "9 + 9"]
    samples_of = {text: [sample(first, n, text)] for n, text in enumerate(texts)}
    instructions = [instruction(text, samples) for text, samples in samples_of.items()]
    labels = [label(text, "passed" if text == "7 + 8" else "failed") for text in texts]
    samples = [s for several in samples_of.values() for s in several]
    held = Seed(
        id=instruction_id("9 + 9"), text="9 + 9", split="heldout", source="s", licence="l", answer=None, subject=None
    )
    asked = Question(id="q", text="what is 20 plus 3 ?", answer="23", group=None, measure="retained")
    rows = (instructions, labels, samples, [first])
    assert len(judged_instructions(*rows, nothing, MATH)) == 5
    judged = judged_instructions(*rows, Barred([asked, held], MATH), MATH)
    assert [one.item for one in judged] == ["5 * 6 - 1", "7 + 8"]


def honesty() -> Kind:
    settings = Honesty(
        samples=2, temperature=1, threshold=1, none_of_the_above=True, sure_question="?", sure="y", unsure="n"
    )
    return open_kind(KindUse(name="honesty", honesty=settings, safety=Safety(refusals=["no"])))


def test_both_sides_have_the_proposers_answer_and_the_subject_is_the_type_if_the_text_shows_none() -> None:
    first = prompt("first")
    texts = {f"Which is {n}?\nA. {n}\nB. {n + 1}": subject for n, subject in enumerate(["law"] * 6 + ["art"] * 2)}
    samples_of = {text: [sample(first, n, text)] for n, text in enumerate(texts)}
    instructions = [instruction(text, samples, answer="B", subject=texts[text]) for text, samples in samples_of.items()]
    passed = list(texts)[5]
    labels = [label(text, "passed" if text == passed else "failed") for text in texts]
    samples = [s for several in samples_of.values() for s in several]
    judged = judged_instructions(instructions, labels, samples, [first], nothing, honesty())
    assert [(one.item, one.type) for one in judged] == [
        (f"{text}\nAnswer:B.", subject) for text, subject in texts.items()
    ]
    pairs = build_pairs(judged, [], pairing(max_reuse=9, max_pairs=4), 0, 0)
    assert {p.rejected for p in pairs} == {f" {passed}\nAnswer:B."}
    written = {f" {text}\nAnswer:B.": subject for text, subject in texts.items()}
    assert Counter(written[p.chosen] for p in pairs) == {"law": 2, "art": 2}


def test_same_prompt_comes_first_then_other_prompts_then_earlier_passes() -> None:
    current = [
        judged("fails beside a pass", "failed", "p0"),
        judged("fails alone", "failed", "p1"),
        judged("passes", "passed", "p0"),
    ]
    earlier = [judged("passed before", "passed", "p9"), judged("failed before", "failed", "p1")]

    def paired(pairing: Pairing) -> set[tuple[str, str, str, str]]:
        return {(p.prompt, p.chosen, p.rejected, p.pairing) for p in build_pairs(current, earlier, pairing, 0, 1)}

    beside = ("p0", " fails beside a pass", " passes", "same_prompt")
    across = ("p1", " fails alone", " passes", "across_prompts")
    before = ("p1", " fails alone", " passed before", "earlier_pass")
    assert paired(pairing(max_reuse=2)) == {beside, across}
    assert paired(pairing(max_reuse=1)) == {beside, before}
    assert paired(pairing(max_reuse=2, across_prompts=False)) == {beside, before}


def test_the_passes_of_a_prompt_share_its_failures() -> None:
    current = [judged(f"fails {n}", "failed", "p0") for n in range(6)]
    current += [judged(f"passes {n}", "passed", "p0") for n in range(3)]
    for random_seed in range(4):
        pairs = build_pairs(current, [], pairing(max_reuse=6), random_seed, 0)
        assert Counter(p.rejected for p in pairs) == {" passes 0": 2, " passes 1": 2, " passes 2": 2}


def test_an_instruction_that_passed_earlier_and_fails_now_is_not_its_own_rejected_side() -> None:
    text = "20 + 3 + 4"  # in half precision, the same question may get a different answer in a different batch
    earlier = [judged(text, "passed", "p1"), judged("20 + 3", "passed", "p1")]
    for random_seed in range(8):
        pairs = build_pairs([judged(text, "failed", "p0")], earlier, pairing(), random_seed, 1)
        assert [(p.chosen, p.rejected) for p in pairs] == [(" 20 + 3 + 4", " 20 + 3")]


def test_types_take_turns_so_that_the_limit_cuts_the_common_ones() -> None:
    texts = [f"{n} + 3" for n in range(20, 26)] + ["20 + 3 + 4", "21 + 3 + 4", "3 * 4 + 5", "what is life ?"]
    current = [judged(text, "failed", "p0") for text in texts] + [judged("20 - 3", "passed", "p1")]

    def types(limit: int | None) -> Counter[str]:
        pairs = build_pairs(current, [], pairing(max_reuse=100, max_pairs=limit), 0, 0)
        return Counter(MATH.group(p.chosen) or "none" for p in pairs)

    one_each = {"add": 1, "add_add": 1, "multiply_add": 1, "none": 1}
    assert types(4) == one_each
    assert types(6) == one_each | {"add": 2, "add_add": 2}
    assert types(7) == one_each | {"add": 3, "add_add": 2}
    assert types(None) == one_each | {"add": 6, "add_add": 2}


def test_failures_of_a_judges_categories_take_turns_and_the_type_of_a_world_has_priority() -> None:
    first = prompt("first")
    reported = {f"question {n}": "S1" for n in range(6)} | {"seven": "S9", "eight": "S9", "nine": None}
    texts = [*reported, "fine", "20 + 3"]
    samples_of = {text: [sample(first, n, text)] for n, text in enumerate(texts)}
    instructions = [instruction(text, samples) for text, samples in samples_of.items()]
    labels = [
        label(text, "passed" if text == "fine" else "failed").model_copy(update={"category": reported.get(text)})
        for text in texts
    ]
    labels[-1] = labels[-1].model_copy(update={"category": "S1"})
    samples = [s for several in samples_of.values() for s in several]
    rows = (instructions, labels, samples, [first])
    judged = judged_instructions(*rows, nothing, SAFETY)
    assert [one.type for one in judged] == ["S1"] * 6 + ["S9", "S9", "", "", "S1"]
    assert judged_instructions(*rows, nothing, MATH)[-1].type == "add"

    def categories(rules: Pairing) -> Counter[str | None]:
        reported_of = {one.item: one.type for one in judged}
        return Counter(reported_of[pair.chosen.strip()] for pair in build_pairs(judged, [], rules, 0, 0))

    # one pair of each category and of none, then one more of each that has another
    assert categories(pairing(max_reuse=20, max_pairs=3)) == {"S1": 1, "S9": 1, "": 1}
    assert categories(pairing(max_reuse=20, max_pairs=5)) == {"S1": 2, "S9": 2, "": 1}
    assert categories(pairing(max_reuse=20)) == {"S1": 7, "S9": 2, "": 1}
    # ten failures of three types: at most four of each
    assert categories(pairing(max_reuse=20, equal_types=True)) == {"S1": 4, "S9": 2, "": 1}


FAILED, PASSED = judged("a", "failed", "p0"), judged("b", "passed", "p1")


@pytest.mark.parametrize(
    ("current", "earlier", "message"),
    [
        ([], [PASSED], r"iteration 7: no valid instruction .*instructions\.jsonl.*\(warmup\).*\(prompts\.train\)"),
        ([PASSED], [FAILED], r"iteration 7: the target failed on none of 1 .*prompts\.train.*samples_per_prompt"),
        ([FAILED], [FAILED], r"iteration 7: the target passed none of 1 .*check the labels.*prompts\.train"),
        ([FAILED, PASSED], [], r"iteration 7: of 1 failed .*, none shares its prompt with .*across_prompts: true"),
    ],
)
def test_an_iteration_that_cannot_be_paired_gives_an_error_with_a_fix(
    current: list[Judged], earlier: list[Judged], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        build_pairs(current, earlier, pairing(across_prompts=False), 0, 7)


def test_statistics_are_those_counted_by_hand() -> None:
    rows = [
        ("one two three", "one", "r0", "same_prompt"),
        (" one  two", "one two", "r0", "same_prompt"),
        ("one two", "one two three four", "r1", "earlier_pass"),
    ]
    pairs = [
        Pair(prompt="p", chosen=chosen, rejected=rejected, chosen_id="c", rejected_id=identity, pairing=how)
        for chosen, rejected, identity, how in rows
    ]
    assert pair_statistics(pairs) == {
        "pairs": 3,
        "same_prompt": 2,
        "across_prompts": 0,
        "earlier_pass": 1,
        "distinct_rejected": 2,
        "chosen_words": 2.333,
        "rejected_words": 2.333,
    }


def small_world(rng: random.Random) -> list[Iteration]:
    """One to three iterations with repeated, invalid, near-duplicate, held-out and unlabelled instructions."""
    verdict: dict[str, str] = {}
    return [_iteration(rng, number, verdict) for number in range(rng.randint(1, 3))]


def _iteration(rng: random.Random, number: int, verdict: dict[str, str]) -> Iteration:
    prompts = [prompt(f"{number}.{n}", rng.choice(["train", "train", "heldout"])) for n in range(rng.randint(2, 8))]
    samples_of: dict[str, list[Sample]] = {}
    for one in prompts:
        for n in range(rng.randint(1, 6)):
            expression = draw_expression(rng.choice(TYPES), random.Random(rng.randrange(6)))
            text = write_question(expression, "symbols", rng)
            samples_of.setdefault(text, []).append(sample(one, n, text))
    for text in samples_of:  # each text has one verdict, whichever proposer wrote it
        verdict.setdefault(text, rng.choice(["failed", "failed", "passed", "passed", "invalid"]))
    instructions = [
        instruction(
            text,
            samples,
            invalid="cut off" if rng.random() < 0.1 else None,
            duplicate_of="another" if rng.random() < 0.1 else None,
        )
        for text, samples in samples_of.items()
    ]
    labels = [label(i.text, verdict[i.text]) for i in instructions if i.invalid is None and rng.random() < 0.95]
    samples = [s for several in samples_of.values() for s in several]
    return Iteration(prompts, rng.sample(samples, len(samples)), instructions, rng.sample(labels, len(labels)))


def eligible(iteration: Iteration, verdict: str) -> dict[str, tuple[str, set[str]]]:
    """Text and training prompts, by id, of all instructions that may be in a pair, by a search through the raw rows."""
    eligible_ones = {}
    for i in iteration.instructions:
        prompts = {
            p.text
            for s in iteration.samples
            for p in iteration.prompts
            if s.id in i.samples and s.prompt_id == p.id and p.split == "train"
        }
        verdicts = [one.verdict for one in iteration.labels if one.instruction_id == i.id]
        if prompts and i.invalid is None and i.duplicate_of is None and verdicts == [verdict]:
            eligible_ones[i.id] = (i.text, prompts)
    return eligible_ones


def check_every_rule(world: list[Iteration], pairs: list[Pair], rules: Pairing) -> None:
    """Assert everything that must hold for pairs without a limit on their number."""
    failed, passed = eligible(world[-1], "failed"), eligible(world[-1], "passed")
    before = {i: entry for iteration in world[:-1] for i, entry in eligible(iteration, "passed").items()}
    uses = {name: Counter(p.rejected_id for p in pairs if p.pairing == name) for name in KINDS}
    full = {i for i in passed if uses["same_prompt"][i] == rules.max_reuse}
    of_current = uses["same_prompt"] + uses["across_prompts"]
    in_all = of_current + uses["earlier_pass"]

    assert len({p.chosen_id for p in pairs}) == len(pairs)
    assert all(count <= rules.max_reuse for count in in_all.values())
    assert not (uses["across_prompts"] and not rules.across_prompts)
    for pair in pairs:
        text, prompts = failed[pair.chosen_id]
        other, others = (before if pair.pairing == "earlier_pass" else passed)[pair.rejected_id]
        assert (pair.chosen, pair.rejected) == (f" {text}", f" {other}")
        assert pair.prompt in prompts
        if pair.pairing == "same_prompt":
            assert pair.prompt in others
        else:  # other failures have used all passed instructions of its prompts
            assert full >= {i for i, (_, theirs) in passed.items() if theirs & prompts}
        if pair.pairing == "earlier_pass" and rules.across_prompts:
            assert all(of_current[i] == rules.max_reuse for i in passed)
    if any(uses["across_prompts"]):  # the least used one comes first
        assert max(of_current[i] for i in uses["across_prompts"]) <= min(of_current[i] for i in passed) + 1
    if any(uses["earlier_pass"]):
        assert max(in_all[i] for i in uses["earlier_pass"]) <= min(in_all[i] for i in before) + 1
    for identity in failed.keys() - {p.chosen_id for p in pairs}:  # no failure that could still be paired is left
        assert full >= {i for i, (_, theirs) in passed.items() if theirs & failed[identity][1]}
        assert not rules.across_prompts or all(of_current[i] == rules.max_reuse for i in passed)
        assert all(in_all[i] == rules.max_reuse for i in before)


KINDS = ("same_prompt", "across_prompts", "earlier_pass")


def test_every_rule_holds_in_random_small_worlds() -> None:
    seen: Counter[str] = Counter()
    for number in range(400):
        rng = random.Random(number)
        world = small_world(rng)
        rules = pairing(across_prompts=rng.random() < 0.6, max_reuse=rng.randint(1, 3))
        earlier = [one for iteration in world[:-1] for one in iteration.judged]
        arguments = (number, len(world) - 1)
        try:
            pairs = build_pairs(world[-1].judged, earlier, rules, *arguments)
        except BadInput:
            seen["nothing to pair"] += 1
            continue
        check_every_rule(world, pairs, rules)
        seen.update(pair.pairing for pair in pairs)
        limit = rng.randint(1, len(pairs))
        limited = rules.model_copy(update={"max_pairs": limit})
        assert build_pairs(world[-1].judged, earlier, limited, *arguments) == pairs[:limit]
    assert seen["nothing to pair"] < 100
    assert min(seen[name] for name in KINDS) > 100  # every way of pairing occurred often


def test_equal_random_seeds_give_equal_bytes_and_different_ones_different_pairs(tmp_path: Path) -> None:
    rng = random.Random(3)
    questions = {write_question(draw_expression(rng.choice(TYPES), rng), "words", rng) for _ in range(60)}
    current = [judged(q, rng.choice(["failed", "passed"]), f"p{n % 7}") for n, q in enumerate(sorted(questions))]

    def written(name: str, random_seed: int, iteration: int) -> bytes:
        path = tmp_path / name
        write_records(path, build_pairs(current, [], pairing(), random_seed, iteration))
        return path.read_bytes()

    first = written("first", 0, 1)
    assert written("again", 0, 1) == first
    assert written("seed", 1, 1) != first
    assert written("iteration", 0, 2) != first


def test_the_order_of_rows_decides_neither_side() -> None:
    failed = [judged(f"{n} + 3", "failed", "p0") for n in range(20, 40)]
    passed = [judged(f"{n} - 3", "passed", "p1") for n in range(20, 40)]
    for current, earlier in [(failed + passed, []), (failed, passed)]:
        drawn = [build_pairs(current, earlier, pairing(max_pairs=1), seed, 0) for seed in range(20)]
        assert len({p.chosen_id for [p] in drawn}) > 5
        assert len({p.rejected_id for [p] in drawn}) > 5


def test_the_training_library_reads_the_written_pairs(tmp_path: Path) -> None:
    from datasets import Dataset

    current = [judged("20 + 3 + 4", "failed", "Q4."), judged("20 + 3", "passed", "Q4.")]
    path = tmp_path / "pairs.jsonl"
    write_records(path, build_pairs(current, [], pairing(), 0, 0))
    [row] = Dataset.from_list([row for _, row in read_rows(path, None)]).select_columns(
        ["prompt", "chosen", "rejected"]
    )
    assert row == {"prompt": "Q4.", "chosen": " 20 + 3 + 4", "rejected": " 20 + 3"}
    assert read_question(row["chosen"]).type == "add_add"


def test_both_sides_of_a_pair_have_the_same_type_if_the_task_wants_it() -> None:
    failed = [judged(f"{n} + 3", "failed", "one") for n in range(20, 26)]
    failed += [judged(f"{n} - 3", "failed", "two") for n in range(20, 26)]
    passed = [judged(f"{n} - 4", "passed", "one", "two") for n in range(20, 23)]
    passed += [judged(f"{n} + 4", "passed", "three") for n in range(20, 23)]
    types = {j.id: j.type for j in (*failed, *passed)}
    free = build_pairs([*failed, *passed], [], pairing(), 0, 0)
    assert Counter((types[p.chosen_id], types[p.rejected_id]) for p in free) != {}
    assert any(types[p.chosen_id] != types[p.rejected_id] for p in free)
    same = build_pairs([*failed, *passed], [], pairing(same_type=True), 0, 0)
    assert [types[p.chosen_id] for p in same] == [types[p.rejected_id] for p in same]
    assert Counter((types[p.chosen_id], p.pairing) for p in same) == {
        ("add", "across_prompts"): 6,
        ("subtract", "same_prompt"): 6,
    }
    assert max(Counter(p.rejected_id for p in same).values()) <= 4
    earlier = build_pairs(failed[:6], passed, pairing(same_type=True), 0, 1)
    assert {(types[p.rejected_id], p.pairing) for p in earlier} == {("add", "earlier_pass")}
    with pytest.raises(
        BadInput, match=r"of 6 failed .*, none shares its type with one of 3 passed ones; .*same_type: false"
    ):
        build_pairs([*failed[:6], *passed[:3]], [], pairing(same_type=True), 0, 0)
    with pytest.raises(BadInput, match=r"none shares its prompt and its type .*across_prompts: true"):
        build_pairs([*failed[:6], *passed[:3]], [], pairing(same_type=True, across_prompts=False), 0, 0)


def test_no_type_gives_more_than_an_equal_share_of_the_pairs_if_the_task_wants_it() -> None:
    failed = [judged(f"{n} + 3", "failed", "one") for n in range(20, 30)]
    failed += [judged(f"{n} - 3", "failed", "one") for n in range(20, 24)]
    failed += [judged("20 + 3 + 4", "failed", "one")]
    passed = [judged(f"{n} + 4", "passed", "one") for n in range(20, 26)]
    types = {j.id: j.type for j in failed}
    every = build_pairs([*failed, *passed], [], pairing(), 0, 0)
    assert Counter(types[p.chosen_id] for p in every) == {"add": 10, "subtract": 4, "add_add": 1}
    equal = build_pairs([*failed, *passed], [], pairing(equal_types=True), 0, 0)
    assert Counter(types[p.chosen_id] for p in equal) == {"add": 5, "subtract": 4, "add_add": 1}
    assert {p.chosen_id for p in equal} < {p.chosen_id for p in every}
