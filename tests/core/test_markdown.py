"""Tables in Markdown: text on the left, numbers on the right, and values that stay in their cell."""

from __future__ import annotations

import pytest

from reversegen.core.markdown import JOINED, filled, markdown_table, narrow_tables, plain_cell

HEAD = ("metric", "first", "second")
ROWS = (("yield", "1.0", "20.5"), ("a longer name", "0.123", ""))


def test_text_is_aligned_left_and_numbers_right() -> None:
    assert markdown_table(HEAD, ROWS).splitlines() == [
        "| metric | first | second |",
        "| --- | ---: | ---: |",
        "| yield | 1.0 | 20.5 |",
        "| a longer name | 0.123 |  |",
    ]
    assert markdown_table(HEAD, [], 2).splitlines()[1] == "| --- | --- | ---: |"


def test_padded_columns_are_aligned() -> None:
    assert markdown_table(HEAD, ROWS, padded=True).splitlines() == [
        "| metric        | first | second |",
        "| ------------- | ----: | -----: |",
        "| yield         |   1.0 |   20.5 |",
        "| a longer name | 0.123 |        |",
    ]


def test_a_wide_table_becomes_several_that_start_with_the_same_keys() -> None:
    rows = [("a", "one", "1", "22", "333"), ("b", "two", "4", "55", "666")]
    head = ("key", "text", "x", "y", "z")
    assert narrow_tables(head, rows, 2, width=100) == markdown_table(head, rows, 2, padded=True)
    assert narrow_tables(head, rows, 2, keys=2, width=27).splitlines() == [
        *markdown_table(("key", "text", "x", "y"), [row[:4] for row in rows], 2, padded=True).splitlines(),
        "",
        *markdown_table(("key", "text", "z"), [(*row[:2], row[4]) for row in rows], 2, padded=True).splitlines(),
    ]


def test_a_column_that_is_too_wide_alone_has_a_table_of_its_own() -> None:
    text = narrow_tables(("key", "wide", "x"), [("a", "w" * 40, "1")], width=20)
    assert [line.count("|") for line in text.splitlines() if line.startswith("| a")] == [3, 3]
    assert "w" * 40 in text


def test_filled_text_fits_a_screen_and_keeps_joined_words_together() -> None:
    words = "word " * 18
    assert filled(f"{words}in{JOINED}iteration{JOINED}1", "- ").splitlines() == [
        f"- {words.strip()}",
        "  in iteration 1",
    ]
    assert filled("results/" + "x" * 120) == "results/" + "x" * 120, "a path is not broken"


def test_a_line_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        markdown_table(HEAD, [("yield", "1.0")])


def test_a_value_stays_on_its_line_and_in_its_cell() -> None:
    assert plain_cell("a |\n b") == r"a \| b"
    assert plain_cell(0.5) == "0.5"
