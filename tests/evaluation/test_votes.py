"""Agreement of judges, the gap to the hold-out judge with its interval, and its alarm."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.support.evaluations import evaluation
from tests.support.workflows import REPOSITORY

from reversegen.config.task import Evaluation, JudgeGap
from reversegen.core.errors import BadInput
from reversegen.core.metric import Metric
from reversegen.core.records import Judgement, Verdict, write_records
from reversegen.evaluation.outcomes import read_run
from reversegen.evaluation.votes import (
    GAP,
    GROWTH,
    Votes,
    check_gap,
    fleiss_kappa,
    gap_alarms,
    measure_votes,
    read_votes,
)

SETTINGS = Evaluation(bootstrap=400, diversity_sample=10)
DIAGNOSES = """
0 0 0 0 14 | 0 2 6 4 2 | 0 0 3 5 6 | 0 3 9 2 0 | 2 2 8 1 1 | 7 7 0 0 0 | 3 2 6 3 0 | 2 5 3 2 2 | 6 5 2 1 0 | 0 2 2 3 7
"""
"""A worked example that textbooks use: 10 subjects, 14 raters, 5 categories, kappa 0.210."""
NAMES: dict[str, Verdict] = {"F": "failed", "P": "passed", "-": "invalid"}


def verdicts(text: str) -> dict[str, Verdict]:
    """The verdicts of answers 0, 1, 2, …, a letter each."""
    return {str(n): NAMES[letter] for n, letter in enumerate(text)}


def kappa_of_pairs(votes: Sequence[str]) -> float:
    """Fleiss' kappa by another way: the share of agreeing pairs among all pairs of votes on one answer, and among all pairs
    of independent votes."""
    pairs = [pair for row in votes for pair in itertools.combinations(row, 2)]
    observed = sum(a == b for a, b in pairs) / len(pairs)
    pool = "".join(votes)
    chance = sum((pool.count(letter) / len(pool)) ** 2 for letter in set(pool))
    return (observed - chance) / (1 - chance)


def test_kappa_is_that_of_the_worked_example() -> None:
    counts = np.array([[int(n) for n in row.split()] for row in DIAGNOSES.split("|")], dtype=float)
    assert counts.sum(axis=1).tolist() == [14] * 10
    assert fleiss_kappa(counts, np.ones((1, 10)))[0] == pytest.approx(0.210, abs=5e-4)


def test_kappa_is_that_of_a_count_of_pairs_and_a_draw_of_weights_repeats_answers() -> None:
    rng = np.random.default_rng(3)
    rows = ["".join(rng.choice(["F", "P"], p=[p, 1 - p], size=3)) for p in rng.uniform(size=40)]
    counts = np.array([[row.count("F"), row.count("P")] for row in rows], dtype=float)
    weights = rng.integers(0, 4, size=(5, 40)).astype(float)
    for draw, kappa in zip(weights, fleiss_kappa(counts, weights), strict=True):
        repeated = [row for row, times in zip(rows, draw, strict=True) for _ in range(int(times))]
        assert kappa == pytest.approx(kappa_of_pairs(repeated))


@pytest.mark.parametrize(("rows", "value"), [(["FF", "PP", "FF"], 1.0), (["FP", "PF"], -1.0), (["FF", "FF"], None)])
def test_agreement_is_one_minus_one_or_null_if_there_is_one_verdict_only(rows: list[str], value: float | None) -> None:
    members = {name: verdicts("".join(row[n] for row in rows)) for n, name in enumerate("ab")}
    metrics, _ = measure_votes(Votes(members, {}), [(str(n), n) for n in range(len(rows))], members["a"], SETTINGS, 0)
    assert metrics["judge_agreement"].value == value
    assert (metrics["judge_agreement"].reason is None) == (value is not None)


def test_an_answer_that_a_judge_could_not_read_is_in_no_agreement_and_in_its_invalid_share() -> None:
    members = {"a": verdicts("FFP-P"), "b": verdicts("FPPF-")}
    metrics, groups = measure_votes(Votes(members, {}), [(str(n), n) for n in range(5)], verdicts("F-PFP"), SETTINGS, 0)
    assert metrics["judge_agreement"].value == pytest.approx(kappa_of_pairs(["FF", "FP", "PP"]), abs=1e-6)
    assert GAP not in metrics
    shares = {
        name: (numbers["invalid_share"].count, numbers["failure_rate"].count)
        for name, numbers in groups["judge"].items()
    }
    assert shares == {"a": (1, 2), "b": (1, 2)}
    assert groups["judge"]["a"]["failure_rate"].total == 4


def test_both_rates_are_of_the_same_answers_and_the_gap_is_paired_over_prompts() -> None:
    """Answer 4 has no label and answer 5 no verdict of the hold-out judge; a sample counts as often as it was drawn."""
    labels, held = verdicts("FFFP-F"), verdicts("FPPPP-")
    asked = [(i, f"prompt {int(i) % 2}") for i in ("0", "1", "2", "3", "4", "5", "1")]
    metrics, groups = measure_votes(Votes({"a": labels}, {"exact": held}), asked, labels, SETTINGS, 0)
    assert (metrics["failure_rate_paired"].count, metrics["failure_rate_paired"].total) == (4, 5)
    assert (metrics["failure_rate_holdout"].count, metrics["failure_rate_holdout"].total) == (1, 5)
    assert metrics[GAP].value == pytest.approx(3 / 5)
    assert "judge_agreement" not in metrics
    assert list(groups) == ["judge", "hold-out judge"]
    # prompt 0 has the answers 0, 2 (gap 1 of 2) and prompt 1 has 1, 3, 1 (gap 2 of 3): the draws lie between these two gaps
    assert (metrics[GAP].low, metrics[GAP].high) == (0.5, pytest.approx(2 / 3, abs=1e-6))


def test_a_gap_of_judges_that_always_agree_has_no_width_however_unsure_the_rates_are() -> None:
    labels = verdicts("FP" * 10)
    votes = Votes({"a": labels}, {"b": labels})
    metrics, _ = measure_votes(votes, [(i, i) for i in labels], labels, SETTINGS, 0)
    assert (metrics[GAP].low, metrics[GAP].value, metrics[GAP].high) == (0, 0, 0)
    rate = metrics["failure_rate_holdout"]
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low < 0.5 < rate.high


def test_without_a_common_answer_every_number_is_null_with_a_reason() -> None:
    metrics, _ = measure_votes(
        Votes({"a": verdicts("F-")}, {"b": verdicts("-P")}), [("0", 0), ("1", 1)], verdicts("F-"), SETTINGS, 0
    )
    assert {name: (m.value, m.reason) for name, m in metrics.items()} == dict.fromkeys(
        ("failure_rate_paired", "failure_rate_holdout", GAP), (None, "no answer has a verdict of both")
    )


def test_a_kind_without_a_judge_has_no_votes() -> None:
    assert measure_votes(read_votes([], []), [("0", 0)], {"0": "failed"}, SETTINGS, 0) == ({}, {})


def test_files_are_read_by_the_name_of_the_judge(tmp_path: Path) -> None:
    row = Judgement(instruction_id="i", verdict="failed", score=None, detail="", refusal=None)
    for name in ("qwen3.5-guard", "exact"):
        write_records(tmp_path / f"{name}.jsonl", [row])
    votes = read_votes([tmp_path / "qwen3.5-guard.jsonl"], [tmp_path / "exact.jsonl"])
    assert votes == Votes({"qwen3.5-guard": {"i": "failed"}}, {"exact": {"i": "failed"}})


def gap_file(folder: Path, value: float | None, **more: object) -> Path:
    metrics = {GAP: Metric(value=value, low=value, high=value)}
    path = folder / "eval.json"
    path.write_text(evaluation("proposer", "0", metrics, **more).model_dump_json())
    return path


@pytest.mark.parametrize(
    ("first", "now", "growth", "broken"),
    [
        (0.1, 0.25, 0.1, True),
        (0.1, 0.2, 0.1, False),
        (-0.2, 0.0, 0.1, True),
        (0.3, 0.1, 0.1, False),  # a gap that shrinks is no alarm
        (0.1, 0.11, 0.0, True),
        (None, 0.9, 0.1, False),
    ],
)
def test_the_alarm_is_a_growth_of_the_gap_since_iteration_0(
    tmp_path: Path, first: float | None, now: float, growth: float, broken: bool
) -> None:
    labels = verdicts("F" * 100)
    held = verdicts("P" * round(100 * now) + "F" * round(100 - 100 * now))
    votes = replace(read_votes([], [], [gap_file(tmp_path, first)]), holdout={"exact": held})
    metrics, _ = measure_votes(votes, [(i, i) for i in labels], labels, SETTINGS, 0)
    assert metrics[GAP].value == now
    assert metrics[GROWTH].value == (None if first is None else pytest.approx(now - first))
    alarms = gap_alarms(metrics, JudgeGap(action="warn", growth=growth))
    assert bool(alarms) == broken
    if first is not None and alarms:
        limit = f"more than alarm.judge_gap.growth: {growth}"
        assert alarms[0].startswith(f"judge_gap grew by {now - first:.3f} since iteration 0, {limit}, to {now:.3f} [")
    assert gap_alarms(metrics, None) == []
    metrics, _ = measure_votes(replace(votes, first_gap=None), [(i, i) for i in labels], labels, SETTINGS, 0)
    assert GROWTH not in metrics  # iteration 0
    assert gap_alarms(metrics, JudgeGap(action="stop", growth=0)) == []


@pytest.mark.parametrize(("task", "fires"), [("tiny-safety-blind-spot", True), ("tiny-safety", False)])
@pytest.mark.parametrize("run", ["", ".s1", ".s2"])
def test_the_alarm_fires_in_the_runs_that_ship_if_the_training_judge_has_a_blind_spot(
    task: str, run: str, fires: bool
) -> None:
    measured = read_run(REPOSITORY / f"resources/example/{task}{run}.json").measured
    iterations = [m.evaluation for m in measured if m.evaluation.iteration is not None]
    assert [e.iteration for e in iterations] == [0, 1, 2, 3]
    rates = [[e.metrics[f"failure_rate_{name}"].value or 0 for name in ("paired", "holdout")] for e in iterations]
    gaps = [paired - holdout for paired, holdout in rates]
    assert [gap - gaps[0] > 0.1 for gap in gaps[1:]] == [fires] * 3
    assert [bool(gap_alarms(e.metrics, JudgeGap(action="warn", growth=0.1))) for e in iterations[1:]] == [fires] * 3


def test_an_alarm_stops_with_one_line_that_says_what_to_change(tmp_path: Path) -> None:
    path = gap_file(tmp_path, 0.4, judge_alarms=["judge_gap grew by 0.3"])
    with pytest.raises(BadInput, match=r"eval\.json: judge_gap grew by 0\.3; .*alarm\.judge_gap\.action: warn"):
        check_gap(path, tmp_path / "judge_gap.json")
    assert not (tmp_path / "judge_gap.json").exists()
    check_gap(gap_file(tmp_path, 0.4), tmp_path / "judge_gap.json")
    assert json.loads((tmp_path / "judge_gap.json").read_text()) == {GROWTH: None}
