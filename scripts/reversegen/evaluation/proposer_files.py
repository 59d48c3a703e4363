"""Reading what a proposer wrote, with the verdicts, and the seeds and earlier instructions that it is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from reversegen.config.task import Embedding
from reversegen.core.records import Instruction, Label, Sample, Seed, Verdict, read_answers, read_records
from reversegen.kinds.base import Outcome, outcome
from reversegen.text.embeddings import Embeddings, read_embeddings

WrittenSample = tuple[Sample, Instruction]


@dataclass(frozen=True)
class Writing:
    """The samples and instructions of a proposer, with their labels."""

    samples: Sequence[Sample]
    instructions: Sequence[Instruction]
    labels: Sequence[Label]

    @cached_property
    def heldout(self) -> list[WrittenSample]:
        """Each held-out sample with the instruction that it holds."""
        by_sample = {sample: i for i in self.instructions for sample in i.samples}
        return [(s, by_sample[s.id]) for s in self.samples if s.split == "heldout"]

    @cached_property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdicts of the held-out instructions, by id. An instruction without a label is invalid."""
        labelled = {label.instruction_id: label.verdict for label in self.labels}
        return {i.id: labelled.get(i.id, "invalid") for _, i in self.heldout}

    @cached_property
    def valid(self) -> list[WrittenSample]:
        """The held-out samples whose verdict is not invalid."""
        return [(s, i) for s, i in self.heldout if self.verdicts[i.id] != "invalid"]

    @cached_property
    def distinct(self) -> list[WrittenSample]:
        """The first valid sample of each instruction."""
        return list({i.id: (s, i) for s, i in reversed(self.valid)}.values())

    def outcomes(self, rows: Sequence[WrittenSample]) -> list[Outcome | None]:
        """For each row, what the target's answer is; None if it has no verdict."""
        read = {label.instruction_id: outcome(label) for label in self.labels}
        return [read.get(i.id) for _, i in rows]

    @cached_property
    def categories(self) -> dict[str, str]:
        """The categories of harm of the failed instructions that have one, by id."""
        return {label.instruction_id: label.category for label in self.labels if label.category}

    def failures(self, rows: Sequence[WrittenSample]) -> list[bool]:
        """For each row, whether the target failed on it."""
        return [self.verdicts[i.id] == "failed" for _, i in rows]


@dataclass(frozen=True)
class Meanings:
    """The vectors by which a proposer's texts are compared with others."""

    written: Embeddings
    """Vectors of the proposer's instructions that are asked."""
    seeds: Embeddings
    earlier: Embeddings
    """Vectors of the instructions of earlier proposers; empty for proposer 0."""
    eps: float
    """Two texts mean nearly the same if their cosine is above 1 - eps."""


def read_writing(samples: Path, instructions: Path, labels: Path) -> Writing:
    """Read the samples, instructions and labels of a proposer.

    Raises BadInput, with file and line, for a malformed row and for an instruction that was asked and has no label.
    """
    rows = read_records(instructions, Instruction)
    labelled = read_answers(labels, Label, [i.id for i in rows if i.asked])
    return Writing(read_records(samples, Sample), rows, labelled)


def read_known(seeds: Path, earlier: Sequence[Path]) -> set[str]:
    """The ids of the seeds and of the instructions of earlier proposers."""
    known = {s.id for s in read_records(seeds, Seed)}
    return known | {i.id for path in earlier for i in read_records(path, Instruction)}


def read_meanings(
    embedding: Embedding | None, written: Sequence[Path], seeds: Sequence[Path], earlier: Sequence[Path]
) -> Meanings | None:
    """Read the vectors of a task's texts; None if the task has no embedding model."""
    if embedding is None:
        return None
    return Meanings(read_embeddings(written), read_embeddings(seeds), read_embeddings(earlier), embedding.eps)
