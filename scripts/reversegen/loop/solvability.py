"""Solvability: the teacher is asked first whether an instruction can be answered. Probabilities or a reply decide."""

from __future__ import annotations

from collections.abc import Sequence

from reversegen.config.models import ModelUse
from reversegen.config.task import Teaching
from reversegen.engines.base import Engine, Generated, Probabilities, Request
from reversegen.engines.unreadable_replies import UnreadableReplies
from reversegen.kinds.answers.decision import says_yes
from reversegen.kinds.answers.reply import read_reply
from reversegen.kinds.base import conversation

SPELLINGS = {"Yes": True, "yes": True, "No": False, "no": False}
"""How models write yes and no. The probabilities of both spellings are summed, so either spelling counts."""
SOLVABILITY_TOKENS = 256
"""Length limit of a reply, in tokens, if yes and no have no probabilities: enough for a few sentences of reasons."""
NOT_SOLVABLE, UNREADABLE = "not solvable", "solvability unreadable"


def gives_probabilities(teacher: ModelUse) -> bool:
    """Whether the teacher gives probabilities of yes and no. An endpoint and a model that thinks first do not."""
    return teacher.endpoint is None and not teacher.thinks


def solvability_requests(questions: Sequence[tuple[str, str]], teaching: Teaching) -> list[Request]:
    """Requests that put the question `teaching.solvable` after each instruction; empty if there is no such question.

    They have their own system text, since the one for answers asks for a final answer.
    """
    if not teaching.solvable:
        return []
    texts = (f"{question}\n\n{teaching.solvable}" for _, question in questions)
    return [Request(messages=conversation(text, teaching.solvable_system)) for text in texts]


def check_solvability(
    engine: Engine,
    batch: Sequence[tuple[str, str]],
    requests: Sequence[Request],
    unread: UnreadableReplies,
    *,
    scored: bool,
) -> tuple[dict[str, str | None], set[str]]:
    """The reason why each instruction is not answered, by id, or None if it is answered; and the ids that got no reply.

    If `scored`, the probabilities of the spellings of yes and no decide; otherwise a reply does.
    """
    ids = [identity for identity, _ in batch]
    if scored:
        scores = engine.choose(requests, [list(SPELLINGS)] * len(requests))
        missing = {i for i, probabilities in zip(ids, scores, strict=True) if isinstance(probabilities, str)}
        return {i: likely_solvable(probabilities) for i, probabilities in zip(ids, scores, strict=True)}, missing
    replies = [reply for reply, *_ in engine.generate(requests, 1, 0)]
    reasons = {i: solvable(reply) for i, reply in zip(ids, replies, strict=True)}
    for i, reply in zip(ids, replies, strict=True):
        if not reply.invalid:
            unread.count(None if reasons[i] in (None, NOT_SOLVABLE) else reasons[i], reply.text)
    return reasons, {i for i, reply in zip(ids, replies, strict=True) if reply.invalid}


def likely_solvable(probabilities: Probabilities) -> str | None:
    """None if yes, in all its SPELLINGS, has a probability of at least 0.5; else the reason why there is no reference."""
    if isinstance(probabilities, str):
        return probabilities
    yes = sum(probability for spelling, probability in probabilities.items() if SPELLINGS[spelling])
    return None if yes >= 0.5 else NOT_SOLVABLE


def solvable(reply: Generated) -> str | None:
    """None if a teacher's reply means yes; else the reason why the instruction is invalid."""
    visible = read_reply(reply.text, reply.finished, reply.invalid)
    if visible.invalid:
        return visible.invalid
    yes = says_yes(visible)
    if yes is None:
        return UNREADABLE
    return None if yes else NOT_SOLVABLE
