"""Stored runs whose numbers can be counted by hand."""

from __future__ import annotations

from typing import Any

from reversegen.core.metric import Metric
from reversegen.evaluation.eval_file import EvalFile
from reversegen.evaluation.outcomes import Counts, EvaluationOutcomes
from reversegen.reporting.rows import row_identity


def measured(role: str, row: str, counts: dict[str, Counts] | None = None, **metrics: Metric) -> EvaluationOutcomes:
    """An evaluation whose proportions follow from its counts."""
    counts = counts or {}
    for name, counted in counts.items():
        hits, total = sum(counted.hits), sum(counted.totals)
        metrics[name] = Metric(value=hits / total, low=0.0, high=1.0, count=hits, total=total)
    given: dict[str, Any] = {"task": "t", "kind": "math", "role": role, "groups": {}, "provenance": {}}
    given |= row_identity(role, row)
    return EvaluationOutcomes(evaluation=EvalFile(metrics=metrics, **given), counts=counts, scores=None)


def counts(hits: list[int], trials: list[int] | int = 1, clusters: str = "the same") -> Counts:
    return Counts(clusters=clusters, hits=hits, trials=trials)


def rate(hits: list[int], trials: list[int] | int = 1, clusters: str = "the same") -> EvaluationOutcomes:
    return measured("proposer", "0", {"failure_rate": counts(hits, trials, clusters)})


def target(row: str, right: list[int], **metrics: Metric) -> EvaluationOutcomes:
    return measured("target", row, {"accuracy": counts(right, clusters="questions")}, **metrics)
