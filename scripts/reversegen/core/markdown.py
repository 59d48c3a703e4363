"""The writer of Markdown tables, for plans, tables, comparisons and cards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


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


def plain_cell(value: object) -> str:
    """A value of the configuration as a cell: one line, with `|` escaped. Text of models needs `escaping.markdown_text`."""
    return " ".join(str(value).split()).replace("|", r"\|")
