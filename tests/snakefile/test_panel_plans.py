"""Plans of the paper's safety task with a panel and a hold-out judge: who is asked what, and who reads the hold-out judge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.plans import NOWHERE, SOURCES, Job, errors, jobs_of, planned
from tests.support.workflows import Workflow, new_workflow

GUARD, SECOND, HELD = "llama-guard-2-8b", "llama3-8b-instruct", "qwen3guard-8b"
INSTRUCTED = {"format": "instructed", "batch_size": 16}
JUDGE = {
    "panel": [{"model": GUARD, "format": "llama-guard-2", "batch_size": 32}, {"model": SECOND, **INSTRUCTED}],
    "decision": "any",
    "holdout": {"model": HELD, "format": "qwen3guard", "batch_size": 32},
}
TARGETS = ("table.md", "report.html")
TRAINS = {"build_warmup", "train_warmup", "build_pairs", "train_proposer", "select_enhancement", "train_target"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    return new_workflow(tmp_path_factory.mktemp("plans") / "run")


def write_panel(folder: Workflow, **changes: Any) -> None:
    content = {"extends": "safety", "judge": JUDGE} | changes
    (folder.folder / "config/tasks/panel.yaml").write_text(yaml.safe_dump(content))


def dry_run(folder: Workflow, **changes: Any) -> str:
    write_panel(folder, **changes)
    done = folder.run("-n", *(f"results/panel/{target}" for target in TARGETS), **NOWHERE)
    assert done.returncode == 0, done.stdout
    return done.stdout


def ancestors(jobs: list[Job], job: Job, without: str = "") -> set[str]:
    """All files that a job depends on, directly or through other jobs but those of the rule `without`."""
    makers = {path: one for one in jobs for path in one.outputs if one.rule != without}
    pending, found = [*job.inputs], set[str]()
    while pending:
        path = pending.pop()
        if path not in found:
            found.add(path)
            pending += makers[path].inputs if path in makers else []
    return found


def opinions(paths: set[str]) -> set[str]:
    """The files of the hold-out judge among paths, without what it says of labelled rows, by which it is checked."""
    return {path for path in paths if f"/{HELD}.jsonl" in path and "/judge_check/" not in path}


@pytest.fixture(scope="module")
def output(folder: Workflow) -> str:
    return dry_run(folder)


@pytest.fixture(scope="module")
def jobs(output: str) -> list[Job]:
    return jobs_of(output)


def test_each_judge_is_fetched_checked_and_asked(output: str, jobs: list[Job]) -> None:
    counts = planned(output)
    assert len(jobs) == sum(counts.values())
    assert counts["judge_labelled"] == 3
    assert counts["check_judge"] == 1
    # iterations 0 to 3 and the arm `untrained` by three judges, and the control by the panel
    assert counts["judge_responses"] == 5 * 3 + 2
    assert counts["judge_tests"] == 5 * 3
    assert counts["judge_references"] == 5 * 2
    assert counts["judge_seed_references"] == 2
    assert "check_judge_gap" not in counts
    fetched = {path for job in jobs for path in job.outputs if path.startswith("resources/downloads/models/")}
    assert {f"resources/downloads/models/{name}" for name in (GUARD, SECOND, HELD)} <= fetched


def test_labels_read_the_panel_and_evaluations_the_hold_out_judge_too(jobs: list[Job]) -> None:
    for job in jobs:
        read = {path.rpartition("/")[2] for path in job.inputs if "judgements/" in path}
        if job.rule in ("label_responses", "label_tests"):
            assert read == {f"{GUARD}.jsonl", f"{SECOND}.jsonl"}
        if job.rule in ("evaluate_proposer", "evaluate_target", "write_audit", "write_report"):
            assert read == {f"{GUARD}.jsonl", f"{SECOND}.jsonl", f"{HELD}.jsonl"}


def test_nothing_that_trains_depends_on_what_the_hold_out_judge_says(jobs: list[Job]) -> None:
    readers = {job.rule for job in jobs if opinions(set(job.inputs))}
    assert readers == {"evaluate_proposer", "evaluate_target", "write_audit", "write_report"}
    trained = [job for job in jobs if job.rule in TRAINS]
    assert {job.rule for job in trained} == TRAINS
    for job in trained:
        before = ancestors(jobs, job)
        assert opinions(before) == set(), job
        assert not any(path.endswith("eval.json") for path in before)
    labels = next(job for job in jobs if "results/panel/iter3/labels.jsonl" in job.outputs)
    assert f"results/panel/iter3/judgements/{GUARD}.jsonl" in ancestors(jobs, labels)  # so the graph is not empty


def test_a_gap_that_may_stop_the_run_is_checked_before_whatever_comes_next(folder: Workflow) -> None:
    """Only the check itself connects training with the hold-out judge."""
    jobs = jobs_of(dry_run(folder, alarm={"judge_gap": {"action": "stop"}}))
    checked = {path for job in jobs if job.rule == "check_judge_gap" for path in job.outputs}
    assert checked == {f"results/panel/iter{k}/judge_gap.json" for k in (1, 2, 3)}
    made = {path: ancestors(jobs, job) for job in jobs for path in job.outputs}
    for k in (1, 2):
        assert f"results/panel/iter{k}/judge_gap.json" in made[f"results/panel/iter{k + 1}/proposer"]
    for source in SOURCES:
        assert "results/panel/iter3/judge_gap.json" in made[f"results/panel/enhanced/{source}/target"]
    for job in jobs:
        if job.rule in TRAINS:
            assert opinions(ancestors(jobs, job, without="check_judge_gap")) == set()


@pytest.mark.slow
def test_every_judge_of_a_task_in_shards_is_gathered(folder: Workflow) -> None:
    counts = planned(dry_run(folder, shards=2, iterations=1))
    # iterations 0 and 1 and the arm `untrained` by three judges, and the control by the panel
    assert counts["judge_responses"] == 2 * (3 * 3 + 2)
    assert counts["judge_references"] == 2 * 3 * 2


def test_a_file_of_a_judge_that_the_task_does_not_have_is_refused_with_those_that_it_has(folder: Workflow) -> None:
    done = folder.run("-n", "results/safety/iter1/judgements/exact.jsonl", **NOWHERE)
    assert errors(done.stdout) == [f"error: task safety: judge: it has no judge exact; it has {GUARD}"]


def test_the_prefetch_and_the_plan_name_every_judge(folder: Workflow) -> None:
    write_panel(folder)
    done = folder.run("-n", "results/panel/prefetch.json", **NOWHERE)
    assert all(f"models/{name}" in done.stdout for name in (GUARD, SECOND, HELD))
    done = folder.run("results/panel/plan.md", **NOWHERE)
    assert done.returncode == 0, done.stdout
    text = Path(folder.folder, "results/panel/plan.md").read_text()
    assert all(f"iter1/{name}" in text for name in (GUARD, SECOND, HELD))
