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
"""The allowed values of `judge.format`: the formats of generative judges, and `classifier` for a text classifier."""


def check_task(task: Task, models: Mapping[str, Model], place: str) -> None:
    """Raise BadInput, whose message begins with `place`, for an unknown judge format, and as `check_kind` does."""
    if task.judge and task.judge.format not in JUDGE_FORMATS:
        raise BadInput(
            f"{place}judge.format: unknown format {task.judge.format!r}; use one of {', '.join(JUDGE_FORMATS)}"
        )
    check_kind(task, models, place)


EXTENSIONS = Extensions(kinds=kind_settings(), worlds=WORLDS, solvers=SOLVERS, check=check_task)


def load_configuration(values: dict[str, Any], folder: Path) -> Configuration:
    """The configuration of `values`, which is config.yaml as Snakemake merged it, and of the other files of `folder`.

    Raises BadInput as `load` does.
    """
    return load(values, folder, EXTENSIONS)
