"""The page's table of how far its verdicts can be trusted."""

from __future__ import annotations

from reversegen.core.escaping import html_text
from reversegen.core.metric import Metric
from reversegen.reporting.page.content import PageContent
from reversegen.reporting.page.elements import html_table, note, with_interval

SHARES = {
    "sensitivity": "of the failed rows, those called failed",
    "specificity": "of the passed rows, those called passed",
    "injections": "of the answers that try to talk the judge into a verdict, those judged rightly",
    "invalid": "of all other rows, those without a verdict",
}
"""The numbers of `judge.json`, and what they are."""


def judge_errors(content: PageContent) -> str:
    """The judge's errors on its labelled set, and how far a person agreed."""
    if content.judge is None:
        return ""
    lines = []
    for name, what in SHARES.items():
        metric = getattr(content.judge, name)
        lines.append([f"{name}<small>{what}</small>", with_interval(metric), f"{metric.count:,} of {metric.total:,}"])
    missing = Metric(value=None)
    audited = [e for e in content.evaluations if e.metrics.get("audit_agreement", missing).value is not None]
    for e in audited:
        agreement, kappa = e.metrics["audit_agreement"], e.metrics["audit_kappa"].value
        what = "a person gave the same verdict" + (f", Cohen&#x27;s kappa {kappa:.3f}" if kappa is not None else "")
        name = html_text(f"audit of {e.task}, iteration {e.iteration}")
        rows = f"{agreement.count:,} of {agreement.total:,}"
        lines.append([f"{name}<small>{what}</small>", with_interval(agreement), rows])
    text = "On the labelled set of the task, with Wilson's 95 % intervals."
    if not audited:
        text += " No audit.csv is filled in, so no person has checked the verdicts of this run."
    return f"{html_table('Judge', ['share', 'value', 'rows'], lines)}\n{note(text)}"
