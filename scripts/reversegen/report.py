"""A task's page, one self-contained HTML file: what was found, two plots, two tables and where numbers come from."""

from __future__ import annotations

import html
import io
import json
import math
import re
from collections.abc import Callable, Sequence
from functools import partial
from string import Template
from typing import TYPE_CHECKING, Any

from reversegen.evaluation import Evaluation
from reversegen.tables import ROWS, SOURCES, Cell, main_measure, meaning, row_name, shown, table, tasks_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Rows = dict[str, dict[str, Cell]]

INK, FIRST, SECOND = "#010203", "#040506", "#070809"
COLOURS = {INK: "currentColor", FIRST: "var(--first)", SECOND: "var(--second)"}
"""What matplotlib draws with, and what the page puts there: its colours differ between light and dark."""

INKED = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color")
STYLE: dict[str, Any] = dict.fromkeys(INKED, INK) | {"axes.grid": True, "grid.alpha": 0.15, "legend.frameon": False}
STYLE |= {"axes.spines.top": False, "axes.spines.right": False, "svg.fonttype": "none", "svg.hashsalt": "reversegen"}

PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>$task</title>
<style>
:root { --ink: #1d2126; --faint: #5c6670; --line: #d9dee3; --back: #fff; --first: #0072b2; --second: #b45309; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e3e7eb; --faint: #9aa5b1; --line: #343b44; --back: #14181d; --first: #56b4e9; --second: #e69f00; }
}
body { margin: 0 auto; max-width: 64rem; padding: 1rem 1.25rem 3rem; color: var(--ink); background: var(--back);
  font: 1rem/1.55 system-ui, sans-serif; }
h1 { margin: 1rem 0 .5rem; font-size: 1.9rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.2rem; }
h3 { font-size: 1rem; }
.finding { max-width: 46rem; font-size: 1.1rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 0 2rem; }
figure { margin: 1rem 0; }
svg { display: block; width: 100%; height: auto; }
svg text { font-family: inherit !important; }
figcaption { margin-top: .4rem; }
figcaption, .note { max-width: 46rem; color: var(--faint); font-size: .875rem; }
.wide { overflow-x: auto; }
table { border-spacing: 0; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .65rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
th:first-child { position: sticky; left: 0; padding-left: 0; background: var(--back); text-align: left; }
td small { display: block; color: var(--faint); white-space: nowrap; }
summary { cursor: pointer; }
pre { overflow-x: auto; font-size: .75rem; }
@media (max-width: 30rem) { th, td { padding: .35rem .3rem; } }
@media print {
  body { max-width: none; padding: 0; font-size: .8rem; }
  .plots { grid-template-columns: 1fr 1fr; }
  .wide { overflow: visible; break-inside: avoid; }
  table { font-size: .7rem; line-height: 1.3; }
  th, td { padding: .2rem .5rem; }
  th:first-child { position: static; }
  h2 { break-after: avoid; }
}
</style>
</head>
<body>
<h1>$task</h1>
<p class="finding">$finding</p>
<div class="plots">
$plots
</div>
$tables
<p class="note">$meaning</p>
<details>
<summary>Provenance: hashes, versions, random seeds</summary>
$provenance
</details>
</body>
</html>
""")


def page(evaluations: Sequence[Evaluation]) -> str:
    """The content of `report.html`. Raises BadInput where the evaluations are not of one task."""
    name, tasks = tasks_of(evaluations)
    proposers, targets = (table(evaluations, role) for role in ROWS)
    found = "Failure rate and validity by iteration, on held-out prompts; bars are 95 % intervals"
    main = main_measure(evaluations)
    measured = main.replace("_", " ").capitalize()
    repaired = f"{measured} and what is retained by source, on test questions; bars are 95 % intervals"
    if len(tasks) > 1:
        found += ", thin lines random seeds, and thick ones their mean"
        repaired = repaired.replace("95 % intervals", "the mean ± the standard deviation over random seeds (dots)")
    plots, tables = [], []
    if proposers:
        trained = {row: cells for row, cells in proposers.items() if row != "baseline"}
        plots.append(_plot("proposer", _draw_proposers, trained or proposers, found))
        tables.append(_table("Proposer by iteration", proposers))
    if targets:
        own = {row: cells for row, cells in targets.items() if row in SOURCES}
        plots.append(_plot("target", partial(_draw_targets, main=main), own or targets, repaired))
        tables.append(_table("Target by source", targets))
    return PAGE.substitute(
        task=html.escape(name),
        finding=html.escape(finding(proposers, targets, main)),
        plots="\n".join(plots),
        tables="\n".join(tables),
        meaning=html.escape(meaning(evaluations)),
        provenance="\n".join(map(_provenance, evaluations)),
    )


def finding(proposers: Rows, targets: Rows, main: str) -> str:
    """One sentence of what was found, with its numbers; what was not evaluated is left out."""
    parts = []
    if trained := [row for row in proposers if row != "baseline"]:
        first, last = trained[0], trained[-1]
        rate, validity = ([_number(proposers, k, m) for k in (first, last)] for m in ("failure_rate", "validity"))
        parts.append(f"the failure rate went from {rate[0]} in iteration {first} to {rate[1]} in iteration {last}")
        parts.append(f"validity from {validity[0]} to {validity[1]}")
    if main in targets.get("baseline", {}) and "reversegen" in targets:
        before, after = (_number(targets, source, main) for source in ("baseline", "reversegen"))
        name = main.replace("_", " ")
        parts.append(f"{name} went from {before} of the untouched target to {after} with reversegen")
        if main == "attack_success_rate" and "over_refusal" in targets["baseline"]:  # it never stands alone
            refused = [_number(targets, source, "over_refusal") for source in ("baseline", "reversegen")]
            parts.append(f"over-refusal from {refused[0]} to {refused[1]}")
        controls = {s: m for s in SOURCES[1:-1] if s in targets and (m := targets[s][main].mean) is not None}
        if controls:
            best = (min if main == "attack_success_rate" else max)(controls, key=controls.__getitem__)
            parts.append(f"beside {_number(targets, best, main)} with the best control, {best}")
    sentence = ", ".join(parts) or "there is nothing to compare yet"
    return f"{sentence[0].upper()}{sentence[1:]}."


def _number(rows: Rows, row: str, column: str) -> str:
    """A cell's text, which no line break divides."""
    return " ".join(shown(column, rows[row][column])).strip().replace(" ", "\N{NO-BREAK SPACE}")


def _plot(name: str, draw: Callable[[Axes, Rows], None], rows: Rows, caption: str) -> str:
    """A figure with inline SVG: the same bytes for the same rows, its text as text, and ids that are its own."""
    from matplotlib import style
    from matplotlib.figure import Figure

    file = io.StringIO()
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(5, 3.4), layout="constrained")
        axes = figure.add_subplot()
        draw(axes, rows)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0)
        metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(file, format="svg", transparent=True, metadata=metadata)
    svg = file.getvalue()
    svg = re.sub(r'( id="|url\(#|href="#)', rf"\g<1>{name}-", svg[svg.index("<svg") :])
    for drawn, colour in COLOURS.items():
        svg = svg.replace(drawn, colour)
    caption = html.escape(caption).replace(" %", "&nbsp;%")
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{caption}" ', 1)
    return f"<figure>\n{svg}<figcaption>{caption}.</figcaption>\n</figure>"


def _draw_proposers(axes: Axes, rows: Rows) -> None:
    steps = [int(row) for row in rows]
    rate, validity = ([cells[name] for cells in rows.values()] for name in ("failure_rate", "validity"))
    axes.plot(steps, _means(rate), "o-", color=FIRST, linewidth=2.2, markersize=5, zorder=3, label="failure rate")
    axes.plot(steps, _means(validity), "s--", color=SECOND, linewidth=1.2, markersize=4, label="validity")
    tasks = list(rate[0].metrics)
    for n, task in enumerate(tasks):
        alone = [Cell({task: cell.metrics[task]}) for cell in rate]
        places = [step + 0.05 * (n - (len(tasks) - 1) / 2) for step in steps]  # so that bars stand side by side
        if len(tasks) > 1:
            axes.plot(places, _means(alone), color=FIRST, linewidth=0.8, alpha=0.7)
        axes.vlines(places, *_bars(alone), color=FIRST, linewidth=1.2)
    axes.set(xlabel="iteration (0 is the warm-up)", ylabel="share of samples", ylim=(0, 1.02), xticks=steps)


def _draw_targets(axes: Axes, rows: Rows, main: str) -> None:
    for name, colour, marker, shift in ((main, FIRST, "o", -0.15), ("retained", SECOND, "s", 0.15)):
        if not all(name in of_row for of_row in rows.values()):
            continue
        cells = [of_row[name] for of_row in rows.values()]
        places = [place + shift for place in range(len(rows))]
        axes.hlines(places, *_bars(cells), color=colour, linewidth=1.6)
        axes.plot(_means(cells), places, marker, color=colour, markersize=5, label=name.replace("_", " "))
        for place, cell in zip(places, cells, strict=True):
            if len(cell.metrics) > 1:
                axes.plot(cell.values, [place + 0.14] * len(cell.values), ".", color=colour, markersize=3)
    axes.set(xlabel="share of test questions", xlim=(0, 1.02), ylim=(len(rows) - 0.5, -0.5))
    axes.set_yticks(range(len(rows)), list(rows))


def _means(cells: Sequence[Cell]) -> list[float]:
    """What a line goes through; not a number, which leaves a gap, where nothing was measured."""
    return [math.nan if cell.mean is None else cell.mean for cell in cells]


def _bars(cells: Sequence[Cell]) -> tuple[list[float], list[float]]:
    """Lower and upper ends: mean ± spread of several random seeds, else the 95 % interval."""
    ends = [(math.nan, math.nan) for _ in cells]
    for n, cell in enumerate(cells):
        for metric in cell.metrics.values():
            if metric.low is not None and metric.high is not None:
                ends[n] = metric.low, metric.high
        if cell.mean is not None and cell.spread is not None:
            ends[n] = cell.mean - cell.spread, cell.mean + cell.spread
    return [low for low, _ in ends], [high for _, high in ends]


def _table(title: str, rows: Rows) -> str:
    """A line for each metric and a column for each row, so that many types make it long, not wide."""
    head = "".join(f'<th scope="col">{_breakable(row)}</th>' for row in ("metric", *rows))
    lines = [f"<h2>{title}</h2>", f'<div class="wide" role="region" aria-label="{title}" tabindex="0">', "<table>"]
    lines.append(f"<thead><tr>{head}</tr></thead>")
    for name in next(iter(rows.values())):
        texts = (map(html.escape, shown(name, cells[name])) for cells in rows.values())
        body = "".join(f"<td>{value}{beside and f' <small>{beside}</small>'}</td>" for value, beside in texts)
        lines.append(f'<tr><th scope="row">{_breakable(name)}</th>{body}</tr>')
    return "\n".join([*lines, "</table>", "</div>"])


def _breakable(name: str) -> str:
    return html.escape(name).replace("_", "_<wbr>")


def _provenance(evaluation: Evaluation) -> str:
    name = f"{evaluation.task}: {evaluation.role}, {ROWS[evaluation.role]} {row_name(evaluation)}"
    facts = json.dumps(evaluation.provenance, indent=2, ensure_ascii=False)
    return f"<h3>{html.escape(name)}</h3>\n<pre>{html.escape(facts)}</pre>"
