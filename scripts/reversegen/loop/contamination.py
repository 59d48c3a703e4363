"""The contamination gate: it compares training rows with the test sets and the held-out seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from reversegen.config.task import Deduplication
from reversegen.core.errors import BadInput
from reversegen.core.files import read_json
from reversegen.core.records import Message, Pair, Question, Seed, TrainingRow, read_records
from reversegen.kinds.base import Kind
from reversegen.loop.barred import entities_of
from reversegen.text.embeddings import Embeddings, Vectors, read_embeddings
from reversegen.text.near_duplicates import near_any
from reversegen.text.semantic_duplicates import nearest

HELDOUT = "heldout seeds"
"""The name under which the held-out seeds are counted."""


@dataclass(frozen=True)
class KeptOut:
    """A set that training must not touch."""

    texts: Sequence[str]
    ids: frozenset[str] | None
    """The ids of held-out seeds, which overlap with equal texts only. None for a test set, which overlaps with whatever asks
    the same question, in any words."""


@dataclass(frozen=True)
class ComparedMeanings:
    """Vectors of the training texts and of the texts that are kept out of training."""

    training: Embeddings
    kept_out: Mapping[str, Vectors]
    """By the name of the set."""
    eps: float
    """Two texts mean nearly the same if their cosine is above 1 - eps."""


@dataclass(frozen=True)
class Contamination:
    """Counts of rows, by training set and by the kept-out set that they overlap with."""

    exact: dict[str, dict[str, int]]
    """Rows that ask a test question or are a held-out seed, and those that name a held-out unit that a test question names."""
    near: dict[str, dict[str, int]]
    """Overlaps of word n-grams, including the exact overlaps."""
    rows: dict[str, int]
    """All rows of each training set."""
    semantic: dict[str, dict[str, int]] = field(default_factory=dict)
    """Cosines above 1 - eps, including the exact overlaps; empty if the task has no embedding model."""
    entities: dict[str, dict[str, int]] = field(default_factory=dict)
    """Those of the exact overlaps that name a held-out unit; empty if the task's worlds have no units."""

    @property
    def content(self) -> dict[str, Any]:
        """The content of the file. It has `entities` only if the task's worlds have held-out units."""
        counts = asdict(self)
        return counts if self.entities else {name: value for name, value in counts.items() if name != "entities"}

    def refuse(self, near_share: float | None, semantic_share: float | None) -> None:
        """Raise BadInput if the overlaps must stop the run."""
        if fault := self.fault(near_share, semantic_share):
            raise BadInput(fault)

    def fault(self, near_share: float | None, semantic_share: float | None = None) -> str | None:
        """The message that stops the run, or None if nothing does.

        Any exact overlap stops it, and so does a larger share of near or of semantic overlaps than its limit.
        """
        exact = {f"{a} with {b}": n for a, counts in self.exact.items() for b, n in counts.items() if n}
        if exact:
            return (
                f"training rows ask test questions or held-out seeds: {exact}; selection drops such rows, so the files were "
                "changed after it: delete the training rows, and the same command makes them again"
            )
        for key, overlaps, limit in (
            ("near_share", self.near, near_share),
            ("semantic_share", self.semantic, semantic_share),
        ):
            most = {a: max(counts.values(), default=0) / max(1, self.rows[a]) for a, counts in overlaps.items()}
            faults = {a: round(share, 4) for a, share in most.items() if limit is not None and share > limit}
            if faults:
                return (
                    f"contamination.{key}: the share of training rows that nearly repeat test questions or held-out seeds is "
                    f"{faults}, more than {limit}; raise contamination.{key}, or use other seeds or tests"
                )
        return None


@dataclass(frozen=True)
class ComparedFiles:
    """The files of training rows, and the files of what is kept out of training."""

    rows: Sequence[Path]
    pairs: Sequence[Path]
    tests: Sequence[Path]
    seeds: Path
    embeddings: Sequence[Path]
    """Embeddings of all texts that are compared; empty if the task has no embedding model."""

    def training(self) -> dict[str, list[tuple[str, str]]]:
        """Ids and texts that each file teaches, by the name of its folder.

        Raises BadInput if the sources of one selection have different numbers of rows.
        """
        rows_of = {path: read_records(path, TrainingRow) for path in self.rows}
        lengths = {str(path): len(rows) for path, rows in rows_of.items()}
        if len(set(lengths.values())) > 1:
            raise BadInput(
                f"the sources of one selection have different numbers of rows: {lengths}; one file was truncated or edited: "
                "delete these files, and the same command makes them again"
            )
        training = {p.parent.name: [t for r in rows for t in taught(r)] for p, rows in rows_of.items()}
        pairs = {f"{p.parent.name} pairs": [t for r in read_records(p, Pair) for t in taught(r)] for p in self.pairs}
        return training | pairs

    def kept_out(self) -> dict[str, KeptOut]:
        """The texts that no training row may repeat, by the name of their set: test sets and held-out seeds."""
        sets = {p.stem: KeptOut([q.text for q in read_records(p, Question)], None) for p in self.tests}
        heldout = self._heldout()
        sets[HELDOUT] = KeptOut([s.text for s in heldout], frozenset(s.id for s in heldout))
        return sets

    def meanings(self, eps: float) -> ComparedMeanings:
        """The vectors of all texts that are compared. Texts above a cosine of 1 - `eps` mean nearly the same."""
        vectors = read_embeddings(self.embeddings)
        apart = {p.stem: vectors.vectors_of(q.id for q in read_records(p, Question)) for p in self.tests}
        apart[HELDOUT] = vectors.vectors_of(s.id for s in self._heldout())
        return ComparedMeanings(vectors, apart, eps)

    def _heldout(self) -> list[Seed]:
        return [s for s in read_records(self.seeds, Seed) if s.split == "heldout"]


def check_collapse(evaluations: Sequence[Path]) -> None:
    """Raise BadInput if the evaluation of a proposer has alarms."""
    for path in evaluations:
        if alarms := read_json(path)["alarms"]:
            raise BadInput(
                f"{path}: the proposer has collapsed: {'; '.join(alarms)}; set alarm.action: warn to continue anyway"
            )


def taught(row: TrainingRow | Pair) -> list[tuple[str, str]]:
    """Ids and texts of the instructions that a row teaches.

    These are both sides of a pair, the first user turn of a conversation, or the completion of a three-shot prompt.
    """
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
    entities: dict[str, dict[str, int]] = {name: {} for name in training if kind.entities}
    for set_name, withheld in kept_out.items():
        asked = [] if withheld.ids is not None else withheld.texts
        questions, units = set(map(kind.canonical, asked)), entities_of(asked, kind)
        for name, rows in training.items():
            same = [kind.canonical(t) in questions if withheld.ids is None else i in withheld.ids for i, t in rows]
            if kind.entities:
                names_unit = [not units.isdisjoint(kind.entities(t)) for _, t in rows]
                same = [one or two for one, two in zip(same, names_unit, strict=True)]
                entities[name][set_name] = sum(names_unit)
            exact[name][set_name] = sum(same)
            repeats = near_any([text for _, text in rows], withheld.texts, deduplication)
            near[name][set_name] = sum(one or two for one, two in zip(same, repeats, strict=True))
            if meanings:
                closest = nearest(meanings.training.vectors_of(i for i, _ in rows), meanings.kept_out[set_name])
                alike = closest > 1 - meanings.eps
                semantic[name][set_name] = sum(one or bool(two) for one, two in zip(same, alike, strict=True))
    return Contamination(exact, near, {name: len(rows) for name, rows in training.items()}, semantic, entities)
