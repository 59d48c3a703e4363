"""The used amounts of jobs are those of their benchmarks, records and calls."""

from __future__ import annotations

import pytest
from tests.support.markdown_tables import rows_of
from tests.support.small_task import (
    SMALL,
    configured,
    finish,
    job,
    small_configuration,
    write_lines,
)
from tests.support.workflows import Workflow

from reversegen.operations.job import Amount
from reversegen.operations.plan import plan, plan_markdown
from reversegen.operations.usage import used_amount


def test_used_amounts_are_those_of_benchmarks_records_and_calls(small: Workflow) -> None:
    configuration, folder = small_configuration(small), small.folder / "results/small"
    jobs = plan("small", configuration, folder)
    answers, votes = job(jobs, "answer_instructions", "iter1"), job(jobs, "write_references", "iter1")
    assert used_amount(answers, configuration, folder) is None
    rows = [
        {"instruction_id": str(n // 2), "sample": n % 2, "text": "", "tokens": 7, "finished": True} for n in range(10)
    ]
    write_lines(folder / "iter1/responses.jsonl", rows)
    finish(folder, answers, 1800.0)
    assert used_amount(answers, configuration, folder) == Amount(5, None, 70, 0, 0.5, 0, 1.0)

    calls = [{"tokens_in": 100, "tokens_out": 30, "batch": False, "answers": []}] * 3
    calls += [{"tokens_in": 200, "tokens_out": 10, "batch": True, "answers": []}]
    calls += [{"tokens_in": 0, "tokens_out": 0, "batch": False, "answers": None}]  # a try without an answer
    write_lines(folder / "iter1/references.jsonl.calls/000.jsonl", calls, end='{"tokens_in": 9')
    took = used_amount(votes, configuration, folder)  # killed before its end: its requests are paid
    assert took is not None
    assert (took.calls, took.read, took.written) == (5, 500, 100)
    assert took.money == pytest.approx((300 * 0.5 + 90 * 4.0 + 0.5 * (200 * 0.5 + 10 * 4.0)) / 1e6)
    text = plan_markdown("small", configuration, folder)
    line = rows_of(text, 2)["answer_instructions", "iter1"]
    assert (line["jobs"], line["prompts"]) == ("1 (1)", "200 (5)")


def test_a_killed_job_has_not_ended_and_what_it_paid_is_counted(small: Workflow) -> None:
    configuration, folder = small_configuration(small), small.folder / "results/small"
    call = {"tokens_in": 100, "tokens_out": 30, "batch": False, "answers": []}
    write_lines(folder / "iter1/references.jsonl.calls/000.jsonl", [call])
    lines = rows_of(plan_markdown("small", configuration, folder), 2)
    assert lines["write_references", "iter1"]["jobs"] == "1 (0)"
    assert lines["all", ""]["jobs"].endswith(" (0)")
    finish(folder, job(plan("small", configuration, folder), "write_references", "iter1"), 9.0)
    lines = rows_of(plan_markdown("small", configuration, folder), 2)
    assert lines["write_references", "iter1"]["jobs"] == "1 (1)"


def test_the_gpus_of_every_process_of_a_training_are_counted(small: Workflow) -> None:
    launched = {"training": {"launcher": {"config": "ddp", "processes": 4}, "gradient_accumulation_steps": 4}}
    small.write_task("small", {**SMALL, "enhancement": {**SMALL.get("enhancement", {}), **launched}}, base="tiny-math")
    configuration, folder = configured(small), small.folder / "results/small"
    enhancement = job(plan("small", configuration, folder), "train_target", "enhanced/seeds")
    finish(folder, enhancement, 3600.0)
    took = used_amount(enhancement, configuration, folder)
    assert took
    assert took.gpu_hours == 4.0
