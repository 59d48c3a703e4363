"""One number of an `eval.json` or `judge.json`."""

from __future__ import annotations

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
