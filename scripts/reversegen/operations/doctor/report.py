"""All checks of the doctor, and their findings as text.

Nothing is submitted, downloaded or run on a GPU. Every call of SLURM, the hub or an interpreter has a time limit, since
SLURM's commands wait for minutes if its controller is down.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from reversegen.config.load import read_yaml
from reversegen.operations.doctor.cluster import check_slurm
from reversegen.operations.doctor.conversations import check_conversations
from reversegen.operations.doctor.disk import check_disk
from reversegen.operations.doctor.environments import check_environments, check_vllm
from reversegen.operations.doctor.file_system import check_file_system
from reversegen.operations.doctor.finding import Finding
from reversegen.operations.doctor.hub import check_hub, check_keys
from reversegen.operations.doctor.limits import check_memory, check_times
from reversegen.operations.doctor.packages import check_packages
from reversegen.operations.doctor.profile import check_overrides, check_profile
from reversegen.workflow.configuration import load_configuration

STATES = ("ok", "skipped", "warning", "stops")
"""The states in the order in which findings are shown."""


def examine(name: str, place: Path | None, folder: Path) -> list[Finding]:
    """The findings on a run of a task in `folder` with the profile in `place`. They take a minute at most.

    Raises BadInput if the task is unknown or `folder/config` cannot be read.
    """
    content = read_yaml(folder / "config/config.yaml")
    configuration = load_configuration(content, folder / "config")
    configuration.task(name)
    findings, profile = check_profile(place)
    if profile:
        refused, configuration = check_overrides(content, configuration, profile, folder / "config")
        findings += refused
    checks: list[Callable[[], Iterable[Finding]]] = [
        lambda: check_hub(name, configuration, folder),
        lambda: check_packages(name, configuration, folder),
        lambda: check_conversations(name, configuration, profile, folder),
        lambda: check_keys(name, configuration, os.environ),
        lambda: check_disk(name, configuration, folder, shutil.disk_usage(folder).free),
        lambda: check_memory(name, configuration, folder),
        lambda: check_times(name, configuration, folder / "results"),
        lambda: check_environments(name, configuration, profile),
        lambda: check_vllm(name, configuration, profile),
        lambda: check_file_system(folder / "results"),
    ]
    if profile and profile.keys.executor == "slurm":
        checks.append(lambda: check_slurm(name, configuration, profile))
    with ThreadPoolExecutor(len(checks)) as pool:
        checked = pool.map(lambda check: list(check()), checks)
        return [*findings, *(finding for part in checked for finding in part)]


def report_text(name: str, findings: Iterable[Finding]) -> str:
    """Every finding on lines of at most a screen's width, the worst last, and how many would stop a run."""
    ordered = sorted(findings, key=lambda finding: STATES.index(finding.state))
    counts = Counter(finding.state for finding in ordered)
    end = f"Nothing would stop a run of {name}."
    if counts["stops"]:
        noun = "finding" if counts["stops"] == 1 else "findings"
        end = f"{counts['stops']} {noun} would stop a run of {name}. Each is marked `stops` above, with its fix."
    return "\n".join([*map(str, ordered), "", end])
