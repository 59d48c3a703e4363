"""A folder of its own for each test that runs the workflow, and the public data files where they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock
from tests.support.workflows import REPOSITORY, Workflow, new_workflow


@pytest.fixture
def workflow(tmp_path: Path) -> Workflow:
    return new_workflow(tmp_path)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: whoever waits for a subprocess leaves its core to the others."""
    return (os.cpu_count() or 1) + 1


LONGEST = (
    "offline",
    "slurm",
    "workflow",
    "kinds_run",
    "saving_real",
    "vllm",
    "plans",
    "semantic_workflow",
    "launcher",
    "tables_workflow",
    "hub",
)
"""Files of tests that take minutes, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: the last file to end then is a short one."""
    places = {f"test_{name}.py": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """results/models with the tiny model of the shipped configuration, trained once for the tests of all processes."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder if worker_id == "master" else folder.parent) / "model"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            done = new_workflow(folder).run("results/models/tiny-arithmetic")
            assert done.returncode == 0, done.stdout
    return folder / "results/models"


@pytest.fixture(scope="session")
def vllm_python() -> str:
    """The interpreter that has vLLM, which is none of ours."""
    python = os.environ.get("REVERSEGEN_VLLM_PYTHON") or str(REPOSITORY / ".venv-vllm/bin/python")
    if not Path(python).is_file():
        pytest.skip(f"vLLM is not installed: no {python}; REVERSEGEN_VLLM_PYTHON names an interpreter that has it")
    return python


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = Path(os.environ.get("REVERSEGEN_DATA", REPOSITORY / "../shared/data"))
    if not (folder / "math/gsm8k_train.jsonl").is_file():
        pytest.skip(f"the public data files are not at {folder}; REVERSEGEN_DATA names another place")
    return folder.resolve()
