"""Long generation in batches that survive a kill: each finished batch is a file, and a restart skips it."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from reversegen.artefacts import write_text
from reversegen.engines import Engine, Generated, Request
from reversegen.hashing import content_id, hashed_seed
from reversegen.kind import Kind
from reversegen.records import Prompt, Record, Reference, Response, Sample, read_records, write_records
from reversegen.references import reference

log = logging.getLogger("reversegen")
T = TypeVar("T")
R = TypeVar("R", bound=Record)


def in_batches(
    output: Path,
    record: type[R],
    items: Sequence[T],
    batch_size: int,
    key: str,
    answer: Callable[[int, Sequence[T]], list[R]],
) -> None:
    """Write `answer(number, batch)` for all batches of `items` to `output`, in order.

    Finished batches wait in `<output>.parts/`, and a restart with the same `key` skips them; `key` must name everything
    that decides the records. The parts go when the output stands.
    """
    parts = output.with_name(f"{output.name}.parts")
    if not (parts / "key").is_file() or (parts / "key").read_text() != key:
        shutil.rmtree(parts, ignore_errors=True)
        write_text(parts / "key", key)
    start = time.perf_counter()
    batches = list(_batches(items, batch_size))
    files = [parts / f"{number:06}.jsonl" for number in range(len(batches))]
    kept = sum(file.is_file() for file in files)
    if kept:
        log.info("%d of %d batches were finished before; going on", kept, len(batches))
    for number, (file, batch) in enumerate(zip(files, batches, strict=True)):
        if not file.is_file():
            write_records(file, answer(number, batch))
    rows = [row for file in files for row in read_records(file, record)]
    write_records(output, rows)
    shutil.rmtree(parts)
    log.info("%d items: %d records in %.1f s", len(items), len(rows), time.perf_counter() - start)


def sample_instructions(
    output: Path,
    prompts: Sequence[Prompt],
    engine: Engine,
    samples_per_prompt: int,
    batch_size: int,
    seed_parts: tuple[str | int, ...],
) -> None:
    """Sample continuations of every prompt. A batch's draw is seeded by a hash of `seed_parts` and its number."""

    def answer(number: int, batch: Sequence[Prompt]) -> list[Sample]:
        requests = [Request(text=p.text) for p in batch]
        drawn = engine.generate(requests, samples_per_prompt, hashed_seed(*seed_parts, "samples", number))
        return [
            Sample(
                id=content_id(prompt.id, n, one.text),
                prompt_id=prompt.id,
                split=prompt.split,
                sample=n,
                text=one.text,
                tokens=one.tokens,
                finished=one.finished,
            )
            for prompt, several in zip(batch, drawn, strict=True)
            for n, one in enumerate(several)
        ]

    key = content_id(*(p.id for p in prompts), engine.identity, samples_per_prompt, batch_size, *seed_parts)
    in_batches(output, Sample, prompts, batch_size, key, answer)


def answer_questions(
    output: Path, questions: Sequence[tuple[str, str]], engine: Engine, kind: Kind, system: str | None, batch_size: int
) -> None:
    """Greedy answers of a target to (id, question) pairs."""

    def answer(number: int, batch: Sequence[tuple[str, str]]) -> list[Response]:
        return [
            Response(instruction_id=identity, sample=0, text=one.text, tokens=one.tokens, finished=one.finished)
            for (identity, _), one in zip(batch, _asked(engine, batch, kind, system), strict=True)
        ]

    in_batches(output, Response, questions, batch_size, _key(questions, engine, system, batch_size), answer)


def label_by_model(
    output: Path,
    questions: Sequence[tuple[str, str]],
    labeller: str,
    engine: Engine,
    kind: Kind,
    system: str | None,
    batch_size: int,
) -> None:
    """Greedy reference answers of a labeller model to (id, question) pairs; one that was cut off is invalid."""

    def answer(number: int, batch: Sequence[tuple[str, str]]) -> list[Reference]:
        return [
            reference(identity, one.text, labeller, kind, finished=one.finished)
            for (identity, _), one in zip(batch, _asked(engine, batch, kind, system), strict=True)
        ]

    key = content_id(labeller, _key(questions, engine, system, batch_size))
    in_batches(output, Reference, questions, batch_size, key, answer)


def _asked(engine: Engine, batch: Sequence[tuple[str, str]], kind: Kind, system: str | None) -> list[Generated]:
    requests = [Request(messages=kind.target_messages(question, system)) for _, question in batch]
    return [answers[0] for answers in engine.generate(requests, 1, 0)]


def _key(questions: Sequence[tuple[str, str]], engine: Engine, system: str | None, batch_size: int) -> str:
    return content_id(*(part for pair in questions for part in pair), engine.identity, system or "", batch_size)


def _batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
