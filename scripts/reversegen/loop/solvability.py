"""Whether an instruction can be answered, which its teacher is asked first: by probabilities, or in a reply."""

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
"""How models write yes and no; whichever a model prefers counts, since the spellings of each are summed."""
SOLVABILITY_TOKENS = 256
"""Tokens for a yes or no that has no probability: room for a few sentences of reasons."""
NOT_SOLVABLE, UNREADABLE = "not solvable", "solvability unreadable"


def gives_probabilities(teacher: ModelUse) -> bool:
    """Whether yes and no have a probability: an endpoint gives none, and before its thought a model that thinks has none."""
    return teacher.endpoint is None and not teacher.thinks


def solvability_requests(questions: Sequence[tuple[str, str]], teaching: Teaching) -> list[Request]:
    """The question after each instruction, under a system text of its own: the one for answers asks for a final answer."""
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
    """By id why an instruction is not answered, None if it is; and the ids to which no reply was received.

    `scored`: the probabilities of the spellings of yes and no decide, else a reply.
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
    """None if a teacher's yes, in all SPELLINGS, has at least one half; else why there is no reference."""
    if isinstance(probabilities, str):
        return probabilities
    yes = sum(probability for spelling, probability in probabilities.items() if SPELLINGS[spelling])
    return None if yes >= 0.5 else NOT_SOLVABLE


def solvable(reply: Generated) -> str | None:
    """None if a teacher's reply says yes; else why the instruction is invalid."""
    visible = read_reply(reply.text, reply.finished, reply.invalid)
    if visible.invalid:
        return visible.invalid
    yes = says_yes(visible)
    if yes is None:
        return UNREADABLE
    return None if yes else NOT_SOLVABLE
