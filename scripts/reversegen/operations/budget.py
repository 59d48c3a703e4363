"""The gate that keeps the jobs of a task within its budget. Each job checks it when it starts."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reversegen.config.load import task_file
from reversegen.config.task import Task
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.core.files import read_json, write_json
from reversegen.operations.job import Amount, Job
from reversegen.operations.plan import plan
from reversegen.operations.usage import amount_of_run, used_amount
from reversegen.workflow.configuration import load_configuration
from reversegen.workflow.environment import BUDGETED
from reversegen.workflow.stages import STAGES, models_of_stage, split_name

TASKS = Path("config/tasks")


def check_job(log_file: Path) -> None:
    """Raise BadInput if the job with this log would exceed its task's budget.

    The content of config.yaml is in the environment variable BUDGETED.
    """
    check_budget(log_file, json.loads(os.environ[BUDGETED]))


def check_budget(log_file: Path, workflow: dict[str, Any]) -> None:
    """Raise BadInput if the job with the log results/{task}/logs/{part}/{rule}.log would exceed its task's budget.

    The sum counts the used amount of finished jobs, and the planned amount of this job and of jobs that have started and not
    finished. Each job writes its planned amount beside its benchmark before it computes the sum, so that two jobs that start
    at the same time do not exceed the limit together. An amount that is not known counts as nothing. A shard, whose log is
    {rule}.2-of-8.log, takes its share of the planned amount.

    A job of a model that is not in the plan is refused, such as one of an iteration beyond the task's: no budget would count
    it. A job without a model always starts. `workflow` is the content of config.yaml.
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
            f"{task_file(TASKS, name)}: the job of {log_file} is not in the plan, so no budget would count it; "
            f"{_why_unplanned(part, task)}"
        )


def _start(job: Job, run: str, jobs: list[Job], configuration: Configuration, folder: Path) -> None:
    """Write the planned amount of a run beside its benchmark. Raises BadInput, and removes it, if the sum is too large."""
    plan_file = folder / job.file("benchmarks", f"{run}.planned.json")
    write_json(plan_file, asdict(job.amount.share(run)))
    total = sum((_spent(other, configuration, folder) for other in jobs), Amount())
    tokens = (total.read or 0) + (total.written or 0)
    sums = {"money": total.money, "tokens": tokens, "gpu_hours": total.gpu_hours}
    name = folder.name.partition(".s")[0]
    for key, limit in dict(configuration.task(folder.name).budget).items():
        if limit is not None and (sums[key] or 0) > limit:
            plan_file.unlink()
            assumed = key != "tokens" and any(other.assumed for other in jobs)
            how = " by assumed throughputs (plan.md names them; costs.throughput takes yours)" if assumed else ""
            raise BadInput(
                f"{task_file(TASKS, name)}: budget.{key}: {job.rule} of {job.part or name} may bring {folder} to "
                f"{sums[key]:,.2f}{how}, more than {limit:,.2f}; finished files are kept. Raise the limit and start again, "
                "or stop here"
            )


def _spent(job: Job, configuration: Configuration, folder: Path) -> Amount:
    """The amount of a job that counts in a budget: used if it has finished, planned if it has started, else nothing.

    Shards of an earlier number of shards count what they used, since none of them will resume.
    """
    total, runs, latest = Amount(), job.runs(folder), job.latest_runs(folder)
    for run in runs:
        usage = amount_of_run(job, run, configuration, folder) or Amount()
        if run not in latest:
            total += usage.or_else(Amount())
            continue
        plan_file, benchmark = (folder / job.file("benchmarks", f"{run}.{end}") for end in ("planned.json", "tsv"))
        if plan_file.is_file() and not (benchmark.is_file() and benchmark.stat().st_mtime >= plan_file.stat().st_mtime):
            # answers that an earlier try paid for are kept, and are not requested again
            usage = Amount(**read_json(plan_file)).largest(usage)
        total += usage.or_else(job.amount.share(run)).or_else(Amount())
    if configuration.models[job.model].endpoint and len(latest) < len(runs):
        # answers of earlier shards are kept, and are not requested again: they are part of the planned amount
        return total.smallest(job.amount.largest(used_amount(job, configuration, folder) or Amount()))
    return total


def _asks_model(rule: str, task: Task, configuration: Configuration) -> bool:
    """Whether a budget counts the jobs of a rule: those that use a model of the task. Solvers and embeddings do not count."""
    stage = STAGES.get(rule)
    if stage is None or stage.role == "embedding":
        return False
    return stage.role == "transfer" or bool(models_of_stage(stage, task, configuration))


def _why_unplanned(part: str, task: Task) -> str:
    """The key of the task because of which the jobs of a part are not planned, and how to change it."""
    folder, _, name = part.partition("/")
    if folder in task.reuse:
        return f"reuse: remove {folder} from it, or set no budget"
    if folder == "probe":
        return "data.probe: set it to true, or set no budget"
    if folder == "transfer":
        return f"transfer: add {name} to it, or set no budget"
    if (iteration := re.fullmatch(r"iter([0-9]+)", folder)) and int(iteration[1]) > task.iterations:
        return f"iterations: raise it to {iteration[1]}, or set no budget"
    return "budget: remove it to make more than the plan"
