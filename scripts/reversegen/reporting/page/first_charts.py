"""The two charts of the first screen: failure rate and validity by iteration, and the target's metrics by source."""

from __future__ import annotations

from collections.abc import Sequence

from reversegen.core.metric import MetricDescription, metric_words
from reversegen.evaluation.eval_file import EvalFile
from reversegen.kinds.base import RETAINED
from reversegen.reporting.page.charts import Series, line_chart, row_chart
from reversegen.reporting.page.content import Rows
from reversegen.reporting.page.elements import figure, figure_numbers, intervals_note, point
from reversegen.reporting.page.terms import metric_term
from reversegen.reporting.rows import TARGET_ROWS, tasks_of
from reversegen.reporting.tables import Cell

PROPOSER_SHARES = ("failure_rate", "validity")
"""The metrics of the proposer's chart."""


def first_charts(evaluations: Sequence[EvalFile], proposers: Rows, targets: Rows, main: MetricDescription) -> str:
    """Failure rate by iteration and target by source, as HTML. Each is there if it was evaluated."""
    kind, seeds = evaluations[0].kind, len(tasks_of(evaluations)[1])
    charts = []
    if proposers:
        charts.append(_proposer_chart(proposers, kind, seeds))
    if sources := charted_targets(targets):
        charts.append(_target_chart(sources, charted_metrics(targets, main), kind, seeds))
    return "".join(charts)


def charted_targets(targets: Rows) -> Rows:
    """The rows of the target's chart: the original and the sources. Other models have rows in a table only."""
    return {row: cells for row, cells in targets.items() if row in TARGET_ROWS} or targets


def charted_metrics(targets: Rows, main: MetricDescription) -> list[str]:
    """The metrics of the target's chart: the main one, those that belong beside it, and what the target can still do."""
    sources = charted_targets(targets)
    return [n for n in (main.name, *main.beside, RETAINED.name) if all(n in cells for cells in sources.values())]


def _proposer_chart(rows: Rows, kind: str, random_seeds: int) -> str:
    caption = f"Failure rate and validity by iteration, on held-out prompts; {intervals_note(random_seeds, 'prompts')}"
    if random_seeds > 1:
        caption += "; each thin line is one random seed"
    trained = {row: cells for row, cells in rows.items() if row != "untrained"} or rows
    chart = line_chart(caption, _by_iteration(trained, kind), "iteration (0 is the warm-up)", "share of samples")
    return figure(caption, chart, figure_numbers("iteration", rows, PROPOSER_SHARES, kind))


def _by_iteration(rows: Rows, kind: str) -> list[Series]:
    series: list[Series] = []
    for n, name in enumerate(PROPOSER_SHARES):
        cells = [row[name] for row in rows.values()]
        places = [int(row) if row.isdecimal() else 0 for row in rows]
        shift = 0.03 * (n - (len(PROPOSER_SHARES) - 1) / 2) if len(rows) > 1 else 0.0  # so that bars do not overlap
        points = [point(place + shift, cell) for place, cell in zip(places, cells, strict=True)]
        text = metric_words(name)
        series.append(Series(text, points, n, legend=metric_term(name, kind, text)))
        if name == "failure_rate":
            for task, cells_of_seed in _by_random_seed(cells):
                points = [point(place, cell) for place, cell in zip(places, cells_of_seed, strict=True)]
                series.append(Series(task, points, n, True))
    return series


def _target_chart(rows: Rows, names: Sequence[str], kind: str, random_seeds: int) -> str:
    words = [metric_words(n) for n in names]
    measured = " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])).capitalize()
    caption = f"{measured} by source, on test questions; {intervals_note(random_seeds, 'questions')}"
    if random_seeds > 1:
        caption += "; each dot is one random seed"
    series: list[Series] = []
    for n, name in enumerate(names):
        cells = [row[name] for row in rows.values()]
        points = [point(place, cell) for place, cell in enumerate(cells)]
        series.append(Series(words[n], points, n, legend=metric_term(name, kind, words[n])))
        series += [
            Series(task, [point(place, cell) for place, cell in enumerate(cells_of_seed)], n, True)
            for task, cells_of_seed in _by_random_seed(cells)
        ]
    chart = row_chart(caption, list(rows), series, "share of test questions")
    return figure(caption, chart, figure_numbers("source", rows, names, kind))


def _by_random_seed(cells: Sequence[Cell]) -> list[tuple[str, list[Cell]]]:
    """The cells of each random seed; empty for a single random seed."""
    tasks = list(cells[0].metrics)
    return [(task, [Cell({task: c.metrics[task]}) for c in cells]) for task in tasks] if len(tasks) > 1 else []
