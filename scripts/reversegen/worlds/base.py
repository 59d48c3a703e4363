"""What a world must answer, and what a question of one is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from reversegen.config.data import Corpus


@dataclass(frozen=True)
class Example:
    """A question with what belongs to it."""

    question: str
    answer: str | None
    """The full answer of a well-behaved model, or the response that a judge is to judge."""
    subject: str | None = None
    """What the demonstrations of one prompt share; None if the world has no subjects."""
    verdict: Literal["failed", "passed"] | None = None
    """What the response is, in a corpus that judges are trained or checked on."""


@dataclass(frozen=True)
class World:
    """One invented world as functions. A world is one module that fills this and nothing else."""

    teaches: bool
    """Whether a task may name it as its teacher: its solver then writes the references."""
    mixes: Collection[str]
    """How common each type of question may be, by name."""
    draw: Callable[[Corpus], list[Example]]
    """The questions of a corpus. Raises BadInput if there are fewer distinct ones than it asks for."""
    vocabulary: Callable[[], list[str]]
    """Every token of its questions, answers and prompts, in a fixed order."""
    solve: Callable[[str], str | None]
    """The exact answer to a question; None for any other text."""
    type_of: Callable[[str], str | None]
    """The type of a question; None for any other text."""
    canonical: Callable[[str], str | None]
    """The form that all questions share which ask the same; None for any other text."""


def question_type(text: str, worlds: Iterable[World]) -> str | None:
    """The type that the first of the worlds that knows a question gives it; None for a question of none of them."""
    return next(filter(None, (world.type_of(text) for world in worlds)), None)


def canonical_form(text: str, worlds: Iterable[World]) -> str | None:
    """The canonical form of a question, as `question_type` finds its type."""
    return next(filter(None, (world.canonical(text) for world in worlds)), None)
