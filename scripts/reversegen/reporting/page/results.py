"""The page's tables of proposers and targets: the metrics that no figure shows."""

from __future__ import annotations

from collections.abc import Collection

from reversegen.core.metric import MetricDescription, metric_words
from reversegen.evaluation.statistics import coverage
from reversegen.reporting.page.content import PageContent, Rows
from reversegen.reporting.page.diversity import SHARES
from reversegen.reporting.page.elements import cell_html, html_table, note
from reversegen.reporting.page.first_charts import PROPOSER_SHARES, charted_metrics, charted_targets
from reversegen.reporting.page.terms import breakable, metric_term, row_term
from reversegen.reporting.rows import tasks_of

TYPE = "type "
"""How the columns begin that hold the main metric on the questions of one type."""


def results(content: PageContent, proposers: Rows, targets: Rows, main: MetricDescription) -> str:
    """A table of proposers, one of targets and one of targets by type of question, as HTML."""
    kind = content.evaluations[0].kind
    parts = [_table("Proposer by iteration", proposers, {*PROPOSER_SHARES, *SHARES}, kind)]
    parts.append(_table("Target by source", targets, charted_metrics(targets, main), kind))
    parts.append(_table_by_type(targets, main, kind))
    tables = [part for part in parts if part]
    return "\n".join([*tables, note(_beside(content))]) if tables else ""


def _beside(content: PageContent) -> str:
    """A sentence on the brackets and signs beside the numbers."""
    seeds = len(tasks_of(content.evaluations)[1])
    covers = f"Brackets hold 95 % intervals {coverage(seeds, 'prompts or questions')}"
    if seeds > 1:
        covers = (
            f"Each number is the mean over {seeds} random seeds. {covers}. A number without an interval has \N{PLUS-MINUS SIGN}"
            " and its sample standard deviation over random seeds. table.csv has the numbers of each random seed"
        )
    return f"{covers}. \N{EN DASH} means not measured. The figures have the numbers of the other metrics."


def _table(title: str, rows: Rows, charted: Collection[str], kind: str) -> str:
    """A line for each metric and a column for each row, so that many metrics make it long, not wide."""
    names = [name for name in next(iter(rows.values()), {}) if name not in charted and not name.startswith(TYPE)]
    lines = [[metric_term(name, kind), *(cell_html(cells[name]) for cells in rows.values())] for name in names]
    if not lines:
        return ""
    return f"<h3>{title}</h3>\n{html_table(title, ['metric', *map(row_term, rows)], lines)}"


def _table_by_type(targets: Rows, main: MetricDescription, kind: str) -> str:
    """The main metric by type of question; empty if the task has no types."""
    rows = charted_targets(targets)
    names = [name for name in next(iter(rows.values()), {}) if name.startswith(TYPE)]
    lines = [
        [breakable(name.removeprefix(TYPE)), *(cell_html(cells[name]) for cells in rows.values())] for name in names
    ]
    if not lines:
        return ""
    text = metric_words(main.name).capitalize()
    heading = f"<h3>{metric_term(main.name, kind, text)} by type of question</h3>"
    return f"{heading}\n{html_table(f'{text} by type of question', ['type', *map(row_term, rows)], lines)}"
