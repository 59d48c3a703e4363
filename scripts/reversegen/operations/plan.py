"""What a task will cost and what it has used: results/{task}/plan.md. Nothing is run or downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from reversegen.config.paths import source_file
from reversegen.config.task import Task
from reversegen.config.workflow import Configuration
from reversegen.core.markdown import markdown_table
from reversegen.models.memory import Batch, ModelShape, needed, shape_of_size
from reversegen.operations.job import Amount, Job
from reversegen.operations.planned_jobs import planned_jobs
from reversegen.operations.prices import endpoint_price, gpus_of_size, throughput, with_price
from reversegen.operations.usage import used_amount

UNKNOWN = {"gpu_hours": "no throughput", "money": "no price"}


def plan(name: str, configuration: Configuration, folder: Path) -> list[Job]:
    """The model jobs of `results/{task}/table.md` and its transfers, with what each is planned to take.

    Parts that the task reuses are their owner's. `folder` is results/{task}: seeds and tests that are made already are
    counted, other data is counted where it lies, and assumed where it is not here.
    """
    return [with_price(job, configuration) for job in planned_jobs(name, configuration, folder)]


def plan_markdown(name: str, configuration: Configuration, folder: Path) -> str:
    """The content of `plan.md`: a line for each rule of each part, planned and, in brackets, used, and what it rests on."""
    costs, jobs = configuration.workflow.costs, plan(name, configuration, folder)
    usages = [used_amount(job, configuration, folder) for job in jobs]
    currency = costs.prices.currency
    titles = ("prompts", "tokens read", "tokens written", "tokens trained", "GPU-hours", "API calls", currency)
    lines = [
        f"# What {name} costs",
        "",
        "What each job of a model is planned to take"
        + (", and in brackets the jobs that ended and what was used." if any(usages) else "; nothing has run yet."),
        "Other jobs run on one CPU core. Embeddings, and models and data that tasks share, are left out.",
        "",
    ]
    rows = []
    for job, usage in zip(jobs, usages, strict=True):
        count = f"{job.shards} ({job.ended(folder)})" if usage else str(job.shards)
        rows.append([job.rule, job.part, job.model, count, *_cells(job.amount, usage)])
    usage = sum((usage for usage in usages if usage), Amount()) if any(usages) else None
    total = _cells(sum((job.amount for job in jobs), Amount()), usage)
    count = str(sum(job.shards for job in jobs))
    if usage:
        count += f" ({sum(job.ended(folder) for job in jobs)})"
    rows.append(["all", "", "", count, *total])
    lines += [markdown_table(("rule", "part", "model", "jobs", *titles), rows, 3), "", *_memory(jobs, configuration)]
    lines += ["## What this rests on", ""]
    reasons = dict.fromkeys((job.rule, job.why) for job in jobs)
    lines += [f"- {rule}: {why}." for rule, why in reasons]
    lines += [
        f"- Tokens: {costs.question_tokens} an instruction or question (costs.question_tokens); a text that is written takes "
        f"{costs.written_share:g} of its max_new_tokens (costs.written_share); system messages, and what else of ours each "
        "request repeats, a token for four characters.",
        "- Not counted: what chat templates add, such as the prompt of a guard model, an added None of the above, the schema "
        "of a reply, and requests that are tried again.",
        *_assumed_sources(configuration.task(name), costs.source_rows),
        *_assumed_speed(jobs, configuration),
        *_assumed_prices(jobs, configuration),
        "- \N{EN DASH} stands for what no file tells. Used GPU-hours are the time of a job by its GPUs; a job that was "
        "killed or made again is counted once.",
    ]
    return "\n".join(lines) + "\n"


def on_gpu(job: Job, configuration: Configuration) -> tuple[Batch, ModelShape, int] | None:
    """The batch of a job, the largest model of its size, and the bytes of its GPU; None if nothing can be said.

    That is a training, an endpoint, a job without a GPU, and vLLM, which fits what it runs at once to the memory itself.
    """
    model = configuration.models[job.model]
    size = configuration.workflow.sizes[model.size]
    shape = shape_of_size(size, model.dtype)
    if job.batch is None or model.endpoint or model.engine == "vllm" or not size.gpu or not shape or not size.footprint:
        return None
    return job.batch, shape, size.footprint.gpu_mb * 10**6


def _memory(jobs: Sequence[Job], configuration: Configuration) -> list[str]:
    """A line for each rule, model and batch that takes a GPU; nothing where none does."""
    rows = {}
    for job in jobs:
        if load := on_gpu(job, configuration):
            batch, shape, available = load
            tokens = f"{batch.prompt:,.0f} + {batch.written:,.0f}"
            gigabytes = [f"{count / 1e9:.0f}" for count in (needed(shape, batch), available)]
            rows[job.rule, job.model, batch] = [job.rule, job.model, str(batch.sequences), tokens, *gigabytes]
    if not rows:
        return []
    head = ("rule", "model", "sequences at once", "tokens read + written", "GB needed", "GB of a GPU")
    return [
        "## GPU memory",
        "",
        "What a job takes at its batch size, with the largest model of its size, if every text is as long as planned: weights, "
        "key-value cache, one layer's activations, logits of a step (sizes.footprint). Longer prompts take more; a batch that "
        "runs out of memory is halved, which changes no draw. Training is not counted, nor is vLLM, which fits its batches "
        "to the memory itself.",
        "",
        markdown_table(head, rows.values(), 2),
        "",
    ]


def _assumed_sources(task: Task, assumed: int) -> list[str]:
    every = {**task.data.seeds, **task.data.tests}
    places = {name: source_file(source) for name, source in every.items()}
    absent = {name: every[name] for name, place in places.items() if place and not place.is_file()}
    stated = [f"{name} {source.rows:,}" for name, source in absent.items() if source.rows]
    others = [name for name, source in absent.items() if not source.rows]
    lines = []
    if stated:
        lines.append(f"- Rows of sources that are not here yet, as `rows` says: {', '.join(stated)}.")
    if others:
        text = f"- Rows: {assumed:,} of each source that is not here yet (costs.source_rows): {', '.join(others)}."
        lines.append(text)
    return lines


def _assumed_speed(jobs: Sequence[Job], configuration: Configuration) -> list[str]:
    lines = []
    models = [configuration.models[name] for name in dict.fromkeys(job.model for job in jobs)]
    for size in dict.fromkeys(model.size for model in models if gpus_of_size(model, configuration)):
        speed = throughput(size, configuration)
        rates = ", ".join(f"{key} {'no throughput' if rate is None else f'{rate:,g}'}" for key, rate in speed)
        lines.append(f"- Tokens a second of one GPU with a model of size {size} (costs.throughput): {rates}.")
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
    return [f"- Prices in {prices.currency}, {when} (costs.prices): {'; '.join(listed)}."] if listed else []


def _price_text(price: float | None) -> str:
    return "no price" if price is None else f"{price:g}"


def _cells(amount: Amount, usage: Amount | None) -> list[str]:
    """A cell for each amount: planned, and what was used in brackets."""
    cells = []
    for field in fields(Amount):
        digits = 2 if field.name in ("gpu_hours", "money") else 0
        numbers = [getattr(amount, field.name), *([getattr(usage, field.name)] if usage else [])]
        shown = ["\N{EN DASH}" if n is None else f"{n:,.{digits}f}" for n in numbers]
        if getattr(amount, field.name) is None:
            shown[0] = UNKNOWN.get(field.name, shown[0])
        cells.append(f"{shown[0]} ({shown[1]})" if usage else shown[0])
    return cells
