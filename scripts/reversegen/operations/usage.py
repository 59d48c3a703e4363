"""The amounts that jobs have used, read from their benchmarks, their outputs and the logged calls of endpoints."""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from reversegen.config.workflow import Configuration
from reversegen.core.files import numbered_lines, read_json
from reversegen.core.used_resources import read_earlier_seconds
from reversegen.engines.endpoint.call_log import calls_folder
from reversegen.operations.job import Amount, Job
from reversegen.operations.prices import BATCH_PRICE, endpoint_price, gpus_of_size, money_of_endpoint, money_of_gpus


def used_amount(job: Job, configuration: Configuration, folder: Path) -> Amount | None:
    """The amount that a job has used, all its shards together; None if none of them has ended or called an endpoint."""
    usages = [amount_of_run(job, run, configuration, folder) for run in job.runs(folder) or [""]]
    return sum((amount for amount in usages if amount), Amount()) if any(usages) else None


def amount_of_run(job: Job, run: str, configuration: Configuration, folder: Path) -> Amount | None:
    """The amount that one run has used; None if it has neither ended nor called an endpoint.

    Of a job that has resumed, the seconds of what it resumed from count too, as its tokens do.
    """
    output = job.output_of(run, folder)
    calls = list(_calls(calls_folder(output)))
    benchmark = folder / job.file("benchmarks", f"{run}.tsv")
    if not (benchmark.is_file() or calls):
        return None
    model = configuration.models[job.model]
    gpus = gpus_of_size(model, configuration) * job.processes
    hours = 0.0
    if benchmark.is_file():
        earlier = read_earlier_seconds(folder / job.file("logs", f"{run}.log"))
        hours = (sum(benchmark_seconds(benchmark)) + earlier) / 3600 * gpus
    amount = replace(_recorded(output), gpu_hours=hours)
    if not model.endpoint:
        return replace(amount, money=money_of_gpus(hours, configuration))
    price = endpoint_price(job.model, configuration)
    if not calls:
        return replace(amount, calls=None, money=money_of_endpoint(amount, price))
    weights = [BATCH_PRICE if call["batch"] else 1.0 for call in calls]
    paid = [sum(w * call[key] for w, call in zip(weights, calls, strict=True)) for key in ("tokens_in", "tokens_out")]
    read, written = (sum(call[key] for call in calls) for key in ("tokens_in", "tokens_out"))
    money = money_of_endpoint(Amount(read=paid[0], written=paid[1]), price)
    return replace(amount, calls=len(calls), read=read, written=written, money=money)


def benchmark_seconds(file: Path) -> list[float]:
    """The seconds of each job in a benchmark file, without jobs that were too short to be measured."""
    with file.open(encoding="utf-8", newline="") as lines:
        return [float(row["s"]) for row in csv.DictReader(lines, delimiter="\t") if row.get("s") not in (None, "-")]


def _recorded(output: Path) -> Amount:
    """The amount that an output records: generated tokens in its rows, or trained tokens in the manifest of a model."""
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
    """The calls of an endpoint that are logged beside an output, without a truncated last line."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            with contextlib.suppress(ValueError):
                call = json.loads(line)
                yield {key: int(call[key]) for key in ("tokens_in", "tokens_out", "batch")}
