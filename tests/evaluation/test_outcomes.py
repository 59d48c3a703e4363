"""Outcomes of each prompt or question, collected from labels that are counted by hand in this file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.evaluations import (
    ASKED,
    collect,
    evaluation,
    write_proposer,
    write_target,
)
from tests.support.kinds import FACTUAL, MATH

from reversegen.core.errors import BadInput
from reversegen.core.metric import Metric
from reversegen.core.records import Confidence, Instruction, Label, Sample, read_records, write_records
from reversegen.evaluation.outcomes import Counts, EvaluationOutcomes, Run, proposer_counts, read_run
from reversegen.ids import content_id, instruction_id


def test_a_proposers_failures_are_counted_by_held_out_prompt(tmp_path: Path) -> None:
    run = collect(tmp_path, [write_proposer(tmp_path)], [])
    assert (run.task, run.extends, run.proposer, run.target) == ("t", None, "small", "large")
    rate, validity = (run.measured[0].counts[name] for name in ("failure_rate", "validity"))
    assert (rate.hits, rate.totals) == ([2, 1, 0], [3, 2, 0])
    assert (validity.hits, validity.trials) == ([3, 2, 0], 3)
    assert rate.clusters == validity.clusters == content_id("p1", "p2", "p3")


def test_right_answers_and_abstentions_are_counted_by_held_out_prompt_if_the_target_may_abstain(tmp_path: Path) -> None:
    """The same samples as above; the third one of p1 is right, and that of p2 abstains."""
    write_proposer(tmp_path)
    labels = [
        label.model_copy(update={"abstained": label.instruction_id == "p2.2"})
        for label in read_records(tmp_path / "labels.jsonl", Label)
    ]
    samples = read_records(tmp_path / "samples.jsonl", Sample)
    instructions = read_records(tmp_path / "instructions.jsonl", Instruction)
    counts = proposer_counts(samples, instructions, labels, FACTUAL)
    assert {name: (one.hits, one.totals) for name, one in counts.items()} == {
        "failure_rate": ([2, 1, 0], [3, 2, 0]),
        "right_share": ([1, 0, 0], [3, 2, 0]),
        "abstained_share": ([0, 1, 0], [3, 2, 0]),
        "validity": ([3, 2, 0], [3, 3, 3]),
    }
    assert set(proposer_counts(samples, instructions, labels, MATH)) == {"failure_rate", "validity"}


def test_a_targets_answers_are_counted_by_canonical_question_and_by_set(tmp_path: Path) -> None:
    path, tests = write_target(tmp_path)
    counts = collect(tmp_path, [path], tests).measured[0].counts
    assert set(counts) == {"accuracy", "easy/accuracy", "hard/accuracy", "retained"}
    assert sorted(zip(counts["easy/accuracy"].hits, counts["easy/accuracy"].totals, strict=True)) == [(1, 1), (1, 2)]
    assert sorted(zip(counts["accuracy"].hits, counts["accuracy"].totals, strict=True)) == [(0, 1), (1, 1), (1, 2)]
    assert (counts["hard/accuracy"].hits, counts["retained"].hits) == ([0], [1])


def test_scores_of_answers_are_ordered_by_cluster(tmp_path: Path) -> None:
    path, tests = write_target(tmp_path)
    asked = [instruction_id(text) for text in (*ASKED["easy"], *ASKED["hard"])]
    sure = [Confidence(question_id=i, option="A", answer=0.2 * n, sure=0.5) for n, i in enumerate(asked)]
    write_records(tmp_path / "confidences.jsonl", sure)
    scores = collect(tmp_path, [path], tests).measured[0].scores
    assert scores
    rows_by_cluster = sorted(zip(scores.members, scores.right, scores.score, strict=True))
    same = [
        (right, score)
        for member, right, score in rows_by_cluster
        if [m for m, _, _ in rows_by_cluster].count(member) == 2
    ]
    assert same == [(0, 0.35), (1, 0.25)]
    assert sorted((right, score) for _, right, score in rows_by_cluster) == [(0, 0.35), (0, 0.55), (1, 0.25), (1, 0.45)]


def test_an_evaluation_without_its_labels_is_collected_without_counts(tmp_path: Path) -> None:
    path = write_proposer(tmp_path)
    (tmp_path / "labels.jsonl").unlink()
    (measured,) = collect(tmp_path, [path], []).measured
    assert (measured.counts, measured.evaluation.iteration) == ({}, 1)


def test_labels_that_do_not_belong_to_the_evaluation_are_refused(tmp_path: Path) -> None:
    path = write_proposer(tmp_path, failed=4)
    with pytest.raises(
        BadInput, match=r"failure_rate: hits and trials are \(3, 5\) by prompt .*, but \(4, 5\) in eval.json"
    ):
        collect(tmp_path, [path], [])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hits": [1, 2]}, "hits and trials differ in length"),
        (
            {"hits": [3, 0, 0]},
            "measured.0.counts.failure_rate: Value error, hits and trials differ in length, or a cluster",
        ),
        ({"trials": [3.5, 2, 0]}, "trials"),
        ({"more": 1}, "more: Extra inputs are not permitted"),
    ],
)
def test_a_malformed_file_is_refused_with_its_name_and_field(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    counts = Counts(clusters="c", hits=[1, 1, 0], trials=[2, 2, 0])
    metrics = {"failure_rate": Metric(value=0.5, count=2, total=4)}
    measured = EvaluationOutcomes(
        evaluation=evaluation("proposer", "0", metrics), counts={"failure_rate": counts}, scores=None
    )
    run = json.loads(
        Run(task="t", kind="math", proposer="p", target="q", extends=None, measured=[measured]).model_dump_json()
    )
    run["measured"][0]["counts"]["failure_rate"] |= change
    (tmp_path / "outcomes.json").write_text(json.dumps(run))
    with pytest.raises(BadInput) as error:
        read_run(tmp_path / "outcomes.json")
    assert str(error.value).startswith(f"{tmp_path}/outcomes.json: measured.0.counts.failure_rate")
    assert message in str(error.value)


def test_an_evaluation_of_the_old_form_is_refused_with_the_new_names(tmp_path: Path) -> None:
    metrics = {"failure_rate": Metric(value=0.5, count=2, total=4)}
    measured = EvaluationOutcomes(evaluation=evaluation("proposer", "untrained", metrics), counts={}, scores=None)
    run = Run(task="t", kind="math", proposer="p", target="q", extends=None, measured=[measured]).model_dump()
    old = run["measured"][0]["evaluation"]
    del old["arm"], old["variant"]
    old["source"] = "baseline"
    (tmp_path / "outcomes.json").write_text(json.dumps(run))
    with pytest.raises(BadInput) as error:
        read_run(tmp_path / "outcomes.json")
    place = f"{tmp_path}/outcomes.json: measured.0.evaluation.source"
    assert str(error.value) == f"{place}: is now `arm` of a proposer, `variant` of a target"
