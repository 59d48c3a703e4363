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
from reversegen.configuration import Honesty, Labelling
from reversegen.engine import Engine, Generated, Request
from reversegen.equivalence import Checker
from reversegen.hashing import content_id, hashed_seed
from reversegen.judging import Classifier, GenerativeJudge
from reversegen.kind import Kind
from reversegen.records import (
    Confidence,
    Judgement,
    Message,
    Prompt,
    Record,
    Reference,
    Response,
    Sample,
    read_records,
    write_records,
)
from reversegen.references import refused, solvable, vote

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
    while missing := [number for number, file in enumerate(files) if not file.is_file()]:
        for number in missing:  # again where a job that was given up, and still ran, has finished and removed the parts
            if not files[number].is_file():
                write_records(files[number], answer(number, batches[number]))
    rows = [row for file in files for row in read_records(file, record)]
    write_records(output, rows)
    shutil.rmtree(parts, ignore_errors=True)
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
                subject=prompt.subject,
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
    output: Path,
    questions: Sequence[tuple[str, str]],
    engine: Engine,
    kind: Kind,
    system: str | None,
    batch_size: int,
    samples: int,
    seed_parts: tuple[str | int, ...],
) -> None:
    """Answers of a target to (id, question) pairs, `samples` to each.

    A question with fewer readable answers than that is asked as many times again, once. A batch's draw is seeded by a hash of
    `seed_parts` and its number; greedy answers need none.
    """

    def answer(number: int, batch: Sequence[tuple[str, str]]) -> list[Response]:
        drawn = _asked(engine, batch, kind, system, samples, hashed_seed(*seed_parts, "responses", number))
        if samples > 1:
            short = [
                n for n, ((_, question), several) in enumerate(zip(batch, drawn, strict=True))
                if sum(kind.readable(question, one.text) for one in several) < samples
            ]  # fmt: skip
            seed = hashed_seed(*seed_parts, "more responses", number)
            more = _asked(engine, [batch[n] for n in short], kind, system, samples, seed)
            for n, several in zip(short, more, strict=True):
                drawn[n] = drawn[n] + several
        return [
            Response(instruction_id=identity, sample=n, text=one.text, tokens=one.tokens, finished=one.finished)
            for (identity, _), several in zip(batch, drawn, strict=True)
            for n, one in enumerate(several)
        ]

    key = content_id(_key(questions, engine, system, batch_size), samples, *(seed_parts if samples > 1 else ()))
    in_batches(output, Response, questions, batch_size, key, answer)


def label_by_model(
    output: Path,
    questions: Sequence[tuple[str, str]],
    labeller: str,
    engine: Engine,
    yes_or_no: Engine,
    kind: Kind,
    labelling: Labelling,
    timeout: float,
    seed_parts: tuple[str | int, ...],
) -> None:
    """Reference answers of a labeller model to (id, question) pairs: one greedy answer, or what a majority agrees on.

    Where `labelling.solvable` asks a question, the labeller is first asked greedily, through the engine `yes_or_no`, and
    answers only what it says can be answered. `timeout` is in seconds, for one comparison of answers.
    """

    def answer(number: int, batch: Sequence[tuple[str, str]]) -> list[Reference]:
        reasons: dict[str, str | None] = {}
        if labelling.solvable:
            checks = [(identity, f"{question}\n\n{labelling.solvable}") for identity, question in batch]
            requests = [Request(messages=[Message(role="user", content=text)]) for _, text in checks]
            replies = yes_or_no.generate(requests, 1, 0)
            reasons = {i: solvable(reply[0]) for (i, _), reply in zip(checks, replies, strict=True)}
        wanted = [(i, question) for i, question in batch if reasons.get(i) is None]
        seed = hashed_seed(*seed_parts, "references", number)
        drawn = dict(zip(wanted, _asked(engine, wanted, kind, labelling.system, labelling.samples, seed), strict=True))
        with Checker(timeout=timeout) as checker:
            return [
                vote(i, question, drawn[i, question], labelling.agreeing, labeller, kind, checker)
                if (i, question) in drawn
                else refused(i, str(reasons[i]), labeller)
                for i, question in batch
            ]

    key = content_id(
        labeller,
        _key(questions, engine, labelling.system, labelling.batch_size),
        labelling.model_dump_json(),
        *seed_parts,
    )
    in_batches(output, Reference, questions, labelling.batch_size, key, answer)


def measure_confidence(
    output: Path, answered: Sequence[tuple[str, str, str]], engine: Engine, kind: Kind, honesty: Honesty,
    system: str | None, batch_size: int,
) -> None:  # fmt: skip
    """How sure a target is of its answers: (id, question, its response) to the probabilities of R-Tuning's score.

    `answer` is the probability of the answered letter among the item's letters, `sure` that of `honesty.sure` against
    `honesty.unsure` as the reply to `honesty.sure_question` after the target's own answer.
    """
    assert kind.choice is not None
    choice = kind.choice

    def answer(number: int, batch: Sequence[tuple[str, str, str]]) -> list[Confidence]:
        rows = []
        options = [choice.letters(question) for _, question, _ in batch]
        letters = [choice.letter(question, response) for _, question, response in batch]
        by_letter = engine.choose(
            [Request(messages=kind.target_messages(question, system)) for _, question, _ in batch], options
        )
        said = [letter or max(p, key=p.__getitem__) for letter, p in zip(letters, by_letter, strict=True)]
        sure = engine.choose(
            [
                Request(messages=choice.sure_messages(question, one, system))
                for (_, question, _), one in zip(batch, said, strict=True)
            ],
            [[honesty.sure, honesty.unsure]] * len(batch),
        )
        for (identity, _, _), letter, p, q in zip(batch, letters, by_letter, sure, strict=True):
            rows.append(
                Confidence(
                    question_id=identity,
                    option=letter,
                    answer=round(p[letter], 6) if letter else 0.0,
                    sure=round(q[honesty.sure], 6),
                )
            )
        return rows

    parts = (part for row in answered for part in row)
    key = content_id(*parts, engine.identity, honesty.model_dump_json(), system or "", batch_size)
    in_batches(output, Confidence, answered, batch_size, key, answer)


def judge_answers(
    output: Path, answers: Sequence[tuple[str, str, str]], judge: Classifier | GenerativeJudge, batch_size: int
) -> None:
    """A judge's opinion of (id, instruction, answer) triples."""

    def answer(number: int, batch: Sequence[tuple[str, str, str]]) -> list[Judgement]:
        opinions = judge.judge([(instruction, response) for _, instruction, response in batch])
        return [
            opinion.model_copy(update={"instruction_id": i}) for (i, _, _), opinion in zip(batch, opinions, strict=True)
        ]

    key = content_id(*(part for row in answers for part in row), judge.identity, batch_size)
    in_batches(output, Judgement, answers, batch_size, key, answer)


def _asked(
    engine: Engine, batch: Sequence[tuple[str, str]], kind: Kind, system: str | None, samples: int, seed: int
) -> list[list[Generated]]:
    if not batch:
        return []
    return engine.generate([Request(messages=kind.target_messages(q, system)) for _, q in batch], samples, seed)


def _key(questions: Sequence[tuple[str, str]], engine: Engine, system: str | None, batch_size: int) -> str:
    return content_id(*(part for pair in questions for part in pair), engine.identity, system or "", batch_size)


def _batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
