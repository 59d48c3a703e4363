"""`outcomes.json`: the evaluations of one run, with the outcomes of each prompt or question.

Tables of several tasks read nothing else. So a bootstrap over prompts, paired between evaluations, does not need the run.
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
from reversegen.core.records import Confidence, Frequency, Instruction, Label, Question, Sample, read_records
from reversegen.core.validation import explain
from reversegen.evaluation.calibration import repeated_answers
from reversegen.evaluation.eval_file import ABSTAINED_SHARE, RIGHT_SHARE, EvalFile
from reversegen.evaluation.target import counted_questions, outcome_questions
from reversegen.ids import content_id
from reversegen.kinds.base import ACCURACY, KeptShare, Kind, Outcome, OutcomeShare, outcome
from reversegen.kinds.scores import sureness
from reversegen.loop.seeds import read_tests

log = logging.getLogger("reversegen")
TestSets = Mapping[str, Sequence[Question]]


class OutcomePart(BaseModel):
    """The base of all parts of `outcomes.json`: frozen and typed, without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Counts(OutcomePart):
    """Hits and trials of a proportion by cluster. A cluster is a prompt of a proposer or a canonical question of a target."""

    clusters: str
    """A hash of the clusters' names in order. Two evaluations with equal hashes asked the same and are compared in pairs."""
    hits: list[int]
    trials: list[int] | int
    """The trials of each cluster, or one number if all clusters have equally many."""

    @property
    def totals(self) -> list[int]:
        """The number of trials of each cluster."""
        return [self.trials] * len(self.hits) if isinstance(self.trials, int) else self.trials

    @model_validator(mode="after")
    def _counts_fit(self) -> Counts:
        if len(self.totals) != len(self.hits) or any(
            not 0 <= h <= t for h, t in zip(self.hits, self.totals, strict=True)
        ):
            raise ValueError("hits and trials differ in length, or a cluster has more hits than trials")
        return self


class Scores(OutcomePart):
    """The answers of a target with R-Tuning's score of each, cluster by cluster."""

    clusters: str
    sizes: list[Annotated[int, Field(ge=1)]] | Annotated[int, Field(ge=1)]
    """The number of answers of each cluster, or one number if all clusters have equally many."""
    right: list[Annotated[int, Field(ge=0, le=1)]]
    """1 for a right answer, 0 for a wrong one."""
    score: list[float]
    """The score of each answer, to four decimals."""

    @property
    def members(self) -> list[int]:
        """The number of each answer's cluster."""
        if isinstance(self.sizes, int):
            return [n // self.sizes for n in range(len(self.right))]
        return [n for n, size in enumerate(self.sizes) for _ in range(size)]

    @model_validator(mode="after")
    def _answers_fit(self) -> Scores:
        if not len(self.members) == len(self.right) == len(self.score):
            raise ValueError("sizes, right and score are not of the same number of answers")
        return self


class EvaluationOutcomes(OutcomePart):
    """One evaluation, with its outcomes by prompt or question."""

    evaluation: EvalFile
    counts: dict[str, Counts]
    """Counts by metric, and by `SET/METRIC` if several test sets share a metric; empty if the labels have been removed."""
    scores: Scores | None
    """The scores of a target whose confidences were measured; else None."""

    def metric(self, name: str) -> Metric | None:
        """The metric of this name or of this `SET/METRIC`; None if it was not measured."""
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
                    f"{name}: hits and trials are {stored} by prompt or question, but {expected} in eval.json; delete "
                    "eval.json, and the same command makes it again"
                )
        return self


class Run(OutcomePart):
    """The content of `outcomes.json`: one task with one random seed."""

    task: str
    kind: str
    proposer: str
    """The name of the proposer's model."""
    target: str
    extends: str | None
    """The task that this one extends; None if it extends no task."""
    measured: list[EvaluationOutcomes]


def read_run(path: Path) -> Run:
    """Read an `outcomes.json`. Raises BadInput, with file and field, if it is malformed."""
    try:
        return Run.model_validate(read_json(path))
    except ValidationError as error:
        raise BadInput(f"{path}: {explain(error)}") from error


def read_test_sets(paths: Sequence[Path]) -> list[TestSets]:
    """Read the test sets of each run, by name. The files of one run lie in one folder."""
    folders = dict.fromkeys(path.parent for path in paths)
    return [read_tests([path for path in paths if path.parent == folder]) for folder in folders]


def collect(
    evaluation: EvalFile, path: Path, tests: Sequence[TestSets], kind: Kind, original: Path | None = None
) -> EvaluationOutcomes:
    """An evaluation with its outcomes, read from the files beside its `eval.json` (`path`).

    `original` is the `eval.json` of the variant `original` of the same run; None for the original itself.

    `tests` holds the test sets of one or several runs. The outcomes are empty if a file has been removed, and if the labels do
    not belong to any of the tests; the labels of a transfer, for example, belong to a target's failures. Raises BadInput, with
    the file, if the outcomes do not belong to the evaluation.
    """
    labels_file, counts, scores = path.with_name("labels.jsonl"), {}, None
    labels = read_records(labels_file, Label) if labels_file.is_file() else []
    if evaluation.role == "proposer":
        samples, instructions = (path.with_name(f"{name}.jsonl") for name in ("samples", "instructions"))
        if labels and samples.is_file() and instructions.is_file():
            counts = proposer_counts(
                read_records(samples, Sample), read_records(instructions, Instruction), labels, kind
            )
    else:
        labelled = {label.instruction_id for label in labels}
        asked = [sets for sets in tests if {q.id for questions in sets.values() for q in questions} <= labelled]
        sure = path.with_name("confidences.jsonl")
        if labels and asked:
            first = original.with_name("labels.jsonl") if original else None
            before = read_records(first, Label) if kind.abstains and first and first.is_file() else []
            counts = target_counts(asked[0], labels, kind, before)
            scores = target_scores(asked[0], labels, read_records(sure, Confidence) if sure.is_file() else [], kind)
            frequent = path.with_name("frequencies.jsonl")
            if frequent.is_file() and kind.repetition:
                scores = frequency_scores(asked[0], read_records(frequent, Frequency), kind)
    if not counts:
        log.warning("%s: no outcomes by prompt or question, since the labels or the labelled files are missing", path)
    try:
        return EvaluationOutcomes(evaluation=evaluation, counts=counts, scores=scores)
    except ValidationError as error:
        raise BadInput(f"{path}: {explain(error)}") from error


def cluster_counts(hits: Sequence[bool], clusters: Sequence[Hashable], names: Sequence[str]) -> Counts:
    """Hits and trials of each cluster in `names`. A cluster may have no trials."""
    sums = {name: [0, 0] for name in names}
    for hit, cluster in zip(hits, clusters, strict=True):
        sums[str(cluster)][0] += hit
        sums[str(cluster)][1] += 1
    trials = [total for _, total in sums.values()]
    return Counts(clusters=content_id(*names), hits=[count for count, _ in sums.values()], trials=_short(trials))


def _short(numbers: list[int]) -> list[int] | int:
    return numbers[0] if len(set(numbers)) == 1 else numbers


def proposer_counts(
    samples: Sequence[Sample], instructions: Sequence[Instruction], labels: Sequence[Label], kind: Kind
) -> dict[str, Counts]:
    """The counts of a proposer's failure rate and validity, and of right answers and abstentions if its target may abstain.

    They are by held-out prompt.
    """
    read = {label.instruction_id: outcome(label) for label in labels}
    by_sample = {sample: i.id for i in instructions for sample in i.samples}
    held = [(s.prompt_id, read.get(by_sample[s.id])) for s in samples if s.split == "heldout"]
    names = sorted({prompt for prompt, _ in held})
    valid = [(prompt, one) for prompt, one in held if one]
    shares: dict[str, Outcome] = {"failure_rate": "wrong"}
    if kind.abstains:
        shares |= {RIGHT_SHARE.name: "right", ABSTAINED_SHARE.name: "abstained"}
    prompts = [prompt for prompt, _ in valid]
    counts = {
        name: cluster_counts([one == wanted for _, one in valid], prompts, names) for name, wanted in shares.items()
    }
    decided = cluster_counts([one is not None for _, one in held], [prompt for prompt, _ in held], names)
    return {**counts, "validity": decided}


def target_counts(
    tests: Mapping[str, Sequence[Question]], labels: Sequence[Label], kind: Kind, original: Sequence[Label] = ()
) -> dict[str, Counts]:
    """The counts of a target's test metrics, by canonical question. `original` has the labels of the variant of that name."""
    labelled = {label.instruction_id: label for label in labels}
    asked: dict[str, dict[str, list[Question]]] = defaultdict(dict)
    for name, questions in tests.items():
        for question in questions:
            asked[question.measure].setdefault(name, []).append(question)
    counts = {}
    for measure, sets in asked.items():
        parts = {f"{name}/{measure}": questions for name, questions in sets.items()} if len(sets) > 1 else {}
        for name, questions in {measure: [q for rows in sets.values() for q in rows], **parts}.items():
            clusters = sorted({kind.canonical(q.text) for q in questions})
            judged, hits = counted_questions(kind.measure(measure), questions, labelled)
            counts[name] = cluster_counts(hits, [kind.canonical(q.text) for q in judged], clusters)
    first = {label.instruction_id: label for label in original}
    for metric in (m for m in kind.metrics if isinstance(m, OutcomeShare) and m.measure in asked):
        sets = asked[metric.measure]
        parts = {f"{name}/{metric.name}": questions for name, questions in sets.items()} if len(sets) > 1 else {}
        if isinstance(metric, KeptShare) and not first:
            continue
        for name, questions in {metric.name: [q for rows in sets.values() for q in rows], **parts}.items():
            clusters = sorted({kind.canonical(q.text) for q in questions})
            judged, hits = outcome_questions(metric, questions, labelled, first)
            counts[name] = cluster_counts(hits, [kind.canonical(q.text) for q in judged], clusters)
    return counts


def originals(evaluations: Sequence[EvalFile], paths: Sequence[Path]) -> list[Path | None]:
    """For each evaluation, the path of the variant `original` of its run; None for the original, a proposer and a lone one."""
    first = {e.task: path for e, path in zip(evaluations, paths, strict=True) if e.variant == "original"}
    return [first.get(e.task) if e.variant not in (None, "original") else None for e in evaluations]


def frequency_scores(
    tests: Mapping[str, Sequence[Question]], frequencies: Sequence[Frequency], kind: Kind
) -> Scores | None:
    """The most frequent answers, with their shares as scores, cluster by cluster; None if there is no such answer."""
    members: dict[str, list[Frequency]] = defaultdict(list)
    for question, row in repeated_answers([q for questions in tests.values() for q in questions], frequencies):
        members[kind.canonical(question.text)].append(row)
    names = sorted(members)
    ordered = [row for name in names for row in members[name]]
    if not ordered:
        return None
    return Scores(
        clusters=content_id(*names),
        sizes=_short([len(members[name]) for name in names]),
        right=[int(bool(row.right)) for row in ordered],
        score=[round(row.share, 4) for row in ordered],
    )


def target_scores(
    tests: Mapping[str, Sequence[Question]], labels: Sequence[Label], confidences: Sequence[Confidence], kind: Kind
) -> Scores | None:
    """The scores from which a target's calibration is computed, cluster by cluster; None without confidences."""
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
