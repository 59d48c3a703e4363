"""Functions of rules/worlds.smk, and the tables of worlds that the stages of a task read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reversegen.config.paths import FACTS_TABLE
from reversegen.config.workflow import Configuration
from reversegen.config.world_files import FACTS_FILES
from reversegen.workflow.tasks import task_of
from reversegen.workflow.used_entries import entries_of_model
from reversegen.worlds import WORLDS, worlds_of

if TYPE_CHECKING:
    from snakemake.iocontainers import Wildcards

__all__ = ["FACTS_TABLE", "facts_files", "fetched_world_files", "world_tables"]


def facts_files() -> dict[str, str]:
    """The packages' files of the world `facts`, by the input of its rule."""
    return {name: str(file.place) for name, file in FACTS_FILES.items()}


def world_tables(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The tables of the worlds that a task or a tiny model uses. Empty for invented worlds."""
    if getattr(wildcards, "task", None):
        names = worlds_of(task_of(configuration, wildcards))
    else:
        names = sorted(entries_of_model(configuration.models[wildcards.model]).worlds)
    return [str(table) for name in names if (table := WORLDS[name].table)]


def fetched_world_files(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The packages' files of the worlds that a task uses."""
    return list(facts_files().values()) if str(FACTS_TABLE) in world_tables(configuration, wildcards) else []
