"""A task's page, one self-contained HTML file: what was found, how far it can be trusted, what it cost, where it comes from."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from reversegen.core.escaping import html_text
from reversegen.core.metric import Metric, MetricDescription
from reversegen.core.records import Cluster, Failure
from reversegen.evaluation.eval_file import EvalFile
from reversegen.evaluation.judge_check import JudgeReport, wilson
from reversegen.evaluation.outcomes import EvaluationOutcomes
from reversegen.evaluation.statistics import comparison, coverage, difference
from reversegen.kinds.base import RETAINED
from reversegen.operations.planned_jobs import Amount, Job
from reversegen.reporting.failures import choose_examples
from reversegen.reporting.page.charts import Point, Series, columns, line_chart, row_chart
from reversegen.reporting.page.frame import FIRST, framed
from reversegen.reporting.rows import ROWS, TARGET_ROWS, row_name, tasks_of
from reversegen.reporting.tables import Cell, cell_text, main_metric, meaning, pool, table

Rows = dict[str, dict[str, Cell]]
Curve = Sequence[Mapping[str, Any]]

MOST_EXAMPLES = 2000
"""Examples on the page; the others stand in `failures.parquet`."""
LONGEST, LONGEST_REFERENCE, LONGEST_ON_CARD = 300, 100, 140
"""Characters of a text: with 2,000 examples whose every character takes 6 bytes, the page stays under 10 MB."""
CARDS = 9
"""Clusters shown at once; the smaller ones unfold."""
SHARES = ("validity", "unique_share", "distinct_3", "novelty", "semantic_diversity", "self_bleu")
"""Metrics from 0 to 1 of the chart of diversity; those that were not measured are left out."""
MASKED = (
    "Instructions and answers of this task may do harm and are masked: an example is shown by its id (a hash of its text), "
    "its type, the judge's categories and its length. "
)


@dataclass(frozen=True)
class Stored:
    """What a page is made of, as it was read; without a part the page has no such section."""

    evaluations: Sequence[EvalFile]
    """Of one task, with one or several random seeds."""
    outcomes: Sequence[EvaluationOutcomes] = ()
    """The same evaluations, with what each prompt or question came to."""
    run: str = ""
    """The one of these random seeds that all other parts are of."""
    clusters: Sequence[Cluster] | None = None
    failures: Sequence[Failure] = ()
    harmful: bool = False
    """Whether the failures are masked."""
    judge: JudgeReport | None = None
    curves: Mapping[str, Curve] = field(default_factory=dict)
    """What the trainer reported, by the part of the task: iter0, iter1, …, and the enhancement sources."""
    spent: Sequence[tuple[Job, Amount | None]] = ()
    """What each job of a model took; None where nothing is recorded."""
    currency: str = ""
    settings: Sequence[str] = ()
    """What was set so that a model could be asked at all, a sentence each."""
    files: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of the files beside the page that it was made of or links to, by name."""


def page(stored: Stored) -> str:
    """The content of `report.html`. Raises BadInput where the evaluations are not of one task."""
    name, _ = tasks_of(stored.evaluations)
    main = main_metric(stored.evaluations)
    proposers, targets = (table(stored.evaluations, role, stored.outcomes) for role in ROWS)
    sections = {
        "results": ("Results", _results(stored.evaluations, proposers, targets)),
        "diversity": ("Diversity and validity", _diversity(stored)),
        "failure_clusters": ("Failure clusters", _failure_clusters(stored)),
        "examples": ("Examples", _examples(stored)),
        "judge": ("Judge", _judge(stored)),
        "training": ("Training", _training(stored.curves, stored.evaluations)),
        "costs": ("Costs", _costs(stored)),
        "provenance": ("Provenance", _provenance(stored)),
    }
    there = {key: section for key, section in sections.items() if section[1]}
    links = "".join(f'<a href="#{key}">{title}</a>' for key, (title, _) in there.items())
    body = [
        "<header>",
        f"<h1>{html_text(name)}</h1>",
        f"<nav>{links}</nav>",
        f'<p class="finding">{html_text(finding(proposers, targets, main))}</p>',
        "</header>",
        _first_charts(stored.evaluations, proposers, targets, main),
    ]
    body += [
        f'<section>\n<h2 id="{key}">{title}</h2>\n{content}\n</section>' for key, (title, content) in there.items()
    ]
    return framed(name, "\n".join(body))


def system_texts(evaluations: Sequence[EvalFile]) -> list[str]:
    """A sentence for each role whose model read another system text than the configured one, by its chat template."""
    told = [facts for e in evaluations for facts in e.provenance.get("system_texts", {}).items()]
    sentences = [
        f'The {role} {one["model"]} read a system text that its chat template wrote: "{one["read"]}". '
        + ("None is configured." if one["configured"] is None else f"Configured is: {one['configured']}")
        for role, one in told
        if one["read"] and one["read"] != (one["configured"] or "")
    ]
    return list(dict.fromkeys(sentences))


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
        for beside in (name for name in main.beside if name in targets["original"]):
            before, after = (_number(targets, source, beside) for source in ("original", "reversegen"))
            parts[-1] += f", {beside.replace('_', '-')} from {before} to {after}"
        parts += _beside_control(targets, main)
    if not parts:
        return "There is nothing to compare yet."
    seeds = max(
        len(cell.metrics) for rows in (proposers, targets) for cells in rows.values() for cell in cells.values()
    )
    sentence = "; ".join(parts)
    covers = coverage(seeds, "prompts or questions")
    return f"{sentence[0].upper()}{sentence[1:]}. Brackets hold 95 % intervals {covers}."


def _beside_control(targets: Rows, main: MetricDescription) -> list[str]:
    """The control source with the best mean, and what the difference from it shows; nothing without a control."""
    means = {
        s: m for s in TARGET_ROWS[1:-1] if s in targets and (m := targets[s][main.name].estimate.value) is not None
    }
    if not means:
        return []
    extreme, choose = ("lowest", min) if main.less_is_better else ("highest", max)
    control = choose(means, key=means.__getitem__)
    one, other = (targets[source][main.name].outcomes for source in ("reversegen", control))
    shows = comparison("reversegen", control, main.less_is_better, difference(one, other, main.name))
    return [f"of the controls {control} has the {extreme}, {_number(targets, control, main.name)}", shows]


def _number(rows: Rows, row: str, column: str) -> str:
    """A cell's text, which no line break divides."""
    return " ".join(cell_text(rows[row][column])).strip().replace(" ", "\N{NO-BREAK SPACE}")


def _first_charts(evaluations: Sequence[EvalFile], proposers: Rows, targets: Rows, main: MetricDescription) -> str:
    """Failure rate by iteration and target by source: what the first screen shows."""
    seeds = len(tasks_of(evaluations)[1])
    charts = []
    if proposers:
        trained = {row: cells for row, cells in proposers.items() if row != "untrained"} or proposers
        caption = f"Failure rate and validity by iteration, on held-out prompts; {_bars(seeds, 'prompts')}"
        if seeds > 1:
            caption += "; thin lines are the random seeds"
        lines = _by_iteration(trained, ("failure_rate", "validity"))
        charts.append(_figure(caption, line_chart(caption, lines, "iteration (0 is the warm-up)", "share of samples")))
    own = {row: cells for row, cells in targets.items() if row in TARGET_ROWS} or targets
    if own:
        names = [n for n in (main.name, *main.beside, RETAINED.name) if all(n in cells for cells in own.values())]
        said = [n.replace("_", " ") for n in names]
        measured = " and ".join(filter(None, [", ".join(said[:-1]), said[-1]])).capitalize()
        caption = f"{measured} by source, on test questions; {_bars(seeds, 'questions')}"
        if seeds > 1:
            caption += "; dots are the random seeds"
        series: list[Series] = []
        for n, name in enumerate(names):
            cells = [of_row[name] for of_row in own.values()]
            series.append(Series(name.replace("_", " "), [_point(place, cell) for place, cell in enumerate(cells)], n))
            series += [
                Series(task, [_point(p, c) for p, c in enumerate(alone)], n, True) for task, alone in _runs(cells)
            ]
        charts.append(_figure(caption, row_chart(caption, list(own), series, "share of test questions")))
    return f'<div class="charts">\n{"".join(charts)}</div>'


def _bars(random_seeds: int, asked: str) -> str:
    return f"bars are 95 % intervals {coverage(random_seeds, asked)}"


def _by_iteration(rows: Rows, names: Sequence[str]) -> list[Series]:
    series: list[Series] = []
    for n, name in enumerate(names):
        cells = [of_row[name] for of_row in rows.values()]
        places = [int(row) if row.isdecimal() else 0 for row in rows]
        spread = 0.03 * (n - (len(names) - 1) / 2) if len(rows) > 1 else 0.0  # so that bars stand side by side
        points = [_point(place + spread, cell) for place, cell in zip(places, cells, strict=True)]
        series.append(Series(name.replace("_", " "), points, n))
        if name == "failure_rate":
            for task, alone in _runs(cells):
                points = [_point(place, cell) for place, cell in zip(places, alone, strict=True)]
                series.append(Series(task, points, n, True))
    return series


def _runs(cells: Sequence[Cell]) -> list[tuple[str, list[Cell]]]:
    """The cells of each random seed, where there are several."""
    tasks = list(cells[0].metrics)
    return [(task, [Cell({task: c.metrics[task]}) for c in cells]) for task in tasks] if len(tasks) > 1 else []


def _point(at: float, cell: Cell) -> Point:
    """With its interval, if it has one."""
    return Point(at, cell.estimate.value, cell.estimate.low, cell.estimate.high)


def _figure(caption: str, chart: str) -> str:
    said = html_text(caption).replace(" %", "&nbsp;%")
    return f"<figure>\n{chart}\n<figcaption>{said}.</figcaption>\n</figure>\n"


def _results(evaluations: Sequence[EvalFile], proposers: Rows, targets: Rows) -> str:
    parts = []
    if proposers:
        parts.append(_table("Proposer by iteration", proposers))
    if targets:
        parts.append(_table("Target by source", targets))
    told = f"<summary>What the metrics mean</summary>\n<p>{html_text(meaning(evaluations))}</p>"
    return "\n".join([*parts, f'<details class="note">\n{told}\n</details>'])


def _table(title: str, rows: Rows) -> str:
    """A line for each metric and a column for each row, so that many types make it long, not wide."""
    lines = []
    for name in next(iter(rows.values())):
        texts = (map(html_text, cell_text(cells[name])) for cells in rows.values())
        lines.append(
            [_breakable(name), *(f"{value}{beside and f' <small>{beside}</small>'}" for value, beside in texts)]
        )
    return f"<h3>{title}</h3>\n{_grid(title, ['metric', *map(_breakable, rows)], lines)}"


def _grid(title: str, head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table of HTML cells, the first of each line its head; a narrow screen scrolls it alone."""
    heads = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = [
        f'<tr><th scope="row">{line[0]}</th>{"".join(f"<td>{cell}</td>" for cell in line[1:])}</tr>' for line in lines
    ]
    opening = f'<div class="wide" role="region" aria-label="{title}" tabindex="0">'
    return "\n".join(
        [opening, f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>", *body, "</tbody>\n</table>\n</div>"]
    )


def _breakable(name: str) -> str:
    return html_text(name).replace("_", "_<wbr>")


def _diversity(stored: Stored) -> str:
    """A chart of the shares by iteration, and what the collapse alarm says."""
    trained = [e for e in stored.evaluations if e.role == "proposer" and e.iteration is not None]
    if not trained:
        return ""
    cells = pool(trained, stored.outcomes)
    steps = sorted({e.iteration for e in trained if e.iteration is not None})
    series: list[Series] = []
    for name in SHARES:
        of_name = [(k, cells[key]) for k in steps if (key := ("proposer", str(k), "", name)) in cells]
        if any(cell.values for _, cell in of_name):
            points = [_point(k, cell) for k, cell in of_name]
            series.append(Series(name.replace("_", " "), points, len(series)))
    caption = "Validity, diversity and novelty of what the proposers wrote on held-out prompts, by iteration; "
    caption += _bars(len(tasks_of(trained)[1]), "prompts")
    chart = _figure(caption, line_chart(caption, series, "iteration (0 is the warm-up)", "share"))
    alarms = [(e, reason) for e in trained for reason in e.alarms]
    if not alarms:
        return f"{chart}<p>No limit of the collapse alarm is broken.</p>"
    listed = "".join(f"<li>{html_text(f'{e.task}, iteration {e.iteration}: {reason}')}</li>" for e, reason in alarms)
    return f'{chart}<div class="alarm" role="note"><strong>Collapse alarm</strong><ul>{listed}</ul></div>'


def _failure_clusters(stored: Stored) -> str:
    """A card for each cluster: its terms, size, failure rate, share by iteration and examples."""
    if stored.clusters is None:
        return ""
    if not stored.clusters:
        return "<p>The target failed on nothing.</p>"
    by_iteration = [sum(counts) for counts in zip(*(c.failed_by_iteration for c in stored.clusters), strict=True)]
    texts = {failure.instruction_id: failure for failure in stored.failures}
    cards = [_card(c, by_iteration, texts, stored.harmful) for c in stored.clusters]
    compared = {
        "embeddings": "by their sentence embeddings",
        "tf-idf": "by their words and pairs of words (tf-idf), since the task has no embedding model",
    }[stored.clusters[0].vectors]
    whose = f" of {stored.run}" if stored.run != tasks_of(stored.evaluations)[0] else ""
    total = sum(c.failed for c in stored.clusters)
    note = (
        f"All {total:,} distinct instructions{whose} that the target failed on in any iteration, in {len(stored.clusters)} "
        f"clusters, compared {compared}. A cluster's name is its own most telling words. Failure rate: failed / (failed + "
        "passed), distinct instructions, what passed being counted in the nearest cluster; brackets hold Wilson's 95 % "
        "interval. Columns: the cluster's share of each iteration's failures."
    )
    parts = [f'<p class="note">{html_text(note)}</p>', f'<ol class="cards">\n{"".join(cards[:CARDS])}</ol>']
    if cards[CARDS:]:
        more = f"<summary>{len(cards) - CARDS} smaller clusters</summary>"
        parts.append(f'<details>\n{more}\n<ol class="cards">\n{"".join(cards[CARDS:])}</ol>\n</details>')
    return "\n".join(parts)


def _card(cluster: Cluster, by_iteration: Sequence[int], texts: Mapping[str, Failure], harmful: bool) -> str:
    rate = wilson(cluster.failed, cluster.failed + cluster.passed)
    shares = [n / whole if whole else 0.0 for n, whole in zip(cluster.failed_by_iteration, by_iteration, strict=True)]
    trend = f"{shares[0]:.0%} of the failures in iteration 0"
    if len(shares) > 1:
        trend += f", {shares[-1]:.0%} in iteration {len(shares) - 1}"
    trend = trend.replace("%", "\N{NO-BREAK SPACE}%")
    said = "; ".join(f"iteration {k}: {share:.1%}" for k, share in enumerate(shares))
    examples = [_short(texts[i], harmful) for i in cluster.examples[:3] if i in texts]
    return (
        f"<li><h3>{html_text(cluster.label)}</h3>\n"
        f'<p class="facts"><strong>{cluster.failed:,}</strong> failing, rate {_with_interval(rate)}</p>\n'
        f'<div class="trend">{columns(shares, said)}<span>{html_text(trend)}</span></div>\n'
        f"<ul>{''.join(f'<li>{example}</li>' for example in examples)}</ul>\n"
        f'<button type="button" data-cluster="{cluster.number}" hidden>Show its examples</button></li>\n'
    )


def _short(failure: Failure, harmful: bool) -> str:
    if harmful or failure.text is None:
        return f'<span class="id">{html_text(failure.instruction_id)}</span>, {failure.characters} characters'
    return html_text(_cut(failure.text, LONGEST_ON_CARD))


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]} … ({len(text):,} characters)"


def _with_interval(metric: Metric) -> str:
    if metric.value is None:
        return "\N{EN DASH}"
    inner = f" [{metric.low:.3f}, {metric.high:.3f}]" if metric.low is not None and metric.high is not None else ""
    return f"{metric.value:.3f}{inner}"


def _examples(stored: Stored) -> str:
    """A table that the page's script searches and filters; without a script the first rows are there."""
    if not stored.failures:
        return ""
    chosen = choose_examples(stored.failures, MOST_EXAMPLES)
    labels = {c.number: c.label for c in stored.clusters or ()}
    groups = sorted({f.group for f in chosen if f.group})
    notes = [MASKED] if stored.harmful else []
    if "texts.jsonl" in stored.files:
        notes.append('Their texts stand, by id, in <a href="texts.jsonl">texts.jsonl</a>, SHA-256 ')
        notes.append(f'<span class="id">{stored.files["texts.jsonl"]}</span>. ')
    elif stored.harmful:
        notes.append("<code>report: {include_text: true}</code> in the task writes them to a file beside this page. ")
    if len(chosen) < len(stored.failures):
        notes.append(
            f"{len(chosen):,} of {len(stored.failures):,}, taken in turns from the clusters; all of them stand in "
        )
    else:
        notes.append("All of them, also in ")
    notes.append('<a href="failures.parquet">failures.parquet</a>.')
    filters = [
        '<input name="search" type="search" placeholder="Search" aria-label="Search">',
        _select("cluster", {c.number: f"{c.label} ({c.failed:,})" for c in stored.clusters or ()}),
        _select("iteration", {k: f"iteration {k}" for k in sorted({f.iteration for f in chosen})}),
        _select("group", dict(enumerate(groups))) if groups else "",
        '<button type="reset">Clear</button><output aria-live="polite"></output>',
    ]
    head = ["cluster", "iteration", *(["type"] if groups else [])]
    if stored.harmful:
        head += ["id", "characters", "reason", "score"]
    else:
        head += ["instruction", "the target\N{RIGHT SINGLE QUOTATION MARK}s answer", "trusted answer", "reason"]
    numbers = {group: n for n, group in enumerate(groups)}
    rows = []
    for place, f in enumerate(chosen):
        cells = [("", labels.get(f.cluster, "")), ("", str(f.iteration)), *([("", f.group or "")] if groups else [])]
        if stored.harmful:
            cells += [("id", f.instruction_id), ("", str(f.characters)), ("", f.detail)]
            cells.append(("", "" if f.score is None else f"{f.score:.3f}"))
        else:
            cells.append(("text", _cut(f.text or "", LONGEST)))
            cells += [
                ("text answer", _cut(f.response or "", LONGEST)),
                ("trusted", _cut(f.reference or "", LONGEST_REFERENCE)),
            ]
            cells.append(("", f.detail))
        data = (
            f'data-cluster="{f.cluster}" data-iteration="{f.iteration}" data-group="{numbers.get(f.group or "", "")}"'
        )
        rows.append(
            f"<tr {data}{' hidden' if place >= FIRST else ''}>{''.join(_example_cell(*cell) for cell in cells)}</tr>"
        )
    heads = "".join(f'<th scope="col">{html_text(name)}</th>' for name in head)
    return "\n".join(
        [
            f'<p class="note">{"".join(notes)}</p>',
            f'<form id="filters" hidden>{"".join(filters)}</form>',
            '<div class="examples" role="region" aria-label="Examples" tabindex="0">',
            f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>",
            *rows,
            "</tbody>\n</table>\n</div>",
            '<p><button id="more" type="button" hidden>Show more</button></p>',
        ]
    )


def _example_cell(role: str, text: str) -> str:
    kind = role and f' class="{role}"'
    return f"<td{kind}>{html_text(text)}</td>"


def _select(name: str, options: Mapping[int, str]) -> str:
    listed = "".join(f'<option value="{value}">{html_text(text)}</option>' for value, text in options.items())
    every = {"cluster": "all clusters", "iteration": "all iterations", "group": "all types"}[name]
    return f'<select name="{name}" aria-label="{name}"><option value="">{every}</option>{listed}</select>'


def _judge(stored: Stored) -> str:
    """The judge's errors on its labelled set, and how far a person agreed."""
    if stored.judge is None:
        return ""
    told = {
        "sensitivity": "of the failed rows, those called failed",
        "specificity": "of the passed rows, those called passed",
        "injections": "of the answers that try to talk the judge into a verdict, those judged rightly",
        "invalid": "of all other rows, those without a verdict",
    }
    lines = []
    for name, what in told.items():
        metric = getattr(stored.judge, name)
        lines.append([f"{name}<small>{what}</small>", _with_interval(metric), f"{metric.count:,} of {metric.total:,}"])
    audited = [e for e in stored.evaluations if e.metrics.get("audit_agreement", Metric(value=None)).value is not None]
    for e in audited:
        agreed, kappa = e.metrics["audit_agreement"], e.metrics["audit_kappa"].value
        what = "a person gave the same verdict" + (f", Cohen&#x27;s kappa {kappa:.3f}" if kappa is not None else "")
        name = html_text(f"audit of {e.task}, iteration {e.iteration}")
        lines.append([f"{name}<small>{what}</small>", _with_interval(agreed), f"{agreed.count:,} of {agreed.total:,}"])
    note = "On the labelled set of the task, with Wilson's 95 % intervals."
    if not audited:
        note += " No audit.csv is filled in, so no person has checked the verdicts of this run."
    grid = _grid("Judge", ["share", "value", "rows"], lines)
    return f'{grid}\n<p class="note">{html_text(note)}</p>'


def _training(curves: Mapping[str, Curve], evaluations: Sequence[EvalFile]) -> str:
    """Loss and reward accuracy by step: warm-up, DPO by iteration, enhancement by source; what the saved models kept of it."""
    warmup = {"warm-up": curves["iter0"]} if "iter0" in curves else {}
    preference = {
        f"iteration {part.removeprefix('iter')}": curve
        for part, curve in curves.items()
        if part.startswith("iter") and part != "iter0"
    }
    enhancement = {part: curve for part, curve in curves.items() if not part.startswith("iter")}
    charts = [
        _curve_chart("Loss of the warm-up of proposer 0", warmup, "loss", "loss"),
        _curve_chart("Loss of DPO by iteration", preference, "loss", "loss"),
        _curve_chart(
            "Share of pairs whose chosen instruction DPO prefers", preference, "rewards/accuracies", "reward accuracy"
        ),
        _curve_chart("Loss of the target's enhancement by source", enhancement, "loss", "loss"),
    ]
    drawn = f'<div class="charts">\n{"".join(charts)}</div>' if any(charts) else ""
    lines = []
    for e in evaluations:
        if kept := e.metrics.get("training_kept"):
            cells = [f"{e.task}: {e.role}, {ROWS[e.role]} {row_name(e)}", _with_interval(kept), kept.reason or ""]
            lines.append([html_text(cell) for cell in cells])
    if not lines:
        return drawn
    note = (
        "Log-probability of completions, for DPO the margin of chosen over rejected ones, of a draw of the training rows: what "
        "the saved model has of the gain, as it is loaded, over what the trainer's had."
    )
    grid = _grid("Kept in saving", ["model", "share of the gain that was saved", "why there is none"], lines)
    return f'{drawn}\n{grid}\n<p class="note">{html_text(note)}</p>'


def _curve_chart(title: str, curves: Mapping[str, Curve], key: str, up: str) -> str:
    series = [
        Series(
            name, [Point(entry["step"], entry[key]) for entry in curve if math.isfinite(entry.get(key, math.nan))], n
        )
        for n, (name, curve) in enumerate(curves.items())
    ]
    series = [one for one in series if one.points]
    return _figure(title, line_chart(title, series, "step", up, share=up != "loss")) if series else ""


def _costs(stored: Stored) -> str:
    """What the jobs of models took, one line for each rule."""
    took: dict[tuple[str, str], list[Amount]] = {}
    for job, amount in stored.spent:
        if amount:
            took.setdefault((job.rule, job.model), []).append(amount)
    if not took:
        return ""
    titles = ["prompts", "tokens read", "tokens written", "tokens trained", "GPU-hours", "API calls", stored.currency]
    lines = [[*key, str(len(amounts)), *_amount(sum(amounts, Amount()))] for key, amounts in took.items()]
    every = [amount for amounts in took.values() for amount in amounts]
    lines.append(["all", "", str(len(every)), *_amount(sum(every, Amount()))])
    head = ["rule", "model", "jobs", *titles]
    grid = _grid("Costs", [*map(html_text, head)], [[html_text(cell) for cell in line] for line in lines])
    note = (
        f"What the jobs of models of {stored.run} took; \N{EN DASH} where no file tells. What was planned stands in plan.md "
        "(a target of its own), the time and memory of each job in benchmarks/."
    )
    return f'{grid}\n<p class="note">{html_text(note)}</p>'


def _amount(amount: Amount) -> list[str]:
    numbers = [(getattr(amount, f.name), 2 if f.name in ("gpu_hours", "money") else 0) for f in fields(Amount)]
    return ["\N{EN DASH}" if n is None else f"{n:,.{digits}f}" for n, digits in numbers]


def _provenance(stored: Stored) -> str:
    lines = [
        [f'<a href="{name}">{name}</a>', f'<span class="id">{digest}</span>'] for name, digest in stored.files.items()
    ]
    files = _grid("Files", ["file", "SHA-256"], lines) if lines else ""
    set_so = "".join(f'<p class="note">{html_text(text)}</p>\n' for text in stored.settings)
    parts = []
    for e in stored.evaluations:
        name = html_text(f"{e.task}: {e.role}, {ROWS[e.role]} {row_name(e)}")
        facts = html_text(json.dumps(e.provenance, indent=2, ensure_ascii=False))
        parts.append(f"<h3>{name}</h3>\n<pre>{facts}</pre>")
    summary = "<summary>Hashes of models and data, versions and random seeds of every number</summary>"
    return f"{set_so}{files}\n<details>\n{summary}\n{''.join(parts)}\n</details>"
