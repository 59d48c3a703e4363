"""Entries of models.yaml: endpoints, limits and models that think. Each mistake is reported with file and key."""

from typing import Any

import pytest
from tests.support.edited_config import (
    ENDPOINT,
    JUDGE,
    LLAMA,
    MODELS,
    OTHER,
    SAFETY,
    WORKFLOW,
    Edited,
    content,
    names,
)

from reversegen.config.models import ModelUse
from reversegen.config.vllm_arguments import SET_HERE


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.org/v1",
        "http://localhost.example.org/",
        "http://localhost:80@api.example.org/v1",
        "http://127.0.0.1@api.example.org/",
        "https://user:word@api.example.org/v1",
        "https://api.example.org/v1?to=1",
        "https://api.example.org/v1#there",
        "https://api.example.org\\@other.example.org/",
        "https://api.example.org/v1\n",
        "ftp://localhost/",
        "http://localhost:99999/v1",  # a port that does not exist
        "api",
    ],
)
def test_an_endpoint_that_would_send_the_key_unencrypted_is_refused(edited: Edited, url: str) -> None:
    edited.set(MODELS, "remote", {"size": "tiny", "endpoint": ENDPOINT | {"base_url": url}})
    assert names(edited.refusal(), edited.folder / MODELS, "remote.endpoint.base_url")


@pytest.mark.parametrize(
    "url",
    ["https://api.example.org", "https://api.example.org:8443/v1/", "http://localhost:80/v1", "http://[::1]:1/v1"],
)
def test_an_endpoint_over_https_or_on_loopback_is_accepted(edited: Edited, url: str) -> None:
    limits = {"concurrency": 64, "mode": "batch", "requests_per_minute": 500}
    edited.set(MODELS, "remote", {"size": "tiny", "endpoint": ENDPOINT | {"base_url": url}, "limits": limits})
    model = edited.load().models["remote"]
    assert (model.limits and model.limits.concurrency) == 64
    assert "limits" not in model.use.model_dump()  # limits change no answer, so they rerun nothing


def test_a_model_is_split_over_no_more_gpus_than_its_jobs_ask_for(edited: Edited) -> None:
    edited.set(MODELS, "llama3-8b", LLAMA | {"engine": "vllm", "vllm": {"tensor_parallel_size": 2}})
    assert "llama3-8b.vllm.tensor_parallel_size: 2, but a job of the size 8b asks for 1 GPUs" in edited.refusal()
    edited.set(WORKFLOW, "sizes.8b.gpu", 2)
    edited.load()


def test_any_argument_of_vllm_passes_through_by_name_and_decides_the_answers(edited: Edited) -> None:
    given = {"max_model_len": 4096, "quantization": "fp8", "max_num_seqs": 64, "hf_overrides": {"a": [1, None, "b"]}}
    edited.set(MODELS, "llama3-8b", LLAMA | {"engine": "vllm", "vllm": given})
    model = edited.load().models["llama3-8b"]
    assert model.use.vllm
    assert model.use.vllm.model_dump(exclude_none=True) == given
    assert ModelUse.model_validate_json(model.use.model_dump_json()) == model.use  # as a rule gives it to a stage
    edited.set(MODELS, "llama3-8b.vllm.quantization", "awq")
    other = edited.load().models["llama3-8b"]
    assert other.use.model_dump_json() != model.use.model_dump_json()
    assert other.trained == model.trained


@pytest.mark.parametrize("argument", [*SET_HERE])
def test_an_argument_that_the_workflow_sets_itself_is_refused_with_the_reason(edited: Edited, argument: str) -> None:
    edited.set(MODELS, "llama3-8b", LLAMA | {"engine": "vllm", "vllm": {argument: 1}})
    place = f"{edited.folder / MODELS}: llama3-8b.vllm: "
    message = edited.refusal()
    assert message.startswith(place)
    assert message.endswith(f"{argument}: the workflow sets this itself: {SET_HERE[argument]}; remove it")


def test_one_setting_runs_every_model_without_vllm(edited: Edited) -> None:
    by_engine = {name: model.engine for name, model in edited.load().models.items()}
    assert by_engine["llama3-8b"] == by_engine["qwen3-4b"] == "vllm"
    edited.set(WORKFLOW, "engine", "transformers")
    models = edited.load().models
    assert {model.engine for model in models.values()} == {"transformers"}
    assert not any(model.vllm for model in models.values())
    edited.set(WORKFLOW, "engine", "vllm")
    assert "engine: Input should be 'transformers'" in edited.refusal()


def test_every_shipped_model_above_a_billion_parameters_runs_by_vllm(edited: Edited) -> None:
    whole = edited.load()
    large = {name for name, model in whole.models.items() if whole.workflow.sizes[model.size].gpu}
    assert len(large) >= 16
    without = {name for name in large if whole.models[name].engine != "vllm"}
    assert without == {"open-llama-3b"}  # vLLM has no attention for its heads
    assert {name for name, model in whole.models.items() if model.engine == "vllm"} - large == {"tiny-arithmetic-vllm"}


@pytest.mark.parametrize("limits", [{"concurrency": 0}, {"tries": 0}, {"timeout": 0}, {"mode": "later"}, {"rate": 1}])
def test_limits_out_of_range_are_refused(edited: Edited, limits: dict[str, Any]) -> None:
    edited.set(MODELS, "remote", {"size": "tiny", "endpoint": ENDPOINT, "limits": limits})
    assert f"remote.limits.{next(iter(limits))}" in edited.refusal()


def test_plain_http_to_another_machine_needs_its_setting(edited: Edited) -> None:
    served = ENDPOINT | {"base_url": "http://node17:8000/v1"}
    edited.set(MODELS, "remote", {"size": "tiny", "endpoint": served})
    message = edited.refusal()
    assert "remote.endpoint.base_url: " in message
    assert "plain http to another machine; https, or http to loopback (or to any host with allow_http: true)" in message
    edited.set(MODELS, "remote", {"size": "tiny", "endpoint": served | {"allow_http": True}})
    assert edited.load().models["remote"].endpoint
    for url in ("http://user:word@node17/v1", "http://node17/v1?key=x", "ftp://node17/", "http://node17:99999/v1"):
        edited.set(MODELS, "remote", {"size": "tiny", "endpoint": served | {"allow_http": True, "base_url": url}})
        assert "remote.endpoint.base_url: " in edited.refusal()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        *(
            (
                {"extra_body": {key: 1}},
                f"extra_body: {key}: the workflow sets this itself; remove it, or see max_tokens_field",
            )
            for key in ("model", "messages", "n", "seed", "stream", "max_tokens", "max_completion_tokens")
        ),
        (
            {"extra_body": {"max_new": 1}, "max_tokens_field": "max_new"},
            "extra_body: max_new: the workflow sets this itself",
        ),
        ({"extra_body": {"chat_template_kwargs": 1}}, "extra_body: chat_template_kwargs: names and values are needed"),
        ({"extra_body": ["a"]}, "endpoint.extra_body: "),
        ({"omit": ["n"]}, "endpoint.omit.0: "),
        ({"omit": ["seed", "seed"]}, "each may be given once"),
        ({"max_tokens_field": "max tokens"}, "endpoint.max_tokens_field: "),
    ],
)
def test_impossible_settings_of_a_request_are_refused(edited: Edited, settings: dict[str, Any], words: str) -> None:
    edited.set(MODELS, "remote", {"size": "tiny", "endpoint": ENDPOINT | settings})
    assert words in edited.refusal()


def test_settings_of_a_request_are_used_as_they_are_given(edited: Edited) -> None:
    settings = {
        "max_tokens_field": "max_completion_tokens",
        "omit": ["temperature", "top_p", "seed"],
        "extra_body": {"reasoning_effort": "low", "chat_template_kwargs": {"a": [1, 2.5, None, {"b": True}]}},
        "one_choice": True,
    }
    model = {"size": "tiny", "endpoint": ENDPOINT | settings, "chat_template_kwargs": {"enable_thinking": False}}
    edited.set(MODELS, "remote", model)
    endpoint = edited.load().models["remote"].use.endpoint
    assert endpoint
    assert endpoint.model_dump(include=set(settings)) == settings


def test_an_endpoint_takes_no_setting_for_loading_its_model(edited: Edited) -> None:
    edited.set(MODELS, "remote", {"size": "tiny", "endpoint": ENDPOINT, "chat_template": "x", "dtype": "float32"})
    assert "dtype, chat_template: cannot be set, because an endpoint loads its model itself" in edited.refusal()


THINKS, AT_ONCE = (
    {"thinking": {"enabled": True, "max_tokens": 2048}},
    {"thinking": {"enabled": False, "max_tokens": 2048}},
)


@pytest.mark.parametrize("role", ["proposer", "target", "teacher", "judge"])
def test_a_model_that_thinks_may_play_every_role(edited: Edited, role: str) -> None:
    edited.set(MODELS, "llama3-8b-instruct", LLAMA | THINKS)
    judge = JUDGE | {"format": "answer-first", "model": "llama3-8b-instruct"}
    edited.set(SAFETY if role == "judge" else OTHER, role, judge if role == "judge" else "llama3-8b-instruct")
    loaded = edited.load()
    assert loaded.faults == {}
    model = loaded.models["llama3-8b-instruct"]
    assert (model.thinks, model.thought_tokens) == (True, 2048)
    assert model.thinking is not None
    assert (model.thinking.start, model.thinking.end) == ("<think>", "</think>")
    # so that a longer thought retrains nothing
    assert model.trained.thinking == model.thinking.model_copy(update={"max_tokens": 0})


def test_a_target_of_honesty_that_thinks_is_refused_until_thinking_is_turned_off(edited: Edited) -> None:
    target = "llama3-8b-instruct"
    edited.set("tasks/honesty.yaml", "target", target)
    edited.set(MODELS, target, LLAMA | THINKS)
    message = edited.refusal()
    assert message.startswith(f"{edited.folder}/tasks/honesty.yaml: target: {target} thinks before it answers")
    edited.set(MODELS, target, LLAMA | AT_ONCE)
    model = edited.load().models[target]
    assert (model.thinks, model.thought_tokens) == (False, 0)


def test_a_judge_of_a_fixed_form_has_no_room_for_a_thought(edited: Edited) -> None:
    model = JUDGE["model"]
    edited.set(SAFETY, "judge", JUDGE | {"format": "wildguard"})
    edited.set(MODELS, model, LLAMA | THINKS)
    refusal = edited.load().faults["safety"]
    assert f"judge: {model} thinks before it answers, and the format wildguard has no room" in refusal
    assert refusal.endswith("or use one of instructed, answer-first, strongreject")
    edited.set(MODELS, model, LLAMA | AT_ONCE)
    assert "safety" not in edited.load().faults


@pytest.mark.parametrize("form", ["llama-guard-3", "qwen3guard"])
def test_pairs_of_one_type_are_refused_if_only_failures_have_a_category(edited: Edited, form: str) -> None:
    safety = "tasks/safety.yaml"
    edited.set(safety, "judge", JUDGE | {"format": form})
    edited.set(safety, "pairs", {"same_type": True})
    message = edited.refusal()
    assert message.startswith(
        f"{edited.folder}/{safety}: pairs.same_type: the type of an instruction is the category that"
    )
    assert message.endswith("remove same_type, or set pairs.equal_types")
    edited.set(safety, "pairs", {"equal_types": True})
    assert edited.load().faults == {}
    edited.set(safety, "pairs", {"same_type": True})
    edited.set(safety, "judge", JUDGE | {"format": "wildguard"})
    assert "safety" not in edited.load().faults
    edited.set(SAFETY, "judge", JUDGE | {"format": form})  # the types of its world are on both sides
    edited.set(SAFETY, "pairs.same_type", True)
    assert "tiny-safety" not in edited.load().faults


def test_limits_are_for_an_endpoint(edited: Edited) -> None:
    edited.set(MODELS, "llama3-8b", LLAMA | {"limits": {"concurrency": 4}})
    assert "limits: only an endpoint takes them" in edited.refusal()


def test_the_refusal_of_an_unknown_model_lists_the_known_ones(edited: Edited) -> None:
    edited.set(OTHER, "teacher", "gpt")
    message = edited.refusal()
    assert "'gpt'" in message
    assert all(name in message for name in content(MODELS))
