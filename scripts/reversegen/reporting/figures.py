"""`results/figures/{table}.svg`: the numbers of a table as a figure. The same numbers give the same bytes."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from reversegen.core.metric import metric_words
from reversegen.reporting.comparison_files import intervals_text, plain
from reversegen.reporting.comparisons import HELD_OUT, NULL, Entry, Line, TablePart
from reversegen.reporting.rows import TARGET_ROWS
from reversegen.reporting.tables import headline_metrics

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STYLE: dict[str, Any] = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9,
    "grid.alpha": 0.2,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "reversegen",
    "text.parse_math": False,  # a name may hold dollars
}
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
"""The colours of Okabe and Ito, which colour-blind people can distinguish, without yellow, which is too light for lines."""
MARKERS = "os^Dv<>"
BELOW: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (0, -0.16)}
"""Where a panel has its legend: below the axis, so that it hides no number."""


Panels = list[tuple[str, "Callable[[Axes, Sequence[Line]], None]", Sequence[Line]]]
"""The title of each panel, the function that draws it, and its lines."""


def figure(table: str, parts: Sequence[TablePart]) -> str:
    """An SVG of a table's numbers; its text stays text. Without numbers the figure states that there are none."""
    from matplotlib import style
    from matplotlib.figure import Figure

    file = io.StringIO()
    with style.context(["default", STYLE]):
        panels = _ablation_panels(parts) if table == "ablation" else _panels(parts)
        drawing = Figure(figsize=(4.2 * max(len(panels), 1), 3.4), layout="constrained")
        for n, (title, draw, lines) in enumerate(panels, 1):
            axes = drawing.add_subplot(1, len(panels), n)
            axes.set_title(title, loc="left", fontsize=10)
            draw(axes, lines)
        if not panels:
            drawing.text(0.5, 0.5, "there are no results to draw", ha="center")
        else:
            drawing.supxlabel(f"bars: 95 % intervals {intervals_text(parts)}", fontsize=8)
        metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        drawing.savefig(file, format="svg", metadata=metadata)
    return file.getvalue()


def _panels(parts: Sequence[TablePart]) -> Panels:
    """The panels of a kind: failure rates and diversity by iteration, and the headline metrics of targets by source."""
    by_name = {part.name: part.lines for part in parts}
    proposers = [line for line in by_name.get("proposer", []) if line.heads["iteration"] != "untrained"]
    targets = by_name.get("target", [])
    panels: Panels = []
    for metric, title in (
        ("failure_rate", "Failure rate by iteration"),
        (HELD_OUT, "By the hold-out judge"),
        ("distinct_3", "Distinct 3-grams by iteration"),
    ):
        if _measured(proposers, metric):
            panels.append((title, partial(_by_iteration, metric=metric), proposers))
    headlines = [metric.name for metric in headline_metrics(targets[0].run.kind)] if targets else []
    for metric in [name for name in headlines if _measured(targets, name)][:2]:
        title = f"{metric_words(metric).capitalize()} by source"
        panels.append((title, partial(_by_source, metric=metric), targets))
    return panels


def _ablation_panels(parts: Sequence[TablePart]) -> Panels:
    """The panels of ablations: failure rate of the last proposer, and main metric of the enhanced target, of each kind."""
    panels: Panels = []
    for part in parts:
        main = headline_metrics(part.name)[0].name
        for metric, title in (
            ("failure_rate", "failure rate of the last proposer"),
            (main, f"{main} after enhancement"),
        ):
            if _measured(part.lines, metric):
                title = f"{part.name}: {title.replace('_', ' ')}"
                panels.append((title, partial(_by_task, metric=metric), part.lines))
    return panels


def _measured(lines: Sequence[Line], metric: str) -> bool:
    return any(_entry(line, metric) for line in lines)


def _entry(line: Line, metric: str) -> Entry | None:
    entries = (e for e in line.entries if e.metric == metric and e.estimate.value is not None)
    return next(entries, None)


def _by_iteration(axes: Axes, lines: Sequence[Line], metric: str) -> None:
    tasks = list(dict.fromkeys(line.task for line in lines))
    for n, task in enumerate(tasks):
        steps = [
            (int(line.heads["iteration"]), e) for line in lines if line.task == task and (e := _entry(line, metric))
        ]
        places = [step + 0.06 * (n - (len(tasks) - 1) / 2) for step, _ in steps]
        colour, entries = COLOURS[n % len(COLOURS)], [e for _, e in steps]
        axes.plot(places, _values(entries), MARKERS[n % len(MARKERS)] + "-", color=colour, label=plain(task))
        axes.vlines(places, *_ends(entries), color=colour)
    axes.set(xlabel="iteration (0 is the warm-up)", ylabel=metric_words(metric), ylim=(0, 1.02))
    axes.set_xticks(sorted({int(line.heads["iteration"]) for line in lines}))
    axes.legend(**BELOW)


def _by_source(axes: Axes, lines: Sequence[Line], metric: str) -> None:
    sources = [source for source in TARGET_ROWS if any(line.heads["source"] == source for line in lines)]
    tasks = list(dict.fromkeys(line.task for line in lines))
    for n, task in enumerate(tasks):
        places = [
            (sources.index(line.heads["source"]), e)
            for line in lines
            if line.task == task and (e := _entry(line, metric))
        ]
        shift = 0.16 * (n - (len(tasks) - 1) / 2)
        _dots(axes, [place + shift for place, _ in places], [e for _, e in places], n, task)
    axes.set(xlabel=metric_words(metric), xlim=(-0.02, 1.02), ylim=(len(sources) - 0.5, -0.5))
    axes.set_yticks(range(len(sources)), sources)
    axes.legend(**BELOW)


def _by_task(axes: Axes, lines: Sequence[Line], metric: str) -> None:
    places = [(n, e) for n, line in enumerate(lines) if (e := _entry(line, metric))]
    _dots(axes, [place for place, _ in places], [e for _, e in places], 0, NULL)
    axes.set(xlabel=metric_words(metric), xlim=(-0.02, 1.02), ylim=(len(lines) - 0.5, -0.5))
    axes.set_yticks(range(len(lines)), [plain(line.task) for line in lines])


def _dots(axes: Axes, places: Sequence[float], entries: Sequence[Entry], n: int, label: str) -> None:
    colour = COLOURS[n % len(COLOURS)]
    axes.hlines(places, *_ends(entries), color=colour)
    axes.plot(_values(entries), places, MARKERS[n % len(MARKERS)], color=colour, markersize=5, label=plain(label))


def _values(entries: Sequence[Entry]) -> list[float]:
    return [math.nan if e.estimate.value is None else e.estimate.value for e in entries]


def _ends(entries: Sequence[Entry]) -> tuple[list[float], list[float]]:
    """The ends of the bars, which are always intervals; not a number if there is no interval."""
    lows = [math.nan if e.estimate.low is None else e.estimate.low for e in entries]
    highs = [math.nan if e.estimate.high is None else e.estimate.high for e in entries]
    return lows, highs
