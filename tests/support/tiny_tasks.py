"""Tasks whose models are trained on the spot, made smaller."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.workflows import Workflow, new_workflow


def with_tiny_model(folder: Path, tiny_model: Path) -> Workflow:
    """A new workflow with the tiny model trained already."""
    workflow = new_workflow(folder)
    shutil.copytree(tiny_model, folder / "results/models")
    return workflow
