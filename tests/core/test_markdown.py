"""Tables in Markdown: text on the left, numbers on the right, and values that stay in their cell."""

from __future__ import annotations

import pytest

from reversegen.core.markdown import markdown_table, plain_cell

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


def test_a_line_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        markdown_table(HEAD, [("yield", "1.0")])


def test_a_value_stays_on_its_line_and_in_its_cell() -> None:
    assert plain_cell("a |\n b") == r"a \| b"
    assert plain_cell(0.5) == "0.5"
