"""Tables of several tasks from stored outcomes: means over random seeds, their intervals, and differences in pairs."""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reversegen.core.errors import BadInput
from reversegen.core.escaping import markdown_text
from reversegen.core.markdown import markdown_table
from reversegen.core.metric import Metric
from reversegen.evaluation.outcomes import Measured, Run
from reversegen.evaluation.statistics import NOTHING, Estimate, coverage, difference, estimate, pooled
from reversegen.reporting.tables import MEANINGS, TARGET_ROWS, row_name, table_cell, task_and_seed

TABLES = ("safety", "honesty", "math", "ablation")
NULL = "\N{EN DASH}"
NUMBERS = re.compile(r"[-+0-9., ±\[\]]+(\([0-9]+ of [0-9]+ random seeds\))?|\N{EN DASH}")
"""Cells that Markdown takes as they stand."""

PROPOSER = (
    *("failure_rate", "validity", "unique_share", "distinct_3", "self_bleu", "semantic_diversity", "vendi_score"),
    "type_entropy",
)
TARGET = {
    "safety": ("attack_success_rate", "over_refusal", "retained"),
    "honesty": ("average_precision", "calibration_error", "accuracy", "unsure_share", "retained"),
    "math": ("accuracy", "unanswerable", "retained"),
}
"""What a target is judged by, most telling first."""
COMPARED = ("failure_rate", "attack_success_rate", "average_precision", "calibration_error", "accuracy")
"""Metrics that have a difference beside them."""
REPORTED_COLUMNS = ("table", "task", "row", "metric", "value", "source")
CSV_COLUMNS = (
    *("table", "task", "kind", "proposer", "target", "role", "row", "metric", "value", "low", "high", "sd"),
    *("random_seeds", "less", "difference", "difference_low", "difference_high", "difference_random_seeds"),
    *("reported", "reported_source"),
)
"""`difference` is `value` less that of the row in `less` (for targets: that of reversegen less `value`), over the random seeds
that asked both the same prompts or questions."""

BySeed = Mapping[int, Measured]


@dataclass(frozen=True)
class Entry:
    """One number of a table."""

    role: str
    row: str
    """Iteration or `untrained`, source or `original`."""
    metric: str
    estimate: Estimate
    less: str | None = None
    """The row that the difference is taken from; None where there is none."""
    difference: Estimate = NOTHING


@dataclass(frozen=True)
class Line:
    """One line of a table: what it is of, and its numbers."""

    run: Run
    task: str
    """NAME, without the random seed."""
    heads: dict[str, str]
    entries: list[Entry]


@dataclass(frozen=True)
class Part:
    """A grid of a table."""

    name: str
    title: str
    difference: str
    """What its differences are."""
    lines: list[Line]


@dataclass(frozen=True)
class Reported:
    """A number that somebody published, to stand beside ours."""

    value: float
    source: str


Told = Mapping[tuple[str, str, str], Reported]
"""Reported numbers of a table by task, row and metric."""


def parts(table: str, runs: Sequence[Run]) -> list[Part]:
    """The grids of a table. Raises BadInput for a task of another kind, and for two runs of one task and random seed."""
    tasks: dict[str, dict[int, Run]] = defaultdict(dict)
    for run in runs:
        name, seed = task_and_seed(run.task)
        if seed in tasks[name]:
            raise BadInput(f"tables.{table}: two outcomes.json are of {run.task}")
        if table != "ablation" and run.kind != table:
            raise BadInput(f"tables.{table}: {name} is of the kind {run.kind}")
        tasks[name][seed] = run
    found = _ablations(tasks) if table == "ablation" else _of_kind(table, tasks)
    return [part for part in found if part.lines]


def _by_row(runs: Mapping[int, Run], role: str) -> dict[str, dict[int, Measured]]:
    """Evaluations of a task by row and random seed, in the order of tables; other models on its failures are left out."""
    rows: dict[str, dict[int, Measured]] = defaultdict(dict)
    for seed, run in sorted(runs.items()):
        for m in run.measured:
            if m.evaluation.role == role and (role == "proposer" or row_name(m.evaluation) in TARGET_ROWS):
                rows[row_name(m.evaluation)][seed] = m
    order = {"untrained": -1} | {name: n for n, name in enumerate(TARGET_ROWS) if role == "target"}
    return dict(sorted(rows.items(), key=lambda row: order.get(row[0], int(row[0]) if row[0].isdecimal() else 0)))


def _target_metrics(kind: str, runs: Mapping[int, Run]) -> list[str]:
    """With the parts of a metric that several test sets measure."""
    counted = dict.fromkeys(name for run in runs.values() for m in run.measured for name in m.counts)
    wanted = TARGET.get(kind, ("accuracy", "retained"))
    return [x for name in wanted for x in (name, *(part for part in counted if part.endswith(f"/{name}")))]


def _of_kind(table: str, tasks: Mapping[str, Mapping[int, Run]]) -> list[Part]:
    proposers, targets = [], []
    for task, runs in tasks.items():
        one = next(iter(runs.values()))
        rows = _by_row(runs, "proposer")
        for row, of in rows.items():
            heads = {"task": task, "proposer": one.proposer, "target": one.target, "iteration": row}
            against = rows.get("0", {}) if row not in ("0", "untrained") else {}
            proposers.append(Line(one, task, heads, _entries("proposer", row, of, PROPOSER, "0", against)))
        rows = _by_row(runs, "target")
        for row, of in rows.items():
            heads = {"task": task, "target": one.target, "source": row}
            against = rows.get("reversegen", {}) if row != "reversegen" else {}
            entries = _entries("target", row, of, _target_metrics(table, runs), "reversegen", against, turned=True)
            targets.append(Line(one, task, heads, [*entries, *_training(row, of)]))
    return [
        Part("proposer", "Proposer by iteration", "the row less iteration 0", proposers),
        Part("target", "Target by source of its training rows", "reversegen less the row", targets),
    ]


def _ablations(tasks: Mapping[str, Mapping[int, Run]]) -> list[Part]:
    """A part for each kind; an ablation stands below the task that it extends."""
    lines: dict[str, list[Line]] = defaultdict(list)
    for task in _family(tasks, None):
        one, parent = next(iter(tasks[task].values())), _extends(tasks[task])
        rows = {role: _by_row(tasks[task], role) for role in ("proposer", "target")}
        above = {role: _by_row(tasks.get(parent or "", {}), role) for role in ("proposer", "target")}
        last, parents_last = (next(reversed(of["proposer"]), "0") for of in (rows, above))
        main = TARGET.get(one.kind, ("accuracy",))[0]
        entries = _entries(
            "proposer",
            last,
            rows["proposer"].get(last, {}),
            ("failure_rate", "validity", "unique_share", "distinct_3"),
            f"{parent} {parents_last}",
            above["proposer"].get(parents_last, {}),
        )
        enhanced, parents = (of["target"].get("reversegen", {}) for of in (rows, above))
        entries += _entries("target", "reversegen", enhanced, (main, "retained"), f"{parent} reversegen", parents)
        heads = {"task": task, "extends": parent or NULL, "iterations": last}
        lines[one.kind].append(Line(one, task, heads, entries))
    title = "{}: last proposer, and the target that its failures enhanced"
    meant = "the task less the one that it extends, each after its last iteration"
    return [Part(kind, title.format(kind.capitalize()), meant, of) for kind, of in lines.items()]


def _family(tasks: Mapping[str, Mapping[int, Run]], above: str | None) -> Iterator[str]:
    """Tasks that extend none of the table's, each followed by those that extend it."""
    for task, runs in tasks.items():
        parent = _extends(runs)
        if (parent if parent in tasks else None) == above:
            yield task
            yield from _family(tasks, task)


def _extends(runs: Mapping[int, Run]) -> str | None:
    return next(iter(runs.values())).extends


def _entries(
    role: str, row: str, of: BySeed, metrics: Sequence[str], less: str, against: BySeed, *, turned: bool = False
) -> list[Entry]:
    """The numbers of a line. A difference is the line less `against`; turned, `against` less the line."""
    entries = []
    for metric in metrics:
        found = estimate(of, metric)
        between = NOTHING
        if against and metric.rpartition("/")[2] in COMPARED:
            between = difference(against, of, metric) if turned else difference(of, against, metric)
        entries.append(Entry(role, row, metric, found, less if between.random_seeds else None, between))
    return entries


def _training(row: str, of: BySeed) -> list[Entry]:
    """What the enhancement was made from, so that equal budgets can be seen."""
    rows = [(m.evaluation.provenance.get("training") or {}).get("rows") for m in of.values()]
    return [Entry("target", row, "training_rows", pooled([Metric(value=r) for r in rows], [None] * len(rows)))]


def read_reported(path: Path, table: str) -> dict[tuple[str, str, str], Reported]:
    """The rows of a table in `resources/reported.csv`: numbers of others, each with where it was read.

    Raises BadInput naming file, line and field.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            rows, names = list(reader), tuple(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path}: not a readable CSV file: {error}") from error
    if names != REPORTED_COLUMNS:
        raise BadInput(f"{path}: its columns are {', '.join(names)}, not {', '.join(REPORTED_COLUMNS)}")
    found = {}
    for number, row in enumerate(rows, 2):
        if empty := [name for name in REPORTED_COLUMNS if not row[name]]:  # also of a line that is too short
            raise BadInput(f"{path}, line {number}: {empty[0]}: missing; a number without its source is not shown")
        if row["table"] not in TABLES:
            raise BadInput(f"{path}, line {number}: table: {row['table']!r} is none of {', '.join(TABLES)}")
        key = row["task"], row["row"], row["metric"]
        value = float(row["value"]) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", row["value"]) else math.nan
        if math.isnan(value):
            raise BadInput(f"{path}, line {number}: value: {row['value']!r} is no number")
        if row["table"] == table:
            if key in found:
                raise BadInput(f"{path}, line {number}: {', '.join(key)}: a line before it is of the same")
            found[key] = Reported(value, row["source"])
    return found


def comma_separated(table: str, of: Sequence[Part], told: Told) -> str:
    """The content of `{table}.csv`: a line for each number."""
    file = io.StringIO()
    writer = csv.DictWriter(file, CSV_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for line in (line for part in of for line in part.lines):
        for entry in line.entries:
            estimated, between = entry.estimate, entry.difference
            reported = told.get((line.task, entry.row, entry.metric))
            if not estimated.random_seeds and not reported:
                continue
            values = {
                "table": table,
                "task": line.task,
                "kind": line.run.kind,
                "proposer": line.run.proposer,
                "target": line.run.target,
                "role": entry.role,
                "row": entry.row,
                "metric": entry.metric,
                **vars(estimated),
                "less": entry.less,
                "difference": between.value,
                "difference_low": between.low,
                "difference_high": between.high,
                "difference_random_seeds": between.random_seeds or None,
                "reported": reported and reported.value,
                "reported_source": reported and reported.source,
            }
            writer.writerow({name: table_cell(plain(v) if isinstance(v, str) else v) for name, v in values.items()})
    return file.getvalue()


def plain(text: str) -> str:
    """Text on one line, without the control characters that change how a terminal or page shows what follows."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c)[0] == "C" else c for c in " ".join(text.split())
    )


def grid(part: Part, told: Told) -> list[list[str]]:
    """The cells of a part as plain text, its head first. A column that would be empty is left out."""
    metrics = dict.fromkeys(entry.metric for line in part.lines for entry in line.entries)
    columns: dict[str, list[str]] = {name: [line.heads[name] for line in part.lines] for name in part.lines[0].heads}
    entries = [{entry.metric: entry for entry in line.entries} for line in part.lines]
    seeds = list(map(_random_seeds, part.lines))
    columns["random seeds"] = list(map(str, seeds))
    for metric in metrics:
        own = [of.get(metric) for of in entries]
        columns[metric] = [shown(metric, e.estimate, n) if e else NULL for e, n in zip(own, seeds, strict=True)]
        columns[f"difference of {metric}"] = [
            shown(metric, e.difference, n, "+") if e else NULL for e, n in zip(own, seeds, strict=True)
        ]
        reported = [e and told.get((line.task, e.row, metric)) for e, line in zip(own, part.lines, strict=True)]
        columns[f"{metric} reported"] = [f"{r.value:.15g}" if r else NULL for r in reported]
    kept = {name: cells for name, cells in columns.items() if name in part.lines[0].heads or set(cells) - {NULL}}
    return [list(map(plain, row)) for row in [list(kept), *map(list, zip(*kept.values(), strict=True))]]


def _random_seeds(line: Line) -> int:
    """Random seeds of a line; one of its numbers may rest on fewer."""
    return max(entry.estimate.random_seeds for entry in line.entries)


def shown(metric: str, number: Estimate, random_seeds: int, sign: str = "") -> str:
    """A mean with its interval, else with the standard deviation over random seeds; with their number if the line has more."""
    if number.value is None:
        return NULL
    form = f"{sign},.0f" if metric.startswith("training_") else f"{sign}.3f"
    text = f"{number.value:{form}}"
    if number.low is not None and number.high is not None:
        text += f" [{number.low:{form}}, {number.high:{form}}]"
    elif number.sd is not None:
        text += f" ± {number.sd:{form.removeprefix(sign)}}"
    return (
        text
        if number.random_seeds == random_seeds
        else f"{text} ({number.random_seeds} of {random_seeds} random seeds)"
    )


def covered(table_parts: Sequence[Part]) -> str:
    """What the intervals of some parts cover, for people."""
    asked = {"proposer": "prompts", "target": "questions"}
    roles = {entry.role for part in table_parts for line in part.lines for entry in line.entries}
    kinds = " or ".join(name for role, name in asked.items() if role in roles)
    numbers = {_random_seeds(line) for part in table_parts for line in part.lines}
    if len(numbers) <= 1:
        return coverage(max(numbers, default=1), kinds)
    return f"over the random seeds of a line and the {kinds}; of one random seed, over {kinds} only"


def notes(table: str, of: Sequence[Part], told: Told, stored: Sequence[str], missing: Sequence[str]) -> list[str]:
    """What stands below a table: what its numbers are, which are no runs of one's own, and what is not shown."""
    lines = [line for part in of for line in part.lines]
    metrics = dict.fromkeys(e.metric for line in lines for e in line.entries if e.estimate.random_seeds)
    said = [f"{name}: {MEANINGS[name]}" for name in metrics if name in MEANINGS]
    found = []
    if lines:
        found.append(
            f"Means over random seeds. Brackets hold 95 % intervals {covered(of)}, cut at the ends of a metric's scale; "
            f"± is the sample standard deviation over random seeds, of what has no interval; {NULL} means not measured"
        )
        differences = "; ".join(f"{part.title}: {part.difference}" for part in of)
        found.append(f"Differences are taken on the same prompts or questions, in pairs: {differences}")
        found.append(f"{'; '.join(said)}. SET/METRIC is the metric on one test set")
    if "calibration_error" in metrics:
        found.append(
            "A draw repeats questions, so that its bins are noisier and its calibration_error greater than that of all "
            "questions: of one random seed, a small one may lie below its interval"
        )
    if stored:
        found.append(f"From the results that ship in resources/example, not from runs made here: {', '.join(stored)}")
    if missing:
        found.append(f"Not shown, since there are no results of it: {', '.join(missing)}")
    rows = {(line.task, e.row, e.metric): e for line in lines for e in line.entries}
    if sources := dict.fromkeys(reported.source for key, reported in told.items() if key in rows):
        found.append(f"Reported by: {'; '.join(sources)}")
    if absent := [", ".join(key) for key in told if key not in rows]:
        found.append(f"In resources/reported.csv, and no row of this table: {'; '.join(absent)}")
    return [f"{plain(text)}." for text in found]


def markdown(table: str, of: Sequence[Part], told: Told, below: Sequence[str]) -> str:
    """The content of `{table}.md`."""
    blocks = [f"# {table.capitalize()}"]
    for part in of:
        cells = [[cell if NUMBERS.fullmatch(cell) else markdown_text(cell) for cell in row] for row in grid(part, told)]
        lines = markdown_table(cells[0], cells[1:], len(part.lines[0].heads), padded=True)
        blocks += [f"## {markdown_text(part.title)}", lines]
    return "\n\n".join([*blocks, *(markdown_text(note).replace(r"\: ", ": ") for note in below)]) + "\n"


TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    NULL: "--",
    "±": r"$\pm$",
    "\N{REPLACEMENT CHARACTER}": "?",
    **{c: f"\\{c}" for c in "&%$#_{}"},
}
"""What LaTeX would take for a command, and how it is written as text."""


def tex_text(text: str) -> str:
    """Text that LaTeX sets as it stands."""
    return "".join(TEX.get(c, c) for c in plain(text))


def tex(table: str, of: Sequence[Part], told: Told, below: Sequence[str]) -> str:
    """The content of `{table}.tex`: a table environment for each part, and the notes as comments."""
    blocks = [f"% {table}: needs \\usepackage{{booktabs}}"]
    for part in of:
        cells = [list(map(tex_text, row)) for row in grid(part, told)]
        heads = len(part.lines[0].heads)
        caption = f"{part.title}. Brackets: 95 % intervals {covered([part])}. Differences: {part.difference}"
        rows = [" & ".join(f"{{{cell}}}" for cell in row) + r" \\" for row in cells]
        blocks.append(
            "\n".join(
                [
                    r"\begin{table}",
                    rf"\caption{{{tex_text(caption)}.}}",
                    rf"\label{{tab:{table}-{part.name}}}",
                    rf"\begin{{tabular}}{{{'l' * heads}{'r' * (len(cells[0]) - heads)}}}",
                    r"\toprule",
                    rows[0],
                    r"\midrule",
                    *rows[1:],
                    r"\bottomrule",
                    r"\end{tabular}",
                    r"\end{table}",
                ]
            )
        )
    return "\n\n".join([*blocks, "\n".join(f"% {note}" for note in below)]) + "\n"
