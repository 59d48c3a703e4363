"""A plan names the jobs that Snakemake would run, and its amounts equal a count by hand."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import pytest
import yaml
from tests.support.markdown_tables import joined, rows_of, too_wide
from tests.support.small_task import (
    ENDPOINT,
    SMALL,
    configured,
    finish,
    job,
    small_configuration,
    write_lines,
)
from tests.support.workflows import REPOSITORY, Workflow

from reversegen.judges.formats.instructed import SYSTEM
from reversegen.kinds.math import STRUCTURED as MATH
from reversegen.operations.job import Amount
from reversegen.operations.plan import plan, plan_markdown
from reversegen.workflow.stages import STAGES
from reversegen.worlds import SOLVERS


def test_a_plan_names_the_model_jobs_that_a_dry_run_names(workflow: Workflow) -> None:
    workflow.change_models({"api": {"endpoint": ENDPOINT, "size": "tiny"}})
    workflow.write_task(
        "moves", {"transfer": ["llama2-7b-chat", "open-llama-3b"], "target": "api", "teacher": "api"}, base="safety"
    )
    reusing = "extends: math\nreuse: [seeds, probe, warmup, iter0, original]\npreference: {reference: warmup}\n"
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
        if task in expected and rule in STAGES and STAGES[rule].role != "embedding" and not solver:
            expected[task].add(benchmark)
    for task in tasks:
        jobs = plan(task, configuration, workflow.folder / "results" / task)
        names = [str(job.file("benchmarks", ".tsv")) for job in jobs]
        assert sorted(names) == sorted(expected[task])
        assert len(names) >= 11


def test_amounts_are_those_of_a_hand_count(small: Workflow) -> None:
    jobs = plan("small", small_configuration(small), small.folder / "results/small")
    # 40 prompts of 3 demonstrations and a line, 20 tokens each; 5 samples of 50 tokens; the tiny proposer needs no GPU
    assert job(jobs, "sample_instructions", "iter1").amount == Amount(40, 3200, 10000)
    answers = job(jobs, "answer_instructions", "iter1").amount  # 200 questions of 20 tokens, 80 to each
    assert (answers.prompts, answers.read, answers.written) == (200, 4000, 16000)
    assert answers.gpu_hours == pytest.approx((4000 / 1000 + 16000 / 100) / 3600)
    assert answers.money == pytest.approx(2.0 * (4 + 160) / 3600)
    votes = job(jobs, "write_references", "iter1").amount  # three choices in one request
    assert (votes.calls, votes.read, votes.written, votes.gpu_hours) == (200, 200 * (20 + 4), 200 * 3 * 200, 0)
    assert votes.money == pytest.approx((4800 * 0.5 + 120000 * 4.0) / 1e6)
    enhancement = job(jobs, "train_target", "enhanced/seeds").amount
    assert enhancement.gpu_hours == pytest.approx((enhancement.trained or 0) / 50 / 3600)


def test_a_thought_is_planned_beside_its_answer(small: Workflow) -> None:
    small.change_models({"llama3-8b-instruct": {"thinking": {"enabled": True, "max_tokens": 1000}}})
    jobs = plan("small", small_configuration(small), small.folder / "results/small")
    answers = job(jobs, "answer_instructions", "iter1")
    assert answers.amount.written == 200 * (80 + 1000)
    assert "1 x 1080 new tokens" in answers.why
    small.change_models({"llama3-8b-instruct": {"thinking": {"enabled": False}}})
    jobs = plan("small", small_configuration(small), small.folder / "results/small")
    assert job(jobs, "answer_instructions", "iter1").amount.written == 200 * 80


def test_choices_that_take_a_request_each_and_thoughts_are_planned(small: Workflow) -> None:
    endpoint = {**ENDPOINT, "one_choice": True}
    thinking = {"enabled": True, "max_tokens": 1000}
    small.change_models({"api": {"endpoint": endpoint, "size": "tiny", "thinking": thinking}})
    jobs = plan("small", small_configuration(small), small.folder / "results/small")
    votes = job(jobs, "write_references", "iter1").amount  # the prompt of 20 + 4 tokens three times
    assert (votes.prompts, votes.calls, votes.read, votes.written) == (200, 600, 600 * 24, 600 * 1200)
    small.change_models({"api": {"endpoint": endpoint, "size": "tiny", "thinking": {**thinking, "enabled": False}}})
    jobs = plan("small", small_configuration(small), small.folder / "results/small")
    assert job(jobs, "write_references", "iter1").amount.written == 600 * 200


def test_texts_that_every_request_repeats_are_read_with_each(small: Workflow) -> None:
    endpoint = {**ENDPOINT, "structured": True}
    small.change_models({"api": {"endpoint": endpoint, "size": "tiny"}})
    asked = {"system": "Be brief!", "max_new_tokens": 80}  # nine characters, three tokens
    folder = small.folder / "results/small"
    solvable = {"references": {**SMALL["references"], "solvable": "Can it be answered?"}}  # 19 characters, five tokens
    solvable["references"]["solvable_system"] = "Yes or no, please."  # 18 characters, five tokens
    small.write_task("small", {**SMALL, **solvable, "responses": asked}, base="tiny-math")
    jobs = plan("small", configured(small, question_tokens=20), folder)
    assert job(jobs, "answer_instructions", "iter1").amount.read == 200 * (20 + 3)
    request = math.ceil(len(MATH.request) / 4)
    assert job(jobs, "write_references", "iter1").amount.read == 200 * (20 + 4 + request) + 200 * (20 + 5 + 5)
    # 256 tokens of an endpoint's reply, after which 3 solutions of 200 tokens follow
    assert job(jobs, "write_references", "iter1").amount.written == 200 * (3 * 200 + 256)
    small.write_task("small", {**SMALL, **solvable, "teacher": "llama3-8b-instruct"}, base="tiny-math")
    local = job(plan("small", configured(small, question_tokens=20), folder), "write_references", "iter1")
    # a local teacher reads the question with each of Yes, yes, No and no, and writes nothing
    assert local.amount.read == 200 * (20 + 4) + 200 * 4 * (20 + 5 + 5)
    assert (local.amount.written, local.amount.prompts) == (200 * 3 * 200, 400)

    changes = {"teacher": "knowledge", "responses": asked, "honesty": {"samples": 10, "sure_question": "Sure?"}}
    small.write_task("small", {**changes, "iterations": 1, "prompts": SMALL["prompts"]}, base="tiny-honesty")
    configuration = configured(small, question_tokens=20)
    jobs = plan("small", configuration, folder)
    several = configuration.task("small").sampling.samples_per_prompt
    # a question with too few readable answers is asked again
    assert job(jobs, "answer_instructions", "iter1").amount.read == 2 * 40 * several * (20 + 3)
    tests = job(jobs, "answer_tests", "original").amount.prompts or 0
    assert job(jobs, "answer_tests", "original").amount.read == tests * (20 + 3)
    # it is read once for each option, and for sure and unsure; only questions that count for accuracy are
    accuracy = sum(
        t.corpus.count for t in configuration.task("small").data.tests.values() if t.measures == "accuracy" and t.corpus
    )
    assert 0 < accuracy < tests
    assert job(jobs, "measure_confidence", "original").amount.read == accuracy * (4 * (20 + 3) + 2 * (20 + 3 + 2))

    judge = {"model": "api", "format": "instructed", "batch_size": 4}
    small.write_task("small", {**SMALL, "target": "llama2-7b-chat", "judge": judge}, base="safety")
    jobs = plan("small", configured(small, question_tokens=20), folder)
    frame = '{"instruction": "", "response": ""}'
    own = math.ceil(len(SYSTEM) / 4) + math.ceil(len(frame) / 4)
    assert job(jobs, "judge_responses", "iter1/api").amount.read == 200 * (20 + 80 + own)


def test_a_number_that_is_not_given_is_not_invented(small: Workflow) -> None:
    small.write_task("small", SMALL, base="tiny-math")
    (small.folder / "config/throughputs.yaml").unlink()
    text = plan_markdown("small", configured(small), small.folder / "results/small")
    assert too_wide(text) == []
    table = text.partition("## GPU memory")[0]
    lines = {key: [row[name] for name in ("GPU-hours", "API calls", "USD")] for key, row in rows_of(table, 2).items()}
    assert lines["answer_instructions", "iter1"] == ["no throughput", "0", "no price"]
    assert lines["write_references", "iter1"] == ["0.00", "200", "no price"]
    assert lines["sample_instructions", "iter1"] == ["0.00", "0", "0.00"]
    text = joined(text)
    assert "Not counted: what chat templates add" in text
    assert "most" not in text.split("## What this rests on")[0]
    assert "a GPU-hour no price; api no price for a million tokens read and no price written" in text
    given = plan_markdown("small", small_configuration(small), small.folder / "results/small")
    assert "Prices in EUR, 2026-01-31" in given
    assert "no price" not in given
    assert "no throughput" not in given


def test_a_plan_counts_the_shards_of_a_stage(small: Workflow) -> None:
    folder = small.folder / "results/small"
    small.write_task("small", {**SMALL, "shards": 3}, base="tiny-math")
    configuration = configured(small)
    jobs = plan("small", configuration, folder)
    once = {job.rule for job in jobs if job.shards == 1}
    assert once == {"train_warmup", "train_proposer", "train_target"}
    call = {"tokens_in": 100, "tokens_out": 30, "batch": False, "answers": []}
    for n in (1, 2):  # killed without a budget, when they had no files except the logged calls
        write_lines(folder / f"iter1/references.{n}-of-3.jsonl.calls/000.jsonl", [call])
    finish(folder, replace(job(jobs, "write_references", "iter1"), rule="write_references.1-of-3"), 9.0)
    text = plan_markdown("small", configuration, folder)
    lines = rows_of(text, 2)
    references = lines["write_references", "iter1"]
    assert [references[name] for name in ("model", "jobs", "API calls")] == ["api", "3 (1)", "200 (2)"]
    assert lines["answer_tests", "original"]["jobs"] == "3"
    cut = sum(job.shards == 3 for job in jobs)
    assert lines["all", ""]["jobs"] == f"{len(jobs) + 2 * cut} (1)"


def test_transfer_and_seeds_are_planned_as_they_are_split(small: Workflow) -> None:
    small.write_task("small", {**SMALL, "transfer": ["tiny-arithmetic"]}, base="tiny-math")
    configuration, folder = configured(small), small.folder / "results/small"
    task, jobs = configuration.task("small"), plan("small", configuration, folder)
    heldout = task.prompts.heldout * task.sampling.samples_per_prompt
    assert job(jobs, "answer_transfer", "transfer/tiny-arithmetic").amount.prompts == heldout
    seeds = round(5000 * (1 - task.data.heldout_share))
    assert job(jobs, "write_seed_references", "enhanced").amount.prompts == seeds


def test_only_drawn_seeds_are_planned(small: Workflow) -> None:
    drawn = {"data": {"probe": True, "probe_seeds": 300}, "warmup": {"rows": None}}
    drawn["enhancement"] = {"rows": 1000, "seed_margin": 0.25}
    folder = small.folder / "results/small"
    small.write_task("small", {**SMALL, **drawn, "target": "tiny-arithmetic"}, base="tiny-math")
    jobs = plan("small", configured(small), folder)
    assert job(jobs, "answer_seeds", "probe").amount.prompts == 300  # of 5,000
    assert "300 of 5,000 seeds (data.probe_seeds)" in job(jobs, "answer_seeds", "probe").why
    assert (
        job(jobs, "train_warmup", "iter0").amount.prompts == 270
    )  # the training seeds, if the target fails on all of them
    assert job(jobs, "write_seed_references", "enhanced").amount.prompts == 1250  # of 4,500
    drawn |= {"data": {"probe": True, "probe_seeds": None}, "enhancement": {"rows": 4000, "seed_margin": 0.25}}
    small.write_task("small", {**SMALL, **drawn, "target": "tiny-arithmetic"}, base="tiny-math")
    jobs = plan("small", configured(small), folder)
    assert job(jobs, "answer_seeds", "probe").amount.prompts == 5000
    assert job(jobs, "write_seed_references", "enhanced").amount.prompts == 4500
    # of multiple choice, only what the probe asked can be a row
    changes = {"data": {"probe_seeds": 200}, "teacher": "llama3-8b-instruct", "enhancement": {"seed_margin": 0.25}}
    small.write_task("small", changes, base="tiny-honesty")
    jobs = plan("small", configured(small), folder)
    assert job(jobs, "answer_seeds", "probe").amount.prompts == 200
    assert job(jobs, "write_seed_references", "enhanced").amount.prompts == 180


def test_rows_of_a_source_are_its_usable_rows_and_at_most_its_limit(
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
        text = joined(plan_markdown("small", configuration, small.folder / "results/small"))
        asked = job(jobs, "answer_tests", "original").amount.prompts
        return job(jobs, "answer_seeds", "probe").amount.prompts, asked, text

    count, asked, text = planned()
    assert (count, asked) == (70 + 1234 + 10_000, 30)
    assert "as `rows` of each states: far 1,234." in text
    assert "10,000 of each source that is not here yet (costs.source_rows): other." in text
    seeds["mine"]["rows"] = 50
    assert planned()[0] == 50 + 1234 + 10_000


@pytest.mark.slow
def test_a_plan_is_written_again_when_a_killed_job_has_paid(small: Workflow) -> None:
    target = "results/small/plan.md"
    assert small.run(target).returncode == 0
    assert "Nothing to be done" in small.run("-n", target).stdout
    calls = small.folder / "results/small/iter1/references.jsonl.calls/000.jsonl"
    write_lines(calls, [{"tokens_in": 100, "tokens_out": 30, "batch": False, "answers": []}])
    assert "write_plan" in small.run("-n", target).stdout


def test_the_rows_of_all_labelled_sets_are_planned(small: Workflow) -> None:
    public = {"hub": {"repo": "a/b", "name": "main", "split": "test"}, "licence": "MIT"}
    judge = {"model": "api", "format": "instructed", "batch_size": 4}
    counts = []
    for sets in ({"shipped": None}, {"shipped": None, "public": public | {"rows": 40}}):
        small.write_task("small", {**SMALL, "judge": judge, "data": {"judge": sets}}, base="safety")
        jobs = plan("small", configured(small), small.folder / "results/small")
        counts.append(job(jobs, "judge_labelled", "judge_check/api").amount.prompts)
    shipped = len((REPOSITORY / "resources/judge/safety.jsonl").read_text().splitlines())
    assert counts == [shipped, shipped + 40]


def test_each_judge_of_a_panel_has_jobs_of_its_own_and_the_hold_out_judge_only_those_that_measure(
    small: Workflow,
) -> None:
    """An exact judge has no model, so it is in no plan. The hold-out judge reads held-out samples and attacks."""
    small.change_models({"api2": {"endpoint": ENDPOINT, "size": "tiny"}})
    form = {"format": "instructed", "batch_size": 4}
    panel = [{"model": "api", **form}, {"format": "exact"}]
    world = {
        "corpus": {"world": "policy", "mix": "judged", "part": "test", "count": 50, "random_seed": 7, "distinct": False}
    }
    judge = {"panel": panel, "holdout": {"model": "api2", **form}}
    content = {**SMALL, "extends": "safety", "judge": judge, "data": {"judge": {"world": {**world, "licence": "own"}}}}
    (small.folder / "config/tasks/small.yaml").write_text(yaml.safe_dump(content))
    jobs = [one for one in plan("small", configured(small), small.folder / "results/small") if "judge" in one.rule]
    outputs = {one.output for one in jobs}
    assert {one.model for one in jobs} == {"api", "api2"}
    held = {output for output in outputs if output.endswith("/api2.jsonl")}
    assert "iter1/judgements/api2.jsonl" in held
    assert held < {output.replace("api.jsonl", "api2.jsonl") for output in outputs}
    assert not any("control" in output or "reference" in output or "seed_judgements" in output for output in held)
    asked = {one.model: one.amount.prompts for one in jobs if one.rule == "judge_responses" and "iter1" in one.part}
    prompts = configured(small).task("small").prompts
    assert asked["api2"] * (prompts.train + prompts.heldout) == asked["api"] * prompts.heldout
