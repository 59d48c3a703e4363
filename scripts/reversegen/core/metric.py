"""A number of an `eval.json` or `judge.json`, and the description of a metric for tables and pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Metric(BaseModel):
    """The value of a metric. A proportion has count and total; for any other metric they are null."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float | None
    low: float | None = None
    """Lower end of the 95 % interval, by bootstrap over prompts or questions."""
    high: float | None = None
    count: int | None = None
    total: int | None = None
    reason: str | None = None
    """Why `value` is null: it could not be measured, or would be meaningless."""

    def null_because(self, reason: str) -> Metric:
        """This metric, with `reason` if its value is null."""
        return self if self.value is not None else self.model_copy(update={"reason": reason})


@dataclass(frozen=True)
class MetricDescription:
    """The facts about a metric that tables, figures, page, planner and configuration need."""

    name: str
    """Its key in `eval.json` and its column in tables."""
    meaning: str
    """The phrase with which tables explain it."""
    less_is_better: bool = False
    compared: bool = False
    """Whether tables of several tasks show the difference between two rows."""
    headline: int | None = None
    """Rank among the metrics by which targets are compared, lowest first. The first measured one is the main metric. None
    means that targets are not compared by it."""
    beside: tuple[str, ...] = ()
    """Metrics that a page always shows together with it."""
    number_format: str = ".3f"
    note: str = ""
    """A sentence below every table of several tasks that shows it."""
    counts: Literal["failed", "passed", "right"] | None = None
    """For a metric of test questions, the verdict whose share it is; `right` is passed without an abstention. A question
    without a verdict is left out of a share of failed questions, and counts as not passed and not right in the other shares."""
    rows_alone: bool = False
    """Whether only single rows of a test set count towards it, so that `measures` of a whole set cannot name it."""
    needs_answer: bool = True
    """Whether a question that counts towards it needs the right answer."""
    judged: bool = False
    """Whether a judge model decides on the answers to its questions."""
