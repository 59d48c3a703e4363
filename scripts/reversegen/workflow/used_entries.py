"""The kinds, judge formats, engines and worlds that a job uses. Its code hash covers only these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reversegen.config.models import Model
from reversegen.config.task import Task
from reversegen.engines import engine_name
from reversegen.worlds import worlds_of


@dataclass(frozen=True)
class UsedEntries:
    """The used names of each façade's dictionary. A name without an entry, such as the format `classifier`, has no own code."""

    engines: frozenset[str] = frozenset()
    judges: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    worlds: frozenset[str] = frozenset()


def entries_of_tasks(tasks: Iterable[Task], models: Mapping[str, Model]) -> UsedEntries:
    """The entries that the jobs of some tasks use: kinds, judges, worlds, and the engines of all models."""
    engines, judges, kinds, worlds = set[str](), set[str](), set[str](), set[str]()
    for task in tasks:
        names = [task.proposer, task.target, task.teacher, *task.transfer]
        names += [judge.model for judge in task.judges if judge.model]
        judges.update(judge.format for judge in task.judges)
        engines |= {engine_name(models[name]) for name in names if name in models}
        kinds.add(task.kind)
        worlds.update(worlds_of(task))
    return UsedEntries(*map(frozenset, (engines, judges, kinds, worlds)))


def entries_of_model(model: Model) -> UsedEntries:
    """The entries that the rules which make a model use: the world of a tiny model."""
    return UsedEntries(worlds=frozenset([model.train.corpus.world] if model.train else []))
