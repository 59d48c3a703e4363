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
from reversegen.operations.prices import endpoint_price, gpus_of_size, job_speeds, with_price
from reversegen.operations.rates import RunRates, Speed, measured_rates
from reversegen.operations.usage import used_amount
from reversegen.workflow.vllm_interpreter import missing_vllm

UNKNOWN = {"gpu_hours": "no throughput", "money": "no price"}


def plan(name: str, configuration: Configuration, folder: Path) -> list[Job]:
    """The jobs of models that make `results/{task}/table.md` and its transfers, with their planned amounts.

    Parts that the task reuses belong to the plan of their owner. `folder` is results/{task}, where existing seeds and tests
    are counted, and from whose finished jobs throughputs are measured. Rows of other data are counted if the data is on this
    machine, and assumed otherwise.
    """
    jobs = list(planned_jobs(name, configuration, folder))
    measured = _measured(jobs, configuration, folder)
    return [with_price(job, configuration, measured) for job in jobs]


def _measured(jobs: Sequence[Job], configuration: Configuration, folder: Path) -> RunRates:
    """The throughputs of the run's finished jobs on GPUs."""
    on_gpus = [job for job in jobs if gpus_of_size(configuration.models[job.model], configuration)]
    usages = ((job, used_amount(job, configuration, folder)) for job in on_gpus)
    return measured_rates((job, usage) for job, usage in usages if usage)


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
    if any(job.assumed for job in jobs):
        opening += " A number with * rests on an assumed throughput, which nobody has measured here."
    table = _table(jobs, usages, configuration, folder)
    measured = _measured(jobs, configuration, folder)
    head = [f"# What {name} costs", *_without_vllm(jobs, configuration), filled(opening)]
    parts = [*head, table, *_memory(jobs, configuration), "## What this rests on"]
    reasons = "\n".join(filled(text, "- ") for text in _reasons(name, jobs, configuration, measured))
    return "\n\n".join([*parts, reasons, *_sources(jobs, configuration, measured)]) + "\n"


def _without_vllm(jobs: Sequence[Job], configuration: Configuration) -> list[str]:
    """A paragraph if models need vLLM and no interpreter has it."""
    missing = missing_vllm((job.model for job in jobs), configuration)
    return [filled(f"**vLLM is missing**, unless conda deploys it. {missing[0]}; {missing[1]}.")] if missing else []


def _table(jobs: Sequence[Job], usages: Sequence[Amount | None], configuration: Configuration, folder: Path) -> str:
    """The table of amounts: a line for each job, and one for all."""
    started = any(usages)
    total = sum((usage for usage in usages if usage), Amount()) if started else None
    rows = []
    for job, usage in zip(jobs, usages, strict=True):
        count = f"{job.shards} ({job.ended(folder)})" if usage else str(job.shards)
        rows.append([job.rule, job.part, job.model, count, *_cells(job.amount, usage, job.assumed)])
    count = str(sum(job.shards for job in jobs))
    if started:
        count += f" ({sum(job.ended(folder) for job in jobs)})"
    assumed = any(job.assumed for job in jobs)
    rows.append(["all", "", "", count, *_cells(sum((job.amount for job in jobs), Amount()), total, assumed)])
    currency = configuration.workflow.costs.prices.currency
    titles = ("prompts", "tokens read", "tokens written", "tokens trained", "GPU-hours", "API calls", currency)
    head = ["rule", "part", "model", "jobs", *titles]
    empty = {"0", "0.00", "0 (0)", "0.00 (0.00)"}
    shown = [n for n in range(len(head)) if n < 4 or {row[n] for row in rows} - empty]
    return narrow_tables([head[n] for n in shown], [[row[n] for n in shown] for row in rows], 3, keys=2)


def _reasons(name: str, jobs: Sequence[Job], configuration: Configuration, measured: RunRates) -> list[str]:
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
        *_speed_lines(jobs, configuration, measured),
        *_assumed_prices(jobs, configuration),
        "\N{EN DASH} means that no file has the number. Used GPU-hours are the time of a job multiplied by its GPUs. Of a "
        "job that was killed and resumed, what it resumed from counts, and what was lost does not. A job that was made again "
        "counts once.",
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


def _speeds(
    jobs: Sequence[Job], configuration: Configuration, measured: RunRates
) -> dict[str, dict[str, Speed | None]]:
    """The throughputs that decide GPU-hours, by model and then by tokens."""
    speeds: dict[str, dict[str, Speed | None]] = {}
    for job in jobs:
        for tokens, one in job_speeds(job, configuration, measured).items():
            speeds.setdefault(job.model, {})[tokens] = one
    return speeds


def _speed_lines(jobs: Sequence[Job], configuration: Configuration, measured: RunRates) -> list[str]:
    """A line for each model on a GPU, with its throughputs and where each comes from."""
    lines = []
    for name, speeds in _speeds(jobs, configuration, measured).items():
        model = configuration.models[name]
        rates = ", ".join(f"{tokens} {_speed_text(one)}" for tokens, one in sorted(speeds.items()))
        lines.append(f"Tokens a second of one GPU with {name} (size {model.size}, {model.engine}): {rates}.")
    return lines


def _speed_text(one: Speed | None) -> str:
    if one is None:
        return "no throughput"
    origin = (
        "assumed" if one.assumed else "measured by this run, reading included" if one.measured else "costs.throughput"
    )
    return f"{one.rate:,.4g} ({origin})" if one.rate < 1000 else f"{one.rate:,.0f} ({origin})"


def _sources(jobs: Sequence[Job], configuration: Configuration, measured: RunRates) -> list[str]:
    """The section with the source of each assumed throughput; empty if none is used."""
    rows: dict[str, None] = {}
    for name, speeds in _speeds(jobs, configuration, measured).items():
        model = configuration.models[name]
        for tokens, one in sorted(speeds.items()):
            if one and (rate := one.assumed):
                engine = "training" if tokens == "trained" else model.engine
                rows[
                    f"{model.size}, {engine}, {tokens}: {rate.rate:,.0f} on {rate.gpu}: {rate.how}. Source: {rate.source}, "
                    f"{rate.date}."
                ] = None
    if not rows:
        return []
    text = (
        "Assumed tokens a second of one GPU (config/throughputs.yaml). The rates of this run's finished jobs replace them in "
        "the next plan, and `costs.throughput` in config.yaml replaces both."
    )
    return ["## Assumed throughputs", filled(text), "\n".join(filled(row, "- ") for row in rows)]


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


def _cells(amount: Amount, usage: Amount | None, assumed: bool) -> list[str]:
    """A cell for each amount: the planned one, with a * if it rests on an assumed throughput, and the used one in brackets."""
    cells = []
    for field in fields(Amount):
        digits = 2 if field.name in ("gpu_hours", "money") else 0
        numbers = [getattr(amount, field.name), *([getattr(usage, field.name)] if usage else [])]
        shown = ["\N{EN DASH}" if n is None else f"{n:,.{digits}f}" for n in numbers]
        if getattr(amount, field.name) is None:
            shown[0] = UNKNOWN.get(field.name, shown[0])
        elif assumed and field.name in UNKNOWN and getattr(amount, field.name):
            shown[0] += "*"
        cells.append(f"{shown[0]} ({shown[1]})" if usage else shown[0])
    return cells
