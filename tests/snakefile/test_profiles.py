"""The changes after which Snakemake reruns a job, with the default profile alone and below another one."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.support.warm_python import warm_python
from tests.support.workflows import REPOSITORY, Workflow

TARGET = "results/tiny-math/tests/test.jsonl"


@pytest.fixture
def checkout(tmp_path: Path) -> Workflow:
    """A copy of a clone, in which Snakemake is started."""
    for name in ("Snakefile", "config", "envs", "profiles", "resources", "rules", "scripts", "slurm"):
        source = REPOSITORY / name
        ignored = shutil.ignore_patterns("downloads", "__pycache__")
        shutil.copy(source, tmp_path) if source.is_file() else shutil.copytree(source, tmp_path / name, ignore=ignored)
    return Workflow(tmp_path)


def run(checkout: Workflow, *words: str) -> str:
    command = [warm_python(), "-m", "snakemake", "--cores", "1", *words, "--", TARGET]
    environment = {name: value for name, value in os.environ.items() if name != "SNAKEMAKE_PROFILE"}
    done = subprocess.run(command, cwd=checkout.folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
def test_times_of_scripts_rerun_nothing_and_new_params_rerun_a_rule(checkout: Workflow) -> None:
    others = [["--profile", "profiles/workstation"]]
    if importlib.util.find_spec("snakemake_executor_plugin_slurm"):
        others.append(["--profile", "slurm"])
    run(checkout)
    for script in (checkout.folder / "scripts").glob("*.py"):
        script.touch()
    for profile in ([], *others):
        assert "Nothing to be done" in run(checkout, "-n", *profile)
    assert "Code has changed" in run(checkout, "-n", "--workflow-profile", "none")
    script = checkout.folder / "scripts/build_tests.py"
    text = script.read_text()
    script.write_text(text + "\nADDED = 1\n")
    assert "Params have changed" in run(checkout, "-n")  # the hash of its code
    script.write_text(text)
    assert "Nothing to be done" in run(checkout, "-n")
    checkout.write_task("tiny-math", {"data": {"tests": {"test": {"corpus": {"count": 7}}}}})
    assert "Params have changed" in run(checkout, "-n")


def test_profiles_hold_the_rerun_triggers_once() -> None:
    files = {path: yaml.safe_load(path.read_text()) for path in REPOSITORY.glob("profiles/*/*.yaml")}
    files |= {path: yaml.safe_load(path.read_text()) for path in [REPOSITORY / "slurm/config.yaml"]}
    with_triggers = {path.parent.name: list(keys) for path, keys in files.items() if "rerun-triggers" in keys}
    assert with_triggers == {"default": ["rerun-triggers"]}
    assert set(files[REPOSITORY / "profiles/default/config.yaml"]["rerun-triggers"]) == {
        "mtime", "params", "input", "software-env"
    }  # fmt: skip


def test_no_document_advises_to_replace_the_default_profile() -> None:
    """The Makefile replaces it to keep its announcement off the terminal; tests/test_makefile.py compares the triggers."""
    named = ("README.md", "CONTRIBUTING.md", "config/README.md", "results/README.md", "slurm/config.yaml")
    for path in [*(REPOSITORY / name for name in named), *(REPOSITORY / "docs").rglob("*.md")]:
        assert "--workflow-profile" not in path.read_text(), path
