"""Facts: the target fails if it states a wrong answer to an open question; a right answer and an abstention both pass.

`question_rows` reads the rows of data sets, and `answers.short` the answers.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reversegen.config.fields import NUMBER, Number, Section
from reversegen.config.task import KindUse
from reversegen.core.metric import MetricDescription
from reversegen.core.records import Label, Message, Question, Reference, Verdict
from reversegen.ids import hashed_seed, normalise
from reversegen.kinds.answers.equivalence import Checker
from reversegen.kinds.answers.names import normal, same_answer
from reversegen.kinds.answers.reply import read_reply
from reversegen.kinds.answers.short import OpenQuestion, ShortAnswer, abstains_wholly, read_short, stated_answer
from reversegen.kinds.base import (
    Case,
    Conversation,
    Decision,
    KeptShare,
    Kind,
    MetricDifference,
    OutcomeShare,
    Parsed,
    Repetition,
    SampledRows,
    ScoreMetric,
    Structured,
    conversation,
)
from reversegen.kinds.items import Form, carries_answer
from reversegen.kinds.question_rows import other_forms, read_row
from reversegen.kinds.scores import calibration_error
from reversegen.worlds.base import World, canonical_form, question_type

FORM = Form("Q", "\n\n")
"""Items numbered `Q4.`, with a blank line between them."""
_NAME_AT_END = re.compile(
    r"\?[\"')\]]{0,3}\s+(?!(?:Please|Thanks?|Explain|Why|Answer|Discuss|Describe|Yes|No)\b)"
    r"[A-Z][\w'\u2019.-]*(?:\s(?:[A-Z][\w'\u2019.-]*|of|the|and|de|la)){0,4}\s*\Z"
)
"""A name after the question mark at the end, which is an answer: "What is the capital of France? Paris"."""
ACCURATE = "accuracy"
METRICS: tuple[MetricDescription, ...] = (
    MetricDescription(ACCURATE, "right answers among all test questions", compared=True, headline=3, counts="right"),
    OutcomeShare(
        "hallucination_rate",
        "wrong answers among all test questions",
        measure=ACCURATE,
        outcome="wrong",
        less_is_better=True,
        compared=True,
        headline=2,
        beside=("retained", "over_abstention"),
    ),
    OutcomeShare(
        "abstention_rate", "abstentions among all test questions", measure=ACCURATE, outcome="abstained", headline=4
    ),
    MetricDifference(
        "truthfulness",
        "right minus wrong answers, as shares of all test questions",
        minuend=ACCURATE,
        subtrahend="hallucination_rate",
        compared=True,
        headline=1,
        beside=(ACCURATE, "hallucination_rate", "abstention_rate"),
    ),
    ScoreMetric(
        "calibration_error",
        "the expected distance between the share of the most frequent of several answers and how often it is right",
        less_is_better=True,
        computed=calibration_error,
    ),
    KeptShare(
        "over_abstention",
        "abstentions among the questions that the original answered rightly",
        measure=ACCURATE,
        outcome="abstained",
        less_is_better=True,
    ),
    KeptShare(
        "retained",
        "right answers among the questions that the original answered rightly",
        measure=ACCURATE,
        outcome="right",
        headline=9,
    ),
)
DETAILS = {"right": "right answer", "wrong": "wrong answer", "abstained": "says that it does not know"}


class Factual(Section):
    """How the kind factual reads abstentions, and what it teaches a target about what it knows."""

    samples: Annotated[int, Field(ge=2), NUMBER] = Field(
        description="Number k of answers that are drawn of the target to each chosen instruction, to see whether it knows."
    )
    temperature: Number = Field(gt=0, description="Sampling temperature of these answers.")
    calibration_samples: Annotated[int, Field(ge=2), NUMBER] | None = Field(
        description="Number of answers that are drawn of each test question, of the original and of every enhanced target, to "
        "measure calibration. Null, the default, draws none."
    )
    abstentions: Annotated[list[str], Field(min_length=1)] = Field(
        description="Wordings of an abstention. Rows teach them, each to a part of the questions, and answers are read by them."
    )
    never_right: Literal["abstention", "right_answer"] = Field(
        description="What is taught to a question that no drawn answer gets right."
    )
    sometimes_right: Literal["right_answer", "abstention"] = Field(
        description="What is taught to a question that some drawn answers get right."
    )
    always_right: Literal["own_answer", "right_answer"] = Field(
        description="What is taught to a question that all drawn answers get right."
    )


SETTINGS = Factual
"""The class of a task's section `factual`."""


def build_prompt(header: str, demonstrations: Sequence[str]) -> str:
    """Header, blank line, `Q1.` to `Q3.` with blank lines between them, and a bare `Q4.`, as the published form of math."""
    return "\n\n".join(
        [header, *(f"Q{n}. {text}" for n, text in enumerate(demonstrations, 1)), f"Q{len(demonstrations) + 1}."]
    )


def parse_instruction(text: str, finished: bool) -> Parsed:
    """The question before the next item or blank line; invalid if it is empty, cut off, runs on or carries its answer."""
    question, invalid = FORM.first_item(text, finished)
    one_line = question if invalid == "empty" else " ".join(question.split())
    answered = invalid is None and bool(carries_answer(question) or _NAME_AT_END.search(question))
    return Parsed(one_line, "carries its answer" if answered else invalid)


class Answered(BaseModel):
    """A teacher's structured reply."""

    model_config = ConfigDict(extra="forbid", strict=True)

    answer: str | None
    other_names: list[str]


STRUCTURED = Structured(
    reply=Answered,
    solution=lambda reply: (
        None if reply.answer is None or not reply.answer.strip() else f"Answer: {reply.answer.strip()}"
    ),
    request=(
        'Reply with one JSON object and nothing else: {"answer": the short answer alone, as text, or null if you do not know it'
        ' or the question has none, "other_names": other accepted names or spellings of the same answer, as a list of texts}.'
    ),
    aliases=lambda reply: [name for name in reply.other_names if name.strip()],
)


def open_kind(use: KindUse, worlds: Sequence[World]) -> Kind:
    """The kind with the task's settings. Worlds give types, canonical forms, and the names of the possible answers."""
    reader = _AnswerReader(use.settings(Factual), worlds)
    settings, repeated = reader.settings, reader.settings.calibration_samples
    return Kind(
        read_row=read_row,
        write_item=lambda instruction, answer: instruction,
        build_prompt=build_prompt,
        parse_instruction=parse_instruction,
        target_messages=conversation,
        decision=Decision(),
        needs_references=True,
        needs_judge=False,
        read_reference=reader.reference_answer,
        label=reader.label,
        label_test=reader.label_test,
        enhancement_row=lambda instruction, reference, verdict, system: _row(instruction, _right(reference), system),
        replay_row=lambda instruction, response, system: _row(instruction, response, system),
        metrics=METRICS,
        group=lambda instruction: question_type(instruction, worlds),
        canonical=lambda instruction: canonical_form(instruction, worlds) or normalise(instruction),
        says_none=abstains_wholly,
        structured=STRUCTURED,
        equal_answers=lambda one, other, checker: same_answer(one, other),
        aliases=lambda instruction, answer: other_forms(answer, reader.world_names(instruction, answer)),
        abstains=True,
        repetition=Repetition(Decision(repeated, settings.temperature), reader.frequent) if repeated else None,
        sampled=SampledRows(Decision(settings.samples, settings.temperature), reader.sampled_row),
    )


def _row(instruction: str, answer: str, system: str | None) -> tuple[Conversation, Conversation]:
    """The question as the target reads it, and an answer as the assistant's turn."""
    return conversation(instruction, system), [Message(role="assistant", content=answer)]


def _right(reference: Reference) -> str:
    """The right answer as it is taught: the teacher's solution, without the word that a structured reply puts before it."""
    return str(reference.solution).strip().removeprefix("Answer: ")


class _AnswerReader:
    """Reads the answers to questions, with the help of the worlds that know them."""

    def __init__(self, settings: Factual, worlds: Sequence[World]) -> None:
        self.settings, self.worlds = settings, worlds

    def world_of(self, question: str) -> World | None:
        """The first world that knows the names of the answer to a question; None if no world does."""
        return next((world for world in self.worlds if world.aliases and world.aliases(question)), None)

    def world_names(self, question: str, answer: str) -> Sequence[str]:
        """The names that a world accepts, if the answer is among them."""
        world = self.world_of(question)
        names = world.aliases(question) if world and world.aliases else ()
        return names if any(same_answer(answer, name) for name in names) else ()

    def reference_answer(self, question: str, solution: str) -> str | None:
        """The short answer that a teacher's solution states; in a world, the first name if the solution holds the answer."""
        world = self.world_of(question)
        if world and world.aliases and self.read(question, world.aliases(question), solution).state == "right":
            return world.aliases(question)[0]
        return stated_answer(question, read_reply(solution).text)

    def read(
        self, question: str, accepted: Sequence[str], text: str, finished: bool = True, invalid: str | None = None
    ) -> ShortAnswer:
        """The short answer in a response."""
        world = self.world_of(question)
        subject = world.subject(question) if world and world.subject else ()
        named = world.named if world else None
        asked = OpenQuestion(question, accepted, self.settings.abstentions, named, subject)
        return read_short(asked, read_reply(text, finished, invalid))

    def label(self, case: Case, checker: Checker) -> Label:
        """Failed for a wrong answer, passed for a right one or an abstention, invalid if the answer cannot be decided."""
        reference = case.reference
        trusted = reference if reference and reference.answer is not None else None
        if not case.responses:
            return _label(case.id, ShortAnswer(None, "no response"))
        if case.responses[0].invalid:
            return _label(case.id, ShortAnswer(None, case.responses[0].invalid))
        if trusted is None:
            return _label(case.id, ShortAnswer(None, (reference.invalid if reference else None) or "no reference"))
        return _label(case.id, self.read_all(case, trusted)[0])

    def read_all(self, case: Case, reference: Reference) -> list[ShortAnswer]:
        """The short answer in each response of a case."""
        accepted = [str(reference.answer), *reference.aliases]
        read = functools.partial(self.read, case.text, accepted)
        return [read(response.text, response.finished, response.invalid) for response in case.responses]

    def label_test(self, question: Question, case: Case, checker: Checker) -> Label:
        """The verdict by the test set's own answer and its aliases."""
        given: dict[str, Any] = {"answer": question.answer, "aliases": question.aliases}
        reference = Reference(instruction_id=case.id, solution=None, teacher="data set", invalid=None, **given)
        return self.label(Case(case.id, case.text, case.responses, reference), checker)

    def frequent(self, question: Question, case: Case) -> tuple[bool | None, float]:
        """The most frequent answer among those that were received, by its normal form; all right answers are one.

        Abstentions are one answer too, and so are undecided responses; they are neither right nor wrong.
        """
        given: dict[str, Any] = {"answer": question.answer, "aliases": question.aliases}
        reference = Reference(instruction_id=case.id, solution=None, teacher="data set", invalid=None, **given)
        read = zip(self.read_all(case, reference), case.responses, strict=True)
        answers = [
            (answer.state, self.wrong_answer(case.text, response.text) if answer.state == "wrong" else "")
            for answer, response in read
            if not response.invalid
        ]
        if not answers:
            return None, 0.0
        (state, _), count = Counter(answers).most_common(1)[0]
        return None if state in (None, "abstained") else state == "right", round(count / len(answers), 6)

    def wrong_answer(self, question: str, response: str) -> str:
        """The normal form of a wrong answer: the names that a world finds, the stated answer, or else the whole response."""
        text, world = read_reply(response).text, self.world_of(question)
        names = world.named(question, text) if world and world.named else ()
        return " ".join(map(normal, names)) or normal(stated_answer(question, text) or text)

    def sampled_row(self, case: Case, system: str | None) -> tuple[Conversation, Conversation]:
        """An abstention, the right answer or the target's own answer, by how many of its drawn answers are right.

        Answers that were not received do not count. Without any, the row teaches the right answer. The wording of an abstention
        is drawn by a hash of the instruction's id.
        """
        assert case.reference is not None
        settings, wordings = self.settings, self.settings.abstentions
        read = zip(self.read_all(case, case.reference), case.responses, strict=True)
        received = [(answer.state, response) for answer, response in read if not response.invalid]
        right = [response for state, response in received if state == "right"]
        taught: str = settings.sometimes_right if right else settings.never_right
        if not received:
            taught = "right_answer"
        elif len(right) == len(received):
            taught = settings.always_right
        complete = next((response for response in right if response.finished), None)
        if taught == "abstention":
            return _row(case.text, wordings[hashed_seed("abstention", case.id) % len(wordings)], system)
        if taught == "own_answer" and complete:
            return _row(case.text, read_reply(complete.text).text.strip(), system)
        return _row(case.text, _right(case.reference), system)


def _label(identity: str, answer: ShortAnswer) -> Label:
    """The label of a short answer."""
    verdict: Verdict = "invalid" if answer.state is None else "failed" if answer.state == "wrong" else "passed"
    return Label(
        instruction_id=identity,
        verdict=verdict,
        score=None,
        detail=answer.reason if answer.state is None else DETAILS[answer.state],
        abstained=answer.state == "abstained",
    )
