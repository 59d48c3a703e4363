"""The doctor compares the files of a run with the disk, and its jobs with the time limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.doctor import configuration, states
from tests.support.workflows import Workflow

from reversegen.operations.doctor.disk import check_disk
from reversegen.operations.doctor.limits import check_times


def test_the_needed_disk_is_the_sum_of_the_planned_files(workflow: Workflow) -> None:
    """Three models of 17 GB, one of 0.1, proposers 0 to 3, four enhanced targets; a state of six folders where all is trained.

    Where 0 and the last proposer are kept, no more than three stand at a time.
    """
    workflow.write_task("math", {"keep": None}, base="math")
    places = configuration(workflow)
    [finding] = check_disk("math", places, workflow.folder, 190_000_000_000)
    assert (finding.state, finding.text.split(",")[0]) == ("warning", "187.1 GB may be written")
    for free, state in {500_000_000_000: "ok", 186_000_000_000: "stops"}.items():
        assert states(check_disk("math", places, workflow.folder, free)) == [("disk", state)]
    (workflow.folder / "results/math/iter0/proposer").mkdir(parents=True)
    workflow.write_task("full", {"preference": {"lora": None}}, base="math")
    workflow.write_task("few", {"keep": [0, "last"]}, base="math")
    for done in (0, 1):
        (workflow.folder / f"results/few/iter{done}/proposer").mkdir(parents=True)
    for task, needed in {"math": 187 - 17, "full": 187 + 6 * 17, "few": 187 - 3 * 17}.items():
        [finding] = check_disk(task, configuration(workflow), workflow.folder, 10**12)
        assert finding.text.startswith(f"{needed}.1 GB")
        assert ".bin" not in finding.text


def test_weights_are_on_the_disk_twice_until_they_are_converted(workflow: Workflow) -> None:
    needed = []
    for weights in ("safetensors", "bin"):
        workflow.change_models({"vicuna-7b-v1.5": {"weights": weights}})
        [finding] = check_disk("safety", configuration(workflow), workflow.folder, 10**12)
        needed.append(float(finding.text.split(" GB")[0]))
    assert finding.text.endswith(
        "; 17.0 GB of it are .bin weights, which are deleted once they are converted; a quota is not checked"
    )
    assert needed[1] == needed[0] + 17
    (workflow.folder / "resources/downloads/models/vicuna-7b-v1.5").mkdir(parents=True)
    [finding] = check_disk("safety", configuration(workflow), workflow.folder, 10**12)
    assert finding.text.startswith(f"{needed[1] - 34:.1f} GB")
    assert ".bin" not in finding.text


def test_a_job_that_came_near_its_limit_is_found(workflow: Workflow, tmp_path: Path) -> None:
    place = tmp_path / "results/math/benchmarks/iter0"
    place.mkdir(parents=True)
    for rule, seconds in {
        "answer_instructions.2-of-8": 1300 * 60,
        "train_warmup": 600,
        "label_responses": 10**6,
    }.items():
        (place / f"{rule}.tsv").write_text(f"s\th:m:s\n{seconds}\t-\n")
    found = list(check_times("math", configuration(workflow), tmp_path / "results"))
    assert [f.text for f in found if f.state == "warning"] == ["answer_instructions took 1300 of its 1440 minutes"]
    rates = next(f.text for f in found if f.text.startswith("these rates in tokens a second"))
    # 3 iterations x 2,000 prompts x 5 samples x 512 tokens
    assert "sample_instructions 178 (15,360,000 in 1440 minutes, control)" in rates
    assert "answer_instructions" not in rates
    assert "of 2 measured stages answer_instructions took the longest: 78000 s" in found[-1].text


@pytest.mark.parametrize(
    ("task", "shards", "rates"),
    [
        ("honesty", 1, ["sample_instructions 152 (13,056,000 in 1440", "answer_instructions 95 (8,160,000 in 1440"]),
        ("honesty", 8, ["sample_instructions 19 (1,632,000 in 1440", "answer_instructions 12 (1,020,000 in 1440"]),
        ("safety", 8, ["answer_tests 1 (44,800 in 1440", "judge_labelled 1 (12,416 in 1440"]),
    ],
)
def test_the_rates_that_are_enough_are_those_of_the_plan(
    workflow: Workflow, task: str, shards: int, rates: list[str]
) -> None:
    """The rates are those of the largest job of each rule: the control, with ten answers asked twice, or a shard of it."""
    workflow.write_task("cut", {"shards": shards}, base=task)
    [finding] = check_times("cut", configuration(workflow), workflow.folder / "results")
    for rate in rates:
        assert f" {rate} minutes, " in finding.text


def test_a_data_file_that_the_plan_cannot_count_is_found(workflow: Workflow) -> None:
    (workflow.folder / "rows.jsonl").write_text("[")
    seeds = {"own": {"file": str(workflow.folder / "rows.jsonl"), "licence": "MIT"}}
    workflow.write_task("broken", {"data": {"seeds": seeds}}, base="math")
    [finding] = check_times("broken", configuration(workflow), workflow.folder / "results")
    assert (finding.state, "rows.jsonl, line 1: not readable JSON" in finding.text) == ("stops", True)
