"""Three-shot prompts: never the same twice, of one source, and without a word of what they ask for."""

import hashlib
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from reversegen.configuration import Prompts
from reversegen.errors import BadInput
from reversegen.kinds import KINDS
from reversegen.prompts import build_prompts, build_warmup
from reversegen.records import Prompt, Seed, Split, TrainingRow

SCRIPTS = Path(__file__).parents[1] / "scripts"
MATH = KINDS["math"]
HEADER = "Write one more."


def seeds(train: int = 300, heldout: int = 150, source: str = "big") -> list[Seed]:
    splits: list[Split] = ["train"] * train + ["heldout"] * heldout
    texts = [f"{source} {split} question {n} ?" for n, split in enumerate(splits)]
    return [
        Seed(id=f"{source}-{n}", text=text, split=split, source=source, licence="MIT", answer=None)
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
    """A draw that never ends fails its test instead."""

    def interrupt(*_: object) -> None:
        raise TimeoutError("still drawing after 2 seconds")

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 2)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)


def test_a_prompt_reads_as_documented() -> None:
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
from test_prompts import *
print(dumped(build_prompts(TWO_SOURCES, asked(50, 50), 1, 2, MATH)))
print(dumped(build_warmup(TWO_SOURCES, 450, HEADER, 2, MATH)))
"""


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
    assert len({(row.prompt, row.completion) for row in built}) == expected  # other demonstrations each time round


def test_warm_up_rows_come_in_another_order_with_another_random_seed() -> None:
    one, other = (build_warmup(TWO_SOURCES, None, HEADER, n, MATH) for n in (0, 1))
    assert [row.instruction_id for row in one] != [row.instruction_id for row in other]
    assert [row.instruction_id for row in one] != [seed.id for seed in TWO_SOURCES if seed.split == "train"]
    assert sorted(row.instruction_id for row in one) == sorted(row.instruction_id for row in other)


def test_as_many_prompts_as_there_are_can_be_drawn() -> None:
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
def test_too_few_seeds_for_the_prompts_are_an_error_that_names_the_key(
    train: int, heldout: int, prompts: tuple[int, int], split: str
) -> None:
    with pytest.raises(BadInput, match=rf"prompts\.{split}"):
        build_prompts(seeds(train, heldout), asked(*prompts), 0, 0, MATH)


def test_a_source_too_small_for_a_prompt_is_an_error_beside_a_large_one() -> None:
    with pytest.raises(BadInput, match=r"prompts\.train"):
        build_prompts([*seeds(50, 50), *seeds(2, 50, "small")], asked(200, 10), 0, 0, MATH)


@pytest.mark.parametrize(("train", "rows"), [(0, 5), (3, None)])
def test_too_few_seeds_for_a_warm_up_row_are_an_error(train: int, rows: int | None) -> None:
    with pytest.raises(BadInput):
        build_warmup(seeds(train, 50), rows, HEADER, 0, MATH)


def test_a_warm_up_row_of_four_seeds_shows_the_other_three() -> None:
    four = seeds(4, 0)
    for row in build_warmup(four, 40, HEADER, 0, MATH):
        shown = {seed.text for seed in four if seed.text in str(row.prompt)}
        assert shown == {seed.text for seed in four if seed.id != row.instruction_id}
