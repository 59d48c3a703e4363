"""The gate that holds the jobs of a task to its budget: each looks at it when it starts."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reversegen.config.load import task_file
from reversegen.config.paths import task_models
from reversegen.config.task import Task
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.core.files import read_json, write_json
from reversegen.operations.job import Amount, Job
from reversegen.operations.plan import plan
from reversegen.operations.usage import amount_of_run, used_amount
from reversegen.workflow.configuration import load_configuration
from reversegen.workflow.environment import BUDGETED
from reversegen.workflow.stages import STAGES, split_name

TASKS = Path("config/tasks")


def check_job(log_file: Path) -> None:
    """Raise BadInput if the job of a log would pass its task's budget, by the configuration in the variable BUDGETED."""
    check_budget(log_file, json.loads(os.environ[BUDGETED]))


def check_budget(log_file: Path, workflow: dict[str, Any]) -> None:
    """Raise BadInput if the job of a log, results/{task}/logs/{part}/{rule}.log, would pass its task's budget.

    So it does for a job of a model that the plan does not hold, such as that of an iteration beyond the task's: a limit would
    not count it. Jobs of no model start. A shard, whose log is {rule}.2-of-8.log, takes its share of what is planned.
    What counts is what finished jobs used, and what the plan says of this one and of those that started and did not finish:
    each leaves its amount beside its benchmark before it looks at the sum, so that two which start at once do not pass the
    limit together. Where the plan or the records say nothing, nothing is counted. `workflow` is the content of config.yaml.
    """
    results, _, below = str(log_file).partition("/logs/")
    folder, configuration = Path(results), load_configuration(workflow, Path("config"))
    name = folder.name.partition(".s")[0]
    if name not in {*configuration.tasks, *configuration.faults}:
        return
    task, names = configuration.task(folder.name), split_name(below)
    if names is None or not any(dict(task.budget).values()):
        return
    stem, run = names
    jobs = plan(folder.name, configuration, folder)
    job = next((job for job in jobs if job.file("logs", "") == Path("logs", stem)), None)
    if job:
        _start(job, run, jobs, configuration, folder)
        return
    part, _, rule = stem.rpartition("/")
    if _asks_model(rule, task, configuration):
        raise BadInput(
            f"{task_file(TASKS, name)}: {_why_unplanned(part, task)}: {log_file} is of a job that the plan does not hold, so "
            "that no budget would count it"
        )


def _start(job: Job, run: str, jobs: list[Job], configuration: Configuration, folder: Path) -> None:
    """Leave what a run is planned to take beside its benchmark. Raises BadInput, and leaves nothing, if that is too much."""
    plan_file = folder / job.file("benchmarks", f"{run}.planned.json")
    write_json(plan_file, asdict(job.amount.share(run)))
    total = sum((_spent(other, configuration, folder) for other in jobs), Amount())
    tokens = (total.read or 0) + (total.written or 0)
    sums = {"money": total.money, "tokens": tokens, "gpu_hours": total.gpu_hours}
    name = folder.name.partition(".s")[0]
    for key, limit in dict(configuration.task(folder.name).budget).items():
        if limit is not None and (sums[key] or 0) > limit:
            plan_file.unlink()
            raise BadInput(
                f"{task_file(TASKS, name)}: budget.{key}: {job.rule} of {job.part or name} may bring {folder} to "
                f"{sums[key]:,.2f}, more than {limit:,.2f}; all that was made is kept: raise the limit and start again, or "
                "leave it at that"
            )


def _spent(job: Job, configuration: Configuration, folder: Path) -> Amount:
    """What a job counts in a budget: used where it has finished, planned where it has started, else nothing.

    Shards of an earlier number count as what they used: none of them goes on.
    """
    total, runs, latest = Amount(), job.runs(folder), job.latest_runs(folder)
    for run in runs:
        usage = amount_of_run(job, run, configuration, folder) or Amount()
        if run not in latest:
            total += usage.or_else(Amount())
            continue
        plan_file, benchmark = (folder / job.file("benchmarks", f"{run}.{end}") for end in ("planned.json", "tsv"))
        if plan_file.is_file() and not (benchmark.is_file() and benchmark.stat().st_mtime >= plan_file.stat().st_mtime):
            # what an endpoint was paid in earlier tries is kept, and not asked again
            usage = Amount(**read_json(plan_file)).largest(usage)
        total += usage.or_else(job.amount.share(run)).or_else(Amount())
    if configuration.models[job.model].endpoint and len(latest) < len(runs):
        # what earlier shards were answered is kept, and not asked again: nobody pays it beside all that is planned
        return total.smallest(job.amount.largest(used_amount(job, configuration, folder) or Amount()))
    return total


def _asks_model(rule: str, task: Task, configuration: Configuration) -> bool:
    """Whether a budget counts the jobs of a rule: those of a model that plays its role. Solvers and embeddings are none."""
    role = STAGES[rule].role if rule in STAGES else None
    return role == "transfer" or (role != "embedding" and task_models(task).get(str(role)) in configuration.models)


def _why_unplanned(part: str, task: Task) -> str:
    """The key of a task by which no job of a part is planned, and how to change it."""
    folder, _, name = part.partition("/")
    if part in task.reuse:
        return f"reuse: leave {part} out of it, or set no budget"
    if part == "probe":
        return "data.probe: set it to true, or set no budget"
    if folder == "transfer":
        return f"transfer: list {name}, or set no budget"
    if (iteration := re.fullmatch(r"iter([0-9]+)", part)) and int(iteration[1]) > task.iterations:
        return f"iterations: raise it to {iteration[1]}, or set no budget"
    return "budget: set none to make more than the plan"
