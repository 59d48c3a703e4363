"""A task's tables, from the `eval.json` of one or several random seeds: proposer by iteration and target by source."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from reversegen.core.errors import BadInput
from reversegen.core.escaping import csv_cell, markdown_text
from reversegen.core.files import read_json
from reversegen.core.markdown import markdown_table
from reversegen.core.metric import Metric, MetricDescription
from reversegen.core.sources import CONTROL_SOURCES
from reversegen.core.validation import explain
from reversegen.evaluation.evaluation import EvaluationReport
from reversegen.evaluation.outcomes import Measured, collect, read_test_sets
from reversegen.evaluation.statistics import Estimate, coverage, pooled, resample
from reversegen.kinds import target_metrics
from reversegen.kinds.base import Kind

TARGET_ROWS = ("original", *CONTROL_SOURCES, "reversegen")
"""Rows of the target's table: the original, what control sources made of it, and what they are controls of."""

ROWS = {"proposer": "iteration", "target": "source"}
"""The two tables, and what their rows are."""

DIVERSITY = ("unique_share", "distinct_3", "type_entropy", "novelty")
PROPOSER = ("failure_rate", "failure_rate_corrected", "validity", "failure_rate_unique", "yield", *DIVERSITY)
TARGET = (
    *("accuracy", "accuracy_strict", "unanswerable", "average_precision", "calibration_error", "unsure_share"),
    *(
        "attack_success_rate",
        "over_refusal",
        "refusal_sensitivity",
        "refusal_specificity",
        "retained",
        "failure_rate",
        "invalid_share",
    ),
)
TRAINING = ("training_rows", "training_tokens")
MOST_TYPES = 10
"""Types that a table shows beside the metrics; table.csv holds any number."""

CSV_KEYS = ("task", "role", "arm", "variant", "iteration", "group", "metric", "statistic")
CSV_COLUMNS = (*CSV_KEYS, "value", "low", "high", "count", "total", "random_seeds", "reason")
"""`statistic` is value, mean or sd; `random_seeds` is how many values a mean or sd rests on."""

MEANINGS = {
    "failure_rate": "failed / (failed + passed) over valid samples; of transfer/MODEL, over what the target failed",
    "failure_rate_corrected": "the same after the judge's measured errors (Rogan-Gladen)",
    "validity": "the share of samples that could be judged",
    "failure_rate_unique": "the failure rate over distinct instructions",
    "yield": "distinct failures in 1,000 samples",
    "unique_share": "distinct texts among a sample of fixed size",
    "distinct_3": "distinct word 3-grams among those of that sample",
    "self_bleu": "how much of each text the others say, less is more diverse",
    "semantic_diversity": "the mean cosine distance of two texts",
    "vendi_score": "how many texts of no resemblance would be as diverse",
    "type_entropy": "entropy over types in nats",
    "novelty": "the share of distinct instructions that no seed and no earlier proposer says",
    "accuracy": "right answers among all test questions",
    "accuracy_strict": "the same, of answers in the asked form only",
    "unanswerable": "questions without an answer of which the target says so",
    "average_precision": "how well R-Tuning's score ranks right answers above wrong ones",
    "calibration_error": "the expected distance between that score and being right",
    "unsure_share": "answers of which the target says that it is unsure",
    "attack_success_rate": "unsafe answers to the attacks of the test set, less is better",
    "over_refusal": "harmless prompts that are refused, less is better",
    "refusal_sensitivity": "labelled refusals that are read as refusals",
    "refusal_specificity": "labelled openings of help that are not",
    "retained": "what the target could do before and still can",
    "invalid_share": "answers that could not be judged",
    "training_rows": "rows without replay",
    "training_tokens": "tokens with replay, every epoch",
}
"""What the columns are."""


@dataclass(frozen=True)
class Cell:
    """One metric of one row of a table, as each random seed measured it."""

    metrics: dict[str, Metric]
    """By task; null where the random seed has no such number."""
    outcomes: Mapping[str, Measured] = field(default_factory=dict)
    """By task; empty if none are stored."""
    name: str = ""
    """The metric's name in the outcomes."""

    @property
    def values(self) -> list[float]:
        """Of the random seeds that have one."""
        return [metric.value for metric in self.metrics.values() if metric.value is not None]

    @cached_property
    def estimate(self) -> Estimate:
        """The mean over random seeds with its interval; of one, its value."""
        stored = [resample(self.outcomes[task], self.name) if task in self.outcomes else None for task in self.metrics]
        return pooled(list(self.metrics.values()), stored)


def read_evaluation(path: Path) -> EvaluationReport:
    """Read an `eval.json`. Raises BadInput naming file and field for a malformed one."""
    try:
        evaluation = EvaluationReport.model_validate(read_json(path), strict=True)
    except ValidationError as error:
        raise BadInput(f"{path}: {explain(error)}") from error
    if fault := _fault(evaluation):
        raise BadInput(f"{path}: {fault}")
    return evaluation


def read_evaluations(paths: Sequence[Path], task: str, reused: Sequence[str] = ()) -> list[EvaluationReport]:
    """Read `eval.json` files of a task, in the order of tables; those of the tasks whose parts it reuses count as its own.

    Raises BadInput naming file and field for a malformed one.
    """
    read: dict[tuple[str, str, str], tuple[Path, EvaluationReport]] = {}
    for path in paths:
        evaluation = _as_own(read_evaluation(path), task, reused)
        key = (evaluation.task, evaluation.role, row_name(evaluation))
        if key in read:
            raise BadInput(f"{path}: {', '.join(key)}: {read[key][0]} is of the same")
        read[key] = (path, evaluation)
    return sorted((evaluation for _, evaluation in read.values()), key=_order)


def read_outcomes(
    paths: Sequence[Path], tests: Sequence[Path], task: str, reused: Sequence[str], kind: Kind
) -> list[Measured]:
    """The same evaluations, each with what its prompts or questions came to; `tests` are the files of all their runs."""
    sets = read_test_sets(tests)
    return [collect(_as_own(read_evaluation(path), task, reused), path, sets, kind) for path in paths]


def _as_own(evaluation: EvaluationReport, task: str, reused: Sequence[str]) -> EvaluationReport:
    """An evaluation of a task that this one reuses, as its own."""
    name = task_and_seed(evaluation.task)[0]
    if name not in reused:
        return evaluation
    return evaluation.model_copy(update={"task": task_and_seed(task)[0] + evaluation.task.removeprefix(name)})


def _fault(evaluation: EvaluationReport) -> str | None:
    """What the class allows and a table cannot use."""
    row = row_name(evaluation)
    known = row in TARGET_ROWS or row.startswith("transfer/")
    if evaluation.role == "proposer":
        known = row == "untrained" or row.isdecimal()
    identity = row_identity(evaluation.role, row)
    if not known or identity != {name: getattr(evaluation, name) for name in identity}:
        return (
            f"arm: {evaluation.arm!r}, variant: {evaluation.variant!r}, iteration: {evaluation.iteration!r}; a proposer has "
            "the arm `iterK` and the iteration K, or the arm `untrained`; a target has the variant `original`, "
            f"`transfer/MODEL` or `enhanced/SOURCE` with one of {', '.join(TARGET_ROWS[1:])}"
        )
    training = evaluation.provenance.get("training") or {}
    if not isinstance(training, dict) or any(type(value) not in (int, float) for value in training.values()):
        return "provenance.training: null or an object of numbers is needed"
    for (group, name), metric in _measures(evaluation).items():
        if not all(math.isfinite(x) for x in (metric.value, metric.low, metric.high) if x is not None):
            return f"{group or 'metrics'}.{name}: not a finite number"
    return None


def row_name(evaluation: EvaluationReport) -> str:
    """The row that an evaluation fills in its role's table: an iteration or `untrained`, a source or `original`."""
    if evaluation.role == "target":
        return str(evaluation.variant).removeprefix("enhanced/")
    return str(evaluation.arm if evaluation.iteration is None else evaluation.iteration)


def row_identity(role: str, row: str) -> dict[str, str | int | None]:
    """Arm, variant and iteration of a row, as `eval.json` names them."""
    arm, variant, iteration = None, None, None
    if role == "target":
        variant = row if row == "original" or row.startswith("transfer/") else f"enhanced/{row}"
    elif row.isdecimal():
        arm, iteration = f"iter{row}", int(row)
    else:
        arm = row
    return {"arm": arm, "variant": variant, "iteration": iteration}


def task_and_seed(task: str) -> tuple[str, int]:
    """NAME and random seed of a task, 0 for NAME itself."""
    found = re.fullmatch(r"(.+)\.s([0-9]+)", task, re.DOTALL)
    return (found[1], int(found[2])) if found else (task, 0)


def _order(evaluation: EvaluationReport) -> tuple[str, int, str, str, int, str]:
    name = row_name(evaluation)
    order = TARGET_ROWS.index(name) if name in TARGET_ROWS else len(TARGET_ROWS)
    if evaluation.role == "proposer":
        order = -1 if evaluation.iteration is None else evaluation.iteration
    return (evaluation.role, order, name, *task_and_seed(evaluation.task), evaluation.task)


def tasks_of(evaluations: Sequence[EvaluationReport]) -> tuple[str, list[str]]:
    """What the tables are of, and its tasks by random seed: NAME and NAME, NAME.s1, …; of one task alone, itself.

    Raises BadInput where there is no task, or more than one NAME.
    """
    tasks = sorted({e.task for e in evaluations}, key=lambda task: (task_and_seed(task), task))
    names = sorted({task_and_seed(task)[0] for task in tasks})
    if len(names) != 1:
        raise BadInput(f"a table is of one task, not of {', '.join(names) or 'none: no eval.json was given'}")
    return (names[0] if len(tasks) > 1 else tasks[0]), tasks


def _measures(evaluation: EvaluationReport) -> dict[tuple[str, str], Metric]:
    """Every number of an evaluation by (group, metric), with what its training took."""
    found = {("", name): metric for name, metric in evaluation.metrics.items()}
    for dimension, groups in evaluation.groups.items():
        for group, metrics in groups.items():
            found |= {(f"{dimension}={group}", name): metric for name, metric in metrics.items()}
    training = evaluation.provenance.get("training") or {}
    return found | {("", f"training_{name}"): Metric(value=value) for name, value in training.items()}


def pool(
    evaluations: Sequence[EvaluationReport], outcomes: Sequence[Measured] = ()
) -> dict[tuple[str, str, str, str], Cell]:
    """Every number by role, row, group (`type=add`; empty for all) and metric, in the order of tables."""
    _, tasks = tasks_of(evaluations)
    measured: dict[tuple[str, str, str, str], dict[str, Metric]] = {}
    for e in sorted(evaluations, key=_order):
        for key, metric in _measures(e).items():
            measured.setdefault((e.role, row_name(e), *key), {})[e.task] = metric
    null = Metric(value=None)
    stored: dict[tuple[str, str], dict[str, Measured]] = {}
    for one in outcomes:
        e = one.evaluation
        stored.setdefault((e.role, row_name(e)), {})[e.task] = one
    return {
        key: Cell({task: by_task.get(task, null) for task in tasks}, stored.get(key[:2], {}), _outcome_name(*key[2:]))
        for key, by_task in measured.items()
    }


def _outcome_name(group: str, metric: str) -> str:
    """A metric, or `SET/METRIC`, as outcomes have it; of another group there are none."""
    return f"{group.removeprefix('set=')}/{metric}" if group else metric


def table(
    evaluations: Sequence[EvaluationReport], role: str, outcomes: Sequence[Measured] = ()
) -> dict[str, dict[str, Cell]]:
    """Cells by row and column: proposers by iteration, or targets by source, with training's cost."""
    columns = {name: ("", name) for name in PROPOSER}
    if role == "target":
        of_role = [e for e in evaluations if e.role == role]
        columns = {name: ("", name) for name in TARGET if any(name in e.metrics for e in of_role)}
        types = sorted({name for e in of_role for name in e.groups.get("type", {})})
        if len(types) <= MOST_TYPES:
            main = main_metric(evaluations).name
            measured = {name for e in of_role for name in types if main in e.groups.get("type", {}).get(name, {})}
            columns |= {f"type {name}": (f"type={name}", main) for name in sorted(measured)}
        columns |= {name: ("", name) for name in TRAINING}
    cells, blank = pool(evaluations, outcomes), Cell(dict.fromkeys(tasks_of(evaluations)[1], Metric(value=None)))
    rows = dict.fromkeys(key[1] for key in cells if key[0] == role)
    return {row: {name: cells.get((role, row, *key), blank) for name, key in columns.items()} for row in rows}


def main_metric(evaluations: Sequence[EvaluationReport]) -> MetricDescription:
    """The metric that targets are compared by: the first headline of their kind that was measured."""
    headlines = headline_metrics(evaluations[0].kind)
    measured = {name for e in evaluations if e.role == "target" for name in e.metrics}
    return next((metric for metric in headlines if metric.name in measured), headlines[0])


def headline_metrics(kind: str) -> list[MetricDescription]:
    """What targets of a kind are compared by, most telling first."""
    headlines = {metric.headline: metric for metric in target_metrics(kind) if metric.headline is not None}
    return [headlines[place] for place in sorted(headlines)]


def shown(column: str, cell: Cell) -> tuple[str, str]:
    """What people read in a cell: the value or mean, and its interval, else its spread."""
    form = ".1f" if column == "yield" else ",.0f" if column in TRAINING else ".3f"
    found = cell.estimate
    if found.value is None:
        return "\N{EN DASH}", ""
    beside = f"± {found.sd:{form}}" if found.sd is not None else ""
    if found.low is not None and found.high is not None:
        beside = f"[{found.low:{form}}, {found.high:{form}}]"
    if found.random_seeds < len(cell.metrics):
        beside += f" ({found.random_seeds} of {len(cell.metrics)} random seeds)"
    return f"{found.value:{form}}", beside.strip()


def meaning(evaluations: Sequence[EvaluationReport]) -> str:
    """What the columns are, and what stands beside a value."""
    _, tasks = tasks_of(evaluations)
    shown_columns = {column for role in ROWS for row in table(evaluations, role).values() for column in row}
    said = "; ".join(f"{name}: {text}" for name, text in MEANINGS.items() if name in shown_columns)
    types = (
        "; type X: the main metric on questions of type X" if any(c.startswith("type ") for c in shown_columns) else ""
    )
    beside = f"Brackets hold 95 % intervals {coverage(len(tasks), 'prompts or questions')}"
    if len(tasks) > 1:
        beside = (
            f"Each number is the mean over {len(tasks)} random seeds. {beside}; of one of them, over prompts or questions "
            "only; ± is the sample standard deviation over random seeds, of what has no interval. table.csv has the rows of "
            "each random seed"
        )
    return f"{said}{types}. {beside}; \N{EN DASH} means not measured."


def markdown(evaluations: Sequence[EvaluationReport], outcomes: Sequence[Measured] = ()) -> str:
    """The content of `table.md`. Raises BadInput where the evaluations are not of one task."""
    parts = [f"# {markdown_text(tasks_of(evaluations)[0])}", meaning(evaluations)]
    for role, rows in ROWS.items():
        found = table(evaluations, role, outcomes)
        if not found:
            continue
        head = [rows, *map(markdown_text, next(iter(found.values())))]
        lines = [[row, *(" ".join(shown(*c)).strip() for c in cells.items())] for row, cells in found.items()]
        parts += [f"## {role.capitalize()} by {rows}", markdown_table(head, lines, padded=True)]
        if reasons := invalid_reasons(evaluations, role):
            parts.append(f"Without a verdict: {reasons}.")
    return "\n\n".join(parts) + "\n"


def invalid_reasons(evaluations: Sequence[EvaluationReport], role: str) -> str:
    """Why items of each row have no verdict, as Markdown, counted over all random seeds; empty if every item has one."""
    counted: dict[str, Counter[str]] = {}
    for evaluation in evaluations:
        if evaluation.role == role and evaluation.invalid:
            counted.setdefault(row_name(evaluation), Counter()).update(evaluation.invalid)
    listed = {
        row: ", ".join(f"{markdown_text(reason)} {n}" for reason, n in counts.most_common())
        for row, counts in counted.items()
    }
    return "; ".join(f"{ROWS[role]} {row}: {reasons}" for row, reasons in listed.items())


def comma_separated(evaluations: Sequence[EvaluationReport], outcomes: Sequence[Measured] = ()) -> str:
    """The content of `table.csv`: every number of every random seed, then mean, with its interval, and spread of several.

    Raises BadInput where the evaluations are not of one task.
    """
    name, tasks = tasks_of(evaluations)
    file = io.StringIO()
    writer = csv.DictWriter(file, CSV_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for (role, row, group, metric), cell in pool(evaluations, outcomes).items():
        key = {"role": role, **row_identity(role, row), "group": group, "metric": metric}
        rows = [{"task": task, "statistic": "value", **m.model_dump()} for task, m in cell.metrics.items()]
        if len(tasks) > 1:
            found = cell.estimate
            ends = {"low": found.low, "high": found.high}
            for statistic, numbers in (("mean", {"value": found.value} | ends), ("sd", {"value": found.sd})):
                rows.append({"task": name, "statistic": statistic, "random_seeds": found.random_seeds, **numbers})
        writer.writerows({column: table_cell(value) for column, value in (key | row).items()} for row in rows)
    return file.getvalue()


def table_cell(value: str | int | float | None) -> str:
    """Numbers as numbers, text on one line."""
    if isinstance(value, str):
        return csv_cell(" ".join(value.split()))
    return "" if value is None else format(round(value, 6), ".15g")
