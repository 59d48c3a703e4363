"""The planned jobs compared with the limits of their sizes: the memory of a GPU, and time."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable
from pathlib import Path

from reversegen.config.paths import model_folder
from reversegen.config.task import Task
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.models.memory import most_sequences, needed, shape_of_folder
from reversegen.operations.doctor.finding import Finding
from reversegen.operations.job import Job
from reversegen.operations.plan import on_gpu, plan
from reversegen.operations.planned_jobs import planned_jobs
from reversegen.operations.prices import gpus_of_size
from reversegen.operations.usage import benchmark_seconds
from reversegen.workflow.stages import STAGES, models_of_stage, rule_of

NEAR = 0.8
"""The share of its time limit above which a finished job gives a warning that the next one may not finish."""


def check_memory(name: str, configuration: Configuration, folder: Path) -> Iterable[Finding]:
    """Check whether each planned batch fits the GPU of its size, by the config.json of the model if its folder exists."""
    jobs = []
    with contextlib.suppress(BadInput):  # check_times reports it
        jobs = list(planned_jobs(name, configuration, folder / "results" / name))
    fits: dict[str, float] = {}
    shown = set()
    for job in jobs:
        load = on_gpu(job, configuration)
        if load is None:
            continue
        batch, shape, available = load
        model = configuration.models[job.model]
        place = model_folder(job.model, model)
        folder_shape = shape_of_folder(folder / place, model.dtype) if place else None
        shape = folder_shape or shape
        takes, most = needed(shape, batch), most_sequences(shape, batch, available)
        source = f"{folder / place}/config.json" if place and folder_shape else f"the largest of size {model.size}"
        text = (
            f"{job.rule}: {batch.sequences} sequences of {batch.prompt + batch.written:,.0f} tokens with {job.model} "
            f"({source}) take {takes / 1e9:.0f} GB, a GPU has {available / 1e9:.0f}"
        )
        if text in shown:
            continue
        shown.add(text)
        if most == 0:
            fix = f"lower max_new_tokens, or give {job.model} a size with more GPU memory (sizes in config/config.yaml)"
            yield Finding("GPU memory", "stops", f"{text}; not even one sequence fits", fix)
        elif takes > available:
            fix = f"lower {_batch_key(job, configuration.task(name))} to {most}"
            yield Finding("GPU memory", "warning", f"{text}; batches will be halved", fix)
        else:
            fits[f"{job.rule} {takes / 1e9:.0f}"] = takes / available
    if fits:
        largest = max(fits, key=fits.__getitem__)
        yield Finding(
            "GPU memory", "ok", f"{len(fits)} batches fit; the largest takes {fits[largest]:.0%}: {largest} GB"
        )


def check_times(name: str, configuration: Configuration, results: Path) -> Iterable[Finding]:
    """Check time limits: finished jobs by their time, other jobs by the rate that they need."""
    task = configuration.task(name)
    longest_seconds = _longest_seconds(results / name / "benchmarks", task, configuration)
    for rule, (seconds, size) in longest_seconds.items():
        limit = configuration.workflow.sizes[size].runtime
        if seconds / 60 > NEAR * limit:
            fix = f"raise the runtime of the size {size} in config/config.yaml"
            yield Finding("time limits", "warning", f"{rule} took {seconds / 60:.0f} of its {limit} minutes", fix)
    try:
        jobs = [job for job in plan(name, configuration, results / name) if job.rule not in longest_seconds]
    except BadInput as error:
        jobs = []
        yield Finding("data", "stops", str(error), "correct that file")
    yield from _assumed_times(jobs, configuration)
    if suffice := _needed_rates(jobs, configuration):
        rates = "; ".join(f"{rule} {math.ceil(rate):,} ({why})" for rule, (rate, why) in suffice.items())
        yield Finding(
            "time limits", "ok", f"these rates in tokens a second are enough for the largest planned jobs: {rates}"
        )
    if longest_seconds:
        seconds, longest = max((seconds, rule) for rule, (seconds, _) in longest_seconds.items())
        yield Finding(
            "time limits",
            "ok",
            f"of {len(longest_seconds)} measured stages {longest} took the longest: {seconds:.0f} s",
        )


def _assumed_times(jobs: Iterable[Job], configuration: Configuration) -> Iterable[Finding]:
    """A warning for each rule whose largest job takes longer than its limit if an assumed throughput is right."""
    longest: dict[str, tuple[float, Job]] = {}
    for job in jobs:
        if job.assumed and job.amount.gpu_hours:
            gpus = gpus_of_size(configuration.models[job.model], configuration) * job.processes * job.shards
            minutes = job.amount.gpu_hours * 60 / gpus
            longest[job.rule] = max(longest.get(job.rule, (minutes, job)), (minutes, job), key=lambda one: one[0])
    for rule, (minutes, job) in longest.items():
        size = configuration.models[job.model].size
        limit = configuration.workflow.sizes[size].runtime
        if minutes > limit:
            text = f"{rule} of {job.part or rule} takes {minutes:,.0f} of its {limit} minutes by assumed throughputs"
            fix = "it is sent again and resumes; raise `shards` of the task" if STAGES[rule].sharded else ""
            yield Finding(
                "time limits", "warning", text, fix or f"raise the runtime of the size {size} in config/config.yaml"
            )


def _batch_key(job: Job, task: Task) -> str | None:
    """The key of the task that sets the batch size of a job."""
    stage = STAGES[job.rule]
    return f"{task.judge.key(job.model)}.batch_size" if stage.role == "judge" and task.judge else stage.batch_size


def _longest_seconds(benchmarks: Path, task: Task, configuration: Configuration) -> dict[str, tuple[float, str]]:
    """The seconds of the longest job of each timed stage of the task's models, with its model's size, by its rule."""
    longest: dict[str, tuple[float, str]] = {}
    for file in sorted(benchmarks.rglob("*.tsv")):
        stage = STAGES.get(rule_of(file))
        models = models_of_stage(stage, task, configuration) if stage and stage.timed else {}
        model = models.get(file.parent.name) if stage and stage.role == "judge" else next(iter(models.values()), None)
        if stage and model:
            before = longest.get(stage.rule, (0.0, model.size))
            longest[stage.rule] = max([before, *((seconds, model.size) for seconds in benchmark_seconds(file))])
    return longest


def _needed_rates(jobs: Iterable[Job], configuration: Configuration) -> dict[str, tuple[float, str]]:
    """The tokens a second that the largest job of each rule must write to end in time, with the numbers behind them."""
    rates: dict[str, tuple[float, str]] = {}
    for job in jobs:
        model = configuration.models[job.model]
        if job.amount.written and model.endpoint is None:
            minutes = configuration.workflow.sizes[model.size].runtime
            tokens = math.ceil(job.amount.written / job.shards)
            rate = tokens / minutes / 60, f"{tokens:,} in {minutes} minutes, {job.part or job.rule}"
            rates[job.rule] = max(rates.get(job.rule, rate), rate, key=lambda one: one[0])
    return rates
