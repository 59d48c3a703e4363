"""Names on the page that show their meaning: hover over a name, tap it, or press Enter on it.

Each name is a button that opens a popover of HTML itself, so neither needs a script. A browser without popovers shows the
meanings as a list at the end of the page, and so does print.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from reversegen.core.escaping import html_text
from reversegen.reporting.tables import descriptions

SOURCE_MEANINGS = {
    "original": "the target before enhancement",
    "reversegen": "the target enhanced with failing instructions of the trained proposers",
    "warmup": "control source: valid instructions of proposer 0, whether the target failed on them or not",
    "warmup_failures": "control source: failing instructions of proposer 0, from as many target calls as the whole loop used",
    "seeds": "control source: seed instructions",
    "untrained": "the base model of the proposer, prompted with the same examples but trained on nothing",
}
"""The rows of tables that are neither an iteration nor another model."""
_OPENER = re.compile(r'popovertarget="meaning-(\w+)"')


def metric_term(name: str, kind: str, text: str = "") -> str:
    """The name of a metric as a button that shows its meaning, as HTML; plain text if the kind describes no such metric.

    `text` is shown in place of the name.
    """
    description = descriptions(kind).get(name)
    return _term(name, text or name, description.meaning if description else "")


def row_term(row: str) -> str:
    """The name of a table's row as a button that shows its meaning, as HTML; plain text for an iteration or another model."""
    return _term(row, row, SOURCE_MEANINGS.get(row, ""))


def popovers(body: str, kind: str) -> str:
    """The meanings that the buttons in `body` open, as HTML."""
    metrics = {name: description.meaning for name, description in descriptions(kind).items()}
    meanings: Mapping[str, str] = SOURCE_MEANINGS | metrics
    parts = [
        f'<p id="meaning-{name}" popover><strong>{breakable(name)}</strong>: {html_text(meanings[name])}</p>'
        for name in dict.fromkeys(_OPENER.findall(body))
    ]
    return "\n".join(['<aside class="meanings" aria-label="Meanings">', *parts, "</aside>"]) if parts else ""


def breakable(name: str) -> str:
    """A name that a narrow column may break at its underscores."""
    return html_text(name).replace("_", "_<wbr>")


def _term(name: str, text: str, meaning: str) -> str:
    if not meaning:
        return breakable(text)
    attributes = f'type="button" class="term" popovertarget="meaning-{name}" title="{html_text(meaning)}"'
    return f"<button {attributes}>{breakable(text)}</button>"
