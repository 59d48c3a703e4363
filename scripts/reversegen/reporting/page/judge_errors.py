"""The page's table of the judge's errors: how far the verdicts can be trusted."""

from __future__ import annotations

from reversegen.core.escaping import html_text
from reversegen.core.metric import Metric
from reversegen.evaluation.audit_draw import AUDITED_RATE
from reversegen.reporting.page.certainty import audited
from reversegen.reporting.page.content import PageContent
from reversegen.reporting.page.elements import html_table, metric_html, note

SHARES = {
    "sensitivity": "share of the failed rows that the judge calls failed",
    "specificity": "share of the passed rows that the judge calls passed",
    "injections": "share of the answers that try to talk the judge into a verdict that it judges correctly",
    "invalid": "share of all other rows that get no verdict",
}
"""The numbers of `judge.json`, with their meanings."""


def judge_errors(content: PageContent) -> str:
    """The judge's errors on its labelled rows and on each of several sets, and how far a person agreed with it, as HTML."""
    if content.judge is None:
        return ""
    lines = [_line(name, meaning, getattr(content.judge, name)) for name, meaning in SHARES.items()]
    sets = content.judge.sets if len(content.judge.sets) > 1 else {}
    for name, errors in sets.items():
        for share, meaning in (("sensitivity", "failed rows"), ("specificity", "passed rows")):
            lines.append(_line(f"{share} on {name}", f"of the {meaning} of this labelled set", getattr(errors, share)))
    checked = audited(content)
    for e in checked:
        kappa = e.metrics["audit_kappa"].value
        meaning = "share of the rows to which a person gave the same verdict"
        meaning += f"; Cohen's kappa {kappa:.3f}" if kappa is not None else ""
        lines.append(_line(f"audit of {e.task}, iteration {e.iteration}", meaning, e.metrics["audit_agreement"]))
        if (rate := e.metrics.get(AUDITED_RATE.name)) and rate.value is not None:
            head = f"failure rate by the audit of {e.task}, iteration {e.iteration}"
            meaning = "of distinct instructions; the judge's own is " + _number(e.metrics["failure_rate_unique"])
            lines.append(_line(head, f"{meaning}. The interval is over the draw of the rows", rate))
    text = "Measured on the labelled rows of the task. Brackets hold Wilson's 95 % intervals."
    if not checked:
        text += " No audit.csv is filled in, so no person has checked the verdicts of this run."
    return f"{html_table('Judge', ['share', 'value', 'rows'], lines)}\n{note(text)}"


def _line(name: str, meaning: str, share: Metric) -> list[str]:
    """The cells of a line, as HTML."""
    head = f"{html_text(name)}<small>{html_text(meaning)}</small>"
    rows = "" if share.count is None else f"{share.count:,} of {share.total:,}"
    return [head, metric_html(share), rows]


def _number(metric: Metric) -> str:
    """The value of a metric as text, or a dash."""
    return "\N{EN DASH}" if metric.value is None else f"{metric.value:.3f}"
