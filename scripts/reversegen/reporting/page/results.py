"""The page's tables of proposers and targets."""

from __future__ import annotations

from collections.abc import Sequence

from reversegen.core.escaping import html_text
from reversegen.evaluation.eval_file import EvalFile
from reversegen.reporting.page.content import Rows
from reversegen.reporting.page.elements import breakable, html_table
from reversegen.reporting.tables import cell_text, meaning


def results(evaluations: Sequence[EvalFile], proposers: Rows, targets: Rows) -> str:
    """Both tables, and what their metrics mean."""
    parts = []
    if proposers:
        parts.append(_table("Proposer by iteration", proposers))
    if targets:
        parts.append(_table("Target by source", targets))
    meanings = f"<summary>What the metrics mean</summary>\n<p>{html_text(meaning(evaluations))}</p>"
    return "\n".join([*parts, f'<details class="note">\n{meanings}\n</details>'])


def _table(title: str, rows: Rows) -> str:
    """A line for each metric and a column for each row, so that many types make it long, not wide."""
    lines = []
    for name in next(iter(rows.values())):
        texts = (map(html_text, cell_text(cells[name])) for cells in rows.values())
        lines.append(
            [breakable(name), *(f"{value}{interval and f' <small>{interval}</small>'}" for value, interval in texts)]
        )
    return f"<h3>{title}</h3>\n{html_table(title, ['metric', *map(breakable, rows)], lines)}"
