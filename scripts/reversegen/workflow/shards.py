"""The shards that a stage is cut into, and the rule that gathers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reversegen.config.workflow import Configuration
from reversegen.core.shards import WHOLE

if TYPE_CHECKING:
    from snakemake.iocontainers import Wildcards


def shard_of(_: Configuration, wildcards: Wildcards) -> str:
    """The shard of a file such as samples.2-of-8.jsonl; a file without one is whole."""
    return wildcards.shard.removeprefix(".") or WHOLE


def gathered_with(_: Configuration, wildcards: Wildcards) -> str | None:
    """The group of a gathered file: labels are gathered in the job that reads them first, all else is read by a model's job."""
    folder, _, file = wildcards.stem.rpartition("/")
    return f"{wildcards.task}.{folder}" if file == "labels" else None


def sharded_tasks(configuration: Configuration) -> str:
    """A pattern of the runs of tasks with several shards; if there is none, one that matches nothing."""
    names = [name for name, task in configuration.tasks.items() if task.shards > 1]
    return rf"({'|'.join(names)})(\.s(0|[1-9][0-9]*))?" if names else "(?!)"
