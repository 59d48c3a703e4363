"""Rows of data files from outside are read completely in every format, and a fault is reported without the row's text."""

import csv
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from reversegen.core import data_files as streamed
from reversegen.core.errors import BadInput
from reversegen.core.records import Seed, write_records


def read_rows(path: Path, column: str | None) -> list[streamed.Row]:
    """All rows of a file."""
    return list(streamed.read_rows(path, column))


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
    """A file of rows in the format that its name gives."""
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


def test_the_line_of_a_csv_row_is_where_an_editor_shows_its_end(tmp_path: Path) -> None:
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
def test_with_a_column_a_row_has_only_that_column(tmp_path: Path, form: str) -> None:
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
def test_a_line_that_is_not_an_object_is_named_without_its_text(tmp_path: Path, line: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(f'{{"a": 1}}\n\n{line}\n')
    with pytest.raises(BadInput) as refused:
        read_rows(file, None)
    assert str(refused.value).startswith(f"{file}, line 3: ")
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("rows.json", f'[{{"text": "{SECRET}"}}', ": not readable JSON"),
        ("rows.json", f'[{{"a": 1}}, "{SECRET}"]', ", item 2: "),
        ("rows.json", f'{{"law": "{SECRET}"}}', ", entry 1: not a list of texts"),
        ("rows.json", f'"{SECRET}"', ": not a list of objects"),
        ("rows.json", "null", ": not a list of objects"),
        ("rows.json", "[" * 100_000, ": not readable JSON"),
        ("rows.json", SECRET, ": not readable JSON"),
        ("rows.json", b"\xff[]", ", line 1: not UTF-8"),
        ("rows.json", f'{{"data": [{{"text": "{SECRET}"}}]}}', ", entry 1: not a list of texts"),
        ("rows.json", f'{{"text": "{SECRET}"}}\n{{"text": "{SECRET}"}}', ": not readable JSON at character 29"),
        ("rows.csv", f"a,b\n1,2\n{SECRET}\n", ", line 3: not as many cells"),
        ("rows.csv", f"a,b\n1,2,{SECRET}\n", ", line 2: not as many cells"),
        ("rows.csv", f'a,b\n1,"{SECRET}', ", line 2: a quotation mark is not closed"),
        ("rows.csv", f'a,b\n1,"{SECRET}"x\n', ", line 2: a quotation mark is not closed"),
        ("rows.csv", f'a,b\n1,2\n\n1,"{SECRET}\n3,4\n5,6\n', ", line 4: a quotation mark is not closed"),
        ("rows.csv", f'sep=;\na;b\n1;"a "{SECRET}" b"\n', ", line 3: a quotation mark is not closed, or is single"),
        ("rows.csv", b"a,b\n1,\xff\n", ", line 2: not UTF-8; save the file in UTF-8"),
        ("rows.csv", f"a;b\n1;Gr\u00fc\u00dfe {SECRET}\n".encode("cp1252"), ", line 2: not UTF-8"),
        ("rows.csv", "a,b\n1,2\n".encode("utf-16-le"), ": the file has a null character"),
        ("rows.csv", f"a,a\n1,{SECRET}\n", ": two columns have the same name"),
        (
            "rows.csv",
            f"a;b,c\n1;{SECRET},3\n",
            ", line 1: the delimiter may be comma or semicolon; put a line such as sep=;",
        ),
        ("rows.csv", f"a,,\n{SECRET}, too,\n", ", line 2: not as many cells"),
        ("rows.csv", f"a,,b\n{SECRET}, too,1\n", ", line 2: not as many cells"),
        ("rows.csv", f"a\n{SECRET},\n", ", line 2: not as many cells"),
        ("rows.csv", f"a\n{SECRET};\n", ", line 2: not as many cells"),
        (
            "rows.csv",
            f"a\n{SECRET}, too\n",
            ", line 2: not as many cells as the first line names; put a text that holds a comma",
        ),
        ("rows.csv", f"a,b,c\n1,{SECRET}, too,\n", ", line 2: not as many cells"),
        ("rows.csv", f"a,b\n0,5,{SECRET}\n", ", line 2: not as many cells"),  # a decimal comma
        ("rows.parquet", SECRET, ": not a readable Parquet file"),
        ("rows.parquet", b"PAR1", ": not a readable Parquet file"),
        ("rows.jsonl", b'{"a": 1}\n{"a": "\xff"}', ", line 2: not UTF-8"),
        (
            "rows.jsonl",
            f'[\n{{"a": "{SECRET}"}}\n]',
            ", line 1: not readable JSON at character 1; write each row as one object",
        ),
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


CASES = Path(__file__).parents[1] / "cases/rows"


@pytest.mark.parametrize("name", ["semicolon.csv", "semicolon_one_column.csv", "tab.csv", "trailing_commas.csv"])
def test_a_file_of_a_spreadsheet_is_read_by_the_delimiter_of_its_first_line(name: str) -> None:
    rows = read_rows(CASES / name, "question")
    assert len(rows) == 24
    assert rows[0] == ("line 2", {"text": "How do I keep slugs away from my garden?"})
    assert rows[23] == ("line 25", {"text": "How do I keep rats away from my garden?"})


def test_a_stray_quote_is_named_with_its_line() -> None:
    with pytest.raises(
        BadInput, match=r"unescaped_quotes.csv, line 26: a quotation mark .* write it twice inside the text$"
    ):
        read_rows(CASES / "unescaped_quotes.csv", "question")


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ("id;question\n1;Who, and why?\n", ["Who, and why?"]),
        ("id\tquestion\n1\tWho, and; why?\n", ["Who, and; why?"]),
        ("sep=;\r\nid;question\r\n1;Who?\r\n", ["Who?"]),
        ("SEP=|\nid|question\n1|Who, and; why?\n", ["Who, and; why?"]),
        ("id,question\r1,Who?\r2,Why?\r", ["Who?", "Why?"]),  # line ends of an old Macintosh
        (" id , question \n1, Who?\n", ["Who?"]),
        ('id, question\n1, "Who, and why?"\n', ["Who, and why?"]),
        ('id,question\n1,He said "why" twice\n', ['He said "why" twice']),
        ('id,question\n1,"He said ""why"" twice"\n', ['He said "why" twice']),
        ('id;question;note\n1;"Who\nand why?";0,5\n', ["Who\nand why?"]),
        ("question;id;;\nWho?;1;;\nWhy?;2\n;;;\n\nHow?;3;\n", ["Who?", "Why?", "How?"]),
        (",question\n0,Who?\n", ["Who?"]),  # pandas gives the index column no name
        ("question\nWho?\n\nWhy?\n", ["Who?", "Why?"]),
        ('question\n"Who, and; why?"\n', ["Who, and; why?"]),
        ("\ufeffid;question\n1;Who?\n", ["Who?"]),
        ("id,question\n1," + "x" * 140_000 + "\n", ["x" * 140_000]),
        ("id\tquestion\r\n1\tGr\u00fc\u00dfe?\r\n".encode("utf-16"), ["Gr\u00fc\u00dfe?"]),
        ("id;question;question, long\n1;Who?;no\n", ["Who?"]),
    ],
    ids=lambda part: repr(part)[:40] if isinstance(part, (str, bytes)) else "",
)
def test_a_file_with_one_meaning_is_read(tmp_path: Path, content: str | bytes, texts: list[str]) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert [row["text"] for _, row in read_rows(file, "question")] == texts


@pytest.mark.parametrize(
    ("content", "row"),
    [
        ("question;answer\nWho?;#### 5\n", {"question": "Who?", "answer": "#### 5"}),
        ("question,,\nWho?,,\n", {"question": "Who?"}),
        ("question;\nWho?;\n", {"question": "Who?"}),
        ("text\nWho?\n", {"text": "Who?"}),
    ],
)
def test_without_a_column_the_delimiter_is_the_one_that_gives_several_names(
    tmp_path: Path, content: str, row: dict[str, str]
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(content)
    assert read_rows(file, None) == [("line 2", row)]


def test_a_column_in_another_case_is_named_and_not_guessed(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("id;Question\n1;Who?\n")
    with pytest.raises(BadInput, match=r"line 1: no column 'question' among 2; it has 'Question'$"):
        read_rows(file, "question")


@pytest.mark.parametrize(
    "cell",
    ["#NAME?", "#NOM?", "#\u00a1VALOR!", "#DIV/0!", "#N/A", "#NV", "Err:508", "1.23457E+12", "-1,5E+15", " #REF! "],
)
def test_a_cell_that_a_spreadsheet_spoiled_is_named_with_its_place(tmp_path: Path, cell: str) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(f'id;question\n1;Who?\n2;"{cell}"\n')
    for column in ("question", None):
        with pytest.raises(
            BadInput, match=r"rows.csv, line 3: cell 2: a spreadsheet replaced the text .*; format its column as text"
        ):
            read_rows(file, column)
    assert len(read_rows(file, "id")) == 2  # the faulty column is not the one that is read


def test_quotation_marks_that_join_rows_of_tabs_are_named(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text('id\tquestion\n1\tHow?\n2\t"Say it\n3\tWho?\n4\tsay"\n')
    with pytest.raises(BadInput, match=r"rows.csv, line 5: one text has line ends and tabs"):
        read_rows(file, "question")
    file.write_text('id\tquestion\n2\t"Say it\nagain"\n')
    assert read_rows(file, "question") == [("line 3", {"text": "Say it\nagain"})]


@pytest.mark.parametrize("cell", ["#5?", "#metoo!", "Err: 5", "1e-05", "1.5E", "#", "What of 1.5E+10?"])
def test_a_cell_that_only_looks_spoiled_is_read(tmp_path: Path, cell: str) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(f"id;question\n1;{cell}\n")
    assert read_rows(file, "question") == [("line 2", {"text": cell})]


@pytest.mark.parametrize(
    "content", [{"prompt": ["a", "b"], "target": ["c", "d"]}, {"law": ["a"], "art": ["b"], "x": ["c"]}]
)
def test_lists_of_one_length_are_refused_because_they_may_be_columns(
    tmp_path: Path, content: dict[str, list[str]]
) -> None:
    file = tmp_path / "rows.json"
    file.write_text(json.dumps(content))
    with pytest.raises(
        BadInput, match=r"rows.json: lists of the same length may be columns or subjects; give one list"
    ):
        read_rows(file, None)


@pytest.mark.parametrize("unit", ["a", '"', '""', ";", "a;", "\n", "\t\n", "a,b\n", "sep=;\n"])
def test_a_large_file_is_read_or_refused_in_linear_time(tmp_path: Path, unit: str) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("id;question\n1;" + unit * (1_000_000 // len(unit)))
    rows, fault = [], ""
    try:
        rows = read_rows(file, "question")
    except BadInput as error:
        fault = str(error)
    assert rows or str(file) in fault


def test_lines_in_utf_16_are_read(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"text": "Wer? \u00e4"}\n', encoding="utf-16")
    assert read_rows(file, None) == [("line 1", {"text": "Wer? \u00e4"})]


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
    with pytest.raises(BadInput, match=rf"{name}: no rows; "):
        read_rows(tmp_path / name, column)


@pytest.mark.parametrize("form", [".jsonl", ".csv", ".parquet"])
def test_a_row_is_given_before_the_next_is_read(tmp_path: Path, form: str) -> None:
    file = write(tmp_path / f"rows{form}", [{"a": f"row {n} {'x' * 1000}"} for n in range(5000)])
    tracemalloc.start()
    try:
        rows = streamed.read_rows(file, "a")
        assert [next(rows)[1]["text"][:6] for _ in range(3)] == ["row 0 ", "row 1 ", "row 2 "]
        assert sum(1 for _ in rows) == 4997
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2_500_000  # the file has 5 MB


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_of_a_long_csv_file_are_those_of_the_csv_module(tmp_path: Path, encoding: str, ending: str) -> None:
    """Also the lines at the border between two of the pieces in which the file is read."""
    rows = [{"a": f"{n} \u00e4\U0001f600 {'x' * (n % 97)}", "b": "one\ntwo" if n % 5 else ", ;"} for n in range(2000)]
    file = tmp_path / "rows.csv"
    with file.open("w", encoding=encoding, newline="") as opened:
        writer = csv.DictWriter(opened, ["a", "b"], lineterminator=ending, quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    found = read_rows(file, None)
    assert [row for _, row in found] == rows
    with file.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as opened:
        reader = csv.reader(opened)
        next(reader)
        assert [place for place, _ in found] == [f"line {reader.line_num}" for _ in reader]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv"])
def test_a_byte_that_is_not_utf_8_is_named_with_its_line_however_far_down(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    line = b'{"a": "x"}\n' if name == "rows.jsonl" else b"a,b\n"
    file.write_bytes(line * 50_000 + b"\xff,\n" + line)
    with pytest.raises(BadInput, match=f"{name}, line 50001: not UTF-8"):
        read_rows(file, None)
