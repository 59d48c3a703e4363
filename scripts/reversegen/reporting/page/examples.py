"""The page's table of failing instructions. The page's script searches and filters it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from reversegen.core.escaping import html_text
from reversegen.core.failure_records import Failure
from reversegen.reporting.failures import choose_examples
from reversegen.reporting.page.content import PageContent
from reversegen.reporting.page.elements import truncated
from reversegen.reporting.page.frame import ROWS_AT_ONCE

MOST_EXAMPLES = 2000
"""Number of examples on the page. `failures.parquet` has all of them."""
LONGEST, LONGEST_REFERENCE = 300, 100
"""Number of characters of a text. With 2,000 examples and 6 bytes a character, the page stays below 10 MB."""
MASKED = (
    "Instructions and answers of this task may do harm, so the page masks them. It shows the id of an example (a hash of its "
    "text), its type, its length and the judge's categories. "
)
MASKED_HEADS = ("id", "characters", "reason", "score")
HEADS = ("instruction", "the target\N{RIGHT SINGLE QUOTATION MARK}s answer", "trusted answer", "reason")


def examples(content: PageContent) -> str:
    """The table with its filters, as HTML. Without a script it shows the first rows."""
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
        cells += (
            _masked_cells(f)
            if content.harmful
            else text_cells(f.text or "", f.response or "", f.reference or "", f.detail)
        )
        data = (
            f'data-cluster="{f.cluster}" data-iteration="{f.iteration}" data-group="{numbers.get(f.group or "", "")}"'
        )
        hidden = " hidden" if place >= ROWS_AT_ONCE else ""
        rows.append(f"<tr {data}{hidden}>{''.join(html_cell(*cell) for cell in cells)}</tr>")
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
    """Sentences on where to find the texts and the other examples, as HTML."""
    notes = [MASKED] if content.harmful else []
    if "texts.jsonl" in content.files:
        notes.append('The texts are in <a href="texts.jsonl">texts.jsonl</a>, by id; its SHA-256 is ')
        notes.append(f'<span class="id">{content.files["texts.jsonl"]}</span>. ')
    elif content.harmful:
        target = html_text(shlex.quote(f"results/{content.run}/texts.jsonl"))
        notes.append(f"<code>snakemake --cores 1 {target}</code> writes the texts to a file beside this page; with ")
        notes.append("<code>report: {include_text: true}</code> in the task, the page links to it. ")
    if count < len(content.failures):
        notes.append(
            f"These are {count:,} of {len(content.failures):,} failures, taken in turns from the clusters. All are in "
        )
    else:
        notes.append(f"These are all {count:,} failures. They are also in ")
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
    """Class and text of each cell in the columns MASKED_HEADS."""
    return [
        ("id", failure.instruction_id),
        ("", str(failure.characters)),
        ("", failure.detail),
        ("", "" if failure.score is None else f"{failure.score:.3f}"),
    ]


def text_cells(instruction: str, answer: str, trusted: str, reason: str) -> list[tuple[str, str]]:
    """Class and text of each cell in the columns HEADS."""
    return [
        ("text", truncated(instruction, LONGEST)),
        ("text answer", truncated(answer, LONGEST)),
        ("trusted", truncated(trusted, LONGEST_REFERENCE)),
        ("", reason),
    ]


def html_cell(css_class: str, text: str, head: str = "") -> str:
    """A cell as HTML. A narrow screen, which has no line of heads, shows `head` in front of the text."""
    attributes = css_class and f' class="{css_class}"'
    attributes += head and f' data-head="{html_text(head)}"'
    return f"<td{attributes}>{html_text(text)}</td>"


def _select(name: str, options: Mapping[int, str]) -> str:
    listed = "".join(f'<option value="{value}">{html_text(text)}</option>' for value, text in options.items())
    all_options = {"cluster": "all clusters", "iteration": "all iterations", "group": "all types"}[name]
    return f'<select name="{name}" aria-label="{name}"><option value="">{all_options}</option>{listed}</select>'
