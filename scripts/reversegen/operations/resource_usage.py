"""What the jobs of a task asked for and what they used, from Snakemake's benchmark files."""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reversegen.core.errors import BadInput
from reversegen.core.markdown import markdown_table
from reversegen.workflow.stages import rule_of


@dataclass(frozen=True)
class EndedJob:
    """One run of a rule. What was asked for is known where Snakemake ran with `--benchmark-extended`, as the profiles do."""

    rule: str
    seconds: float
    cpu_seconds: float | None
    """None, as for the memory, of a job too short to be measured."""
    peak_mb: float | None
    """Largest resident set, in megabytes of 2**20 bytes."""
    threads: int | None
    mem_mb: int | None
    minutes: int | None
    """The time limit."""
    gpus: int | None


def read_jobs(folder: Path) -> list[EndedJob]:
    """All benchmark files below a folder. Raises BadInput if there are none, and for one that is none of Snakemake's."""
    jobs = [job for path in sorted(folder.rglob("*.tsv")) for job in _read(path)]
    if not jobs:
        raise BadInput(f"{folder}: no job has ended yet, so there is nothing to tabulate")
    return jobs


def _read(path: Path) -> Iterable[EndedJob]:
    with path.open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            try:
                resources: dict[str, Any] = ast.literal_eval(row.get("resources") or "{}")
                yield EndedJob(
                    rule=row.get("rule_name") or rule_of(path),
                    seconds=float(row["s"]),
                    cpu_seconds=_number(row["cpu_time"]),
                    peak_mb=_number(row["max_rss"]),
                    threads=int(row["threads"]) if row.get("threads") else None,
                    mem_mb=resources.get("mem_mb"),
                    minutes=resources.get("runtime"),
                    gpus=_gpus(resources) if resources else None,
                )
            except (KeyError, TypeError, ValueError, SyntaxError) as error:
                raise BadInput(f"{path}: not a benchmark of Snakemake: {error}") from error


def _gpus(resources: dict[str, Any]) -> int:
    """GPUs, given as `gpu` or as the end of `gres`, gpu:2 or gpu:a100:2."""
    return int(resources.get("gpu") or str(resources.get("gres", "0")).rpartition(":")[2])


def _number(text: str) -> float | None:
    return None if text in ("NA", "-") else float(text)


HEAD = (
    *("rule", "jobs", "hours", "longest, minutes", "of limit", "peak memory, MB", "of asked", "CPU, of threads"),
    "GPU hours",
)


def usage_table(jobs: Sequence[EndedJob]) -> str:
    """A table with a line for each rule, the longest first, and one for all."""
    rules: dict[str, list[EndedJob]] = {}
    for job in jobs:
        rules.setdefault(job.rule, []).append(job)
    order = sorted(rules.items(), key=lambda item: -sum(job.seconds for job in item[1]))
    table = markdown_table(HEAD, [_cells(rule, rule_jobs) for rule, rule_jobs in [*order, ("all", list(jobs))]])
    notes = (
        "Shares are of what the job that came nearest asked for. Hours are of one job after the other; GPU hours are hours"
        " times GPUs asked for: what a GPU did meanwhile is not measured. Shares of limits, and GPU hours, need"
        " `--benchmark-extended`, which the profiles set."
    )
    return f"{table}\n\n{notes}\n"


def _cells(rule: str, jobs: Sequence[EndedJob]) -> list[str]:
    memory = [job.peak_mb for job in jobs if job.peak_mb is not None]
    measured = [job for job in jobs if job.cpu_seconds is not None and job.threads is not None and job.seconds]
    known = [job.gpus * job.seconds for job in jobs if job.gpus is not None]
    return [
        rule,
        str(len(jobs)),
        f"{sum(job.seconds for job in jobs) / 3600:.2f}",
        f"{max((job.seconds for job in jobs), default=0.0) / 60:.1f}",
        _share([job.seconds / 60 / job.minutes for job in jobs if job.minutes]),
        f"{max(memory):.0f}" if memory else "",
        _share([job.peak_mb / job.mem_mb for job in jobs if job.peak_mb is not None and job.mem_mb]),
        _share(
            [sum(j.cpu_seconds or 0 for j in measured) / sum(j.seconds * (j.threads or 1) for j in measured)]
            if measured
            else []
        ),
        f"{sum(known) / 3600:.2f}" if known else "",
    ]


def _share(values: Sequence[float]) -> str:
    return f"{max(values):.0%}" if values else ""
