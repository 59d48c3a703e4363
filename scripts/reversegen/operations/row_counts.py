"""The number of rows that a task will read: counted in files that exist, else taken from the configuration, else assumed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from reversegen.config.data import DataSource
from reversegen.config.paths import source_file
from reversegen.config.task import Task
from reversegen.core.data_files import read_rows
from reversegen.core.files import numbered_lines
from reversegen.core.records import Seed, stream_records
from reversegen.kinds.base import Kind
from reversegen.loop.seeds import read_source
from reversegen.workflow.environment import REPOSITORY


def seed_count(task: Task, assumed: int, folder: Path, kind: Kind) -> tuple[int, int]:
    """The number of seeds of a task, and of its training seeds: of seeds.jsonl if it exists, else of the data sources."""
    file = folder / "seeds.jsonl"
    if file.is_file():
        splits = Counter(seed.split for seed in stream_records(file, Seed))
        return splits.total(), splits["train"]
    count = sum(count_rows(name, source, assumed, kind) for name, source in task.data.seeds.items())
    return count, round(count * (1 - task.data.heldout_share))


def test_count(name: str, source: DataSource, assumed: int, folder: Path, kind: Kind) -> int:
    """The number of questions of a test set: of its file if it exists, else of its data source."""
    file = folder / "tests" / f"{name}.jsonl"
    return sum(1 for _ in numbered_lines(file)) if file.is_file() else count_rows(name, source, assumed, kind)


def count_rows(name: str, source: DataSource, assumed: int, kind: Kind) -> int:
    """The number of usable rows of a data source.

    It is the configured count of a corpus, the count of a file that exists, or `rows` of the source; else `assumed`.
    """
    if source.corpus:
        return source.corpus.count
    file = source_file(source)
    if file and file.is_file():
        return sum(1 for _ in read_source(name, source, file, kind))
    return source.rows or assumed


def labelled_count(task: Task, assumed: int) -> int:
    """The number of rows on which the judge is checked: those of its own sets, and of the one that ships."""
    sets = (task.data.judge or {"shipped": None}).values()
    return sum(_labelled_rows(source, task.kind, assumed) for source in sets)


def _labelled_rows(source: DataSource | None, kind: str, assumed: int) -> int:
    """The number of rows of a labelled set; None is the set that ships for the kind."""
    if source and source.corpus:
        return source.corpus.count
    file = source_file(source) if source else REPOSITORY / f"resources/judge/{kind}.jsonl"
    most = source.rows if source else None
    if file and file.is_file():
        count = sum(1 for _ in read_rows(file, None))
        return min(count, most or count)
    return most or assumed
