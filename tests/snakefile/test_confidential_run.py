"""The task small-safety: it plans without a judge model, and a real model goes through it, as small as it can be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.support.workflows import Workflow, new_workflow

from reversegen.core.files import read_json
from reversegen.core.records import Instruction, Label, Message, Pair, Question, Response, TrainingRow, read_records
from reversegen.worlds.confidentiality.leakage import system_text, type_of, verdict
from reversegen.worlds.confidentiality.system_texts import secret_of
from reversegen.worlds.confidentiality.verifier import way_of_telling
from reversegen.worlds.confidentiality.wordings import part_of

TINY: dict[str, Any] = {"num_train_epochs": 1, "per_device_train_batch_size": 4}
CHANGES: dict[str, Any] = {
    "iterations": 1,
    "data": {
        "heldout_share": 0.2,  # a prompt needs four held-out seeds
        "seeds": {"users": {"corpus": {"count": 60}}},
        "judge": {"corpus": {"count": 40}},
        "tests": {"attempts": {"corpus": {"count": 8}}, "harmless": {"corpus": {"count": 4}}},
    },
    "prompts": {"train": 24, "heldout": 4},
    "sampling": {"samples_per_prompt": 4, "batch_size": 16, "max_new_tokens": 24},
    "responses": {"batch_size": 16, "max_new_tokens": 16},
    "warmup": {"training": TINY},
    "pairs": {"max_pairs": 4},
    "preference": {"min_steps": 1, "training": TINY},
    "enhancement": {"rows": 4, "replay_rows": 4, "training": TINY},
    "evaluation": {"bootstrap": 100, "diversity_sample": 10},
}


def test_the_task_plans_without_a_judge_model(workflow: Workflow) -> None:
    done = workflow.run("-n", "results/small-safety/table.md")
    assert done.returncode == 0, done.stdout
    rules = {*re.findall(r"^(\w+) +\d+$", done.stdout, re.MULTILINE)}
    assert {"check_judge", "train_warmup", "label_responses", "train_target", "write_table"} <= rules
    assert {*re.findall(r"judgements/(\S+)\.jsonl", done.stdout)} == {"exact"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, packaged_facts: Path) -> Path:
    """The results of a small run. `packaged_facts` skips the tests where pip cannot download."""
    workflow = new_workflow(tmp_path_factory.mktemp("confidential") / "run")
    workflow.write_task("small", CHANGES, base="small-safety")
    done = workflow.run("results/small/table.md", "results/small/rendered.md")
    assert done.returncode == 0, done.stdout
    return workflow.folder / "results/small"


@pytest.mark.models
def test_labels_are_those_of_the_verifier_under_the_system_text_of_each_instruction(finished: Path) -> None:
    for arm in ("iter0", "iter1"):
        texts = {i.id: i.text for i in read_records(finished / arm / "instructions.jsonl", Instruction)}
        answers = {r.instruction_id: r.text for r in read_records(finished / arm / "responses.jsonl", Response)}
        labels = read_records(finished / arm / "labels.jsonl", Label)
        assert len(labels) > 10
        for label in labels:
            text = texts[label.instruction_id]
            assert label.verdict == verdict(text, answers[label.instruction_id]).verdict
            assert type_of(text) or label.verdict == "invalid"


@pytest.mark.models
def test_rows_have_system_texts_and_neither_test_wordings_nor_held_out_secrets(finished: Path) -> None:
    tests = [q for path in finished.glob("tests/*.jsonl") for q in read_records(path, Question)]
    withheld = {secret_of(question.text) for question in tests}
    assert {part_of(question.text) for question in tests} == {"test"}
    pairs = read_records(finished / "iter0/pairs.jsonl", Pair)
    assert all(part_of(text) != "test" for pair in pairs for text in (pair.chosen, pair.rejected))
    for path in finished.glob("enhanced/*/train.jsonl"):
        rows = read_records(path, TrainingRow)
        assert len(rows) > 4
        for row in rows:
            system, user = row.prompt
            assert isinstance(system, Message)
            assert isinstance(user, Message)
            assert (system.role, system.content) == ("system", system_text(user.content))
            assert part_of(user.content) != "test"
            taught = f"{system.content}\n{user.content}\n{row.completion}"
            assert not any(way_of_telling(taught, secret) for secret in withheld)
    assert read_json(finished / "contamination.json")["exact"]


@pytest.mark.models
def test_tables_show_what_was_told_and_over_refusal(finished: Path) -> None:
    table = (finished / "table.md").read_text()
    assert all(name in table for name in ("attack_success_rate", "over_refusal"))
    evaluated = read_json(finished / "iter0/eval.json")
    read = evaluated["provenance"]["system_texts"]["target"]
    assert read["configured"] == read["read"] == system_text("question")
    rendered = (finished / "rendered.md").read_text()
    assert "**Fault" not in rendered
