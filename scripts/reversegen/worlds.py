"""The invented worlds of the tiny tasks, by the name that a corpus gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reversegen import arithmetic, knowledge, policy
from reversegen.configuration import Corpus
from reversegen.world import Example


@dataclass(frozen=True)
class World:
    """What the library asks of a world."""

    draw: Callable[[Corpus], list[Example]]
    """The questions of a corpus. Raises BadInput for a mix it does not have, or more distinct ones than there are."""
    vocabulary: Callable[[], list[str]]
    """Every token of its questions, answers and prompts, in a fixed order."""
    solve: Callable[[str], str | None]
    """The exact answer to a question; None for any other text."""


WORLDS = {
    "arithmetic": World(arithmetic.draw, arithmetic.vocabulary, arithmetic.solve),
    "knowledge": World(knowledge.draw, knowledge.vocabulary, knowledge.solve),
    "policy": World(policy.draw, policy.vocabulary, policy.solve),
}
