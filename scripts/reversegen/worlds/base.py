"""The interface of a world, and one of its questions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from reversegen.config.data import Corpus


@dataclass(frozen=True)
class Example:
    """A question with its answer."""

    question: str
    answer: str | None
    """The full answer of a well-behaved model; in a corpus for judges, the response to judge."""
    subject: str | None = None
    """The topic that all demonstrations of one prompt share; None if the world has no subjects."""
    verdict: Literal["failed", "passed"] | None = None
    """The true verdict on the response, in a corpus that judges are trained or checked on; None in any other corpus."""


@dataclass(frozen=True)
class World:
    """One invented world as functions. Each world is one module that fills in this class."""

    teaches: bool
    """Whether a task may name this world as its teacher: its solver then writes the references."""
    mixes: Collection[str]
    """The names of the mixes. A mix sets how common each type of question is."""
    draw: Callable[[Corpus], list[Example]]
    """The questions of a corpus. Raises BadInput if the corpus asks for more distinct questions than exist."""
    vocabulary: Callable[[], list[str]]
    """Every token of the world's questions, answers and prompts, in a fixed order."""
    solve: Callable[[str], str | None]
    """The exact answer to a question; None for any other text."""
    type_of: Callable[[str], str | None]
    """The type of a question; None for any other text."""
    canonical: Callable[[str], str | None]
    """One form for all questions that ask the same; None for any other text."""
    aliases: Callable[[str], Sequence[str]] | None = None
    """Question to all accepted names of its answer, of which a solution uses the first; empty for any other text."""
    named: Callable[[str, str], Sequence[str]] | None = None
    """(question, response) to the possible answers of the question's type that the response names, in order, each once.

    Each is the first of its aliases. Both functions are None for a world whose answers have one form."""


def question_type(text: str, worlds: Iterable[World]) -> str | None:
    """The type of a question, from the first world that recognises it; None if no world does."""
    return next(filter(None, (world.type_of(text) for world in worlds)), None)


def canonical_form(text: str, worlds: Iterable[World]) -> str | None:
    """The canonical form of a question, from the first world that recognises it; None if no world does."""
    return next(filter(None, (world.canonical(text) for world in worlds)), None)
