"""Rows of an audit are drawn with the probabilities that they state, and the rate that follows is right on average."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping

import numpy as np
import pytest

from reversegen.core.metric import Metric
from reversegen.core.records import Instruction, Label, Verdict
from reversegen.evaluation.audit_draw import ROWS, Cell, audit_cells, audited_rate, draw_rows


def instruction(identity: str, subject: str | None = None, split: str = "heldout") -> Instruction:
    return Instruction(
        id=identity, text=identity, answer=None, subject=subject, samples=[identity], splits=[split], invalid=None,
        duplicate_of=None,
    )  # fmt: skip


def label(identity: str, verdict: Verdict, score: float | None = None, category: str | None = None) -> Label:
    return Label(instruction_id=identity, verdict=verdict, score=score, detail="", category=category)


def cells_of(sizes: Mapping[Cell, int]) -> dict[Cell, list[str]]:
    return {cell: [f"{cell[0]} {cell[1]} {n:04}" for n in range(size)] for cell, size in sizes.items()}


def rate(verdicts: Mapping[str, Verdict]) -> float:
    counts = Counter(verdicts.values())
    return counts["failed"] / (counts["failed"] + counts["passed"])


def test_the_population_is_the_labelled_instructions_of_heldout_prompts() -> None:
    instructions = [*(instruction(f"{n}") for n in range(3)), instruction("train", split="train")]
    labels = [label("0", "failed"), label("2", "invalid"), label("train", "passed")]
    assert audit_cells(instructions, labels) == {("other", "failed"): ["0"], ("other", "invalid"): ["2"]}


def test_a_fifth_of_the_scores_is_near_the_threshold_wherever_it_is() -> None:
    for threshold in (0.5, 0.25):
        scores = {f"{n:02}": n / 50 for n in range(50)}
        labels = [label(i, "failed" if score >= threshold else "passed", score) for i, score in scores.items()]
        labels.append(label("unread", "invalid"))
        cells = audit_cells([instruction(one.instruction_id) for one in labels], labels)
        near = [i for (stratum, _), ids in cells.items() if stratum == "near_threshold" for i in ids]
        assert len(near) == 10
        others = [abs(score - threshold) for i, score in scores.items() if i not in near]
        assert (
            max(abs(scores[i] - threshold) for i in near) <= min(others) + 0.02
        )  # the middle of both verdicts is 0.01 off
        assert cells["other", "invalid"] == ["unread"]


@pytest.mark.parametrize(("verdict", "expected"), [("failed", ["0", "1"]), ("passed", ["8", "9"])])
def test_with_one_verdict_the_scores_nearest_to_the_other_are_near(verdict: Verdict, expected: list[str]) -> None:
    labels = [label(f"{n}", verdict, n / 10) for n in range(10)]
    cells = audit_cells([instruction(f"{n}") for n in range(10)], labels)
    assert cells["near_threshold", verdict] == expected


def test_disagreements_are_a_stratum_of_their_own_and_come_first() -> None:
    labels = [label(f"{n:02}", "failed" if n % 2 else "passed", n / 40) for n in range(40)]
    cells = audit_cells([instruction(one.instruction_id) for one in labels], labels, disagreements={"03", "20"})
    assert [*cells] == [
        ("disagreement", "failed"), ("disagreement", "passed"), ("near_threshold", "failed"), ("near_threshold", "passed"),
        ("other", "failed"), ("other", "passed"),
    ]  # fmt: skip
    assert cells["disagreement", "failed"] == ["03"]
    assert {row.id for row in draw_rows(cells, 0)[:2]} == {"03", "20"}
    assert sum(len(ids) for ids in cells.values()) == 40


def test_each_turn_has_a_row_of_each_cell_and_its_order_gives_no_verdict_away() -> None:
    cells = cells_of({("near_threshold", "failed"): 90, ("near_threshold", "passed"): 9, ("other", "passed"): 400})
    rows = draw_rows(cells, 0)
    assert Counter(row.cell for row in rows) == {("near_threshold", "failed"): 21, ("near_threshold", "passed"): 9,
        ("other", "passed"): 20}  # fmt: skip
    turns = [rows[n : n + 3] for n in range(0, 27, 3)]
    assert all({row.cell for row in turn} == {*cells} for turn in turns)
    assert all(turn[-1].cell[0] == "other" for turn in turns)
    assert len({turn[0].cell for turn in turns}) == 2
    assert {(row.drawn, row.size) for row in rows} == {(21, 90), (9, 9), (20, 400)}
    assert draw_rows(cells, 0) == rows != draw_rows(cells, 1)


def test_a_row_is_drawn_as_often_as_its_probability_says() -> None:
    cells = cells_of({("near_threshold", "failed"): 37, ("other", "failed"): 61, ("other", "passed"): 143})
    draws = 1000
    times = Counter(row.id for seed in range(draws) for row in draw_rows(cells, seed))
    for row in draw_rows(cells, 0):
        probability = row.drawn / row.size
        spread = (draws * probability * (1 - probability)) ** 0.5
        for identity in cells[row.cell]:
            assert abs(times[identity] - draws * probability) < 5 * spread


def test_subjects_and_categories_have_their_shares_of_a_cell() -> None:
    subjects = ["a"] * 60 + ["b"] * 30 + ["c"] * 10
    instructions = [instruction(f"{n:03}", subject) for n, subject in enumerate(subjects)]
    cells = audit_cells(random.Random(0).sample(instructions, 100), [label(one.id, "passed") for one in instructions])
    for seed in range(20):
        drawn = Counter(subjects[int(row.id)] for row in draw_rows(cells, seed))
        assert drawn == {"a": 30, "b": 15, "c": 5}
    named = audit_cells(instructions, [label("007", "failed", category="S9"), label("003", "failed", category="S1")])
    assert named == {("other", "failed"): ["003", "007"]}


def test_the_rate_is_that_of_a_count_by_hand() -> None:
    cells = cells_of({("near_threshold", "failed"): 10, ("other", "passed"): 400, ("other", "invalid"): 20})
    rows = draw_rows(cells, 0)
    by_cell = {cell: [row.id for row in rows if row.cell == cell] for cell in cells}
    persons: dict[str, Verdict] = dict.fromkeys(by_cell["near_threshold", "failed"], "failed")
    persons |= dict.fromkeys(by_cell["near_threshold", "failed"][:2], "passed")
    persons |= dict.fromkeys(by_cell["other", "passed"], "passed") | {by_cell["other", "passed"][0]: "failed"}
    persons |= dict.fromkeys(by_cell["other", "invalid"], "invalid") | {by_cell["other", "invalid"][0]: "failed"}
    counts = Counter(row.cell for row in rows)
    assert [*counts.values()] == [10, 20, 20]
    metric = audited_rate(cells, rows, persons, 0)
    # failed: 8 of 10, one of 20 for 20 of 400, one of 20 for one of 20; passed: 2 and 380
    assert metric.value == pytest.approx(29 / (29 + 382), abs=1e-6)
    assert metric.low < metric.value < metric.high
    assert audited_rate(cells, rows, persons, 0) == metric


def test_rows_that_all_were_judged_leave_no_doubt() -> None:
    cells = cells_of({("other", "failed"): 12, ("other", "passed"): 20})
    rows = draw_rows(cells, 0)
    persons: dict[str, Verdict] = {row.id: row.cell[1] for row in rows}
    assert audited_rate(cells, rows, persons, 0) == Metric(value=0.375, low=0.375, high=0.375)


def test_a_rate_that_cannot_be_estimated_is_null_with_its_reason() -> None:
    cells = cells_of({("near_threshold", "failed"): 5, ("other", "passed"): 9})
    rows = draw_rows(cells, 0)
    reasons = {
        "no person has filled in audit.csv": {},
        "no row is filled in of stratum other with the verdict passed": {
            row.id: "failed" for row in rows if row.cell[0] != "other"
        },
        "the person called every row invalid": {row.id: "invalid" for row in rows},
    }
    for reason, persons in reasons.items():
        assert audited_rate(cells, rows, persons, 0) == Metric(value=None, reason=reason)  # type: ignore[arg-type]
    assert audited_rate({}, [], {}, 0).value is None


@pytest.mark.parametrize("scored", [True, False])
def test_on_average_the_rate_is_the_true_one_and_its_interval_covers_it(scored: bool) -> None:
    """A judge whose errors depend on its score: its own rate, and the plain share of the audit's rows, are both wrong."""
    rng = random.Random(0)
    instructions, labels, truth = [], [], {}
    for n in range(500):
        score, identity = rng.random() ** 2, f"{n:03}"
        verdict: Verdict = "invalid" if rng.random() < 0.05 else "failed" if score >= 0.5 else "passed"
        right = rng.choices(["failed", "passed", "invalid"], [0.1 + score, 1.1 - score, 0.05])[0]
        instructions.append(instruction(identity, rng.choice("abc")))
        labels.append(label(identity, verdict, score if scored and verdict != "invalid" else None))
        truth[identity] = right
    cells = audit_cells(instructions, labels)
    assert len(cells) == (5 if scored else 3)
    values, covered, plain = [], 0, []
    for seed in range(200):
        rows = draw_rows(cells, seed)
        persons = {row.id: truth[row.id] for row in rows}
        metric = audited_rate(cells, rows, persons, seed)
        values.append(metric.value)
        plain.append(rate(persons))
        covered += metric.low <= rate(truth) <= metric.high
    error = np.std(values) / len(values) ** 0.5
    assert abs(np.mean(values) - rate(truth)) < 3 * error
    assert abs(np.mean(plain) - rate(truth)) > 10 * error
    assert covered / len(values) >= 0.94
    assert len(rows) == ROWS
