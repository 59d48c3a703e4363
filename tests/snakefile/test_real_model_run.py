"""The task small-factual with a real model and real facts, as small as it can be: from the packages to the page."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.workflows import Workflow, kill_tree, new_workflow

from reversegen.core.records import Instruction, Pair, Question, TrainingRow, read_records
from reversegen.worlds.facts.real_facts import Facts

pytestmark = [pytest.mark.models, pytest.mark.real_model]

TINY: dict[str, Any] = {"num_train_epochs": 1, "per_device_train_batch_size": 4}
CHANGES: dict[str, Any] = {
    "iterations": 1,
    "data": {
        "heldout_share": 0.2,  # a prompt needs four held-out seeds
        "seeds": {"facts": {"corpus": {"count": 70}}},
        "tests": {"popular": {"corpus": {"count": 7}}, "uniform": {"corpus": {"count": 7}}},
    },
    "prompts": {"train": 6, "heldout": 4},
    "sampling": {"samples_per_prompt": 4, "batch_size": 16},
    "responses": {"batch_size": 16, "max_new_tokens": 16},
    "factual": {"samples": 2},
    "warmup": {"training": TINY},
    "pairs": {"max_pairs": 4, "same_type": False},
    "preference": {"min_steps": 1, "training": TINY},
    "enhancement": {"rows": 4, "replay_rows": 2, "training": TINY},
    "evaluation": {"bootstrap": 100, "diversity_sample": 10},
}
LONG = (
    "iter0/proposer",
    "iter0/samples.jsonl",
    "iter0/responses.jsonl",
    "iter1/proposer",
    "enhanced/answers.jsonl",
    "enhanced/reversegen/target",
    "original/responses.jsonl",
)
"""The output of each stage that runs a model for long."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, packaged_facts: Path) -> Workflow:
    """A folder in which the small run has ended. `packaged_facts` skips the tests where pip cannot download."""
    workflow = new_workflow(tmp_path_factory.mktemp("real") / "run")
    workflow.write_task("small", CHANGES, base="small-factual")
    done = workflow.run("results/small/table.md", "results/small/report.html")
    assert done.returncode == 0, done.stdout
    return workflow


def test_a_real_model_goes_through_the_loop_and_no_row_names_what_is_held_out(finished: Workflow) -> None:
    results = finished.folder / "results/small"
    facts = Facts(finished.folder / "results/worlds/facts.jsonl")
    table = (results / "table.md").read_text()
    assert all(name in table for name in ("truthfulness", "hallucination_rate", "abstention_rate", "over_abstention"))
    asked = [i for k in (0, 1) for i in read_records(results / f"iter{k}/instructions.jsonl", Instruction)]
    assert any(one.invalid is None for one in asked)
    pairs = read_records(results / "iter0/pairs.jsonl", Pair)
    assert pairs
    taught = [text for pair in pairs for text in (pair.chosen, pair.rejected)]
    for path in results.glob("enhanced/*/train.jsonl"):
        rows = read_records(path, TrainingRow)
        assert rows
        taught += [
            turn.content for row in rows for turn in row.prompt if not isinstance(turn, str) and turn.role == "user"
        ]
    tests = [q for path in results.glob("tests/*.jsonl") for q in read_records(path, Question)]
    withheld = frozenset[str]().union(*(facts.entities(question.text) for question in tests))
    assert len(withheld) >= 5
    assert not [text for text in taught if facts.entities(text) & withheld]
    assert json.loads((results / "contamination.json").read_text())["exact"]


def linked_or_copied(source: str, place: str) -> None:
    """Link the weights, which no stage changes in place: each of the seven model folders has half a gigabyte."""
    if Path(source).suffix == ".safetensors":
        os.link(source, place)
    else:
        shutil.copy2(source, place)


@pytest.mark.parametrize("output", LONG)
def test_a_stage_that_is_killed_at_a_random_moment_and_started_again_writes_the_same_bytes(
    finished: Workflow, output: str, tmp_path: Path
) -> None:
    copy = Workflow(tmp_path / "run")
    shutil.copytree(finished.folder, copy.folder, copy_function=linked_or_copied)
    place = copy.folder / "results/small" / output
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    logs = copy.folder / "results/small/logs"
    before = {log: log.stat().st_mtime_ns for log in logs.rglob("*.log")}
    target = f"results/small/{output}"
    process = copy.start("--nolock", target)
    while process.poll() is None and {log: log.stat().st_mtime_ns for log in logs.rglob("*.log")} == before:
        time.sleep(0.05)
    time.sleep(random.Random(output).uniform(0, 8))
    kill_tree(process)
    done = copy.run("--rerun-incomplete", "--nolock", target)
    assert done.returncode == 0, done.stdout
    made, undisturbed = copy.hashes(), finished.hashes()
    inside = [path for path in undisturbed if path.startswith(target.removeprefix("results/"))]
    assert inside
    assert {path: made[path] for path in inside} == {path: undisturbed[path] for path in inside}
