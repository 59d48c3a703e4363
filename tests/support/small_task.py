"""A small task whose plan can be counted by hand, and the files of jobs that started or ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from tests.support.workflows import Workflow

from reversegen.config.workflow import Configuration
from reversegen.operations.job import Job
from reversegen.workflow.configuration import load_configuration

ENDPOINT = {"base_url": "https://api.example.org/v1", "model": "m", "api_key_env": "REVERSEGEN_TEST_KEY"}
PRICES = {
    "currency": "EUR",
    "date": "2026-01-31",
    "gpu_hour": 2.0,
    "endpoints": {"api": {"read": 0.5, "written": 4.0}},
}
SPEED = {"8b": {"read": 1000.0, "written": 100.0, "trained": 50.0}}
SMALL: dict[str, Any] = {
    "target": "llama3-8b-instruct",
    "teacher": "api",
    "iterations": 1,
    "prompts": {"train": 30, "heldout": 10},
    "sampling": {"samples_per_prompt": 5, "max_new_tokens": 50},
    "responses": {"max_new_tokens": 80},
    "references": {"system": "Answer in a box.", "max_new_tokens": 200, "samples": 3, "agreeing": 2},
    "transfer": [],
}


def configured(workflow: Workflow, **changes: Any) -> Configuration:
    """The configuration of a workflow's folder, with other `costs`."""
    content = yaml.safe_load((workflow.folder / "config/config.yaml").read_text())
    content["costs"] |= changes
    return load_configuration(content, workflow.folder / "config")


def small_configuration(small: Workflow, **budget: float) -> Configuration:
    small.write_task("small", {**SMALL, "budget": budget}, base="tiny-math")
    return configured(small, question_tokens=20, throughput=SPEED, prices=PRICES)


def job(jobs: list[Job], rule: str, part: str) -> Job:
    return next(job for job in jobs if (job.rule, job.part) == (rule, part))


def write_lines(path: Path, rows: list[dict[str, Any]], end: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + end)


def finish(folder: Path, job: Job, seconds: float) -> None:
    """Write the benchmark of a job as Snakemake does."""
    path = folder / job.file("benchmarks", ".tsv")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:00\t1.0\n")
