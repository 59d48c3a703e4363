"""The rows of `audit.csv` of each iteration, which a person judges, in the order of the file. Each iteration unfolds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from reversegen.core.escaping import html_text
from reversegen.reporting.page.content import IterationAudit, PageContent
from reversegen.reporting.page.elements import note
from reversegen.reporting.page.examples import HEADS, html_cell, text_cells
from reversegen.reporting.rows import tasks_of

MASKED_HEADS = ("characters", "reason")


def audit_rows(content: PageContent) -> str:
    """A table for each audit, as HTML."""
    if not content.audits:
        return ""
    return "\n".join([note(_explanation(content)), *(_unfolding(audit, content) for audit in content.audits)])


def _explanation(content: PageContent) -> str:
    whose = f" of {content.run}" if content.run != tasks_of(content.evaluations)[0] else ""
    masked = " Instructions and answers may do harm, so the page masks them; audit.csv has them in clear, by id."
    return (
        f"The rows of audit.csv of each iteration{whose}, in the order of the file. The column verdict has the verdict of "
        "the labels, and person that of a person who filled in the file. A row without a stratum is kept from an earlier "
        f"draw.{masked if content.harmful else ''}"
    )


def _unfolding(audit: IterationAudit, content: PageContent) -> str:
    """The table of an audit under its number of rows, which unfolds it."""
    name = f"Iteration {audit.file.parent.name.removeprefix('iter')}"
    strata = Counter(row["stratum"] or "earlier draw" for row in audit.rows)
    counts = ", ".join(f"{count} {stratum}" for stratum, count in strata.items())
    judged = sum(bool(row["person"]) for row in audit.rows)
    summary = f"{name}: {len(audit.rows)} rows{counts and f' ({counts})'}, {judged} with a person's verdict, in "
    holdout = content.judge.holdout if content.judge else None
    judges = [f"{judge} (hold-out)" if judge == holdout else judge for judge in audit.votes]
    heads = ["stratum", "id", *(MASKED_HEADS if content.harmful else HEADS), *judges, "verdict", "person"]
    head = "".join(f'<th scope="col">{html_text(text)}</th>' for text in heads)
    return "\n".join(
        [
            f"<details>\n<summary>{html_text(summary)}<code>{html_text(str(audit.file))}</code></summary>",
            f'<div class="examples" role="region" aria-label="Audit, {html_text(name)}" tabindex="0">',
            f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>",
            *(_line(row, audit, judges, content.harmful) for row in audit.rows),
            "</tbody>\n</table>\n</div>\n</details>",
        ]
    )


def _line(row: Mapping[str, str], audit: IterationAudit, judges: Sequence[str], harmful: bool) -> str:
    """A row as a line of the table; a judge without a verdict on it has an empty cell."""
    identity, detail = row["instruction_id"], row["detail"]
    if harmful:
        texts = [("", str(len(row["instruction"]))), ("", detail)]
    else:
        texts = text_cells(row["instruction"], row["response"], row["reference"], detail)
    votes = [verdicts.get(identity, "") for verdicts in audit.votes.values()]
    verdicts = zip((*judges, "verdict", "person"), (*votes, row["verdict"], row["person"]), strict=True)
    cells = [html_cell(*cell) for cell in (("", row["stratum"]), ("id", identity), *texts)]
    cells += [html_cell("", verdict, head) for head, verdict in verdicts]
    return f"<tr>{''.join(cells)}</tr>"
