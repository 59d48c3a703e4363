"""The doctor checks interpreters and the file system for what the stages need."""

from __future__ import annotations

import re
import shutil
import sys
import time
from pathlib import Path

import pytest
from tests.support.doctor import configuration, states, write_command
from tests.support.workflows import Workflow

from reversegen.operations.doctor import environments, file_system
from reversegen.operations.slurm_profile import Keys, Profile


@pytest.mark.parametrize("package", ["sentencepiece", "protobuf"])
def test_an_interpreter_without_what_reads_a_tokenizer_is_found(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    """The check of that environment finds it; `base` and `report` open no tokenizer and need no such package."""
    probe = environments.ENVIRONMENT_PROBE.replace(
        "version(package)", f"version(package.replace({package!r}, 'no-such-package'))"
    )
    monkeypatch.setattr(environments, "ENVIRONMENT_PROBE", probe)
    found = list(environments.check_environments("tiny-math", configuration(workflow), None))
    lacking = {f.text.split(":")[0] for f in found if f"lacks {package}" in f.text or f", {package}" in f.text}
    assert lacking == {"generate", "text", "train"}
    assert all(f.fix for f in found if f.text.split(":")[0] in lacking)


def test_interpreters_are_compared_with_the_pins_of_their_environments(workflow: Workflow, tmp_path: Path) -> None:
    pins = {"pydantic": {"2.14.3"}, "no-such-package": {"1.0"}}
    here = sys.executable
    assert environments._interpreter("base", here, {"pydantic": pins["pydantic"]}, set(pins)).state == "ok"
    lacks = environments._interpreter("base", here, pins, {"pydantic"})
    assert (lacks.state, "lacks no-such-package, which this task needs" in lacks.text) == ("warning", True)
    assert environments._interpreter("base", here, pins, set(pins)).state == "stops"
    older = environments._interpreter("base", here, {"pydantic": {"1.0"}}, set(pins))
    either = environments._interpreter("base", here, {"pydantic": {"1.0", "2.14.3"}}, set(pins))
    assert (older.state, "has pydantic 2.14.3, and envs/base.yaml pins other versions" in older.text) == (
        "warning",
        True,
    )
    assert either.state == "ok"
    assert "no interpreter" in environments._interpreter("base", str(tmp_path / "none"), pins, set()).text
    write_command(tmp_path, "junk", "echo hello")
    assert "does not answer as a Python" in environments._interpreter("base", str(tmp_path / "junk"), pins, set()).text


@pytest.mark.parametrize(
    ("task", "gpu", "lacking"),
    [
        ("tiny-math", 0, set()),
        ("tiny-math-vllm", 0, {"vllm"}),
        ("math", 0, {"faiss-cpu or faiss-gpu", "openvino", "sentence-transformers", "vllm"}),
        ("math", 1, {"faiss-gpu", "openvino", "sentence-transformers", "vllm"}),
    ],
)
def test_a_task_is_warned_of_packages_that_it_uses_alone(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch, task: str, gpu: int, lacking: set[str]
) -> None:
    """The embedding model of `math` asks for the GPUs of its size."""
    shipped = configuration(workflow)
    embedding = shipped.task("math").embedding
    assert embedding
    size = shipped.models[embedding.model].size
    sizes = {**shipped.workflow.sizes, size: shipped.workflow.sizes[size].model_copy(update={"gpu": gpu})}
    changed = shipped.model_copy(update={"workflow": shipped.workflow.model_copy(update={"sizes": sizes})})
    optional = {"vllm", "faiss-cpu", "faiss-gpu", "openvino", "sentence-transformers"}
    probe = environments.ENVIRONMENT_PROBE.replace(
        "version(package)", f"version('no-such-package' if package in {optional} else package)"
    )
    monkeypatch.setattr(environments, "ENVIRONMENT_PROBE", probe)
    texts = [finding.text for finding in environments.check_environments(task, changed, None)]
    lists = [re.search("lacks (.*), which this task needs", text) for text in texts]
    assert {name for match in lists if match for name in match[1].split(", ")} == lacking


def test_a_package_of_another_version_than_vllm_needs_serves_a_task_without_vllm(workflow: Workflow) -> None:
    pins, installed = {"vllm": "0.32.0", "numpy": "2.3.5"}, {"numpy": "2.4.6"}
    shipped = configuration(workflow)
    assert environments.needed_packages("tiny-math", shipped, pins, installed) == {"numpy": {"2.3.5", "2.4.6"}}
    assert environments.needed_packages("tiny-math-vllm", shipped, pins, installed) == {
        "vllm": {"0.32.0"},
        "numpy": {"2.3.5"},
    }


def test_the_deployment_by_conda_needs_conda(
    workflow: Workflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = Profile(tmp_path, Keys.model_validate({"software-deployment-method": ["conda"]}), [])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert states(environments.check_environments("tiny-math", configuration(workflow), profile)) == [
        ("environments", "stops")
    ]
    write_command(tmp_path, "conda", "true")
    assert states(environments.check_environments("tiny-math", configuration(workflow), profile)) == [
        ("environments", "ok")
    ]


def test_a_file_system_without_atomic_renames_or_locks_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert states(file_system.check_file_system(tmp_path)) == [("file system", "ok"), ("locks", "ok")]
    rename = Path.replace

    def copy(self: Path, target: Path) -> Path:
        """A rename on a file system without atomic renames."""
        if self.is_dir():
            return rename(self, target)
        target.unlink(missing_ok=True)
        time.sleep(0.001)
        shutil.copyfile(self, target)
        return target

    monkeypatch.setattr(Path, "replace", copy)
    monkeypatch.setattr(file_system.fcntl, "flock", lambda *_: None)  # the lock is granted and excludes nobody
    assert states(file_system.check_file_system(tmp_path)) == [("file system", "stops"), ("locks", "warning")]
    assert list(tmp_path.iterdir()) == []
