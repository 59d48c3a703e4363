"""Workflows in folders of their own, with the shipped configuration and a micro task."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil
import yaml
from tests.support.warm_python import warm_python

from reversegen.config.load import task_file

REPOSITORY = Path(__file__).parents[2]
PYTHON = Path(sys.executable)

MICRO: dict[str, Any] = {  # the task tiny-math, as small as it can be with failures and passes to pair
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
        """Write config/tasks/NAME.yaml: the file of the task `base` with `changes` merged into it.

        `data` replaces the data of `base` before that.
        """
        tasks = self.folder / "config/tasks"
        content = yaml.safe_load(task_file(tasks, base).read_text())
        if data:
            content["data"] = data
        (tasks / f"{name}.yaml").write_text(yaml.safe_dump(merged(content, changes)))

    def change_models(self, changes: dict[str, Any]) -> None:
        """Merge changes into config/models.yaml."""
        path = self.folder / "config/models.yaml"
        path.write_text(yaml.safe_dump(merged(yaml.safe_load(path.read_text()), changes)))

    def command(self, *words: str) -> list[str]:
        """The command line of Snakemake on two cores."""
        snakefile = str(REPOSITORY / "Snakefile")
        return [str(PYTHON), "-m", "snakemake", "--snakefile", snakefile, "--cores", "2", *words]

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start Snakemake in a new interpreter, so that it can be killed with its jobs, which are warm.

        The file `out` gets the output.
        """
        places = ", ".join(f"{name}: {warm_python()}" for name in ("base", "generate", "text", "train", "report"))
        command = self.command(*words, "--config", f"python={{{places}}}")
        with (self.folder / "out").open("w") as out:
            return subprocess.Popen(command, cwd=self.folder, stdout=out, stderr=out)

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake to its end by the warm Python; standard error is merged into standard output."""
        return subprocess.run(
            [warm_python(), *self.command(*words)[1:]],
            cwd=self.folder,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
        )

    def hashes(self) -> dict[str, str]:
        """SHA-256 of each result. Logs, benchmarks, Snakemake's own files and caches of vectors depend on killed jobs."""
        folder = self.folder / "results"
        return {
            str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
            and path.name != ".snakemake_timestamp"
            and not {"logs", "benchmarks"} & set(path.parts)
            and path.parent.suffix != ".embeddings"
        }


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL Snakemake and everything that it started."""
    children = psutil.Process(process.pid).children(recursive=True)
    for one in [psutil.Process(process.pid), *children]:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    process.wait()
    psutil.wait_procs(children, timeout=10)


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    result = dict(one)
    for key, value in other.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


def new_workflow(folder: Path) -> Workflow:
    """A copy of the configuration in a new folder, with the task `micro` added."""
    shutil.copytree(REPOSITORY / "config", folder / "config")
    workflow = Workflow(folder)
    workflow.write_task("micro", MICRO)
    return workflow
