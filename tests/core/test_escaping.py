"""A model's text stays plain text in a reader's terminal, browser, Markdown or spreadsheet."""

from __future__ import annotations

import html
import unicodedata
from html.parser import HTMLParser

import pytest

from reversegen.core.escaping import csv_cell, html_text, markdown_text, visible

HOSTILE = [
    ("\x1b[31mred\x1b[0m", "[U+001B][31mred[U+001B][0m"),
    ("\x1b]0;title\x07", "[U+001B]]0;title[U+0007]"),
    ("a\rb\x08\x7f\x9b", "a[U+000D]b[U+0008][U+007F][U+009B]"),
    ("abc\u202edcba\u2066x\u2069", "abc[U+202E]dcba[U+2066]x[U+2069]"),
    ("zero\u200bwidth\u200d\ufeff\u2060\u00ad", "zero[U+200B]width[U+200D][U+FEFF][U+2060][U+00AD]"),
    ("\U000e0041\U000e007f", "[U+E0041][U+E007F]"),
    ("\u2028\u2029\x85", "[U+2028][U+2029][U+0085]"),
    ("\ue000\U0010ffff\ud800", "[U+E000][U+10FFFF][U+D800]"),
]


@pytest.mark.parametrize(("text", "shown"), HOSTILE)
def test_an_invisible_character_is_shown_by_its_code(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.slow
def test_every_character_stays_or_becomes_its_code_and_no_control_stays() -> None:
    every = [char for char in map(chr, range(0x110000)) if char not in "\n\t"]
    hidden = {char for char in every if unicodedata.category(char)[0] == "C" or char in "\u2028\u2029"}
    assert visible("".join(every)) == "".join(f"[U+{ord(c):04X}]" if c in hidden else c for c in every)
    assert visible("naïve 数学 \N{GRINNING FACE} e\u0301\n\t") == "naïve 数学 \N{GRINNING FACE} e\u0301\n\t"


@pytest.mark.parametrize(
    "text",
    ["</td><script>alert(1)</script>", "\" onmouseover='alert(1)'", "&lt;b&gt; &amp;", "<!--", "]]>", "<\x00script>"],
)
def test_html_comes_back_as_the_text_it_was(text: str) -> None:
    found: list[str] = []
    tags: list[tuple[str, list[tuple[str, str | None]]]] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            found.append(data)

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append((tag, attrs))

    reader = Reader()
    reader.feed(f'<p title="{html_text(text)}">{html_text(text)}</p>')
    reader.close()
    assert "".join(found) == visible(text)
    assert tags == [("p", [("title", visible(text))])]


@pytest.mark.parametrize(
    "mark", ["**b**", "[x](javascript:1)", "![x](http://a)", "`c`", "# h", "a|b", "<b>", "~~s~~", "$x$"]
)
def test_markdown_has_no_mark_left(mark: str) -> None:
    shown = markdown_text(f"{mark}\n\n{mark}\x1b[1m")
    assert "\n" not in shown
    assert "\x1b" not in shown
    bare = shown.replace("\\\\", "")
    assert not [n for n, c in enumerate(bare) if c in "*[]|`#~$!:" and bare[n - 1 : n] != "\\"]
    assert "<" not in shown
    assert html.unescape(shown.replace("\\", "")) == f"{mark} {mark}[U+001B][1m"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1", "\uff1d1+1", " =1", "\uff20x"])
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "cell"), [("a=1", "a=1"), ("", ""), ("\r=1", "[U+000D]=1"), ("\u200b=1", "[U+200B]=1")]
)
def test_any_other_cell_starts_as_before_or_with_a_code(text: str, cell: str) -> None:
    assert csv_cell(text) == cell
