"""Tables of several tasks from stored outcomes: means over random seeds, their intervals, and paired differences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reversegen.core.errors import BadInput
from reversegen.core.metric import Metric
from reversegen.evaluation.outcomes import EvaluationOutcomes, Run
from reversegen.evaluation.statistics import NOTHING, Estimate, difference, estimate, pooled_estimate
from reversegen.kinds.base import RETAINED
from reversegen.reporting.rows import TARGET_ROWS, row_name, task_and_seed
from reversegen.reporting.tables import OUTCOMES, descriptions, headline_metrics

NULL = "\N{EN DASH}"
HELD_OUT = "failure_rate_holdout"
PROPOSER = (
    *("failure_rate", HELD_OUT, *OUTCOMES, "validity", "unique_share", "distinct_3", "self_bleu", "semantic_diversity"),
    *("vendi_score", "type_entropy"),
)
BySeed = Mapping[int, EvaluationOutcomes]


@dataclass(frozen=True)
class Entry:
    """One number of a table."""

    role: str
    row: str
    """An iteration or `untrained`; a source or `original`."""
    metric: str
    estimate: Estimate
    less: str | None = None
    """The row that is subtracted in the difference; None if there is no difference."""
    difference: Estimate = NOTHING


@dataclass(frozen=True)
class Line:
    """One line of a table: the texts that name it, and its numbers."""

    run: Run
    task: str
    """The name without the random seed."""
    heads: dict[str, str]
    entries: list[Entry]


@dataclass(frozen=True)
class TablePart:
    """A grid, one of those that a table has."""

    name: str
    title: str
    difference: str
    """What is subtracted from what in its differences."""
    lines: list[Line]
    keys: tuple[str, ...] = ("task",)
    """The heads whose texts together identify a line."""


def parts(table: str, runs: Sequence[Run]) -> list[TablePart]:
    """The grids of a table. Raises BadInput if a task has another kind, or if two runs have the same task and random seed."""
    tasks: dict[str, dict[int, Run]] = defaultdict(dict)
    for run in runs:
        name, seed = task_and_seed(run.task)
        if seed in tasks[name]:
            raise BadInput(f"tables.{table}: two outcomes.json have the results of task {run.task}; remove one of them")
        if table != "ablation" and run.kind != table:
            raise BadInput(f"tables.{table}: {name} has the kind {run.kind}; remove it from this table")
        tasks[name][seed] = run
    grids = _ablation_parts(tasks) if table == "ablation" else _kind_parts(table, tasks)
    return [part for part in grids if part.lines]


def _by_row(runs: Mapping[int, Run], role: str) -> dict[str, dict[int, EvaluationOutcomes]]:
    """The evaluations of a task by row and random seed, in the order of tables, without transfers to other models."""
    rows: dict[str, dict[int, EvaluationOutcomes]] = defaultdict(dict)
    for seed, run in sorted(runs.items()):
        for m in run.measured:
            if m.evaluation.role == role and (role == "proposer" or row_name(m.evaluation) in TARGET_ROWS):
                rows[row_name(m.evaluation)][seed] = m
    order = {"untrained": -1} | {name: n for n, name in enumerate(TARGET_ROWS) if role == "target"}
    return dict(sorted(rows.items(), key=lambda row: order.get(row[0], int(row[0]) if row[0].isdecimal() else 0)))


def _target_columns(kind: str, runs: Mapping[int, Run]) -> list[str]:
    """The headline metrics of a kind, each with its values on single test sets."""
    counted = dict.fromkeys(name for run in runs.values() for m in run.measured for name in m.counts)
    names = [metric.name for metric in headline_metrics(kind)]
    return [x for name in names for x in (name, *(part for part in counted if part.endswith(f"/{name}")))]


def _kind_parts(kind: str, tasks: Mapping[str, Mapping[int, Run]]) -> list[TablePart]:
    """The grid of the proposers of one kind, then that of the targets."""
    proposers, targets = [], []
    for task, runs in tasks.items():
        run = next(iter(runs.values()))
        rows = _by_row(runs, "proposer")
        for row, outcomes in rows.items():
            heads = {"task": task, "proposer": run.proposer, "target": run.target, "iteration": row}
            other = rows.get("0", {}) if row not in ("0", "untrained") else {}
            proposers.append(Line(run, task, heads, _entries("proposer", row, outcomes, PROPOSER, "0", other)))
        rows = _by_row(runs, "target")
        for row, outcomes in rows.items():
            heads = {"task": task, "target": run.target, "source": row}
            other = rows.get("reversegen", {}) if row != "reversegen" else {}
            columns = _target_columns(kind, runs)
            entries = _entries("target", row, outcomes, columns, "reversegen", other, turned=True)
            targets.append(Line(run, task, heads, [*entries, *_training(row, outcomes)]))
    return [
        TablePart("proposer", "Proposer by iteration", "the row less iteration 0", proposers, ("task", "iteration")),
        TablePart(
            "target", "Target by source of its training rows", "reversegen less the row", targets, ("task", "source")
        ),
    ]


def _ablation_parts(tasks: Mapping[str, Mapping[int, Run]]) -> list[TablePart]:
    """A grid for each kind; an ablation is listed below the task that it extends."""
    lines: dict[str, list[Line]] = defaultdict(list)
    for task in _family(tasks, None):
        run, parent = next(iter(tasks[task].values())), _extends(tasks[task])
        rows = {role: _by_row(tasks[task], role) for role in ("proposer", "target")}
        parent_rows = {role: _by_row(tasks.get(parent or "", {}), role) for role in ("proposer", "target")}
        last, parent_last = (next(reversed(by_role["proposer"]), "0") for by_role in (rows, parent_rows))
        entries = _entries(
            "proposer",
            last,
            rows["proposer"].get(last, {}),
            ("failure_rate", *OUTCOMES, "validity", "unique_share", "distinct_3"),
            f"{parent} {parent_last}",
            parent_rows["proposer"].get(parent_last, {}),
        )
        enhanced, other = (by_role["target"].get("reversegen", {}) for by_role in (rows, parent_rows))
        main = headline_metrics(run.kind)[0]
        columns = tuple(dict.fromkeys((main.name, *main.beside, RETAINED.name)))
        entries += _entries("target", "reversegen", enhanced, columns, f"{parent} reversegen", other)
        heads = {"task": task, "extends": parent or NULL, "iterations": last}
        lines[run.kind].append(Line(run, task, heads, entries))
    title = "{}: last proposer, and the target that its failures enhanced"
    meaning = "the task less the one that it extends, each after its last iteration"
    return [TablePart(kind, title.format(kind.capitalize()), meaning, several) for kind, several in lines.items()]


def _family(tasks: Mapping[str, Mapping[int, Run]], above: str | None) -> Iterator[str]:
    """The tasks that extend `above`, each followed by the tasks that extend it; None stands for no task of the table."""
    for task, runs in tasks.items():
        parent = _extends(runs)
        if (parent if parent in tasks else None) == above:
            yield task
            yield from _family(tasks, task)


def _extends(runs: Mapping[int, Run]) -> str | None:
    return next(iter(runs.values())).extends


def _entries(
    role: str,
    row: str,
    outcomes: BySeed,
    columns: Sequence[str],
    less: str,
    other: BySeed,
    *,
    turned: bool = False,
) -> list[Entry]:
    """The numbers of a line. A difference is the line less `other` or, if turned, `other` less the line."""
    kinds = {o.evaluation.kind for o in outcomes.values()}
    compared = {name for kind in kinds for name, metric in descriptions(kind).items() if metric.compared}
    entries = []
    for column in columns:
        between = NOTHING
        if other and column.rpartition("/")[2] in compared:
            between = difference(other, outcomes, column) if turned else difference(outcomes, other, column)
        entry_less = less if between.random_seeds else None
        entries.append(Entry(role, row, column, estimate(outcomes, column), entry_less, between))
    return entries


def _training(row: str, outcomes: BySeed) -> list[Entry]:
    """The number of training rows of an enhanced target, which shows that budgets are equal."""
    rows = [(o.evaluation.provenance.get("training") or {}).get("rows") for o in outcomes.values()]
    return [Entry("target", row, "training_rows", pooled_estimate([Metric(value=r) for r in rows], [None] * len(rows)))]
