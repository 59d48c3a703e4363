"""The kinds of task, by the name that a task's `kind` gives."""

from collections.abc import Callable

from reversegen.configuration import KindUse
from reversegen.kind import Kind
from reversegen.kinds import honesty, math, safety

KINDS: dict[str, Callable[[KindUse], Kind]] = {
    "honesty": honesty.open_kind,
    "math": math.open_kind,
    "safety": safety.open_kind,
}


def open_kind(use: KindUse) -> Kind:
    """The kind of a task, with its settings."""
    return KINDS[use.name](use)
