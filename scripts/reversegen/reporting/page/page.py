"""A task's page, one self-contained HTML file: what was found, how far it can be trusted, what it cost, where it comes from.

Each section has a module: `first_screen` (the finding and two charts), `results`, `diversity`, `cluster_cards`, `examples`,
`judge_errors`, `training`, `job_costs`, `provenance`. They are made of what `content` reads, by means of `elements` and
`charts`; `frame` has the style sheet and the script.
"""

from __future__ import annotations

from reversegen.core.escaping import html_text
from reversegen.reporting.page.cluster_cards import cluster_cards
from reversegen.reporting.page.content import PageContent
from reversegen.reporting.page.diversity import diversity
from reversegen.reporting.page.examples import examples
from reversegen.reporting.page.first_screen import finding, first_charts
from reversegen.reporting.page.frame import html_document
from reversegen.reporting.page.job_costs import job_costs
from reversegen.reporting.page.judge_errors import judge_errors
from reversegen.reporting.page.provenance import provenance
from reversegen.reporting.page.results import results
from reversegen.reporting.page.training import training
from reversegen.reporting.rows import ROWS, tasks_of
from reversegen.reporting.tables import main_metric, table


def task_page(content: PageContent) -> str:
    """The content of `report.html`. Raises BadInput if the evaluations are not of one task."""
    name, _ = tasks_of(content.evaluations)
    main = main_metric(content.evaluations)
    proposers, targets = (table(content.evaluations, role, content.outcomes) for role in ROWS)
    sections = {
        "results": ("Results", results(content.evaluations, proposers, targets)),
        "diversity": ("Diversity and validity", diversity(content)),
        "failure_clusters": ("Failure clusters", cluster_cards(content)),
        "examples": ("Examples", examples(content)),
        "judge": ("Judge", judge_errors(content)),
        "training": ("Training", training(content.curves, content.evaluations)),
        "costs": ("Costs", job_costs(content)),
        "provenance": ("Provenance", provenance(content)),
    }
    filled = {key: section for key, section in sections.items() if section[1]}
    links = "".join(f'<a href="#{key}">{title}</a>' for key, (title, _) in filled.items())
    body = [
        "<header>",
        f"<h1>{html_text(name)}</h1>",
        f"<nav>{links}</nav>",
        f'<p class="finding">{html_text(finding(proposers, targets, main))}</p>',
        "</header>",
        first_charts(content.evaluations, proposers, targets, main),
    ]
    body += [f'<section>\n<h2 id="{key}">{title}</h2>\n{html}\n</section>' for key, (title, html) in filled.items()]
    return html_document(name, "\n".join(body))
