"""Responses of a target. This module also holds how any question is asked, of a target or of a teacher."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from reversegen.config.task import Answering
from reversegen.core.records import Response
from reversegen.core.shards import WHOLE, items_at_once
from reversegen.engines.base import Engine, Generated, Request
from reversegen.engines.unreadable_replies import UnreadableReplies
from reversegen.ids import content_id, hashed_seed
from reversegen.kinds.answers.reply import read_reply
from reversegen.kinds.base import Kind
from reversegen.loop.batches import BatchedFile, check_received
from reversegen.loop.questions import Questions


def answer_questions(
    output: Path,
    questions: Questions,
    engine: Engine,
    kind: Kind,
    settings: Answering,
    samples: int,
    seed_parts: tuple[str | int, ...],
    shard: str = WHOLE,
) -> None:
    """Write a target's answers to (id, question) pairs to `output`: `samples` answers to each question.

    The target writes `settings.batch_size` answers at once. If fewer than `samples` answers of a question can be read, the
    question is asked `samples` times more, once. The random seed of a batch is a hash of `seed_parts` and the batch's number;
    greedy answers ignore it. Raises BadInput if a larger share of the shard's answers than `settings.max_invalid_share` was not
    received, and before the end if a larger share than `settings.max_unreadable_share` cannot be read. A restart reuses the
    answers that were received.
    """
    system, batch_size = settings.system, items_at_once(settings.batch_size, samples)
    unreadable = UnreadableReplies(
        "questions",
        settings.max_unreadable_share,
        "responses.max_unreadable_share",
        "ask for an answer in a form that can be read (responses.system), or allow longer answers (responses.max_new_tokens, "
        "or the model's thinking.max_tokens)",
        masked=kind.harmful,
    )

    def answer(number: int, batch: Questions) -> list[Response]:
        drawn = ask(engine, batch, kind, system, samples, hashed_seed(*seed_parts, "responses", number))
        if samples > 1:
            short = _with_fewer_readable(batch, drawn, kind, samples)
            seed = hashed_seed(*seed_parts, "more responses", number)
            second_draw = ask(engine, [batch[n] for n in short], kind, system, samples, seed)
            for n, several in zip(short, second_draw, strict=True):
                drawn[n] = drawn[n] + several
        for (_, question), several in zip(batch, drawn, strict=True):
            for one in several:
                if not one.invalid:
                    unreadable.count(_why_unread(question, one, kind), one.text)
        return _responses(batch, drawn)

    def check(rows: Iterable[Response]) -> None:
        check_received((row.invalid for row in rows), settings.max_invalid_share, "responses.max_invalid_share", output)

    asked = questions_key(questions, question_requests(questions, kind, system), engine, batch_size)
    key = content_id(asked, samples, *(seed_parts if samples > 1 else ()))
    batches = BatchedFile(output, Response, key, shard)
    batches.write(questions, batch_size, answer, engine.at_once, check, [unreadable])


def ask(
    engine: Engine,
    batch: Questions,
    kind: Kind,
    system: str | None,
    samples: int,
    seed: int,
    schema: dict[str, Any] | None = None,
) -> list[list[Generated]]:
    """Return `samples` answers to each question of the batch, in order. The engine is not called for an empty batch."""
    if not batch:
        return []
    return engine.generate(question_requests(batch, kind, system, schema), samples, seed)


def question_requests(
    questions: Questions, kind: Kind, system: str | None, schema: dict[str, Any] | None = None
) -> list[Request]:
    """The requests in which the kind asks these questions, in order."""
    return [Request(messages=kind.target_messages(q, system), schema=schema) for _, q in questions]


def questions_key(questions: Questions, requests: Sequence[Request], engine: Engine, batch_size: int) -> str:
    """A hash of everything that decides the answers to (id, question) pairs, except the draw."""
    ids = (identity for identity, _ in questions)
    return content_id(*ids, *engine.request_texts(requests), engine.identity, batch_size)


def _with_fewer_readable(batch: Questions, drawn: list[list[Generated]], kind: Kind, samples: int) -> list[int]:
    """Positions in the batch of the questions with fewer than `samples` readable answers."""
    return [
        n
        for n, ((_, question), several) in enumerate(zip(batch, drawn, strict=True))
        if sum(kind.readable(question, one.text) for one in several) < samples
    ]


def _responses(batch: Questions, drawn: list[list[Generated]]) -> list[Response]:
    return [
        Response(
            instruction_id=identity,
            sample=n,
            text=one.text,
            tokens=one.tokens,
            finished=one.finished,
            invalid=one.invalid,
        )
        for (identity, _), several in zip(batch, drawn, strict=True)
        for n, one in enumerate(several)
    ]


def _why_unread(question: str, one: Generated, kind: Kind) -> str | None:
    """The reason why a received answer cannot be read, or None if it can be read."""
    return read_reply(one.text, one.finished).invalid or (None if kind.readable(question, one.text) else "no option")
