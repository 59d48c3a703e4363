"""References by the teacher: the answer of an exact solver, or the answer that a model's solutions agree on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from reversegen.config.models import ModelUse
from reversegen.config.task import Teaching
from reversegen.core.records import Reference, write_records
from reversegen.core.shards import WHOLE, items_at_once, share
from reversegen.engines.base import Decoding, Engine, Generated
from reversegen.engines.unreadable_replies import UnreadableReplies
from reversegen.ids import content_id, hashed_seed
from reversegen.kinds.answers.equivalence import Checker
from reversegen.kinds.base import Kind, Structured
from reversegen.loop.answering import ask, question_requests, questions_key
from reversegen.loop.batches import BatchedFile, check_received
from reversegen.loop.questions import Questions
from reversegen.loop.references import not_understood, refused, solve, vote
from reversegen.loop.solvability import SOLVABILITY_TOKENS, check_solvability, gives_probabilities, solvability_requests

Solutions = Mapping[tuple[str, str], list[Generated]]
"""The teacher's solutions by (id, question), of the questions that it was asked."""


@dataclass(frozen=True)
class Teacher:
    """A teacher model, with everything that turns its replies into references."""

    name: str
    engine: Engine
    yes_or_no: Engine | None
    """The engine that replies whether an instruction can be answered; None if probabilities of yes and no decide."""
    kind: Kind
    settings: Teaching
    timeout: float
    """Seconds for one comparison of answers."""
    structured: bool = False
    """Whether its endpoint makes replies follow the kind's JSON schema. They are then read by this schema."""

    @property
    def form(self) -> Structured | None:
        """The form of structured replies, or None if replies are free text."""
        return self.kind.structured if self.structured else None

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON schema that solutions must follow, or None."""
        return self.form.schema if self.form else None

    @cached_property
    def system(self) -> str | None:
        """The system text for solutions, as from `teacher_system`."""
        return teacher_system(self.settings, self.form)

    def key(self, questions: Questions, seed_parts: tuple[str | int, ...]) -> str:
        """A hash of everything that decides the references."""
        requests = question_requests(questions, self.kind, self.system, self.schema)
        return content_id(
            self.name,
            questions_key(questions, requests, self.engine, self.settings.batch_size),
            self.yes_or_no.identity if self.yes_or_no else "",
            *(self.yes_or_no or self.engine).request_texts(solvability_requests(questions, self.settings)),
            self.settings.model_dump_json(exclude={"max_invalid_share", "max_unreadable_share"}),
            str(self.timeout),
            *seed_parts,
        )

    def counter(self, what: str, fix: str) -> UnreadableReplies:
        """A new counter of the teacher's unreadable replies to `what`; its error suggests `fix`."""
        share, key = self.settings.max_unreadable_share, "references.max_unreadable_share"
        return UnreadableReplies(what, share, key, fix, masked=self.kind.harmful)

    def check(self, batch: Questions, unread: UnreadableReplies) -> tuple[dict[str, str | None], set[str]]:
        """The reasons why instructions are not answered, and the ids that got no reply, as from `check_solvability`.

        Both are empty if the task has no question about solvability.
        """
        if not self.settings.solvable:
            return {}, set()
        requests, scored = solvability_requests(batch, self.settings), self.yes_or_no is None
        return check_solvability(self.yes_or_no or self.engine, batch, requests, unread, scored=scored)

    def solve(self, questions: Questions, seed: int) -> Solutions:
        """The teacher's solutions of each question."""
        samples = self.settings.samples
        drawn = ask(self.engine, questions, self.kind, self.system, samples, seed, self.schema)
        return dict(zip(questions, drawn, strict=True))

    def vote(
        self, batch: Questions, solutions: Solutions, reasons: Mapping[str, str | None], checker: Checker
    ) -> list[Reference]:
        """The reference of each question. `reasons` holds the reasons of the questions that have no solutions."""
        agreeing = self.settings.agreeing
        return [
            vote(i, question, solutions[i, question], agreeing, self.name, self.kind, checker, self.form)
            if (i, question) in solutions
            else refused(i, str(reasons[i]), self.name)
            for i, question in batch
        ]


def teacher_system(settings: Teaching, form: Structured | None) -> str | None:
    """The system text with which a teacher is asked for solutions. It also asks for the structured form, if there is one."""
    if form:
        return f"{settings.system}\n\n{form.request}" if settings.system else form.request
    return settings.system


@dataclass(frozen=True)
class Solver:
    """The exact solver of an invented world as a teacher."""

    name: str
    kind: Kind


def open_teacher(
    name: str,
    model: ModelUse | None,
    open_engine: Callable[[Decoding], Engine],
    kind: Kind,
    settings: Teaching,
    timeout: float,
) -> Teacher | Solver:
    """The teacher with its engines: none for a solver, and a second one if a yes or no must be read from a reply."""
    if model is None:
        return Solver(name, kind)
    temperature = settings.temperature if settings.samples > 1 else 0.0
    engine, yes_or_no = open_engine(Decoding(settings.max_new_tokens, temperature)), None
    if settings.solvable and not gives_probabilities(model):
        yes_or_no = open_engine(Decoding(SOLVABILITY_TOKENS))
    structured = model.endpoint is not None and model.endpoint.structured
    return Teacher(name, engine, yes_or_no, kind, settings, timeout, structured)


def answer_by_teacher(
    output: Path, questions: Questions, teacher: Teacher | Solver, seed_parts: tuple[str | int, ...], shard: str = WHOLE
) -> None:
    """Write the teacher's references for (id, question) pairs: a solver's, one greedy answer, or the majority's answer.

    If the setting `solvable` holds a question, a model solves only the instructions that it calls solvable: by the
    probabilities of yes and no, or by a greedy reply if it gives no probabilities. Raises BadInput if a larger share of the
    shard's references than `max_invalid_share` got no reply, and before the end if a larger share of the replies than
    `max_unreadable_share` cannot be read.
    """
    if isinstance(teacher, Solver):
        write_records(output, solve(share(questions, shard), teacher.name, teacher.kind))
        return
    settings = teacher.settings
    unread_checks = teacher.counter(
        "references.solvable",
        "ask for a yes or no at the end of a few sentences (references.solvable, references.solvable_system)",
    )
    unread_answers = teacher.counter(
        "instructions",
        "ask for a final answer in a form that can be read (references.system), or allow longer answers "
        "(references.max_new_tokens, or the model's thinking.max_tokens)",
    )
    comparing = threading.Lock()

    def answer(number: int, batch: Questions) -> list[Reference]:
        reasons, missing = teacher.check(batch, unread_checks)
        wanted = [(i, question) for i, question in batch if reasons.get(i) is None]
        solutions = teacher.solve(wanted, hashed_seed(*seed_parts, "references", number))
        missing |= {i for (i, _), several in solutions.items() if all(one.invalid for one in several)}
        # one worker process at a time, independently of the number of threads
        with comparing, Checker(timeout=teacher.timeout) as checker:
            voted = teacher.vote(batch, solutions, reasons, checker)
        received = [row.model_copy(update={"received": row.instruction_id not in missing}) for row in voted]
        _count_unread(batch, received, solutions, unread_answers)
        return received

    def check(rows: Iterable[Reference]) -> None:
        reasons = (None if row.received else row.invalid for row in rows)
        check_received(reasons, settings.max_invalid_share, "references.max_invalid_share", output)

    batches = BatchedFile(output, Reference, teacher.key(questions, seed_parts), shard)
    size = items_at_once(settings.batch_size, settings.samples)
    batches.write(questions, size, answer, teacher.engine.at_once, check, [unread_checks, unread_answers])


def _count_unread(
    batch: Questions, references: Sequence[Reference], solutions: Solutions, unread: UnreadableReplies
) -> None:
    """Count each instruction that got a reply, with the reason if none of its replies could be read."""
    for row, (_, question) in zip(references, batch, strict=True):
        if row.received and (several := solutions.get((row.instruction_id, question))):
            unreceived = {one.invalid for one in several}
            reason = row.invalid if not_understood(row.invalid) and row.invalid not in unreceived else None
            unread.count(reason, next(one.text for one in several if not one.invalid))
