"""The planned and the used amounts of a task: results/{task}/plan.md. Nothing is run or downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from reversegen.config.paths import source_file
from reversegen.config.task import Task
from reversegen.config.workflow import Configuration
from reversegen.core.markdown import filled, narrow_tables
from reversegen.models.memory import Batch, ModelShape, needed, shape_of_size
from reversegen.operations.job import Amount, Job
from reversegen.operations.planned_jobs import planned_jobs
from reversegen.operations.prices import endpoint_price, gpus_of_size, throughput, with_price
from reversegen.operations.usage import used_amount

UNKNOWN = {"gpu_hours": "no throughput", "money": "no price"}


def plan(name: str, configuration: Configuration, folder: Path) -> list[Job]:
    """The jobs of models that make `results/{task}/table.md` and its transfers, with their planned amounts.

    Parts that the task reuses belong to the plan of their owner. `folder` is results/{task}, where existing seeds and tests
    are counted. Rows of other data are counted if the data is on this machine, and assumed otherwise.
    """
    return [with_price(job, configuration) for job in planned_jobs(name, configuration, folder)]


def plan_markdown(name: str, configuration: Configuration, folder: Path) -> str:
    """The content of `plan.md`: planned and, in brackets, used amounts by rule and part, and the assumptions behind them.

    Every line fits a screen, unless a name of a rule, part or model is very long.
    """
    jobs = plan(name, configuration, folder)
    usages = [used_amount(job, configuration, folder) for job in jobs]
    used = ", and in brackets the jobs that ended and what they used." if any(usages) else "; nothing has run yet."
    opening = (
        f"This table shows what each job of a model is planned to take{used} Other jobs run on one CPU core. Embeddings, and "
        "models and data that tasks share, are left out. A column is left out if no job takes anything of it."
    )
    table = _table(jobs, usages, configuration, folder)
    parts = [f"# What {name} costs", filled(opening), table, *_memory(jobs, configuration), "## What this rests on"]
    return "\n\n".join([*parts, "\n".join(filled(text, "- ") for text in _reasons(name, jobs, configuration))]) + "\n"


def _table(jobs: Sequence[Job], usages: Sequence[Amount | None], configuration: Configuration, folder: Path) -> str:
    """The table of amounts: a line for each job, and one for all."""
    started = any(usages)
    total = sum((usage for usage in usages if usage), Amount()) if started else None
    rows = []
    for job, usage in zip(jobs, usages, strict=True):
        count = f"{job.shards} ({job.ended(folder)})" if usage else str(job.shards)
        rows.append([job.rule, job.part, job.model, count, *_cells(job.amount, usage)])
    count = str(sum(job.shards for job in jobs))
    if started:
        count += f" ({sum(job.ended(folder) for job in jobs)})"
    rows.append(["all", "", "", count, *_cells(sum((job.amount for job in jobs), Amount()), total)])
    currency = configuration.workflow.costs.prices.currency
    titles = ("prompts", "tokens read", "tokens written", "tokens trained", "GPU-hours", "API calls", currency)
    head = ["rule", "part", "model", "jobs", *titles]
    empty = {"0", "0.00", "0 (0)", "0.00 (0.00)"}
    shown = [n for n in range(len(head)) if n < 4 or {row[n] for row in rows} - empty]
    return narrow_tables([head[n] for n in shown], [[row[n] for n in shown] for row in rows], 3, keys=2)


def _reasons(name: str, jobs: Sequence[Job], configuration: Configuration) -> list[str]:
    """The assumptions behind the planned amounts, each in a sentence or a few."""
    costs = configuration.workflow.costs
    return [
        *(f"{rule}: {why}." for rule, why in dict.fromkeys((job.rule, job.why) for job in jobs)),
        f"Tokens: {costs.question_tokens} for an instruction or a question (costs.question_tokens). A generated text takes "
        f"{costs.written_share:g} of its max_new_tokens (costs.written_share). System messages, and other texts that this "
        "workflow repeats in each request, take a token for four characters.",
        "Not counted: what chat templates add, such as the prompt of a guard model; an added option None of the above; the "
        "schema of a reply; and requests that are tried again.",
        *_assumed_sources(configuration.task(name), costs.source_rows),
        *_assumed_speed(jobs, configuration),
        *_assumed_prices(jobs, configuration),
        "\N{EN DASH} means that no file has the number. Used GPU-hours are the time of a job multiplied by its GPUs. A job "
        "that was killed or made again is counted once.",
    ]


def on_gpu(job: Job, configuration: Configuration) -> tuple[Batch, ModelShape, int] | None:
    """The batch of a job, the shape of the largest model of its size, and the bytes of its GPU.

    None for a training, an endpoint, a job without a GPU, and vLLM, which fits its batches to the memory itself.
    """
    model = configuration.models[job.model]
    size = configuration.workflow.sizes[model.size]
    shape = shape_of_size(size, model.dtype)
    if job.batch is None or model.endpoint or model.engine == "vllm" or not size.gpu or not shape or not size.footprint:
        return None
    return job.batch, shape, size.footprint.gpu_mb * 10**6


def _memory(jobs: Sequence[Job], configuration: Configuration) -> list[str]:
    """The section on GPU memory, with a line for each rule, model and batch that takes a GPU; empty if none does."""
    rows = {}
    for job in jobs:
        if load := on_gpu(job, configuration):
            batch, shape, available = load
            tokens = f"{batch.prompt:,.0f} + {batch.written:,.0f}"
            gigabytes = [f"{count / 1e9:.0f}" for count in (needed(shape, batch), available)]
            rows[job.rule, job.model, batch] = [job.rule, job.model, str(batch.sequences), tokens, *gigabytes]
    if not rows:
        return []
    head = ("rule", "model", "sequences", "tokens in + out", "GB needed", "GB of GPU")
    text = (
        "This table shows the memory that a job takes at its batch size, with the largest model of its size, if every text is "
        "as long as planned: weights, key-value cache, activations of one layer, and logits of one step (sizes.footprint). "
        "Longer prompts take more. A batch that runs out of memory is halved, which changes no draw. Training is not counted, "
        "nor is vLLM, which fits its batches to the memory itself."
    )
    return ["## GPU memory", filled(text), narrow_tables(head, rows.values(), 2)]


def _assumed_sources(task: Task, assumed: int) -> list[str]:
    every = {**task.data.seeds, **task.data.tests}
    places = {name: source_file(source) for name, source in every.items()}
    absent = {name: every[name] for name, place in places.items() if place and not place.is_file()}
    stated = [f"{name} {source.rows:,}" for name, source in absent.items() if source.rows]
    others = [name for name, source in absent.items() if not source.rows]
    lines = []
    if stated:
        lines.append(f"Rows of sources that are not here yet, as `rows` of each states: {', '.join(stated)}.")
    if others:
        text = f"Rows: {assumed:,} of each source that is not here yet (costs.source_rows): {', '.join(others)}."
        lines.append(text)
    return lines


def _assumed_speed(jobs: Sequence[Job], configuration: Configuration) -> list[str]:
    lines = []
    models = [configuration.models[name] for name in dict.fromkeys(job.model for job in jobs)]
    for size in dict.fromkeys(model.size for model in models if gpus_of_size(model, configuration)):
        speed = throughput(size, configuration)
        rates = ", ".join(f"{key} {'no throughput' if rate is None else f'{rate:,g}'}" for key, rate in speed)
        lines.append(f"Tokens a second of one GPU with a model of size {size} (costs.throughput): {rates}.")
    return lines


def _assumed_prices(jobs: Sequence[Job], configuration: Configuration) -> list[str]:
    prices = configuration.workflow.costs.prices
    names = dict.fromkeys(job.model for job in jobs)
    listed = []
    if any(gpus_of_size(configuration.models[name], configuration) for name in names):
        listed.append(f"a GPU-hour {_price_text(prices.gpu_hour)}")
    for name in names:
        if configuration.models[name].endpoint:
            price = endpoint_price(name, configuration)
            listed.append(
                f"{name} {_price_text(price.read)} for a million tokens read and {_price_text(price.written)} written"
            )
    when = prices.date or "no date"
    return [f"Prices in {prices.currency}, {when} (costs.prices): {'; '.join(listed)}."] if listed else []


def _price_text(price: float | None) -> str:
    return "no price" if price is None else f"{price:g}"


def _cells(amount: Amount, usage: Amount | None) -> list[str]:
    """A cell for each amount: the planned one, and the used one in brackets."""
    cells = []
    for field in fields(Amount):
        digits = 2 if field.name in ("gpu_hours", "money") else 0
        numbers = [getattr(amount, field.name), *([getattr(usage, field.name)] if usage else [])]
        shown = ["\N{EN DASH}" if n is None else f"{n:,.{digits}f}" for n in numbers]
        if getattr(amount, field.name) is None:
            shown[0] = UNKNOWN.get(field.name, shown[0])
        cells.append(f"{shown[0]} ({shown[1]})" if usage else shown[0])
    return cells
