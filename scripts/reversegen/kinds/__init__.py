"""The kinds of task, by the name that a task's `kind` gives.

Nothing is imported before a kind is opened: whatever imports `kinds.answers` runs this module too.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from reversegen.config.fields import Section
    from reversegen.config.models import Model
    from reversegen.config.task import KindUse, Task
    from reversegen.core.metric import MetricDescription
    from reversegen.kinds.base import Kind

KINDS = {
    "honesty": "reversegen.kinds.honesty",
    "math": "reversegen.kinds.math",
    "safety": "reversegen.kinds.safety",
}
"""The module of each kind. Its `open_kind` takes the use that a task makes of it and the task's worlds. `SETTINGS`
is the class of the task's section that is named after it, or None, and `METRICS` is what is measured of targets."""


def kind_modules() -> dict[str, ModuleType]:
    """The modules of all kinds."""
    return {name: import_module(module) for name, module in KINDS.items()}


def kind_settings() -> dict[str, type[Section] | None]:
    """The class of each kind's settings; None for a kind without any."""
    return {name: module.SETTINGS for name, module in kind_modules().items()}


def kind_use(task: Task) -> KindUse:
    """What a stage must know of a task's kind: another kind's settings rerun nothing."""
    from reversegen.config.task import KindUse
    from reversegen.worlds import worlds_of

    settings = {name: getattr(task, name) for name in task.kind_sections if name == task.kind}
    return KindUse(name=task.kind, worlds=worlds_of(task), **settings)


def open_kind(use: KindUse) -> Kind:
    """The kind of a task, with its settings and what its worlds know. Raises BadInput for a kind that there is not."""
    from reversegen.core.errors import BadInput
    from reversegen.worlds import WORLDS

    if use.name not in KINDS:
        raise BadInput(f"kind: {use.name!r} is none of {', '.join(sorted(KINDS))}")
    kind: Kind = import_module(KINDS[use.name]).open_kind(use, [WORLDS[name] for name in use.worlds])
    return kind


def target_metrics(kind: str) -> tuple[MetricDescription, ...]:
    """What is measured of targets of a kind, in the order of columns; the shared metrics for results of an unknown kind."""
    from reversegen.kinds.base import ACCURACY, RETAINED

    metrics: tuple[MetricDescription, ...] = (
        import_module(KINDS[kind]).METRICS if kind in KINDS else (ACCURACY, RETAINED)
    )
    return metrics


def check_kind(task: Task, models: Mapping[str, Model], place: str) -> None:
    """Raise BadInput, with the place that names it, for a kind that there is not, or what does not go with it."""
    from reversegen.core.errors import BadInput
    from reversegen.worlds import SOLVERS

    try:
        kind = open_kind(kind_use(task))
    except BadInput as error:
        raise BadInput(f"{place}{error}") from None
    if kind.needs_judge and task.judge is None:
        raise BadInput(f"{place}judge: the kind {task.kind} needs one")
    if kind.choice and models[task.target].endpoint:
        raise BadInput(
            f"{place}target: {task.target} is an endpoint, which gives no probabilities of options; name a hub id or folder"
        )
    if kind.choice and models[task.target].thinks:
        raise BadInput(
            f"{place}target: {task.target} thinks before it answers, so its options have no probability of their own; set "
            "its `thinking: {enabled: false}`"
        )
    drawn = {source.corpus.world for source in task.data.seeds.values() if source.corpus}
    if task.teacher in SOLVERS and task.teacher not in drawn:
        raise BadInput(
            f"{place}teacher: {task.teacher} solves questions of its own world alone, and data.seeds draws none of them"
        )
    for name, source in task.data.tests.items():
        if source.measures not in kind.measures:
            raise BadInput(
                f"{place}data.tests.{name}.measures: {source.measures} is nothing that the kind {task.kind} measures; it "
                f"has {', '.join(kind.measures)}"
            )
