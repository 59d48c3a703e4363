"""Rows of data files that others made: JSON Lines, JSON, CSV and Parquet."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from reversegen.errors import BadInput

Row = tuple[str, dict[str, Any]]
"""Where a row stands in its file, for errors, and the row."""
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
"""What spreadsheets write between cells, with its name."""
_SPOILT = re.compile(
    r"#[\xa1\xbf]?[A-Z\xc0-\xde\u0410-\u042f]{2,9}[?!]|#DIV/0!|#N/A|#NV|Err:\d{3}|[+-]?\d[.,]\d+E[+-]\d\d+"
)
"""What Excel and LibreOffice write for a formula that fails (in any language), and for a number of too many digits."""
_SEP_LINE = re.compile(r"sep=([^\r\n])(?:\r\n|\r|\n)", re.IGNORECASE)
"""A first line by which Excel names the delimiter."""


def read_rows(path: Path, column: str | None) -> list[Row]:
    """Read a file by the ending of its name.

    A JSON file is a list of objects, or an object from subjects to lists of texts: rows of `subject` and `text` then,
    unless all lists have the same length, as the columns of a table.
    With `column`, a row is that column alone, as `text`: every kind reads that as an instruction of the user's own.
    Raises BadInput naming file, row and column.
    """
    if path.suffix == ".json":
        rows = _json(path)
    elif path.suffix == ".csv":
        rows = read_csv(path, [] if column is None else [column])
    elif path.suffix == ".parquet":
        rows = _parquet(path)
    else:
        rows = _json_lines(path)
    if not rows:
        raise BadInput(f"{path}: no rows")
    return rows if column is None else [(place, _only(row, column, path, place)) for place, row in rows]


def read_csv(path: Path, columns: Collection[str], *, ascii_columns: bool = False) -> list[Row]:
    """The rows of a CSV file as spreadsheets save it. A column without a name, and a row of empty cells, is left out.

    The delimiter is the one that a first line such as `sep=;` names; else the comma, semicolon or tab that splits the first
    line into all of `columns`, or, without `columns`, into several names. A file of one column must be the same by each.
    With `ascii_columns`, bytes that are not UTF-8 are read as Windows-1252: only texts that the caller does not need may
    hold them. Raises BadInput naming file and line for what could be read in two ways.
    """
    text = _text(path, "cp1252" if ascii_columns else None)
    sep_line = _SEP_LINE.match(text)
    body, lines_before = (text[sep_line.end() :], 1) if sep_line else (text, 0)
    headers = {delimiter: _header(body, delimiter) for delimiter in ([sep_line[1]] if sep_line else DELIMITERS)}
    fits = [d for d, names in headers.items() if (set(columns) <= set(names) if columns else len(names) > 1)]
    place = f"{path}, line {1 + lines_before}"
    if columns and not fits:
        names = max(headers.values(), key=len)
        missing = sorted(set(columns) - set(names))
        other_case = [name for name in names if name.casefold() in {one.casefold() for one in missing}]
        hint = (
            f"; it has {', '.join(map(repr, other_case))}" if other_case else "; does the first line name the columns?"
        )
        raise BadInput(f"{place}: no column {', '.join(map(repr, missing))} among {len(names)}{hint}")
    if not columns and len(fits) > 1:
        raise BadInput(
            f"{place}: may be split by {' or '.join(DELIMITERS[d] for d in fits)}; put a line such as sep=; before it"
        )
    tables = [_table(path, body, lines_before, delimiter) for delimiter in fits or headers]
    for line, row in tables[0]:
        for name in columns or row:
            if _SPOILT.fullmatch(row[name].strip()):
                raise BadInput(
                    f"{path}, {line}: cell {list(row).index(name) + 1}: a spreadsheet wrote what is no text of "
                    "yours, as #NAME? or 1.2E+15; format its column as text, and enter the cell again"
                )
    return tables[0]


def _text(path: Path, other: str | None = None) -> str:
    """A file in UTF-8, or in UTF-16 with its mark; in the encoding `other` if it is neither."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: not a readable file: {error.strerror}") from error
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if other is None:
            line = content.count(b"\n", 0, error.start) + 1
            raise BadInput(f"{path}, line {line}: not UTF-8; save the file in UTF-8 (Excel: CSV UTF-8)") from error
        text = content.decode(other, errors="replace")
    if "\0" in text:
        raise BadInput(f"{path}: holds a character of code 0; save the file in UTF-8")
    return text


def _reader(body: str, delimiter: str) -> Any:
    return csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)


def _header(body: str, delimiter: str) -> list[str]:
    """The names in the first line; none if this delimiter cannot split it."""
    try:
        return [name.strip() for name in next(_reader(body, delimiter), [])]
    except csv.Error:
        return []


def _table(path: Path, body: str, lines_before: int, delimiter: str) -> list[Row]:
    """The rows of a text with this delimiter. `lines_before` lines of its file stand before it."""
    usual = csv.field_size_limit(2**31 - 1)  # a text may be longer than the 131,072 characters of the default
    reader, line, records = _reader(body, delimiter), 1, []
    try:
        for cells in reader:
            records.append((reader.line_num + lines_before, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadInput(
            f"{path}, line {line + lines_before}: a quotation mark is not closed, or stands alone within a quoted text: "
            "write it twice there"
        ) from error
    finally:
        csv.field_size_limit(usual)
    names = [name.strip() for name in records[0][1]] if records else []
    with_name = [k for k, name in enumerate(names) if name]
    if len({names[k] for k in with_name}) < len(with_name):
        raise BadInput(f"{path}: two columns of the same name")
    rows: list[Row] = []
    for line, cells in records[1:]:
        if not any(cell.strip() for cell in cells):
            continue
        # Behind a named column, a cell without a name is the rest of a text that an unquoted delimiter split.
        rest = [
            cell
            for k, cell in enumerate(cells)
            if k not in with_name and k > min(with_name, default=-1) and cell.strip()
        ]
        if not max(with_name, default=0) < len(cells) <= len(names) or rest:
            raise BadInput(
                f"{path}, line {line}: not as many cells as the first line names; put a text that holds a "
                f"{DELIMITERS.get(delimiter, 'delimiter')} in quotation marks, and name each column"
            )
        if delimiter == "\t" and any("\t" in cell and "\n" in cell for cell in cells):
            raise BadInput(
                f"{path}, line {line}: one text holds line ends and tabs, as if its quotation marks joined rows: write each "
                "that belongs to a text twice, within a pair around the text"
            )
        rows.append((f"line {line}", {names[k]: cells[k] for k in with_name}))
    return rows


def _only(row: dict[str, Any], column: str, path: Path, place: str) -> dict[str, Any]:
    if column not in row:
        raise BadInput(f"{path}, {place}: no column {column!r} among {len(row)}; does the first line name the columns?")
    return {"text": row[column]}


def _json_lines(path: Path) -> list[Row]:
    rows: list[Row] = []
    for number, line in enumerate(_text(path).split("\n"), 1):
        if line.strip():
            row = _loads(
                line, f"{path}, line {number}", "a row is one object on one line; a list of rows is a .json file"
            )
            rows.append((f"line {number}", _object(row, path, f"line {number}")))
    return rows


def _loads(text: str, place: str, fix: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadInput(f"{place}: not JSON that can be read{where}: {fix}") from error


def _json(path: Path) -> list[Row]:
    content = _loads(_text(path), str(path), "it is one list of objects; rows on lines of their own are a .jsonl file")
    if isinstance(content, dict):
        rows: list[Row] = []
        if len(content) > 1 and len({len(texts) if isinstance(texts, list) else 0 for texts in content.values()}) == 1:
            raise BadInput(
                f"{path}: lists of the same length may be columns or subjects; give one list of objects with their names"
            )
        for k, (subject, texts) in enumerate(content.items(), 1):
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                raise BadInput(
                    f"{path}, entry {k}: a list of texts is needed, or a list of objects in place of all this"
                )
            rows += [(f"entry {k}, item {n}", {"subject": subject, "text": text}) for n, text in enumerate(texts, 1)]
        return rows
    if not isinstance(content, list):
        raise BadInput(f"{path}: a list of objects, or an object from subjects to lists of texts, is needed")
    return [(f"item {n}", _object(row, path, f"item {n}")) for n, row in enumerate(content, 1)]


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
