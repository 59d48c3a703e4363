"""The checks of a run: overlaps of training rows with tests, verdicts that a person checked, and the judge's errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from reversegen.core.errors import BadInput
from reversegen.core.escaping import markdown_text
from reversegen.core.files import read_json
from reversegen.core.markdown import filled, markdown_table
from reversegen.core.metric import Metric
from reversegen.evaluation.audit_draw import AUDITED_RATE
from reversegen.evaluation.eval_file import LABELLED_SET, EvalFile
from reversegen.evaluation.votes import HOLDOUT_JUDGE, JUDGE

DASH = "\N{EN DASH}"
Counts = Mapping[str, Mapping[str, int]]
"""Numbers of rows, by training set and by the set that they overlap with."""


def checks_section(evaluations: Sequence[EvalFile], gates: Sequence[Path]) -> str:
    """A section of `table.md`. `gates` are the contamination reports of the run, for all random seeds.

    Raises BadInput if a report is malformed.
    """
    lines = [f"Contamination: {contamination_text(gates)}.", f"Audit: {audit_text(evaluations)}."]
    lines += [f"**Alarm:** {text}." for text in judge_alarms(evaluations)]
    checks = ["## Checks of this run", "\n".join(filled(line, "- ") for line in lines)]
    return "\n\n".join([*checks, *judge_parts(evaluations), *vote_parts(evaluations)])


def judge_alarms(evaluations: Sequence[EvalFile]) -> list[str]:
    """A sentence for each iteration in which the gap to the hold-out judge grew by more than its limit."""
    return [f"{e.task}, iteration {e.iteration}: {text}" for e in evaluations for text in e.judge_alarms]


def vote_parts(evaluations: Sequence[EvalFile]) -> list[str]:
    """The numbers of each judge on the samples of the last iteration, as a sentence and a table; empty for a single judge.

    Of several random seeds it is the first.
    """
    trained = [e for e in evaluations if e.role == "proposer" and e.iteration is not None]
    last = max(trained, key=lambda e: e.iteration or 0, default=None)  # the first of several random seeds
    if last is None or sum(len(last.groups.get(dimension, {})) for dimension in (JUDGE, HOLDOUT_JUDGE)) < 2:
        return []
    names = ("failure_rate", "invalid_share", "judge_sensitivity", "judge_specificity")
    lines = [
        [markdown_text(name), role, *(_short_text(numbers[one]) if one in numbers else DASH for one in names)]
        for dimension, role in ((JUDGE, "labels"), (HOLDOUT_JUDGE, "only measures"))
        for name, numbers in last.groups.get(dimension, {}).items()
    ]
    text = f"Each judge alone, on the held-out samples of iteration {last.iteration} and on its labelled sets:"
    head = ["judge", "role", "failure rate", "invalid", "sensitivity", "specificity"]
    return [filled(text), markdown_table(head, lines, padded=True)]


def _short_text(share: Metric) -> str:
    return DASH if share.value is None else f"{share.value:.3f}"


def judge_parts(evaluations: Sequence[EvalFile]) -> list[str]:
    """The judge's errors on the rows of all labelled sets and on each set, as a sentence and a table.

    Empty if no proposer was evaluated. Of several random seeds it is the judge check of the first.
    """
    measured = next((e for e in evaluations if "judge_sensitivity" in e.metrics), None)
    if measured is None:
        return []
    by_set = {"all": measured.metrics, **measured.groups.get(LABELLED_SET, {})}
    lines = [
        [markdown_text(name), *(_share_text(errors[f"judge_{share}"]) for share in ("sensitivity", "specificity"))]
        for name, errors in by_set.items()
    ]
    text = "How many failed rows (sensitivity) and passed rows (specificity) of each labelled set the judge recognises:"
    return [filled(text), markdown_table([LABELLED_SET, "sensitivity", "specificity"], lines, padded=True)]


def _share_text(share: Metric) -> str:
    """A share with its interval and its number of rows; a dash without a number."""
    if share.value is None or share.low is None or share.high is None:
        return DASH
    return f"{share.value:.3f} [{share.low:.3f}, {share.high:.3f}] of {share.total}"


def contamination_text(gates: Sequence[Path]) -> str:
    """How many training rows ask a test question or a held-out seed, and the largest share that nearly repeats one."""
    if not gates:
        return "no training rows were compared with tests and held-out seeds"
    exact, shares = 0, dict[str, list[tuple[float, str]]]()
    for path in gates:
        content = read_json(path)
        try:
            exact += sum(n for counts in content["exact"].values() for n in counts.values())
            for form in ("near", "semantic"):
                shares.setdefault(form, []).extend(_shares(content[form], content["rows"]))
        except (AttributeError, KeyError, TypeError) as error:
            raise BadInput(f"{path}: not a contamination report; remove it, so that its rule makes it again") from error
    parts = [f"{exact} exact overlaps of training rows with tests and held-out seeds"]
    for form, listed in shares.items():
        if listed:
            share, place = max(listed)
            where = f" ({markdown_text(place)})" if share else ""
            parts.append(f"largest share of {form} overlaps {share:.3f}{where}")
    return "; ".join(parts)


def _shares(overlaps: Counts, rows: Mapping[str, int]) -> Iterable[tuple[float, str]]:
    for training, counts in overlaps.items():
        for other, count in counts.items():
            yield count / max(1, rows[training]), f"rows of {training} with {other}"


def audit_text(evaluations: Sequence[EvalFile]) -> str:
    """How many verdicts a person has checked, the share that they agree with, and the failure rates that follow from them."""
    agreements = [metric for e in evaluations if (metric := e.metrics.get("audit_agreement"))]
    checked = sum(metric.total or 0 for metric in agreements)
    if not checked:
        return "no person has checked a verdict yet; fill in the column `person` of an audit.csv"
    same = sum(metric.count or 0 for metric in agreements)
    rates = [
        f"failure rate of distinct instructions by the audit of {e.task}, iteration {e.iteration}, {_rate_text(rate)}"
        for e in evaluations
        if (rate := e.metrics.get(AUDITED_RATE.name)) and rate.value is not None
    ]
    return "; ".join([f"a person has checked {checked} verdicts; agreement {same / checked:.3f}", *rates])


def _rate_text(rate: Metric) -> str:
    return f"{rate.value:.3f} [{rate.low:.3f}, {rate.high:.3f}]"
