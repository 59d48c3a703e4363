"""Functions of rules/judge.smk: the judge's settings, and the labelled set on which it is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reversegen.config.data import DataSource
from reversegen.config.workflow import Configuration
from reversegen.workflow.tasks import UNDECIDING, data_file, kind_of, shipped, task_of

if TYPE_CHECKING:
    from snakemake.iocontainers import Wildcards


def judge_setting(configuration: Configuration, wildcards: Wildcards) -> str:
    """The settings of the judge that decide verdicts, as JSON. null for a task without a judge."""
    judge = task_of(configuration, wildcards).judge
    return judge.model_dump_json(exclude=UNDECIDING) if judge else "null"


def judge_file(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The file of the labelled set on which the judge is checked. Empty for a corpus."""
    return data_file(labelled_source(configuration, wildcards))


def judge_source(configuration: Configuration, wildcards: Wildcards) -> str:
    """The data source of the labelled set, as JSON."""
    return labelled_source(configuration, wildcards).model_dump_json()


def labelled_source(configuration: Configuration, wildcards: Wildcards) -> DataSource:
    """The labelled set of the task, or the set that ships for its kind."""
    task = task_of(configuration, wildcards)
    source: DataSource = DataSource.model_validate(
        {"file": shipped(f"resources/judge/{task.kind}.jsonl"), "licence": "Apache-2.0"}
    )
    return task.data.judge or source


def labelled_openings(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The labelled openings of answers that measure how well refusals are read. Empty for a kind that counts no refusals."""
    return [shipped("resources/judge/refusals.jsonl")] if kind_of(configuration, wildcards).refuses else []
