"""Settings, files and code of a task as rules read them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.support.warm_python import warm_python
from tests.support.wildcards import shipped, wild
from tests.support.workflows import REPOSITORY

from reversegen.config.data import DataSource
from reversegen.config.task import Answering, Task
from reversegen.core.errors import BadInput
from reversegen.workflow import tasks
from reversegen.workflow.code_hash import code_hash
from reversegen.workflow.used_entries import entries_of_tasks

CONFIGURATION = shipped()


def test_a_setting_is_a_value_or_a_section_without_keys_that_decide_nothing() -> None:
    assert tasks.setting(CONFIGURATION, "random_seed")(wild("tiny-math.s3")) == 3
    assert tasks.setting(CONFIGURATION, "prompts.header")(wild()) == CONFIGURATION.tasks["tiny-math"].prompts.header
    compared = json.loads(tasks.setting(CONFIGURATION, "responses")(wild()))
    whole = Answering.model_validate_json(tasks.whole_setting(CONFIGURATION, "responses")(wild(), 1))
    assert whole == CONFIGURATION.tasks["tiny-math"].responses
    assert whole.model_dump().keys() - compared.keys() == {"max_invalid_share", "max_unreadable_share"}
    assert "launcher" not in json.loads(tasks.setting(CONFIGURATION, "warmup")(wild()))["training"]


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(BadInput, match="unknown task 'nonesuch'"):
        tasks.setting(CONFIGURATION, "kind")(wild("nonesuch"))


@pytest.mark.parametrize(
    ("task", "referenced", "multiple_choice"),
    [("tiny-math", True, False), ("tiny-safety", False, False), ("tiny-honesty", True, True)],
)
def test_kinds_say_what_their_tasks_need(task: str, referenced: bool, multiple_choice: bool) -> None:
    assert tasks.referenced(CONFIGURATION, wild(task)) == referenced
    assert tasks.multiple_choice(CONFIGURATION, wild(task)) == multiple_choice
    assert json.loads(tasks.kind_use(CONFIGURATION, wild(task)))["name"] == task.removeprefix("tiny-")


def test_a_file_is_in_the_tasks_folder_or_in_that_of_the_task_whose_part_it_reuses() -> None:
    fixed, path = wild("tiny-math-fixed-reference.s2", arm="iter0"), "{arm}/samples.jsonl"
    assert "iter0" in CONFIGURATION.tasks["tiny-math-fixed-reference"].reuse
    assert tasks.part_file(CONFIGURATION, path)(fixed) == "results/tiny-math.s2/iter0/samples.jsonl"
    fixed.arm = "iter1"
    assert tasks.part_file(CONFIGURATION, path)(fixed) == "results/tiny-math-fixed-reference.s2/iter1/samples.jsonl"
    assert tasks.test_questions(CONFIGURATION, wild()) == [
        "results/tiny-math/tests/test.jsonl",
        "results/tiny-math/tests/pretraining.jsonl",
    ]


@pytest.mark.parametrize(
    ("origin", "files"),
    [
        ({"file": "mine.csv"}, ["mine.csv"]),
        (
            {"hub": {"repo": "a/b", "name": "main", "split": "train"}},
            ["resources/downloads/data/a--b--main--train.jsonl"],
        ),
        (
            {"url": {"address": "https://example.org/x.csv", "sha256": "0" * 64}},
            ["resources/downloads/files/000000000000-x.csv"],
        ),
    ],
)
def test_a_data_source_has_one_file(origin: dict[str, object], files: list[str]) -> None:
    assert tasks.data_file(DataSource.model_validate({**origin, "licence": "MIT"})) == files


def test_a_corpus_has_no_file() -> None:
    [source] = CONFIGURATION.tasks["tiny-math"].data.seeds.values()
    assert tasks.data_file(source) == []


def test_the_code_hash_depends_on_the_tasks_kind_if_the_stage_imports_kinds() -> None:
    clean, models = tasks.code(CONFIGURATION, "clean_seeds"), CONFIGURATION.models
    assert callable(clean)
    assert clean(wild()) == code_hash("clean_seeds", "", entries_of_tasks([CONFIGURATION.task("tiny-math")], models))
    assert clean(wild("tiny-safety")) == code_hash(
        "clean_seeds", "", entries_of_tasks([CONFIGURATION.task("tiny-safety")], models)
    )
    assert len({clean(wild()), clean(wild("tiny-safety"))}) == 2


def test_a_stage_starts_by_its_interpreter_and_a_launched_training_by_accelerate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(REPOSITORY)
    configuration = shipped(python={"train": "/my env/python"})
    assert tasks.stage(configuration, "train", "train_model")(wild(), 1) == "'/my env/python' scripts/train_model.py"
    plain = tasks.training_stage(configuration, "train_warmup", "warmup")
    assert plain(wild(), 1) == "'/my env/python' scripts/train_warmup.py"
    task = configuration.tasks["math"].model_dump()
    task["warmup"]["training"]["launcher"] = {"config": "ddp", "processes": 2}
    own = {"math": Task.model_validate(task)}
    launched = tasks.training_stage(configuration.model_copy(update={"tasks": own}), "train_warmup", "warmup")
    flags = "--config_file {} --num_processes 2 --main_process_port 0"
    start = f"'/my env/python' -m accelerate.commands.launch {flags} scripts/train_warmup.py"
    assert launched(wild("math"), 1) == start.format("config/accelerate/ddp.yaml")
    monkeypatch.chdir(tmp_path)  # the folder of another workflow, which imports this one and has no such file
    assert f"--config_file {tasks.shipped('config/accelerate/ddp.yaml')} " in launched(wild("math"), 1)


def test_keys_that_decide_no_result_are_not_in_the_hash_of_a_configuration() -> None:
    task = CONFIGURATION.tasks["tiny-math"]

    def hashed(**changes: object) -> str:
        changed = {"tiny-math": task.model_copy(update=changes)}
        return tasks.configuration_hash(CONFIGURATION.model_copy(update={"tasks": changed}), wild())

    honesty = task.honesty.model_copy(update={"samples": 7})
    assert hashed() == hashed(shards=5, keep=None, transfer=["gpt-4o-mini"], honesty=honesty)
    assert hashed() == hashed(responses=task.responses.model_copy(update={"max_invalid_share": 0.9}))
    assert len({hashed(), hashed(iterations=2), hashed(random_seed=1)}) == 3
    assert hashed().startswith("sha256:")


def test_a_plan_assumes_nothing_of_other_tasks() -> None:
    planned = json.loads(tasks.planned_configuration(CONFIGURATION, wild("math.s4")))
    assert list(planned["tasks"]) == ["math"]
    assert planned["faults"] == {}


PARAMS = """
import sys
sys.path.insert(0, {scripts!r})
from reversegen.workflow.tasks import uncompared

rule all:
    output: "made"
    params:
        compared=lambda wildcards: config["compared"],
        uncompared=uncompared(lambda wildcards: config["uncompared"]),
    shell: "touch {{output}}"
"""


def test_snakemake_compares_no_param_that_is_uncompared(tmp_path: Path) -> None:
    """Snakemake's manual does not mention that it ignores functions with `threads`. This test checks each such param."""
    (tmp_path / "Snakefile").write_text(PARAMS.format(scripts=str(REPOSITORY / "scripts")))

    def run(*words: str, compared: int, uncompared: int) -> str:
        config = ["--config", f"compared={compared}", f"uncompared={uncompared}"]
        command = [warm_python(), "-m", "snakemake", "-c1", *words, *config]
        done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout + done.stderr

    run(compared=1, uncompared=1)
    assert "Nothing to be done" in run("-n", compared=1, uncompared=2)
    assert "Nothing to be done" not in run("-n", compared=2, uncompared=1)
