"""A job of a model: the amounts that it takes, and its files in the folder of a task."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path

from reversegen.engines.endpoint.call_log import calls_folder
from reversegen.models.memory import Batch
from reversegen.workflow.stages import SHARD


@dataclass(frozen=True)
class Amount:
    """The amounts that a job takes. An amount that is not known is None."""

    prompts: float | None = 0
    """Requests to a model, or training rows."""
    read: float | None = 0
    """Tokens of prompts."""
    written: float | None = 0
    """Tokens that are generated."""
    trained: float | None = 0
    """Tokens of training rows, over all epochs."""
    gpu_hours: float | None = 0
    calls: float | None = 0
    """Requests to an endpoint, retries included."""
    money: float | None = 0

    def __add__(self, other: Amount) -> Amount:
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Amount(*(None if a is None or b is None else a + b for a, b in pairs))

    def share(self, run: str) -> Amount:
        """The amount of one run of the job: an eighth for the shard `.2-of-8`; everything if the job has no shards."""
        parts = int(run.rpartition("-")[2] or 1)
        return Amount(*(None if a is None else a / parts for a in astuple(self)))

    def largest(self, other: Amount) -> Amount:
        """The larger number of each pair; if only one of them is known, that one."""
        return self._chosen(max, other)

    def smallest(self, other: Amount) -> Amount:
        """The smaller number of each pair; if only one of them is known, that one."""
        return self._chosen(min, other)

    def _chosen(self, choose: Callable[..., float | None], other: Amount) -> Amount:
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Amount(*(choose((n for n in pair if n is not None), default=None) for pair in pairs))

    def or_else(self, other: Amount) -> Amount:
        """These amounts, with those of `other` in place of unknown ones."""
        return Amount(*(b if a is None else a for a, b in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class Job:
    """A job that loads, asks or trains a model."""

    rule: str
    part: str
    """Its folder in the task's logs, such as iter0 or enhanced/seeds; empty for the task's own."""
    model: str
    output: str
    """The file or folder that it makes, relative to the task's folder."""
    amount: Amount
    """The planned amount of all its shards together."""
    why: str
    """The assumptions behind `amount`, in a few words."""
    shards: int = 1
    """The number of shards that Snakemake runs it as."""
    processes: int = 1
    """The number of processes of a distributed training; each has its own GPUs."""
    batch: Batch | None = None
    """The batch that it gives the model; None for a training."""
    assumed: bool = False
    """Whether its GPU-hours, and money for them, rest on a throughput that nobody has measured here."""

    def file(self, kind: str, suffix: str) -> Path:
        """Its log or another of its files, relative to the task's folder; `kind` is the folder, such as logs."""
        return Path(kind, self.part, f"{self.rule}{suffix}")

    def runs(self, folder: Path) -> list[str]:
        """The runs that have begun, by the infix of their file names: `.2-of-8` for a shard, empty if there are no shards."""
        output = folder / self.output
        files = [
            *(folder / "benchmarks" / self.part).glob(f"{self.rule}*"),
            *output.parent.glob(f"{output.stem}*.calls"),
        ]
        stem, suffix = re.escape(output.stem), re.escape(output.suffix)
        names = rf"{self.rule}({SHARD})\.(?:tsv|planned\.json)|{stem}({SHARD}){suffix}\.calls"
        matches = (re.fullmatch(names, file.name) for file in files)
        return sorted({match[1] or match[2] or "" for match in matches if match})

    def latest_runs(self, folder: Path) -> list[str]:
        """The runs of the latest number of shards. Another number makes everything again, so older runs do not count."""
        runs = self.runs(folder)

        def began(run: str) -> float:
            files = [folder / self.file("benchmarks", f"{run}.{end}") for end in ("planned.json", "tsv")]
            files.append(calls_folder(self.output_of(run, folder)))
            return next(file.stat().st_mtime for file in files if file.exists())

        number = max(runs, key=began, default="").rpartition("-of-")[2]
        return [run for run in runs if run.rpartition("-of-")[2] == number]

    def ended(self, folder: Path) -> int:
        """The number of the latest runs that have ended."""
        return sum((folder / self.file("benchmarks", f"{run}.tsv")).is_file() for run in self.latest_runs(folder))

    def output_of(self, run: str, folder: Path) -> Path:
        """The file that a run makes: the output or a shard of it."""
        whole = folder / self.output
        return whole.with_name(f"{whole.stem}{run}{whole.suffix}")
