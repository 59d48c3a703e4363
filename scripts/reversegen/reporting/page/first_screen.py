"""The first screen of the page: what was found, how sure it is, what to do next, and the two charts that show it."""

from __future__ import annotations

from reversegen.core.metric import MetricDescription
from reversegen.reporting.page.certainty import certainty
from reversegen.reporting.page.content import PageContent, Rows
from reversegen.reporting.page.first_charts import first_charts
from reversegen.reporting.page.headline import headline
from reversegen.reporting.page.next_steps import next_steps


def first_screen(content: PageContent, proposers: Rows, targets: Rows, main: MetricDescription) -> str:
    """Four parts in the order of their reading on a narrow screen; the style sheet places them on a wide one."""
    charts = first_charts(content.evaluations, proposers, targets, main)
    parts = {
        "finding": ("What was found", headline(proposers, targets, main, content.evaluations[0].kind)),
        "certainty": ("How sure it is", certainty(content, proposers, targets, main)),
        "steps": ("What to do next", next_steps(content)),
    }
    sections = "".join(
        f'<section class="{name}" aria-labelledby="{name}">\n<h2 id="{name}">{title}</h2>\n{html}\n</section>\n'
        for name, (title, html) in parts.items()
    )
    return f'<div class="first">\n{sections}<div class="charts">\n{charts}</div>\n</div>'
