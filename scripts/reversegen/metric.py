"""One number of an `eval.json` or `judge.json`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Metric(BaseModel):
    """One number. A proportion has count and total; another metric, or one that could not be measured, has null."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float | None
    low: float | None = None
    """Lower end of the 95 % interval, by bootstrap over prompts or questions."""
    high: float | None = None
    count: int | None = None
    total: int | None = None
