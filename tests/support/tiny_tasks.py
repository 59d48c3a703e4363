"""Tasks whose models are trained on the spot, made smaller."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.support.workflows import Workflow, new_workflow

POLICIES: dict[str, Any] = {
    name: {"train": {"pretraining": {"steps": steps}}}
    for name, steps in (("tiny-policy", 250), ("tiny-policy-aligned", 200), ("tiny-policy-judge", 200))
}
"""The models of tiny-safety, trained for as few steps as leave failures to pair and a judge that is right."""


def with_tiny_model(folder: Path, tiny_model: Path) -> Workflow:
    """A new workflow with the tiny model trained already."""
    workflow = new_workflow(folder)
    shutil.copytree(tiny_model, folder / "results/models")
    return workflow


def with_tiny_policies(folder: Path, tiny_policies: Path) -> Workflow:
    """A new workflow with POLICIES trained already."""
    workflow = with_tiny_model(folder, tiny_policies)
    workflow.change_models(POLICIES)
    return workflow
