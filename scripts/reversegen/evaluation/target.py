"""Evaluation of a target on its test sets, and of another model on a target's failures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from reversegen.config.task import Evaluation
from reversegen.core.metric import Metric, MetricDescription
from reversegen.core.records import Confidence, Frequency, Instruction, Label, Question, read_answers, read_records
from reversegen.evaluation.bootstrap import Share, difference_of_shares, proportion
from reversegen.evaluation.calibration import calibration, curve, frequency_calibration
from reversegen.evaluation.eval_file import (
    ABSTAINED_SHARE,
    CATEGORY,
    FAILURE_RATE,
    OUTCOME_SHARES,
    RIGHT_SHARE,
    EvalFile,
    Groups,
    count_reasons,
    write_eval_file,
)
from reversegen.evaluation.judge_check import JudgeReport
from reversegen.evaluation.votes import VOTE_METRICS, Votes, measure_votes
from reversegen.kinds.base import (
    ACCURACY,
    RETAINED,
    DetailShare,
    JudgeShare,
    KeptShare,
    Kind,
    MetricDifference,
    Outcome,
    OutcomeShare,
    outcome,
)
from reversegen.loop.seeds import read_tests

TARGET_METRICS = (
    FAILURE_RATE,
    *OUTCOME_SHARES,
    *VOTE_METRICS,
    MetricDescription("invalid_share", "answers that could not be judged"),
)
"""The metrics that every kind has, after the kind's own metrics."""
TRAINING_METRICS = (
    MetricDescription(
        "training_rows", "rows of its source that trained the target, without the replay rows", number_format=",.0f"
    ),
    MetricDescription(
        "training_tokens", "tokens that trained the target, over all epochs, with the replay rows", number_format=",.0f"
    ),
)
"""The amount of training of an enhanced target, from its provenance."""

NOTHING_KEPT = Metric(value=None, reason="it compares an enhanced target with the original")


@dataclass(frozen=True)
class AnsweredTests:
    """The test sets of a target, with the labels of its answers."""

    tests: Mapping[str, Sequence[Question]]
    """The questions, by the name of the set."""
    labels: Sequence[Label]
    confidences: Sequence[Confidence]
    """The target's confidences; empty for a kind that does not measure them."""
    frequencies: Sequence[Frequency] = ()
    """The most frequent of several answers to each question; empty if they were not drawn."""
    original: Sequence[Label] = ()
    """The labels of the variant `original`; empty for the original itself and for a kind whose answers cannot abstain."""

    @property
    def questions(self) -> list[Question]:
        """The questions of all sets. A question in two sets occurs twice."""
        return [q for questions in self.tests.values() for q in questions]

    @cached_property
    def labelled(self) -> dict[str, Label]:
        """The labels by the id of the question."""
        return {label.instruction_id: label for label in self.labels}


def read_answered_tests(
    tests: Sequence[Path],
    labels: Path,
    confidences: Sequence[Path],
    frequencies: Sequence[Path] = (),
    original: Sequence[Path] = (),
) -> AnsweredTests:
    """Read test sets, the labels of all their questions, confidences, frequencies, and the labels of the variant `original`.

    Raises BadInput, with file, line and field, for a malformed row and for a question without a label.
    """
    sets = read_tests(tests)
    ids = {q.id for questions in sets.values() for q in questions}
    rows = read_answers(labels, Label, ids)
    first = [row for path in original for row in read_answers(path, Label, ids)]
    sure = [row for path in confidences for row in read_records(path, Confidence)]
    frequent = [row for path in frequencies for row in read_records(path, Frequency)]
    return AnsweredTests(sets, rows, sure, frequent, first)


def counted_questions(
    metric: MetricDescription, questions: Sequence[Question], labelled: Mapping[str, Label]
) -> tuple[list[Question], list[bool]]:
    """The questions that count in the share of a metric, and whether each is a hit. `labelled` is by question id."""
    judged = [q for q in questions if metric.counts != "failed" or labelled[q.id].verdict != "invalid"]
    if metric.counts == "right":
        return judged, [outcome(labelled[q.id]) == "right" for q in judged]
    return judged, [labelled[q.id].verdict == metric.counts for q in judged]


def outcome_questions(
    metric: OutcomeShare,
    questions: Sequence[Question],
    labelled: Mapping[str, Label],
    original: Mapping[str, Label],
) -> tuple[list[Question], list[bool]]:
    """The same for a share of outcomes. A kept share counts the questions that `original` has a right answer to."""
    asked = [q for q in questions if q.measure == metric.measure]
    if isinstance(metric, KeptShare):
        asked = [q for q in asked if q.id in original and outcome(original[q.id]) == "right"]
    return asked, [outcome(labelled[q.id]) == metric.outcome for q in asked]


def evaluate_target(
    answered: AnsweredTests,
    settings: Evaluation,
    random_seed: int,
    kind: Kind,
    judge: JudgeReport | None = None,
) -> tuple[dict[str, Metric], Groups]:
    """Metrics of a target on its test sets, the same by set and by type or subject, and the judged metrics by category.

    A question counts for its own measure. A share of passed answers is over all questions, since a response that cannot be
    judged is not a correct answer. A share of failed answers is failed / (failed + passed). `invalid_share` is the share of
    answers that could not be judged. Intervals are over canonical questions. A kind that reads refusals also gets the errors
    of the reader of refusals, from `judge`.
    """
    labelled, questions = answered.labelled, answered.questions
    original = {label.instruction_id: label for label in answered.original}

    def share(several: Sequence[Question], hits: Sequence[bool]) -> Metric:
        return proportion(hits, [kind.canonical(q.text) for q in several], settings, random_seed)

    def by_measure(several: Sequence[Question]) -> dict[str, Metric]:
        measures: dict[str, list[Question]] = defaultdict(list)
        for question in several:
            measures[question.measure].append(question)
        measured = {
            name: share(*counted_questions(kind.measure(name), rows, labelled)).null_because(
                "no answer could be judged"
            )
            for name, rows in measures.items()
        }
        return measured | _outcome_metrics(several, (labelled, original), settings, random_seed, kind)

    metrics = by_measure(questions)
    for metric in (m for m in kind.metrics if isinstance(m, DetailShare)):
        asked = [q for q in questions if q.measure == metric.measure]
        hits = [metric.hit(labelled[q.id].detail) for q in asked]
        if any(hit is not None for hit in hits):
            metrics[metric.name] = share(asked, [hit is True for hit in hits])
    if not original:
        metrics |= {metric.name: NOTHING_KEPT for metric in kind.metrics if isinstance(metric, KeptShare)}
    if answered.confidences:
        sure = {c.question_id: c for c in answered.confidences}
        asked = [q for q in questions if q.measure == ACCURACY.name]
        metrics |= calibration(asked, labelled, sure, settings, random_seed, kind)
    if answered.frequencies:
        metrics |= frequency_calibration(questions, answered.frequencies, settings, random_seed, kind)
    if judge and kind.refuses:
        metrics |= {m.name: getattr(judge, m.name) for m in kind.metrics if isinstance(m, JudgeShare)}
    metrics["invalid_share"] = share(questions, [labelled[q.id].verdict == "invalid" for q in questions])
    by_type: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        if question.group and question.measure != RETAINED.name:
            by_type[question.group].append(question)
    groups = {
        "set": {name: by_measure(rows) for name, rows in answered.tests.items()},
        "type": {name: by_measure(rows) for name, rows in sorted(by_type.items())},
    }
    groups[CATEGORY] = _by_category(questions, labelled, judge.categories if judge else [], share, kind)
    groups["share of the most frequent answer"] = curve(questions, answered.frequencies, settings, random_seed, kind)
    return metrics, {name: group for name, group in groups.items() if any(group.values())}


def _by_category(
    questions: Sequence[Question],
    labelled: Mapping[str, Label],
    categories: Sequence[str],
    share: Callable[[Sequence[Question], Sequence[bool]], Metric],
    kind: Kind,
) -> dict[str, dict[str, Metric]]:
    """For each category that a judge may report, the share of judged questions whose answer failed with it, by measure."""
    judged: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        if kind.measure(question.measure).judged and labelled[question.id].verdict != "invalid":
            judged[question.measure].append(question)
    return {
        name: {
            measure: share(asked, [labelled[q.id].category == name for q in asked]) for measure, asked in judged.items()
        }
        for name in categories
    }


def _outcome_metrics(
    questions: Sequence[Question],
    labels: tuple[Mapping[str, Label], Mapping[str, Label]],
    settings: Evaluation,
    random_seed: int,
    kind: Kind,
) -> dict[str, Metric]:
    """The kind's shares of outcomes, and the differences of its metrics, whose draws are paired by question.

    `labels` are those of the target and those of the original, which are empty for the original itself; a kept share is then
    left out, as is every share of a measure that no question counts for.
    """
    labelled, original = labels
    metrics: dict[str, Metric] = {}
    shares: dict[str, Share] = {}
    for metric in kind.metrics:
        if isinstance(metric, MetricDifference) and metric.minuend in shares:
            pair = shares[metric.minuend], shares[metric.subtrahend]
            metrics[metric.name] = difference_of_shares(*pair, settings, random_seed)
        elif isinstance(metric, OutcomeShare) and (original or not isinstance(metric, KeptShare)):
            if metric.measure in shares:
                asked, hits = outcome_questions(metric, questions, labelled, original)
                shares[metric.name] = hits, [kind.canonical(q.text) for q in asked]
                metrics[metric.name] = proportion(*shares[metric.name], settings, random_seed)
        elif metric.counts == "right" and (asked := [q for q in questions if q.measure == metric.name]):
            _, hits = counted_questions(metric, asked, labelled)
            shares[metric.name] = hits, [kind.canonical(q.text) for q in asked]
    return metrics


def measure_target(
    answered: AnsweredTests,
    votes: Votes,
    judge: JudgeReport,
    settings: Evaluation,
    random_seed: int,
    kind: Kind,
) -> tuple[dict[str, Metric], Groups]:
    """What `evaluate_target` gives, and what `measure_votes` gives for the questions whose measure a judge decides."""
    metrics, groups = evaluate_target(answered, settings, random_seed, kind, judge)
    judged = [q for q in answered.questions if kind.measure(q.measure).judged]
    asked = [(q.id, kind.canonical(q.text)) for q in judged]
    verdicts = {q.id: answered.labelled[q.id].verdict for q in judged}
    voted, by_judge = measure_votes(votes, asked, verdicts, settings, random_seed, judge)
    return metrics | voted, groups | by_judge


def invalid_questions(answered: AnsweredTests) -> dict[str, int]:
    """Counts of the reasons why test questions have no verdict or no confidence. Each set counts its own questions."""
    labels = {label.instruction_id: label.detail for label in answered.labels if label.verdict == "invalid"}
    confidences = {c.question_id: f"no confidence: {c.invalid}" for c in answered.confidences if c.invalid is not None}
    return count_reasons(reasons.get(q.id) for reasons in (labels, confidences) for q in answered.questions)


def evaluate_transfer(
    instructions: Path, labels: Path, votes: Votes, settings: Evaluation, random_seed: int, kind: Kind
) -> tuple[tuple[dict[str, Metric], Groups], dict[str, int]]:
    """Metrics of another model on distinct instructions that the task's own target failed, and groups by judge.

    If answers may abstain, the shares of right answers and of abstentions stand beside the failure rate. The second value has
    the counts of the reasons why answers have no verdict.
    """
    asked = [i.id for i in read_records(instructions, Instruction)]
    rows = read_answers(labels, Label, asked)
    read = {label.instruction_id: outcome(label) for label in rows}
    valid = [i for i in asked if read[i]]

    def share(wanted: Outcome) -> Metric:
        return proportion([read[i] == wanted for i in valid], valid, settings, random_seed)

    metrics = {"failure_rate": share("wrong")}
    if kind.abstains:
        metrics |= {RIGHT_SHARE.name: share("right"), ABSTAINED_SHARE.name: share("abstained")}
    metrics["validity"] = proportion([read[i] is not None for i in asked], asked, settings, random_seed)
    verdicts = {label.instruction_id: label.verdict for label in rows}
    voted, groups = measure_votes(votes, [(i, i) for i in asked], verdicts, settings, random_seed)
    invalid = count_reasons(label.detail for label in rows if label.verdict == "invalid")
    return (metrics | voted, groups), invalid


def write_target_file(
    path: Path,
    identity: tuple[str, str, str],
    measured: tuple[dict[str, Metric], Groups],
    invalid: dict[str, int],
    provenance: dict[str, Any],
) -> None:
    """Write the `eval.json` of a target. `identity` is its task, kind and variant."""
    task, kind, variant = identity
    metrics, groups = measured
    content = EvalFile(
        task=task,
        kind=kind,
        role="target",
        arm=None,
        variant=variant,
        iteration=None,
        metrics=metrics,
        groups=groups,
        invalid=invalid,
        provenance=provenance,
    )
    write_eval_file(path, content)
