"""The kinds of task, by the name that a task's `kind` gives."""

from reversegen.config.load import SOLVERS
from reversegen.config.task import KindUse, Task
from reversegen.core.errors import BadInput
from reversegen.core.metric import MetricDescription
from reversegen.kinds.base import ACCURACY, RETAINED, Kind


def open_kind(use: KindUse) -> Kind:
    """The kind of a task, with its settings. Raises BadInput for a kind that there is not."""
    from reversegen.kinds import honesty, math, safety  # here, since `kinds.answers` is used without any kind

    kinds = {
        "honesty": honesty.open_kind,
        "math": math.open_kind,
        "safety": safety.open_kind,
    }
    if use.name not in kinds:
        raise BadInput(f"kind: {use.name!r} is none of {', '.join(sorted(kinds))}")
    return kinds[use.name](use)


def target_metrics(kind: str) -> tuple[MetricDescription, ...]:
    """What is measured of targets of a kind, in the order of columns; the shared metrics for results of an unknown kind."""
    from reversegen.kinds import honesty, math, safety

    metrics = {"honesty": honesty.METRICS, "math": math.METRICS, "safety": safety.METRICS}
    return metrics.get(kind, (ACCURACY, RETAINED))


def check_kind(task: Task, place: str) -> None:
    """Raise BadInput, with the place that names it, for a kind that there is not, or what does not go with it."""
    try:
        kind = open_kind(task.kind_use)
    except BadInput as error:
        raise BadInput(f"{place}{error}") from None
    if (own := SOLVERS.get(task.teacher, task.kind)) != task.kind:
        raise BadInput(f"{place}teacher: {task.teacher} solves questions of the kind {own} alone")
    for name, source in task.data.tests.items():
        if source.measures not in kind.measures:
            raise BadInput(
                f"{place}data.tests.{name}.measures: {source.measures} is nothing that the kind {task.kind} measures; it "
                f"has {', '.join(kind.measures)}"
            )
