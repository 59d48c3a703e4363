"""The invented worlds of the tiny tasks, by the name that a corpus, or a task's teacher, gives."""

from __future__ import annotations

from reversegen.config.data import Corpus
from reversegen.config.task import Task
from reversegen.core.errors import BadInput
from reversegen.worlds import arithmetic, knowledge, policy
from reversegen.worlds.base import Example, World

WORLDS: dict[str, World] = {
    "arithmetic": arithmetic.WORLD,
    "knowledge": knowledge.WORLD,
    "policy": policy.WORLD,
}
SOLVERS = tuple(name for name, world in WORLDS.items() if world.teaches)
"""Teachers that are no models but the exact solver of a world."""


def worlds_of(task: Task) -> list[str]:
    """Names of the worlds that a task's questions are drawn from, and of the one that is its teacher; sorted."""
    sources = [*task.data.seeds.values(), *task.data.tests.values(), task.data.judge]
    return sorted({source.corpus.world for source in sources if source and source.corpus} | {task.teacher} & {*SOLVERS})


def draw_examples(corpus: Corpus) -> list[Example]:
    """The questions of a corpus. Raises BadInput for a mix that its world does not have, and as the world's `draw` does."""
    world = WORLDS[corpus.world]
    if corpus.mix not in world.mixes:
        raise BadInput(f"corpus: mix: {corpus.mix!r} is none of {', '.join(world.mixes)} of the world {corpus.world}")
    return world.draw(corpus)
