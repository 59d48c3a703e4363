"""The tables of a task: proposer by iteration and target by source, from the `eval.json` of one or several random seeds."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from reversegen.core.escaping import csv_cell, markdown_text
from reversegen.core.markdown import filled, narrow_tables
from reversegen.core.metric import Metric, MetricDescription
from reversegen.evaluation.eval_file import CATEGORY, FAILURE_RATE, OUTCOME_SHARES, EvalFile
from reversegen.evaluation.outcomes import EvaluationOutcomes
from reversegen.evaluation.proposer import PROPOSER_METRICS
from reversegen.evaluation.statistics import Estimate, coverage, pooled_estimate, resample
from reversegen.evaluation.target import TARGET_METRICS, TRAINING_METRICS
from reversegen.evaluation.votes import VOTE_METRICS
from reversegen.kinds import target_metrics
from reversegen.reporting.rows import ROWS, numbers, row_identity, row_name, row_order, tasks_of

DIVERSITY = ("unique_share", "distinct_3", "type_entropy", "novelty")
OUTCOMES = tuple(metric.name for metric in OUTCOME_SHARES)
"""Columns of proposers whose target may abstain."""
VOTES = tuple(metric.name for metric in VOTE_METRICS)
"""Columns of proposers whose target's answers a panel or a hold-out judge reads."""
PROPOSER = (
    "failure_rate",
    *VOTES,
    "failure_rate_corrected",
    *OUTCOMES,
    "validity",
    "failure_rate_unique",
    "yield",
    *DIVERSITY,
)
MOST_TYPES = 10
"""The most types, and the most categories, that a table shows in addition to the metrics; table.csv has all of them."""

CSV_KEYS = ("task", "role", "arm", "variant", "iteration", "group", "metric", "statistic")
CSV_COLUMNS = (*CSV_KEYS, "value", "low", "high", "count", "total", "random_seeds", "reason")
"""`statistic` is value, mean or sd; `random_seeds` is the number of values behind a mean or sd."""


@dataclass(frozen=True)
class Cell:
    """One metric in one row of a table, with its value for each random seed."""

    metrics: dict[str, Metric]
    """By task; the value is None if the random seed has no such number."""
    outcomes: Mapping[str, EvaluationOutcomes] = field(default_factory=dict)
    """By task; empty if outcomes are not stored."""
    name: str = ""
    """The metric's name in the outcomes."""
    number_format: str = MetricDescription.number_format

    @property
    def values(self) -> list[float]:
        """The values of the random seeds that have one."""
        return [metric.value for metric in self.metrics.values() if metric.value is not None]

    @cached_property
    def estimate(self) -> Estimate:
        """The mean over random seeds with its interval; with one random seed, its value."""
        stored = [resample(self.outcomes[task], self.name) if task in self.outcomes else None for task in self.metrics]
        return pooled_estimate(list(self.metrics.values()), stored)


def pool(
    evaluations: Sequence[EvalFile], outcomes: Sequence[EvaluationOutcomes] = ()
) -> dict[tuple[str, str, str, str], Cell]:
    """Every number by role, row, group (such as `type=add`; empty for all items) and metric, in the order of tables."""
    _, tasks = tasks_of(evaluations)
    measured: dict[tuple[str, str, str, str], dict[str, Metric]] = {}
    for e in sorted(evaluations, key=row_order):
        for key, metric in numbers(e).items():
            measured.setdefault((e.role, row_name(e), *key), {})[e.task] = metric
    null = Metric(value=None)
    stored: dict[tuple[str, str], dict[str, EvaluationOutcomes]] = {}
    for one in outcomes:
        e = one.evaluation
        stored.setdefault((e.role, row_name(e)), {})[e.task] = one
    formats = {name: metric.number_format for name, metric in descriptions(evaluations[0].kind).items()}
    return {
        (role, row, group, metric): Cell(
            {task: by_task.get(task, null) for task in tasks},
            stored.get((role, row), {}),
            _outcome_name(group, metric),
            formats.get(metric, Cell.number_format),
        )
        for (role, row, group, metric), by_task in measured.items()
    }


def _outcome_name(group: str, metric: str) -> str:
    """The name of a metric in outcomes: itself, or `SET/METRIC`. Outcomes have no metrics of other groups."""
    return f"{group.removeprefix('set=')}/{metric}" if group else metric


def table(
    evaluations: Sequence[EvalFile], role: str, outcomes: Sequence[EvaluationOutcomes] = ()
) -> dict[str, dict[str, Cell]]:
    """Cells by row and column: proposers by iteration, or targets by source with the size of their training."""
    columns = _target_columns(evaluations) if role == "target" else _proposer_columns(evaluations)
    cells, blank = pool(evaluations, outcomes), Cell(dict.fromkeys(tasks_of(evaluations)[1], Metric(value=None)))
    rows = dict.fromkeys(key[1] for key in cells if key[0] == role)
    return {row: {name: cells.get((role, row, *key), blank) for name, key in columns.items()} for row in rows}


def _proposer_columns(evaluations: Sequence[EvalFile]) -> dict[str, tuple[str, str]]:
    """Group and metric of each column; shares of outcomes and numbers of votes if they were measured, failures by category."""
    proposers = [e for e in evaluations if e.role == "proposer"]
    measured = {name for e in proposers for name in e.metrics}
    columns = {name: ("", name) for name in PROPOSER if name not in (*OUTCOMES, *VOTES) or name in measured}
    return columns | _category_columns(proposers, FAILURE_RATE.name)


def _target_columns(evaluations: Sequence[EvalFile]) -> dict[str, tuple[str, str]]:
    """Group and metric of each column: the measured metrics of targets, the main one by type and category, the training."""
    targets = [e for e in evaluations if e.role == "target"]
    names = [metric.name for metric in (*target_metrics(evaluations[0].kind), *TARGET_METRICS)]
    columns = {name: ("", name) for name in names if any(name in e.metrics for e in targets)}
    main = main_metric(evaluations).name
    types = sorted({name for e in targets for name in e.groups.get("type", {})})
    if len(types) <= MOST_TYPES:
        measured = {name for e in targets for name in types if main in e.groups.get("type", {}).get(name, {})}
        columns |= {f"type {name}": (f"type={name}", main) for name in sorted(measured)}
    columns |= _category_columns(targets, main)
    return columns | {metric.name: ("", metric.name) for metric in TRAINING_METRICS}


def _category_columns(evaluations: Sequence[EvalFile], metric: str) -> dict[str, tuple[str, str]]:
    """A column for each category of harm that any of the evaluations found, in the order of the judge's format."""
    groups = [group for e in evaluations for group in e.groups.get(CATEGORY, {}).items()]
    occurring = {name for name, metrics in groups if metric in metrics and metrics[metric].count}
    names = [name for name in dict.fromkeys(name for name, _ in groups) if name in occurring]
    return {f"{CATEGORY} {name}": (f"{CATEGORY}={name}", metric) for name in names if len(names) <= MOST_TYPES}


def main_metric(evaluations: Sequence[EvalFile]) -> MetricDescription:
    """The metric that targets are compared by: the first headline of their kind that was measured."""
    headlines = headline_metrics(evaluations[0].kind)
    measured = {name for e in evaluations if e.role == "target" for name in e.metrics}
    return next((metric for metric in headlines if metric.name in measured), headlines[0])


def headline_metrics(kind: str) -> list[MetricDescription]:
    """The metrics by which targets of a kind are compared, the most important first."""
    headlines = {metric.headline: metric for metric in target_metrics(kind) if metric.headline is not None}
    return [headlines[place] for place in sorted(headlines)]


def descriptions(kind: str) -> dict[str, MetricDescription]:
    """Every metric that tables of a kind show, by name, in the order of the definitions below the tables."""
    metrics = (*PROPOSER_METRICS, *target_metrics(kind), *TARGET_METRICS, *TRAINING_METRICS)
    return {metric.name: metric for metric in metrics}


def cell_text(cell: Cell) -> tuple[str, str]:
    """The text of a cell: the value or mean, and its interval or, without an interval, its spread."""
    estimate, form = cell.estimate, cell.number_format
    if estimate.value is None:
        return "\N{EN DASH}", ""
    beside = f"± {estimate.sd:{form}}" if estimate.sd is not None else ""
    if estimate.low is not None and estimate.high is not None:
        beside = f"[{estimate.low:{form}}, {estimate.high:{form}}]"
    if estimate.random_seeds < len(cell.metrics):
        beside += f" ({estimate.random_seeds} of {len(cell.metrics)} random seeds)"
    return f"{estimate.value:{form}}", beside.strip()


def definitions(evaluations: Sequence[EvalFile]) -> dict[str, str]:
    """What each column of the tables of these evaluations means, by the column's name."""
    columns = {column for role in ROWS for row in table(evaluations, role).values() for column in row}
    meanings = {name: metric.meaning for name, metric in descriptions(evaluations[0].kind).items() if name in columns}
    if any(column.startswith("type ") for column in columns):
        meanings["type X"] = "the main metric on questions of type X"
    if any(column.startswith(f"{CATEGORY} ") for column in columns):
        meanings[f"{CATEGORY} X"] = "the share of all judged items that failed with an answer of the judge's category X"
    return meanings


def intervals_meaning(evaluations: Sequence[EvalFile]) -> str:
    """What intervals and spreads cover, in full sentences."""
    _, tasks = tasks_of(evaluations)
    brackets = f"Brackets hold 95 % intervals {coverage(len(tasks), 'prompts or questions')}"
    if len(tasks) > 1:
        brackets = (
            f"Each number is the mean over {len(tasks)} random seeds. {brackets}. If only one random seed has the number, its "
            "interval is over prompts or questions only. The sample standard deviation over random seeds (±) is shown if "
            "there is no interval. table.csv has the numbers of each random seed"
        )
    return f"{brackets}. \N{EN DASH} means not measured."


def meaning(evaluations: Sequence[EvalFile]) -> str:
    """The definitions of the columns and the meaning of intervals, as one paragraph."""
    columns = "; ".join(f"{name}: {text}" for name, text in definitions(evaluations).items())
    return f"{columns}. {intervals_meaning(evaluations)}"


def markdown(evaluations: Sequence[EvalFile], outcomes: Sequence[EvaluationOutcomes] = ()) -> str:
    """Every number as Markdown that fits a screen: a title, the tables of each role, and what their columns mean.

    Raises BadInput if the evaluations are not of one task.
    """
    parts = [f"# {markdown_text(tasks_of(evaluations)[0])}"]
    for role, row_head in ROWS.items():
        cells = table(evaluations, role, outcomes)
        if not cells:
            continue
        head = [row_head, *map(markdown_text, next(iter(cells.values())))]
        lines = [
            [row, *(" ".join(cell_text(cell)).strip() for cell in columns.values())] for row, columns in cells.items()
        ]
        parts += [f"## {role.capitalize()} by {row_head}", narrow_tables(head, lines)]
        if reasons := invalid_reasons(evaluations, role):
            listed = [filled(f"{row_head} {row}: {text}", "- ") for row, text in reasons.items()]
            parts += ["Items without a verdict, by reason:", "\n".join(listed)]
    meanings = [filled(f"`{name}`: {text}", "- ") for name, text in definitions(evaluations).items()]
    parts += ["## What the columns mean", "\n".join(meanings), filled(intervals_meaning(evaluations))]
    return "\n\n".join(parts) + "\n"


def invalid_reasons(evaluations: Sequence[EvalFile], role: str) -> dict[str, str]:
    """Why items have no verdict, as Markdown, counted over all random seeds, by the rows that have such items."""
    counted: dict[str, Counter[str]] = {}
    for evaluation in evaluations:
        if evaluation.role == role and evaluation.invalid:
            counted.setdefault(row_name(evaluation), Counter()).update(evaluation.invalid)
    return {
        row: ", ".join(f"{markdown_text(reason)} {n}" for reason, n in counts.most_common())
        for row, counts in counted.items()
    }


def comma_separated(evaluations: Sequence[EvalFile], outcomes: Sequence[EvaluationOutcomes] = ()) -> str:
    """The content of `table.csv`: every number of every random seed, then the mean, its interval and spread of several.

    Raises BadInput if the evaluations are not of one task.
    """
    name, tasks = tasks_of(evaluations)
    file = io.StringIO()
    writer = csv.DictWriter(file, CSV_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for (role, row, group, metric), cell in pool(evaluations, outcomes).items():
        key = {"role": role, **row_identity(role, row), "group": group, "metric": metric}
        rows = [{"task": task, "statistic": "value", **m.model_dump()} for task, m in cell.metrics.items()]
        if len(tasks) > 1:
            estimate = cell.estimate
            ends = {"low": estimate.low, "high": estimate.high}
            for statistic, values in (("mean", {"value": estimate.value} | ends), ("sd", {"value": estimate.sd})):
                rows.append({"task": name, "statistic": statistic, "random_seeds": estimate.random_seeds, **values})
        writer.writerows({column: table_cell(value) for column, value in (key | row).items()} for row in rows)
    return file.getvalue()


def table_cell(value: str | int | float | None) -> str:
    """The text of a CSV cell: a number rounded to six decimals, or text on one line."""
    if isinstance(value, str):
        return csv_cell(" ".join(value.split()))
    return "" if value is None else format(round(value, 6), ".15g")
