"""What the jobs of a run have used, by their benchmarks, their records and the calls of endpoints that are kept beside them."""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from reversegen.config.workflow import Configuration
from reversegen.core.files import numbered_lines, read_json
from reversegen.engines.endpoint.call_log import calls_folder
from reversegen.operations.job import Amount, Job
from reversegen.operations.prices import BATCH_PRICE, endpoint_price, gpus_of_size, money_of_endpoint, money_of_gpus


def used_amount(job: Job, configuration: Configuration, folder: Path) -> Amount | None:
    """What a job took, all its shards together, by benchmarks, records and the calls kept beside them; None before it began."""
    usages = [amount_of_run(job, run, configuration, folder) for run in job.runs(folder) or [""]]
    return sum((amount for amount in usages if amount), Amount()) if any(usages) else None


def amount_of_run(job: Job, run: str, configuration: Configuration, folder: Path) -> Amount | None:
    """What one run took; None before it has finished or called an endpoint."""
    output = job.output_of(run, folder)
    calls = list(_calls(calls_folder(output)))
    benchmark = folder / job.file("benchmarks", f"{run}.tsv")
    if not (benchmark.is_file() or calls):
        return None
    model = configuration.models[job.model]
    gpus = gpus_of_size(model, configuration) * job.processes
    hours = sum(benchmark_seconds(benchmark)) / 3600 * gpus if benchmark.is_file() else 0.0
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
    """The seconds of each job in a benchmark file; of one that was too short to be measured there are none."""
    with file.open(encoding="utf-8", newline="") as lines:
        return [float(row["s"]) for row in csv.DictReader(lines, delimiter="\t") if row.get("s") not in (None, "-")]


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
