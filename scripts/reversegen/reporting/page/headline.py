"""What was found, in a few large numbers: the first and last proposer, and the target before and after enhancement."""

from __future__ import annotations

from reversegen.core.escaping import html_text
from reversegen.core.metric import MetricDescription, metric_words
from reversegen.core.sources import CONTROL_SOURCES
from reversegen.reporting.page.content import Rows
from reversegen.reporting.page.elements import unbroken
from reversegen.reporting.page.terms import metric_term, row_term
from reversegen.reporting.tables import Cell, cell_text


def headline(proposers: Rows, targets: Rows, main: MetricDescription, kind: str) -> str:
    """A tile for each finding, as HTML. A part that was not evaluated has no tile."""
    tiles = []
    if trained := [row for row in proposers if row != "untrained"]:
        first, last = trained[0], trained[-1]
        cells = [proposers[row]["failure_rate"] for row in dict.fromkeys((first, last))]
        note = f"iteration {first}" if first == last else f"from iteration {first} to iteration {last}"
        title = f"Proposer: {metric_term('failure_rate', kind, 'failure rate')}"
        tiles.append(_tile(title, cells, note))
    if main.name in targets.get("original", {}) and "reversegen" in targets:
        cells = [targets[row][main.name] for row in ("original", "reversegen")]
        notes = [f"from {row_term('original')} to {row_term('reversegen')}"]
        notes += [_companion(targets, name, kind) for name in main.beside if name in targets["original"]]
        title = f"Target: {metric_term(main.name, kind, metric_words(main.name))}"
        tiles.append(_tile(title, cells, *notes))
        if control := best_control(targets, main):
            note = f"{html_text(metric_words(main.name))}, best control source"
            tiles.append(_tile(f"With {row_term(control)}", [targets[control][main.name]], note))
    if not tiles:
        return "<p>There is nothing to compare yet.</p>"
    return f'<dl class="tiles">\n{"".join(tiles)}</dl>'


def best_control(targets: Rows, main: MetricDescription) -> str | None:
    """The control source with the best mean of the main metric; None if none was measured."""
    means = {s: m for s in CONTROL_SOURCES if s in targets and (m := targets[s][main.name].estimate.value) is not None}
    choose = min if main.less_is_better else max
    return choose(means, key=means.__getitem__) if means else None


def _companion(targets: Rows, name: str, kind: str) -> str:
    """A metric without which the main one would mislead: before and after enhancement."""
    before, after = (cell_text(targets[row][name]) for row in ("original", "reversegen"))
    numbers = html_text(unbroken(f"{before[0]} to {' '.join(after)}".strip()))
    return f"{metric_term(name, kind, metric_words(name))}: {numbers}"


def _tile(title: str, cells: list[Cell], *notes: str) -> str:
    """One or two numbers with their intervals below them; `title` and `notes` are HTML."""
    arrow = ' <span role="img" aria-label="to">\N{RIGHTWARDS ARROW}</span> '
    numbers = [
        f"<span><strong>{value}</strong> <small>{unbroken(beside)}</small></span>"
        for value, beside in (map(html_text, cell_text(cell)) for cell in cells)
    ]
    details = "\n".join(f"<dd>{text}</dd>" for text in (arrow.join(numbers), *notes))
    return f"<div><dt>{title}</dt>\n{details}</div>\n"
