"""Questions that no training row may ask, because they are kept for measurement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from reversegen.core.records import Question, Seed, read_records, stream_records
from reversegen.kinds.base import Kind


class Barred:
    """A test of whether a training row may not use an instruction.

    It asks a test question, names a held-out unit that a test question names, or is a held-out seed.
    """

    def __init__(self, kept_out: Sequence[Question | Seed], kind: Kind) -> None:
        self.kind = kind
        self.questions = {kind.canonical(q.text) for q in kept_out if isinstance(q, Question)}
        self.entities = entities_of((q.text for q in kept_out if isinstance(q, Question)), kind)
        self.seeds = {s.id for s in kept_out if isinstance(s, Seed) and s.split == "heldout"}

    def __call__(self, identity: str, text: str) -> bool:
        """Whether an instruction is barred."""
        return identity in self.seeds or self.bars(text)

    def bars(self, text: str) -> bool:
        """Whether a text asks a test question, or names a held-out unit that a test question names."""
        return self.kind.canonical(text) in self.questions or not self.entities.isdisjoint(
            entities_of([text], self.kind)
        )


def entities_of(texts: Iterable[str], kind: Kind) -> frozenset[str]:
    """The held-out units that texts name. Empty if the task's worlds have none."""
    return frozenset[str]().union(*map(kind.entities, texts)) if kind.entities else frozenset()


def read_barred(tests: Sequence[Path], seeds: Path, kind: Kind) -> Barred:
    """Read the test questions and the held-out seeds that no training row may ask."""
    heldout = (seed for seed in stream_records(seeds, Seed) if seed.split == "heldout")
    return Barred([*(q for path in tests for q in read_records(path, Question)), *heldout], kind)
