"""Text of models made harmless for what shows it: a terminal, a web page, Markdown, a spreadsheet.

A model may write anything, for its reader or for the program that shows it: control sequences of a terminal, marks that
turn the direction of what follows, markup, formulas.
"""

from __future__ import annotations

import html
import re
import unicodedata

from reversegen.ids import normalise

_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}
"""Unicode's categories of what shows nothing, or moves what stands around it: control, format (bidi marks, zero widths, tags),
private and unassigned characters, surrogates, separators of lines and paragraphs."""
_SUSPECT = re.compile(r"[^\n\t\x20-\x7e]")


def visible(text: str) -> str:
    """The text with each invisible character but newline and tab as its code, such as [U+202E]; nothing else is changed."""

    def shown(match: re.Match[str]) -> str:
        return f"[U+{ord(match[0]):04X}]" if unicodedata.category(match[0]) in _INVISIBLE else match[0]

    return _SUSPECT.sub(shown, text)


def html_text(text: str) -> str:
    """Text within an HTML element or a quoted attribute."""
    return html.escape(visible(text))


def markdown_text(text: str) -> str:
    """Text on one line that no Markdown reader takes for anything else; underscores within names are none of its marks."""
    one_line = " ".join(visible(" ".join(text.split())).split())
    return re.sub(r"([\\`*\[\]|~#:!$])", r"\\\1", html.escape(one_line, quote=False))


def csv_cell(text: str) -> str:
    """A cell of text, with an apostrophe before what a spreadsheet would take for a formula (OWASP, CSV injection)."""
    text = visible(text)
    return f"'{text}" if normalise(text).startswith(("=", "+", "-", "@")) or text.startswith(("\t", "\n")) else text
