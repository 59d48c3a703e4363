"""Readers of data files from outside the repository: JSON Lines, JSON, CSV and Parquet."""

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
"""The place of a row in its file, for error messages, and the row."""
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
"""The characters that spreadsheets write between cells, with their names."""
_SPOILT = re.compile(
    r"#[\xa1\xbf]?[A-Z\xc0-\xde\u0410-\u042f]{2,9}[?!]|#DIV/0!|#N/A|#NV|Err:\d{3}|[+-]?\d[.,]\d+E[+-]\d\d+"
)
"""The text that Excel and LibreOffice write for a failed formula (in any language), or for a number with too many digits."""
_SEP_LINE = re.compile(r"sep=([^\r\n])(?:\r\n|\r|\n)", re.IGNORECASE)
"""A first line in which Excel names the delimiter."""


def read_rows(path: Path, column: str | None) -> Iterator[Row]:
    """The rows of a file, in the format that the ending of its name gives. Only a JSON file is read into memory whole.

    A JSON file is a list of objects, or an object that maps subjects to lists of texts. The latter gives rows of `subject`
    and `text`, and is refused if all lists have the same length, because they may be the columns of a table.
    With `column`, a row has the content of that column as `text`, which every kind reads as the user's own instruction.
    Raises BadInput with file, row and column when a faulty row is reached, and at the end of a file without rows.
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
        raise BadInput(f"{path}: no rows; give a file with at least one")


def read_csv(path: Path, columns: Collection[str], *, ascii_columns: bool = False) -> Iterator[Row]:
    """The rows of a CSV file as spreadsheets save it. Columns without a name and rows of empty cells are left out.

    A first line such as `sep=;` names the delimiter. Otherwise it is the comma, semicolon or tab that splits the first line
    into all of `columns`, or, without `columns`, into several names. A file of one column must have the same rows with each.
    With `ascii_columns`, the whole file is read into memory, and bytes that are not UTF-8 are read as Windows-1252. This suits
    files in which only texts that the caller ignores have such bytes.
    Raises BadInput with file and line for content that could be read in two ways.
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
            f"{place}: the delimiter may be {' or '.join(DELIMITERS[d] for d in fits)}; put a line such as sep=; before it"
        )
    delimiters = fits or list(headers)
    for delimiter in delimiters if len(delimiters) > 1 else []:
        for _ in _table(path, body(), before, delimiter):
            pass  # a fault with any of the delimiters is a fault of the file
    for line, row in _table(path, body(), before, delimiters[0]):
        for name in columns or row:
            if _SPOILT.fullmatch(row[name].strip()):
                raise BadInput(
                    f"{path}, {line}: cell {list(row).index(name) + 1}: a spreadsheet replaced the text by something "
                    "like #NAME? or 1.2E+15; format its column as text, and enter the cell again"
                )
        yield line, row


def _lines(path: Path, newline: str) -> Iterator[str]:
    """The lines, with their line ends, of a file in UTF-8, or in UTF-16 with a byte order mark.

    `newline` is the argument of `open`.
    """
    try:
        with path.open("rb") as file:
            encoding = "utf-16" if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
        with path.open(encoding=encoding, newline=newline) as lines:
            for line in lines:
                if "\0" in line:
                    raise _null_character(path)
                yield line
    except UnicodeDecodeError:
        _text(path)  # raises the error that names the line
        raise
    except OSError as error:
        raise _unreadable(path, error) from error


def _text(path: Path, fallback: str | None = None) -> str:
    """The text of a file in UTF-8, or in UTF-16 with a byte order mark. Any other file is read in the encoding `fallback`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if fallback is None:
            line = content.count(b"\n", 0, error.start) + 1
            raise BadInput(f"{path}, line {line}: not UTF-8; save the file in UTF-8 (Excel: CSV UTF-8)") from error
        text = content.decode(fallback, errors="replace")
    if "\0" in text:
        raise _null_character(path)
    return text


def _unreadable(path: Path, error: OSError) -> BadInput:
    return BadInput(f"{path}: not a readable file: {error.strerror}")


def _null_character(path: Path) -> BadInput:
    return BadInput(f"{path}: the file has a null character (code 0); save it in UTF-8")


def _reader(lines: Iterable[str], delimiter: str) -> Any:
    return csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)


def _header(body: Iterable[str], delimiter: str) -> list[str]:
    """The names in the first line. Empty if this delimiter cannot split the line."""
    try:
        return [name.strip() for name in next(_reader(body, delimiter), [])]
    except csv.Error:
        return []


def _table(path: Path, body: Iterable[str], lines_before: int, delimiter: str) -> Iterator[Row]:
    """The rows of a table with this delimiter, which begins after `lines_before` lines of its file."""
    records = _cells(path, body, lines_before, delimiter)
    names = [name.strip() for name in next(records, (0, []))[1]]
    with_name = [k for k, name in enumerate(names) if name]
    if len({names[k] for k in with_name}) < len(with_name):
        raise BadInput(f"{path}: two columns have the same name; rename one of them")
    for line, cells in records:
        if not any(cell.strip() for cell in cells):
            continue
        # A cell without a name after a named column is a piece of a text that an unquoted delimiter split.
        pieces = [
            cell
            for k, cell in enumerate(cells)
            if k not in with_name and k > min(with_name, default=-1) and cell.strip()
        ]
        if not max(with_name, default=0) < len(cells) <= len(names) or pieces:
            raise BadInput(
                f"{path}, line {line}: not as many cells as the first line names; put a text that holds a "
                f"{DELIMITERS.get(delimiter, 'delimiter')} in quotation marks, and name each column"
            )
        if delimiter == "\t" and any("\t" in cell and "\n" in cell for cell in cells):
            raise BadInput(
                f"{path}, line {line}: one text has line ends and tabs, as if quotation marks joined several rows; put such a "
                "text in quotation marks, and write each quotation mark inside it twice"
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
                f"{path}, line {line + lines_before}: a quotation mark is not closed, or is single inside a quoted text; "
                "close it, or write it twice inside the text"
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
            row = _loads(text, place, "write each row as one object on one line; a list of rows needs a .json file")
            yield f"line {number}", _object(row, path, f"line {number}")


def _loads(text: str, place: str, fix: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadInput(f"{place}: not readable JSON{where}; {fix}") from error


def _json(path: Path) -> Iterator[Row]:
    content = _loads(_text(path), str(path), "write one list of objects; rows on separate lines need a .jsonl file")
    if isinstance(content, dict):
        if len(content) > 1 and len({len(texts) if isinstance(texts, list) else 0 for texts in content.values()}) == 1:
            raise BadInput(
                f"{path}: lists of the same length may be columns or subjects; give one list of objects with their names"
            )
        for k, (subject, texts) in enumerate(content.items(), 1):
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                raise BadInput(
                    f"{path}, entry {k}: not a list of texts; give one, or write the whole file as a list of objects"
                )
            for n, text in enumerate(texts, 1):
                yield f"entry {k}, item {n}", {"subject": subject, "text": text}
        return
    if not isinstance(content, list):
        raise BadInput(
            f"{path}: not a list of objects, or an object from subjects to lists of texts; write one of them"
        )
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
        raise BadInput(f"{path}, {place}: the row is a {type(row).__name__}; give an object instead")
    return row
