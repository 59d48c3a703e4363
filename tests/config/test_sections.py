"""A value that a section does not allow is refused with file and key."""

from typing import Any

import pytest
from tests.support.edited_config import (
    CORPUS,
    ENDPOINT,
    JUDGE,
    LLAMA,
    MODELS,
    OTHER,
    SOURCE,
    TASK,
    WORKFLOW,
    Edited,
    content,
    names,
)
from tests.support.refused_values import REFUSED, shown


@pytest.mark.parametrize(("file", "key", "value"), REFUSED, ids=shown)
def test_a_value_that_does_not_fit_is_refused_with_file_and_key(
    edited: Edited, file: str, key: str, value: Any
) -> None:
    listed = key.removesuffix(".0")
    edited.set(file, listed, value)
    assert names(edited.refusal(), edited.folder / file, key)


@pytest.mark.parametrize(
    ("file", "key", "value", "section", "words"),
    [
        (TASK, "data.seeds.arithmetic", SOURCE | {"corpus": CORPUS, "file": "a"}, "data.seeds.arithmetic", "one of"),
        (TASK, "data.seeds.arithmetic", SOURCE, "data.seeds.arithmetic", "one of file, url, hub, package and corpus"),
        (TASK, "data.tests.test", SOURCE | {"corpus": CORPUS}, "data", "tests.test"),
        (TASK, "data.tests.test", SOURCE | {"corpus": CORPUS | {"world": "policy"}}, "data", "`measures`"),
        (TASK, "data.seeds.arithmetic", SOURCE | {"file": "a.txt"}, "data.seeds.arithmetic", "must end in .jsonl"),
        (TASK, "data.seeds.arithmetic", SOURCE | {"file": "a.csv", "rows": 0}, "data.seeds.arithmetic.rows", "greater"),
        (
            TASK,
            "data.seeds.arithmetic",
            SOURCE | {"corpus": CORPUS, "rows": 5},
            "data.seeds.arithmetic",
            "set corpus.count",
        ),
        (TASK, "data.judge", SOURCE | {"file": "a.jsonl", "column": "a"}, "data", "judge.labelled: a labelled set has"),
        (TASK, "data.judge", {"mine": SOURCE | {"file": "a.txt"}}, "data.judge.mine", "must end in .jsonl"),
        (TASK, "references.agreeing", 2, "references", "2 of 1 samples can never agree"),
        (TASK, "judge", JUDGE | {"format": "classifier"}, "judge", "failed_labels: the format classifier needs them"),
        (TASK, "judge", JUDGE | {"failed_labels": ["bad"]}, "judge", "no other takes them"),
        (TASK, "judge", JUDGE | {"controversial": "unsafe"}, "judge", "should be 'failed', 'passed' or 'invalid'"),
        (TASK, "judge", JUDGE | {"threshold": 0}, "judge", "greater than 0"),
        (TASK, "judge", JUDGE | {"threshold": True}, "judge", "a number is needed"),
        (TASK, "preference.loss_weights", [1.0], "preference", "loss_weights"),
        (TASK, "preference.loss_type", ["sigmoid", "sft", "ipo"], "preference", "loss_weights"),
        (MODELS, "llama3-8b", LLAMA | {"folder": "models/llama"}, "llama3-8b", "one of hub, folder, gguf"),
        (MODELS, "llama3-8b", {"size": "8b"}, "llama3-8b", "one of hub, folder, gguf, package, endpoint and train"),
        (MODELS, "llama3-8b", {"size": "8b", "folder": "own/a.gguf"}, "llama3-8b", "give its path as `gguf` instead"),
        (MODELS, "llama3-8b", {"size": "8b", "gguf": "own/a"}, "llama3-8b", "gguf: the name must end in .gguf"),
        (MODELS, "llama3-8b", {"size": "8b", "gguf": "{a}.gguf"}, "llama3-8b", "have no braces"),
        *(
            (MODELS, "minilm-package.package.path", f"a/{file}", "minilm-package.package.path", "a whole model folder")
            for file in ("model.safetensors", "rows.jsonl", "pytorch_model.bin", "model.py")
        ),
        (MODELS, "tiny-arithmetic", {"size": "tiny", "endpoint": ENDPOINT}, "proposer", "is an endpoint"),
    ],
)
def test_keys_that_do_not_fit_each_other_are_refused_with_file_and_section(
    edited: Edited, file: str, key: str, value: Any, section: str, words: str
) -> None:
    edited.set(file, key, value)
    message = edited.refusal()
    assert names(message, edited.folder / (TASK if section == "proposer" else file), section)
    assert words in message


@pytest.mark.parametrize(
    ("file", "key", "value", "words"),
    [
        ("config.yaml", "random_seeds", [0, 1, 1], "each may be given once"),
        (TASK, "transfer", ["llama2-7b", "llama2-7b"], "each may be given once"),
        (
            TASK,
            "keep",
            [0],
            "0 or last is missing: the control and other tasks start from 0; give at least [0, last]",
        ),
        (TASK, "keep", [1, "last"], "0 or last is missing"),
        (TASK, "keep", [0, 4, "last"], "keep: no iteration 4; give iterations from 0 to 3"),
        (TASK, "proposer", "tiny-policy-judge", "proposer: tiny-policy-judge is a classifier, which writes no text"),
        (TASK, "preference.loss_weights", [0, 0], "loss_weights must be 0 or more, and at least one must be above 0"),
        (TASK, "preference.loss_weights", [1, -1], "loss_weights must be 0 or more, and at least one must be above 0"),
        (TASK, "data.seeds.arithmetic.measures", "accuracy", "`measures` is for test sets"),
        (TASK, "honesty", {"sure": "unsure", "unsure": "unsure"}, "sure and unsure must differ"),
    ],
)
def test_a_fault_that_a_stage_would_meet_late_is_refused_at_once(
    edited: Edited, file: str, key: str, value: Any, words: str
) -> None:
    edited.set(file, key, value)
    message = edited.refusal()
    assert words in message
    assert str(edited.folder / file) in message


@pytest.mark.parametrize(
    ("file", "key", "value", "message"),
    [
        (TASK, "labeller", "arithmetic", "labeller: is now `teacher`"),
        (TASK, "leaks", {"near_share": 0.1}, "leaks: is now `contamination`"),
        (TASK, "judge_check", {"canaries": 0.9}, "judge_check.canaries: is now `injections`"),
        (TASK, "reuse", ["baseline"], "reuse.0: baseline is now `untrained`"),
        (TASK, "reuse", ["seeds", "target"], "reuse.1: target is now `original`"),
        (WORKFLOW, "defaults.leaks", {"near_share": None}, "defaults.leaks: is now `contamination`"),
        (WORKFLOW, "defaults.judge_check.canaries", 0.9, "defaults.judge_check.canaries: is now `injections`"),
    ],
)
def test_an_old_key_is_refused_with_its_new_name(edited: Edited, file: str, key: str, value: Any, message: str) -> None:
    edited.set(file, key, value)
    assert edited.refusal() == f"{edited.folder / file}: {message}"


def test_a_key_that_replaces_an_old_one_is_not_reported_as_missing(edited: Edited) -> None:
    path = edited.folder / TASK
    path.write_text(path.read_text().replace("\nteacher: ", "\nlabeller: "))
    assert edited.refusal() == f"{path}: labeller: is now `teacher`"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("random_seed", 2**32),
        ("deduplication", {"threshold": True}),
        ("data", {"seeds": {"x": {"licence": "a", "hub": {"repo": "a/b", "name": "{x}", "split": "train"}}}}),
        ("data", {"seeds": {"x": {"licence": "a", "hub": {"repo": "a/b", "name": "../x", "split": "train"}}}}),
        ("data", {"seeds": {"x": {"licence": "a", "hub": {"repo": "../..", "name": "x", "split": "train"}}}}),
    ],
)
def test_a_value_that_no_stage_could_use_is_refused_at_once(edited: Edited, key: str, value: Any) -> None:
    edited.write("tasks/own.yaml", {"extends": "tiny-math", key: value})
    assert edited.refusal().startswith(f"{edited.folder / 'tasks/own.yaml'}: {key}")


@pytest.mark.parametrize(
    ("file", "key", "value", "fix"),
    [
        (MODELS, "remote.endpoint.api_key_env", "sk-xyzzy", "NAME of an environment variable"),
        (MODELS, "remote.endpoint.api_key", "sk-xyzzy", ""),
        (MODELS, "remote.endpoint.base_url", "https://me:sk-xyzzy@api.example.org/v1", "without user"),
        (MODELS, "remote.endpoint.base_url", "https://api.example.org/v1?key=sk-xyzzy", "without user, key"),
        (WORKFLOW, "push.token_env", "sk-xyzzy", "NAME of an environment variable"),
        (WORKFLOW, "sk-xyzzy", "sk-xyzzy", ""),
    ],
)
def test_a_secret_in_the_wrong_place_is_refused_and_not_shown(
    edited: Edited, file: str, key: str, value: str, fix: str
) -> None:
    edited.set(MODELS, "remote", {"size": "tiny", "endpoint": ENDPOINT})
    edited.set(file, key, value)
    message = edited.refusal()
    assert names(message, edited.folder / file, key)
    assert fix in message
    assert "xyzzy" not in message.replace(key, "")


def test_every_form_that_a_value_may_have_is_named(edited: Edited) -> None:
    edited.set(TASK, "keep", [0, "lsat", "last"])
    message = edited.refusal()
    assert message.startswith(f"{edited.folder / TASK}: keep.1: Input should be a valid integer")
    assert message.endswith("or: Input should be 'last', not 'lsat'")


@pytest.mark.parametrize(
    ("file", "key"),
    [
        (WORKFLOW, "sizes"),
        (WORKFLOW, "sizes.tiny.threads"),
        (OTHER, "kind"),
        (OTHER, "target"),
        (OTHER, "data.seeds.gsm8k.licence"),
        (MODELS, "llama3-8b.size"),
    ],
)
def test_a_missing_key_is_named(edited: Edited, file: str, key: str) -> None:
    whole = part = content(file)
    *above, last = key.split(".")
    for name in above:
        part = part[name]
    del part[last]
    edited.write(file, whole)
    assert names(edited.refusal(), edited.folder / file, key)
