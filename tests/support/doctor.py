"""Helpers of the doctor's tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from tests.support.workflows import Workflow

from reversegen.config.workflow import Configuration
from reversegen.workflow.configuration import load_configuration


def configuration(workflow: Workflow) -> Configuration:
    content = yaml.safe_load((workflow.folder / "config/config.yaml").read_text())
    return load_configuration(content, workflow.folder / "config")


def states(findings: Any) -> list[tuple[str, str]]:
    return [(finding.subject, finding.state) for finding in findings]


def write_command(place: Path, name: str, body: str) -> None:
    (place / name).write_text(f"#!/bin/sh\n{body}\n")
    (place / name).chmod(0o755)
