"""Trusted answers: by the exact solver of an invented world, or by a labeller model (see `generation`)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from pydantic import ValidationError

from reversegen.engine import Generated
from reversegen.equivalence import Checker
from reversegen.kind import Kind, Structured
from reversegen.kinds.answers.reply import TRUNCATED, Reply, read_reply
from reversegen.records import Reference
from reversegen.worlds import WORLDS

_YES_OR_NO = re.compile(
    r"\W*(?:(?:the |my |final )*answer\W+(?:is\W+)?)?(yes|no(?! (?:doubt|problem)))\b"
    r"(?!\W*(?:(?:and|or|but)\b\W*)?(?!\1\b)(?:yes|no)\b)",
    re.IGNORECASE,
)
"""One of the two, and not the other one at once behind it."""


def solve(questions: Iterable[tuple[str, str]], labeller: str, kind: Kind) -> list[Reference]:
    """References by a world's solver for (id, instruction) pairs. Raises KeyError for a labeller that is no world."""
    return [reference(identity, text, WORLDS[labeller].solve(text), labeller, kind) for identity, text in questions]


def reference(identity: str, text: str, solution: str | None, labeller: str, kind: Kind) -> Reference:
    """The record of one whole solution; invalid if there is none, or if it has no final answer in strict form."""
    answer = kind.read_reference(text, solution) if solution is not None else None
    if answer is None:
        return refused(identity, "not answerable" if solution is None else "no final answer", labeller)
    return Reference(instruction_id=identity, answer=answer, solution=solution, labeller=labeller, invalid=None)


def refused(identity: str, reason: str, labeller: str) -> Reference:
    """The record of an instruction without a trusted answer."""
    return Reference(instruction_id=identity, answer=None, solution=None, labeller=labeller, invalid=reason)


def solvable(reply: Generated) -> str | None:
    """None if a labeller's reply begins with yes; else why the instruction is invalid."""
    visible = read_reply(reply.text, reply.finished, reply.invalid)
    if visible.invalid:
        return visible.invalid
    found = _YES_OR_NO.match(visible.text)
    if not found:
        return "solvability unreadable"
    return None if found[1].lower() == "yes" else "not solvable"


def structured_reference(
    identity: str, text: str, reply: Reply, labeller: str, kind: Kind, form: Structured
) -> Reference:
    """The record of a whole reply that a schema should hold, alone or as one code block; invalid if it has another form."""
    try:
        solution = form.solution(form.reply.model_validate_json(_unfenced(reply.text)))
    except ValidationError as error:  # its kind alone is told: what stood there is the model's
        return refused(identity, f"malformed reply: {error.errors(include_input=False)[0]['type']}", labeller)
    return reference(identity, text, solution, labeller, kind)


def _unfenced(text: str) -> str:
    """A reply without the code block of Markdown around it."""
    first, _, rest = text.strip().partition("\n")
    fenced = first.rstrip().lower() in ("```", "```json") and rest.endswith("```")
    return rest.removesuffix("```") if fenced else text


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

    Invalid if fewer than `agreeing` say the same, or two answers have as many votes; if none has a vote, the reason is the most
    frequent one. A truncated solution has no vote: it would be trained on. `form` reads structured replies.
    """

    def read(solution: Generated) -> Reference:
        reply = read_reply(solution.text, solution.finished, solution.invalid)
        if reply.invalid or not reply.finished:
            return refused(identity, reply.invalid or TRUNCATED, labeller)
        if form:
            return structured_reference(identity, text, reply, labeller, kind, form)
        return reference(identity, text, reply.text, labeller, kind)

    def equal(one: str, other: str) -> bool:
        return one == other if kind.choice else checker.equal(one, other) is True

    references = [read(solution) for solution in solutions]
    if len(references) == 1:
        return references[0]
    ballots: list[list[Reference]] = []
    for one in references:
        if one.answer is None:
            continue
        ballot = next((b for b in ballots if equal(one.answer, str(b[0].answer))), None)
        if ballot is None:
            ballots.append([one])
        else:
            ballot.append(one)
    ballots.sort(key=len, reverse=True)
    tied = len(ballots) > 1 and len(ballots[0]) == len(ballots[1])
    if not ballots or len(ballots[0]) < agreeing or tied:
        reasons = Counter(str(one.invalid) for one in references if one.invalid)
        reason = "labeller's answers disagree" if ballots else reasons.most_common(1)[0][0]
        return refused(identity, reason, labeller)
    return ballots[0][0]
