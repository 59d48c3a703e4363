"""The kinds of task, by the name that a task's `kind` gives.

Nothing is imported before a kind is opened: whatever imports `kinds.answers` runs this module too.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reversegen.config.load import KindUse, Task
    from reversegen.kinds.base import Kind

KINDS = {
    "honesty": "reversegen.kinds.honesty",
    "math": "reversegen.kinds.math",
    "safety": "reversegen.kinds.safety",
}
"""The module of each kind; its `open_kind` takes the use that a task makes of the kind, and the task's worlds of that kind."""


def kind_use(task: Task) -> KindUse:
    """What a stage must know of a task's kind: another kind's settings rerun nothing."""
    from reversegen.config.load import KindUse
    from reversegen.worlds import worlds_of

    settings = {name: getattr(task, name) for name in ("honesty", "safety") if name == task.kind}
    return KindUse(name=task.kind, worlds=worlds_of(task), **settings)


def open_kind(use: KindUse) -> Kind:
    """The kind of a task, with its settings and what its worlds know. Raises BadInput for a kind that there is not."""
    from reversegen.core.errors import BadInput
    from reversegen.worlds import WORLDS

    if use.name not in KINDS:
        raise BadInput(f"kind: {use.name!r} is none of {', '.join(sorted(KINDS))}")
    worlds = [WORLDS[name] for name in use.worlds if WORLDS[name].kind == use.name]
    kind: Kind = import_module(KINDS[use.name]).open_kind(use, worlds)
    return kind


def check_kind(task: Task, place: str) -> None:
    """Raise BadInput, with the place that names it, for a kind that there is not, or what does not go with it."""
    from reversegen.core.errors import BadInput
    from reversegen.worlds import SOLVERS

    try:
        kind = open_kind(kind_use(task))
    except BadInput as error:
        raise BadInput(f"{place}{error}") from None
    if (solved := SOLVERS.get(task.teacher, task.kind)) != task.kind:
        raise BadInput(f"{place}teacher: {task.teacher} solves questions of the kind {solved} alone")
    for name, source in task.data.tests.items():
        if source.measures not in kind.measures:
            raise BadInput(
                f"{place}data.tests.{name}.measures: {source.measures} is nothing that the kind {task.kind} measures; it "
                f"has {', '.join(kind.measures)}"
            )
