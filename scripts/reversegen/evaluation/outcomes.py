"""`outcomes.json`: the evaluations of one run, and beside them what each prompt or question came to.

It is all that tables of several tasks need, so that a bootstrap over prompts, paired between evaluations, needs no run.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from reversegen.core.errors import BadInput
from reversegen.core.files import read_json
from reversegen.core.metric import Metric
from reversegen.core.records import Confidence, Instruction, Label, Question, Sample, read_records
from reversegen.core.validation import explain
from reversegen.evaluation.eval_file import EvalFile
from reversegen.evaluation.target import counted_questions
from reversegen.ids import content_id
from reversegen.kinds.base import ACCURACY, Kind
from reversegen.kinds.scores import sureness
from reversegen.loop.seeds import read_tests

log = logging.getLogger("reversegen")
TestSets = Mapping[str, Sequence[Question]]


class OutcomePart(BaseModel):
    """A part of `outcomes.json`: frozen, typed, no unknown field."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Counts(OutcomePart):
    """A proportion by cluster: by prompt for a proposer, by canonical question for a target."""

    clusters: str
    """Hash of the clusters' names in order: equal where two evaluations asked the same, which then are compared in pairs."""
    hits: list[int]
    trials: list[int] | int
    """Of each cluster; one number where all have as many."""

    @property
    def totals(self) -> list[int]:
        """Trials of each cluster."""
        return [self.trials] * len(self.hits) if isinstance(self.trials, int) else self.trials

    @model_validator(mode="after")
    def _counts_fit(self) -> Counts:
        if len(self.totals) != len(self.hits) or any(
            not 0 <= h <= t for h, t in zip(self.hits, self.totals, strict=True)
        ):
            raise ValueError("hits and trials do not fit")
        return self


class Scores(OutcomePart):
    """Answers of a target with R-Tuning's score of each, cluster by cluster."""

    clusters: str
    sizes: list[Annotated[int, Field(ge=1)]] | Annotated[int, Field(ge=1)]
    """Answers of each cluster; one number where all have as many."""
    right: list[Annotated[int, Field(ge=0, le=1)]]
    """1 or 0 for each answer."""
    score: list[float]
    """Of each answer, to four decimals."""

    @property
    def members(self) -> list[int]:
        """Number of the cluster of each answer."""
        if isinstance(self.sizes, int):
            return [n // self.sizes for n in range(len(self.right))]
        return [n for n, size in enumerate(self.sizes) for _ in range(size)]

    @model_validator(mode="after")
    def _answers_fit(self) -> Scores:
        if not len(self.members) == len(self.right) == len(self.score):
            raise ValueError("sizes, right and score do not fit")
        return self


class EvaluationOutcomes(OutcomePart):
    """One evaluation with its outcomes."""

    evaluation: EvalFile
    counts: dict[str, Counts]
    """By metric; by `SET/METRIC` for each of several test sets of one metric. Empty if the labels are gone."""
    scores: Scores | None
    """Of a target that tells its confidences."""

    def metric(self, name: str) -> Metric | None:
        """A metric, or `SET/METRIC`; None if it was not measured."""
        group, _, metric = name.rpartition("/")
        return (self.evaluation.groups.get("set", {}).get(group, {}) if group else self.evaluation.metrics).get(metric)

    @model_validator(mode="after")
    def _counts_are_those_of_the_evaluation(self) -> EvaluationOutcomes:
        for name, counts in self.counts.items():
            metric = self.metric(name)
            expected = metric and (metric.count, metric.total)
            stored = sum(counts.hits), sum(counts.totals)
            if stored != expected:
                raise ValueError(
                    f"{name}: {stored} by prompt or question, and {expected} in eval.json; evaluate it again"
                )
        return self


class Run(OutcomePart):
    """The content of `outcomes.json`: one task with one random seed."""

    task: str
    kind: str
    proposer: str
    """Name of the model."""
    target: str
    extends: str | None
    """The task that this one differs from in a few settings; None for one that stands alone."""
    measured: list[EvaluationOutcomes]


def read_run(path: Path) -> Run:
    """Read an `outcomes.json`. Raises BadInput naming file and field."""
    try:
        return Run.model_validate(read_json(path))
    except ValidationError as error:
        raise BadInput(f"{path}: {explain(error)}") from error


def read_test_sets(paths: Sequence[Path]) -> list[TestSets]:
    """The test sets of each run, by name; the files of one run lie in one folder."""
    folders = dict.fromkeys(path.parent for path in paths)
    return [read_tests([path for path in paths if path.parent == folder]) for folder in folders]


def collect(evaluation: EvalFile, path: Path, tests: Sequence[TestSets], kind: Kind) -> EvaluationOutcomes:
    """An evaluation with its outcomes, from the files beside its `eval.json`.

    `tests` are those of one or several runs. Without outcomes: if a file is gone, and if the labels are of none of the tests,
    as those of another model on a target's failures are. Raises BadInput naming the file if the outcomes are not those of the
    evaluation.
    """
    labels_file, counts, scores = path.with_name("labels.jsonl"), {}, None
    labels = read_records(labels_file, Label) if labels_file.is_file() else []
    if evaluation.role == "proposer":
        samples, instructions = (path.with_name(f"{name}.jsonl") for name in ("samples", "instructions"))
        if labels and samples.is_file() and instructions.is_file():
            counts = proposer_counts(read_records(samples, Sample), read_records(instructions, Instruction), labels)
    else:
        labelled = {label.instruction_id for label in labels}
        asked = [sets for sets in tests if {q.id for questions in sets.values() for q in questions} <= labelled]
        sure = path.with_name("confidences.jsonl")
        if labels and asked:
            counts = target_counts(asked[0], labels, kind)
            scores = target_scores(asked[0], labels, read_records(sure, Confidence) if sure.is_file() else [], kind)
    if not counts:
        log.warning("%s: no outcomes by prompt or question, since its labels or what they are of is gone", path)
    try:
        return EvaluationOutcomes(evaluation=evaluation, counts=counts, scores=scores)
    except ValidationError as error:
        raise BadInput(f"{path}: {explain(error)}") from error


def cluster_counts(hits: Sequence[bool], clusters: Sequence[Hashable], names: Sequence[str]) -> Counts:
    """Hits and trials of each of the clusters named, which may have none."""
    sums = {name: [0, 0] for name in names}
    for hit, cluster in zip(hits, clusters, strict=True):
        sums[str(cluster)][0] += hit
        sums[str(cluster)][1] += 1
    trials = [total for _, total in sums.values()]
    return Counts(clusters=content_id(*names), hits=[count for count, _ in sums.values()], trials=_short(trials))


def _short(numbers: list[int]) -> list[int] | int:
    return numbers[0] if len(set(numbers)) == 1 else numbers


def proposer_counts(
    samples: Sequence[Sample], instructions: Sequence[Instruction], labels: Sequence[Label]
) -> dict[str, Counts]:
    """Failure rate and validity of a proposer by held-out prompt."""
    verdicts = {label.instruction_id: label.verdict for label in labels}
    by_sample = {sample: i.id for i in instructions for sample in i.samples}
    held = [(s.prompt_id, verdicts.get(by_sample[s.id], "invalid")) for s in samples if s.split == "heldout"]
    names = sorted({prompt for prompt, _ in held})
    valid = [(prompt, verdict == "failed") for prompt, verdict in held if verdict != "invalid"]
    return {
        "failure_rate": cluster_counts([failed for _, failed in valid], [prompt for prompt, _ in valid], names),
        "validity": cluster_counts(
            [verdict != "invalid" for _, verdict in held], [prompt for prompt, _ in held], names
        ),
    }


def target_counts(tests: Mapping[str, Sequence[Question]], labels: Sequence[Label], kind: Kind) -> dict[str, Counts]:
    """What a target's tests measure, by canonical question."""
    verdicts = {label.instruction_id: label.verdict for label in labels}
    asked: dict[str, dict[str, list[Question]]] = defaultdict(dict)
    for name, questions in tests.items():
        for question in questions:
            asked[question.measure].setdefault(name, []).append(question)
    counts = {}
    for measure, sets in asked.items():
        parts = {f"{name}/{measure}": questions for name, questions in sets.items()} if len(sets) > 1 else {}
        for name, questions in {measure: [q for rows in sets.values() for q in rows], **parts}.items():
            clusters = sorted({kind.canonical(q.text) for q in questions})
            judged, hits = counted_questions(kind.measure(measure), questions, verdicts)
            counts[name] = cluster_counts(hits, [kind.canonical(q.text) for q in judged], clusters)
    return counts


def target_scores(
    tests: Mapping[str, Sequence[Question]], labels: Sequence[Label], confidences: Sequence[Confidence], kind: Kind
) -> Scores | None:
    """What a target is calibrated by, cluster by cluster; None without confidences."""
    if not confidences:
        return None
    verdicts = {label.instruction_id: label.verdict for label in labels}
    sure = {c.question_id: sureness(c) for c in confidences}
    members: dict[str, list[Question]] = defaultdict(list)
    for question in (q for questions in tests.values() for q in questions if q.measure == ACCURACY.name):
        members[kind.canonical(question.text)].append(question)
    names = sorted(members)
    ordered = [q for name in names for q in members[name]]
    return Scores(
        clusters=content_id(*names),
        sizes=_short([len(members[name]) for name in names]),
        right=[int(verdicts[q.id] == "passed") for q in ordered],
        score=[round(sure[q.id], 4) for q in ordered],
    )
