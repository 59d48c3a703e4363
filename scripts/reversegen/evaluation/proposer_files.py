"""What a proposer wrote, with its verdicts, and the seeds and earlier instructions that it is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from reversegen.config.task import Embedding
from reversegen.core.records import Instruction, Label, Sample, Seed, Verdict, read_answers, read_records
from reversegen.text.embeddings import Embeddings, read_embeddings

WrittenSample = tuple[Sample, Instruction]


@dataclass(frozen=True)
class Writing:
    """What a proposer wrote, with the verdicts."""

    samples: Sequence[Sample]
    instructions: Sequence[Instruction]
    labels: Sequence[Label]

    @cached_property
    def heldout(self) -> list[WrittenSample]:
        """Each held-out sample with the instruction that it says."""
        by_sample = {sample: i for i in self.instructions for sample in i.samples}
        return [(s, by_sample[s.id]) for s in self.samples if s.split == "heldout"]

    @cached_property
    def verdicts(self) -> dict[str, Verdict]:
        """Of the held-out instructions, by id; what was not labelled is invalid."""
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

    def failures(self, rows: Sequence[WrittenSample]) -> list[bool]:
        """Whether the target failed on each."""
        return [self.verdicts[i.id] == "failed" for _, i in rows]


@dataclass(frozen=True)
class Meanings:
    """The vectors that a proposer's texts are compared by."""

    written: Embeddings
    """Of its instructions that are asked."""
    seeds: Embeddings
    earlier: Embeddings
    """Of the instructions of the proposers before it; of none for proposer 0."""
    eps: float
    """Two texts mean the same where their cosine is above 1 - eps."""


def read_writing(samples: Path, instructions: Path, labels: Path) -> Writing:
    """Read what a proposer wrote; every instruction that was asked has a label. Raises BadInput naming file and line."""
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
    """The vectors of a task's texts; None without a model for them."""
    if embedding is None:
        return None
    return Meanings(read_embeddings(written), read_embeddings(seeds), read_embeddings(earlier), embedding.eps)
