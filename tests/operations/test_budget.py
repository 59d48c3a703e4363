"""A budget stops the job that would exceed it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.small_task import (
    PRICES,
    SMALL,
    SPEED,
    configured,
    finish,
    job,
    small_configuration,
    write_lines,
)
from tests.support.workflows import Workflow

from reversegen.core.errors import BadInput
from reversegen.operations.budget import check_budget
from reversegen.operations.job import Amount
from reversegen.operations.plan import plan
from reversegen.operations.usage import used_amount


def start(small: Workflow, rule: str, part: str, **costs: Any) -> None:
    content = yaml.safe_load((small.folder / "config/config.yaml").read_text())
    content["costs"] |= {"question_tokens": 20, "throughput": SPEED, "prices": PRICES}
    check_budget(Path(f"results/small/logs/{part}/{rule}.log"), content)


def test_a_job_starts_only_if_it_and_running_jobs_fit_the_budget(
    small: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small.folder)
    folder = Path("results/small")
    answers = ("answer_instructions", "iter1")  # 20,000 tokens
    configuration = small_configuration(small, tokens=35000)
    start(small, *answers)
    start(small, *answers)  # started again, it counts once
    with pytest.raises(BadInput, match=r"config/tasks/small\.yaml: budget\.tokens: .* to 40,000\.00, more than 35,000"):
        start(small, "answer_instructions", "iter0")
    start(small, "sample_instructions", "iter0")  # 13,200 tokens: a refused job does not count for others
    # the first has finished and used less: 4,000 tokens read as planned, since no file has that number, and 70 written
    jobs = plan("small", configuration, folder)
    write_lines(folder / "iter1/responses.jsonl", [{"instruction_id": "a", "tokens": 70}])
    finish(folder, job(jobs, *answers), 60.0)
    with pytest.raises(BadInput, match="37,270"):
        start(small, "answer_instructions", "iter0")
    small_configuration(small, tokens=38000)  # a raised limit applies to the next job
    start(small, "answer_instructions", "iter0")


def test_each_shard_is_counted_by_its_own_files(small: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small.folder)
    folder = Path("results/small")
    configuration = small_configuration(small, tokens=11000)
    start(small, "answer_instructions.1-of-4", "iter1")  # a quarter of 20,000 tokens
    start(small, "answer_instructions.2-of-4", "iter1")
    with pytest.raises(BadInput, match=r"to 15,000\.00"):
        start(small, "answer_instructions.3-of-4", "iter1")
    answers = job(plan("small", configuration, folder), "answer_instructions", "iter1")
    assert used_amount(answers, configuration, folder) is None
    for n in (1, 2):  # 1,000 planned to be read, and 9 written
        write_lines(folder / f"iter1/responses.{n}-of-4.jsonl", [{"instruction_id": str(n), "tokens": 9}])
        finish(folder, replace(answers, rule=f"answer_instructions.{n}-of-4"), 900.0)
    assert used_amount(answers, configuration, folder) == Amount(2, None, 18, 0, 0.5, 0, 1.0)
    start(small, "answer_instructions.3-of-4", "iter1")  # 2,018 used and 5,000 planned
    with pytest.raises(BadInput, match=r"to 12,018\.00"):
        start(small, "answer_instructions.4-of-4", "iter1")


def test_shards_of_an_earlier_number_count_the_tokens_that_they_used(
    small: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small.folder)
    folder = Path("results/small")
    configuration = small_configuration(small, tokens=12000)
    answers = job(plan("small", configuration, folder), "answer_instructions", "iter1")  # 20,000 tokens
    start(small, "answer_instructions.1-of-4", "iter1")
    start(small, "answer_instructions.2-of-4", "iter1")  # killed
    write_lines(folder / "iter1/responses.1-of-4.jsonl", [{"instruction_id": "1", "tokens": 9}])
    finish(folder, replace(answers, rule="answer_instructions.1-of-4"), 900.0)
    for number, file in enumerate(sorted((folder / "benchmarks/iter1").iterdir())):
        os.utime(file, (number, number))
    start(small, "answer_instructions.1-of-2", "iter1")  # 9 used, and 10,000 planned
    with pytest.raises(BadInput, match=r"to 20,009\.00"):
        start(small, "answer_instructions.2-of-2", "iter1")


def test_answers_to_earlier_shards_of_an_endpoint_are_not_planned_again(
    small: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small.folder)
    folder = Path("results/small")
    configuration = small_configuration(small, tokens=124800)  # as much as all references of an iteration may take
    votes = job(plan("small", configuration, folder), "write_references", "iter1")
    for n in (1, 2):
        write_lines(
            folder / f"iter1/references.{n}-of-2.jsonl.calls/000.jsonl",
            [{"tokens_in": 1000, "tokens_out": 30000, "batch": False, "answers": []}],
        )
        finish(folder, replace(votes, rule=f"write_references.{n}-of-2"), 9.0)
    for file in (folder / "benchmarks/iter1").iterdir():
        os.utime(file, (1, 1))
    for n in (1, 2, 3):
        start(small, f"write_references.{n}-of-3", "iter1")
    with pytest.raises(BadInput, match=r"to 138,000\.00"):
        start(small, "sample_instructions", "iter0")  # 13,200


@pytest.mark.parametrize(("key", "limit"), [("money", 0.05), ("gpu_hours", 0.03)])
def test_money_and_gpu_hours_have_limits_too(
    small: Workflow, monkeypatch: pytest.MonkeyPatch, key: str, limit: float
) -> None:
    monkeypatch.chdir(small.folder)
    small_configuration(small, **{key: limit})
    with pytest.raises(BadInput, match=rf"budget\.{key}: answer_instructions of iter1"):
        start(small, "answer_instructions", "iter1")  # 164 s at 2.00 an hour
    small_configuration(small, **{key: 2 * limit})
    start(small, "answer_instructions", "iter1")
    start(small, "label_responses", "iter1")  # runs no model


@pytest.mark.parametrize(
    ("part", "rule", "key"),
    [
        ("transfer/open-llama-3b", "answer_transfer", "transfer: add open-llama-3b"),
        ("transfer/open-llama-3b/llama-guard-2-8b", "judge_transfer.2-of-3", "transfer: add open-llama-3b"),
        ("iter5", "train_proposer", "iterations: raise it to 5"),
        ("iter2", "answer_instructions", "iterations: raise it to 2"),
        ("iter2", "write_references", "iterations: raise it to 2"),
        ("probe", "answer_seeds", "data.probe: set it to true"),
        ("untrained/llama-guard-2-8b", "judge_references", "budget: remove it"),
        ("untrained", "measure_confidence", "budget: remove it"),
    ],
)
def test_a_job_of_a_model_that_is_not_in_the_plan_does_not_start_under_a_budget(
    small: Workflow, monkeypatch: pytest.MonkeyPatch, part: str, rule: str, key: str
) -> None:
    monkeypatch.chdir(small.folder)
    base = "safety" if rule.startswith("judge_") else "tiny-math"
    small.write_task("small", {**SMALL, "budget": {"tokens": 1e9}}, base=base)
    with pytest.raises(
        BadInput, match=rf"config/tasks/small\.yaml: the job of results/small/logs/{part}/{rule}\.log is not .*; {key}"
    ):
        start(small, rule, part)
    start(small, "evaluate_proposer", part)  # runs no model
    small.write_task("small", SMALL, base=base)
    start(small, rule, part)


def test_the_jobs_of_a_changed_task_start_under_its_budget(small: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small.folder)
    changes = {"transfer": ["open-llama-3b"], "iterations": 2, "data": {"probe": True}, "teacher": "arithmetic"}
    small.write_task("small", {**SMALL, **changes, "budget": {"tokens": 1e9}}, base="tiny-math")
    for rule, part in (
        ("answer_transfer", "transfer/open-llama-3b"),
        ("train_proposer", "iter2"),
        ("answer_seeds", "probe"),
        ("write_references", "iter9"),  # by an exact solver
        ("judge_labelled", "judge_check/tiny"),  # the kind has no judge
    ):
        start(small, rule, part)
    planned = {file.name for file in (small.folder / "results/small/benchmarks").rglob("*.planned.json")}
    assert planned == {f"{rule}.planned.json" for rule in ("answer_transfer", "train_proposer", "answer_seeds")}


def test_a_part_of_another_task_is_not_made_under_a_budget(workflow: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workflow.folder)
    content = "extends: tiny-math\nreuse: [seeds, warmup, iter0]\nbudget: {tokens: 1000000000}\n"
    (workflow.folder / "config/tasks/small.yaml").write_text(content)
    with pytest.raises(BadInput, match=r"small\.yaml: .*; reuse: remove iter0 from it"):
        start(workflow, "sample_instructions", "iter0")


def test_a_budget_without_the_numbers_that_it_needs_is_refused(small: Workflow) -> None:
    small.write_task("small", {**SMALL, "budget": {"gpu_hours": 1.0}}, base="tiny-math")
    configured(small).task("small")  # by assumed throughputs
    (small.folder / "config/throughputs.yaml").unlink()
    with pytest.raises(BadInput, match=r"small\.yaml: budget: it cannot be checked; set costs\.throughput\.8b\.read"):
        configured(small).task("small")
    small.write_task("small", {**SMALL, "budget": {"money": 1.0}}, base="tiny-math")
    with pytest.raises(BadInput, match=r"costs\.prices\.endpoints\.api\.read"):
        configured(small, throughput=SPEED).task("small")
    small.write_task("small", {**SMALL, "budget": {"tokens": 1.0}}, base="tiny-math")
    configured(small).task("small")


def test_a_budget_by_assumed_throughputs_says_so(small: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small.folder)
    small.write_task("small", {**SMALL, "budget": {"gpu_hours": 0.001}}, base="tiny-math")
    content = yaml.safe_load((small.folder / "config/config.yaml").read_text())
    with pytest.raises(
        BadInput, match=r"to 0\.\d\d by assumed throughputs \(plan\.md names them.*\), more than 0\.00;"
    ):
        check_budget(Path("results/small/logs/iter1/answer_instructions.log"), content)


@pytest.mark.slow
def test_a_run_stops_before_the_job_that_would_exceed_its_budget_and_resumes_when_it_is_raised(small: Workflow) -> None:
    target = "results/small/enhanced/seed_references.jsonl"
    small.write_task("small", {**SMALL, "budget": {"tokens": 1000}}, base="tiny-math")
    done = small.run(target)
    assert done.returncode == 1
    assert "write_references: error: config/tasks/small.yaml: budget.tokens: write_seed_references" in done.stdout
    seeds = small.folder / "results/small/seeds.jsonl"
    before = seeds.stat().st_mtime_ns
    small.write_task("small", {**SMALL, "budget": {"tokens": 1e9}}, base="tiny-math")
    done = small.run(target, "results/small/plan.md")
    assert "the environment variable REVERSEGEN_TEST_KEY holds no key" in done.stdout  # it has started
    assert seeds.stat().st_mtime_ns == before
