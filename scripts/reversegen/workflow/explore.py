"""Functions of rules/explore.smk: embeddings, and whether a collapsed proposer stops the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reversegen.config import paths
from reversegen.config.workflow import Configuration
from reversegen.workflow.roles import model_name
from reversegen.workflow.tasks import part_file, task_of

if TYPE_CHECKING:
    from snakemake.iocontainers import Wildcards


def embedding_files(
    configuration: Configuration, *files: Callable[[Wildcards], str | list[str]]
) -> Callable[[Wildcards], list[str]]:
    """The files of embeddings that the functions `files` give. Empty if the task has no embedding model."""

    def find(wildcards: Wildcards) -> list[str]:
        if task_of(configuration, wildcards).embedding is None:
            return []
        listed = [file(wildcards) for file in files]
        return [path for paths in listed for path in ([paths] if isinstance(paths, str) else paths)]

    return find


def test_embeddings(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The embeddings of every test set."""
    names = task_of(configuration, wildcards).data.tests
    return [part_file(configuration, f"tests/{name}.embeddings.npy")(wildcards) for name in names]


def embedding_cache(configuration: Configuration, wildcards: Wildcards) -> str:
    """The file that caches the vectors of this model for all tasks."""
    return str(paths.embedding_cache(model_name(configuration, "embedding", wildcards) or ""))


def embedding_settings(configuration: Configuration, wildcards: Wildcards) -> str:
    """The task's section `embedding` as JSON, null if it has none."""
    embedding = task_of(configuration, wildcards).embedding
    return embedding.model_dump_json() if embedding else "null"


def stops_on_collapse(configuration: Configuration, wildcards: Wildcards) -> bool:
    """Whether the run ends before the next DPO if the proposer has collapsed."""
    return task_of(configuration, wildcards).alarm.action == "stop"
