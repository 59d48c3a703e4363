"""A plan names the jobs that Snakemake would run and adds up by hand; a budget stops the job that would pass it."""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.workflows import Workflow

from reversegen.config.load import Configuration, load
from reversegen.core.errors import BadInput
from reversegen.judges.formats.instructed import SYSTEM
from reversegen.kinds.math import STRUCTURED as MATH
from reversegen.operations.costs import check_budget, plan, used, write_plan
from reversegen.operations.planned_jobs import Amount, Job
from reversegen.worlds import SOLVERS

MODEL_RULES = {
    *("answer_seeds", "judge_seeds", "check_judge", "train_warmup", "sample_instructions", "answer_instructions"),
    *("write_references", "judge_responses", "train_proposer", "write_seed_references", "judge_references"),
    *("judge_seed_references", "train_target", "answer_tests", "judge_tests", "measure_confidence"),
    *("answer_transfer", "judge_transfer"),
}
ENDPOINT = {"base_url": "https://api.example.org/v1", "model": "m", "api_key_env": "REVERSEGEN_TEST_KEY"}


def configured(workflow: Workflow, **changes: Any) -> Configuration:
    """The configuration of a workflow's folder, with other `costs`."""
    content = yaml.safe_load((workflow.folder / "config/config.yaml").read_text())
    content["costs"] |= changes
    return load(content, workflow.folder / "config")


def test_a_plan_names_the_model_jobs_that_a_dry_run_names(workflow: Workflow) -> None:
    workflow.change_models({"api": {"endpoint": ENDPOINT, "size": "tiny"}})
    workflow.write_task(
        "moves", {"transfer": ["llama2-7b-chat", "open-llama-3b"], "target": "api", "teacher": "api"}, base="safety"
    )
    reusing = "extends: math\nreuse: [seeds, probe, warmup, iter0, target]\npreference: {reference: warmup}\n"
    (workflow.folder / "config/tasks/reusing.yaml").write_text(reusing)
    tasks = ["safety", "honesty", "tiny-math", "moves", "reusing"]
    done = workflow.run("-n", *(f"results/{task}/table.md" for task in tasks))
    assert done.returncode == 0, done.stdout
    configuration = configured(workflow)
    expected = {task: set[str]() for task in tasks}
    for rule, task, benchmark in re.findall(
        r"^rule (\w+):\n(?:    .*\n)*?    benchmark: results/([^/]+)/(.+)", done.stdout, re.MULTILINE
    ):
        solver = "references" in rule and configuration.tasks[task].teacher in SOLVERS
        judge = rule != "check_judge" or configuration.tasks[task].judge
        if task in expected and rule in MODEL_RULES and judge and not solver:
            expected[task].add(benchmark)
    for task in tasks:
        jobs = plan(task, configuration, workflow.folder / "results" / task)
        names = [str(job.file("benchmarks", ".tsv")) for job in jobs]
        assert sorted(names) == sorted(expected[task])
        assert len(names) >= 11


PRICES = {
    "currency": "EUR",
    "date": "2026-01-31",
    "gpu_hour": 2.0,
    "endpoints": {"api": {"read": 0.5, "written": 4.0}},
}
SPEED = {"8b": {"read": 1000.0, "written": 100.0, "trained": 50.0}}
SMALL: dict[str, Any] = {
    "target": "llama3-8b-instruct",
    "teacher": "api",
    "iterations": 1,
    "prompts": {"train": 30, "heldout": 10},
    "sampling": {"samples_per_prompt": 5, "max_new_tokens": 50},
    "responses": {"max_new_tokens": 80},
    "references": {"system": "Answer in a box.", "max_new_tokens": 200, "samples": 3, "agreeing": 2},
    "transfer": [],
}


@pytest.fixture
def small(workflow: Workflow) -> Workflow:
    workflow.change_models({"api": {"endpoint": ENDPOINT, "size": "tiny"}})
    workflow.write_task("small", SMALL, base="tiny-math")
    return workflow


def small_configuration(small: Workflow, **budget: float) -> Configuration:
    small.write_task("small", {**SMALL, "budget": budget}, base="tiny-math")
    return configured(small, question_tokens=20, throughput=SPEED, prices=PRICES)


def job(jobs: list[Job], rule: str, part: str) -> Job:
    return next(job for job in jobs if (job.rule, job.part) == (rule, part))


def test_amounts_are_those_of_a_hand_count(small: Workflow) -> None:
    jobs = plan("small", small_configuration(small), small.folder / "results/small")
    # 40 prompts of 3 demonstrations and a line, 20 tokens each; 5 samples of 50 tokens; the tiny proposer needs no GPU
    assert job(jobs, "sample_instructions", "iter1").planned == Amount(40, 3200, 10000)
    answers = job(jobs, "answer_instructions", "iter1").planned  # 200 questions of 20 tokens, 80 to each
    assert (answers.prompts, answers.read, answers.written) == (200, 4000, 16000)
    assert answers.gpu_hours == pytest.approx((4000 / 1000 + 16000 / 100) / 3600)
    assert answers.money == pytest.approx(2.0 * (4 + 160) / 3600)
    votes = job(jobs, "write_references", "iter1").planned  # three choices in one request
    assert (votes.calls, votes.read, votes.written, votes.gpu_hours) == (200, 200 * (20 + 4), 200 * 3 * 200, 0)
    assert votes.money == pytest.approx((4800 * 0.5 + 120000 * 4.0) / 1e6)
    enhancement = job(jobs, "train_target", "enhanced/seeds").planned
    assert enhancement.gpu_hours == pytest.approx((enhancement.trained or 0) / 50 / 3600)


def test_a_thought_is_planned_beside_its_answer(small: Workflow) -> None:
    small.change_models({"llama3-8b-instruct": {"thinking": {"enabled": True, "max_tokens": 1000}}})
    jobs = plan("small", small_configuration(small), small.folder / "results/small")
    answers = job(jobs, "answer_instructions", "iter1")
    assert answers.planned.written == 200 * (80 + 1000)
    assert "1 x 1080 new tokens" in answers.why
    small.change_models({"llama3-8b-instruct": {"thinking": {"enabled": False}}})
    jobs = plan("small", small_configuration(small), small.folder / "results/small")
    assert job(jobs, "answer_instructions", "iter1").planned.written == 200 * 80


def test_choices_of_their_own_requests_and_thoughts_are_planned(small: Workflow) -> None:
    endpoint = {**ENDPOINT, "one_choice": True}
    thinking = {"enabled": True, "max_tokens": 1000}
    small.change_models({"api": {"endpoint": endpoint, "size": "tiny", "thinking": thinking}})
    jobs = plan("small", small_configuration(small), small.folder / "results/small")
    votes = job(jobs, "write_references", "iter1").planned  # the prompt of 20 + 4 tokens three times
    assert (votes.prompts, votes.calls, votes.read, votes.written) == (200, 600, 600 * 24, 600 * 1200)
    small.change_models({"api": {"endpoint": endpoint, "size": "tiny", "thinking": {**thinking, "enabled": False}}})
    jobs = plan("small", small_configuration(small), small.folder / "results/small")
    assert job(jobs, "write_references", "iter1").planned.written == 600 * 200


def test_what_every_request_repeats_is_read_with_each(small: Workflow) -> None:
    endpoint = {**ENDPOINT, "structured": True}
    small.change_models({"api": {"endpoint": endpoint, "size": "tiny"}})
    asked = {"system": "Be brief!", "max_new_tokens": 80}  # nine characters, three tokens
    folder = small.folder / "results/small"
    solvable = {"references": {**SMALL["references"], "solvable": "Can it be answered?"}}  # 19 characters, five tokens
    solvable["references"]["solvable_system"] = "Yes or no, please."  # 18 characters, five tokens
    small.write_task("small", {**SMALL, **solvable, "responses": asked}, base="tiny-math")
    jobs = plan("small", configured(small, question_tokens=20), folder)
    assert job(jobs, "answer_instructions", "iter1").planned.read == 200 * (20 + 3)
    request = math.ceil(len(MATH.request) / 4)
    assert job(jobs, "write_references", "iter1").planned.read == 200 * (20 + 4 + request) + 200 * (20 + 5 + 5)
    # 256 tokens of an endpoint's reply, after which 3 solutions of 200 tokens follow
    assert job(jobs, "write_references", "iter1").planned.written == 200 * (3 * 200 + 256)
    small.write_task("small", {**SMALL, **solvable, "teacher": "llama3-8b-instruct"}, base="tiny-math")
    local = job(plan("small", configured(small, question_tokens=20), folder), "write_references", "iter1")
    # a local teacher reads the question with each of Yes, yes, No and no, and writes nothing
    assert local.planned.read == 200 * (20 + 4) + 200 * 4 * (20 + 5 + 5)
    assert (local.planned.written, local.planned.prompts) == (200 * 3 * 200, 400)

    changes = {"teacher": "knowledge", "responses": asked, "honesty": {"samples": 10, "sure_question": "Sure?"}}
    small.write_task("small", {**changes, "iterations": 1, "prompts": SMALL["prompts"]}, base="tiny-honesty")
    configuration = configured(small, question_tokens=20)
    jobs = plan("small", configuration, folder)
    several = configuration.task("small").sampling.samples_per_prompt
    # a question with too few readable answers is asked again
    assert job(jobs, "answer_instructions", "iter1").planned.read == 2 * 40 * several * (20 + 3)
    tests = job(jobs, "answer_tests", "original").planned.prompts or 0
    assert job(jobs, "answer_tests", "original").planned.read == tests * (20 + 3)
    # read once for each option, and for sure and unsure; only what counts for accuracy
    accuracy = sum(
        t.corpus.count for t in configuration.task("small").data.tests.values() if t.measures == "accuracy" and t.corpus
    )
    assert 0 < accuracy < tests
    assert job(jobs, "measure_confidence", "original").planned.read == accuracy * (4 * (20 + 3) + 2 * (20 + 3 + 2))

    judge = {"model": "api", "format": "instructed", "batch_size": 4}
    small.write_task("small", {**SMALL, "target": "llama2-7b-chat", "judge": judge}, base="safety")
    jobs = plan("small", configured(small, question_tokens=20), folder)
    frame = '{"instruction": "", "response": ""}'
    own = math.ceil(len(SYSTEM) / 4) + math.ceil(len(frame) / 4)
    assert job(jobs, "judge_responses", "iter1").planned.read == 200 * (20 + 80 + own)


def test_what_is_not_given_is_not_invented(small: Workflow) -> None:
    small.write_task("small", SMALL, base="tiny-math")
    text = write_plan("small", configured(small), small.folder / "results/small")
    lines = {tuple(line.split(" | ")[:2]): line for line in text.splitlines() if line.startswith("| ")}
    assert "| no throughput | 0 | no price |" in lines["| answer_instructions", "iter1"]
    assert lines["| write_references", "iter1"].endswith("| 200 | no price |")
    assert lines["| sample_instructions", "iter1"].endswith("| 0.00 | 0 | 0.00 |")
    assert "Not counted: what chat templates add" in text
    assert "most" not in text.split("## What this rests on")[0]
    assert "a GPU-hour no price; api no price for a million tokens read and no price written" in text
    given = write_plan("small", small_configuration(small), small.folder / "results/small")
    assert "Prices in EUR, 2026-01-31" in given
    assert "no price" not in given
    assert "no throughput" not in given


def write_lines(path: Path, rows: list[dict[str, Any]], end: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + end)


def finish(folder: Path, job: Job, seconds: float) -> None:
    """A benchmark as Snakemake writes it."""
    path = folder / job.file("benchmarks", ".tsv")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:00\t1.0\n")


def test_used_is_what_benchmarks_records_and_calls_say(small: Workflow) -> None:
    configuration, folder = small_configuration(small), small.folder / "results/small"
    jobs = plan("small", configuration, folder)
    answers, votes = job(jobs, "answer_instructions", "iter1"), job(jobs, "write_references", "iter1")
    assert used(answers, configuration, folder) is None
    rows = [
        {"instruction_id": str(n // 2), "sample": n % 2, "text": "", "tokens": 7, "finished": True} for n in range(10)
    ]
    write_lines(folder / "iter1/responses.jsonl", rows)
    finish(folder, answers, 1800.0)
    assert used(answers, configuration, folder) == Amount(5, None, 70, 0, 0.5, 0, 1.0)

    calls = [{"tokens_in": 100, "tokens_out": 30, "batch": False, "answers": []}] * 3
    calls += [{"tokens_in": 200, "tokens_out": 10, "batch": True, "answers": []}]
    calls += [{"tokens_in": 0, "tokens_out": 0, "batch": False, "answers": None}]  # a try without an answer
    write_lines(folder / "iter1/references.jsonl.calls/000.jsonl", calls, end='{"tokens_in": 9')
    took = used(votes, configuration, folder)  # killed before its end: what it asked is paid
    assert took is not None
    assert (took.calls, took.read, took.written) == (5, 500, 100)
    assert took.money == pytest.approx((300 * 0.5 + 90 * 4.0 + 0.5 * (200 * 0.5 + 10 * 4.0)) / 1e6)
    text = write_plan("small", configuration, folder)
    assert re.search(r"^\| answer_instructions \| iter1 \| .* \| 1 \(1\) \| 200 \(5\) \|", text, re.MULTILINE)


def test_a_killed_job_has_not_ended_and_what_it_paid_is_told(small: Workflow) -> None:
    configuration, folder = small_configuration(small), small.folder / "results/small"
    call = {"tokens_in": 100, "tokens_out": 30, "batch": False, "answers": []}
    write_lines(folder / "iter1/references.jsonl.calls/000.jsonl", [call])
    text = write_plan("small", configuration, folder)
    assert re.search(r"^\| write_references \| iter1 \| api \| 1 \(0\) \|", text, re.MULTILINE)
    assert re.search(r"^\| all \|  \|  \| \d+ \(0\) \|", text, re.MULTILINE)
    finish(folder, job(plan("small", configuration, folder), "write_references", "iter1"), 9.0)
    text = write_plan("small", configuration, folder)
    assert re.search(r"^\| write_references \| iter1 \| api \| 1 \(1\) \|", text, re.MULTILINE)


def test_a_plan_counts_the_jobs_that_a_stage_is_cut_into(small: Workflow) -> None:
    folder = small.folder / "results/small"
    small.write_task("small", {**SMALL, "shards": 3}, base="tiny-math")
    configuration = configured(small)
    jobs = plan("small", configuration, folder)
    once = {job.rule for job in jobs if job.shards == 1}
    assert once == {"train_warmup", "train_proposer", "train_target"}
    call = {"tokens_in": 100, "tokens_out": 30, "batch": False, "answers": []}
    for n in (1, 2):  # killed, without a budget, before they have files of their own but the calls
        write_lines(folder / f"iter1/references.{n}-of-3.jsonl.calls/000.jsonl", [call])
    finish(folder, replace(job(jobs, "write_references", "iter1"), rule="write_references.1-of-3"), 9.0)
    text = write_plan("small", configuration, folder)
    assert re.search(r"^\| write_references \| iter1 \| api \| 3 \(1\) \| .* \| 200 \(2\) \|", text, re.MULTILINE)
    assert re.search(r"^\| answer_tests \| original \| \S+ \| 3 \|", text, re.MULTILINE)
    cut = sum(job.shards == 3 for job in jobs)
    assert f"| all |  |  | {len(jobs) + 2 * cut} (1) |" in text


def test_the_gpus_of_every_process_of_a_training_are_counted(small: Workflow) -> None:
    launched = {"training": {"launcher": {"config": "ddp", "processes": 4}, "gradient_accumulation_steps": 4}}
    small.write_task("small", {**SMALL, "enhancement": {**SMALL.get("enhancement", {}), **launched}}, base="tiny-math")
    configuration, folder = configured(small), small.folder / "results/small"
    enhancement = job(plan("small", configuration, folder), "train_target", "enhanced/seeds")
    finish(folder, enhancement, 3600.0)
    took = used(enhancement, configuration, folder)
    assert took
    assert took.gpu_hours == 4.0


def test_transfer_and_seeds_are_planned_as_they_are_split(small: Workflow) -> None:
    small.write_task("small", {**SMALL, "transfer": ["tiny-arithmetic"]}, base="tiny-math")
    configuration, folder = configured(small), small.folder / "results/small"
    task, jobs = configuration.task("small"), plan("small", configuration, folder)
    heldout = task.prompts.heldout * task.sampling.samples_per_prompt
    assert job(jobs, "answer_transfer", "transfer/tiny-arithmetic").planned.prompts == heldout
    seeds = round(5000 * (1 - task.data.heldout_share))
    assert job(jobs, "write_seed_references", "enhanced").planned.prompts == seeds


def test_what_is_drawn_is_planned_and_no_more(small: Workflow) -> None:
    drawn = {"data": {"probe": True, "probe_seeds": 300}, "warmup": {"rows": None}}
    drawn["enhancement"] = {"rows": 1000, "seed_margin": 0.25}
    folder = small.folder / "results/small"
    small.write_task("small", {**SMALL, **drawn, "target": "tiny-arithmetic"}, base="tiny-math")
    jobs = plan("small", configured(small), folder)
    assert job(jobs, "answer_seeds", "probe").planned.prompts == 300  # of 5,000
    assert "300 of 5,000 seeds (data.probe_seeds)" in job(jobs, "answer_seeds", "probe").why
    assert job(jobs, "train_warmup", "iter0").planned.prompts == 270  # those that train, should it fail on all
    assert job(jobs, "write_seed_references", "enhanced").planned.prompts == 1250  # of 4,500
    drawn |= {"data": {"probe": True, "probe_seeds": None}, "enhancement": {"rows": 4000, "seed_margin": 0.25}}
    small.write_task("small", {**SMALL, **drawn, "target": "tiny-arithmetic"}, base="tiny-math")
    jobs = plan("small", configured(small), folder)
    assert job(jobs, "answer_seeds", "probe").planned.prompts == 5000
    assert job(jobs, "write_seed_references", "enhanced").planned.prompts == 4500
    # of multiple choice, only what the probe asked can be a row
    changes = {"data": {"probe_seeds": 200}, "teacher": "llama3-8b-instruct", "enhancement": {"seed_margin": 0.25}}
    small.write_task("small", changes, base="tiny-honesty")
    jobs = plan("small", configured(small), folder)
    assert job(jobs, "answer_seeds", "probe").planned.prompts == 200
    assert job(jobs, "write_seed_references", "enhanced").planned.prompts == 180


def test_rows_of_a_source_are_those_that_it_has_of_use_and_at_most_those_that_it_takes(
    small: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small.folder)
    good = [
        {"instruction": f"What is {n} + 1 ?", "output": "The answer is: 1", "source": "GSM_FOBAR"} for n in range(70)
    ]
    write_lines(small.folder / "mine.jsonl", [*good, *({**row, "source": "stack_exchange"} for row in good)])
    hub = {"hub": {"repo": "some/set", "name": "default", "split": "train"}, "licence": "MIT"}
    seeds: dict[str, Any] = {
        "mine": {"file": "mine.jsonl", "licence": "MIT"},
        "far": {**hub, "rows": 1234},
        "other": hub,
    }
    tests = {"test": {"file": "mine.jsonl", "licence": "MIT", "measures": "accuracy", "rows": 30}}

    def planned() -> tuple[float | None, float | None, str]:
        small.write_task(
            "small", SMALL | {"teacher": "api"}, base="tiny-math", data={"seeds": seeds, "tests": tests, "probe": True}
        )
        configuration = configured(small, source_rows=10_000)
        jobs = plan("small", configuration, small.folder / "results/small")
        text = write_plan("small", configuration, small.folder / "results/small")
        asked = job(jobs, "answer_tests", "original").planned.prompts
        return job(jobs, "answer_seeds", "probe").planned.prompts, asked, text

    count, asked, text = planned()
    assert (count, asked) == (70 + 1234 + 10_000, 30)
    assert "as `rows` says: far 1,234." in text
    assert "10,000 of each source that is not here yet (costs.source_rows): other." in text
    seeds["mine"]["rows"] = 50
    assert planned()[0] == 50 + 1234 + 10_000


def test_a_plan_is_written_anew_when_a_killed_job_has_paid(small: Workflow) -> None:
    target = "results/small/plan.md"
    assert small.run(target).returncode == 0
    assert "Nothing to be done" in small.run("-n", target).stdout
    calls = small.folder / "results/small/iter1/references.jsonl.calls/000.jsonl"
    write_lines(calls, [{"tokens_in": 100, "tokens_out": 30, "batch": False, "answers": []}])
    assert "write_plan" in small.run("-n", target).stdout


def start(small: Workflow, rule: str, part: str, **costs: Any) -> None:
    content = yaml.safe_load((small.folder / "config/config.yaml").read_text())
    content["costs"] |= {"question_tokens": 20, "throughput": SPEED, "prices": PRICES}
    check_budget(Path(f"results/small/logs/{part}/{rule}.log"), content)


def test_a_job_starts_only_where_it_and_those_that_run_fit(small: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small.folder)
    folder = Path("results/small")
    answers = ("answer_instructions", "iter1")  # 20,000 tokens
    configuration = small_configuration(small, tokens=35000)
    start(small, *answers)
    start(small, *answers)  # started again, it counts once
    with pytest.raises(BadInput, match=r"config/tasks/small\.yaml: budget\.tokens: .* to 40,000\.00, more than 35,000"):
        start(small, "answer_instructions", "iter0")
    start(small, "sample_instructions", "iter0")  # 13,200 tokens: what was refused is not held against others
    # the first has finished, and used less: 4,000 planned to be read, since no file tells, and 70 written
    jobs = plan("small", configuration, folder)
    write_lines(folder / "iter1/responses.jsonl", [{"instruction_id": "a", "tokens": 70}])
    finish(folder, job(jobs, *answers), 60.0)
    with pytest.raises(BadInput, match="37,270"):
        start(small, "answer_instructions", "iter0")
    small_configuration(small, tokens=38000)  # a raised limit counts from the next job on
    start(small, "answer_instructions", "iter0")


def test_shards_are_counted_each_by_its_own_files(small: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small.folder)
    folder = Path("results/small")
    configuration = small_configuration(small, tokens=11000)
    start(small, "answer_instructions.1-of-4", "iter1")  # a quarter of 20,000 tokens
    start(small, "answer_instructions.2-of-4", "iter1")
    with pytest.raises(BadInput, match=r"to 15,000\.00"):
        start(small, "answer_instructions.3-of-4", "iter1")
    answers = job(plan("small", configuration, folder), "answer_instructions", "iter1")
    assert used(answers, configuration, folder) is None
    for n in (1, 2):  # 1,000 planned to be read, and 9 written
        write_lines(folder / f"iter1/responses.{n}-of-4.jsonl", [{"instruction_id": str(n), "tokens": 9}])
        finish(folder, replace(answers, rule=f"answer_instructions.{n}-of-4"), 900.0)
    assert used(answers, configuration, folder) == Amount(2, None, 18, 0, 0.5, 0, 1.0)
    start(small, "answer_instructions.3-of-4", "iter1")  # 2,018 used and 5,000 planned
    with pytest.raises(BadInput, match=r"to 12,018\.00"):
        start(small, "answer_instructions.4-of-4", "iter1")


def test_shards_of_an_earlier_number_count_as_what_they_used(small: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_what_earlier_shards_of_an_endpoint_were_answered_is_not_planned_again(
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
def test_money_and_gpu_hours_are_held_too(
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
        ("transfer/open-llama-3b", "answer_transfer", "transfer: list open-llama-3b"),
        ("transfer/open-llama-3b", "judge_transfer.2-of-3", "transfer: list open-llama-3b"),
        ("iter5", "train_proposer", "iterations: raise it to 5"),
        ("iter2", "answer_instructions", "iterations: raise it to 2"),
        ("iter2", "write_references", "iterations: raise it to 2"),
        ("probe", "answer_seeds", "data.probe: set it to true"),
        ("untrained", "judge_references", "budget: set none"),
        ("untrained", "measure_confidence", "budget: set none"),
    ],
)
def test_a_models_job_that_the_plan_does_not_hold_does_not_start_under_a_budget(
    small: Workflow, monkeypatch: pytest.MonkeyPatch, part: str, rule: str, key: str
) -> None:
    monkeypatch.chdir(small.folder)
    base = "safety" if rule.startswith("judge_") else "tiny-math"
    small.write_task("small", {**SMALL, "budget": {"tokens": 1e9}}, base=base)
    with pytest.raises(BadInput, match=rf"config/tasks/small\.yaml: {key}.*: results/small/logs/{part}/{rule}\.log"):
        start(small, rule, part)
    start(small, "evaluate_proposer", part)  # runs no model
    small.write_task("small", SMALL, base=base)
    start(small, rule, part)


def test_what_a_changed_task_plans_starts_under_its_budget(small: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small.folder)
    changes = {"transfer": ["open-llama-3b"], "iterations": 2, "data": {"probe": True}, "teacher": "arithmetic"}
    small.write_task("small", {**SMALL, **changes, "budget": {"tokens": 1e9}}, base="tiny-math")
    for rule, part in (
        ("answer_transfer", "transfer/open-llama-3b"),
        ("train_proposer", "iter2"),
        ("answer_seeds", "probe"),
        ("write_references", "iter9"),  # by an exact solver
        ("check_judge", "."),  # of rules alone
    ):
        start(small, rule, part)
    planned = {file.name for file in (small.folder / "results/small/benchmarks").rglob("*.planned.json")}
    assert planned == {f"{rule}.planned.json" for rule in ("answer_transfer", "train_proposer", "answer_seeds")}


def test_a_judge_that_is_named_is_checked_and_planned_whatever_the_kind(small: Workflow) -> None:
    judge = {"model": "api", "format": "instructed", "batch_size": 4}
    small.write_task("small", {**SMALL, "judge": judge}, base="tiny-math")
    jobs = plan("small", configured(small), small.folder / "results/small")
    assert [job.rule for job in jobs if "judge" in job.rule] == ["check_judge"]


def test_a_part_that_is_another_tasks_is_not_made_under_a_budget(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workflow.folder)
    content = "extends: tiny-math\nreuse: [seeds, warmup, iter0]\nbudget: {tokens: 1000000000}\n"
    (workflow.folder / "config/tasks/small.yaml").write_text(content)
    with pytest.raises(BadInput, match=r"small\.yaml: reuse: leave iter0 out of it"):
        start(workflow, "sample_instructions", "iter0")


def test_a_budget_that_nothing_is_known_of_is_refused(small: Workflow) -> None:
    small.write_task("small", {**SMALL, "budget": {"gpu_hours": 1.0}}, base="tiny-math")
    with pytest.raises(BadInput, match=r"small\.yaml: budget: it cannot be kept without costs\.throughput\.8b\.read"):
        configured(small).task("small")
    small.write_task("small", {**SMALL, "budget": {"money": 1.0}}, base="tiny-math")
    with pytest.raises(BadInput, match=r"costs\.prices\.endpoints\.api\.read"):
        configured(small, throughput=SPEED).task("small")
    small.write_task("small", {**SMALL, "budget": {"tokens": 1.0}}, base="tiny-math")
    configured(small).task("small")


def test_a_run_stops_before_the_job_that_would_pass_its_budget_and_goes_on_when_it_is_raised(small: Workflow) -> None:
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
