"""Checks of the files that people write, before the first job of a run."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reversegen import kinds
from reversegen.config.data import DataSource
from reversegen.config.paths import source_file
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.core.records import Label, Question, read_records
from reversegen.evaluation.audit import judged_rows, read_audit
from reversegen.loop.seeds import build_tests, clean_seeds, file_rows, read_labelled
from reversegen.workflow import judge, prepare
from reversegen.workflow.tasks import part_file, shipped, task_name, task_of

if TYPE_CHECKING:
    from snakemake.iocontainers import Wildcards

LARGEST = 8_000_000
"""Bytes of a data file that is checked whole, which takes a few seconds. Of a larger file the first rows are checked."""
FIRST_ROWS = 2_000


class FileChecks:
    """The files of people that a run reads, noted while Snakemake plans, so that each is checked before the first job.

    Snakemake removes the old outputs of a job before the job reads its inputs, so a typo that only the job finds would cost
    them. The checks are those of the jobs. A file that a rule has yet to download is checked by its job.
    """

    def __init__(self, configuration: Configuration, read_reported: Callable[[Path, str], object]) -> None:
        self.configuration = configuration
        self.read_reported = read_reported
        """`reporting.reported.read_reported`, which this folder cannot import."""
        self.noted: dict[Hashable, Callable[[], object]] = {}

    def seed_files(self, wildcards: Wildcards) -> list[str]:
        """`prepare.seed_files`, noted."""
        self.noted["seeds", task_name(wildcards)] = lambda: self._check_seeds(wildcards)
        return prepare.seed_files(self.configuration, wildcards)

    def test_file(self, wildcards: Wildcards) -> list[str]:
        """`prepare.test_file`, noted."""
        self.noted["tests", task_name(wildcards), wildcards.set] = lambda: self._check_tests(wildcards, wildcards.set)
        return prepare.test_file(self.configuration, wildcards)

    def labelled_files(self, wildcards: Wildcards) -> list[str]:
        """`judge.labelled_files`, noted."""
        for name, source in judge.labelled_sets(self.configuration, wildcards).items():
            file = source_file(source)
            if file and file.is_file():
                check_set = partial(self._check_labelled, name, source, file, wildcards)
                self.noted["judge", task_of(self.configuration, wildcards).kind, file] = check_set
        return judge.labelled_files(self.configuration, wildcards)

    def _check_labelled(self, name: str, source: DataSource, file: Path, wildcards: Wildcards) -> None:
        read_labelled(name, source, file, kinds.open_kind(kinds.kind_use(task_of(self.configuration, wildcards))))

    def audit_file(self, wildcards: Wildcards) -> str:
        """The audit of an iteration, noted."""
        file, labels = (part_file(self.configuration, f"{{arm}}/{n}")(wildcards) for n in ("audit.csv", "labels.jsonl"))
        self.noted["audit", file] = lambda: check_audit(Path(file), Path(labels))
        return file

    def reported_file(self, wildcards: Wildcards) -> str:
        """The file of the numbers that others published, noted for a table."""
        file = Path(shipped("resources/reported.csv"))
        self.noted["reported", wildcards.table] = lambda: self.read_reported(file, wildcards.table)
        return str(file)

    def check(self) -> None:
        """Check the noted files. Raises BadInput with a line for each that is faulty."""
        faults: dict[str, None] = {}
        for check_file in self.noted.values():
            try:
                check_file()
            except BadInput as error:
                faults[str(error)] = None
        if faults:
            raise BadInput("\n".join(faults))

    def _check_seeds(self, wildcards: Wildcards) -> None:
        task, tests = task_of(self.configuration, wildcards), []
        sources = self._check_first_rows(task.data.seeds, wildcards)
        for name in task.data.tests if sources else ():
            with contextlib.suppress(BadInput):  # the check of the tests reports it
                tests += self._check_tests(wildcards, name)
        if sources:
            files = {name: file for name, source in sources.items() if (file := source_file(source))}
            kind = kinds.open_kind(kinds.kind_use(task))
            clean_seeds(sources, files, tests, task.data.heldout_share, kind)

    def _check_tests(self, wildcards: Wildcards, name: str) -> list[Question]:
        task = task_of(self.configuration, wildcards)
        sources = self._check_first_rows({name: task.data.tests[name]}, wildcards)
        kind = kinds.open_kind(kinds.kind_use(task))
        return [q for n, source in sources.items() for q in build_tests(n, source, source_file(source), kind)]

    def _check_first_rows(self, sources: Mapping[str, DataSource], wildcards: Wildcards) -> dict[str, DataSource]:
        """Check the first rows of large files. Return the other sources whose file is here, which can be checked whole."""
        kind, small = kinds.open_kind(kinds.kind_use(task_of(self.configuration, wildcards))), {}
        for name, source in sources.items():
            file = source_file(source)
            if file is None or not file.is_file():
                continue
            if file.stat().st_size <= LARGEST:
                small[name] = source
                continue
            for _ in itertools.islice(file_rows(name, source, file, kind), FIRST_ROWS):
                pass
        return small


def check_audit(audit: Path, labels: Path) -> None:
    """Check an audit and the backup beside it, as their stages do. Missing files have no fault.

    Its rows are compared with labels that are older than it: newer ones have an audit of their own, which is yet to be written.
    Raises BadInput as `judged_rows` does.
    """
    backup = audit.with_name("audit.before.csv")
    if backup.is_file():
        read_audit(backup)
    if audit.is_file():
        if labels.is_file() and labels.stat().st_mtime <= audit.stat().st_mtime:
            judged_rows(audit, read_records(labels, Label))
        else:
            read_audit(audit)
