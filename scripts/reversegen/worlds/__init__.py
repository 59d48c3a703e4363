"""The invented worlds of the tiny tasks, by the name that a corpus gives."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from reversegen.config.data import Corpus
from reversegen.core.errors import BadInput
from reversegen.worlds import arithmetic, knowledge, policy
from reversegen.worlds.base import Example


@dataclass(frozen=True)
class World:
    """What the library asks of a world."""

    mixes: Collection[str]
    """How common each type of question may be, by name."""
    draw: Callable[[Corpus], list[Example]]
    """The questions of a corpus. Raises BadInput where there are fewer distinct ones than it asks for."""
    vocabulary: Callable[[], list[str]]
    """Every token of its questions, answers and prompts, in a fixed order."""
    solve: Callable[[str], str | None]
    """The exact answer to a question; None for any other text."""


WORLDS = {
    "arithmetic": World(arithmetic.MIXES, arithmetic.draw, arithmetic.vocabulary, arithmetic.solve),
    "knowledge": World(knowledge.EXPONENTS, knowledge.draw, knowledge.vocabulary, knowledge.solve),
    "policy": World(policy.MIXES, policy.draw, policy.vocabulary, policy.solve),
}


def draw_examples(corpus: Corpus) -> list[Example]:
    """The questions of a corpus. Raises BadInput for a mix that its world does not have, and as the world's `draw` does."""
    world = WORLDS[corpus.world]
    if corpus.mix not in world.mixes:
        raise BadInput(f"corpus: mix: {corpus.mix!r} is none of {', '.join(world.mixes)} of the world {corpus.world}")
    return world.draw(corpus)
