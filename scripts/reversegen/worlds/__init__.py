"""The worlds that questions are drawn from, by the name that a corpus or a task's teacher gives."""

from __future__ import annotations

from reversegen.config.data import Corpus
from reversegen.config.task import Task
from reversegen.core.errors import BadInput
from reversegen.worlds import arithmetic, knowledge, policy
from reversegen.worlds.base import Example, World
from reversegen.worlds.confidentiality import leakage
from reversegen.worlds.facts import real_facts

WORLDS: dict[str, World] = {
    "arithmetic": arithmetic.WORLD,
    "confidentiality": leakage.WORLD,
    "facts": real_facts.WORLD,
    "knowledge": knowledge.WORLD,
    "policy": policy.WORLD,
}
SOLVERS = tuple(name for name, world in WORLDS.items() if world.teaches)
"""Teachers that are the exact solver of a world instead of a model."""


def worlds_of(task: Task) -> list[str]:
    """The sorted names of a task's worlds: those that its questions come from, and its teacher if that is a world."""
    sources = [*task.data.seeds.values(), *task.data.tests.values(), *task.data.labelled_sets]
    return sorted({source.corpus.world for source in sources if source.corpus} | {task.teacher} & {*SOLVERS})


def draw_examples(corpus: Corpus) -> list[Example]:
    """The questions of a corpus.

    Raises BadInput if the world lacks the mix of the corpus, and as the world's `draw` does.
    """
    world = WORLDS[corpus.world]
    if corpus.mix not in world.mixes:
        mixes = ", ".join(world.mixes)
        raise BadInput(f"corpus: mix: the world {corpus.world} has no mix {corpus.mix!r}; choose one of {mixes}")
    return world.draw(corpus)


def describe(name: str) -> str:
    """A world in words, with the credit that the licence of its data asks for."""
    credit = WORLDS[name].credit
    return f"the world {name} ({credit})" if credit else f"the invented world {name}"
