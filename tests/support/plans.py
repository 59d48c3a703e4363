"""Dry runs, and what they plan."""

from __future__ import annotations

import re

SOURCES = ("reversegen", "warmup", "warmup_failures", "seeds")


def planned(output: str) -> dict[str, int]:
    """The table of jobs that a dry run prints first."""
    table = output.split("Job stats:")[1].split("total")[0]
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


def errors(output: str) -> list[str]:
    """The lines of bad input. Raises AssertionError if Snakemake adds a traceback or the place in a rule."""
    assert "Traceback" not in output, output
    assert " in rule " not in output, output
    return [line for line in output.splitlines() if line.startswith("error: ")]


NOWHERE = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_TOKEN": "", "OPENAI_API_KEY": "", "CUDA_VISIBLE_DEVICES": ""}
