"""The votes of judges on the same answers: how far they agree, what each cannot decide, and the gap to the hold-out judge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from reversegen.config.task import Evaluation, JudgeGap
from reversegen.core.errors import BadInput
from reversegen.core.files import read_json, write_json
from reversegen.core.metric import Metric, MetricDescription
from reversegen.core.records import Judgement, Verdict, read_records
from reversegen.evaluation.bootstrap import (
    cluster_numbers,
    difference_of_shares,
    draw_weights,
    percentiles,
    proportion,
    six_decimals,
)
from reversegen.evaluation.eval_file import EvalFile, Groups
from reversegen.ids import hashed_seed

if TYPE_CHECKING:  # a script that reads votes needs no judge
    from reversegen.evaluation.judge_check import JudgeReport

GAP, GROWTH = "judge_gap", "judge_gap_growth"
VOTE_METRICS = (
    MetricDescription(
        "failure_rate_paired",
        "the failure rate by the judges that label, over the answers to which the hold-out judge gives a verdict too",
    ),
    MetricDescription("failure_rate_holdout", "the failure rate by the hold-out judge, over the same answers"),
    MetricDescription(
        GAP,
        "failure_rate_paired less failure_rate_holdout: above 0, the judges that label see failures that the hold-out judge "
        "does not",
        number_format="+.3f",
    ),
    MetricDescription(GROWTH, "judge_gap less that of iteration 0", number_format="+.3f"),
    MetricDescription(
        "judge_agreement",
        "Fleiss' kappa of the panel over the answers that every judge of it has a verdict on: 1 for full agreement, 0 for as "
        "much as chance gives",
    ),
)
"""The metrics of a panel and of a hold-out judge; a task without them has none of these."""
JUDGE, HOLDOUT_JUDGE = "judge", "hold-out judge"
"""The dimensions of groups that hold the numbers of each judge that labels, and of the hold-out judge."""


@dataclass(frozen=True)
class Votes:
    """The verdicts of each judge by instruction id, under the judge's name."""

    members: Mapping[str, Mapping[str, Verdict]]
    """Of the judges that label, in the order of the panel; empty for a kind without a judge."""
    holdout: Mapping[str, Mapping[str, Verdict]]
    """Of the hold-out judge; empty for a task without one."""
    first_gap: Metric | None = None
    """The gap in iteration 0; None for iteration 0 itself and for whatever is no iteration."""

    @property
    def disagreements(self) -> set[str]:
        """The ids of the instructions whose answer failed by one judge and passed by another, the hold-out judge included."""
        given: dict[str, set[Verdict]] = defaultdict(set)
        for verdicts in (*self.members.values(), *self.holdout.values()):
            for identity, verdict in verdicts.items():
                given[identity].add(verdict)
        return {identity for identity, several in given.items() if several >= {"failed", "passed"}}


def read_votes(judgements: Sequence[Path], holdout: Sequence[Path], first: Sequence[Path] = ()) -> Votes:
    """Read the files of the judges that label and of the hold-out judge, `judgements/{judge}.jsonl`.

    `first` is the `eval.json` of iteration 0, if a later one is evaluated.
    """
    members, held = (
        {path.stem: {j.instruction_id: j.verdict for j in read_records(path, Judgement)} for path in paths}
        for paths in (judgements, holdout)
    )
    gaps = [EvalFile.model_validate(read_json(path)).metrics.get(GAP, Metric(value=None)) for path in first]
    return Votes(members, held, *gaps)


def measure_votes(
    votes: Votes,
    asked: Sequence[tuple[str, Hashable]],
    labelled: Mapping[str, Verdict],
    settings: Evaluation,
    random_seed: int,
    judge: JudgeReport | None = None,
) -> tuple[dict[str, Metric], Groups]:
    """The agreement of a panel, the rates of the judges that label and of the hold-out judge, and the numbers of each judge.

    `asked` has the id of the instruction and the cluster of each answer; an answer may occur several times, as a sample does.
    `labelled` has the verdicts of the labels by id. The rates are over the answers with a label of `failed` or `passed` and
    such a verdict of the hold-out judge, so that their difference is of the same answers. Its interval is paired: every draw
    of the clusters gives both rates. In the groups, a judge has its failure rate and the share of its answers on which it
    gives no verdict, and its errors from `judge`. The growth of the gap since iteration 0 is null, with a reason, if one of
    the gaps is. All of it is empty for a kind without a judge.
    """
    metrics: dict[str, Metric] = {}
    if len(votes.members) > 1:
        metrics["judge_agreement"] = _agreement(list(votes.members.values()), asked, settings, random_seed)
    for held in votes.holdout.values():
        pairs = [(i, c) for i, c in asked if labelled[i] != "invalid" and held.get(i, "invalid") != "invalid"]
        clusters = [cluster for _, cluster in pairs]
        shares = [([verdicts[i] == "failed" for i, _ in pairs], clusters) for verdicts in (labelled, held)]
        none = "no answer has a verdict of both"
        for name, share in zip(("failure_rate_paired", "failure_rate_holdout"), shares, strict=True):
            metrics[name] = proportion(*share, settings, random_seed).null_because(none)
        metrics[GAP] = difference_of_shares(shares[0], shares[1], settings, random_seed).null_because(none)
        if votes.first_gap:
            metrics[GROWTH] = _growth(votes.first_gap, metrics[GAP])
    errors = judge.judges if judge else {}
    groups: Groups = {}
    for dimension, judges in ((JUDGE, votes.members), (HOLDOUT_JUDGE, votes.holdout)):
        for name, verdicts in judges.items():
            read = [(verdicts[i], cluster) for i, cluster in asked if i in verdicts]
            decided = [(verdict, cluster) for verdict, cluster in read if verdict != "invalid"]
            groups.setdefault(dimension, {})[name] = {
                "failure_rate": proportion(
                    [v == "failed" for v, _ in decided], [c for _, c in decided], settings, random_seed
                ),
                "invalid_share": proportion(
                    [v == "invalid" for v, _ in read], [c for _, c in read], settings, random_seed
                ),
            }
            if name in errors:
                groups[dimension][name]["judge_sensitivity"] = errors[name].sensitivity
                groups[dimension][name]["judge_specificity"] = errors[name].specificity
    return metrics, groups


def _agreement(
    members: Sequence[Mapping[str, Verdict]],
    asked: Sequence[tuple[str, Hashable]],
    settings: Evaluation,
    random_seed: int,
) -> Metric:
    """Fleiss' kappa over the answers on which every judge gives a verdict, with its interval over clusters."""
    rows = [([verdicts.get(i, "invalid") for verdicts in members], cluster) for i, cluster in asked]
    whole = [(given, cluster) for given, cluster in rows if "invalid" not in given]
    if not whole:
        return Metric(value=None, reason="no answer has a verdict of every judge")
    counts = np.array([[given.count("failed"), given.count("passed")] for given, _ in whole], dtype=float)
    value = fleiss_kappa(counts, np.ones((1, len(whole))))[0]
    if np.isnan(value):
        return Metric(
            value=None, reason="every judge gave every answer the same verdict, so chance would agree as much"
        )
    numbers = cluster_numbers([cluster for _, cluster in whole])
    weights = draw_weights(max(numbers) + 1, settings.bootstrap, hashed_seed(random_seed, "bootstrap"))
    low, high = percentiles(fleiss_kappa(counts, weights[:, numbers]))
    return Metric(value=six_decimals(value), low=six_decimals(low), high=six_decimals(high))


def fleiss_kappa(counts: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Fleiss' kappa (Measuring nominal scale agreement among many raters, Psychological Bulletin 76, 1971).

    `counts` has the shape (items, categories): how many raters put an item into a category, with equally many raters, two or
    more, for each item. `weights` has the shape (draws, items). The result has the shape (draws,): (P - Pe) / (1 - Pe), where P
    is the mean share of agreeing pairs of raters and Pe the sum of the squared shares of the categories. It is NaN if Pe is 1.
    """
    raters = counts[0].sum()
    agreeing = (counts * (counts - 1)).sum(axis=1) / (raters * (raters - 1))
    totals = weights.sum(axis=1)
    chance = np.square((weights @ counts) / (raters * totals)[:, None]).sum(axis=1)
    observed = (weights @ agreeing) / totals
    certain = np.isclose(chance, 1)
    kappa: npt.NDArray[np.float64] = np.where(certain, np.nan, (observed - chance) / np.where(certain, 1, 1 - chance))
    return kappa


def _growth(before: Metric, now: Metric) -> Metric:
    if before.value is None or now.value is None:
        return Metric(value=None, reason="the gap of iteration 0 or of this one could not be measured")
    return Metric(value=six_decimals(now.value - before.value))


def gap_alarms(metrics: Mapping[str, Metric], limit: JudgeGap | None) -> list[str]:
    """A sentence if the gap grew by more than the limit. A growth that was not measured breaks no limit."""
    growth, gap = metrics.get(GROWTH), metrics.get(GAP)
    if limit is None or growth is None or growth.value is None or growth.value <= limit.growth:
        return []
    assert gap
    assert gap.value is not None
    interval = "" if gap.low is None or gap.high is None else f" [{gap.low:.3f}, {gap.high:.3f}]"
    return [
        f"judge_gap grew by {growth.value:.3f} since iteration 0, more than alarm.judge_gap.growth: {limit.growth}, to "
        f"{gap.value:.3f}{interval}: the judges that label see failures that the hold-out judge does not"
    ]


def check_gap(evaluation: Path, output: Path) -> None:
    """Write the growth of the gap in an evaluation. Raises BadInput if the evaluation has an alarm about it."""
    content = EvalFile.model_validate(read_json(evaluation))
    if content.judge_alarms:
        raise BadInput(
            f"{evaluation}: {'; '.join(content.judge_alarms)}; every file is kept. To continue, raise alarm.judge_gap.growth "
            "or set alarm.judge_gap.action: warn"
        )
    growth = content.metrics.get(GROWTH)
    write_json(output, {GROWTH: growth.value if growth else None})
