"""The page's table of the judge's errors: how far the verdicts can be trusted."""

from __future__ import annotations

from collections.abc import Iterator

from reversegen.core.escaping import html_text
from reversegen.core.metric import Metric
from reversegen.evaluation.audit_draw import AUDITED_RATE
from reversegen.evaluation.eval_file import EvalFile
from reversegen.evaluation.judge_check import JudgeReport
from reversegen.evaluation.votes import VOTE_METRICS
from reversegen.reporting.page.certainty import audited
from reversegen.reporting.page.content import PageContent
from reversegen.reporting.page.elements import html_table, metric_html, note
from reversegen.reporting.run_checks import judge_alarms

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
    votes = [line for e in content.evaluations for line in _votes(e)]
    lines += [*_judges(content.judge), *votes]
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
    if votes:
        text += " Numbers of an iteration are of its held-out samples, with intervals by bootstrap over prompts."
    if not checked:
        text += " No audit.csv is filled in, so no person has checked the verdicts of this run."
    alarms = "".join(f"<li>{html_text(text)}</li>" for text in judge_alarms(content.evaluations))
    box = f'<div class="alarm" role="note"><ul>{alarms}</ul></div>' if alarms else ""
    return f"{html_table('Judge', ['share', 'value', 'rows'], lines)}\n{note(text)}{box}"


def _judges(report: JudgeReport) -> Iterator[list[str]]:
    """A line for each error of each of several judges."""
    for name, errors in report.judges.items() if len(report.judges) > 1 else ():
        who = f"{name}, the hold-out judge" if name == report.holdout else name
        yield _line(f"sensitivity of {who}", SHARES["sensitivity"], errors.sensitivity)
        yield _line(f"specificity of {who}", SHARES["specificity"], errors.specificity)


def _votes(evaluation: EvalFile) -> Iterator[list[str]]:
    """A line for each number of the votes that an iteration has."""
    for metric in VOTE_METRICS if evaluation.iteration is not None else ():
        if metric.name in evaluation.metrics:
            place = f"{metric.name} of {evaluation.task}, iteration {evaluation.iteration}"
            yield _line(place, metric.meaning, evaluation.metrics[metric.name])


def _line(name: str, meaning: str, share: Metric) -> list[str]:
    """The cells of a line, as HTML."""
    head = f"{html_text(name)}<small>{html_text(meaning)}</small>"
    rows = f"{share.count:,} of {share.total:,}" if share.count is not None and share.total is not None else ""
    return [head, metric_html(share), rows]


def _number(metric: Metric) -> str:
    """The value of a metric as text, or a dash."""
    return "\N{EN DASH}" if metric.value is None else f"{metric.value:.3f}"
