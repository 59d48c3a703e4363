"""Escaping of text that models wrote, for each program that shows it: a terminal, a web page, Markdown, a spreadsheet.

A model may write text that acts on the reader or on that program: control sequences of a terminal, marks that change the
writing direction, markup, formulas.
"""

from __future__ import annotations

import html
import re
import unicodedata

from reversegen.ids import normalise

_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}
"""Unicode categories of characters that are invisible or move their surroundings: control, format (bidi marks, zero widths,
tags), private and unassigned characters, surrogates, separators of lines and paragraphs."""
_SUSPECT = re.compile(r"[^\n\t\x20-\x7e]")


def visible(text: str) -> str:
    """The text with a code such as [U+202E] for each invisible character except newline and tab. Nothing else changes."""

    def shown(match: re.Match[str]) -> str:
        return f"[U+{ord(match[0]):04X}]" if unicodedata.category(match[0]) in _INVISIBLE else match[0]

    return _SUSPECT.sub(shown, text)


def html_text(text: str) -> str:
    """The text, escaped for an HTML element or a quoted attribute."""
    return html.escape(visible(text))


def markdown_text(text: str) -> str:
    """The text on one line, with all marks of Markdown escaped except underscores, which within names have no meaning."""
    one_line = " ".join(visible(" ".join(text.split())).split())
    return re.sub(r"([\\`*\[\]|~#:!$])", r"\\\1", html.escape(one_line, quote=False))


def csv_cell(text: str) -> str:
    """The text as a CSV cell, with an apostrophe before a text that a spreadsheet reads as a formula (OWASP, CSV injection)."""
    text = visible(text)
    return f"'{text}" if normalise(text).startswith(("=", "+", "-", "@")) or text.startswith(("\t", "\n")) else text
