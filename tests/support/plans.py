"""Dry runs, and what they plan."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

SOURCES = ("reversegen", "warmup", "warmup_failures", "seeds")


def planned(output: str) -> dict[str, int]:
    """The table of jobs that a dry run prints first."""
    table = output.split("Job stats:")[1].split("total")[0]
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


class Job(NamedTuple):
    """A planned job with its files."""

    rule: str
    inputs: list[str]
    outputs: list[str]


def jobs_of(output: str) -> list[Job]:
    """Every job that a dry run prints."""
    found = re.findall(
        r"^ *(?:local)?(?:rule|job) (\w+):\n((?: +\w+: .*\n)+)", output.replace("localrule", "rule"), re.MULTILINE
    )
    jobs = []
    for rule, lines in found:
        files = {key: value.split(", ") for key, value in re.findall(r"^ +(input|output): (.*)$", lines, re.MULTILINE)}
        jobs.append(Job(rule, files.get("input", []), files.get("output", [])))
    return jobs


def needed(jobs: Iterable[Job], *targets: str) -> list[Job]:
    """Those of the planned jobs that these targets need: the plan of a dry run of these targets alone."""
    makers = {path: job for job in jobs for path in job.outputs}
    assert makers.keys() >= {*targets}
    pending, chosen = [*targets], dict[int, Job]()
    while pending:
        job = makers.get(pending.pop())
        if job and id(job) not in chosen:
            chosen[id(job)] = job
            pending += job.inputs
    return [*chosen.values()]


def counted(jobs: Iterable[Job]) -> dict[str, int]:
    """The number of jobs of each rule."""
    return dict(Counter(job.rule for job in jobs))


def errors(output: str) -> list[str]:
    """The lines of bad input. Raises AssertionError if Snakemake adds a traceback or the place in a rule."""
    assert "Traceback" not in output, output
    assert " in rule " not in output, output
    return [line for line in output.splitlines() if line.startswith("error: ")]


NOWHERE = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_TOKEN": "", "OPENAI_API_KEY": "", "CUDA_VISIBLE_DEVICES": ""}
