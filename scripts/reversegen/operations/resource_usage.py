"""The resources that the jobs of a task requested and used, from Snakemake's benchmark files and the jobs' logs.

A job's log has the processor time and memory that it measured itself. They count in place of Snakemake's, which samples the
children of the job's shell only.
"""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reversegen.core.errors import BadInput
from reversegen.core.markdown import filled, narrow_tables
from reversegen.core.used_resources import read_earlier_seconds, read_used
from reversegen.workflow.stages import rule_of


@dataclass(frozen=True)
class EndedJob:
    """One job that has ended. Its requests are known if Snakemake ran with `--benchmark-extended`, which the profiles set."""

    rule: str
    seconds: float
    """Of its last start."""
    earlier_seconds: float
    """Of the part that it resumed from; 0 if it did not resume."""
    cpu_seconds: float | None
    """None, like `peak_mb`, if neither the job's log nor Snakemake has it."""
    peak_mb: float | None
    """Largest resident set, in megabytes of 2**20 bytes."""
    threads: int | None
    mem_mb: int | None
    minutes: int | None
    """The time limit."""
    gpus: int | None


def read_jobs(folder: Path) -> list[EndedJob]:
    """The jobs of all benchmark files below a folder benchmarks/, with what their logs in logs/ beside it say.

    Raises BadInput if there is no such file, and if a file is not a benchmark that Snakemake wrote.
    """
    logs = folder.parent / "logs"
    files = sorted(folder.rglob("*.tsv"))
    jobs = [job for file in files for job in _read(file, logs / file.relative_to(folder).with_suffix(".log"))]
    if not jobs:
        raise BadInput(f"{folder}: no job has ended yet, so there is nothing to tabulate; run the task first")
    return jobs


def _read(path: Path, log_file: Path) -> Iterable[EndedJob]:
    used, earlier = read_used(log_file), read_earlier_seconds(log_file)
    with path.open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            try:
                resources: dict[str, Any] = ast.literal_eval(row.get("resources") or "{}")
                yield EndedJob(
                    rule=row.get("rule_name") or rule_of(path),
                    seconds=float(row["s"]),
                    earlier_seconds=earlier,
                    cpu_seconds=used.cpu_seconds if used else _number(row["cpu_time"]),
                    peak_mb=used.peak_mb if used else _number(row["max_rss"]),
                    threads=int(row["threads"]) if row.get("threads") else None,
                    mem_mb=resources.get("mem_mb"),
                    minutes=resources.get("runtime"),
                    gpus=_gpus(resources) if resources else None,
                )
            except (KeyError, TypeError, ValueError, SyntaxError) as error:
                raise BadInput(f"{path}: not a benchmark of Snakemake: {error}; remove it") from error


def _gpus(resources: dict[str, Any]) -> int:
    """The requested GPUs, from `gpu` or from the end of `gres`, such as gpu:2 or gpu:a100:2."""
    return int(resources.get("gpu") or str(resources.get("gres", "0")).rpartition(":")[2])


def _number(text: str) -> float | None:
    return None if text in ("NA", "-") else float(text)


HEAD = (
    *("rule", "jobs", "hours", "longest, min", "of limit", "peak, MB", "of asked", "CPU of threads"),
    "GPU hours",
)

NOTES = (
    "`hours`: the sum over the rule's jobs, as if one ran after the other, with the part that a job resumed from.",
    "`longest, min`, `peak, MB`: the longest job, in minutes, and the largest resident memory. Memory that processes share, "
    "such as the packages that `make demo` imports once, counts in each of them.",
    "`of limit`, `of asked`: the share of the time limit and of the requested memory that the job nearest to it used.",
    "`CPU of threads`: the time of the processor as a share of seconds times threads. It and the memory are what the job "
    "measured itself, at the end of its log, or else what Snakemake sampled.",
    "`GPU hours`: hours times the GPUs that were requested. How busy a GPU was is not measured.",
    "Requests are known only if Snakemake ran with `--benchmark-extended`, which the profiles set. A column of which "
    "nothing is known is left out.",
)
"""The notes below the table."""


def usage_table(jobs: Sequence[EndedJob]) -> str:
    """A table with a line for each rule, the longest first, and one for all."""
    rules: dict[str, list[EndedJob]] = {}
    for job in jobs:
        rules.setdefault(job.rule, []).append(job)
    order = sorted(rules.items(), key=lambda item: -sum(job.seconds for job in item[1]))
    rows = [_cells(rule, rule_jobs) for rule, rule_jobs in [*order, ("all", list(jobs))]]
    shown = [n for n in range(len(HEAD)) if any(row[n] for row in rows)]
    table = narrow_tables([HEAD[n] for n in shown], [[row[n] for n in shown] for row in rows])
    return f"{table}\n\n{chr(10).join(filled(note, '- ') for note in NOTES)}\n"


def _cells(rule: str, jobs: Sequence[EndedJob]) -> list[str]:
    memory = [job.peak_mb for job in jobs if job.peak_mb is not None]
    measured = [job for job in jobs if job.cpu_seconds is not None and job.threads is not None and job.seconds]
    known = [job.gpus * (job.seconds + job.earlier_seconds) for job in jobs if job.gpus is not None]
    return [
        rule,
        str(len(jobs)),
        f"{sum(job.seconds + job.earlier_seconds for job in jobs) / 3600:.2f}",
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
