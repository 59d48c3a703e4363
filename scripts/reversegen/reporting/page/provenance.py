"""The page's section on the origin of its numbers."""

from __future__ import annotations

import json

from reversegen.core.escaping import html_text
from reversegen.reporting.page.content import PageContent
from reversegen.reporting.page.elements import html_table, note
from reversegen.reporting.rows import ROWS, row_name


def provenance(content: PageContent) -> str:
    """Unusual settings, hashes of the files beside the page, and the provenance of every evaluation, as HTML."""
    lines = [
        [f'<a href="{name}">{name}</a>', f'<span class="id">{digest}</span>'] for name, digest in content.files.items()
    ]
    files = html_table("Files", ["file", "SHA-256"], lines) if lines else ""
    settings = "".join(f"{note(text)}\n" for text in content.settings)
    parts = []
    for e in content.evaluations:
        name = html_text(f"{e.task}: {e.role}, {ROWS[e.role]} {row_name(e)}")
        facts = html_text(json.dumps(e.provenance, indent=2, ensure_ascii=False))
        parts.append(f"<h3>{name}</h3>\n<pre>{facts}</pre>")
    summary = "<summary>Hashes of models and data, versions and random seeds of every number</summary>"
    return f"{settings}{files}\n<details>\n{summary}\n{''.join(parts)}\n</details>"
