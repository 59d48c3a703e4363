"""Trusted answers: by the exact solver of an invented world, or by a labeller model (see `generation`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from reversegen.engine import Generated
from reversegen.equivalence import Checker
from reversegen.kind import Kind
from reversegen.records import Reference
from reversegen.worlds import WORLDS

_YES_OR_NO = re.compile(r"\W*(yes|no)\b", re.IGNORECASE)


def solve(questions: Iterable[tuple[str, str]], labeller: str, kind: Kind) -> list[Reference]:
    """References by a world's solver for (id, instruction) pairs. Raises KeyError for a labeller that is no world."""
    return [reference(identity, text, WORLDS[labeller].solve(text), labeller, kind) for identity, text in questions]


def reference(
    identity: str, text: str, solution: str | None, labeller: str, kind: Kind, *, finished: bool = True
) -> Reference:
    """The record of one solution; invalid where there is none, it was cut off, or it has no final answer in strict form."""
    answer = kind.read_reference(text, solution) if solution is not None and finished else None
    if answer is None:
        reason = "not answerable" if solution is None else "no final answer" if finished else "cut off"
        return refused(identity, reason, labeller)
    return Reference(instruction_id=identity, answer=answer, solution=solution, labeller=labeller, invalid=None)


def refused(identity: str, reason: str, labeller: str) -> Reference:
    """The record of an instruction without a trusted answer."""
    return Reference(instruction_id=identity, answer=None, solution=None, labeller=labeller, invalid=reason)


def solvable(reply: Generated) -> str | None:
    """None where a labeller's reply begins with yes; else why the instruction is invalid."""
    found = _YES_OR_NO.match(reply.text)
    if not found:
        return "solvability unreadable"
    return None if found[1].lower() == "yes" else "not solvable"


def vote(
    identity: str, text: str, solutions: Sequence[Generated], agreeing: int, labeller: str, kind: Kind, checker: Checker
) -> Reference:
    """The reference that most solutions agree on, by equal final answers, with the first solution that gives it.

    Invalid where fewer than `agreeing` say the same, or two answers have as many votes.
    """
    if len(solutions) == 1:
        return reference(identity, text, solutions[0].text, labeller, kind, finished=solutions[0].finished)
    ballots: list[list[Reference]] = []
    for solution in solutions:
        one = reference(identity, text, solution.text, labeller, kind, finished=solution.finished)
        if one.answer is None:
            continue
        same = (b for b in ballots if one.answer == b[0].answer or checker.equal(one.answer, str(b[0].answer)))
        ballot = next(same, None)
        if ballot is None:
            ballots.append([one])
        else:
            ballot.append(one)
    ballots.sort(key=len, reverse=True)
    tied = len(ballots) > 1 and len(ballots[0]) == len(ballots[1])
    if not ballots or len(ballots[0]) < agreeing or tied:
        return refused(identity, "labeller's answers disagree" if ballots else "no final answer", labeller)
    return ballots[0][0]
