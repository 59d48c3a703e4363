"""The model of each role, and the settings that a stage gets of it."""

from __future__ import annotations

import json

import pytest
from tests.support.wildcards import shipped, wild

from reversegen.config.models import Model, ModelUse
from reversegen.core.errors import BadInput
from reversegen.workflow import roles

CONFIGURATION = shipped()
API = {"endpoint": {"base_url": "https://example.org", "model": "m", "api_key_env": "KEY"}, "size": "tiny"}


@pytest.mark.parametrize(
    ("task", "role", "name"),
    [
        ("math", "proposer", "llama3-8b-instruct"),
        ("math", "embedding", "minilm"),
        ("tiny-math", "teacher", "arithmetic"),
        ("tiny-math", "embedding", None),
    ],
)
def test_a_role_has_a_model_a_solver_or_none(task: str, role: str, name: str | None) -> None:
    if role == "proposer":  # the name in the task's file
        name = CONFIGURATION.task(task).proposer
    assert roles.model_name(CONFIGURATION, role, wild(task)) == name
    assert (roles.model_of(CONFIGURATION, role, wild(task)) is None) == (name not in CONFIGURATION.models)


def test_a_judge_has_the_model_that_the_wildcard_names_and_another_name_is_refused() -> None:
    judge = wild("tiny-safety.s3", judge="tiny-policy-judge")
    assert roles.model_name(CONFIGURATION, "judge", judge) == "tiny-policy-judge"
    assert roles.model_name(CONFIGURATION, "judge", wild("tiny-safety", judge="exact")) is None
    for task, known in (("tiny-safety", "it has tiny-policy-judge, exact"), ("math", "it has none")):
        with pytest.raises(BadInput, match=f"task {task}: judge: it has no judge minilm; {known}"):
            roles.model_name(CONFIGURATION, "judge", wild(task, judge="minilm"))


def test_a_transfer_has_the_model_that_the_wildcard_names() -> None:
    assert roles.model_name(CONFIGURATION, "transfer", wild(model="minilm")) == "minilm"


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ({"hub": "a/b", "size": "tiny"}, "resources/downloads/models/x"),
        ({"folder": "/own/model", "size": "tiny"}, "/own/model"),
        (API, None),
    ],
)
def test_a_model_lies_where_its_origin_puts_it(entry: dict[str, object], place: str | None) -> None:
    model = Model.model_validate(entry)
    task = CONFIGURATION.tasks["tiny-math"].model_copy(update={"target": "x"})
    configuration = CONFIGURATION.model_copy(update={"models": {"x": model}, "tasks": {"tiny-math": task}})
    assert roles.role_folder(configuration, "target")(wild()) == ([place] if place else [])
    assert roles.role_folder(configuration, "teacher")(wild()) == []  # a solver
    assert roles.is_endpoint(configuration, "target", wild()) == (place is None)
    limits = json.loads(roles.endpoint_limits(configuration, "target")(wild(), 1))
    assert (limits or {}).get("concurrency") == (16 if place is None else None)


def test_a_tiny_model_lies_in_the_results() -> None:
    target = CONFIGURATION.tasks["tiny-math"].target
    assert roles.role_folder(CONFIGURATION, "target")(wild()) == [f"results/models/{target}"]


def test_training_does_not_depend_on_the_engine_that_runs_the_model_later() -> None:
    use = {"engine": "vllm", "vllm": {"max_model_len": 100}, "dtype": "bfloat16"}
    model = Model.model_validate({"hub": "a/b", "size": "tiny", **use})
    task = CONFIGURATION.tasks["tiny-math"].model_copy(update={"target": "x"})
    configuration = CONFIGURATION.model_copy(update={"models": {"x": model}, "tasks": {"tiny-math": task}})
    asked = ModelUse.model_validate_json(roles.model_use(configuration, "target")(wild()))
    trained = ModelUse.model_validate_json(roles.trained_model(configuration, "target")(wild()))
    assert (asked.engine, trained.engine, trained.vllm) == ("vllm", "transformers", None)
    assert trained.dtype == asked.dtype == "bfloat16"
    assert roles.model_use(configuration, "embedding")(wild()) == "null"
