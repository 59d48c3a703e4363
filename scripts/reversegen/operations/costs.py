"""What a task will cost, what it has used, and the gate that holds its jobs to a budget. Nothing is run or downloaded."""

from __future__ import annotations

import contextlib
import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from reversegen.config.load import Configuration, Model, Price, Task, Throughput, load
from reversegen.core.errors import BadInput
from reversegen.core.files import numbered_lines, read_json, write_json
from reversegen.models.memory import Batch, ModelShape, needed, shape_of_size
from reversegen.operations.planned_jobs import SHARD, Amount, Job, asks_model, planned_jobs, source_file, why_unplanned

BATCH_PRICE = 0.5
"""Share of its price that an endpoint takes for what goes through the Batch API."""
UNKNOWN = {"gpu_hours": "no throughput", "money": "no price"}


def plan(name: str, configuration: Configuration, folder: Path) -> list[Job]:
    """The model jobs of `results/{task}/table.md` and its transfers, with what each is planned to take.

    Parts that the task reuses are their owner's. `folder` is results/{task}: seeds and tests that are made already are
    counted, other data is counted where it lies, and assumed where it is not here.
    """
    return [_priced(job, configuration) for job in planned_jobs(name, configuration, folder)]


def used(job: Job, configuration: Configuration, folder: Path) -> Amount | None:
    """What a job took, all its shards together, by benchmarks, records and the calls kept beside them; None before it began."""
    took = [_used(job, run, configuration, folder) for run in job.runs(folder) or [""]]
    return sum((amount for amount in took if amount), Amount()) if any(took) else None


def _used(job: Job, run: str, configuration: Configuration, folder: Path) -> Amount | None:
    """What one run took; None before it has finished or called an endpoint."""
    whole = folder / job.output
    output = whole.with_name(f"{whole.stem}{run}{whole.suffix}")
    calls = list(_calls(output.with_name(f"{output.name}.calls")))
    benchmark = folder / job.file("benchmarks", f"{run}.tsv")
    if not (benchmark.is_file() or calls):
        return None
    model = configuration.models[job.model]
    gpus = _gpus(model, configuration) * job.processes
    hours = _seconds(benchmark) / 3600 * gpus if benchmark.is_file() else 0.0
    amount = replace(_recorded(output), gpu_hours=hours)
    if not model.endpoint:
        return replace(amount, money=_of_gpus(hours, configuration))
    price = _price(job.model, configuration)
    if not calls:
        return replace(amount, calls=None, money=_of_endpoint(amount, price))
    weights = [BATCH_PRICE if call["batch"] else 1.0 for call in calls]
    paid = [sum(w * call[key] for w, call in zip(weights, calls, strict=True)) for key in ("tokens_in", "tokens_out")]
    read, written = (sum(call[key] for call in calls) for key in ("tokens_in", "tokens_out"))
    money = _of_endpoint(Amount(read=paid[0], written=paid[1]), price)
    return replace(amount, calls=len(calls), read=read, written=written, money=money)


def check_budget(log_file: Path, workflow: dict[str, Any]) -> None:
    """Raise BadInput where the job of a log, results/{task}/logs/{part}/{rule}.log, would pass its task's budget.

    So it does for a job of a model that the plan does not hold, such as that of an iteration beyond the task's: a limit would
    not count it. Jobs of no model start. A shard, whose log is {rule}.2-of-8.log, takes its share of what is planned.
    What counts is what finished jobs used, and what the plan says of this one and of those that started and did not finish:
    each leaves its amount beside its benchmark before it looks at the sum, so that two which start at once do not pass the
    limit together. Where the plan or the records say nothing, nothing is counted. `workflow` is the content of config.yaml.
    """
    results, _, below = str(log_file).partition("/logs/")
    folder, configuration = Path(results), load(workflow, Path("config"))
    task = folder.name.partition(".s")[0]
    if task not in {*configuration.tasks, *configuration.faults}:
        return
    settings = configuration.task(folder.name)
    limits = dict(settings.budget)
    name = re.fullmatch(rf"(.*?)({SHARD})\.log", below)
    if name is None or not any(limits.values()):
        return
    jobs = plan(folder.name, configuration, folder)
    job = next((job for job in jobs if job.file("logs", "") == Path("logs", name[1])), None)
    if job is None:
        part, _, rule = name[1].rpartition("/")
        if asks_model(rule, settings, configuration):
            raise BadInput(
                f"config/tasks/{task}.yaml: {why_unplanned(part, settings)}: {log_file} is of a job that the plan does not "
                "hold, so that no budget would count it"
            )
        return
    own = folder / job.file("benchmarks", f"{name[2]}.planned.json")
    write_json(own, asdict(job.planned.share(name[2])))
    spent = sum((_spent(other, configuration, folder) for other in jobs), Amount())
    sums = {"money": spent.money, "tokens": _tokens(spent), "gpu_hours": spent.gpu_hours}
    for key, limit in limits.items():
        if limit is not None and (sums[key] or 0) > limit:
            own.unlink()
            raise BadInput(
                f"config/tasks/{task}.yaml: budget.{key}: {job.rule} of {job.part or task} may bring {folder} to "
                f"{sums[key]:,.2f}, more than {limit:,.2f}; all that was made is kept: raise the limit and start again, or "
                "leave it at that"
            )


def write_plan(name: str, configuration: Configuration, folder: Path) -> str:
    """The content of `plan.md`: a line for each rule of each part, planned and, in brackets, used, and what it rests on."""
    costs, jobs = configuration.workflow.costs, plan(name, configuration, folder)
    done = [used(job, configuration, folder) for job in jobs]
    currency = costs.prices.currency
    titles = ("prompts", "tokens read", "tokens written", "tokens trained", "GPU-hours", "API calls", currency)
    lines = [
        f"# What {name} costs",
        "",
        "What each job of a model is planned to take"
        + (", and in brackets the jobs that ended and what was used." if any(done) else "; nothing has run yet."),
        "Other jobs run on one CPU core. Embeddings, and models and data that tasks share, are left out.",
        "",
        "| rule | part | model | jobs | " + " | ".join(titles) + " |",
        "|---|---|---|" + "---:|" * (len(titles) + 1),
    ]
    for job, took in zip(jobs, done, strict=True):
        count = f"{job.shards} ({job.ended(folder)})" if took else str(job.shards)
        lines.append(f"| {job.rule} | {job.part} | {job.model} | {count} | {' | '.join(_cells(job.planned, took))} |")
    begun = [took for took in done if took]
    total = _cells(sum((job.planned for job in jobs), Amount()), sum(begun, Amount()) if begun else None)
    count = str(sum(job.shards for job in jobs))
    if begun:
        count += f" ({sum(job.ended(folder) for job in jobs)})"
    lines += [f"| all |  |  | {count} | {' | '.join(total)} |", "", *_memory(jobs, configuration)]
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
    """The batch of a job, the largest model of its size, and the bytes of its GPU; None where nothing can be said.

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
        if found := on_gpu(job, configuration):
            batch, shape, available = found
            tokens = f"{batch.prompt:,.0f} + {batch.written:,.0f}"
            rows[job.rule, job.model, batch] = (
                f"| {job.rule} | {job.model} | {batch.sequences} | {tokens} | {needed(shape, batch) / 1e9:.0f} | "
                f"{available / 1e9:.0f} |"
            )
    if not rows:
        return []
    return [
        "## GPU memory",
        "",
        "What a job takes at its batch size, with the largest model of its size, if every text is as long as planned: weights, "
        "key-value cache, one layer's activations, logits of a step (sizes.footprint). Longer prompts take more; a batch that "
        "runs out of memory is halved, which changes no draw. Training is not counted, nor is vLLM, which fits its batches "
        "to the memory itself.",
        "",
        "| rule | model | sequences at once | tokens read + written | GB needed | GB of a GPU |",
        "|---|---|---:|---:|---:|---:|",
        *rows.values(),
        "",
    ]


def _priced(job: Job, configuration: Configuration) -> Job:
    """The job with GPU-hours, calls and money, by throughput and prices."""
    model, planned = configuration.models[job.model], job.planned
    if model.endpoint:
        planned = replace(planned, calls=planned.calls or planned.prompts)
        return replace(job, planned=replace(planned, money=_of_endpoint(planned, _price(job.model, configuration))))
    hours: float | None = 0.0
    if gpus := _gpus(model, configuration):
        hours = _hours(planned, _speed(model, configuration), gpus)
    return replace(job, planned=replace(planned, gpu_hours=hours, money=_of_gpus(hours, configuration)))


def _hours(planned: Amount, speed: Throughput, gpus: int) -> float | None:
    """GPU-hours; the throughput is that of one GPU, so that more of them take less time and as many hours."""
    seconds = 0.0
    for tokens, rate in (
        (planned.read, speed.read),
        (planned.written, speed.written),
        (planned.trained, speed.trained),
    ):
        if tokens:
            if rate is None:
                return None
            seconds += tokens / rate
    return seconds / 3600


def _of_gpus(hours: float | None, configuration: Configuration) -> float | None:
    price = configuration.workflow.costs.prices.gpu_hour
    return 0.0 if hours == 0 else None if hours is None or price is None else hours * price


def _of_endpoint(amount: Amount, price: Price) -> float | None:
    if amount.read is None or amount.written is None or price.read is None or price.written is None:
        return None
    return (amount.read * price.read + amount.written * price.written) / 1e6


def _gpus(model: Model, configuration: Configuration) -> int:
    return 0 if model.endpoint else configuration.workflow.sizes[model.size].gpu


def _speed(model: Model, configuration: Configuration) -> Throughput:
    return configuration.workflow.costs.throughput.get(model.size, Throughput(read=None, written=None, trained=None))


def _price(name: str, configuration: Configuration) -> Price:
    return configuration.workflow.costs.prices.endpoints.get(name, Price(read=None, written=None))


def _spent(job: Job, configuration: Configuration, folder: Path) -> Amount:
    """What a job counts in a budget: used where it has finished, planned where it has started, else nothing.

    Shards of an earlier number count as what they used: none of them goes on.
    """
    spent, runs, latest = Amount(), job.runs(folder), job.latest_runs(folder)
    for run in runs:
        if run not in latest:
            spent += (_used(job, run, configuration, folder) or Amount()).or_else(Amount())
            continue
        started, benchmark = (folder / job.file("benchmarks", f"{run}.{end}") for end in ("planned.json", "tsv"))
        took = _used(job, run, configuration, folder) or Amount()
        if started.is_file() and not (benchmark.is_file() and benchmark.stat().st_mtime >= started.stat().st_mtime):
            planned = Amount(**read_json(started))
            took = planned.largest(took)  # what an endpoint was paid in earlier tries is kept, and not asked again
        spent += took.or_else(job.planned.share(run)).or_else(Amount())
    if configuration.models[job.model].endpoint and len(latest) < len(runs):
        # what earlier shards were answered is kept, and not asked again: it is not to pay beside all that is planned
        return spent.smallest(job.planned.largest(used(job, configuration, folder) or Amount()))
    return spent


def _tokens(amount: Amount) -> float:
    return (amount.read or 0) + (amount.written or 0)


def _seconds(benchmark: Path) -> float:
    with benchmark.open(newline="") as file:
        return sum(float(row["s"]) for row in csv.DictReader(file, delimiter="\t"))


def _recorded(output: Path) -> Amount:
    """What an output says: records hold the tokens that were written, a trained model's manifest those it was trained on."""
    if output.is_dir():
        facts = read_json(output / "manifest.json")
        return Amount(prompts=facts.get("rows"), trained=facts.get("tokens"))
    if not output.is_file() or output.suffix != ".jsonl":
        return Amount(prompts=None, read=None, written=None)
    rows = [json.loads(line) for _, line in numbered_lines(output)]
    ids = {row.get("prompt_id") or row.get("instruction_id") or row.get("question_id") for row in rows}
    written = sum(row["tokens"] for row in rows) if all("tokens" in row for row in rows) else None
    return Amount(prompts=len(ids), read=None, written=written)


def _calls(folder: Path) -> Iterator[dict[str, int]]:
    """Calls of an endpoint that are kept beside an output; a last line that was cut short is left out."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            with contextlib.suppress(ValueError):
                call = json.loads(line)
                yield {key: int(call[key]) for key in ("tokens_in", "tokens_out", "batch")}


def _assumed_sources(task: Task, assumed: int) -> list[str]:
    every = {**task.data.seeds, **task.data.tests}
    absent = {name: source for name, source in every.items() if not source.corpus and not source_file(source).is_file()}
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
    for size in dict.fromkeys(model.size for model in models if _gpus(model, configuration)):
        speed = _speed(next(model for model in models if model.size == size), configuration)
        rates = ", ".join(f"{key} {'no throughput' if rate is None else f'{rate:,g}'}" for key, rate in speed)
        lines.append(f"- Tokens a second of one GPU with a model of size {size} (costs.throughput): {rates}.")
    return lines


def _assumed_prices(jobs: Sequence[Job], configuration: Configuration) -> list[str]:
    prices = configuration.workflow.costs.prices
    names = dict.fromkeys(job.model for job in jobs)
    listed = []
    if any(_gpus(configuration.models[name], configuration) for name in names):
        listed.append(f"a GPU-hour {_priced_at(prices.gpu_hour)}")
    for name in names:
        if configuration.models[name].endpoint:
            price = _price(name, configuration)
            listed.append(
                f"{name} {_priced_at(price.read)} for a million tokens read and {_priced_at(price.written)} written"
            )
    when = prices.date or "no date"
    return [f"- Prices in {prices.currency}, {when} (costs.prices): {'; '.join(listed)}."] if listed else []


def _priced_at(price: float | None) -> str:
    return "no price" if price is None else f"{price:g}"


def _cells(planned: Amount, took: Amount | None) -> list[str]:
    """A cell for each amount: planned, and what was used in brackets."""
    cells = []
    for field in fields(Amount):
        digits = 2 if field.name in ("gpu_hours", "money") else 0
        numbers = [getattr(planned, field.name), *([getattr(took, field.name)] if took else [])]
        shown = ["\N{EN DASH}" if n is None else f"{n:,.{digits}f}" for n in numbers]
        if getattr(planned, field.name) is None:
            shown[0] = UNKNOWN.get(field.name, shown[0])
        cells.append(f"{shown[0]} ({shown[1]})" if took else shown[0])
    return cells
