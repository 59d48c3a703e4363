"""Time and memory of a plan for the paper's three tasks, with five iterations and 64 shards per stage."""

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
BARE, MEGABYTES = 3.5, 500.0
"""Limits: seconds over those of a plan of as many jobs of two rules without functions, and memory."""
LINEAR = 1.15
"""Largest allowed exponent of the growth of seconds with the number of jobs."""
ROUNDS = 3
BARE_WORKFLOW = """
rule all:
    input: expand("second/{{n}}", n=range({half}))
rule first:
    output: "first/{{n}}"
    shell: "touch {{output}}"
rule second:
    input: "first/{{n}}"
    output: "second/{{n}}"
    shell: "touch {{output}}"
"""


class Plan(NamedTuple):
    """One dry run. Seconds are processor time: a plan uses one thread, and other work on the machine must not count."""

    jobs: int
    seconds: float
    megabytes: float


def plan(folder: Path, snakefile: Path, targets: list[str]) -> Plan:
    """Plan targets of a workflow, or its default target, in a folder."""
    words = [sys.executable, "-m", "snakemake", "-s", str(snakefile), "-n", "--cores", "8", "--quiet", "rules"]
    with (folder / "out").open("w+") as out:
        process = subprocess.Popen([*words, "--", *targets], cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    if process.returncode:
        sys.exit(f"the dry run failed: {text[-2000:]}")
    jobs = int(re.findall(r"^total +(\d+)$", text, re.MULTILINE)[-1])
    return Plan(jobs, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)


def plan_tasks(folder: Path, shards: int) -> Plan:
    """Plan the tables of all three tasks."""
    for name in TASKS:
        file = folder / f"config/tasks/{name}.yaml"
        content = yaml.safe_load(file.read_text()) | {"iterations": 5, "shards": shards}
        file.write_text(yaml.safe_dump(content))
    return plan(folder, REPOSITORY / "Snakefile", [f"results/{name}/table.md" for name in TASKS])


def plan_bare(folder: Path, jobs: int) -> Plan:
    """Plan the given number of jobs of two rules, and one job that needs them all."""
    snakefile = folder / "Snakefile"
    snakefile.write_text(BARE_WORKFLOW.format(half=jobs // 2))
    return plan(folder, snakefile, [])


def measure() -> list[dict[str, Any]]:
    """A ratio compares two plans made one after the other; the power is the one between 16 and 64 shards."""
    few, many, bare = [], [], []
    with tempfile.TemporaryDirectory() as name:
        ours, alone = Path(name, "ours"), Path(name, "alone")
        alone.mkdir()
        shutil.copytree(REPOSITORY / "config", ours / "config")
        for _ in range(ROUNDS):
            few.append(plan_tasks(ours, 16))
            many.append(plan_tasks(ours, 64))
            bare.append(plan_bare(alone, many[-1].jobs))
    for one in (few[0], many[0], bare[0]):
        print(f"{one.jobs} jobs: {one.seconds:.1f} s, {one.megabytes:.0f} MB")
    jobs = many[0].jobs
    ratios = [a.seconds / b.seconds for a, b in zip(many, bare, strict=True)]
    powers = exponents(few[0].jobs, [p.seconds for p in few], jobs, [p.seconds for p in many])
    size = f"{jobs} jobs"
    return [
        value_row("dry run, time", "as many jobs of two bare rules", size, ratios, BARE),
        value_row("dry run, memory", f"{MEGABYTES:.0f} MB", size, [p.megabytes / MEGABYTES for p in many], 1.0),
        value_row("dry run, power of the number of jobs", "linear", size, powers, LINEAR),
    ]
