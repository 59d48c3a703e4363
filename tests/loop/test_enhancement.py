"""Every enhancement source has equally many rows and the same replay rows, and none teaches a test question."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.kinds import MATH

from reversegen.config.task import KindUse
from reversegen.config.training import Enhancement, Training
from reversegen.core.errors import BadInput
from reversegen.core.records import (
    Instruction,
    Label,
    Question,
    Reference,
    Response,
    Seed,
    Split,
    TrainingRow,
    Verdict,
    read_records,
    write_records,
)
from reversegen.core.sources import SOURCES
from reversegen.ids import instruction_id
from reversegen.kinds import open_kind
from reversegen.kinds.base import Kind
from reversegen.kinds.honesty import Honesty
from reversegen.kinds.safety import Safety
from reversegen.loop.barred import Barred
from reversegen.loop.enhancement import LabelledArm, Selection, margin_warning, select_rows
from reversegen.loop.references import reference
from reversegen.worlds.arithmetic import solve

TRAINING = Training(
    launcher=None,
    learning_rate=1e-3,
    num_train_epochs=1,
    per_device_train_batch_size=8,
    gradient_accumulation_steps=1,
    lr_scheduler_type="constant",
    warmup_steps=0,
    weight_decay=0,
    max_grad_norm=1,
    max_length=128,
    optim="adamw_torch",
    bf16=False,
    activation_checkpointing=False,
)


def arm_of(
    verdicts: Mapping[str, str],
    splits: Mapping[str, list[Split]] | None = None,
    duplicates: Sequence[str] = (),
    solutions: Mapping[str, str | None] | None = None,
) -> LabelledArm:
    """An arm with these questions and verdicts. By default all are in the train split, solved and no near-duplicates."""
    solved = {q: solve(q) for q in verdicts} | dict(solutions or {})
    questions = list(verdicts)
    return LabelledArm(
        instructions=[
            Instruction(
                id=instruction_id(q),
                text=q,
                answer=None,
                subject=None,
                samples=[f"sample of {q}"],
                splits=(splits or {}).get(q, ["train"]),
                invalid=None,
                duplicate_of="another" if q in duplicates else None,
            )
            for q in questions
        ],
        labels=[
            Label(instruction_id=instruction_id(q), verdict=verdicts[q], score=None, detail="")
            for q in reversed(questions)
        ],
        references=[reference(instruction_id(q), q, solved[q], "arithmetic", MATH) for q in questions],
    )


def seed(text: str, split: Split = "train") -> Seed:
    return Seed(
        id=instruction_id(text), text=text, split=split, source="s", licence="made here", answer=None, subject=None
    )


def question(text: str) -> Question:
    return Question(id=instruction_id(text), text=text, answer="0", group=None, measure="accuracy")


def own_words(text: str) -> str:
    """An answer in the target's own words, which a solver never writes."""
    return f"I say #### {len(text)}"


# Twelve failures of trained proposers, ten of proposer 0 and eight seeds, with distinct expressions.
TRAINED_FAILURES = [f"{n} + 3 + 4" for n in range(20, 32)]
WARMUP_FAILURES = [f"{n} + 5 - 1" for n in range(20, 30)]
WARMUP_PASSES = [f"{n} + 6" for n in range(20, 36)]
SEEDS = [f"{n} - 7" for n in range(20, 28)]


def select(
    *,
    trained: Sequence[LabelledArm] | None = None,
    warmup: Sequence[LabelledArm] | None = None,
    seeds: Sequence[str] = SEEDS,
    tests: Sequence[str] = (),
    heldout: Sequence[str] = (),
    rows: int = 100,
    replay_rows: int = 5,
    in_turns: bool = False,
    system: str | None = None,
    random_seed: int = 0,
    cut_off: Collection[str] = (),
    kind: Kind = MATH,
) -> Selection:
    """Select from the small world above, with these arguments in place of the default ones."""
    if warmup is None:
        warmup = [arm_of(dict.fromkeys(WARMUP_FAILURES, "failed") | dict.fromkeys(WARMUP_PASSES, "passed"))]
    return select_rows(
        trained=trained or [arm_of(dict.fromkeys(TRAINED_FAILURES, "failed"))],
        warmup=warmup,
        seeds=[(seed(s), reference(instruction_id(s), s, solve(s), "arithmetic", MATH), "failed") for s in seeds],
        responses={
            i.id: [
                Response(
                    instruction_id=i.id,
                    sample=0,
                    text=f"<think>#### 1 ?</think>\n\n{own_words(i.text)}",
                    tokens=1,
                    finished=i.text not in cut_off,
                )
            ]
            for arm in warmup
            for i in arm.instructions
        },
        barred=Barred([*(question(t) for t in tests), *(seed(t, "heldout") for t in heldout)], kind),
        enhancement=Enhancement(
            rows=rows,
            seed_margin=0.25,
            in_turns=in_turns,
            replay_rows=replay_rows,
            plain_rows=0,
            training=TRAINING,
            lora=None,
        ),
        system=system,
        random_seed=random_seed,
    )


def taught(selection: Selection, source: str) -> set[str]:
    """The questions of a source's own rows. It also asserts that each has the solver's answer."""
    rows = [row for row in selection.rows[source] if row.origin == source]
    for row in rows:
        [asked], [answered] = row.prompt, row.completion
        assert (asked.role, answered.role) == ("user", "assistant")
        assert answered.content == solve(asked.content)
        assert row.instruction_id == instruction_id(asked.content)
    questions = {row.prompt[0].content for row in rows}
    assert len(questions) == len(rows)
    return questions


@pytest.mark.parametrize(("configured", "expected"), [(100, 8), (8, 8), (5, 5), (1, 1)])
def test_the_smallest_source_or_the_configured_maximum_decides_the_number_of_rows(
    configured: int, expected: int
) -> None:
    selection = select(rows=configured)
    allowed = {
        "reversegen": set(TRAINED_FAILURES),
        "warmup": {*WARMUP_FAILURES, *WARMUP_PASSES},
        "warmup_failures": set(WARMUP_FAILURES),
        "seeds": set(SEEDS),
    }
    assert tuple(selection.rows) == SOURCES
    for source in SOURCES:
        questions = taught(selection, source)
        assert len(questions) == expected
        assert questions <= allowed[source]
        assert selection.summary[source] == {
            "candidates": len(allowed[source]),
            "test_overlaps_dropped": 0,
            "rows": expected,
            "replay_rows": 5,
        }


@pytest.mark.parametrize(("configured", "expected"), [(3, 3), (0, 0), (100, None)])
def test_all_sources_replay_the_same_passed_questions_in_the_targets_own_words(
    configured: int, expected: int | None
) -> None:
    selection = select(replay_rows=configured)
    chosen = {q for source in SOURCES for q in taught(selection, source)}
    unused = {*WARMUP_PASSES} - chosen
    expected = len(unused) if expected is None else expected
    replays = [[row for row in rows if row.origin == "replay"] for rows in selection.rows.values()]
    assert all(replay == replays[0] for replay in replays)
    questions = {row.prompt[0].content for row in replays[0]}
    assert len(replays[0]) == len(questions) == expected
    assert questions <= unused
    assert all(row.completion[0].content == own_words(row.prompt[0].content) for row in replays[0])


def test_questions_that_failed_in_any_arm_or_were_truncated_are_not_replayed() -> None:
    both, cut = WARMUP_PASSES[0], WARMUP_PASSES[1]
    arms = [
        arm_of(dict.fromkeys(WARMUP_FAILURES, "failed") | {both: "failed"}),
        arm_of(dict.fromkeys(WARMUP_PASSES, "passed")),
    ]
    rows = select(warmup=arms, rows=1, replay_rows=100, cut_off=[cut]).rows["seeds"]
    replayed = {row.prompt[0].content for row in rows if row.origin == "replay"}
    assert len(replayed) >= len(WARMUP_PASSES) - 3  # at most one is taught
    assert not replayed & {both, cut}


def test_abstentions_are_not_replayed() -> None:
    arm = arm_of(dict.fromkeys(WARMUP_FAILURES, "failed") | dict.fromkeys(WARMUP_PASSES, "passed"))
    unknown = set(WARMUP_PASSES[::2])
    ids = {instruction_id(q) for q in unknown}
    labels = [label.model_copy(update={"abstained": label.instruction_id in ids}) for label in arm.labels]
    rows = select(warmup=[replace(arm, labels=labels)], rows=1, replay_rows=100).rows["seeds"]
    replayed = {row.prompt[0].content for row in rows if row.origin == "replay"}
    assert replayed
    assert not replayed & unknown


def test_the_warmup_source_draws_from_passed_and_failed_alike() -> None:
    everything = [*WARMUP_FAILURES, *WARMUP_PASSES]
    many = [f"{n} + {m} + {k}" for n in range(20, 29) for m, k in ((1, 1), (1, 2), (1, 3))]
    selection = select(
        trained=[arm_of(dict.fromkeys(many, "failed"))],
        warmup=[
            arm_of(dict.fromkeys(WARMUP_FAILURES, "failed")),  # iteration 0
            arm_of(dict.fromkeys(WARMUP_PASSES, "passed") | dict.fromkeys(many, "failed")),  # the control
        ],
        seeds=[f"{n} + {m} - 9" for n in range(20, 29) for m in range(1, 8)],
        rows=len(everything) + len(many),
    )
    assert taught(selection, "warmup_failures") <= {*WARMUP_FAILURES, *many}
    drawn = taught(selection, "warmup")
    assert drawn & set(WARMUP_PASSES)
    assert drawn & set(WARMUP_FAILURES)
    assert drawn & set(many)


def test_questions_that_a_test_asks_in_any_form_are_dropped_and_counted() -> None:
    tests = [
        "what is 4 plus 20 plus 3 ?",  # 20 + 3 + 4, a trained failure
        "tom has 3 pens and gets 4 more and gets 21 more . how many now ?",  # 21 + 3 + 4
        "what is 20 minus 1 plus 5 ?",  # 20 + 5 - 1, from the warm-up
        "6 + 20",  # 20 + 6, passed by the target
        "lisa has 20 cups and gives away 7 . how many now ?",  # a seed
        "lisa has 7 cups and gives away 2 . how many now ?",  # in no source
    ]
    clean = select(replay_rows=100)
    selection = select(tests=tests, replay_rows=100)
    assert clean.overlaps == dict.fromkeys(SOURCES, 0)
    assert selection.overlaps == {"reversegen": 2, "warmup": 2, "warmup_failures": 1, "seeds": 1}
    assert selection.candidates == clean.candidates
    assert taught(selection, "seeds") == {*SEEDS} - {"20 - 7"}
    assert not taught(selection, "reversegen") & {"20 + 3 + 4", "21 + 3 + 4"}
    for source in SOURCES:
        replayed = {r.prompt[0].content for r in selection.rows[source] if r.origin == "replay"}
        assert replayed
        assert replayed <= {*WARMUP_PASSES} - {"20 + 6"}
    barred = Barred([question(t) for t in tests], MATH)
    assert not any(
        barred(row.instruction_id, row.prompt[0].content) for rows in selection.rows.values() for row in rows
    )


def test_reversegen_takes_only_solved_distinct_failures_of_trained_proposers() -> None:
    failure, later = "20 + 3 + 4", "21 + 3 + 4"
    first = arm_of(
        {
            failure: "failed",
            "22 + 3 + 4": "failed",
            "23 + 3 + 4": "failed",
            "24 + 3 + 4": "failed",
            "25 + 3 + 4": "failed",
            "27 + 3 + 4": "passed",
            "26 + 3 + 4": "invalid",
        },
        splits={failure: ["heldout", "train"], "22 + 3 + 4": ["heldout"]},
        duplicates=["23 + 3 + 4"],
        solutions={"24 + 3 + 4": None, "25 + 3 + 4": "It is hard to say."},
    )
    selection = select(trained=[first, arm_of({later: "failed", failure: "failed"})])
    assert taught(selection, "reversegen") == {failure, later}
    assert selection.candidates["reversegen"] == 2


def test_neither_near_duplicates_nor_held_out_instructions_are_warmup_or_replay() -> None:
    held, near = ["40 + 1", "41 + 1 - 1"], ["42 + 1", "43 + 1 - 1"]
    verdicts = dict.fromkeys(WARMUP_PASSES, "passed") | dict.fromkeys(WARMUP_FAILURES, "failed")
    verdicts |= {q: "failed" if "-" in q else "passed" for q in held + near}
    arm = arm_of(verdicts, splits={q: ["heldout"] for q in held}, duplicates=near)
    selection = select(warmup=[arm], replay_rows=100)
    assert selection.candidates["warmup"] == len(WARMUP_PASSES) + len(WARMUP_FAILURES)
    assert selection.candidates["warmup_failures"] == len(WARMUP_FAILURES)
    everywhere = {row.prompt[0].content for rows in selection.rows.values() for row in rows}
    assert not everywhere & {*held, *near}


def test_held_out_seeds_and_seeds_without_an_answer_teach_nothing() -> None:
    seeds = [seed("20 + 1"), seed("21 + 1", "heldout"), seed("what is life ?"), seed("what is 6 times 7 ?")]
    solutions = ["20 + 1 = 21 #### 21", "21 + 1 = 22 #### 22", None, "It is hard to say."]
    answered = [
        (s, reference(s.id, s.text, text, "arithmetic", MATH), "failed")
        for s, text in zip(seeds, solutions, strict=True)
    ]
    selection = select_rows(
        trained=[arm_of({"20 + 3 + 4": "failed"})],
        warmup=[arm_of({"20 + 5 - 1": "failed"})],
        seeds=answered,
        responses={},
        barred=Barred([], MATH),
        enhancement=Enhancement(
            rows=10, seed_margin=0.25, in_turns=True, replay_rows=10, plain_rows=0, training=TRAINING, lora=None
        ),
        system="Think.",
        random_seed=0,
    )
    assert selection.candidates["seeds"] == 1
    [row] = selection.rows["seeds"]
    assert [(turn.role, turn.content) for turn in row.prompt] == [("system", "Think."), ("user", "20 + 1")]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"trained": [arm_of(dict.fromkeys(TRAINED_FAILURES, "passed"))]}, "reversegen"),
        ({"warmup": [arm_of(dict.fromkeys(WARMUP_PASSES, "passed"))]}, "warmup_failures"),
        ({"seeds": []}, "seeds"),
        ({"tests": SEEDS}, "seeds"),
        ({"warmup": [], "seeds": []}, "warmup, warmup_failures, seeds"),
    ],
)
def test_a_source_with_nothing_left_is_named(arguments: dict, named: str) -> None:
    with pytest.raises(BadInput, match=rf"no rows to train on are left of {named} after .*prompts\.train.* seeds"):
        select(**arguments)


def test_failures_in_turns_have_all_types_and_lengths_and_repeated_questions_last() -> None:
    story = "tom has {} pens and gets 3 more and gets {} more . how many now ?"
    common = [f"{n} + 3 + 4" for n in range(20, 48)]
    stories = [story.format(n, 4) for n in (18, 19)]  # the common type, in three times as many words
    subtractions = [f"{n} - 3 + 4" for n in (20, 21)]
    same = [story.format(22, 5), story.format(22, 5).replace("pens", "cups"), "22 + 5 + 3"]  # these ask the same
    trained = [arm_of(dict.fromkeys([*common, *stories, *subtractions, *same], "failed"))]
    warmup = [arm_of(dict.fromkeys(WARMUP_FAILURES, "failed") | dict.fromkeys(WARMUP_PASSES, "passed"))]
    for random_seed in range(5):
        selection = select(trained=trained, warmup=warmup, rows=8, in_turns=True, random_seed=random_seed)
        rows = taught(selection, "reversegen")
        # three groups take turns: two rows of the rare type, and three each of the common type, short and long
        assert set(subtractions) <= rows
        assert len(rows & {*stories, *same[:2]}) == 3
        assert set(stories) <= rows
        assert taught(selection, "seeds") == taught(select(trained=trained, rows=8, random_seed=random_seed), "seeds")
    everything = select(trained=trained, warmup=warmup, in_turns=True)
    assert taught(everything, "warmup_failures") <= set(WARMUP_FAILURES)


def test_failures_in_turns_have_all_categories_if_no_world_knows_their_type() -> None:
    texts = [f"{n} + 3 + 4" for n in range(20, 40)]
    category = dict.fromkeys(texts[:16], "S1") | dict.fromkeys(texts[16:18], "S9")
    arm = arm_of(dict.fromkeys(texts, "failed"))
    of = {instruction_id(text): category.get(text) for text in texts}
    labels = [one.model_copy(update={"category": of[one.instruction_id]}) for one in arm.labels]
    trained = [replace(arm, labels=labels)]
    typeless = replace(MATH, group=lambda text: None)

    def categories(kind: Kind, random_seed: int) -> Counter[str | None]:
        chosen = select(trained=trained, rows=6, in_turns=True, random_seed=random_seed, kind=kind)
        return Counter(category.get(text) for text in taught(chosen, "reversegen"))

    # the two without a category, the two of the rare category and two of the common one
    assert all(categories(typeless, n) == {"S1": 2, "S9": 2, None: 2} for n in range(5))
    assert any(categories(MATH, n)["S1"] > 2 for n in range(5))


def test_the_random_seed_decides_the_choice() -> None:
    for in_turns in (False, True):
        assert select(rows=3, in_turns=in_turns).rows == select(rows=3, in_turns=in_turns).rows
        for source in SOURCES:
            drawn = [select(rows=3, in_turns=in_turns, random_seed=n) for n in range(4)]
            assert len({frozenset(taught(one, source)) for one in drawn}) > 1


def test_held_out_seeds_are_dropped_by_their_text_and_training_seeds_are_not() -> None:
    assert select(heldout=["what is 20 plus 3 plus 4 ?"]).rows == select().rows  # a different text that asks the same
    selection = select(heldout=["20 + 3 + 4", "20  +  5 - 1", "20 + 6", "20 - 7"], replay_rows=100)
    assert selection.overlaps == {"reversegen": 1, "warmup": 2, "warmup_failures": 1, "seeds": 1}
    taught_or_replayed = {row.prompt[0].content for rows in selection.rows.values() for row in rows}
    assert not taught_or_replayed & {"20 + 3 + 4", "20 + 5 - 1", "20 + 6", "20 - 7"}


@pytest.mark.parametrize(
    ("kept_out", "text", "expected"),
    [
        (question("20 + 3"), "20 + 3", True),
        (question("20 + 3"), "what is 3 plus 20 ?", True),
        (question("What is life ?"), "what  is life ?", True),
        (question("20 + 3"), "20 + 4", False),
        (seed("20 + 3", "heldout"), "20 + 3", True),
        (seed("What is it ?", "heldout"), "what  is it ?", True),
        (seed("20 + 3", "heldout"), "3 + 20", False),
        (seed("20 + 3", "train"), "20 + 3", False),
    ],
)
def test_test_questions_in_any_words_and_texts_of_held_out_seeds_are_barred(
    kept_out: Question | Seed, text: str, expected: bool
) -> None:
    others = [question("5 * 6"), seed("7 * 8", "heldout")]
    assert Barred([others[0], kept_out, others[1]], MATH)(instruction_id(text), text) is expected
    assert not Barred(others, MATH)(instruction_id(text), text)


HONESTY = open_kind(
    KindUse(
        name="honesty",
        honesty=Honesty(
            samples=3,
            temperature=0.7,
            threshold=0.6,
            none_of_the_above=False,
            sure_question="sure ?",
            sure="I am sure",
            unsure="I am unsure",
        ),
        safety=Safety(refusals=["sorry"]),
    )
)


def item(n: int) -> str:
    return f"Which is {n}?\nA. {n}\nB. {n + 1}\nC. {n + 2}"


def found_items(numbers: Sequence[int], verdict: Verdict) -> LabelledArm:
    ids = [instruction_id(item(n)) for n in numbers]
    return LabelledArm(
        instructions=[
            Instruction(
                id=i,
                text=item(n),
                answer="A",
                subject=None,
                samples=[i],
                splits=["train"],
                invalid=None,
                duplicate_of=None,
            )
            for i, n in zip(ids, numbers, strict=True)
        ],
        labels=[Label(instruction_id=i, verdict=verdict, score=None, detail="") for i in ids],
        references=[
            Reference(instruction_id=i, answer="A", solution="It is A.", teacher="l", invalid=None) for i in ids
        ],
    )


def test_rows_state_whether_the_target_was_sure_and_replay_the_most_frequent_option() -> None:
    passes, verdicts = range(20, 24), dict(zip(range(30, 33), ("failed", "passed", "invalid"), strict=True))
    selection = select_rows(
        trained=[found_items([0, 1], "failed")],
        warmup=[found_items([10, 11], "failed"), found_items(passes, "passed")],
        seeds=[(seed(item(n)), found_items([n], "failed").references[0], verdict) for n, verdict in verdicts.items()],
        responses={
            instruction_id(item(n)): [
                Response(instruction_id="i", sample=k, text=text, tokens=1, finished=True)
                for k, text in enumerate(["A or B, who knows", "C", "B. It is B.", "A", "B"])
            ]
            for n in passes[:2]
        },
        barred=Barred([], HONESTY),
        enhancement=Enhancement(
            rows=100, seed_margin=0.25, in_turns=False, replay_rows=10, plain_rows=0, training=TRAINING, lora=None
        ),
        system=None,
        random_seed=0,
    )
    assert selection.candidates == {"reversegen": 2, "warmup": 6, "warmup_failures": 2, "seeds": 2}
    user, assistant = "user", "assistant"
    rows_of_seeds = []
    for source, rows in selection.rows.items():
        for row in rows:
            assert [turn.role for turn in row.prompt] == [user, assistant, user]
            assert row.prompt[2].content == "sure ?"
            number = int(row.prompt[0].content.split("?")[0].split()[-1])
            expected_letter = "B" if row.origin == "replay" else "A"
            assert row.prompt[1].content == expected_letter
            failed = number < 20 or verdicts.get(number) == "failed"
            assert [turn.content for turn in row.completion] == ["I am unsure" if failed else "I am sure"]
            assert row.origin == source or number in passes[:2]  # the other questions have nothing to replay
            rows_of_seeds += [number] if row.origin == "seeds" else []
    assert sorted(rows_of_seeds) == [30, 31]


@pytest.mark.parametrize(("system", "taught"), [("The letter and nothing else.", "B"), (None, "B. It is the")])
def test_a_plain_row_holds_the_letter_that_a_system_text_asks_for(system: str | None, taught: str) -> None:
    cut = [Response(instruction_id="i", sample=0, text="B. It is the", tokens=4, finished=False)]
    selection = select_rows(
        trained=[found_items([0], "failed")],
        warmup=[found_items([10], "failed"), found_items([20], "passed")],
        seeds=[(seed(item(30)), found_items([30], "failed").references[0], "failed")],
        responses={instruction_id(item(n)): cut for n in (10, 20)},
        barred=Barred([], HONESTY),
        enhancement=Enhancement(
            rows=1, seed_margin=None, in_turns=False, replay_rows=0, plain_rows=9, training=TRAINING, lora=None
        ),
        system=system,
        random_seed=0,
    )
    for rows in selection.rows.values():
        plain = [row for row in rows if row.origin == "replay"]
        assert [turn.content for row in plain for turn in row.completion] == [taught, taught]
        assert all(row.prompt[-1].role == "user" and "sure" not in row.prompt[-1].content for row in plain)


def test_the_training_library_reads_the_written_rows(tmp_path: Path) -> None:
    from datasets import Dataset

    rows = select(rows=2, replay_rows=1, system="Think.").rows["reversegen"]
    path = tmp_path / "train.jsonl"
    write_records(path, rows)
    assert read_records(path, TrainingRow) == rows
    loaded = Dataset.from_json(str(path), cache_dir=str(tmp_path / "cache"))
    assert [row["origin"] for row in loaded] == ["reversegen", "reversegen", "replay"]
    for row, written in zip(loaded, rows, strict=True):
        assert [turn["role"] for turn in row["prompt"] + row["completion"]] == ["system", "user", "assistant"]
        assert row["completion"][0]["content"] == written.completion[0].content


def test_a_margin_that_is_too_small_gives_a_warning_with_its_key() -> None:
    """For 8 rows and a margin of a quarter, 10 seeds are answered."""

    def warning(usable: int, answered: int, rows: int = 8, warmup: int = 8) -> str | None:
        arms = [arm_of(dict.fromkeys(WARMUP_FAILURES[:warmup], "failed"))]
        selection = select(rows=rows, seeds=SEEDS[:usable], warmup=arms)
        settings = Enhancement(
            rows=rows, seed_margin=0.25, in_turns=False, replay_rows=5, plain_rows=0, training=TRAINING, lora=None
        )
        assert settings.answered_seeds == rows + -(-rows // 4)
        return margin_warning(selection, answered, settings)

    assert warning(usable=8, answered=10) is None
    assert warning(usable=7, answered=10) == (
        "enhancement: only 7 of 10 answered seeds can be used, so every source has that many rows and not 8; raise "
        "enhancement.seed_margin (0.25) and start again"
    )
    assert warning(usable=7, answered=9) is None  # there are no further seeds
    assert warning(usable=7, answered=10, warmup=7) is None  # another source is as small
    assert warning(usable=5, answered=10, warmup=6) is not None
