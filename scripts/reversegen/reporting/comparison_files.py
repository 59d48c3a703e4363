"""`results/tables/{table}.csv`, `.md` and `.tex`: the grids of a table of several tasks as files."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Sequence

from reversegen.core.escaping import markdown_text
from reversegen.core.markdown import filled, narrow_tables
from reversegen.evaluation.statistics import Estimate, coverage
from reversegen.reporting.comparisons import NULL, Line, TablePart
from reversegen.reporting.reported import ReportedNumbers
from reversegen.reporting.tables import descriptions, table_cell

NUMBER = re.compile(r"[-+0-9., ±\[\]]+(\([0-9]+ of [0-9]+ random seeds\))?|\N{EN DASH}")
"""Cells that need no escaping in Markdown."""

CSV_COLUMNS = (
    *("table", "task", "kind", "proposer", "target", "role", "row", "metric", "value", "low", "high", "sd"),
    *("random_seeds", "less", "difference", "difference_low", "difference_high", "difference_random_seeds"),
    *("reported", "reported_source"),
)
"""`difference` is `value` less the value of the row in `less`; for targets, the value of reversegen less `value`. It is taken
over the random seeds in which both rows have the same prompts or questions."""


def comma_separated(table: str, parts: Sequence[TablePart], reported: ReportedNumbers) -> str:
    """The content of `{table}.csv`, a line for each number."""
    file = io.StringIO()
    writer = csv.DictWriter(file, CSV_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for line in (line for part in parts for line in part.lines):
        for entry in line.entries:
            between, published = entry.difference, reported.get((line.task, entry.row, entry.metric))
            if not entry.estimate.random_seeds and not published:
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
                **vars(entry.estimate),
                "less": entry.less,
                "difference": between.value,
                "difference_low": between.low,
                "difference_high": between.high,
                "difference_random_seeds": between.random_seeds or None,
                "reported": published and published.value,
                "reported_source": published and published.source,
            }
            writer.writerow({name: table_cell(plain(v) if isinstance(v, str) else v) for name, v in values.items()})
    return file.getvalue()


def plain(text: str) -> str:
    """Text on one line, without control characters, which could change how a terminal or page shows the text after them."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c)[0] == "C" else c for c in " ".join(text.split())
    )


def grid(part: TablePart, reported: ReportedNumbers) -> list[list[str]]:
    """The cells of a part as plain text, its head first, without empty columns."""
    metrics = dict.fromkeys(entry.metric for line in part.lines for entry in line.entries)
    columns: dict[str, list[str]] = {name: [line.heads[name] for line in part.lines] for name in part.lines[0].heads}
    entries = [{entry.metric: entry for entry in line.entries} for line in part.lines]
    seeds = list(map(_random_seeds, part.lines))
    columns["random seeds"] = list(map(str, seeds))
    for metric in metrics:
        several = [by_metric.get(metric) for by_metric in entries]
        columns[metric] = [
            number_text(metric, e.estimate, n) if e else NULL for e, n in zip(several, seeds, strict=True)
        ]
        columns[f"difference of {metric}"] = [
            number_text(metric, e.difference, n, "+") if e else NULL for e, n in zip(several, seeds, strict=True)
        ]
        published = [
            e and reported.get((line.task, e.row, metric)) for e, line in zip(several, part.lines, strict=True)
        ]
        columns[f"{metric} reported"] = [f"{number.value:.15g}" if number else NULL for number in published]
    shown = {name: cells for name, cells in columns.items() if name in part.lines[0].heads or set(cells) - {NULL}}
    return [list(map(plain, row)) for row in [list(shown), *map(list, zip(*shown.values(), strict=True))]]


def _random_seeds(line: Line) -> int:
    """The number of random seeds of a line; one of its numbers may have fewer."""
    return max(entry.estimate.random_seeds for entry in line.entries)


def number_text(metric: str, number: Estimate, random_seeds: int, sign: str = "") -> str:
    """A mean with its interval or standard deviation, and with its number of random seeds if the line has more."""
    if number.value is None:
        return NULL
    form = ",.0f" if metric.startswith("training_") else ".3f"
    text = f"{number.value:{sign}{form}}"
    if number.low is not None and number.high is not None:
        text += f" [{number.low:{sign}{form}}, {number.high:{sign}{form}}]"
    elif number.sd is not None:
        text += f" ± {number.sd:{form}}"
    if number.random_seeds == random_seeds:
        return text
    return f"{text} ({number.random_seeds} of {random_seeds} random seeds)"


def intervals_text(table_parts: Sequence[TablePart]) -> str:
    """What the intervals of these parts cover, in words."""
    asked = {"proposer": "prompts", "target": "questions"}
    roles = {entry.role for part in table_parts for line in part.lines for entry in line.entries}
    kinds = " or ".join(name for role, name in asked.items() if role in roles)
    numbers = {_random_seeds(line) for part in table_parts for line in part.lines}
    if len(numbers) <= 1:
        return coverage(max(numbers, default=1), kinds)
    return f"over the random seeds of a line and the {kinds}; of one random seed, over {kinds} only"


def notes(
    parts: Sequence[TablePart], reported: ReportedNumbers, shipped: Sequence[str], missing: Sequence[str]
) -> list[str]:
    """The notes below a table: the meaning of its numbers, results that ship with the workflow, and tasks without results."""
    lines = [line for part in parts for line in part.lines]
    known = {name: metric for line in lines for name, metric in descriptions(line.run.kind).items()}
    names = dict.fromkeys(e.metric for line in lines for e in line.entries if e.estimate.random_seeds)
    metrics = [known[name] for name in names if name in known]
    texts = []
    if lines:
        texts.append(
            f"Means over random seeds. Brackets hold 95 % intervals {intervals_text(parts)}, cut at the ends of a metric's "
            f"scale; ± is the sample standard deviation over random seeds, if there is no interval; {NULL} means not measured"
        )
        differences = "; ".join(f'in "{part.title}", {part.difference}' for part in parts)
        texts.append(f"Differences are paired by prompt or question: {differences}")
        texts += [f"{metric.name}: {metric.meaning}" for metric in metrics]
        texts.append("SET/METRIC is the metric on one test set")
    texts += [metric.note for metric in metrics if metric.note]
    if shipped:
        texts.append(f"From results that ship in resources/example, not from your own runs: {', '.join(shipped)}")
    if missing:
        texts.append(f"Not shown, since they have no results: {', '.join(missing)}")
    rows = {(line.task, e.row, e.metric): e for line in lines for e in line.entries}
    if sources := dict.fromkeys(number.source for key, number in reported.items() if key in rows):
        texts.append(f"Reported by: {'; '.join(sources)}")
    if absent := [", ".join(key) for key in reported if key not in rows]:
        texts.append(f"In resources/reported.csv, but not a row of this table: {'; '.join(absent)}")
    return [f"{plain(text)}." for text in texts]


def markdown(table: str, parts: Sequence[TablePart], reported: ReportedNumbers, below: Sequence[str]) -> str:
    """The content of `{table}.md`, on lines that fit a screen; `below` are the notes under the tables."""
    blocks = [f"# {table.capitalize()}"]
    for part in parts:
        cells = [
            [cell if NUMBER.fullmatch(cell) else markdown_text(cell) for cell in row]
            for row in _keys_first(part, grid(part, reported))
        ]
        table_text = narrow_tables(cells[0], cells[1:], len(part.lines[0].heads), keys=len(part.keys))
        blocks += [f"## {_sentence(part.title)}", table_text]
    notes_text = [filled(_sentence(note), "- ") for note in below]
    if parts and notes_text:
        blocks.append("## What the tables show")
    return "\n\n".join([*blocks, *(["\n".join(notes_text)] if notes_text else [])]) + "\n"


def _sentence(text: str) -> str:
    """The text as Markdown outside tables, where a colon before a space has no meaning."""
    return markdown_text(text).replace(r"\: ", ": ")


def _keys_first(part: TablePart, cells: Sequence[Sequence[str]]) -> list[list[str]]:
    """The columns that name a line first, since each of several narrow tables repeats them."""
    order = sorted(range(len(cells[0])), key=lambda n: cells[0][n] not in part.keys)
    return [[row[n] for n in order] for row in cells]


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
"""The characters that LaTeX would read as commands, and how they are written as text."""


def tex_text(text: str) -> str:
    """Text in which no character is a command of LaTeX."""
    return "".join(TEX.get(c, c) for c in plain(text))


def tex(table: str, parts: Sequence[TablePart], reported: ReportedNumbers, below: Sequence[str]) -> str:
    """The content of `{table}.tex`: a table environment for each part, and the notes as comments."""
    blocks = [f"% {table}: needs \\usepackage{{booktabs}}"]
    for part in parts:
        cells = [list(map(tex_text, row)) for row in grid(part, reported)]
        heads = len(part.lines[0].heads)
        caption = f"{part.title}. Brackets: 95 % intervals {intervals_text([part])}. Differences: {part.difference}"
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
