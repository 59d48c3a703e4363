"""`eval.json`: the measurements of one proposer or target. The file has one shape everywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from reversegen.core.files import write_text
from reversegen.core.metric import Metric, MetricDescription

Groups = dict[str, dict[str, dict[str, Metric]]]
"""Metrics by dimension, such as `type`, then by group, then by name."""

FAILURE_RATE = MetricDescription(
    "failure_rate",
    "failed / (failed + passed) over valid samples; of transfer/MODEL, over what the target failed",
    compared=True,
)
"""The failure rate of a proposer, or of another model on a target's failures."""
RIGHT_SHARE = MetricDescription(
    "right_share",
    "samples that the target answers rightly, beside failures, which are wrong answers; of transfer/MODEL, what it answers "
    "rightly of what the target failed",
)
ABSTAINED_SHARE = MetricDescription(
    "abstained_share",
    "samples to which the target says that it does not know; of transfer/MODEL, what it says so to of what the target failed",
)
OUTCOME_SHARES = (RIGHT_SHARE, ABSTAINED_SHARE)
"""What is measured beside a failure rate if answers may abstain: with it, the shares add up to 1."""
CATEGORY = "category"
"""The dimension of groups that holds, for each category of harm that the judge may report, the share of all judged items that
failed and have this category in their label. The shares and that of failures without a category add up to the rate."""
LABELLED_SET = "labelled set"
"""The dimension of a proposer's groups that holds the judge's errors on each labelled set, if there are several."""


class EvalFile(BaseModel):
    """The content of an `eval.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    kind: str
    role: Literal["proposer", "target"]
    arm: str | None
    """`iter{k}` or `untrained` for a proposer; None for a target."""
    variant: str | None
    """`original` or `enhanced/{source}` for a target, `transfer/{model}` for another model; None for a proposer."""
    iteration: int | None
    """None for a target and for the arm `untrained`."""
    metrics: dict[str, Metric]
    groups: Groups
    invalid: dict[str, int] = {}
    """Counts of the reasons why items have no verdict, most frequent first. The items are the held-out samples of a proposer or
    the test questions of a target."""
    alarms: list[str] = []
    """One sentence for each limit of `alarm` that is broken because the proposer's diversity has collapsed."""
    judge_alarms: list[str] = []
    """A sentence if the gap to the hold-out judge grew by more than `alarm.judge_gap` allows."""
    provenance: dict[str, Any]


def write_eval_file(path: Path, content: EvalFile) -> None:
    """Write an `eval.json` atomically."""
    write_text(path, content.model_dump_json(indent=2) + "\n")


def count_reasons(reasons: Iterable[str | None]) -> dict[str, int]:
    """The count of each reason, most frequent first. None marks an item that has a verdict and is not counted."""
    counts = Counter(reason or "no reason given" for reason in reasons if reason is not None)
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))
