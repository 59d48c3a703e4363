"""Shards hold every item once and in order, and together they write the bytes that one job writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.models import TEXTS, USE, build_model, write_folder
from tests.support.settings import answer_settings

from reversegen.config.task import KindUse, Teaching
from reversegen.core.errors import BadInput
from reversegen.core.records import Prompt, Response, read_records
from reversegen.core.shards import share
from reversegen.engines.base import Decoding
from reversegen.engines.transformers import TransformersEngine
from reversegen.kinds import open_kind
from reversegen.loop.answering import answer_questions
from reversegen.loop.batches import BatchedFile
from reversegen.loop.sampling import sample_instructions
from reversegen.loop.teaching import Teacher, answer_by_teacher

MATH = open_kind(KindUse(name="math"))
QUESTIONS = [(f"id {n}", f"{TEXTS[n % 3]} and {n}") for n in range(45)]  # twelve batches of four, the last one short
PROMPTS = [Prompt(id=i, split="train", text=text, seeds=[], subject=None) for i, text in QUESTIONS]


@pytest.mark.parametrize("items", [0, 1, 5, 8, 23])
@pytest.mark.parametrize("of", [1, 2, 3, 8])
def test_shards_are_neighbours_of_nearly_equal_size_that_hold_every_item_once(items: int, of: int) -> None:
    shards = [share(range(items), f"{number}-of-{of}") for number in range(1, of + 1)]
    assert [item for shard in shards for item in shard] == list(range(items))
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


@pytest.mark.parametrize(
    "shard", ["", "0-of-3", "4-of-3", "1-of-0", "1 of 3", "-1-of-3", "1-of-3.jsonl", "\u0661-of-3"]
)
def test_a_malformed_shard_is_refused(shard: str) -> None:
    with pytest.raises(BadInput, match="write the second of eight as 2-of-8"):
        share([1, 2, 3], shard)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("models") / "random", build_model())


def engine(folder: Path, temperature: float = 1.0) -> TransformersEngine:
    return TransformersEngine(folder, USE, Decoding(6, temperature), 1)


def sample(folder: Path, output: Path, shard: str) -> None:
    sample_instructions(output, PROMPTS, engine(folder), 3, 12, (0, "iter1"), shard)


def answer(folder: Path, output: Path, shard: str) -> None:
    answer_questions(output, QUESTIONS, engine(folder), MATH, answer_settings(None, 8), 2, (0, "iter1"), shard)


def label(folder: Path, output: Path, shard: str) -> None:
    settings = Teaching(
        system=None, max_new_tokens=6, batch_size=12, samples=3, agreeing=2, temperature=1.0, solvable=None
    )
    answer_by_teacher(
        output,
        QUESTIONS,
        Teacher("l", engine(folder), engine(folder, 0.0), MATH, settings, 1.0),
        (0, "iter1"),
        shard=shard,
    )


@pytest.mark.parametrize("stage", [sample, answer, label], ids=lambda stage: stage.__name__)
def test_any_number_of_shards_gives_the_same_bytes(
    folder: Path, tmp_path: Path, stage: Callable[[Path, Path, str], None]
) -> None:
    joined = {}
    for of in (1, 3, 8):
        parts = [tmp_path / f"{number}-of-{of}" for number in range(1, of + 1)]
        for part in reversed(parts):  # whatever the order in which they are made
            stage(folder, part, part.name)
        joined[of] = b"".join(part.read_bytes() for part in parts)
    assert len(joined[1].splitlines()) >= len(QUESTIONS)
    assert len(set(joined[1].splitlines())) > 40
    assert joined[3] == joined[1]
    assert joined[8] == joined[1]


def test_a_killed_shard_resumes_after_its_last_whole_batch(tmp_path: Path) -> None:
    asked: list[int] = []

    def reply(number: int, batch: list[str], die_at: int | None = None) -> list[Response]:
        if number == die_at:
            raise KeyboardInterrupt
        asked.append(number)
        return [Response(instruction_id=i, sample=0, text=str(number), tokens=1, finished=True) for i in batch]

    items, output = [str(n) for n in range(24)], tmp_path / "responses.2-of-3.jsonl"
    with pytest.raises(KeyboardInterrupt):
        BatchedFile(output, Response, "key", "2-of-3").write(items, 2, lambda n, batch: reply(n, list(batch), 6))
    assert asked == [4, 5]
    BatchedFile(output, Response, "key", "2-of-3").write(items, 2, lambda n, batch: reply(n, list(batch)))
    assert asked == [4, 5, 6, 7]
    assert [row.instruction_id for row in read_records(output, Response)] == items[8:16]
