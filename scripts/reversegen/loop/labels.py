"""Labels: responses are joined to references and judgements by id, and the kind decides the verdict."""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from reversegen.config.judge_settings import Decision
from reversegen.core.records import Judgement, Label, Question, Reference, Response, Seed, read_answers, read_records
from reversegen.judges.panel import panel_judgement, panel_votes, refusals_tie
from reversegen.kinds.answers.equivalence import Checker
from reversegen.kinds.base import Case, Kind
from reversegen.loop.questions import QuestionRecord, read_questions

log = logging.getLogger("reversegen")


def read_cases(
    questions: list[Path],
    record: QuestionRecord,
    responses: Path,
    references: list[Path],
    judgements: list[Path],
    decision: Decision,
) -> list[Case]:
    """Read everything that the verdicts depend on, for each question. The reference of a seed is its data set's own answer.

    `judgements` has a file of each judge of the panel, in its order, and `decision` says how their votes decide.

    Raises BadInput if a file does not fit the questions. Judgements of tests are exempt, since a judge reads only the tests
    whose measure needs it.
    """
    asked = read_questions(questions, record)
    ids = [identity for identity, _ in asked]
    trusted = [row for path in references for row in read_answers(path, Reference, ids, of_more=True)]
    if record == "seeds":
        trusted = [_own_answer(seed) for path in questions for seed in read_records(path, Seed)]
    if record == "tests":
        opinions = [read_records(path, Judgement) for path in judgements]
    else:
        opinions = [read_answers(path, Judgement, ids) for path in judgements]
    return cases(asked, read_answers(responses, Response, ids), trusted, opinions, decision)


def _own_answer(seed: Seed) -> Reference:
    """The data set's answer as a reference. A label is invalid if the kind needs an answer and the seed has none."""
    return Reference(
        instruction_id=seed.id,
        answer=seed.answer,
        solution=None,
        teacher="data set",
        invalid=None,
        aliases=seed.aliases,
    )


def cases(
    asked: Sequence[tuple[str, str]],
    responses: Sequence[Response],
    references: Sequence[Reference] = (),
    judgements: Sequence[Sequence[Judgement]] = (),
    decision: Decision = "majority",
) -> list[Case]:
    """One case for each (id, text) of `asked`, in order: its responses, reference and judgement, joined by id.

    `judgements` has the rows of each judge of a panel; `decision` makes one judgement of those on one answer.
    """
    answers: dict[str, list[Response]] = defaultdict(list)
    for response in sorted(responses, key=lambda r: r.sample):
        answers[response.instruction_id].append(response)
    trusted = {reference.instruction_id: reference for reference in references}
    votes = panel_votes(judgements)
    judged = {i: panel_judgement(several, decision) for i, several in votes.items()}
    ties = {i for i, several in votes.items() if refusals_tie(several)}
    return [Case(i, text, answers[i], trusted.get(i), judged.get(i), i in ties) for i, text in asked]


def label_responses(asked: Sequence[Case], timeout: float, kind: Kind) -> list[Label]:
    """One label for each case, in order. `timeout` is the limit of one comparison of answers, in seconds."""
    start = time.perf_counter()
    with Checker(timeout=timeout) as checker:
        labels = [kind.label(case, checker) for case in asked]
    _log(labels, time.perf_counter() - start)
    return labels


def label_tests(questions: Sequence[Question], asked: Sequence[Case], timeout: float, kind: Kind) -> list[Label]:
    """One label for each test question, in order. `timeout` is the limit of one comparison of answers, in seconds."""
    start = time.perf_counter()
    with Checker(timeout=timeout) as checker:
        labels = [kind.label_test(q, case, checker) for q, case in zip(questions, asked, strict=True)]
    _log(labels, time.perf_counter() - start)
    return labels


def _log(labels: Sequence[Label], seconds: float) -> None:
    counts = Counter((label.verdict, label.detail) for label in labels)
    decided = sum(label.verdict != "invalid" for label in labels)
    reasons = {f"{v}: {d}": n for (v, d), n in counts.most_common()}
    log.info("%d cases, %d decided, %.0f a second: %s", len(labels), decided, len(labels) / seconds, reasons)
