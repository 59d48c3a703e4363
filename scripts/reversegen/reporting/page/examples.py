"""The page's table of failing instructions, which its script searches and filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reversegen.core.escaping import html_text
from reversegen.core.records import Failure
from reversegen.reporting.failures import choose_examples
from reversegen.reporting.page.content import PageContent
from reversegen.reporting.page.elements import truncated
from reversegen.reporting.page.frame import ROWS_AT_ONCE

MOST_EXAMPLES = 2000
"""Examples on the page; the others stand in `failures.parquet`."""
LONGEST, LONGEST_REFERENCE = 300, 100
"""Characters of a text: with 2,000 examples whose every character takes 6 bytes, the page stays under 10 MB."""
MASKED = (
    "Instructions and answers of this task may do harm and are masked: an example is shown by its id (a hash of its text), "
    "its type, the judge's categories and its length. "
)
MASKED_HEADS = ("id", "characters", "reason", "score")
HEADS = ("instruction", "the target\N{RIGHT SINGLE QUOTATION MARK}s answer", "trusted answer", "reason")


def examples(content: PageContent) -> str:
    """The table with its filters; without a script the first rows are there."""
    if not content.failures:
        return ""
    chosen = choose_examples(content.failures, MOST_EXAMPLES)
    groups = sorted({f.group for f in chosen if f.group})
    labels = {c.number: c.label for c in content.clusters or ()}
    numbers = {group: n for n, group in enumerate(groups)}
    heads = ["cluster", "iteration", *(["type"] if groups else [])]
    heads += MASKED_HEADS if content.harmful else HEADS
    rows = []
    for place, f in enumerate(chosen):
        cells = [("", labels.get(f.cluster, "")), ("", str(f.iteration)), *([("", f.group or "")] if groups else [])]
        cells += _masked_cells(f) if content.harmful else _text_cells(f)
        data = (
            f'data-cluster="{f.cluster}" data-iteration="{f.iteration}" data-group="{numbers.get(f.group or "", "")}"'
        )
        hidden = " hidden" if place >= ROWS_AT_ONCE else ""
        rows.append(f"<tr {data}{hidden}>{''.join(_cell(*cell) for cell in cells)}</tr>")
    head = "".join(f'<th scope="col">{html_text(name)}</th>' for name in heads)
    return "\n".join(
        [
            f'<p class="note">{"".join(_notes(content, len(chosen)))}</p>',
            f'<form id="filters" hidden>{"".join(_filters(content, chosen, groups))}</form>',
            '<div class="examples" role="region" aria-label="Examples" tabindex="0">',
            f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>",
            *rows,
            "</tbody>\n</table>\n</div>",
            '<p><button id="more" type="button" hidden>Show more</button></p>',
        ]
    )


def _notes(content: PageContent, count: int) -> list[str]:
    """Where the texts and the other examples stand, as HTML."""
    notes = [MASKED] if content.harmful else []
    if "texts.jsonl" in content.files:
        notes.append('Their texts stand, by id, in <a href="texts.jsonl">texts.jsonl</a>, SHA-256 ')
        notes.append(f'<span class="id">{content.files["texts.jsonl"]}</span>. ')
    elif content.harmful:
        notes.append("<code>report: {include_text: true}</code> in the task writes them to a file beside this page. ")
    if count < len(content.failures):
        notes.append(f"{count:,} of {len(content.failures):,}, taken in turns from the clusters; all of them stand in ")
    else:
        notes.append("All of them, also in ")
    return [*notes, '<a href="failures.parquet">failures.parquet</a>.']


def _filters(content: PageContent, chosen: Sequence[Failure], groups: Sequence[str]) -> list[str]:
    return [
        '<input name="search" type="search" placeholder="Search" aria-label="Search">',
        _select("cluster", {c.number: f"{c.label} ({c.failed:,})" for c in content.clusters or ()}),
        _select("iteration", {k: f"iteration {k}" for k in sorted({f.iteration for f in chosen})}),
        _select("group", dict(enumerate(groups))) if groups else "",
        '<button type="reset">Clear</button><output aria-live="polite"></output>',
    ]


def _masked_cells(failure: Failure) -> list[tuple[str, str]]:
    """Class and text of the cells below MASKED_HEADS."""
    return [
        ("id", failure.instruction_id),
        ("", str(failure.characters)),
        ("", failure.detail),
        ("", "" if failure.score is None else f"{failure.score:.3f}"),
    ]


def _text_cells(failure: Failure) -> list[tuple[str, str]]:
    """Class and text of the cells below HEADS."""
    return [
        ("text", truncated(failure.text or "", LONGEST)),
        ("text answer", truncated(failure.response or "", LONGEST)),
        ("trusted", truncated(failure.reference or "", LONGEST_REFERENCE)),
        ("", failure.detail),
    ]


def _cell(name: str, text: str) -> str:
    css_class = name and f' class="{name}"'
    return f"<td{css_class}>{html_text(text)}</td>"


def _select(name: str, options: Mapping[int, str]) -> str:
    listed = "".join(f'<option value="{value}">{html_text(text)}</option>' for value, text in options.items())
    all_options = {"cluster": "all clusters", "iteration": "all iterations", "group": "all types"}[name]
    return f'<select name="{name}" aria-label="{name}"><option value="">{all_options}</option>{listed}</select>'
