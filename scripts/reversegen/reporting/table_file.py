"""The content of `table.md`: a summary that fits a screen, then every number; and the summary alone for a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from reversegen.core.errors import BadInput
from reversegen.core.markdown import JOINED, SCREEN, filled, markdown_table
from reversegen.core.metric import MetricDescription, metric_words
from reversegen.evaluation.eval_file import ABSTAINED_SHARE, RIGHT_SHARE, EvalFile
from reversegen.evaluation.outcomes import EvaluationOutcomes
from reversegen.evaluation.statistics import comparison, difference
from reversegen.kinds.base import RETAINED, KeptShare, OutcomeShare
from reversegen.reporting.rows import TARGET_ROWS
from reversegen.reporting.run_checks import checks_section
from reversegen.reporting.tables import (
    Cell,
    cell_text,
    descriptions,
    headline_metrics,
    main_metric,
    markdown,
    table,
)

Rows = dict[str, dict[str, Cell]]
PROPOSER_COLUMNS = {
    "failure_rate": "failure rate",
    RIGHT_SHARE.name: "right",
    ABSTAINED_SHARE.name: "abstained",
    "validity": "validity",
    "yield": "failures in 1,000",
    "type_entropy": "type entropy",
}
"""The metrics of a proposer in the summary, with the heads of their columns; those that its table has are shown."""
MOST_ITERATIONS = 5
"""The most lines for iterations in the summary; if there are more iterations, it shows the first and the last ones."""
CONTROL = "warmup_failures"
"""The source that differs from reversegen only by the proposer's training: the difference is what training adds."""


def table_markdown(
    evaluations: Sequence[EvalFile], outcomes: Sequence[EvaluationOutcomes], gates: Sequence[Path] = ()
) -> str:
    """The content of `table.md`. `gates` are the contamination reports of the run.

    Raises BadInput if the evaluations are not of one task.
    """
    title, _, numbers = markdown(evaluations, outcomes).partition("\n\n")
    return f"{title}\n\n{summary(evaluations, outcomes)}\n\n{numbers}\n{checks_section(evaluations, gates)}\n"


def read_summary(table_file: Path) -> str:
    """The summary of a `table.md`, without its title. Raises BadInput if there is no such file."""
    if not table_file.is_file():
        raise BadInput(f"{table_file}: no such file; make it with `snakemake -c2 {table_file}`")
    _, _, text = table_file.read_text(encoding="utf-8").partition("\n\n")
    return text.partition("\n\n## ")[0]


def summary(evaluations: Sequence[EvalFile], outcomes: Sequence[EvaluationOutcomes]) -> str:
    """The findings in a few sentences and two small tables, as Markdown on lines of at most SCREEN columns."""
    proposers = {row: cells for row, cells in table(evaluations, "proposer", outcomes).items() if row.isdecimal()}
    targets = {row: cells for row, cells in table(evaluations, "target", outcomes).items() if row in TARGET_ROWS}
    main = main_metric(evaluations)
    parts = [filled(findings(proposers, targets, main))]
    if proposers:
        parts.append(_proposer_table(proposers))
    if targets:
        parts.append(_target_table(targets, main, evaluations[0].kind))
    return "\n\n".join(parts)


def findings(proposers: Rows, targets: Rows, main: MetricDescription) -> str:
    """The change of the failure rate and of the target, and the conclusion that the interval from CONTROL allows.

    Rows that were not evaluated are left out.
    """
    sentences = []
    if proposers:
        first, last = next(iter(proposers)), next(reversed(proposers))
        rates = [_number(proposers[row]["failure_rate"]) for row in (first, last)]
        places = [f"in iteration{JOINED}{row}" for row in (first, last)]  # a line that starts with `1.` would be a list
        sentences.append(f"The failure rate went from {rates[0]} {places[0]} to {rates[1]} {places[1]}.")
    name = metric_words(main.name)
    if "original" in targets and "reversegen" in targets:
        before, after = (_number(targets[row][main.name]) for row in ("original", "reversegen"))
        sentences.append(f"Enhanced with reversegen, the target's {name} went from {before} to {after}.")
    if CONTROL in targets and "reversegen" in targets:
        enhanced, compared = (targets[row][main.name].outcomes for row in ("reversegen", CONTROL))
        shown = comparison("reversegen", CONTROL, main.less_is_better, difference(enhanced, compared, main.name))
        sentences.append(f"In {name} {_joined_numbers(shown)}.")
    return " ".join([*sentences, "Brackets hold 95 % intervals."]) if sentences else "There is nothing to compare yet."


def _number(cell: Cell) -> str:
    """A cell's text, which `filled` does not break."""
    return _joined_numbers(" ".join(cell_text(cell)).strip())


def _joined_numbers(text: str) -> str:
    """A text in which `filled` separates no number from its interval."""
    return re.sub(r" (?=\[)|(?<=,) (?=[-+0-9])", JOINED, text)


def _proposer_table(proposers: Rows) -> str:
    first = next(iter(proposers.values()))
    heads = {name: head for name, head in PROPOSER_COLUMNS.items() if name in first}
    numbers = {name: [cell_text(cells[name]) for cells in proposers.values()] for name in heads}
    iterations = {"iteration": list(proposers)}
    columns = iterations | {heads[name]: [" ".join(text).strip() for text in texts] for name, texts in numbers.items()}
    if _width(columns) > SCREEN:  # values without intervals, except the first, and as many of them as fit
        values = {heads[name]: [value for value, _ in texts] for name, texts in numbers.items()}
        columns = _fitting(iterations | {heads["failure_rate"]: columns[heads["failure_rate"]]}, values)
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    if len(rows) > MOST_ITERATIONS:
        omitted = ["\N{HORIZONTAL ELLIPSIS}"] * len(rows[0])
        rows = [rows[0], omitted, *rows[2 - MOST_ITERATIONS :]]
    return markdown_table(list(columns), rows, padded=True)


def _target_table(targets: Rows, main: MetricDescription, kind: str) -> str:
    """The main metric with its interval and paired difference, then values of other metrics that fit the screen."""
    columns = {"enhanced with": ["nothing" if row == "original" else row for row in targets]}
    columns[metric_words(main.name)] = [" ".join(cell_text(cells[main.name])).strip() for cells in targets.values()]
    if "reversegen" in targets:
        columns["reversegen less this"] = [_less(targets, row, main) for row in targets]
    headlines = [metric.name for metric in headline_metrics(kind)]
    names = dict.fromkeys([*main.beside, *headlines[:2], RETAINED.name, *headlines[2:]])
    shown = [name for name in names if name != main.name and all(name in cells for cells in targets.values())]
    described = descriptions(kind)
    values = {_head(described[name]): [cell_text(cells[name])[0] for cells in targets.values()] for name in shown}
    columns = _fitting(columns, values)
    return markdown_table(list(columns), zip(*columns.values(), strict=True), padded=True)


def _head(metric: MetricDescription) -> str:
    """The head of a metric's column: right, wrong or abstained for a share of outcomes, else its name in words."""
    if isinstance(metric, OutcomeShare) and not isinstance(metric, KeptShare):
        return metric.outcome
    return "right" if metric.counts == "right" else metric_words(metric.name)


def _fitting(columns: dict[str, list[str]], more: dict[str, list[str]]) -> dict[str, list[str]]:
    """The columns, and those of `more` that still fit the screen beside them."""
    for head, cells in more.items():
        wider = columns | {head: columns.get(head, cells)}
        columns = wider if _width(wider) <= SCREEN else columns
    return columns


def _less(targets: Rows, row: str, main: MetricDescription) -> str:
    """The paired difference of `reversegen` from a row, with its interval; empty for itself and without outcomes."""
    enhanced, compared = (targets[source][main.name].outcomes for source in ("reversegen", row))
    between = difference(enhanced, compared, main.name)
    if row == "reversegen" or between.value is None or between.low is None or between.high is None:
        return ""
    form = main.number_format
    return f"{between.value:+{form}} [{between.low:+{form}}, {between.high:+{form}}]"


def _width(columns: dict[str, list[str]]) -> int:
    return 1 + sum(3 + max(map(len, [head, *cells])) for head, cells in columns.items())
