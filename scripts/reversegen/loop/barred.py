"""Questions that no training row may ask, because they are kept for measurement."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reversegen.core.records import Question, Seed, read_records, stream_records
from reversegen.kinds.base import Kind


class Barred:
    """What no training row may ask: what a test question asks, and the text of a held-out seed."""

    def __init__(self, kept_out: Sequence[Question | Seed], kind: Kind) -> None:
        self.kind = kind
        self.questions = {kind.canonical(q.text) for q in kept_out if isinstance(q, Question)}
        self.seeds = {s.id for s in kept_out if isinstance(s, Seed) and s.split == "heldout"}

    def __call__(self, identity: str, text: str) -> bool:
        """Whether an instruction is barred."""
        return identity in self.seeds or self.kind.canonical(text) in self.questions


def read_barred(tests: Sequence[Path], seeds: Path, kind: Kind) -> Barred:
    """What the test sets ask, and the held-out seeds."""
    heldout = (seed for seed in stream_records(seeds, Seed) if seed.split == "heldout")
    return Barred([*(q for path in tests for q in read_records(path, Question)), *heldout], kind)
