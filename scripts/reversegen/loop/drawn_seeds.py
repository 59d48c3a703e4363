"""Seeds that are asked: as many as are used, drawn by a hash, so that the rest cost nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from reversegen.core.errors import BadInput
from reversegen.core.records import Label, Seed, Split, stream_records
from reversegen.ids import hashed_seed

LEAST = 16
"""Seeds of each source, subject and split in a probe. If a quarter fail, as published for math, they are a prompt's worth."""


def probed_seeds(seeds: Path, most: int | None, random_seed: int) -> Iterator[Seed]:
    """The seeds that a probe asks, `most` of both splits or all, in the order of the file.

    Of each source, subject and split at least LEAST, or all that there are. Raises BadInput if `most` is too small for that.
    """
    if most is None:
        return stream_records(seeds, Seed)
    first: list[str] = []
    others: list[str] = []
    taken = Counter[tuple[str, str | None, Split]]()
    for _, identity, group in sorted(_ranked(s, random_seed, "probe") for s in stream_records(seeds, Seed)):
        (first if taken[group] < LEAST else others).append(identity)
        taken[group] += 1
    if most < len(first):
        raise BadInput(
            f"data.probe_seeds: {most} are too few for {LEAST} seeds of each source, subject and split: {len(first)}; "
            "raise it to that at least, or set it to null to ask all seeds"
        )
    return _with_ids(seeds, {*first, *others[: most - len(first)]})


def answered_seeds(seeds: Path, labels: list[Path], most: int | None, random_seed: int) -> Iterator[Seed]:
    """The training seeds that the teacher answers, `most` or all, in the order of the file.

    With the `labels` of a probe, they are drawn from those that it asked and that are not invalid: no row is made of others.
    """
    train = (seed for seed in stream_records(seeds, Seed) if seed.split == "train")
    if most is None:
        return train
    verdicts = {label.instruction_id: label.verdict for path in labels for label in stream_records(path, Label)}
    usable = (seed for seed in train if not labels or verdicts.get(seed.id, "invalid") != "invalid")
    ranked = sorted(_ranked(seed, random_seed, "answered") for seed in usable)
    return _with_ids(seeds, {identity for _, identity, _ in ranked[:most]})


def _ranked(seed: Seed, random_seed: int, purpose: str) -> tuple[int, str, tuple[str, str | None, Split]]:
    return hashed_seed(random_seed, purpose, seed.id), seed.id, (seed.source, seed.subject, seed.split)


def _with_ids(seeds: Path, ids: set[str]) -> Iterator[Seed]:
    return (seed for seed in stream_records(seeds, Seed) if seed.id in ids)
