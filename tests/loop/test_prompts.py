"""Three-shot prompts are all different, of one source, and do not contain the text that they ask for."""

import hashlib
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.kinds import MATH

from reversegen.config.sampling import Prompts
from reversegen.config.task import KindUse
from reversegen.core.errors import BadInput
from reversegen.core.records import Label, Prompt, Seed, Split, TrainingRow
from reversegen.kinds import open_kind
from reversegen.kinds.honesty import Honesty
from reversegen.kinds.safety import Safety
from reversegen.loop.prompts import build_prompts, build_warmup, failed_seeds

SCRIPTS = Path(__file__).parents[2] / "scripts"
HEADER = "Write one more."


def seeds(train: int = 300, heldout: int = 150, source: str = "big", subject: str | None = None) -> list[Seed]:
    splits: list[Split] = ["train"] * train + ["heldout"] * heldout
    name = f"{source} {subject}" if subject else source
    texts = [f"{name} {split} question {n} ?" for n, split in enumerate(splits)]
    return [
        Seed(id=f"{name}-{n}", text=text, split=split, source=source, licence="MIT", answer=None, subject=subject)
        for n, (text, split) in enumerate(zip(texts, splits, strict=True))
    ]


TWO_SOURCES = [*seeds(), *seeds(100, 50, "small")]
BY_ID = {seed.id: seed for seed in TWO_SOURCES}
BY_TEXT = {seed.text: seed for seed in TWO_SOURCES}


def asked(train: int, heldout: int) -> Prompts:
    return Prompts(header=HEADER, train=train, heldout=heldout)


def demonstrations(text: str) -> list[Seed]:
    """The seeds that a prompt shows, read back from its text by hand."""
    header, *items, last = text.split("\n\n")
    assert (header, last) == (HEADER, "Q4.")
    assert [item[:4] for item in items] == ["Q1. ", "Q2. ", "Q3. "]
    return [BY_TEXT[item[4:]] for item in items]


def dumped(prompts: list[Prompt] | list[TrainingRow]) -> str:
    return hashlib.sha256("\n".join(prompt.model_dump_json() for prompt in prompts).encode()).hexdigest()


@pytest.fixture(autouse=True)
def time_limit() -> Iterator[None]:
    """A draw that never ends fails its test after this time."""

    def interrupt(*_: object) -> None:
        raise TimeoutError("still drawing after 20 seconds")

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 20)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)


def test_a_prompt_has_the_documented_form() -> None:
    assert MATH.build_prompt("Header :", ["one ?", "two ?", "three ?"]) == (
        "Header :\n\nQ1. one ?\n\nQ2. two ?\n\nQ3. three ?\n\nQ4."
    )


@pytest.mark.parametrize("iteration", [0, 3])
def test_prompts_differ_and_each_shows_three_seeds_of_its_split_and_of_one_source(iteration: int) -> None:
    prompts = build_prompts(TWO_SOURCES, asked(1000, 200), iteration, 0, MATH)
    assert Counter(prompt.split for prompt in prompts) == {"train": 1000, "heldout": 200}
    assert len({prompt.text for prompt in prompts}) == len({prompt.id for prompt in prompts}) == 1200
    for prompt in prompts:
        shown = demonstrations(prompt.text)
        assert [seed.id for seed in shown] == prompt.seeds
        assert len(set(prompt.seeds)) == 3
        assert {seed.split for seed in shown} == {prompt.split}
        assert len({seed.source for seed in shown}) == 1
    small = sum(prompt.seeds[0].startswith("small") for prompt in prompts if prompt.split == "train")
    assert abs(small - 250) < 5 * 14  # a quarter of the seeds; five standard deviations
    used = {identity for prompt in prompts if prompt.split == "train" for identity in prompt.seeds}
    assert len(used) > 0.99 * 400


def test_held_out_prompts_are_the_same_in_every_iteration_and_training_prompts_are_fresh() -> None:
    rounds = [build_prompts(TWO_SOURCES, asked(200, 100), iteration, 0, MATH) for iteration in range(4)]
    heldout = [[prompt for prompt in prompts if prompt.split == "heldout"] for prompts in rounds]
    assert heldout[0] == heldout[1] == heldout[2] == heldout[3]
    train = [prompt.text for prompts in rounds for prompt in prompts if prompt.split == "train"]
    assert len(set(train)) == len(train) == 800
    shown = {split: {i for p in rounds[0] if p.split == split for i in p.seeds} for split in ("train", "heldout")}
    assert not shown["train"] & shown["heldout"]


def test_held_out_prompts_do_not_depend_on_the_training_seeds_or_prompts() -> None:
    before = build_prompts(TWO_SOURCES, asked(10, 100), 0, 0, MATH)[10:]
    others = [seed for seed in TWO_SOURCES if seed.split == "heldout" or seed.id.endswith("7")]
    assert build_prompts(others, asked(30, 100), 2, 0, MATH)[30:] == before


def test_another_random_seed_draws_other_prompts_of_both_splits() -> None:
    one, other = ({p.text for p in build_prompts(TWO_SOURCES, asked(100, 100), 0, n, MATH)} for n in (0, 1))
    assert not one & other


DRAW_AGAIN = """
from tests.loop.test_prompts import *
print(dumped(build_prompts(TWO_SOURCES, asked(50, 50), 1, 2, MATH)))
print(dumped(build_warmup(TWO_SOURCES, 450, HEADER, 2, MATH)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_the_same_random_seed_gives_the_same_bytes_in_another_process(hash_seed: str) -> None:
    path = os.pathsep.join(map(str, [SCRIPTS, Path(__file__).parent]))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", DRAW_AGAIN]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    prompts = build_prompts(TWO_SOURCES, asked(50, 50), 1, 2, MATH)
    assert done.stdout.split() == [dumped(prompts), dumped(build_warmup(TWO_SOURCES, 450, HEADER, 2, MATH))]


@pytest.mark.parametrize(("rows", "expected"), [(None, 400), (1, 1), (7, 7), (400, 400), (403, 403), (1200, 1200)])
def test_warm_up_rows_teach_each_training_seed_equally_often(rows: int | None, expected: int) -> None:
    built = build_warmup(TWO_SOURCES, rows, HEADER, 0, MATH)
    assert len(built) == expected
    taught = Counter(row.instruction_id for row in built)
    assert set(taught) <= {seed.id for seed in TWO_SOURCES if seed.split == "train"}
    assert max(taught.values()) - min(taught.get(s.id, 0) for s in TWO_SOURCES if s.split == "train") <= 1
    for row in built:
        target = BY_ID[row.instruction_id]
        assert (row.completion, row.origin) == (f" {target.text}", "seed")
        shown = demonstrations(str(row.prompt))
        assert target not in shown
        assert len({seed.id for seed in shown}) == 3
        assert {(seed.source, seed.split) for seed in shown} == {(target.source, "train")}
    assert (
        len({(row.prompt, row.completion) for row in built}) == expected
    )  # each use of a seed has different demonstrations


def test_warm_up_rows_come_in_another_order_with_another_random_seed() -> None:
    one, other = (build_warmup(TWO_SOURCES, None, HEADER, n, MATH) for n in (0, 1))
    assert [row.instruction_id for row in one] != [row.instruction_id for row in other]
    assert [row.instruction_id for row in one] != [seed.id for seed in TWO_SOURCES if seed.split == "train"]
    assert sorted(row.instruction_id for row in one) == sorted(row.instruction_id for row in other)


def test_all_possible_prompts_can_be_drawn() -> None:
    prompts = build_prompts(seeds(4, 4), asked(24, 24), 0, 0, MATH)  # 4 x 3 x 2 orders of three out of four
    assert len({prompt.text for prompt in prompts}) == 48


@pytest.mark.parametrize(
    ("train", "heldout", "prompts", "split"),
    [
        (4, 50, (25, 1), "train"),
        (50, 4, (1, 25), "heldout"),
        (2, 50, (1, 1), "train"),
        (50, 2, (1, 1), "heldout"),
        (0, 50, (1, 1), "train"),
        (50, 0, (1, 1), "heldout"),
    ],
)
def test_too_few_seeds_for_the_prompts_give_an_error_with_the_key(
    train: int, heldout: int, prompts: tuple[int, int], split: str
) -> None:
    with pytest.raises(BadInput, match=rf"prompts\.{split}"):
        build_prompts(seeds(train, heldout), asked(*prompts), 0, 0, MATH)


def test_a_source_too_small_for_a_prompt_gives_an_error_even_beside_a_large_one() -> None:
    with pytest.raises(BadInput, match=r"prompts\.train"):
        build_prompts([*seeds(50, 50), *seeds(2, 50, "small")], asked(200, 10), 0, 0, MATH)


@pytest.mark.parametrize(("train", "rows"), [(0, 5), (3, None)])
def test_too_few_seeds_for_a_warm_up_row_give_an_error(train: int, rows: int | None) -> None:
    with pytest.raises(BadInput):
        build_warmup(seeds(train, 50), rows, HEADER, 0, MATH)


def test_a_warm_up_row_of_four_seeds_shows_the_other_three() -> None:
    four = seeds(4, 0)
    for row in build_warmup(four, 40, HEADER, 0, MATH):
        shown = {seed.text for seed in four if seed.text in str(row.prompt)}
        assert shown == {seed.text for seed in four if seed.id != row.instruction_id}


SUBJECTS = [
    *seeds(40, 20, "s", "high_school_physics"),
    *seeds(20, 20, "s", "law"),
    *seeds(20, 20, "t", "law"),
    *seeds(20, 20),
]
SUBJECT_OF = {seed.id: (seed.source, seed.subject) for seed in SUBJECTS}


def header_of(subject: str | None) -> str:
    return {"high_school_physics": "More on high school physics !", "law": "More on law !", None: "More on  !"}[subject]


def test_a_prompt_has_one_subject_and_source_and_its_header_names_the_subject() -> None:
    settings = Prompts(header="More on {subject} !", train=400, heldout=200)
    prompts = build_prompts(SUBJECTS, settings, 0, 0, MATH)
    for prompt in prompts:
        [(_, subject)] = {SUBJECT_OF[identity] for identity in prompt.seeds}
        assert prompt.subject == subject
        assert prompt.text.split("\n\n")[0] == header_of(subject)
    drawn = Counter(SUBJECT_OF[prompt.seeds[0]] for prompt in prompts if prompt.split == "train")
    assert set(drawn) == set(SUBJECT_OF.values())
    assert abs(drawn["s", "high_school_physics"] - 160) < 5 * 10  # two of five seeds; five standard deviations


def test_a_warm_up_row_has_one_subject_and_source_and_its_header_names_the_subject() -> None:
    by_text = {seed.text: seed for seed in SUBJECTS}
    for row in build_warmup(SUBJECTS, 300, "More on {subject} !", 0, MATH):
        source, subject = SUBJECT_OF[row.instruction_id]
        header, *items, last = str(row.prompt).split("\n\n")
        assert (header, len(items), last) == (header_of(subject), 3, "Q4.")
        shown = [by_text[item[4:]] for item in items]
        assert {(seed.source, seed.subject) for seed in shown} == {(source, subject)}
        assert row.instruction_id not in {seed.id for seed in shown}


def test_other_braces_in_a_header_stay_text() -> None:
    settings = Prompts(header="{0} {subjects} {} %s {{subject}", train=1, heldout=1)
    [train, _] = build_prompts(seeds(4, 4, "s", "law"), settings, 0, 0, MATH)
    assert train.text.startswith("{0} {subjects} {} %s {law\n\nQ1. ")


@pytest.mark.parametrize(("train", "heldout", "split"), [(2, 20, "train"), (20, 2, "heldout")])
def test_a_subject_too_small_for_a_prompt_is_named(train: int, heldout: int, split: str) -> None:
    poor = [*seeds(20, 20, "s", "physics"), *seeds(train, heldout, "s", "law")]
    with pytest.raises(BadInput, match=rf"prompts\.{split}: a prompt needs 3 {split} seeds .* s, law has fewer"):
        build_prompts(poor, asked(10, 10), 0, 0, MATH)


def test_demonstrations_and_completions_have_their_answers_if_the_kind_writes_them() -> None:
    item = "Which is it?\nA. this {0}\nB. that {0}"
    four = [
        seed.model_copy(update={"text": item.format(n), "answer": "AB"[n % 2]}) for n, seed in enumerate(seeds(4, 4))
    ]
    settings = Honesty(
        samples=2, temperature=1, threshold=1, none_of_the_above=True, sure_question="?", sure="y", unsure="n"
    )
    kind = open_kind(KindUse(name="honesty", honesty=settings, safety=Safety(refusals=["no"])))
    written = {seed.id: f"{seed.text}\nAnswer:{seed.answer}." for seed in four}
    for prompt in build_prompts(four, asked(5, 5), 0, 0, kind):
        items = [f"Q{n}. {written[identity]}" for n, identity in enumerate(prompt.seeds, 1)]
        assert prompt.text == "\n\n".join([HEADER, *items, "Q4."])
    for row in build_warmup(four, 8, HEADER, 0, kind):
        assert row.completion == f" {written[row.instruction_id]}"


def probed(seeds: list[Seed], failed: set[str]) -> list[Label]:
    """Labels in another order. Seeds that did not fail are passed and invalid in turn."""
    verdicts = ["failed" if s.id in failed else ("passed", "invalid")[n % 2] for n, s in enumerate(seeds)]
    labels = [
        Label(instruction_id=s.id, verdict=v, score=None, detail="") for s, v in zip(seeds, verdicts, strict=True)
    ]
    return labels[::-1]


def test_failed_seeds_need_enough_others_of_their_subject_for_a_prompt() -> None:
    many, few = seeds(20, 20, "s", "physics"), seeds(20, 20, "s", "law")
    failed = {s.id for n, s in enumerate(many) if n % 3}
    expected = [s for s in many if s.id in failed]
    train_law = [s.id for s in few if s.split == "train"]
    heldout_law = [s.id for s in few if s.split == "heldout"]
    everything = [*many, *few]
    assert failed_seeds(everything, probed(everything, failed)) == expected
    # three seeds of a subject and split are too few for a row, and four are enough; the other split does not count
    failed |= {*train_law[:3], *heldout_law[:4]}
    usable = failed_seeds(everything, probed(everything, failed))
    assert [s.id for s in usable] == [*(s.id for s in expected), *heldout_law[:4]]
    build_warmup(usable, None, HEADER, 0, MATH)
    build_prompts(usable, asked(50, 50), 0, 0, MATH)


@pytest.mark.parametrize(("train", "heldout", "split"), [(0, 9, "train"), (3, 9, "train"), (9, 3, "heldout")])
def test_too_few_failed_seeds_give_an_error_with_a_fix(train: int, heldout: int, split: str) -> None:
    some = seeds(50, 50)
    failed = {s.id for s in [*some[:train], *some[50 : 50 + heldout]]}
    with pytest.raises(
        BadInput,
        match=rf"failed on {train + heldout} of 100 seeds, too few {split} .*data\.probe_seeds.*data\.probe: false",
    ):
        failed_seeds(some, probed(some, failed))


def test_a_probe_of_some_seeds_gives_those_that_failed_and_counts_those_that_it_asked() -> None:
    everything = seeds(200, 100)
    asked_ids = {s.id for n, s in enumerate(everything) if n % 2}
    failed = {s.id for n, s in enumerate(everything) if n % 6 == 1}
    labels = probed([s for s in everything if s.id in asked_ids], failed)
    assert failed_seeds(iter(everything), labels) == [s for s in everything if s.id in failed]
    with pytest.raises(BadInput, match=r"failed on 0 of 150 seeds, .*raise data\.probe_seeds"):
        failed_seeds(everything, probed([s for s in everything if s.id in asked_ids], set()))
    with pytest.raises(
        BadInput, match=r"^prompts\.train: 100 different prompts .* from 4 train seeds; .*data\.probe_seeds"
    ):
        build_prompts(seeds(4, 50), asked(100, 5), 0, 0, MATH)
