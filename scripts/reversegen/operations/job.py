"""A job of a stage: what it takes, and which files of a run are its own."""

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
    """What a job takes; None if nothing can be said."""

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
        """That of a run: one of eight for the shard .2-of-8, all where there are none."""
        parts = int(run.rpartition("-")[2] or 1)
        return Amount(*(None if a is None else a / parts for a in astuple(self)))

    def largest(self, other: Amount) -> Amount:
        """The larger of each, as far as either says something."""
        return self._chosen(max, other)

    def smallest(self, other: Amount) -> Amount:
        """The smaller of each, as far as either says something."""
        return self._chosen(min, other)

    def _chosen(self, choose: Callable[..., float | None], other: Amount) -> Amount:
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Amount(*(choose((n for n in pair if n is not None), default=None) for pair in pairs))

    def or_else(self, other: Amount) -> Amount:
        """`other` where this says nothing."""
        return Amount(*(b if a is None else a for a, b in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class Job:
    """A job that runs, asks or trains a model."""

    rule: str
    part: str
    """Its folder in the task's logs, such as iter0 or enhanced/seeds; empty for the task's own."""
    model: str
    output: str
    """What it makes, below the task's folder."""
    amount: Amount
    """What it is planned to take, all its shards together."""
    why: str
    """What that rests on."""
    shards: int = 1
    """How many jobs it is cut into."""
    processes: int = 1
    """How many it runs as, each on GPUs of its own."""
    batch: Batch | None = None
    """What it gives the model at once; None for a training."""

    def file(self, kind: str, suffix: str) -> Path:
        """Its log, or another file of its own, below the task's folder."""
        return Path(kind, self.part, f"{self.rule}{suffix}")

    def runs(self, folder: Path) -> list[str]:
        """What the names of its files have before their endings: nothing, or a shard such as .2-of-8 for each that began."""
        output = folder / self.output
        files = [
            *(folder / "benchmarks" / self.part).glob(f"{self.rule}*"),
            *output.parent.glob(f"{output.stem}*.calls"),
        ]
        names = rf"{self.rule}({SHARD})\.(?:tsv|planned\.json)|{output.stem}({SHARD}){re.escape(output.suffix)}\.calls"
        matches = (re.fullmatch(names, file.name) for file in files)
        return sorted({match[1] or match[2] or "" for match in matches if match})

    def latest_runs(self, folder: Path) -> list[str]:
        """Those of the number of shards that was begun with last: another number makes all again."""
        runs = self.runs(folder)

        def began(run: str) -> float:
            files = [folder / self.file("benchmarks", f"{run}.{end}") for end in ("planned.json", "tsv")]
            files.append(calls_folder(self.output_of(run, folder)))
            return next(file.stat().st_mtime for file in files if file.exists())

        number = max(runs, key=began, default="").rpartition("-of-")[2]
        return [run for run in runs if run.rpartition("-of-")[2] == number]

    def ended(self, folder: Path) -> int:
        """How many of the latest runs have ended."""
        return sum((folder / self.file("benchmarks", f"{run}.tsv")).is_file() for run in self.latest_runs(folder))

    def output_of(self, run: str, folder: Path) -> Path:
        """What a run makes: the output, or the shard of it."""
        whole = folder / self.output
        return whole.with_name(f"{whole.stem}{run}{whole.suffix}")
