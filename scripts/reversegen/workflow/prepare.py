"""Functions of rules/prepare.smk: the files and settings of seeds and test sets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reversegen.config.data import DataSource
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.workflow.tasks import data_file, task_of

if TYPE_CHECKING:
    from snakemake.iocontainers import Wildcards


def seed_files(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The files of all seed sources."""
    return [file for source in task_of(configuration, wildcards).data.seeds.values() for file in data_file(source)]


def seed_sources(configuration: Configuration, wildcards: Wildcards) -> str:
    """The seed sources by name, as JSON."""
    sources = task_of(configuration, wildcards).data.seeds
    return json.dumps({name: source.model_dump(mode="json") for name, source in sources.items()})


def test_file(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The file of a test set. Empty for a corpus."""
    return data_file(_test_source(configuration, wildcards))


def test_source(configuration: Configuration, wildcards: Wildcards) -> str:
    """The data source of a test set, as JSON."""
    return _test_source(configuration, wildcards).model_dump_json()


def _test_source(configuration: Configuration, wildcards: Wildcards) -> DataSource:
    tests = task_of(configuration, wildcards).data.tests
    if wildcards.set not in tests:
        raise BadInput(f"task {wildcards.task} has no test set {wildcards.set!r}; use one of {', '.join(tests)}")
    return tests[wildcards.set]
