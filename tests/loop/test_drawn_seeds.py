"""The seeds to ask are drawn by a hash: the requested number, enough of every subject, independent of their position."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from reversegen.core.errors import BadInput
from reversegen.core.records import Label, Seed, Split, Verdict, write_records
from reversegen.ids import instruction_id
from reversegen.loop.drawn_seeds import LEAST, answered_seeds, probed_seeds


def seeds(count: int, split: Split = "train", source: str = "s", subject: str | None = None) -> list[Seed]:
    texts = [f"{source} {subject} {split} {n} ?" for n in range(count)]
    return [
        Seed(id=instruction_id(t), text=t, split=split, source=source, licence="MIT", answer=None, subject=subject)
        for t in texts
    ]


def written(folder: Path, rows: Iterable[Seed], name: str = "seeds.jsonl") -> Path:
    write_records(folder / name, rows)
    return folder / name


def labelled(folder: Path, verdicts: dict[str, Verdict]) -> list[Path]:
    labels = (Label(instruction_id=i, verdict=v, score=None, detail="") for i, v in verdicts.items())
    write_records(folder / "labels.jsonl", labels)
    return [folder / "labels.jsonl"]


MANY = [*seeds(900), *seeds(100, "heldout"), *seeds(270, source="other"), *seeds(30, "heldout", "other")]


@pytest.mark.parametrize("most", [4 * LEAST, 400, 1299])
def test_a_probe_asks_the_requested_number_in_the_order_of_the_file(tmp_path: Path, most: int) -> None:
    drawn = list(probed_seeds(written(tmp_path, MANY), most, 0))
    assert len(drawn) == most
    assert drawn == [seed for seed in MANY if seed in drawn]
    assert drawn != MANY[:most]


@pytest.mark.parametrize("most", [None, len(MANY), 10 * len(MANY)])
def test_a_number_that_covers_all_seeds_draws_all_of_them(tmp_path: Path, most: int | None) -> None:
    place = written(tmp_path, MANY)
    assert list(probed_seeds(place, most, 0)) == MANY
    train = [seed for seed in MANY if seed.split == "train"]
    assert list(answered_seeds(place, [], most, 0)) == train


def test_a_large_probe_keeps_the_shares_of_sources_and_splits(tmp_path: Path) -> None:
    whole = [*seeds(9000), *seeds(1000, "heldout"), *seeds(900, source="other"), *seeds(100, "heldout", "other")]
    drawn = Counter((s.source, s.split) for s in probed_seeds(written(tmp_path, whole), 2200, 0))
    for group, size in Counter((s.source, s.split) for s in whole).items():
        expected, deviation = size / 5, (size * 0.2 * 0.8) ** 0.5
        assert abs(drawn[group] - expected) < max(5 * deviation, LEAST)


def test_every_subject_and_split_has_enough_seeds_for_a_prompt_and_a_small_one_all_its_seeds(tmp_path: Path) -> None:
    sizes = {"law": 2000, "art": 40, "tea": 5}
    whole = [s for name, n in sizes.items() for part in ("train", "heldout") for s in seeds(n, part, subject=name)]  # type: ignore[arg-type]
    least = 2 * (LEAST + LEAST + 5)
    place = written(tmp_path, whole)
    drawn = list(probed_seeds(place, least, 0))
    assert Counter((s.subject, s.split) for s in drawn) == {
        (name, part): min(n, LEAST) for name, n in sizes.items() for part in ("train", "heldout")
    }
    larger = list(probed_seeds(place, 500, 0))
    assert {s.id for s in drawn} <= {s.id for s in larger}
    with pytest.raises(BadInput, match=rf"^data\.probe_seeds: {least - 1} seeds are too few, .* are {least}; raise it"):
        probed_seeds(place, least - 1, 0)


def test_the_draw_of_a_seed_depends_on_the_random_seed_and_its_text_only(tmp_path: Path) -> None:
    rows = seeds(3000)
    shuffled = [*rows, *seeds(300, source="new")]
    random.Random(0).shuffle(shuffled)
    place, grown = written(tmp_path, rows), written(tmp_path, shuffled, "grown.jsonl")
    before, after = ({s.id for s in answered_seeds(p, [], 1000, 0)} for p in (place, grown))
    present = {s.id for s in rows}
    assert len(before - after) == len(after - present) < 150  # only seeds that make room for new ones drop out
    assert {s.id for s in answered_seeds(place, [], 1200, 0)} > before
    other = {s.id for s in answered_seeds(place, [], 1000, 1)}
    assert abs(len(before & other) - 333) < 75  # two independent draws of a third share a ninth


def test_held_out_seeds_and_seeds_that_cannot_become_rows_are_not_answered(tmp_path: Path) -> None:
    verdicts: list[Verdict] = ["failed", "passed", "invalid"]
    rows = [*seeds(120), *seeds(60, "heldout")]
    place = written(tmp_path, rows)
    labels = labelled(
        tmp_path, {s.id: verdicts[n % 3] for n, s in enumerate(rows) if n % 2}
    )  # the probe asked half of them
    usable = [s for n, s in enumerate(rows[:120]) if n % 2 and n % 3 != 2]
    assert list(answered_seeds(place, labels, 1000, 0)) == usable
    some = list(answered_seeds(place, labels, 10, 0))
    assert len(some) == 10
    assert {s.id for s in some} < {s.id for s in usable}
    assert {s.split for s in answered_seeds(place, [], 100, 0)} == {"train"}
    assert (
        list(answered_seeds(place, labels, None, 0)) == rows[:120]
    )  # None means all, since a solver answers them at no cost
