"""The GPU-hours of a plan by assumed, measured and configured throughputs equal a count by hand."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.support.markdown_tables import joined, rows_of, too_wide
from tests.support.small_task import SMALL, SPEED, configured, finish, job, write_lines
from tests.support.workflows import REPOSITORY, Workflow

from reversegen.config.load import read_yaml
from reversegen.operations.doctor.limits import check_times
from reversegen.operations.plan import plan, plan_markdown
from reversegen.operations.usage import used_amount

RATES = read_yaml(REPOSITORY / "config/throughputs.yaml")
ASKED = RATES["8b"]["transformers"]


def hours_by_hand(small: Workflow, **more: Any) -> dict[str, float]:
    """answer_instructions of iter1: 200 questions of 20 tokens, which get 80 tokens each; train_target: 3,800 rows."""
    assert not more
    read, written = 200 * 20, 200 * 80
    return {
        "assumed": (read / ASKED["read"]["rate"] + written / ASKED["written"]["rate"]) / 3600,
        "configured": (read / SPEED["8b"]["read"] + written / SPEED["8b"]["written"]) / 3600,
    }


def test_gpu_hours_rest_on_assumed_throughputs_until_there_are_others(small: Workflow) -> None:
    folder, by_hand = small.folder / "results/small", hours_by_hand(small)
    configuration = configured(small, question_tokens=20)
    answers = job(plan("small", configuration, folder), "answer_instructions", "iter1")
    assert answers.assumed
    assert answers.amount.gpu_hours == pytest.approx(by_hand["assumed"])
    trained = job(plan("small", configuration, folder), "train_target", "enhanced/seeds")
    assert trained.assumed
    assert trained.amount.gpu_hours == pytest.approx(
        (trained.amount.trained or 0) / RATES["8b"]["trained"]["rate"] / 3600
    )
    mine = job(
        plan("small", configured(small, question_tokens=20, throughput=SPEED), folder), "answer_instructions", "iter1"
    )
    assert not mine.assumed
    assert mine.amount.gpu_hours == pytest.approx(by_hand["configured"])


def test_a_plan_marks_what_is_assumed_and_names_its_source_date_and_gpu(small: Workflow) -> None:
    text = plan_markdown("small", configured(small, question_tokens=20), small.folder / "results/small")
    assert too_wide(text) == []
    table = rows_of(text.partition("## GPU memory")[0], 2)
    hours = {key: row["GPU-hours"] for key, row in table.items()}
    assert hours["answer_instructions", "iter1"] == f"{hours_by_hand(small)['assumed']:.2f}*"
    assert hours["sample_instructions", "iter1"] == "0.00"  # a tiny model takes no GPU
    assert hours["all", ""].endswith("*")
    text = joined(text)
    assert "A number with * rests on an assumed throughput" in text
    assert (
        "with llama3-8b-instruct (size 8b, transformers): read 2,500 (assumed), trained 2,500 (assumed), written 600 (assumed)"
    ) in text
    section = text.partition("## Assumed throughputs")[2]
    for name, rate in (("transformers, written", ASKED["written"]), ("training, trained", RATES["8b"]["trained"])):
        assert f"8b, {name}: {rate['rate']:,} on {rate['gpu']}: " in section
        assert f"Source: {rate['source']}, {rate['date']}." in section
    given = plan_markdown("small", configured(small, throughput=SPEED), small.folder / "results/small")
    assert "assumed throughput" not in given
    assert "written 100 (costs.throughput)" in joined(given)


def test_the_rates_of_a_runs_own_finished_jobs_replace_assumptions(small: Workflow) -> None:
    configuration, folder = configured(small, question_tokens=20), small.folder / "results/small"
    answers = job(plan("small", configuration, folder), "answer_instructions", "iter1")
    write_lines(folder / "iter1/responses.jsonl", [{"instruction_id": str(n), "tokens": 50} for n in range(80)])
    finish(folder, answers, 100.0)  # 80 x 50 tokens in 100 seconds on one GPU: 40 a second, reading included
    later = plan("small", configuration, folder)
    other = job(later, "answer_instructions", "iter0")
    assert not other.assumed
    assert other.amount.gpu_hours == pytest.approx((other.amount.written or 0) / 40 / 3600)
    assert job(later, "train_target", "enhanced/seeds").assumed  # nothing has been trained
    text = joined(plan_markdown("small", configuration, folder))
    assert "written 40 (measured by this run, reading included)" in text
    assert "8b, transformers, written" not in text
    mine = configured(small, question_tokens=20, throughput=SPEED)
    hours = job(plan("small", mine, folder), "answer_instructions", "iter1").amount.gpu_hours
    assert hours == pytest.approx(hours_by_hand(small)["configured"])


def test_the_rate_of_a_resumed_job_counts_the_seconds_of_what_it_resumed_from(small: Workflow) -> None:
    """80 rows of 50 tokens: 60 rows took 150 seconds before the job was killed, and the other 20 took 50."""
    configuration, folder = configured(small, question_tokens=20), small.folder / "results/small"
    answers = job(plan("small", configuration, folder), "answer_instructions", "iter1")
    write_lines(folder / "iter1/responses.jsonl", [{"instruction_id": str(n), "tokens": 50} for n in range(80)])
    finish(folder, answers, 50.0)
    log = folder / "logs/iter1/answer_instructions.log"
    log.parent.mkdir(parents=True)
    log.write_text("12:00:00 the part that was finished before took 150.0 s\n12:00:50 80 items, 8 batches in 50.0 s\n")
    text = joined(plan_markdown("small", configuration, folder))
    assert "written 20 (measured by this run, reading included)" in text
    used = used_amount(answers, configuration, folder)
    assert used
    assert used.gpu_hours == pytest.approx(200 / 3600)


def test_the_doctor_warns_of_a_job_that_takes_longer_than_its_limit_by_assumed_throughputs(small: Workflow) -> None:
    configuration = configured(small, question_tokens=20)
    assert [f for f in check_times("small", configuration, small.folder / "results") if f.state == "warning"] == []
    small.write_task("small", {**SMALL, "responses": {"max_new_tokens": 400_000}}, base="tiny-math")
    found = [f for f in check_times("small", configured(small), small.folder / "results") if f.state == "warning"]
    assert found
    for finding in found:
        assert re.fullmatch(r"\w+ of [\w/]+ takes [\d,]+ of its 1440 minutes by assumed throughputs", finding.text)
        assert finding.fix


def test_every_assumption_has_a_source_a_date_and_a_gpu_and_rounds_down() -> None:
    """No assumed rate is above the figures from which its text derives it."""
    for size, entry in RATES.items():
        rates = {"trained": entry.get("trained")}
        rates |= {
            f"{engine} {key}": rate
            for engine in ("vllm", "transformers")
            for key, rate in entry.get(engine, {}).items()
        }
        for name, rate in rates.items():
            if rate:
                assert rate["source"].startswith("https://"), (size, name)
                assert re.fullmatch(r"\d{4}-\d\d-\d\d", rate["date"])
                assert rate["gpu"]
                assert rate["how"]
    derived = {
        ("8b", "vllm", "written"): 13_322 / 2,
        ("8b", "vllm", "read"): 8 * 3_017.7 / 2,
        ("8b", "transformers", "written"): 16 * 40.93 * 7.72 / 8.03,
        ("4b-24gb", "vllm", "written"): 10.31 * 600 * 3.09 / 4.02 / 2,
        ("4b-24gb", "vllm", "read"): 2 * 1190 * 7.25 / 4.02 / 2,
        ("4b-24gb", "transformers", "written"): 16 * 18.0571 * 6.74 / 4.02 / 2,
        ("8b-24gb", "vllm", "written"): 5.96 * 600 / 2,
        ("8b-24gb", "vllm", "read"): 2 * 1190 / 2,
    }
    for (size, engine, tokens), figure in derived.items():
        assert 0.9 * figure <= RATES[size][engine][tokens]["rate"] <= figure
    training = 8 * 1024 / 2.8
    assert RATES["8b"]["trained"]["rate"] <= training * 7 / 8
    assert RATES["4b-24gb"]["trained"]["rate"] <= min(training * 7 / 4, 3_083 * 8.03 / 4.02) / 4
