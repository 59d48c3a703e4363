"""The interpreters of the environments, and their packages."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import yaml

from reversegen.config.workflow import Configuration
from reversegen.operations.doctor.finding import Finding, ask
from reversegen.operations.slurm_profile import Profile
from reversegen.workflow.environment import REPOSITORY

ENVIRONMENT_PROBE = """
import importlib.metadata as metadata, json, sys

versions = {}
for name in json.load(sys.stdin):
    try:
        versions[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        versions[name] = None
print(json.dumps([list(sys.version_info[:2]), versions]))
"""


def check_environments(configuration: Configuration, profile: Profile | None) -> Iterable[Finding]:
    """Check whether each interpreter has the pinned packages of envs/; if conda deploys them, whether conda is installed."""
    if profile and "conda" in profile.keys.software_deployment_method:
        conda = next((name for name in ("mamba", "conda") if shutil.which(name)), None)
        if conda:
            yield Finding("environments", "ok", f"{conda} will create them")
        else:
            yield Finding(
                "environments", "stops", "the profile deploys with conda, which is not installed", "install miniforge"
            )
        return
    essential = {line.partition("==")[0] for line in (REPOSITORY / "requirements.txt").read_text().splitlines()}
    for name, python in sorted(configuration.workflow.python.items()):
        content = yaml.safe_load((REPOSITORY / "envs" / f"{name}.yaml").read_text())
        [pip] = [part["pip"] for part in content["dependencies"] if isinstance(part, dict)]
        yield _interpreter(name, python, dict(line.split("==") for line in pip), essential)


def search_path() -> str:
    """The PATH on which the interpreter of a rule is looked up: the folder of this interpreter first."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def _interpreter(name: str, python: str, pins: dict[str, str], essential: set[str]) -> Finding:
    """Check one interpreter. A missing package that only some tasks need, such as vLLM, is a warning."""
    program = shutil.which(python, path=search_path())
    fix = (
        f"name its interpreter under python: in config/config.yaml, or install the pip part of envs/{name}.yaml into it"
    )
    if program is None:
        return Finding("environments", "stops", f"{name}: there is no interpreter {python}", fix)
    try:
        version, packages = json.loads(ask([program, "-c", ENVIRONMENT_PROBE], text=json.dumps(list(pins))).stdout)
    except (ValueError, OSError):
        return Finding("environments", "stops", f"{name}: {program} does not answer as a Python interpreter does", fix)
    missing = sorted(package for package, has in packages.items() if has is None)
    others = sorted(f"{p} {has}" for p, has in packages.items() if has and has.partition("+")[0] != pins[p])
    if tuple(version) < (3, 11):
        return Finding(
            "environments",
            "stops",
            f"{name}: {program} is Python {version[0]}.{version[1]}, older than 3.11",
            fix,
        )
    if lacks := [package for package in missing if package in essential]:
        return Finding("environments", "stops", f"{name}: {program} lacks {', '.join(lacks)}", fix)
    if missing or others:
        parts = [f"lacks {', '.join(missing)}, which some tasks need"] if missing else []
        parts += [f"has {', '.join(others)}, and envs/{name}.yaml pins other versions"] if others else []
        return Finding("environments", "warning", f"{name}: {program} {'; '.join(parts)}", fix)
    return Finding("environments", "ok", f"{name}: {program}")
