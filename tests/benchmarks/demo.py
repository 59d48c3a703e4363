"""Time and memory of the demo after set-up, in total and by rule.

The whole task `tiny-math` runs in an empty folder on two cores, as by `make demo`. Memory is the largest sum of the
proportional set sizes of Snakemake and all its children, sampled twice a second. The time by rule comes from the rules' own
benchmark files, and processor time and memory by rule from the jobs' logs.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import psutil

from reversegen.operations.resource_usage import EndedJob, read_jobs

REPOSITORY = Path(__file__).parents[2]
SECONDS, MEGABYTES = 200.0, 2000.0
"""What a demo may take on two idle cores with AVX-512."""


def measure() -> list[dict[str, Any]]:
    """Run the demo once. A row's ratio is the measured value over the allowed one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(REPOSITORY / "config", folder / "config")
        words = [sys.executable, "-m", "reversegen.operations.warm_python", "-s", str(REPOSITORY / "Snakefile"), "-c2"]
        targets = ["results/tiny-math/table.md", "results/tiny-math/report.html"]
        start = time.perf_counter()
        loop = ["--prioritize", "train_proposer"]  # like `make demo`: the longest chain first
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts")}
        process = subprocess.Popen([*words, "--quiet", "all", *loop, "--", *targets], cwd=folder, env=environment)
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, _memory(psutil.Process(process.pid)))
            time.sleep(0.5)
        seconds = time.perf_counter() - start
        if process.returncode:
            sys.exit("the demo failed; its output above names the job")
        _print_rules(folder / "results")
    return [_row("demo, time", seconds, SECONDS, "seconds"), _row("demo, memory", peak, MEGABYTES, "MB")]


def _memory(process: psutil.Process) -> float:
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_full_info().pss / 1e6
        except psutil.NoSuchProcess:
            continue
    return total


def _print_rules(results: Path) -> None:
    """Print number of jobs, seconds, processor seconds and largest memory of each rule, the slowest first."""
    rules: dict[str, list[EndedJob]] = defaultdict(list)
    for folder in (results / "tiny-math/benchmarks", results / "models/benchmarks"):
        for job in read_jobs(folder):
            rules[job.rule].append(job)
    print(f"{'rule':24} {'jobs':>4} {'seconds':>8} {'processor':>9} {'max MB':>7}")
    for name, jobs in sorted(rules.items(), key=lambda item: -sum(job.seconds for job in item[1])):
        seconds, processor = sum(job.seconds for job in jobs), sum(job.cpu_seconds or 0 for job in jobs)
        peak = max(job.peak_mb or 0 for job in jobs)
        print(f"{name:24} {len(jobs):4} {seconds:8.1f} {processor:9.1f} {peak:7.0f}")


def _row(name: str, measured: float, allowed: float, unit: str) -> dict[str, Any]:
    ratio = round(measured / allowed, 3)
    return {
        "name": name,
        "against": f"{allowed:.0f} {unit}",
        "size": f"{measured:.0f} {unit}",
        "ratio": ratio,
        "low": ratio,
        "high": ratio,
        "bar": 1.0,
        "holds": ratio <= 1.0,
    }
