"""The page's chart of diversity and novelty, and its collapse alarm."""

from __future__ import annotations

from reversegen.core.escaping import html_text
from reversegen.core.metric import metric_words
from reversegen.reporting.page.certainty import collapse_alarms
from reversegen.reporting.page.charts import Series, line_chart
from reversegen.reporting.page.content import PageContent
from reversegen.reporting.page.elements import figure, figure_numbers, intervals_note, note, point
from reversegen.reporting.page.terms import metric_term
from reversegen.reporting.rows import tasks_of
from reversegen.reporting.tables import Cell, pool

SHARES = ("unique_share", "distinct_3", "novelty", "semantic_diversity", "self_bleu")
"""The metrics of the chart, all from 0 to 1. A metric that was not measured is left out."""


def diversity(content: PageContent) -> str:
    """A chart of the shares by iteration, and the state of the collapse alarm, as HTML."""
    rows = _rows(content)
    trained = {row: cells for row, cells in rows.items() if row.isdecimal()}
    if not trained:
        return ""
    kind, seeds = content.evaluations[0].kind, len(tasks_of(content.evaluations)[1])
    measured = [name for name in SHARES if any(cells[name].values for cells in trained.values())]
    parts = []
    if measured:
        caption = "Diversity and novelty of what the proposers wrote on held-out prompts, by iteration; "
        caption += intervals_note(seeds, "prompts")
        series = [
            Series(
                text := metric_words(name),
                [point(int(row), cells[name]) for row, cells in trained.items()],
                n,
                legend=metric_term(name, kind, text),
            )
            for n, name in enumerate(measured)
        ]
        chart = line_chart(caption, series, "iteration (0 is the warm-up)", "share")
        parts.append(figure(caption, chart, figure_numbers("iteration", rows, measured, kind)))
    parts += [note(f"{name} was not measured: {reason}.") for name, reason in _reasons(trained).items()]
    return "".join([*parts, _alarm(content)])


def _rows(content: PageContent) -> dict[str, dict[str, Cell]]:
    """The cells of SHARES by row of the proposer's table. A metric that was not measured has a cell without a number."""
    cells = pool(content.evaluations, content.outcomes)
    rows = dict.fromkeys(row for role, row, _, _ in cells if role == "proposer")
    return {row: {name: cells.get(("proposer", row, "", name), Cell({})) for name in SHARES} for row in rows}


def _reasons(rows: dict[str, dict[str, Cell]]) -> dict[str, str]:
    """Why a metric has no number in any row, for each metric whose evaluations give a reason."""
    reasons: dict[str, str] = {}
    for name in SHARES:
        metrics = [metric for cells in rows.values() for metric in cells[name].metrics.values()]
        if all(metric.value is None for metric in metrics):
            given = [metric.reason for metric in metrics if metric.reason]
            reasons |= {name: given[0]} if given else {}
    return reasons


def _alarm(content: PageContent) -> str:
    alarms = collapse_alarms(content)
    if not alarms:
        return "<p>No limit of the collapse alarm is broken.</p>"
    listed = "".join(f"<li>{html_text(text)}</li>" for text in alarms)
    return f'<div class="alarm" role="note"><ul>{listed}</ul></div>'
