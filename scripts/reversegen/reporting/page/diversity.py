"""The page's chart of validity, diversity and novelty, and its collapse alarm."""

from __future__ import annotations

from reversegen.core.escaping import html_text
from reversegen.reporting.page.charts import Series, line_chart
from reversegen.reporting.page.content import PageContent
from reversegen.reporting.page.elements import figure, intervals_note, point
from reversegen.reporting.rows import tasks_of
from reversegen.reporting.tables import pool

SHARES = ("validity", "unique_share", "distinct_3", "novelty", "semantic_diversity", "self_bleu")
"""Metrics from 0 to 1 of the chart of diversity; those that were not measured are left out."""


def diversity(content: PageContent) -> str:
    """A chart of the shares by iteration, and what the collapse alarm says."""
    trained = [e for e in content.evaluations if e.role == "proposer" and e.iteration is not None]
    if not trained:
        return ""
    cells = pool(trained, content.outcomes)
    steps = sorted({e.iteration for e in trained if e.iteration is not None})
    series: list[Series] = []
    for name in SHARES:
        measured = [(k, cells[key]) for k in steps if (key := ("proposer", str(k), "", name)) in cells]
        if any(cell.values for _, cell in measured):
            points = [point(k, cell) for k, cell in measured]
            series.append(Series(name.replace("_", " "), points, len(series)))
    caption = "Validity, diversity and novelty of what the proposers wrote on held-out prompts, by iteration; "
    caption += intervals_note(len(tasks_of(trained)[1]), "prompts")
    chart = figure(caption, line_chart(caption, series, "iteration (0 is the warm-up)", "share"))
    alarms = [(e, reason) for e in trained for reason in e.alarms]
    if not alarms:
        return f"{chart}<p>No limit of the collapse alarm is broken.</p>"
    listed = "".join(f"<li>{html_text(f'{e.task}, iteration {e.iteration}: {reason}')}</li>" for e, reason in alarms)
    return f'{chart}<div class="alarm" role="note"><strong>Collapse alarm</strong><ul>{listed}</ul></div>'
