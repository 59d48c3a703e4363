"""The gate between what models are trained on and what they are measured on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reversegen.config.task import Deduplication
from reversegen.core.records import Message, Pair, TrainingRow
from reversegen.kinds.base import Kind
from reversegen.text.embeddings import Embeddings, Vectors
from reversegen.text.near_duplicates import near_any
from reversegen.text.semantic_duplicates import nearest


@dataclass(frozen=True)
class KeptOut:
    """A set that training must not touch."""

    texts: Sequence[str]
    ids: frozenset[str] | None
    """Held-out seeds overlap by their text alone, so by id; None for test sets, whose questions also overlap in other words."""


@dataclass(frozen=True)
class ComparedMeanings:
    """Vectors of what is trained on and of what is kept out."""

    training: Embeddings
    kept_out: Mapping[str, Vectors]
    """By the name of the set."""
    eps: float
    """Two texts mean the same where their cosine is above 1 - eps."""


@dataclass(frozen=True)
class Contamination:
    """Rows of each training set that overlap with each set that is kept out."""

    exact: dict[str, dict[str, int]]
    near: dict[str, dict[str, int]]
    """By word n-grams, exact ones included."""
    rows: dict[str, int]
    semantic: dict[str, dict[str, int]] = field(default_factory=dict)
    """By cosine above 1 - eps, exact ones included; empty where the task has no embedding model."""

    def fault(self, near_share: float | None, semantic_share: float | None = None) -> str | None:
        """What stops the run: any exact overlap, or a larger share of near or of semantic ones than the limit."""
        exact = {f"{a} with {b}": n for a, counts in self.exact.items() for b, n in counts.items() if n}
        if exact:
            return f"training rows ask what is kept out: {exact}; selection must have dropped them"
        for key, found, limit in (
            ("near_share", self.near, near_share),
            ("semantic_share", self.semantic, semantic_share),
        ):
            most = {a: max(counts.values(), default=0) / max(1, self.rows[a]) for a, counts in found.items()}
            over = {a: round(share, 4) for a, share in most.items() if limit is not None and share > limit}
            if over:
                return f"contamination.{key}: rows that nearly repeat what is kept out: {over}, more than {limit}"
        return None


def taught(row: TrainingRow | Pair) -> list[tuple[str, str]]:
    """Id and text of what a row teaches: both sides of a pair, the user's first turn, or what follows demonstrations."""
    if isinstance(row, Pair):
        return [(row.chosen_id, row.chosen.strip()), (row.rejected_id, row.rejected.strip())]
    if isinstance(row.prompt, str):
        return [(row.instruction_id, str(row.completion).strip())]
    turns: list[Message] = row.prompt
    return [(row.instruction_id, next((turn.content for turn in turns if turn.role == "user"), ""))]


def find_contamination(
    training: Mapping[str, Sequence[tuple[str, str]]],
    kept_out: Mapping[str, KeptOut],
    deduplication: Deduplication,
    kind: Kind,
    meanings: ComparedMeanings | None = None,
) -> Contamination:
    """Count the instructions of each training set that overlap with each set that is kept out."""
    exact: dict[str, dict[str, int]] = {name: {} for name in training}
    near: dict[str, dict[str, int]] = {name: {} for name in training}
    semantic: dict[str, dict[str, int]] = {name: {} for name in training if meanings}
    for other, kept in kept_out.items():
        asked = set(map(kind.canonical, kept.texts)) if kept.ids is None else set()
        for name, rows in training.items():
            same = [kind.canonical(t) in asked if kept.ids is None else i in kept.ids for i, t in rows]
            exact[name][other] = sum(same)
            repeats = near_any([text for _, text in rows], kept.texts, deduplication)
            near[name][other] = sum(one or two for one, two in zip(same, repeats, strict=True))
            if meanings:
                closest = nearest(meanings.training.of(i for i, _ in rows), meanings.kept_out[other])
                alike = closest > 1 - meanings.eps
                semantic[name][other] = sum(one or bool(two) for one, two in zip(same, alike, strict=True))
    return Contamination(exact, near, {name: len(rows) for name, rows in training.items()}, semantic)
