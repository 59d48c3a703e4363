"""What the first screen of the page shows: the finding in a sentence, failure rate by iteration, target by source."""

from __future__ import annotations

from collections.abc import Sequence

from reversegen.core.metric import MetricDescription
from reversegen.core.sources import CONTROL_SOURCES
from reversegen.evaluation.eval_file import EvalFile
from reversegen.evaluation.statistics import comparison, coverage, difference
from reversegen.kinds.base import RETAINED
from reversegen.reporting.page.charts import Series, line_chart, row_chart
from reversegen.reporting.page.content import Rows
from reversegen.reporting.page.elements import figure, intervals_note, point
from reversegen.reporting.rows import TARGET_ROWS, tasks_of
from reversegen.reporting.tables import Cell, cell_text


def finding(proposers: Rows, targets: Rows, main: MetricDescription) -> str:
    """What was found, with its numbers and what their intervals cover; what was not evaluated is left out."""
    parts = []
    if trained := [row for row in proposers if row != "untrained"]:
        first, last = trained[0], trained[-1]
        rate, validity = ([_number(proposers, k, m) for k in (first, last)] for m in ("failure_rate", "validity"))
        parts.append(f"the failure rate went from {rate[0]} in iteration {first} to {rate[1]} in iteration {last}")
        parts[-1] += f", validity from {validity[0]} to {validity[1]}"
    if main.name in targets.get("original", {}) and "reversegen" in targets:
        before, after = (_number(targets, source, main.name) for source in ("original", "reversegen"))
        name = main.name.replace("_", " ")
        parts.append(f"{name} went from {before} of the original target to {after} with reversegen")
        for companion in (name for name in main.beside if name in targets["original"]):
            before, after = (_number(targets, source, companion) for source in ("original", "reversegen"))
            parts[-1] += f", {companion.replace('_', '-')} from {before} to {after}"
        parts += _best_control(targets, main)
    if not parts:
        return "There is nothing to compare yet."
    seeds = max(
        len(cell.metrics) for rows in (proposers, targets) for cells in rows.values() for cell in cells.values()
    )
    sentence = "; ".join(parts)
    covers = coverage(seeds, "prompts or questions")
    return f"{sentence[0].upper()}{sentence[1:]}. Brackets hold 95 % intervals {covers}."


def _best_control(targets: Rows, main: MetricDescription) -> list[str]:
    """The control source with the best mean, and what the difference from it shows; nothing without one."""
    means = {s: m for s in CONTROL_SOURCES if s in targets and (m := targets[s][main.name].estimate.value) is not None}
    if not means:
        return []
    extreme, choose = ("lowest", min) if main.less_is_better else ("highest", max)
    control = choose(means, key=means.__getitem__)
    enhanced, compared = (targets[source][main.name].outcomes for source in ("reversegen", control))
    shows = comparison("reversegen", control, main.less_is_better, difference(enhanced, compared, main.name))
    return [f"of the control sources {control} has the {extreme}, {_number(targets, control, main.name)}", shows]


def _number(rows: Rows, row: str, column: str) -> str:
    """A cell's text, which no line break divides."""
    return " ".join(cell_text(rows[row][column])).strip().replace(" ", "\N{NO-BREAK SPACE}")


def first_charts(evaluations: Sequence[EvalFile], proposers: Rows, targets: Rows, main: MetricDescription) -> str:
    """Failure rate by iteration and target by source, each if it was evaluated."""
    seeds = len(tasks_of(evaluations)[1])
    charts = []
    if proposers:
        trained = {row: cells for row, cells in proposers.items() if row != "untrained"} or proposers
        charts.append(_proposer_chart(trained, seeds))
    sources = {row: cells for row, cells in targets.items() if row in TARGET_ROWS} or targets
    if sources:
        charts.append(_target_chart(sources, main, seeds))
    return f'<div class="charts">\n{"".join(charts)}</div>'


def _proposer_chart(rows: Rows, random_seeds: int) -> str:
    caption = f"Failure rate and validity by iteration, on held-out prompts; {intervals_note(random_seeds, 'prompts')}"
    if random_seeds > 1:
        caption += "; thin lines are the random seeds"
    lines = _by_iteration(rows, ("failure_rate", "validity"))
    return figure(caption, line_chart(caption, lines, "iteration (0 is the warm-up)", "share of samples"))


def _by_iteration(rows: Rows, names: Sequence[str]) -> list[Series]:
    series: list[Series] = []
    for n, name in enumerate(names):
        cells = [row[name] for row in rows.values()]
        places = [int(row) if row.isdecimal() else 0 for row in rows]
        spread = 0.03 * (n - (len(names) - 1) / 2) if len(rows) > 1 else 0.0  # so that bars stand side by side
        points = [point(place + spread, cell) for place, cell in zip(places, cells, strict=True)]
        series.append(Series(name.replace("_", " "), points, n))
        if name == "failure_rate":
            for task, alone in _by_random_seed(cells):
                points = [point(place, cell) for place, cell in zip(places, alone, strict=True)]
                series.append(Series(task, points, n, True))
    return series


def _target_chart(rows: Rows, main: MetricDescription, random_seeds: int) -> str:
    names = [n for n in (main.name, *main.beside, RETAINED.name) if all(n in cells for cells in rows.values())]
    words = [n.replace("_", " ") for n in names]
    measured = " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])).capitalize()
    caption = f"{measured} by source, on test questions; {intervals_note(random_seeds, 'questions')}"
    if random_seeds > 1:
        caption += "; dots are the random seeds"
    series: list[Series] = []
    for n, name in enumerate(names):
        cells = [row[name] for row in rows.values()]
        series.append(Series(words[n], [point(place, cell) for place, cell in enumerate(cells)], n))
        series += [
            Series(task, [point(place, cell) for place, cell in enumerate(alone)], n, True)
            for task, alone in _by_random_seed(cells)
        ]
    return figure(caption, row_chart(caption, list(rows), series, "share of test questions"))


def _by_random_seed(cells: Sequence[Cell]) -> list[tuple[str, list[Cell]]]:
    """The cells of each random seed if there are several."""
    tasks = list(cells[0].metrics)
    return [(task, [Cell({task: c.metrics[task]}) for c in cells]) for task in tasks] if len(tasks) > 1 else []
