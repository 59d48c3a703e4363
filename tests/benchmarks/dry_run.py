"""Time and memory of a plan: the paper's three tasks with five iterations, each stage cut into 64 shards."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from tests.benchmarks.timing import exponents, value_row

REPOSITORY = Path(__file__).parents[2]
TASKS = ("safety", "honesty", "math")
START, EACH, MEGABYTES = 1.5, 0.002, 500.0
"""Seconds that a dry run may take to start and for each job, and its memory."""
LINEAR = 1.15
"""Greatest power of the number of jobs that the seconds above START may grow with."""
ROUNDS = 3


class Plan(NamedTuple):
    """One dry run. Seconds are of the processor: a plan is one thread, and other work of the machine is not its own."""

    jobs: int
    seconds: float
    megabytes: float


def plan(folder: Path, shards: int) -> Plan:
    """Plan the tables of all three tasks in an empty folder with a copy of config/."""
    for name in TASKS:
        file = folder / f"config/tasks/{name}.yaml"
        content = yaml.safe_load(file.read_text()) | {"iterations": 5, "shards": shards}
        file.write_text(yaml.safe_dump(content))
    words = [
        sys.executable,
        "-m",
        "snakemake",
        "-s",
        str(REPOSITORY / "Snakefile"),
        "-n",
        "--cores",
        "8",
        "--quiet",
        "rules",
    ]
    with (folder / "out").open("w+") as out:
        targets = [f"results/{name}/table.md" for name in TASKS]
        process = subprocess.Popen([*words, "--", *targets], cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said = out.read()
    if process.returncode:
        sys.exit(f"the dry run failed: {said[-2000:]}")
    jobs = int(re.findall(r"^total +(\d+)$", said, re.MULTILINE)[-1])
    return Plan(jobs, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)


def measure() -> list[dict[str, Any]]:
    """Ratios are what a plan took over what it may take; the power is that between 16 and 64 shards."""
    few, many = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(REPOSITORY / "config", folder / "config")
        for _ in range(ROUNDS):
            few.append(plan(folder, 16))
            many.append(plan(folder, 64))
    for one in (few[0], many[0]):
        print(f"{one.jobs} jobs: {one.seconds:.1f} s, {one.megabytes:.0f} MB")
    jobs = many[0].jobs
    allowed = START + EACH * jobs
    powers = exponents(few[0].jobs, [p.seconds for p in few], jobs, [p.seconds for p in many])
    size = f"{jobs} jobs"
    return [
        value_row("dry run, time", f"{allowed:.1f} seconds", size, [p.seconds / allowed for p in many], 1.0),
        value_row("dry run, memory", f"{MEGABYTES:.0f} MB", size, [p.megabytes / MEGABYTES for p in many], 1.0),
        value_row("dry run, power of the number of jobs", "linear", size, powers, LINEAR),
    ]
