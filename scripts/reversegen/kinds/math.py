"""Math reasoning: the target fails where its final answer is not the labeller's.

Data in GSM8K's published form (openai/grade-school-math, one JSON object a line)::

    {"question": "Tom has 2 boxes of 9 pens. How many pens?", "answer": "2 * 9 = 18\\n#### 18"}
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from reversegen import arithmetic
from reversegen.equivalence import Checker, final_answer
from reversegen.hashing import normalise
from reversegen.kind import Kind, Parsed, Raw
from reversegen.records import Label, Message, Question, Reference, Response

_NEXT_ITEM = re.compile(r"\n\s*\n|(?:^|\s)Q(?:[4-9]|[1-9]\d+)\.(?=\s|$)")
"""A blank line, or the number of an item that the prompt does not hold."""


def read_row(row: dict[str, Any]) -> Raw:
    """A row of GSM8K: the answer is what follows `####`, with its thousands separators."""
    for field in ("question", "answer"):
        if field not in row:
            raise ValueError(f"{field}: missing")
        if not isinstance(row[field], str) or not row[field].strip():
            raise ValueError(f"{field}: a text is needed")
        if any("\ud800" <= character <= "\udfff" for character in row[field]):
            raise ValueError(f"{field}: half of a surrogate pair, which is no character")
    answer = final_answer(row["answer"], strict=True)
    if answer is None:
        raise ValueError("answer: no final answer after ####")
    return Raw(row["question"], answer)


def build_prompt(header: str, demonstrations: Sequence[str]) -> str:
    """Header, blank line, `Q1.` to `Q3.` with blank lines between them, and a bare `Q4.` (REFERENCE: questions only).

    The published code trained `Q4.What` against demonstrations that read `Q1. What`; here both have the space, which
    belongs to the continuation.
    """
    items = [f"Q{n}. {text}" for n, text in enumerate(demonstrations, 1)]
    return "\n\n".join([header, *items, f"Q{len(items) + 1}."])


def parse_instruction(text: str, finished: bool) -> Parsed:
    """The question before the next item or blank line; invalid where it is empty, cut off or carries its answer."""
    question, *rest = _NEXT_ITEM.split(text.lstrip(), maxsplit=1)
    question, closed = question.strip(), finished or bool(rest)
    if not question:
        return Parsed(text, "empty")
    if not closed:
        return Parsed(question, "cut off")
    if "####" in question or "\\boxed" in question:
        return Parsed(question, "carries its answer")
    return Parsed(question, None)


def target_messages(instruction: str, system: str | None) -> list[Message]:
    """The question as a user's turn, after the system message if there is one."""
    opening = [Message(role="system", content=system)] if system else []
    return [*opening, Message(role="user", content=instruction)]


def read_reference(solution: str) -> str | None:
    """The final answer of a labeller's solution, in strict form only: after `####` or in a box."""
    return final_answer(solution, strict=True)


def label(instruction_id: str, responses: list[Response], reference: Reference | None, checker: Checker) -> Label:
    """Failed where the response's final answer is not equal to the reference's; invalid where that cannot be known.

    A finished response without any final answer failed. A response that ran into the token limit can pass, by an answer in
    strict form, but not fail: nothing shows that the target could not solve it.
    """

    def verdict(value: str, detail: str) -> Label:
        return Label(instruction_id=instruction_id, verdict=value, score=None, detail=detail)  # type: ignore[arg-type]

    if reference is None or reference.answer is None:
        return verdict("invalid", (reference.invalid if reference else None) or "no reference")
    if not responses:
        return verdict("invalid", "no response")
    response = responses[0]
    answer = final_answer(response.text, strict=not response.finished)
    equal = checker.equal(answer, reference.answer) if answer is not None else False
    if equal:
        return verdict("passed", "equal answers")
    if not response.finished:
        return verdict("invalid", "response cut off")
    if equal is None:
        return verdict("invalid", "answers cannot be compared")
    return verdict("failed", "no final answer" if answer is None else "different answers")


def test_reference(question: Question) -> Reference:
    """The test set's own answer."""
    return Reference(
        instruction_id=question.id, answer=question.answer, solution=None, labeller="data set", invalid=None
    )


def enhancement_row(instruction: str, answer: str, system: str | None) -> tuple[list[Message], list[Message]]:
    """The question as the target is asked it, and the labeller's solution as the assistant's turn."""
    return target_messages(instruction, system), [Message(role="assistant", content=answer)]


def group(instruction: str) -> str | None:
    """The type of a question of the invented arithmetic; None for any other."""
    expression = arithmetic.read_question(instruction)
    return expression.type if expression else None


def canonical(instruction: str) -> str:
    """The expression that a question of the invented arithmetic asks for, in canonical order; else the normalised text."""
    expression = arithmetic.read_question(instruction)
    return expression.canonical if expression else normalise(instruction)


KIND = Kind(
    read_row=read_row,
    build_prompt=build_prompt,
    parse_instruction=parse_instruction,
    target_messages=target_messages,
    needs_references=True,
    read_reference=read_reference,
    label=label,
    test_reference=test_reference,
    enhancement_row=enhancement_row,
    group=group,
    canonical=canonical,
)
