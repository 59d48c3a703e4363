"""Readers of Markdown: they join tables that were split to fit a screen, and the lines of prose."""

from __future__ import annotations

import re

from reversegen.core.markdown import SCREEN


def cells_of(line: str) -> list[str]:
    """The cells of a line of a table."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def rows_of(text: str, keys: int = 1) -> dict[tuple[str, ...], dict[str, str]]:
    """The rows of all tables in a text by their first `keys` cells; rows with equal keys become one."""
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for block in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        head, _, *lines = map(cells_of, block.splitlines())
        for line in lines:
            rows.setdefault(tuple(line[:keys]), {}).update(zip(head, line, strict=True))
    return rows


def joined(text: str) -> str:
    """A text with one space for each line break and its indentation."""
    return " ".join(text.split())


def too_wide(text: str) -> list[str]:
    """The lines that do not fit a screen."""
    return [line for line in text.splitlines() if len(line) > SCREEN]
