"""The writer of Markdown tables, for plans, tables, comparisons and cards."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

SCREEN = 100
"""Columns of a terminal that people read these files on."""
JOINED = "\N{NO-BREAK SPACE}"
"""A space at which `filled` breaks no line."""


def markdown_table(
    head: Sequence[str], rows: Iterable[Sequence[str]], text_columns: int = 1, *, padded: bool = False
) -> str:
    """A Markdown table, without a newline at its end. The cells must be Markdown already.

    The first `text_columns` columns are text and aligned left; the other columns are numbers and aligned right. With `padded`,
    cells have the width of their column, for people who read the file as plain text.
    """
    lines = [head, *rows]
    widths = [max(map(len, column)) if padded else 0 for column in zip(*lines, strict=True)]
    padding = [str.ljust if n < text_columns else str.rjust for n in range(len(widths))]
    cells = [[pad(cell, width) for pad, cell, width in zip(padding, line, widths, strict=True)] for line in lines]
    rule = [
        "-" * max(width, 3) if n < text_columns else "-" * max(width - 1, 3) + ":" for n, width in enumerate(widths)
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [cells[0], rule, *cells[1:]])


def narrow_tables(
    head: Sequence[str], rows: Iterable[Sequence[str]], text_columns: int = 1, *, keys: int = 1, width: int = SCREEN
) -> str:
    """A padded table, as several tables below each other if it has more than `width` columns of a terminal.

    Each of them starts with the first `keys` columns. A table is wider than `width` only if one further column is.
    """
    lines = [head, *rows]
    widths = [3 + max(3, *map(len, column)) for column in zip(*lines, strict=True)]
    key_width = 1 + sum(widths[:keys])
    groups: list[list[int]] = [[]]
    for column in range(keys, len(head)):
        if groups[-1] and key_width + sum(widths[n] for n in [*groups[-1], column]) > width:
            groups.append([])
        groups[-1].append(column)
    tables = []
    for group in groups:
        columns = [*range(keys), *group]
        first, *others = [[line[n] for n in columns] for line in lines]
        tables.append(markdown_table(first, others, sum(n < text_columns for n in columns), padded=True))
    return "\n\n".join(tables)


def filled(text: str, start: str = "") -> str:
    """Text on lines of at most SCREEN columns; `start`, such as the mark of a list, opens the first one."""
    lines = textwrap.fill(
        text,
        SCREEN,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines.replace(JOINED, " ")


def plain_cell(value: object) -> str:
    """A value of the configuration as a cell: one line, with `|` escaped. Text of models needs `escaping.markdown_text`."""
    return " ".join(str(value).split()).replace("|", r"\|")
