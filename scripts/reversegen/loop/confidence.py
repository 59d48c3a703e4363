"""Confidences: how sure a target is of its answers, by R-Tuning's score (Zhang et al., arXiv 2311.09677)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reversegen.core.records import Confidence
from reversegen.core.shards import items_at_once
from reversegen.engines.base import Engine, Probabilities, Request
from reversegen.ids import content_id
from reversegen.kinds.base import Kind
from reversegen.loop.answering import question_requests, questions_key
from reversegen.loop.batches import BatchedFile


def measure_confidence(
    output: Path, answered: Sequence[tuple[str, str, str]], engine: Engine, kind: Kind,
    system: str | None, batch_size: int,
) -> None:  # fmt: skip
    """Write how sure a target is of each answer in `answered`, whose rows are (id, question, response).

    In a record, `answer` is the probability of the answered letter among the letters of the question. `sure` is the probability
    of `Choice.sure`, against `Choice.unsure`, as the reply to `Choice.sure_question` after the target's own answer.
    """
    assert kind.choice is not None
    choice = kind.choice
    # at most one sequence for each option
    sequences = max((len(choice.letters(question)) for _, question, _ in answered), default=2)
    batch_size = items_at_once(batch_size, max(2, sequences))

    def answer(number: int, batch: Sequence[tuple[str, str, str]]) -> list[Confidence]:
        options = [choice.letters(question) for _, question, _ in batch]
        letters = [choice.letter(question, response) for _, question, response in batch]
        by_letter = engine.choose(
            [Request(messages=kind.target_messages(question, system)) for _, question, _ in batch], options
        )
        likeliest = [
            max(several, key=p.__getitem__) if isinstance(p, dict) else several[0]
            for several, p in zip(options, by_letter, strict=True)
        ]
        replies = [[choice.sure, choice.unsure]] * len(batch)
        sure = engine.choose(
            [
                Request(messages=choice.sure_messages(question, letter or likely, system))
                for (_, question, _), letter, likely in zip(batch, letters, likeliest, strict=True)
            ],
            replies,
        )
        return [
            _confidence(identity, letter, p, q, choice.sure)
            for (identity, _, _), letter, p, q in zip(batch, letters, by_letter, sure, strict=True)
        ]

    parts = (part for row in answered for part in row)
    questions = [(identity, question) for identity, question, _ in answered]
    after = [Request(messages=choice.sure_messages(q, choice.letters(q)[0], system)) for _, q in questions]
    asked = questions_key(questions, question_requests(questions, kind, system), engine, batch_size)
    key = content_id(*parts, asked, *engine.request_texts(after), choice.sure, choice.unsure)
    BatchedFile(output, Confidence, key).write(answered, batch_size, answer, engine.at_once)


def _confidence(
    identity: str, letter: str | None, by_letter: Probabilities, sure: Probabilities, reply: str
) -> Confidence:
    """The record of one question. It is invalid if the engine could not compute one of the two probabilities."""
    for probabilities in (by_letter, sure):
        if isinstance(probabilities, str):
            return Confidence(question_id=identity, option=letter, answer=0.0, sure=0.0, invalid=probabilities)
    assert isinstance(by_letter, dict)
    assert isinstance(sure, dict)
    answer = round(by_letter[letter], 6) if letter else 0.0
    return Confidence(question_id=identity, option=letter, answer=answer, sure=round(sure[reply], 6))
