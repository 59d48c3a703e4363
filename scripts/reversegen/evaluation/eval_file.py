"""`eval.json`: what was measured of one proposer or target, in one shape everywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from reversegen.core.files import write_text
from reversegen.core.metric import Metric, MetricDescription

Groups = dict[str, dict[str, dict[str, Metric]]]
"""Metrics by what divides the items, such as `type`, then by group."""

FAILURE_RATE = MetricDescription(
    "failure_rate",
    "failed / (failed + passed) over valid samples; of transfer/MODEL, over what the target failed",
    compared=True,
)
"""Of proposers, and of other models on a target's failures."""


class EvalFile(BaseModel):
    """The content of `eval.json`, the same everywhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    kind: str
    role: Literal["proposer", "target"]
    arm: str | None
    """Of a proposer: `iter{k}` or `untrained`; None for a target."""
    variant: str | None
    """Of a target: `original`, `enhanced/{source}`, or `transfer/{model}` for another model; None for a proposer."""
    iteration: int | None
    """None for a target and for the arm `untrained`."""
    metrics: dict[str, Metric]
    groups: Groups
    invalid: dict[str, int] = {}
    """Why items have no verdict, most frequent first: held-out samples of a proposer, test questions of a target."""
    alarms: list[str] = []
    """Why the diversity of what the proposer wrote has collapsed: one sentence for each limit that is broken."""
    provenance: dict[str, Any]


def write_eval_file(path: Path, content: EvalFile) -> None:
    """Write an `eval.json`, whole or not at all."""
    write_text(path, content.model_dump_json(indent=2) + "\n")


def count_reasons(reasons: Iterable[str | None]) -> dict[str, int]:
    """Each reason with its number, most frequent first; None stands for an item that has a verdict."""
    counts = Counter(reason or "no reason given" for reason in reasons if reason is not None)
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))
