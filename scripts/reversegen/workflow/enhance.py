"""Functions of rules/enhance.smk: judgements of references, and a target that can be trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.core.sources import SOURCES
from reversegen.workflow.arms import of_warmup_and_trained
from reversegen.workflow.roles import is_endpoint, role_folder
from reversegen.workflow.tasks import task_of

if TYPE_CHECKING:
    from snakemake.iocontainers import Wildcards


def judged_references(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The judgements of all references, judge by judge. Empty for a kind whose verdicts need no judge."""
    judge = task_of(configuration, wildcards).judge
    names = [member.name for member in judge.members] if judge else []
    by_judge = (of_warmup_and_trained(configuration, f"reference_judgements/{name}.jsonl")(wildcards) for name in names)
    return [file for files in by_judge for file in files]


def trainable_target(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The folder of the target. Raises BadInput for an endpoint, which cannot be enhanced."""
    if is_endpoint(configuration, "target", wildcards):
        raise BadInput(
            f"task {wildcards.task}: target: an endpoint cannot be fine-tuned; name a hub id or folder, or ask only for files "
            "of iterations"
        )
    return role_folder(configuration, "target")(wildcards)


def of_sources(configuration: Configuration, file: str) -> Callable[[Wildcards], list[str]]:
    """A file of every enhancement source, such as enhanced/seeds/eval.json. Empty for an endpoint, which cannot be enhanced."""

    def find(wildcards: Wildcards) -> list[str]:
        sources = () if is_endpoint(configuration, "target", wildcards) else SOURCES
        return [f"enhanced/{source}/{file}" for source in sources]

    return find
