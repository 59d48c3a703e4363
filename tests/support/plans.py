"""Dry runs, and what they plan."""

from __future__ import annotations

import re

SOURCES = ("reversegen", "warmup", "warmup_failures", "seeds")


def planned(output: str) -> dict[str, int]:
    """The table of jobs that a dry run prints first."""
    table = output.split("Job stats:")[1].split("total")[0]
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


NOWHERE = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_TOKEN": "", "OPENAI_API_KEY": "", "CUDA_VISIBLE_DEVICES": ""}
