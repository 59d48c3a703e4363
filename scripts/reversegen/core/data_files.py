"""Rows of data files that others made: JSON Lines, JSON, CSV and Parquet."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import json
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from reversegen.core.errors import BadInput

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


def read_rows(path: Path, column: str | None) -> Iterator[Row]:
    """Read a file by the ending of its name, one row in memory at a time; a JSON file is parsed whole.

    A JSON file is a list of objects, or an object from subjects to lists of texts: rows of `subject` and `text` then,
    unless all lists have the same length, as the columns of a table.
    With `column`, a row is that column alone, as `text`: every kind reads that as an instruction of the user's own.
    Raises BadInput naming file, row and column when that row is reached, and for a file without rows at its end.
    """
    if path.suffix == ".json":
        rows = _json(path)
    elif path.suffix == ".csv":
        rows = read_csv(path, [] if column is None else [column])
    elif path.suffix == ".parquet":
        rows = _parquet(path)
    else:
        rows = _json_lines(path)
    empty = True
    for place, row in rows:
        empty = False
        yield place, row if column is None else _only(row, column, path, place)
    if empty:
        raise BadInput(f"{path}: no rows")


def read_csv(path: Path, columns: Collection[str], *, ascii_columns: bool = False) -> Iterator[Row]:
    """The rows of a CSV file as spreadsheets save it. A column without a name, and a row of empty cells, is left out.

    The delimiter is the one that a first line such as `sep=;` names; else the comma, semicolon or tab that splits the first
    line into all of `columns`, or, without `columns`, into several names. A file of one column must be the same by each.
    With `ascii_columns`, bytes that are not UTF-8 are read as Windows-1252: only texts that the caller does not need may
    hold them; such a file is held in memory. Raises BadInput naming file and line for what could be read in two ways.
    """
    whole = _text(path, "cp1252") if ascii_columns else None

    def lines() -> Iterator[str]:
        return _lines(path, "") if whole is None else iter(io.StringIO(whole, newline=""))

    sep_line = _SEP_LINE.match(next(lines(), ""))
    before = 1 if sep_line else 0

    def body() -> Iterator[str]:
        return itertools.islice(lines(), before, None)

    headers = {delimiter: _header(body(), delimiter) for delimiter in ([sep_line[1]] if sep_line else DELIMITERS)}
    fits = [d for d, names in headers.items() if (set(columns) <= set(names) if columns else len(names) > 1)]
    place = f"{path}, line {1 + before}"
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
    delimiters = fits or list(headers)
    for delimiter in delimiters if len(delimiters) > 1 else []:
        for _ in _table(path, body(), before, delimiter):
            pass  # a fault by any of them is one
    for line, row in _table(path, body(), before, delimiters[0]):
        for name in columns or row:
            if _SPOILT.fullmatch(row[name].strip()):
                raise BadInput(
                    f"{path}, {line}: cell {list(row).index(name) + 1}: a spreadsheet wrote what is no text of "
                    "yours, as #NAME? or 1.2E+15; format its column as text, and enter the cell again"
                )
        yield line, row


def _lines(path: Path, newline: str) -> Iterator[str]:
    """The lines of a file in UTF-8, or in UTF-16 with its mark, with their ends; `newline` as `open` takes it."""
    try:
        with path.open("rb") as file:
            encoding = "utf-16" if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
        with path.open(encoding=encoding, newline=newline) as lines:
            for line in lines:
                if "\0" in line:
                    raise _null_character(path)
                yield line
    except UnicodeDecodeError:
        _text(path)  # names the line
        raise
    except OSError as error:
        raise _unreadable(path, error) from error


def _text(path: Path, other: str | None = None) -> str:
    """A file in UTF-8, or in UTF-16 with its mark; in the encoding `other` if it is neither."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if other is None:
            line = content.count(b"\n", 0, error.start) + 1
            raise BadInput(f"{path}, line {line}: not UTF-8; save the file in UTF-8 (Excel: CSV UTF-8)") from error
        text = content.decode(other, errors="replace")
    if "\0" in text:
        raise _null_character(path)
    return text


def _unreadable(path: Path, error: OSError) -> BadInput:
    return BadInput(f"{path}: not a readable file: {error.strerror}")


def _null_character(path: Path) -> BadInput:
    return BadInput(f"{path}: holds a character of code 0; save the file in UTF-8")


def _reader(lines: Iterable[str], delimiter: str) -> Any:
    return csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)


def _header(body: Iterable[str], delimiter: str) -> list[str]:
    """The names in the first line; none if this delimiter cannot split it."""
    try:
        return [name.strip() for name in next(_reader(body, delimiter), [])]
    except csv.Error:
        return []


def _table(path: Path, body: Iterable[str], lines_before: int, delimiter: str) -> Iterator[Row]:
    """The rows of a table with this delimiter. `lines_before` lines of its file stand before it."""
    records = _cells(path, body, lines_before, delimiter)
    names = [name.strip() for name in next(records, (0, []))[1]]
    with_name = [k for k, name in enumerate(names) if name]
    if len({names[k] for k in with_name}) < len(with_name):
        raise BadInput(f"{path}: two columns of the same name")
    for line, cells in records:
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
        yield f"line {line}", {names[k]: cells[k] for k in with_name}


def _cells(path: Path, body: Iterable[str], lines_before: int, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row, with the number of its last line."""
    reader, line = _reader(body, delimiter), 1
    while True:
        usual = csv.field_size_limit(2**31 - 1)  # a text may be longer than the 131,072 characters of the default
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise BadInput(
                f"{path}, line {line + lines_before}: a quotation mark is not closed, or stands alone within a quoted "
                "text: write it twice there"
            ) from error
        finally:
            csv.field_size_limit(usual)
        if cells is None:
            return
        yield reader.line_num + lines_before, cells
        line = reader.line_num + 1


def _only(row: dict[str, Any], column: str, path: Path, place: str) -> dict[str, Any]:
    if column not in row:
        raise BadInput(f"{path}, {place}: no column {column!r} among {len(row)}; does the first line name the columns?")
    return {"text": row[column]}


def _json_lines(path: Path) -> Iterator[Row]:
    for number, line in enumerate(_lines(path, "\n"), 1):
        if line.strip():
            text, place = line.removesuffix("\n"), f"{path}, line {number}"
            row = _loads(text, place, "a row is one object on one line; a list of rows is a .json file")
            yield f"line {number}", _object(row, path, f"line {number}")


def _loads(text: str, place: str, fix: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadInput(f"{place}: not JSON that can be read{where}: {fix}") from error


def _json(path: Path) -> Iterator[Row]:
    content = _loads(_text(path), str(path), "it is one list of objects; rows on lines of their own are a .jsonl file")
    if isinstance(content, dict):
        if len(content) > 1 and len({len(texts) if isinstance(texts, list) else 0 for texts in content.values()}) == 1:
            raise BadInput(
                f"{path}: lists of the same length may be columns or subjects; give one list of objects with their names"
            )
        for k, (subject, texts) in enumerate(content.items(), 1):
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                raise BadInput(
                    f"{path}, entry {k}: a list of texts is needed, or a list of objects in place of all this"
                )
            for n, text in enumerate(texts, 1):
                yield f"entry {k}, item {n}", {"subject": subject, "text": text}
        return
    if not isinstance(content, list):
        raise BadInput(f"{path}: a list of objects, or an object from subjects to lists of texts, is needed")
    for n, row in enumerate(content, 1):
        yield f"item {n}", _object(row, path, f"item {n}")


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=100):
                for row in batch.to_pylist():
                    number += 1
                    yield f"row {number}", row
    except (OSError, pyarrow.ArrowException) as error:
        raise BadInput(f"{path}: not a readable Parquet file: {' '.join(str(error).split())[:200]}") from error


def _object(row: Any, path: Path, place: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise BadInput(f"{path}, {place}: a {type(row).__name__} where an object is needed")
    return row
