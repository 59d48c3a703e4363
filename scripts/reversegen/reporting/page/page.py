"""A task's page, one self-contained HTML file: what was found, how sure it is, what to do next, and the evidence.

`first_screen` has three parts (`headline`, `certainty`, `next_steps`) and two charts (`first_charts`). Each section below it
has a module: `diversity`, `cluster_cards`, `examples`, `results`, `judge_errors`, `audit_rows`, `training`, `job_costs`,
`provenance`. `content` reads what they show. `elements`, `charts` and `terms` (names that show their meaning) make the HTML.
`frame` has the style sheet and the script.
"""

from __future__ import annotations

from reversegen.core.escaping import html_text
from reversegen.reporting.page.audit_rows import audit_rows
from reversegen.reporting.page.cluster_cards import cluster_cards
from reversegen.reporting.page.content import PageContent
from reversegen.reporting.page.diversity import diversity
from reversegen.reporting.page.examples import examples
from reversegen.reporting.page.first_screen import first_screen
from reversegen.reporting.page.frame import html_document
from reversegen.reporting.page.job_costs import job_costs
from reversegen.reporting.page.judge_errors import judge_errors
from reversegen.reporting.page.provenance import provenance
from reversegen.reporting.page.results import results
from reversegen.reporting.page.terms import popovers
from reversegen.reporting.page.training import training
from reversegen.reporting.rows import ROWS, tasks_of
from reversegen.reporting.tables import main_metric, table


def task_page(content: PageContent) -> str:
    """The content of `report.html`. Raises BadInput if the evaluations are not of one task."""
    name, _ = tasks_of(content.evaluations)
    main = main_metric(content.evaluations)
    proposers, targets = (table(content.evaluations, role, content.outcomes) for role in ROWS)
    sections = {
        "diversity": ("Diversity", diversity(content)),
        "failure_clusters": ("Failure clusters", cluster_cards(content)),
        "examples": ("Examples", examples(content)),
        "results": ("Other measurements", results(content, proposers, targets, main)),
        "judge": ("Judge", judge_errors(content)),
        "audit": ("Audit", audit_rows(content)),
        "training": ("Training", training(content.curves, content.evaluations)),
        "costs": ("Costs", job_costs(content)),
        "provenance": ("Provenance", provenance(content)),
    }
    filled = {key: section for key, section in sections.items() if section[1]}
    links = "".join(f'<a href="#{key}">{title}</a>' for key, (title, _) in filled.items())
    parts = [
        "<header>",
        f"<h1>{html_text(name)}</h1>",
        f'<nav aria-label="Sections">{links}</nav>',
        "</header>",
        first_screen(content, proposers, targets, main),
    ]
    parts += [f'<section>\n<h2 id="{key}">{title}</h2>\n{html}\n</section>' for key, (title, html) in filled.items()]
    body = "\n".join(parts)
    return html_document(name, f"{body}\n{popovers(body, content.evaluations[0].kind)}")
