"""Functions of rules/judge.smk: the judge's settings, and the labelled sets on which it is checked."""

from __future__ import annotations

import json
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


def labelled_files(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The files of the labelled sets on which the judge is checked, without those of corpora, in the order of the sets."""
    return [file for source in labelled_sets(configuration, wildcards).values() for file in data_file(source)]


def labelled_sources(configuration: Configuration, wildcards: Wildcards) -> str:
    """The data sources of the labelled sets by name, as JSON."""
    sources = labelled_sets(configuration, wildcards)
    return json.dumps({name: source.model_dump(mode="json") for name, source in sources.items()})


def labelled_sets(configuration: Configuration, wildcards: Wildcards) -> dict[str, DataSource]:
    """The labelled sets of the task by name. Null, and a name with null, is the set that ships for its kind."""
    task = task_of(configuration, wildcards)
    ships: DataSource = DataSource.model_validate(
        {"file": shipped(f"resources/judge/{task.kind}.jsonl"), "licence": "Apache-2.0"}
    )
    return {name: source or ships for name, source in (task.data.judge or {"shipped": None}).items()}


def labelled_openings(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The labelled openings of answers that measure how well refusals are read. Empty for a kind that counts no refusals."""
    return [shipped("resources/judge/refusals.jsonl")] if kind_of(configuration, wildcards).refuses else []
