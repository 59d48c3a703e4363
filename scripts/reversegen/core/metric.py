"""One number of an `eval.json` or `judge.json`, and what tables and pages must know of a metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Metric(BaseModel):
    """One number. A proportion has count and total; another metric has null there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float | None
    low: float | None = None
    """Lower end of the 95 % interval, by bootstrap over prompts or questions."""
    high: float | None = None
    count: int | None = None
    total: int | None = None
    reason: str | None = None
    """Why `value` is null: it could not be measured, or would mean nothing."""

    def null_because(self, reason: str) -> Metric:
        """This metric, with the reason if its value is null."""
        return self if self.value is not None else self.model_copy(update={"reason": reason})


@dataclass(frozen=True)
class MetricDescription:
    """A metric as data: all that tables, figures, page, planner and configuration must know of it."""

    name: str
    """Its key in `eval.json` and its column in tables."""
    meaning: str
    """The phrase that tables explain it with."""
    less_is_better: bool = False
    compared: bool = False
    """Whether tables of several tasks show the difference between two rows."""
    headline: int | None = None
    """Place among what targets are compared by, least first; the first that was measured is the main one. None for no place."""
    beside: tuple[str, ...] = ()
    """Metrics without which a page does not show it."""
    number_format: str = ".3f"
    note: str = ""
    """A sentence below tables of several tasks that show it."""
    counts: Literal["failed", "passed"] | None = None
    """The verdict whose share it is, of a metric that test questions count for. Without a verdict a question is in no share of
    failed ones, and in every share of passed ones, as not passed."""
    rows_alone: bool = False
    """Whether single rows of a test set count for it, and `measures` of a whole set cannot name it."""
    needs_answer: bool = True
    """Whether a question that counts for it needs the right answer."""
    judged: bool = False
    """Whether a judge model decides on the answers to its questions."""
