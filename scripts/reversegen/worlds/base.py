"""The interface of a world, and one of its questions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from reversegen.config.data import Corpus
from reversegen.core.records import Verdict


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


class ExactVerdict(NamedTuple):
    """The verdict of a world's exact policy on an answer."""

    verdict: Verdict
    detail: str
    """The reason of the verdict, without the text of the answer."""


@dataclass(frozen=True)
class World:
    """One world as functions. Each world is one module or package that fills in this class."""

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
    """All accepted names of a question's answer; the first is the one that a solution uses. None if answers have one name."""
    named: Callable[[str, str], Sequence[str]] | None = None
    """(question, response) to the canonical names of all possible answers of the question's type that the response names, in
    order, each once. None if the world cannot tell."""
    subject: Callable[[str], Sequence[str]] | None = None
    """All names of what a question is about; empty for a text that is no question. None if the world cannot tell."""
    verdict: Callable[[str, str], ExactVerdict | None] | None = None
    """(question, response) to the verdict of the world's exact policy; None for texts that are not of the world. None if the
    world has no policy."""
    entities: Callable[[str], frozenset[str]] | None = None
    """The held-out units that a text names by any of their names. None if only whole questions are held out."""
    system_text: Callable[[str], str] | None = None
    """The system text under which an instruction is answered, whatever its text. None if the world has no system texts."""
    table: Path | None = None
    """The file that the world is read from, which a rule makes. None for an invented world."""
    credit: str | None = None
    """Whose data it is, as the licence of the data asks to say. None for an invented world."""


def question_type(text: str, worlds: Iterable[World]) -> str | None:
    """The type of a question, from the first world that recognises it; None if no world does."""
    return next(filter(None, (world.type_of(text) for world in worlds)), None)


def canonical_form(text: str, worlds: Iterable[World]) -> str | None:
    """The canonical form of a question, from the first world that recognises it; None if no world does."""
    return next(filter(None, (world.canonical(text) for world in worlds)), None)


def named_entities(text: str, worlds: Iterable[World]) -> frozenset[str]:
    """The held-out units that a text names, in all worlds that know units."""
    return frozenset[str]().union(*(world.entities(text) for world in worlds if world.entities))
