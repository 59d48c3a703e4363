"""What to do next, each step with its exact command: missing parts, more certainty, and sharing the failures."""

from __future__ import annotations

import shlex

from reversegen.core.escaping import html_text
from reversegen.evaluation.statistics import LEAST_SEEDS
from reversegen.reporting.page.certainty import audited, collapse_alarms
from reversegen.reporting.page.content import PageContent
from reversegen.reporting.page.elements import command
from reversegen.reporting.rows import ROWS, task_and_seed, tasks_of
from reversegen.reporting.run_checks import judge_alarms

SNAKEMAKE = "snakemake --cores all"
PUSH = "push={owner: ME, private: true, token_env: HF_TOKEN}"


def next_steps(content: PageContent) -> str:
    """A numbered list of steps, most urgent first, as HTML."""
    steps = [
        *_missing_parts(content),
        *_alarm_step(content),
        *_seeds_step(content),
        *_cluster_step(content),
        *_audit_step(content),
        *_publishing_step(content),
    ]
    listed = "".join(f"<li><strong>{title}</strong> {html}</li>\n" for title, html in steps)
    return f"<ol>\n{listed}</ol>"


def report_command(content: PageContent) -> str:
    """The command that makes this page."""
    name, tasks = tasks_of(content.evaluations)
    return _page_command(name, [task_and_seed(task)[1] for task in tasks] if len(tasks) > 1 else [])


def _page_command(name: str, random_seeds: list[int]) -> str:
    listed = ",".join(map(str, random_seeds))
    seeds = f" --config 'random_seeds=[{listed}]'" if random_seeds else ""
    return f"{SNAKEMAKE} {shlex.quote(f'results/{name}/report.html')}{seeds}"


def _missing_parts(content: PageContent) -> list[tuple[str, str]]:
    """The evaluations and failure clusters that the page does not have."""
    measured = {e.role for e in content.evaluations}
    missing = [f"evaluations of the {role}" for role in ROWS if role not in measured]
    missing += ["failure clusters"] if content.clusters is None else []
    if not missing:
        return []
    return [(f"Make the missing {' and '.join(missing)}.", command(report_command(content)))]


def _alarm_step(content: PageContent) -> list[tuple[str, str]]:
    steps = []
    if collapse_alarms(content):
        place = 'in <a href="#diversity">Diversity</a> before you trust the failure rate.'
        steps.append(("Look at the collapse alarm", place))
    if judge_alarms(content.evaluations):
        place = 'in <a href="#judge">Judge</a> before you trust the failure rate, and fill in an audit.csv.'
        steps.append(("Look at the judge alarm", place))
    return steps


def _seeds_step(content: PageContent) -> list[tuple[str, str]]:
    tasks = tasks_of(content.evaluations)[1]
    present = {task_and_seed(task)[1] for task in tasks}
    missing = LEAST_SEEDS - len(present)
    if missing <= 0:
        return []
    added = [seed for seed in range(LEAST_SEEDS) if seed not in present][:missing]
    line = _page_command(task_and_seed(tasks[0])[0], sorted([*present, *added]))
    more = "1 more random seed" if missing == 1 else f"{missing} more random seeds"
    return [(f"Run {more}:", f"{LEAST_SEEDS} can decide which target is better. {command(line)}")]


def _cluster_step(content: PageContent) -> list[tuple[str, str]]:
    if not content.clusters:
        return []
    largest, total = content.clusters[0], sum(cluster.failed for cluster in content.clusters)
    count = "failure cluster" if len(content.clusters) == 1 else f"{len(content.clusters)} failure clusters"
    share = f"{largest.failed / total:.0%}".replace("%", "\N{NO-BREAK SPACE}%")
    largest_one = f"The largest holds {share} of the failures. Its words: {html_text(largest.label)}."
    return [(f'Read the <a href="#failure_clusters">{count}</a>.', largest_one)]


def _audit_step(content: PageContent) -> list[tuple[str, str]]:
    iterations = [e.iteration for e in content.evaluations if e.role == "proposer" and e.iteration is not None]
    if audited(content) or not iterations:
        return []
    path = html_text(f"results/{_run(content)}/iter{max(iterations)}/audit.csv")
    how = f"Fill in <code>person</code> in <code>{path}</code>, then make this page again. "
    return [("Check the verdicts yourself.", how + command(report_command(content)))]


def _publishing_step(content: PageContent) -> list[tuple[str, str]]:
    if not content.failures:
        return []
    target = shlex.quote(f"results/{_run(content)}/pushed/dataset.json")
    how = "ME is your account there; the variable HF_TOKEN holds its token. "
    return [("Push the data set to a hub.", how + command(f"{SNAKEMAKE} {target} --config '{PUSH}'"))]


def _run(content: PageContent) -> str:
    return content.run or tasks_of(content.evaluations)[1][0]
