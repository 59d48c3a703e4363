"""HTML that several sections of the page use: figures, tables, notes, commands, and numbers with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reversegen.core.escaping import html_text
from reversegen.core.metric import Metric
from reversegen.evaluation.statistics import coverage
from reversegen.reporting.page.charts import Point
from reversegen.reporting.page.terms import metric_term, row_term
from reversegen.reporting.tables import Cell, cell_text


def figure(caption: str, chart: str, numbers: str = "") -> str:
    """A chart with its caption, which is text, and the table of its numbers, which unfolds."""
    text = html_text(caption).replace(" %", "&nbsp;%")
    unfolded = f"<details>\n<summary>Numbers of this figure</summary>\n{numbers}\n</details>\n" if numbers else ""
    return f"<figure>\n{chart}\n<figcaption>{text}.</figcaption>\n{unfolded}</figure>\n"


def html_table(title: str, head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table of HTML cells. The first cell of each line is its head. On a narrow screen the table scrolls by itself."""
    heads = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = [
        f'<tr><th scope="row">{line[0]}</th>{"".join(f"<td>{cell}</td>" for cell in line[1:])}</tr>' for line in lines
    ]
    opening = f'<div class="wide" role="region" aria-label="{html_text(title)}" tabindex="0">'
    return "\n".join(
        [opening, f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>", *body, "</tbody>\n</table>\n</div>"]
    )


def figure_numbers(rows_are: str, rows: Mapping[str, Mapping[str, Cell]], names: Sequence[str], kind: str) -> str:
    """The table behind a figure: a line for each row and a column for each of the metrics `names`."""
    heads = [rows_are, *(metric_term(name, kind) for name in names)]
    lines = [[row_term(row), *(cell_html(cells[name]) for name in names)] for row, cells in rows.items()]
    return html_table("Numbers of this figure", heads, lines)


def note(text: str) -> str:
    """A paragraph beside a table or a chart."""
    return f'<p class="note">{html_text(text)}</p>'


def command(line: str) -> str:
    """A command line for a shell. One click selects all of it, and it breaks only between words."""
    words = " ".join(f"<span>{html_text(word)}</span>" for word in line.split(" "))
    return f'<code class="command">{words}</code>'


def cell_html(cell: Cell) -> str:
    """The number of a table's cell, with its interval or spread below it."""
    value, beside = map(html_text, cell_text(cell))
    return f"{value} <small>{beside}</small>" if beside else value


def metric_html(metric: Metric) -> str:
    """A number with its interval below it if it has one; a dash without a number."""
    if metric.value is None:
        return "\N{EN DASH}"
    interval = ""
    if metric.low is not None and metric.high is not None:
        interval = f" <small>[{metric.low:.3f}, {metric.high:.3f}]</small>"
    return f"{metric.value:.3f}{interval}"


def unbroken(text: str) -> str:
    """Text that no line break divides, such as a number with its interval."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def truncated(text: str, longest: int) -> str:
    """The text, or its first `longest` characters and how many it has."""
    return text if len(text) <= longest else f"{text[:longest]} … ({len(text):,} characters)"


def point(place: float, cell: Cell) -> Point:
    """A table's cell as a mark of a chart, with its interval if it has one."""
    return Point(place, cell.estimate.value, cell.estimate.low, cell.estimate.high)


def intervals_note(random_seeds: int, items: str) -> str:
    """What the bars of a chart are. `items` names what the intervals are over: prompts or questions."""
    return f"bars are 95 % intervals {coverage(random_seeds, items)}"
