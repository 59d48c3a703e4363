"""The lines of table.md about contamination and the audit give the numbers of the run."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from tests.support.evaluations import evaluation
from tests.support.markdown_tables import rows_of, too_wide

from reversegen.core.errors import BadInput
from reversegen.core.metric import Metric
from reversegen.evaluation.audit import agreement
from reversegen.evaluation.eval_file import LABELLED_SET
from reversegen.evaluation.judge_check import wilson
from reversegen.loop.contamination import Contamination
from reversegen.reporting.run_checks import (
    audit_text,
    checks_section,
    contamination_text,
    judge_parts,
    vote_parts,
)


def gate(path: Path, near: int, semantic: int | None = None, exact: int = 0) -> Path:
    """A report on 250 rows of the pairs of an iteration."""
    rows = f"{path.stem} pairs"
    alike = {} if semantic is None else {rows: {"test": semantic, "heldout seeds": 0}}
    counts = Contamination({rows: {"test": exact}}, {rows: {"test": near, "heldout seeds": 1}}, {rows: 250}, alike)
    path.write_text(json.dumps(asdict(counts)))
    return path


def test_the_largest_share_of_all_reports_is_shown_with_its_place(tmp_path: Path) -> None:
    gates = [gate(tmp_path / "iter0.json", near=3), gate(tmp_path / "iter1.json", near=2)]
    assert contamination_text(gates) == (
        "0 exact overlaps of training rows with tests and held-out seeds; largest share of near overlaps 0.012 (rows of iter0 "
        "pairs with test)"
    )
    gates.append(gate(tmp_path / "iter2.json", near=0, semantic=5, exact=1))
    assert contamination_text(gates).startswith("1 exact overlaps")
    assert contamination_text(gates).endswith(
        "; largest share of semantic overlaps 0.020 (rows of iter2 pairs with test)"
    )
    assert contamination_text([]).startswith("no training rows were compared")


def test_a_share_of_nothing_has_no_place(tmp_path: Path) -> None:
    path = tmp_path / "warmup.json"
    path.write_text(json.dumps(asdict(Contamination({"w": {"test": 0}}, {"w": {"test": 0}}, {"w": 0}))))
    assert contamination_text([path]).endswith("largest share of near overlaps 0.000")


@pytest.mark.parametrize("content", ["[]", "{}", '{"exact": {"w": 1}, "near": {}, "rows": {}}'])
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "warmup.json").write_text(content)
    with pytest.raises(BadInput, match=r"warmup\.json: not a contamination report"):
        contamination_text([tmp_path / "warmup.json"])


def test_the_judges_errors_are_shown_by_labelled_set() -> None:
    def errors(sensitivity: int, specificity: int) -> dict[str, Metric]:
        return {"judge_sensitivity": wilson(sensitivity, 100), "judge_specificity": wilson(specificity, 100)}

    sets = {"mine": errors(90, 80), "public": errors(70, 95)}
    measured = evaluation("proposer", "0", errors(80, 88), groups={LABELLED_SET: sets})
    _, table = judge_parts([measured])
    assert too_wide(table) == []
    assert rows_of(table)["public",] == {
        "labelled set": "public",
        "sensitivity": "0.700 [0.604, 0.781] of 100",
        "specificity": "0.950 [0.888, 0.978] of 100",
    }
    assert list(rows_of(table)) == [("all",), ("mine",), ("public",)]
    none = {name: Metric(value=None, reason="no row") for name in ("judge_sensitivity", "judge_specificity")}
    assert judge_parts([evaluation("proposer", "0", none)])[1].count("\N{EN DASH}") == 2
    assert judge_parts([evaluation("target", "original", {"accuracy": Metric(value=1.0)})]) == []


def test_each_judge_of_the_last_iteration_and_an_alarm_are_shown() -> None:
    def judge(failed: int, **errors: Metric) -> dict[str, Metric]:
        return {"failure_rate": wilson(failed, 100), "invalid_share": wilson(3, 100), **errors}

    held = judge(20, judge_sensitivity=wilson(1, 1), judge_specificity=Metric(value=None))
    later = {"judge": {"one": judge(60), "a|b": judge(55)}, "hold-out judge": {"exact": held}}
    first, last = (evaluation("proposer", str(k), {}, groups=groups) for k, groups in ((0, {}), (1, later)))
    _, table = vote_parts([last, first])
    assert too_wide(table) == []
    rows = list(rows_of(table).values())
    assert [row["role"] for row in rows] == ["labels", "labels", "only measures"]
    assert [row["failure rate"] for row in rows] == ["0.600", "0.550", "0.200"]
    assert [row["sensitivity"] for row in rows] == ["\N{EN DASH}", "\N{EN DASH}", "1.000"]
    assert rows[2]["specificity"] == "\N{EN DASH}"
    assert (
        vote_parts([first]) == vote_parts([evaluation("proposer", "1", {}, groups={"judge": {"one": judge(60)}})]) == []
    )
    alarmed = evaluation("proposer", "1", {}, judge_alarms=["judge_gap grew by 0.2"])
    text = checks_section([first, alarmed], [])
    assert "**Alarm:** t, iteration 1: judge_gap grew by 0.2." in " ".join(text.split())
    assert "Alarm" not in checks_section([first, last], [])


def test_audits_of_all_iterations_are_counted_together() -> None:
    def audited(iteration: int, same: int, other: int) -> dict[str, Metric]:
        rows = same * [{"verdict": "failed", "person": "failed"}] + other * [{"verdict": "passed", "person": "failed"}]
        return agreement([*rows, {"verdict": "failed", "person": ""}])

    evaluations = [evaluation("proposer", str(n), audited(n, same, 1)) for n, same in enumerate((18, 20))]
    target = evaluation("target", "original", {"accuracy": Metric(value=1.0)})
    assert audit_text([*evaluations, target]) == "a person has checked 40 verdicts; agreement 0.950"
    rate = Metric(value=0.26, low=0.201, high=0.4)
    weighted = evaluation("proposer", "2", audited(2, 9, 1) | {"failure_rate_audited": rate})
    assert audit_text([weighted]) == (
        "a person has checked 10 verdicts; agreement 0.900; failure rate of distinct instructions by the audit of "
        f"{weighted.task}, iteration 2, 0.260 [0.201, 0.400]"
    )
    assert audit_text([target]).startswith("no person has checked a verdict yet")
    assert audit_text([evaluation("proposer", "0", audited(0, 0, 0))]).startswith("no person has checked")
    text = checks_section([target], [])
    assert too_wide(text) == []
