"""The kinds of task, by name: a task names one of them as its `kind`.

This module imports a kind only when it is opened, because every import of `kinds.answers` runs this module too.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from reversegen.config.fields import Section
    from reversegen.config.models import Model
    from reversegen.config.task import KindUse, Task
    from reversegen.core.metric import MetricDescription
    from reversegen.kinds.base import Kind

KINDS = {
    "factual": "reversegen.kinds.factual",
    "honesty": "reversegen.kinds.honesty",
    "math": "reversegen.kinds.math",
    "safety": "reversegen.kinds.safety",
}
"""The module of each kind. Its `open_kind` takes a `KindUse` and the task's worlds. `SETTINGS` is the class of the task's
section with the kind's name, or None. `METRICS` lists the metrics of a target."""


def kind_modules() -> dict[str, ModuleType]:
    """The modules of all kinds."""
    return {name: import_module(module) for name, module in KINDS.items()}


def kind_settings() -> dict[str, type[Section] | None]:
    """The class of each kind's settings; None for a kind without settings."""
    return {name: module.SETTINGS for name, module in kind_modules().items()}


def kind_use(task: Task) -> KindUse:
    """What a stage needs to know about a task's kind, without the settings of other kinds: changing those reruns nothing."""
    from reversegen.config.task import KindUse
    from reversegen.worlds import worlds_of

    settings = {name: getattr(task, name) for name in task.kind_sections if name == task.kind}
    return KindUse(name=task.kind, worlds=worlds_of(task), **settings)


def open_kind(use: KindUse) -> Kind:
    """The kind of a task, with its settings and worlds. Raises BadInput for an unknown kind."""
    from reversegen.core.errors import BadInput
    from reversegen.worlds import WORLDS
    from reversegen.worlds.base import named_entities

    if use.name not in KINDS:
        raise BadInput(f"kind: unknown kind {use.name!r}; choose one of {', '.join(sorted(KINDS))}")
    worlds = [WORLDS[name] for name in use.worlds]
    kind: Kind = import_module(KINDS[use.name]).open_kind(use, worlds)
    if any(world.entities for world in worlds):
        kind = replace(kind, entities=partial(named_entities, worlds=worlds))
    for system_text in (world.system_text for world in worlds if world.system_text):
        kind = with_system_texts(replace(kind, system_text=system_text))
    return kind


def with_system_texts(kind: Kind) -> Kind:
    """The kind, which asks and teaches each instruction under the system text that a world gives it."""
    return replace(
        kind,
        target_messages=lambda text, system: kind.target_messages(text, kind.system_for(text, system)),
        enhancement_row=lambda text, reference, verdict, system: kind.enhancement_row(
            text, reference, verdict, kind.system_for(text, system)
        ),
        replay_row=lambda text, response, system: kind.replay_row(text, response, kind.system_for(text, system)),
    )


def target_metrics(kind: str) -> tuple[MetricDescription, ...]:
    """The metrics of targets of a kind, in the order of columns; for an unknown kind, the metrics that all kinds share."""
    from reversegen.kinds.base import ACCURACY, RETAINED

    metrics: tuple[MetricDescription, ...] = (
        import_module(KINDS[kind]).METRICS if kind in KINDS else (ACCURACY, RETAINED)
    )
    return metrics


def check_kind(task: Task, models: Mapping[str, Model], place: str) -> None:
    """Raise BadInput if a task's kind is unknown or the task does not fit it. The message begins with `place`."""
    from reversegen.core.errors import BadInput
    from reversegen.worlds import SOLVERS

    try:
        kind = open_kind(kind_use(task))
    except BadInput as error:
        raise BadInput(f"{place}{error}") from None
    if kind.needs_judge and task.judge is None:
        raise BadInput(f"{place}judge: missing; the kind {task.kind} needs a judge model, so add the section `judge`")
    if task.judge and not kind.needs_judge:
        raise BadInput(f"{place}judge: the kind {task.kind} decides without a judge; remove the section `judge`")
    if kind.system_text and (kind.choice or kind.sampled):
        raise BadInput(
            f"{place}data: a world with system texts cannot serve the kind {task.kind}; use it with the kind safety, or draw "
            "the questions from another world"
        )
    if kind.choice and models[task.target].endpoint:
        raise BadInput(
            f"{place}target: {task.target} is an endpoint, which gives no probabilities of options; name a model with a hub "
            "id or a folder"
        )
    if kind.choice and models[task.target].thinks:
        raise BadInput(
            f"{place}target: {task.target} thinks before it answers, so its options have no probability of their own; set "
            "`thinking: {enabled: false}` for this model"
        )
    seed_worlds = {source.corpus.world for source in task.data.seeds.values() if source.corpus}
    if task.teacher in SOLVERS and task.teacher not in seed_worlds:
        raise BadInput(
            f"{place}teacher: {task.teacher} solves only questions of its own world, and data.seeds has no questions of "
            "that world; add them or name another teacher"
        )
    for name, source in task.data.tests.items():
        if source.measures not in kind.measures:
            raise BadInput(
                f"{place}data.tests.{name}.measures: the kind {task.kind} has no metric {source.measures}; choose one of "
                f"{', '.join(kind.measures)}"
            )
