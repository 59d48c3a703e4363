"""The configuration with all kinds, worlds and judge formats of the library."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reversegen.config.judge_settings import CLASSIFIER, EXACT, Judge
from reversegen.config.load import Extensions, load
from reversegen.config.models import Model
from reversegen.config.task import Task
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.judges import JUDGES, reported_categories
from reversegen.kinds import check_kind, kind_settings, kind_use
from reversegen.worlds import SOLVERS, WORLDS, worlds_of

JUDGE_FORMATS = (*JUDGES, CLASSIFIER, EXACT)
"""The allowed values of `judge.format`: the formats of generative judges, `classifier` for a text classifier, and `exact`."""


def check_task(task: Task, models: Mapping[str, Model], place: str) -> None:
    """Raise BadInput, whose message begins with `place`, for a judge as `_check_judge` does, and as `check_kind` does."""
    for judge in task.judges:
        assert task.judge is not None
        key = f"{place}{task.judge.key(judge.name)}"
        _check_judge(judge, models[judge.model] if judge.model else None, key)
        if judge.format == EXACT and not any(WORLDS[name].verdict for name in worlds_of(task)):
            able = ", ".join(name for name, world in WORLDS.items() if world.verdict)
            raise BadInput(
                f"{key}.format: exact needs a world with an exact policy, and no data of this task is drawn from one; draw "
                f"data from such a world ({able}), or use another format"
            )
    for judge in task.judge.members if task.judge else []:
        _check_types(task, judge, place)
    check_kind(task, models, place)


def _check_judge(judge: Judge, model: Model | None, key: str) -> None:
    """Refuse an unknown format, a setting that the format does not read, and a model whose thought it has no room for.

    `key` is the beginning of the message, with the key that holds the judge.
    """
    if judge.format not in JUDGE_FORMATS:
        raise BadInput(f"{key}.format: unknown format {judge.format!r}; use one of {', '.join(JUDGE_FORMATS)}")
    form = JUDGES.get(judge.format)
    for setting in sorted({key for each in JUDGES.values() for key in each.settings}):
        if getattr(judge, setting) is not None and not (form and setting in form.settings):
            readers = ", ".join(name for name, each in JUDGES.items() if setting in each.settings)
            raise BadInput(
                f"{key}.{setting}: the format {judge.format} does not read it; remove it, or use a format that does: "
                f"{readers}"
            )
    if model and model.thinks and not (form and form.instructs):
        instructing = ", ".join(name for name, each in JUDGES.items() if each.instructs)
        raise BadInput(
            f"{key}: {judge.model} thinks before it answers, and the format {judge.format} has no room for a thought; "
            f"set `thinking: {{enabled: false}}` for this model, or use one of {instructing}"
        )


def _check_types(task: Task, judge: Judge, place: str) -> None:
    """Refuse `pairs.same_type` if only failing instructions have a type: the category that the judge reports of the answer."""
    if task.pairs.same_type and reported_categories(judge.format) and not kind_use(task).worlds:
        raise BadInput(
            f"{place}pairs.same_type: the type of an instruction is the category that the format {judge.format} reports, and "
            "an instruction that the target passed has none, so no pair has one type on both sides; remove same_type, or set "
            "pairs.equal_types"
        )


EXTENSIONS = Extensions(kinds=kind_settings(), worlds=WORLDS, solvers=SOLVERS, check=check_task)


def load_configuration(values: dict[str, Any], folder: Path) -> Configuration:
    """The configuration of `values`, which is config.yaml as Snakemake merged it, and of the other files of `folder`.

    Raises BadInput as `load` does.
    """
    return load(values, folder, EXTENSIONS)
