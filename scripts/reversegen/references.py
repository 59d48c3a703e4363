"""Trusted answers: by the exact solver of an invented world, or by a labeller model (see `generation`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pydantic import ValidationError

from reversegen.engine import Generated
from reversegen.equivalence import Checker
from reversegen.kind import Kind, Structured
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


def structured_reference(
    identity: str, text: str, reply: Generated, labeller: str, kind: Kind, form: Structured
) -> Reference:
    """The record of a reply that a schema should hold; invalid, with what is wrong, where it is not of that form."""
    if not reply.finished:
        return refused(identity, "cut off", labeller)
    try:
        solution = form.solution(form.reply.model_validate_json(reply.text))
    except ValidationError as error:  # its kind alone is told: what stood there is the model's
        return refused(identity, f"malformed reply: {error.errors(include_input=False)[0]['type']}", labeller)
    return reference(identity, text, solution, labeller, kind)


def vote(
    identity: str,
    text: str,
    solutions: Sequence[Generated],
    agreeing: int,
    labeller: str,
    kind: Kind,
    checker: Checker,
    form: Structured | None = None,
) -> Reference:
    """The reference that most solutions agree on, by equal final answers, with the first solution that gives it.

    Invalid where fewer than `agreeing` say the same, or two answers have as many votes. `form` reads structured replies.
    """

    def read(solution: Generated) -> Reference:
        if form:
            return structured_reference(identity, text, solution, labeller, kind, form)
        return reference(identity, text, solution.text, labeller, kind, finished=solution.finished)

    if len(solutions) == 1:
        return read(solutions[0])
    ballots: list[list[Reference]] = []
    for solution in solutions:
        one = read(solution)
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
