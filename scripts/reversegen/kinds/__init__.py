"""The kinds of task, by the name that a task's `kind` gives."""

from collections.abc import Mapping
from types import ModuleType

from reversegen.config.fields import Section
from reversegen.config.models import Model
from reversegen.config.task import KindUse, Task
from reversegen.core.errors import BadInput
from reversegen.core.metric import MetricDescription
from reversegen.kinds.base import ACCURACY, RETAINED, Kind
from reversegen.worlds import SOLVERS


def kind_modules() -> dict[str, ModuleType]:
    """The module of each kind: `open_kind` takes the use that a task makes of it, `SETTINGS` is the class of the task's section
    that is named after it, or None."""
    from reversegen.kinds import honesty, math, safety  # here, since `kinds.answers` is used without any kind

    return {"honesty": honesty, "math": math, "safety": safety}


def kind_settings() -> dict[str, type[Section] | None]:
    """The class of each kind's settings; None for a kind without any."""
    return {name: module.SETTINGS for name, module in kind_modules().items()}


def open_kind(use: KindUse) -> Kind:
    """The kind of a task, with its settings. Raises BadInput for a kind that there is not."""
    modules = kind_modules()
    if use.name not in modules:
        raise BadInput(f"kind: {use.name!r} is none of {', '.join(sorted(modules))}")
    kind: Kind = modules[use.name].open_kind(use)
    return kind


def target_metrics(kind: str) -> tuple[MetricDescription, ...]:
    """What is measured of targets of a kind, in the order of columns; the shared metrics for results of an unknown kind."""
    modules = kind_modules()
    metrics: tuple[MetricDescription, ...] = modules[kind].METRICS if kind in modules else (ACCURACY, RETAINED)
    return metrics


def check_kind(task: Task, models: Mapping[str, Model], place: str) -> None:
    """Raise BadInput, with the place that names it, for a kind that there is not, or what does not go with it."""
    try:
        kind = open_kind(task.kind_use)
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
    if (solved := SOLVERS.get(task.teacher, task.kind)) != task.kind:
        raise BadInput(f"{place}teacher: {task.teacher} solves questions of the kind {solved} alone")
    for name, source in task.data.tests.items():
        if source.measures not in kind.measures:
            raise BadInput(
                f"{place}data.tests.{name}.measures: {source.measures} is nothing that the kind {task.kind} measures; it "
                f"has {', '.join(kind.measures)}"
            )
