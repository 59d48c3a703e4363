"""The small task of the tests of plans and budgets."""

from __future__ import annotations

import pytest
from tests.support.small_task import ENDPOINT, SMALL
from tests.support.workflows import Workflow


@pytest.fixture
def small(workflow: Workflow) -> Workflow:
    """Its large models run by transformers, because this machine may have no vLLM."""
    path = workflow.folder / "config/config.yaml"
    path.write_text(path.read_text().replace("\nengine: null\n", "\nengine: transformers\n"))
    workflow.change_models({"api": {"endpoint": ENDPOINT, "size": "tiny"}})
    workflow.write_task("small", SMALL, base="tiny-math")
    return workflow
