"""The judge check: a judge's errors on a labelled set, and failure rates that are corrected for these errors."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from reversegen.config.task import JudgeCheck
from reversegen.core.errors import BadInput
from reversegen.core.files import read_json, write_text
from reversegen.core.metric import Metric
from reversegen.core.records import Judgement, Label, Labelled, Opening, Reference, Response
from reversegen.core.validation import explain
from reversegen.evaluation.bootstrap import percentiles
from reversegen.ids import hashed_seed
from reversegen.kinds.answers.reply import read_reply
from reversegen.kinds.base import Kind
from reversegen.loop.labels import cases, label_responses

if TYPE_CHECKING:  # a script that reads a report needs no engine
    from reversegen.judges.judge import Classifier, GenerativeJudge

log = logging.getLogger("reversegen")

ANY_REQUEST = "Please help me with this."
"""The instruction that labelled openings are answers to, for a judge that also reads an instruction."""


class JudgeErrors(BaseModel):
    """A judge's errors on labelled rows. Sensitivity and specificity are over the rows that got a verdict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sensitivity: Metric
    """The share of failed rows that are called failed."""
    specificity: Metric
    """The share of passed rows that are called passed."""
    injections: Metric
    """The share of injections that are judged correctly; no verdict counts as wrong. These rows are in no other share."""
    invalid: Metric
    """The share of all other rows that get no verdict."""


class JudgeReport(JudgeErrors):
    """The content of `judge.json`: the errors on the rows of all labelled sets together, and on each set alone."""

    sets: dict[str, JudgeErrors] = {}
    """The errors by the name of the set in `data.judge`, in its order."""
    refusal_sensitivity: Metric = Metric(value=None)
    """The share of refusing openings that are called refusals; null for a kind that does not count refusals."""
    refusal_specificity: Metric = Metric(value=None)
    """The share of helping openings that are not called refusals; null for a kind that does not count refusals."""
    categories: tuple[str, ...] = ()
    """The categories of harm that the judge may report, in the order of its format; empty if it reports none."""

    def with_refusals(self, openings: Sequence[Opening], refused: Sequence[bool | None]) -> JudgeReport:
        """This report, with the errors in `refused`, which holds for each opening whether it was called a refusal.

        Without openings it is returned unchanged.
        """
        if not openings:
            return self
        sensitivity, specificity = check_refusals(openings, refused)
        return self.model_copy(update={"refusal_sensitivity": sensitivity, "refusal_specificity": specificity})

    def fault(self, limits: JudgeCheck) -> str | None:
        """A message about the first limit that the judge misses, or None if it meets all."""
        if self.invalid.value is not None and self.invalid.value > limits.invalid:
            return (
                f"{self.invalid.count} of {self.invalid.total} rows got no verdict, more than judge_check.invalid: "
                f"{limits.invalid}; check that judge.format names the form of the judge's replies"
            )
        for name in ("sensitivity", "specificity", "injections"):
            metric, least = getattr(self, name), getattr(limits, name)
            if metric.value is None and name != "injections":
                return (
                    f"{name} cannot be measured: no row of the labelled set that counts for it got a verdict; add such rows to "
                    "data.judge, or use another judge"
                )
            if metric.value is not None and metric.value < least:
                return (
                    f"{name} is {metric.value} ({metric.count} of {metric.total}), less than judge_check.{name}: {least}; "
                    "use another judge, or change the limit if you accept these errors"
                )
        return None


def read_judge_report(path: Path) -> JudgeReport:
    """Read a `judge.json`. Raises BadInput, with file and field, if it is malformed."""
    try:
        return JudgeReport.model_validate(read_json(path))
    except ValidationError as error:
        raise BadInput(f"{path}: {explain(error)}") from error


def write_judge_report(path: Path, report: JudgeReport, limits: JudgeCheck) -> None:
    """Write a `judge.json`. Raises BadInput if the judge misses a limit."""
    log.info("judge: %s", report.model_dump_json())
    if fault := report.fault(limits):
        raise BadInput(f"judge: {fault}")
    write_text(path, report.model_dump_json(indent=2) + "\n")


def ask_judge(
    judge: Classifier | GenerativeJudge, answers: Sequence[tuple[str, str]], batch_size: int
) -> list[Judgement]:
    """A judge's opinions of (instruction, answer) pairs, in order."""
    starts = range(0, len(answers), batch_size)
    return [opinion for n in starts for opinion in judge.judge(answers[n : n + batch_size])]


def label_rows(
    sets: Mapping[str, Sequence[Labelled]],
    judge: Classifier | GenerativeJudge | None,
    batch_size: int,
    checker_timeout: float,
    kind: Kind,
) -> list[Label]:
    """The labels that a run would give the rows of all sets. `judge` is None for a kind whose verdicts need no model."""
    rows = [row for several in sets.values() for row in several]
    ids = [str(n) for n in range(len(rows))]
    responses, references = [], []
    for identity, row in zip(ids, rows, strict=True):
        for n, text in enumerate(row.responses):
            responses.append(Response(instruction_id=identity, sample=n, text=text, tokens=0, finished=True))
        references.append(
            Reference(instruction_id=identity, answer=row.answer, solution=None, teacher="labelled set", invalid=None)
        )
    judgements: list[Judgement] = []
    if judge:
        opinions = ask_judge(judge, [(row.instruction, read_reply(row.responses[0]).text) for row in rows], batch_size)
        judgements = [o.model_copy(update={"instruction_id": i}) for i, o in zip(ids, opinions, strict=True)]
    instructions = [(identity, row.instruction) for identity, row in zip(ids, rows, strict=True)]
    return label_responses(cases(instructions, responses, references, judgements), checker_timeout, kind)


def read_refusals(
    openings: Sequence[Opening], judge: Classifier | GenerativeJudge | None, batch_size: int, kind: Kind
) -> list[bool | None]:
    """Whether each opening is called a refusal, by a judge that reads refusals, else by the kind; None for no opinion."""
    if judge:
        opinions = ask_judge(judge, [(ANY_REQUEST, row.answer) for row in openings], batch_size)
        return [opinion.refusal for opinion in opinions]
    return [kind.refuses(row.answer) if kind.refuses else None for row in openings]


def check_judge(sets: Mapping[str, Sequence[Labelled]], labels: Sequence[Label]) -> JudgeReport:
    """The report on a judge whose labels are in the order of the rows of all sets, with Wilson's 95 % intervals."""
    every = JudgeReport(**vars(judge_errors([row for rows in sets.values() for row in rows], labels)))
    left = iter(labels)
    errors = {name: judge_errors(rows, [next(left) for _ in rows]) for name, rows in sets.items()}
    return every.model_copy(update={"sets": errors})


def judge_errors(rows: Sequence[Labelled], labels: Sequence[Label]) -> JudgeErrors:
    """A judge's errors, from the labels of the rows in their order, with Wilson's 95 % intervals."""

    def share(pairs: Sequence[tuple[Labelled, Label]], none: str) -> Metric:
        return wilson(sum(row.verdict == label.verdict for row, label in pairs), len(pairs)).null_because(none)

    pairs = list(zip(rows, labels, strict=True))
    plain = [(row, label) for row, label in pairs if not row.injection]
    judged = [(row, label) for row, label in plain if label.verdict != "invalid"]
    return JudgeErrors(
        sensitivity=share([p for p in judged if p[0].verdict == "failed"], "no failed row got a verdict"),
        specificity=share([p for p in judged if p[0].verdict == "passed"], "no passed row got a verdict"),
        injections=share([p for p in pairs if p[0].injection], "no row tries to inject a verdict"),
        invalid=wilson(len(plain) - len(judged), len(plain)),
    )


def check_refusals(rows: Sequence[Opening], refused: Sequence[bool | None]) -> tuple[Metric, Metric]:
    """Sensitivity and specificity of a reader of refusals, over the openings that it could read.

    Only the half that the classifier does not learn from counts. `refused` is in the order of the rows, and None marks an
    opening that could not be read.
    """
    pairs = [(row, r) for row, r in zip(rows, refused, strict=True) if row.part == "measured" and r is not None]
    sensitivity, specificity = (
        wilson(
            sum(r == row.refuses for row, r in pairs if row.refuses == wanted),
            sum(row.refuses == wanted for row, _ in pairs),
        )
        for wanted in (True, False)
    )
    return sensitivity, specificity


def wilson(count: int, total: int) -> Metric:
    """A proportion with Wilson's 95 % score interval (Wilson 1927), which suits small counts; null if `total` is 0."""
    if not total:
        return Metric(value=None, count=0, total=0, reason="there is nothing to count")
    z, p = 1.959964, count / total
    centre = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z * np.sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Metric(value=round(p, 6), low=round(low, 6), high=round(high, 6), count=count, total=total)


def rogan_gladen(
    count: int, total: int, draws: npt.NDArray[np.float64] | None, judge: JudgeReport, random_seed: int
) -> Metric:
    """The failure rate corrected for the judge's errors (Rogan and Gladen 1978), as a metric without count.

    It is (rate + specificity - 1) / (sensitivity + specificity - 1), clipped to [0, 1]. It is null if the divisor is not
    positive, or if the sensitivity or the specificity is unknown. The 95 % interval combines `draws`, the bootstrap draws of
    the raw rate, with draws of sensitivity and specificity from their Jeffreys posteriors, Beta(hits + 1/2, misses + 1/2).

    The labelled set is fixed, but DPO optimises against the judge: over the iterations, proposers write more texts that the
    judge misjudges. The correction therefore understates the errors; `audit.csv` of the iteration shows them.
    """
    qualities = [judge.sensitivity, judge.specificity]
    errors = [m.value for m in qualities if m.value is not None]
    if not total or draws is None:
        return Metric(value=None, reason="there is no failure rate to correct")
    if len(errors) < 2:
        return Metric(value=None, reason="the judge's sensitivity or specificity is unknown")
    if sum(errors) <= 1:
        return Metric(value=None, reason="the judge is no better than chance: sensitivity + specificity is at most 1")
    rng = np.random.default_rng(hashed_seed(random_seed, "correction"))
    sensitivity, specificity = (
        rng.beta((m.count or 0) + 0.5, (m.total or 0) - (m.count or 0) + 0.5, size=len(draws)) for m in qualities
    )
    divisor = sensitivity + specificity - 1
    usable = divisor > 0
    corrected = np.clip((draws[usable] + specificity[usable] - 1) / divisor[usable], 0, 1)
    value = (count / total + errors[1] - 1) / (sum(errors) - 1)
    low, high = percentiles(corrected)
    return Metric(value=round(min(1.0, max(0.0, value)), 6), low=round(float(low), 6), high=round(float(high), 6))
