"""Functions of rules/shards.smk: the shards of a stage, and the rule that gathers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reversegen.config.workflow import Configuration
from reversegen.core.shards import WHOLE

if TYPE_CHECKING:
    from snakemake.iocontainers import Wildcards


def shard_of(_: Configuration, wildcards: Wildcards) -> str:
    """The shard in the name of a file such as samples.2-of-8.jsonl. A file without one has all items."""
    return wildcards.shard.removeprefix(".") or WHOLE


def gathered_with(_: Configuration, wildcards: Wildcards) -> str | None:
    """The group of a gathered file: labels are gathered in the job that reads them first. None for files that a model reads."""
    folder, _, file = wildcards.stem.rpartition("/")
    return f"{wildcards.task}.{folder}" if file == "labels" else None


def sharded_tasks(configuration: Configuration) -> str:
    """A pattern of the runs of tasks with several shards. It matches nothing if there are no such tasks."""
    names = [name for name, task in configuration.tasks.items() if task.shards > 1]
    return rf"({'|'.join(names)})(\.s(0|[1-9][0-9]*))?" if names else "(?!)"
