"""The gate between what models are trained on and what they are measured on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reversegen.configuration import Deduplication
from reversegen.kind import Kind
from reversegen.near_duplicates import near_any
from reversegen.records import Message, Pair, TrainingRow


@dataclass(frozen=True)
class KeptOut:
    """A set that training must not touch."""

    texts: Sequence[str]
    ids: frozenset[str] | None
    """Held-out seeds overlap by their text alone, so by id; None for test sets, whose questions also overlap in other words."""


@dataclass(frozen=True)
class Leaks:
    """Rows of each training set that overlap with each set that is kept out."""

    exact: dict[str, dict[str, int]]
    near: dict[str, dict[str, int]]
    """By word n-grams, exact ones included."""
    rows: dict[str, int]

    def fault(self, near_share: float | None) -> str | None:
        """What stops the run: any exact overlap, or a larger share of near ones than the limit."""
        exact = {f"{a} with {b}": n for a, counts in self.exact.items() for b, n in counts.items() if n}
        if exact:
            return f"training rows ask what is kept out: {exact}; selection must have dropped them"
        most = {a: max(counts.values(), default=0) / max(1, self.rows[a]) for a, counts in self.near.items()}
        over = {a: round(share, 4) for a, share in most.items() if near_share is not None and share > near_share}
        return (
            f"leaks.near_share: rows that nearly repeat what is kept out: {over}, more than {near_share}"
            if over
            else None
        )


def taught(row: TrainingRow | Pair) -> list[tuple[str, str]]:
    """Id and text of what a row teaches: both sides of a pair, the user's first turn, or what follows demonstrations."""
    if isinstance(row, Pair):
        return [(row.chosen_id, row.chosen.strip()), (row.rejected_id, row.rejected.strip())]
    if isinstance(row.prompt, str):
        return [(row.instruction_id, str(row.completion).strip())]
    turns: list[Message] = row.prompt
    return [(row.instruction_id, next((turn.content for turn in turns if turn.role == "user"), ""))]


def find_leaks(
    training: Mapping[str, Sequence[tuple[str, str]]],
    kept_out: Mapping[str, KeptOut],
    deduplication: Deduplication,
    kind: Kind,
) -> Leaks:
    """Count the instructions of each training set that overlap with each set that is kept out."""
    exact: dict[str, dict[str, int]] = {name: {} for name in training}
    near: dict[str, dict[str, int]] = {name: {} for name in training}
    for other, kept in kept_out.items():
        asked = set(map(kind.canonical, kept.texts)) if kept.ids is None else set()
        for name, rows in training.items():
            same = [kind.canonical(t) in asked if kept.ids is None else i in kept.ids for i, t in rows]
            exact[name][other] = sum(same)
            repeats = near_any([text for _, text in rows], kept.texts, deduplication)
            near[name][other] = sum(one or two for one, two in zip(same, repeats, strict=True))
    return Leaks(exact, near, {name: len(rows) for name, rows in training.items()})
