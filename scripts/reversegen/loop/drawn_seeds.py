"""The draw, by a hash, of the seeds that a probe or the teacher is asked, so that unused seeds cost nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from reversegen.core.errors import BadInput
from reversegen.core.records import Label, Seed, Split, stream_records
from reversegen.ids import hashed_seed

LEAST = 16
"""Least number of seeds of each source, subject and split in a probe. If a quarter of 16 fail, as published for math, the
failed ones are enough for a three-shot prompt."""


def probed_seeds(seeds: Path, most: int | None, random_seed: int) -> Iterator[Seed]:
    """The seeds that a probe asks, in the order of the file: `most` seeds of both splits together, or all if it is None.

    They include at least LEAST seeds of each source, subject and split, or all of a smaller group. Raises BadInput if `most`
    is too small for that.
    """
    if most is None:
        return stream_records(seeds, Seed)
    first: list[str] = []
    further: list[str] = []
    taken = Counter[tuple[str, str | None, Split]]()
    for _, identity, group in sorted(_ranked(s, random_seed, "probe") for s in stream_records(seeds, Seed)):
        (first if taken[group] < LEAST else further).append(identity)
        taken[group] += 1
    if most < len(first):
        raise BadInput(
            f"data.probe_seeds: {most} seeds are too few, since {LEAST} of each source, subject and split are {len(first)}; "
            f"raise it to at least {len(first)}, or set it to null to ask all seeds"
        )
    return _with_ids(seeds, {*first, *further[: most - len(first)]})


def answered_seeds(seeds: Path, labels: list[Path], most: int | None, random_seed: int) -> Iterator[Seed]:
    """The training seeds that the teacher answers, in the order of the file: `most` of them, or all if it is None.

    If `labels` of a probe are given, seeds are drawn only from those with a valid label, since only these can become rows.
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
