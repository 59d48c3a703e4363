"""The kinds of task, by the name that a task's `kind` gives."""

from collections.abc import Callable

from reversegen.configuration import KindUse
from reversegen.errors import BadInput
from reversegen.kind import Kind
from reversegen.kinds import honesty, math, safety

KINDS: dict[str, Callable[[KindUse], Kind]] = {
    "honesty": honesty.open_kind,
    "math": math.open_kind,
    "safety": safety.open_kind,
}


def open_kind(use: KindUse, place: str = "") -> Kind:
    """The kind of a task, with its settings. Raises BadInput for a kind that there is not, with the place that names it."""
    if use.name not in KINDS:
        raise BadInput(f"{place}kind: {use.name!r} is none of {', '.join(sorted(KINDS))}")
    return KINDS[use.name](use)
