"""References, which are trusted answers: from the exact solver of an invented world, or by a vote of a teacher's solutions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pydantic import ValidationError

from reversegen.core.records import Reference
from reversegen.engines.base import Generated
from reversegen.kinds.answers.equivalence import Checker
from reversegen.kinds.answers.final import NO_ANSWER
from reversegen.kinds.answers.reply import TRUNCATED, Reply, read_reply
from reversegen.kinds.base import Kind, Structured
from reversegen.loop.solvability import NOT_SOLVABLE
from reversegen.worlds import WORLDS

NOT_ANSWERABLE = "not answerable"
DISAGREE = "teacher's answers disagree"


def solve(questions: Iterable[tuple[str, str]], teacher: str, kind: Kind) -> list[Reference]:
    """The references of a world's solver for (id, instruction) pairs. Raises KeyError if `teacher` does not name a world."""
    return [reference(identity, text, WORLDS[teacher].solve(text), teacher, kind) for identity, text in questions]


def reference(identity: str, text: str, solution: str | None, teacher: str, kind: Kind) -> Reference:
    """The record of one complete solution.

    It is invalid if `solution` is None, states that there is no answer, or has no final answer in strict form.
    """
    answer = kind.read_reference(text, solution) if solution is not None else None
    if answer is None:
        unanswerable = solution is None or (kind.says_none is not None and kind.says_none(text, solution))
        return refused(identity, NOT_ANSWERABLE if unanswerable else NO_ANSWER, teacher)
    return Reference(
        instruction_id=identity,
        answer=answer,
        solution=solution,
        teacher=teacher,
        invalid=None,
        aliases=list(kind.aliases(text, answer)),
    )


def refused(identity: str, reason: str, teacher: str) -> Reference:
    """The record of an instruction without a trusted answer."""
    return Reference(instruction_id=identity, answer=None, solution=None, teacher=teacher, invalid=reason)


def not_understood(reason: str | None) -> bool:
    """Whether `reason` means that a teacher's reply was received but could not be read."""
    return reason not in (None, NOT_SOLVABLE, NOT_ANSWERABLE, DISAGREE)


def structured_reference(
    identity: str, text: str, reply: Reply, teacher: str, kind: Kind, form: Structured
) -> Reference:
    """The record of a complete reply in the form of a JSON schema, alone or in one code block; invalid in any other form."""
    try:
        parsed = form.reply.model_validate_json(_unfenced(reply.text))
        solution, aliases = form.solution(parsed), form.aliases(parsed)
    except ValidationError as error:  # the reason gives the type of the error without the model's text
        return refused(identity, f"malformed reply: {error.errors(include_input=False)[0]['type']}", teacher)
    written = reference(identity, text, solution, teacher, kind)
    return (
        written.model_copy(update={"aliases": [*written.aliases, *aliases]}) if written.answer is not None else written
    )


def _unfenced(text: str) -> str:
    """The reply without a Markdown code block around it."""
    first, _, following = text.strip().partition("\n")
    fenced = first.rstrip().lower() in ("```", "```json") and following.endswith("```")
    return following.removesuffix("```") if fenced else text


def vote(
    identity: str,
    text: str,
    solutions: Sequence[Generated],
    agreeing: int,
    teacher: str,
    kind: Kind,
    checker: Checker,
    form: Structured | None = None,
) -> Reference:
    """The final answer that most solutions agree on, with the first solution that gives it.

    The reference is invalid if fewer than `agreeing` solutions agree, or if two answers tie for the most votes. If no solution
    has a vote, the reason is the most frequent one among the solutions. A truncated solution has no vote, since the target
    would be trained on it. `form` is the form of structured replies, or None.
    """

    def read(solution: Generated) -> Reference:
        reply = read_reply(solution.text, solution.finished, solution.invalid)
        if reply.invalid or not reply.finished:
            return refused(identity, reply.invalid or TRUNCATED, teacher)
        if form:
            return structured_reference(identity, text, reply, teacher, kind, form)
        return reference(identity, text, reply.text, teacher, kind)

    def equal(answer: str, elected: str) -> bool:
        return answer == elected if kind.choice else kind.equal_answers(answer, elected, checker)

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
        reason = DISAGREE if ballots else reasons.most_common(1)[0][0]
        return refused(identity, reason, teacher)
    return ballots[0][0]
