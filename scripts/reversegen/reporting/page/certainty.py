"""How sure the findings are: random seeds, invalid shares, differences within the noise, and the judge's errors."""

from __future__ import annotations

from reversegen.core.escaping import html_text
from reversegen.core.metric import MetricDescription, metric_words
from reversegen.core.sources import CONTROL_SOURCES
from reversegen.evaluation.eval_file import EvalFile
from reversegen.evaluation.statistics import LEAST_SEEDS, Estimate, decides, difference
from reversegen.reporting.page.content import PageContent, Rows
from reversegen.reporting.page.elements import unbroken
from reversegen.reporting.page.terms import metric_term, row_term
from reversegen.reporting.rows import tasks_of
from reversegen.reporting.run_checks import judge_alarms

NOT_COMPARED = "not compared, because the outcomes by question are not stored"
EXCLUDES = ", excludes\N{NO-BREAK SPACE}0"


def certainty(content: PageContent, proposers: Rows, targets: Rows, main: MetricDescription) -> str:
    """A list of statements, as HTML."""
    kind = content.evaluations[0].kind
    statements = [
        _random_seeds(len(tasks_of(content.evaluations)[1])),
        *_invalid_shares(proposers, targets, main, kind),
        *_proposer_change(proposers, kind),
        *_differences(targets, main, kind),
        *_judge(content),
    ]
    listed = "".join(f"<li>{statement}</li>\n" for statement in statements)
    alarms = "".join(f'<li class="alarm">{html_text(text)}</li>\n' for text in every_alarm(content))
    return f"<ul>\n{alarms}{listed}</ul>"


def collapse_alarms(content: PageContent) -> list[str]:
    """A sentence for each limit of the collapse alarm that a trained proposer breaks."""
    trained = [e for e in content.evaluations if e.role == "proposer" and e.iteration is not None]
    return [f"Collapse alarm: {e.task}, iteration {e.iteration}: {reason}" for e in trained for reason in e.alarms]


def every_alarm(content: PageContent) -> list[str]:
    """The sentences of both alarms: of collapse, and of the gap to the hold-out judge."""
    return [*collapse_alarms(content), *(f"Judge alarm: {text}" for text in judge_alarms(content.evaluations))]


def audited(content: PageContent) -> list[EvalFile]:
    """The evaluations whose `audit.csv` a person filled in."""
    return [e for e in content.evaluations if (share := e.metrics.get("audit_agreement")) and share.value is not None]


def _random_seeds(count: int) -> str:
    """How many random seeds there are, and what intervals cover."""
    intervals = "Brackets and bars are 95&nbsp;% intervals over"
    if count == 1:
        return f"<strong>One random seed.</strong> {intervals} prompts or questions only: another random seed may differ more."
    return f"<strong>{count} random seeds.</strong> {intervals} these random seeds and the prompts or questions."


def _invalid_shares(proposers: Rows, targets: Rows, main: MetricDescription, kind: str) -> list[str]:
    """How many of the last proposer's samples and of the enhanced target's answers have no verdict, and what that means."""
    statements = []
    trained = [row for row in proposers if row != "untrained"]
    if trained and (share := _less_validity(proposers[trained[-1]]["validity"].estimate)):
        rate = metric_term("failure_rate", kind, "failure rate")
        statements.append(f"{share} of the samples in iteration {trained[-1]}; the {rate} leaves them out.")
    row = next((row for row in ("reversegen", "original") if "invalid_share" in targets.get(row, {})), None)
    if row and (invalid := targets[row]["invalid_share"].estimate.value) is not None:
        counted = {"passed": " counts them as not passed", "failed": " leaves them out", None: ""}[main.counts]
        name = metric_term(main.name, kind, metric_words(main.name))
        statements.append(f"{invalid:.3f} of the test answers of {row_term(row)}{counted and f'; {name}{counted}'}.")
    return [f"<strong>Invalid:</strong> {' '.join(statements)}"] if statements else []


def _less_validity(validity: Estimate) -> str:
    """The invalid share, which is 1 less the validity, with its interval; empty if nothing was measured."""
    if validity.value is None:
        return ""
    interval = ""
    if validity.low is not None and validity.high is not None:
        interval = f" [{1 - validity.high:.3f}, {1 - validity.low:.3f}]"
    return unbroken(f"{1 - validity.value:.3f}{interval}")


def _proposer_change(proposers: Rows, kind: str) -> list[str]:
    """What the change of the failure rate from the first to the last trained proposer shows."""
    trained = [row for row in proposers if row != "untrained"]
    if len(trained) < 2:
        return []
    first, last = (proposers[row]["failure_rate"].outcomes for row in (trained[0], trained[-1]))
    change = difference(last, first, "failure_rate")
    if change.value is None:
        return []
    rate = metric_term("failure_rate", kind, "failure rate")
    return [f"Change of the {rate}: {html_text(shown_interval(change))}."]


def _differences(targets: Rows, main: MetricDescription, kind: str) -> list[str]:
    """What `reversegen` less the original and less each control source shows in the main metric."""
    if main.name not in targets.get("reversegen", {}):
        return []
    enhanced = targets["reversegen"][main.name].outcomes
    compared = [row for row in ("original", *CONTROL_SOURCES) if row in targets]
    differences = {row: difference(enhanced, targets[row][main.name].outcomes, main.name) for row in compared}
    seeds = min((less.random_seeds for less in differences.values() if less.value is not None), default=0)
    title = f"<strong>{row_term('reversegen')}</strong> less the other targets, in "
    title += metric_term(main.name, kind, metric_words(main.name))
    if not compared:
        return []
    if not seeds:
        return [f"{title}: {NOT_COMPARED}."]
    items = [
        f"<li>{row_term(row)}: {html_text(shown_difference(row, less, main.less_is_better))}</li>"
        for row, less in differences.items()
    ]
    few = f"With fewer than {LEAST_SEEDS} random seeds no target is called better." if seeds < LEAST_SEEDS else ""
    return [f"{title}:\n<ul>{''.join(items)}</ul>{few}"]


def shown_difference(row: str, less: Estimate, less_is_better: bool) -> str:
    """What the difference `reversegen` less `row` shows. A target is called better only if the difference `decides`."""
    shown = shown_interval(less)
    if less.value is None or not decides(less):
        return shown
    better = "reversegen" if (less.value < 0) == less_is_better else row
    return f"{shown.removesuffix(EXCLUDES)}: {better} is better"


def shown_interval(less: Estimate) -> str:
    """A difference with its interval, and whether the interval excludes 0."""
    if less.value is None or less.low is None or less.high is None:
        return NOT_COMPARED
    numbers = unbroken(f"{less.value:+.3f} [{less.low:+.3f}, {less.high:+.3f}]")
    return f"{numbers}, within the noise" if less.low <= 0 <= less.high else f"{numbers}{EXCLUDES}"


def _judge(content: PageContent) -> list[str]:
    """The judge's errors in a sentence, and whether a person checked it."""
    if content.judge is None:
        return []
    shares = [
        f"{metric.value:.3f} of the {verdict} rows {verdict}"
        for verdict, metric in (("failed", content.judge.sensitivity), ("passed", content.judge.specificity))
        if metric.value is not None
    ]
    called = f"On its labelled set it calls {' and '.join(shares)}. " if shares else ""
    person = "A person checked some of its verdicts." if audited(content) else "No person has checked its verdicts."
    return [f'<a href="#judge">Judge</a>: {called}{_gap(content)}{person}']


def _gap(content: PageContent) -> str:
    """The gap between the judges that label and the hold-out judge in the last iteration; empty without such a judge."""
    gaps = [m for e in content.evaluations if e.iteration is not None and (m := e.metrics.get("judge_gap"))]
    if not gaps or (gap := gaps[-1]).value is None or gap.low is None or gap.high is None:
        return ""
    numbers = unbroken(f"{gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]")
    return f"In the last iteration its failure rate less that of the hold-out judge is {numbers}. "
