"""HTML that several sections of the page use: figures, tables, notes, and numbers with their intervals."""

from __future__ import annotations

from collections.abc import Sequence

from reversegen.core.escaping import html_text
from reversegen.core.metric import Metric
from reversegen.evaluation.statistics import coverage
from reversegen.reporting.page.charts import Point
from reversegen.reporting.tables import Cell


def figure(caption: str, chart: str) -> str:
    """A chart with its caption, which is text."""
    text = html_text(caption).replace(" %", "&nbsp;%")
    return f"<figure>\n{chart}\n<figcaption>{text}.</figcaption>\n</figure>\n"


def html_table(title: str, head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table of HTML cells, the first of each line its head; a narrow screen scrolls it alone."""
    heads = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = [
        f'<tr><th scope="row">{line[0]}</th>{"".join(f"<td>{cell}</td>" for cell in line[1:])}</tr>' for line in lines
    ]
    opening = f'<div class="wide" role="region" aria-label="{title}" tabindex="0">'
    return "\n".join(
        [opening, f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>", *body, "</tbody>\n</table>\n</div>"]
    )


def note(text: str) -> str:
    """A paragraph beside a table or a chart."""
    return f'<p class="note">{html_text(text)}</p>'


def breakable(name: str) -> str:
    """A name that a narrow column may break at its underscores."""
    return html_text(name).replace("_", "_<wbr>")


def with_interval(metric: Metric) -> str:
    """A number with its interval if it has one; a dash without a number."""
    if metric.value is None:
        return "\N{EN DASH}"
    interval = f" [{metric.low:.3f}, {metric.high:.3f}]" if metric.low is not None and metric.high is not None else ""
    return f"{metric.value:.3f}{interval}"


def truncated(text: str, longest: int) -> str:
    """The text, or its first characters and how many it has."""
    return text if len(text) <= longest else f"{text[:longest]} … ({len(text):,} characters)"


def point(place: float, cell: Cell) -> Point:
    """A table's cell as a mark of a chart, with its interval if it has one."""
    return Point(place, cell.estimate.value, cell.estimate.low, cell.estimate.high)


def intervals_note(random_seeds: int, items: str) -> str:
    """What a chart's bars are; `items` names what was drawn: prompts or questions."""
    return f"bars are 95 % intervals {coverage(random_seeds, items)}"
