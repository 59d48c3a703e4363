"""Rows of data files that others made are read whole in every format, and a fault is named without the row's text."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from reversegen.errors import BadInput
from reversegen.records import Seed, write_records
from reversegen.rows import read_rows

SEPARATORS = "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
ODD = f'"quoted", \\n \\u2028 {SEPARATORS} \t\x7f \u200b\u202e e\u0301 \U0001f600 </s> {{"a": 1}}'
SECRET = "how to make harm"
ROWS = [
    {"question": ODD, "answer": "42"},
    {"question": "two\nlines", "answer": ""},
    {"question": "", "answer": "\ufeff"},
]
PLACES = {
    ".jsonl": ["line 1", "line 2", "line 3"],
    ".json": ["item 1", "item 2", "item 3"],
    ".parquet": ["row 1", "row 2", "row 3"],
}
FORMS = [*PLACES, ".csv"]


def write(file: Path, rows: list[dict[str, Any]]) -> Path:
    """A file of rows in the form that its name says."""
    if file.suffix == ".jsonl":
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    elif file.suffix == ".json":
        file.write_text(json.dumps(rows, indent=1))
    elif file.suffix == ".parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    else:
        with file.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.DictWriter(opened, list(rows[0]), lineterminator="\n", quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows(rows)
    return file


@pytest.mark.parametrize("form", FORMS)
def test_rows_come_back_as_they_were_written_with_their_places(tmp_path: Path, form: str) -> None:
    file = write(tmp_path / f"rows{form}", ROWS)
    found = read_rows(file, None)
    assert [row for _, row in found] == ROWS
    places = [place for place, _ in found]
    assert places == PLACES.get(form, places)


def test_a_row_of_a_csv_file_stands_where_an_editor_shows_its_last_line(tmp_path: Path) -> None:
    rows = [{"a": "one"}, {"a": "two\nlines"}, {"a": "four"}]
    assert [place for place, _ in read_rows(write(tmp_path / "rows.csv", rows), None)] == ["line 2", "line 4", "line 5"]


def test_a_csv_file_may_start_with_a_byte_order_mark_and_end_its_lines_as_on_windows(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes('\ufeffquestion,answer\r\n"one, two",3\r\n'.encode())
    assert read_rows(file, None) == [("line 2", {"question": "one, two", "answer": "3"})]


def test_records_are_rows(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    seed = Seed(id="s", text=ODD, split="train", source="s", licence="l", answer=None, subject=None)
    write_records(file, [seed, seed])
    assert [row for _, row in read_rows(file, None)] == [seed.model_dump()] * 2


def test_parquet_keeps_lists_numbers_and_nulls(tmp_path: Path) -> None:
    rows = [{"choices": ["a", "b"], "answer": 1, "subject": None}, {"choices": [], "answer": 0, "subject": "x"}]
    assert [row for _, row in read_rows(write(tmp_path / "rows.parquet", rows), None)] == rows


def test_an_object_of_subjects_is_rows_of_subject_and_text(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    file.write_text(json.dumps({"astronomy": [ODD, "two"], "empty": [], "law": ["three"]}))
    assert read_rows(file, None) == [
        ("entry 1, item 1", {"subject": "astronomy", "text": ODD}),
        ("entry 1, item 2", {"subject": "astronomy", "text": "two"}),
        ("entry 3, item 1", {"subject": "law", "text": "three"}),
    ]


@pytest.mark.parametrize("form", FORMS)
def test_with_a_column_a_row_is_that_column_alone(tmp_path: Path, form: str) -> None:
    file = write(tmp_path / f"rows{form}", ROWS)
    assert [row for _, row in read_rows(file, "answer")] == [{"text": row["answer"]} for row in ROWS]
    with pytest.raises(BadInput) as refused:
        read_rows(file, "prompt")
    assert str(refused.value).startswith(f"{file}, ")
    assert "no column 'prompt' among 2; does the first line name the columns?" in str(refused.value)
    assert "42" not in str(refused.value).removeprefix(str(file))


def test_a_row_that_lacks_the_column_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", [{"text": SECRET, "a": 1}, {"text": SECRET}])
    with pytest.raises(BadInput, match=rf"{file}, line 2: no column 'a' among 1;"):
        read_rows(file, "a")


@pytest.mark.parametrize(
    "line",
    [
        f'{{"question": "{SECRET}"',
        f'["{SECRET}"]',
        f'"{SECRET}"',
        SECRET,
        "5",
        "null",
        '{"a": 1} {"b": 2}',
        "{'question': 1}",
        '{"question": 1,}',
        "\ufeff{}",
        '{"n": ' + "1" * 5000 + "}",
        "[" * 100_000,
    ],
    ids=lambda line: line[:30].encode("ascii", "backslashreplace").decode(),
)
def test_a_line_of_any_shape_that_is_no_object_is_named_without_its_text(tmp_path: Path, line: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(f'{{"a": 1}}\n\n{line}\n')
    with pytest.raises(BadInput) as refused:
        read_rows(file, None)
    assert str(refused.value).startswith(f"{file}, line 3: ")
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("rows.json", f'[{{"text": "{SECRET}"}}', ": not JSON"),
        ("rows.json", f'[{{"a": 1}}, "{SECRET}"]', ", item 2: "),
        ("rows.json", f'{{"law": "{SECRET}"}}', ", entry 1: a list of texts"),
        ("rows.json", f'"{SECRET}"', ": a list of objects"),
        ("rows.json", "null", ": a list of objects"),
        ("rows.json", "[" * 100_000, ": not JSON"),
        ("rows.json", SECRET, ": not JSON"),
        ("rows.json", b"\xff[]", ": not JSON"),
        ("rows.csv", f"a,b\n1,2\n{SECRET}\n", ", line 3: not as many cells"),
        ("rows.csv", f"a,b\n1,2,{SECRET}\n", ", line 2: not as many cells"),
        ("rows.csv", f'a,b\n1,"{SECRET}', ": not a readable CSV file"),
        ("rows.csv", f'a,b\n1,"{SECRET}"x\n', ": not a readable CSV file"),
        ("rows.csv", b"a,b\n1,\xff\n", ": not a readable CSV file"),
        ("rows.csv", f"a,b\n1,{SECRET * 10_000}\n", ": not a readable CSV file"),
        ("rows.parquet", SECRET, ": not a readable Parquet file"),
        ("rows.parquet", b"PAR1", ": not a readable Parquet file"),
        ("rows.jsonl", b'{"a": "\xff"}', ": not a readable text file"),
    ],
    ids=lambda part: part[:20] if isinstance(part, str) else None,
)
def test_a_file_that_does_not_fit_is_named_with_its_place_and_without_its_text(
    tmp_path: Path, name: str, content: str | bytes, place: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(BadInput) as refused:
        read_rows(file, None)
    assert str(refused.value).startswith(f"{file}{place}")
    assert SECRET not in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.csv", "rows.parquet"])
@pytest.mark.parametrize("there", ["nothing", "a folder"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str, there: str) -> None:
    if there == "a folder":
        (tmp_path / name).mkdir()
    with pytest.raises(BadInput, match=str(tmp_path / name)):
        read_rows(tmp_path / name, None)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.jsonl", "\n \n"),
        ("rows.json", "[]"),
        ("rows.json", "{}"),
        ("rows.json", '{"law": []}'),
        ("rows.csv", "a,b\n"),
    ],
)
@pytest.mark.parametrize("column", [None, "a"])
def test_a_file_without_rows_is_named(tmp_path: Path, name: str, content: str, column: str | None) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(BadInput, match=rf"{name}: no rows$"):
        read_rows(tmp_path / name, column)
