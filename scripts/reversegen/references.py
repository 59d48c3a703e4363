"""Trusted answers: by an exact solver, or by a labeller model (see `generation`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from reversegen import arithmetic
from reversegen.kind import Kind
from reversegen.records import Reference

SOLVERS: dict[str, Callable[[str], str | None]] = {"arithmetic": arithmetic.solve}
"""Labellers that are no models: from an instruction to its solution, or None where it has none."""


def solve(questions: Iterable[tuple[str, str]], labeller: str, kind: Kind) -> list[Reference]:
    """References by a solver for (id, instruction) pairs. Raises KeyError for a labeller that is not in SOLVERS."""
    return [reference(identity, SOLVERS[labeller](text), labeller, kind) for identity, text in questions]


def reference(identity: str, solution: str | None, labeller: str, kind: Kind, *, finished: bool = True) -> Reference:
    """The record of one solution; invalid where there is none, it was cut off, or it has no final answer in strict form."""
    answer = kind.read_reference(solution) if solution is not None and finished else None
    invalid = None
    if answer is None:
        invalid = "not answerable" if solution is None else "no final answer" if finished else "cut off"
    return Reference(instruction_id=identity, answer=answer, solution=solution, labeller=labeller, invalid=invalid)
