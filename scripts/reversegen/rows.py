"""Rows of data files that others made: JSON Lines, JSON, CSV and Parquet."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from reversegen.errors import BadInput
from reversegen.records import numbered_lines

Row = tuple[str, dict[str, Any]]
"""Where a row stands in its file, for errors, and the row."""


def read_rows(path: Path, column: str | None) -> list[Row]:
    """Read a file by the ending of its name.

    A JSON file is a list of objects, or an object from subjects to lists of texts: rows of `subject` and `text` then.
    With `column`, a row is that column alone, as `text`: every kind reads that as an instruction of the user's own.
    Raises BadInput naming file, row and column.
    """
    if path.suffix == ".json":
        rows = _json(path)
    elif path.suffix == ".csv":
        rows = _csv(path)
    elif path.suffix == ".parquet":
        rows = _parquet(path)
    else:
        rows = _json_lines(path)
    if not rows:
        raise BadInput(f"{path}: no rows")
    return rows if column is None else [(place, _only(row, column, path, place)) for place, row in rows]


def _only(row: dict[str, Any], column: str, path: Path, place: str) -> dict[str, Any]:
    if column not in row:
        raise BadInput(f"{path}, {place}: no column {column!r} among {len(row)}; does the first line name the columns?")
    return {"text": row[column]}


def _json_lines(path: Path) -> list[Row]:
    rows: list[Row] = []
    for number, line in numbered_lines(path):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
            raise BadInput(f"{path}, line {number}: not JSON that can be read{where}") from error
        rows.append((f"line {number}", _object(row, path, f"line {number}")))
    return rows


def _json(path: Path) -> list[Row]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadInput(f"{path}: not JSON that can be read{where}") from error
    if isinstance(content, dict):
        rows: list[Row] = []
        for k, (subject, texts) in enumerate(content.items(), 1):
            if not isinstance(texts, list):
                raise BadInput(
                    f"{path}, entry {k}: a list of texts is needed, or a list of objects in place of all this"
                )
            rows += [(f"entry {k}, item {n}", {"subject": subject, "text": text}) for n, text in enumerate(texts, 1)]
        return rows
    if not isinstance(content, list):
        raise BadInput(f"{path}: a list of objects, or an object from subjects to lists of texts, is needed")
    return [(f"item {n}", _object(row, path, f"item {n}")) for n, row in enumerate(content, 1)]


def _csv(path: Path) -> list[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            rows = [(f"line {reader.line_num}", row) for row in reader]
            names = list(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path}: not a readable CSV file: {error}") from error
    if len(set(names)) < len(names):
        raise BadInput(f"{path}: two columns of the same name")
    for place, row in rows:
        if None in row or None in row.values():
            raise BadInput(f"{path}, {place}: not as many cells as the first line names")
    return rows


def _parquet(path: Path) -> list[Row]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise BadInput(f"{path}: not a readable Parquet file: {' '.join(str(error).split())[:200]}") from error
    return [(f"row {n}", row) for n, row in enumerate(table.to_pylist(), 1)]


def _object(row: Any, path: Path, place: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise BadInput(f"{path}, {place}: a {type(row).__name__} where an object is needed")
    return row
