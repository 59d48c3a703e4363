"""The profile of a run: whether Snakemake can read it, and the configuration that it overrides."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reversegen.config.load import merge
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.operations.doctor.finding import Finding
from reversegen.operations.slurm_profile import Profile, read_profile
from reversegen.workflow.configuration import load_configuration


def check_profile(place: Path | None) -> tuple[list[Finding], Profile | None]:
    """The findings on the profile of a folder, and the profile; None if there is none or it cannot be read."""
    if place is None:
        return [Finding("profile", "skipped", "no profile is given, so jobs run on this machine")], None
    try:
        profile = read_profile(place)
    except BadInput as error:
        return [Finding("profile", "stops", str(error), "correct it; docs/cluster.md explains profiles")], None
    executor = profile.keys.executor
    module = f"snakemake_executor_plugin_{executor.replace('-', '_')}"
    if executor != "local" and importlib.util.find_spec(module) is None:
        fix = f"install snakemake-executor-plugin-{executor} beside Snakemake"
        return [Finding("profile", "stops", f"{profile.file}: executor {executor}: not installed", fix)], None
    return [Finding("profile", "ok", f"{profile.file}, executor {executor}")], profile


def check_overrides(
    content: Mapping[str, Any], configuration: Configuration, profile: Profile, folder: Path
) -> tuple[list[Finding], Configuration]:
    """The findings on the `config` of a profile, and the configuration that it overrides."""
    try:
        return [], load_configuration(merge(dict(content), profile.keys.overrides), folder)
    except BadInput as error:
        text = f"{profile.file}: config: {str(error).removeprefix(f'{folder}/config.yaml: ')}"
        finding = Finding("profile", "stops", text, "correct it; the comments of config/config.yaml explain the key")
        return [finding], configuration
