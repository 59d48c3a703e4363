"""Math reasoning: the target fails if its final answer differs from the teacher's.

Published forms, one object a row::

    GSM8K            {"question": "Tom has 2 boxes of 9 pens. How many pens?", "answer": "2 * 9 = 18\\n#### 18"}
    GSM-Plus         {"question": "...", "solution": "...", "answer": "18", "perturbation_type": "critical thinking"}
    Math-Step-DPO    {"prompt": "...", "full_chosen": "...", "answer": "18", "dataset": "..."}
    MMIQC            {"instruction": "... Please end with: The answer is:", "output": "...", "source": "GSM_Rephrased"}
    your own         {"question": "What is 7 plus 8?", "answer": 15}, or with the number as text, as in a CSV file
    your own         {"text": "..."}, from a named column; without an answer it serves as a seed only
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from reversegen.config.task import KindUse
from reversegen.core.metric import MetricDescription
from reversegen.core.records import Label, Message, Question, Reference, Verdict
from reversegen.ids import normalise
from reversegen.kinds.answers.equivalence import Checker
from reversegen.kinds.answers.final import NO_ANSWER, FinalAnswer, final_answer
from reversegen.kinds.answers.reply import TRUNCATED
from reversegen.kinds.answers.statements import SAYS_NONE
from reversegen.kinds.base import (
    ACCURACY,
    FLEXIBLE,
    RETAINED,
    STRICT,
    Case,
    Conversation,
    Decision,
    DetailShare,
    Kind,
    Parsed,
    Raw,
    Structured,
    Unusable,
    conversation,
)
from reversegen.kinds.items import Form, carries_answer
from reversegen.worlds.base import World, canonical_form, question_type

FORM = Form("Q", "\n\n")
"""Items numbered `Q4.`, with a blank line between them."""

MMIQC_SOURCES = ("GSM_FOBAR", "GSM_Rephrased", "MATH_Rephrased")
"""The parts of MMIQC that the published preparation keeps."""
_ANSWER_FORM = "The answer is:"
"""A part of MMIQC's sentence about the form of the answer. The sentence ends an instruction or is a paragraph before it."""

UNANSWERABLE = "None"
"""GSM-Plus's answer to a question that lacks necessary information. Tables report these questions separately."""
METRICS = (
    ACCURACY,
    DetailShare(
        "accuracy_strict",
        "answers that are right and in the requested form, among all test questions",
        measure=ACCURACY.name,
        hit={STRICT: True, FLEXIBLE: False}.get,
    ),
    MetricDescription(
        "unanswerable",
        "questions without an answer that the target recognises",
        headline=4,
        counts="passed",
        rows_alone=True,
    ),
    RETAINED,
)
_LAST_LINE = re.compile(r"\s*####[^\n]*\s*\Z")
_NUMBER = re.compile(r"[+-]?(?:(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+|[0-9]+/[0-9]+)")
"""A text that is one number: 18, 1,234, -0.5 or 3/4."""
_SAYS_NONE = re.compile(SAYS_NONE, re.IGNORECASE)
_MARKUP = re.compile(r"\\(?:text\w*|mathrm|mathbf)|[{}$*.]")

SETTINGS = None
"""None: a task has no section for this kind."""


def text_of(row: dict[str, Any], field: str) -> str:
    """The text in a field of a row. Raises ValueError naming the field if it has no text."""
    if field not in row:
        raise ValueError(
            f"{field}: missing; if the rows have another form, name the column of the instructions with `column`"
        )
    if not isinstance(row[field], str) or not row[field].strip():
        raise ValueError(f"{field}: a text is needed")
    if any("\ud800" <= character <= "\udfff" for character in row[field]):
        raise ValueError(f"{field}: it holds half of a surrogate pair, which is not a character; remove it")
    return str(row[field])


def read_row(row: dict[str, Any]) -> Raw:
    """The question and answer of a row in one of the published forms; the answer keeps its thousands separators.

    Raises ValueError naming the field if the row has another form, and Unusable if the task has no use for it.
    """
    if "instruction" in row:
        source = text_of(row, "source")
        if source not in MMIQC_SOURCES:
            raise Unusable(f"source {source}" if source.isidentifier() else "another source")
        question = _without_answer_form(text_of(row, "instruction"))
        if not question.strip():
            raise Unusable("instruction: no question besides the form of its answer")
        # some solutions of MMIQC end in words, without a box
        answer = final_answer(text_of(row, "output")).value
    elif "full_chosen" in row:
        question, answer = text_of(row, "prompt"), text_of(row, "answer").strip()
    elif "perturbation_type" in row:
        question, answer = text_of(row, "question"), text_of(row, "answer").strip()
        measure = "unanswerable" if answer == UNANSWERABLE else None
        return Raw(" ".join(question.split()), answer, text_of(row, "perturbation_type"), measure)
    elif set(row) == {"text"}:
        question, answer = text_of(row, "text"), None
    else:
        question, answer = text_of(row, "question"), _own_answer(row)
        if answer is None:
            raise ValueError(
                "answer: no final answer after ####, and not one number such as 18 or 3/4; write one of them; for questions "
                "without answers, name their column with `column`"
            )
    if carries_answer(question):
        raise Unusable("the question carries its answer")
    return Raw(" ".join(question.split()), answer)


def _own_answer(row: dict[str, Any]) -> str | None:
    """The final answer in a row of GSM8K, or the one number that is the whole answer. None without either."""
    value = row.get("answer")
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool) and math.isfinite(value):
        number = format(Decimal(str(value)), "f")  # without an exponent
        return number.removesuffix(".0")  # a column of whole numbers with an empty cell is read as 18.0
    text = text_of(row, "answer").strip()
    return _strict(final_answer(f"#### {text}" if _NUMBER.fullmatch(text) else text))


def _without_answer_form(instruction: str) -> str:
    """An instruction of MMIQC without its sentence about the form of the answer."""
    first, _, others = instruction.partition("\n\n")
    if _ANSWER_FORM in first and others.strip():
        return others
    head, mark, _ = instruction.rpartition(_ANSWER_FORM)
    return head[: max(head.rfind(end) for end in ".?!\n") + 1] if mark else instruction


def write_item(instruction: str, answer: str | None) -> str:
    """The question without its answer."""
    return instruction


def build_prompt(header: str, demonstrations: Sequence[str]) -> str:
    """Header, blank line, `Q1.` to `Q3.` with blank lines between them, and a bare `Q4.`: the published form, without answers.

    The published code trained `Q4.What` with demonstrations of the form `Q1. What`. Here both have the space, and the
    continuation begins with it.
    """
    items = [f"Q{n}. {text}" for n, text in enumerate(demonstrations, 1)]
    return "\n\n".join([header, *items, f"Q{len(items) + 1}."])


def parse_instruction(text: str, finished: bool) -> Parsed:
    """The question before the next item or blank line.

    Invalid if it is empty, is cut off, carries its answer, or does not show where it ends.
    """
    question, invalid = FORM.first_item(text, finished)
    return Parsed(question, "carries its answer" if invalid is None and carries_answer(question) else invalid)


def read_reference(instruction: str, solution: str) -> str | None:
    """The final answer of a teacher's solution in strict form, `####` or a box; None without one or for "no answer"."""
    answer = final_answer(solution)
    return None if _states_none(answer) else _strict(answer)


def _strict(answer: FinalAnswer) -> str | None:
    return answer.value if answer.strict else None


def label(case: Case, checker: Checker) -> Label:
    """Failed if the final answer of the response differs from the reference's; invalid if that cannot be decided.

    A finished response without a final answer fails. A truncated response that continued after its answer can pass but
    cannot fail, because it may have been about to revise the answer.
    """

    def verdict(value: Verdict, detail: str) -> Label:
        return Label(instruction_id=case.id, verdict=value, score=None, detail=detail)

    answer = _answer(case)
    reference = case.reference
    if answer and case.responses[0].invalid:
        return verdict("invalid", case.responses[0].invalid)
    if reference is None or reference.answer is None:
        return verdict("invalid", (reference.invalid if reference else None) or "no reference")
    if answer is None:
        return verdict("invalid", "no response")
    if answer.value is None:
        return verdict("failed" if answer.invalid == NO_ANSWER else "invalid", str(answer.invalid))
    equal = checker.equal(answer.value, reference.answer)
    if equal:
        return verdict("passed", STRICT if answer.strict else FLEXIBLE)
    if not answer.settled:
        return verdict("invalid", TRUNCATED)
    if equal is None:
        return verdict("invalid", "answers cannot be compared")
    return verdict("failed", "different answers")


def _answer(case: Case) -> FinalAnswer | None:
    """The final answer of the one response that counts; None if there is no response."""
    for response in case.responses[:1]:
        return final_answer(response.text, response.finished, response.invalid)
    return None


def label_test(question: Question, case: Case, checker: Checker) -> Label:
    """The verdict by the test set's own answer.

    If that answer is GSM-Plus's None, the target passes if it states in strict form that there is no answer.
    """
    answer = _answer(case)
    if question.measure == "unanswerable" and answer and answer.invalid in (None, NO_ANSWER):
        value: Verdict = "passed" if _states_none(answer) else "failed" if answer.settled else "invalid"
        detail = TRUNCATED if value == "invalid" else "question without answer"
        return Label(instruction_id=case.id, verdict=value, score=None, detail=detail)
    reference = Reference(
        instruction_id=case.id, answer=question.answer, solution=None, teacher="data set", invalid=None
    )
    return label(Case(case.id, case.text, case.responses, reference), checker)


def _states_none(answer: FinalAnswer) -> bool:
    """Whether an answer in strict form states that there is no answer."""
    return bool(_SAYS_NONE.fullmatch(" ".join(_MARKUP.sub("", _strict(answer) or "").split())))


def in_asked_form(solution: str, answer: str | None, system: str | None) -> str:
    r"""The solution with its answer at the end in the form that the system message names, `####` or `\boxed{}`.

    So no training row asks for one form and teaches the other. The solution does not change if the message names neither
    form or both, or if the change would alter the answer that is read from it.
    """
    places = {"####": solution.rfind("####"), r"\boxed": max(map(solution.rfind, (r"\boxed", r"\fbox")))}
    named = [form for form in places if form in (system or "")]
    if answer is None or len(named) != 1 or places[named[0]] == max(places.values()) >= 0:
        return solution
    if named == ["####"]:
        stated = f"{solution.rstrip()}\n#### {answer}"
    else:
        stated = f"{_LAST_LINE.sub('', solution).rstrip()}\nThe final answer is \\boxed{{{answer}}}.".lstrip()
    read = final_answer(stated)
    return stated if read.strict and read.value == answer else solution


def enhancement_row(
    instruction: str, reference: Reference, verdict: Verdict, system: str | None
) -> tuple[Conversation, Conversation]:
    """The question as the target reads it, and the teacher's solution in the requested form as the assistant's turn."""
    solution = in_asked_form(str(reference.solution), str(reference.answer), system)
    return conversation(instruction, system), [Message(role="assistant", content=solution)]


def replay_row(instruction: str, response: str, system: str | None) -> tuple[Conversation, Conversation]:
    """The question, and the target's own solution in the requested form."""
    solution = in_asked_form(response, final_answer(response).value, system)
    return conversation(instruction, system), [Message(role="assistant", content=solution)]


class Solved(BaseModel):
    """A teacher's structured reply."""

    model_config = ConfigDict(extra="forbid", strict=True)

    solution: str
    answer: str | None


def solution_of(reply: Solved) -> str | None:
    """The solution with its answer in the strict form of GSM8K; None if the teacher says that there is no answer."""
    if reply.answer is None:
        return None
    return f"{reply.solution.replace('####', '').strip()}\n#### {' '.join(reply.answer.split())}"


STRUCTURED = Structured(
    reply=Solved,
    solution=solution_of,
    request=(
        'Reply with one JSON object and nothing else: {"solution": the steps, as text, "answer": the final answer alone, as '
        "text, or null if the problem cannot be solved with what it gives}."
    ),
)


def open_kind(use: KindUse, worlds: Sequence[World]) -> Kind:
    """The kind, without settings. Worlds give the types and canonical forms of their questions; other texts are normalised."""
    return Kind(
        read_row=read_row,
        write_item=write_item,
        build_prompt=build_prompt,
        parse_instruction=parse_instruction,
        target_messages=conversation,
        decision=Decision(),
        needs_references=True,
        needs_judge=False,
        read_reference=read_reference,
        label=label,
        label_test=label_test,
        enhancement_row=enhancement_row,
        replay_row=replay_row,
        group=lambda instruction: question_type(instruction, worlds),
        canonical=lambda instruction: canonical_form(instruction, worlds) or normalise(instruction),
        metrics=METRICS,
        says_none=lambda _, solution: _states_none(final_answer(solution)),
        structured=STRUCTURED,
    )
