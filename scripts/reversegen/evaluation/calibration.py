"""Calibration: how well a target's confidences, or the frequencies of its answers, fit whether they are right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from reversegen.config.task import Evaluation
from reversegen.core.metric import Metric
from reversegen.core.records import Confidence, Frequency, Label, Question
from reversegen.evaluation.bootstrap import cluster_numbers, draw_weights, percentiles, proportion, six_decimals
from reversegen.ids import hashed_seed
from reversegen.kinds.base import ACCURACY, ConfidenceShare, Kind, ScoreMetric
from reversegen.kinds.scores import Draws, sureness


def calibration(
    questions: Sequence[Question],
    labelled: Mapping[str, Label],
    confidences: Mapping[str, Confidence],
    settings: Evaluation,
    random_seed: int,
    kind: Kind,
) -> dict[str, Metric]:
    """The kind's metrics of confidences, with bootstrap intervals over canonical questions.

    They are over the questions whose confidence could be measured. A metric that ranks answers is null if all answers are
    right, when any order would score 1, and if all are wrong.
    """
    if not questions:
        return {}
    declared = [metric for metric in kind.metrics if isinstance(metric, (ScoreMetric, ConfidenceShare))]
    questions = [q for q in questions if confidences[q.id].invalid is None]
    if not questions:
        return {metric.name: Metric(value=None) for metric in declared}
    right = np.array([labelled[q.id].verdict == "passed" for q in questions], dtype=float)
    scores = np.array([sureness(confidences[q.id]) for q in questions])
    canonical = [kind.canonical(q.text) for q in questions]
    members = np.array(cluster_numbers(canonical))
    weights = draw_weights(int(members.max()) + 1, settings.bootstrap, hashed_seed(random_seed, "calibration"))
    metrics = {}
    for metric in declared:
        if isinstance(metric, ConfidenceShare):
            hits = [metric.hit(confidences[q.id]) for q in questions]
            metrics[metric.name] = proportion(hits, canonical, settings, random_seed)
        elif metric.ranks and right.all() == right.any():
            alike = f"{'every' if right.all() else 'no'} answer is right, so that there is nothing to rank"
            metrics[metric.name] = Metric(value=None, reason=alike)
        else:
            metrics[metric.name] = _with_interval(metric, right, scores, weights[:, members])
    return metrics


def repeated_answers(
    questions: Sequence[Question], frequencies: Sequence[Frequency]
) -> list[tuple[Question, Frequency]]:
    """The questions that count for accuracy and whose most frequent response is an answer, each with its frequency."""
    frequent = {row.question_id: row for row in frequencies}
    pairs = [(q, frequent[q.id]) for q in questions if q.measure == ACCURACY.name and q.id in frequent]
    return [(question, row) for question, row in pairs if row.right is not None]


def frequency_calibration(
    questions: Sequence[Question],
    frequencies: Sequence[Frequency],
    settings: Evaluation,
    random_seed: int,
    kind: Kind,
) -> dict[str, Metric]:
    """The kind's metrics of scores, with the share of the most frequent answer as its score, and their intervals.

    Questions to which the target mostly abstains are left out. The metrics are null, with a reason, if none is left.
    """
    declared = [metric for metric in kind.metrics if isinstance(metric, ScoreMetric)]
    counted = repeated_answers(questions, frequencies)
    if not counted:
        reason = "of no test question the most frequent response is an answer"
        return {metric.name: Metric(value=None, reason=reason) for metric in declared}
    right = np.array([bool(row.right) for _, row in counted], dtype=float)
    shares = np.array([row.share for _, row in counted])
    members = np.array(cluster_numbers([kind.canonical(question.text) for question, _ in counted]))
    weights = draw_weights(int(members.max()) + 1, settings.bootstrap, hashed_seed(random_seed, "calibration"))
    return {metric.name: _with_interval(metric, right, shares, weights[:, members]) for metric in declared}


def curve(
    questions: Sequence[Question],
    frequencies: Sequence[Frequency],
    settings: Evaluation,
    random_seed: int,
    kind: Kind,
) -> dict[str, dict[str, Metric]]:
    """How often the most frequent answer is right, by its share, such as "0.50"; empty without frequencies."""
    by_share: dict[str, list[tuple[bool, str]]] = {}
    for question, row in sorted(repeated_answers(questions, frequencies), key=lambda pair: pair[1].share):
        by_share.setdefault(f"{row.share:.2f}", []).append((bool(row.right), kind.canonical(question.text)))
    return {
        share: {
            "frequent_right": proportion([hit for hit, _ in rows], [name for _, name in rows], settings, random_seed)
        }
        for share, rows in by_share.items()
    }


def _with_interval(metric: ScoreMetric, right: Draws, scores: Draws, weights: Draws) -> Metric:
    """The metric with its 95 % interval. A draw without a right answer counts as 0, as in scikit-learn."""
    value = metric.computed(right, scores, np.ones((1, len(right))))[0]
    draws = [
        metric.computed(right, scores, weights[n : n + 1])[0] for n in range(len(weights))
    ]  # one draw at a time, to save memory
    low, high = percentiles(np.nan_to_num(draws))
    return Metric(value=six_decimals(value), low=six_decimals(low), high=six_decimals(high))
