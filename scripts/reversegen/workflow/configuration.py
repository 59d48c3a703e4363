"""The configuration with all kinds, worlds and judge formats of the library."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reversegen.config.load import Extensions, load
from reversegen.config.models import Model
from reversegen.config.task import Task
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.judges import JUDGES
from reversegen.kinds import check_kind, kind_settings
from reversegen.worlds import SOLVERS, WORLDS

JUDGE_FORMATS = (*JUDGES, "classifier")
"""What `judge.format` of a task may be: a format of a generative judge, or a text classifier, which has labels instead."""


def check_task(task: Task, models: Mapping[str, Model], place: str) -> None:
    """Raise BadInput, with the place that names it, for a judge format that there is not, and as `check_kind` does."""
    if task.judge and task.judge.format not in JUDGE_FORMATS:
        raise BadInput(f"{place}judge.format: {task.judge.format!r} is none of {', '.join(JUDGE_FORMATS)}")
    check_kind(task, models, place)


EXTENSIONS = Extensions(kinds=kind_settings(), worlds=WORLDS, solvers=SOLVERS, check=check_task)


def load_configuration(values: dict[str, Any], folder: Path) -> Configuration:
    """The content of config.yaml, as Snakemake merged it, and the other files of `folder`; raises BadInput as `load` does."""
    return load(values, folder, EXTENSIONS)
