"""The shipped configuration is valid for the loader. A fault of a file is reported with the file and stops no other task."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.edited_config import CONFIG, LLAMA, MODELS, SHIPPED, TASK, WORKFLOW, Edited, content, extending, read

from reversegen.config.data import ONE_SET
from reversegen.config.load import task_file
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.workflow.configuration import load_configuration


def leaves(value: Any, above: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {above: value}
    return {key: leaf for name, inner in value.items() for key, leaf in leaves(inner, f"{above}.{name}").items()}


def test_ablations_have_a_folder_of_their_own(shipped: Configuration) -> None:
    extending = {name for name, task in shipped.tasks.items() if task.extends}
    ablations = {path.stem for path in (CONFIG / "tasks/ablations").iterdir()}
    assert ablations == extending - {
        "tiny-math-served",
        "tiny-math-vllm",
        "safety-llama31",
        "safety-qwen3",
        "math-qwen3-8b",
        "factual-qwen3-8b",
    }
    assert len(ablations) == 12


def test_two_files_of_one_name_are_refused_in_one_line_and_stop_no_other_task(edited: Edited) -> None:
    (edited.folder / "tasks/math-no-sft.yaml").write_text("extends: math\n")
    loaded = edited.load()
    with pytest.raises(BadInput) as refused:
        loaded.task("math-no-sft")
    tasks = edited.folder / "tasks"
    assert str(refused.value) == (
        f"{tasks}/ablations/math-no-sft.yaml: {tasks}/math-no-sft.yaml has the same name, and thus is the same task; "
        "rename one of them"
    )
    assert set(loaded.faults) == {"math-no-sft"}
    assert "math" in loaded.tasks


def test_a_fault_of_an_ablation_names_its_file_and_an_ablation_may_be_extended(edited: Edited) -> None:
    (edited.folder / "tasks/ablations/own.yaml").write_text("extends: math-no-sft\niterations: 2\n")
    (edited.folder / "tasks/above.yaml").write_text("extends: own\n")
    assert edited.load().task("above").iterations == 2
    (edited.folder / "tasks/ablations/own.yaml").write_text("extends: math\niterations: -1\n")
    assert edited.refusal().startswith(f"{edited.folder}/tasks/ablations/own.yaml: iterations: ")


@pytest.mark.parametrize("name", [Path(file).stem for file in SHIPPED if file.startswith("tasks/")])
def test_a_task_has_its_own_values_and_the_defaults_elsewhere(shipped: Configuration, name: str) -> None:
    changed = leaves(read(task_file(CONFIG / "tasks", name)))
    if parent := changed.get(".extends"):
        changed = leaves(read(task_file(CONFIG / "tasks", parent))) | changed
    defaults = {
        key: value
        for key, value in leaves(content(WORKFLOW)["defaults"]).items()
        if not any(path.startswith(f"{key}.") for path in changed)  # null if the task has a section
        and not any(key.startswith(f"{path}.") for path in changed)  # a section if the task has null
    }
    # a labelled set without a name is given one
    named = {re.sub(r"^\.data\.judge\.", f".data.judge.{ONE_SET}.", key): value for key, value in changed.items()}
    assert leaves(shipped.task(name).model_dump(mode="json", exclude_unset=True)) == defaults | named


def test_models_and_lock_are_those_of_the_files(shipped: Configuration) -> None:
    assert shipped.lock == (content("lock.yaml") or {})
    dumped = {name: model.model_dump(mode="json", exclude_unset=True) for name, model in shipped.models.items()}
    assert dumped == content(MODELS)
    for name, model in shipped.models.items():
        use = {"endpoint", "engine", "vllm", "dtype", "attn_implementation", "pad_token", "chat_template"}
        use |= {"chat_template_kwargs", "thinking", "system_turn"}
        assert model.use.model_dump() == model.model_dump(include=use), name


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nonesuch")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _half(path: Path) -> None:
    path.write_text(path.read_text()[:300] + "\nprompts: {")


FAULTS: dict[str, tuple[Any, str]] = {
    "half": (_half, "not a readable YAML file: .* line [0-9]+, column"),
    "empty": (lambda path: path.write_text(""), "kind: Field required"),
    "bytes": (lambda path: path.write_bytes(b"kind: \xff\xfe"), "not a readable YAML file: 'utf-8' codec"),
    "list": (lambda path: path.write_text("- kind\n"), "the content is a list; give keys and values instead"),
    "number for a key": (lambda path: path.write_text("5: 6\n"), "the key 5 is not text"),
    "merge conflict": (lambda path: path.write_text("<<<<<<< HEAD\nkind: math\n"), "not a readable YAML file"),
    "tab": (lambda path: path.write_text("data:\n\tseeds: {}\n"), "not a readable YAML file: .* line 2"),
    "alias": (lambda path: path.write_text("data: *nonesuch\n"), "not a readable YAML file: .*undefined alias"),
    "deep": (lambda path: path.write_text("[" * 2000), "not a readable YAML file"),
    "tag without a time": (lambda path: path.write_text("kind: !!timestamp abc\n"), "not a readable YAML file"),
    "dangling link": (_link, "not a readable YAML file: .*No such file"),
    "folder": (_folder, "not a readable YAML file: .*directory"),
    "unknown key": (
        lambda path: path.write_text("extends: tiny-math\nnew: 1\n"),
        "new: Extra inputs are not permitted",
    ),
    "itself": (lambda path: path.write_text("extends: faulty\n"), "extends: cannot extend 'faulty'; name one of"),
    "no parent": (
        lambda path: path.write_text("extends: nonesuch\n"),
        "extends: cannot extend 'nonesuch'; name one of",
    ),
    "list of parents": (
        lambda path: path.write_text("extends: [math]\n"),
        r"extends: cannot extend \['math'\]; name one of",
    ),
    "kind": (lambda path: path.write_text("extends: tiny-math\nkind: maths\n"), "kind: unknown kind 'maths'"),
    "model": (lambda path: path.write_text("extends: tiny-math\ntarget: x\n"), "target: unknown model 'x'"),
    "reuse": (
        lambda path: path.write_text("extends: tiny-math\nreuse: [seeds]\nkind: honesty\nteacher: knowledge\n"),
        "reuse: seeds depends on kind",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_one_tasks_file_is_an_error_for_that_task_and_for_no_other(edited: Edited, fault: str) -> None:
    path = edited.folder / "tasks/faulty.yaml"
    shutil.copy(edited.folder / TASK, path)
    spoil, words = FAULTS[fault]
    spoil(path)
    (edited.folder / "tasks/child.yaml").write_text("extends: faulty\n")
    places = load_configuration(read(edited.folder / WORKFLOW), edited.folder)
    assert set(places.faults) == {"faulty", "child"}
    assert places.task("tiny-math") == load_configuration(content(WORKFLOW), CONFIG).task("tiny-math")
    for name in ("faulty", "faulty.s3"):
        with pytest.raises(BadInput, match=f"^{re.escape(str(path))}: {words}"):
            places.task(name)
    with pytest.raises(BadInput, match=rf"^{re.escape(str(edited.folder))}/tasks/(child|faulty).yaml: extends: "):
        places.task("child")


@pytest.mark.parametrize("name", ["Upper", "tables", ".#tiny-math", "two words"])
def test_a_file_whose_name_no_task_can_have_stops_no_task(edited: Edited, name: str) -> None:
    path = edited.folder / f"tasks/{name}.yaml"
    path.write_text("extends: tiny-math\n")
    places = edited.load()
    assert list(places.faults) == [name]
    assert places.faults[name].startswith(f"{path}: not a task's name; rename the file")
    assert places.task("tiny-math")


def test_a_fault_of_one_model_is_an_error_for_the_tasks_that_name_it(edited: Edited) -> None:
    edited.set(MODELS, "llama3-8b.dtype", "int3")
    edited.set(MODELS, "bad name", {"size": "tiny", "folder": "x"})
    places = edited.load()
    assert {"math", "models.yaml: bad name", "models.yaml: llama3-8b"} <= set(places.faults)
    assert places.task("tiny-math")
    assert "llama3-8b" not in places.models
    with pytest.raises(BadInput, match=r"tasks/math.yaml: proposer: .*models.yaml: llama3-8b.dtype: "):
        places.task("math")


def test_a_fault_of_a_shared_setting_is_an_error_for_all_tasks(edited: Edited) -> None:
    edited.set(WORKFLOW, "defaults.sampling.top_p", 7)
    with pytest.raises(BadInput, match=r"config.yaml: defaults.sampling.top_p"):
        edited.load()
    (edited.folder / MODELS).write_text("a: [")
    with pytest.raises(BadInput, match=r"models.yaml: not a readable YAML file"):
        load_configuration(content(WORKFLOW), edited.folder)


def test_a_branch_is_no_commit(edited: Edited) -> None:
    (edited.folder / "lock.yaml").write_text("a/b: main\n")
    assert "lock.yaml: a/b: 'main' is not a commit" in edited.refusal()


def test_a_key_that_occurs_twice_is_refused(edited: Edited) -> None:
    path = edited.folder / TASK
    path.write_text(path.read_text() + "\nkind: math\n")
    assert "the key 'kind' occurs twice" in edited.refusal()


def test_a_key_that_occurs_twice_in_the_file_that_snakemake_reads_is_refused(edited: Edited) -> None:
    path = edited.folder / "config.yaml"
    path.write_text(path.read_text() + "\nrandom_seeds: [7]\n")
    assert "config.yaml: not a readable YAML file: the key 'random_seeds' occurs twice" in edited.refusal()


def test_a_random_seed_of_a_tasks_name_has_the_same_bound(shipped: Configuration) -> None:
    assert shipped.task("tiny-math.s4294967295").random_seed == 2**32 - 1
    with pytest.raises(BadInput, match="below 2"):
        shipped.task("tiny-math.s4294967296")


@pytest.mark.parametrize("file", [TASK, MODELS, "lock.yaml"])
@pytest.mark.parametrize(
    "text",
    [b"a: [1", b"a: b: c", b"\ta: 1", b"- a\n- b", b"just words", b"a: \xff", b"a: 2024-13-45", b"a: " + b"[" * 2000],
    ids=lambda text: text[:14].decode(errors="replace"),
)
def test_a_malformed_file_is_named(edited: Edited, file: str, text: bytes) -> None:
    (edited.folder / file).write_bytes(text)
    assert edited.refusal().startswith(f"{edited.folder / file}: ")


@pytest.mark.parametrize(
    ("file", "value"),
    [
        ("lock.yaml", {"openai/gsm8k": None}),
        ("lock.yaml", {"openai/gsm8k": 1234567890}),
        ("lock.yaml", {"openai/gsm8k": ["a"]}),
        (MODELS, {**content(MODELS), 7: LLAMA}),
    ],
    ids=["no commit", "a number", "a list", "a model named 7"],
)
def test_a_name_or_a_commit_that_is_not_text_is_refused(edited: Edited, file: str, value: Any) -> None:
    (edited.folder / file).write_text(yaml.safe_dump(value))
    assert edited.refusal().startswith(f"{edited.folder / file}: ")


def test_a_missing_file_of_models_is_named_and_a_missing_lock_is_none(edited: Edited) -> None:
    (edited.folder / "lock.yaml").unlink()
    assert edited.load().lock == {}
    (edited.folder / MODELS).unlink()
    assert edited.refusal().startswith(f"{edited.folder / MODELS}: ")


@pytest.mark.parametrize(
    "name", ["tables", "figures", "models", "worlds", "Tiny", "tiny_math", "tiny.s1", "tiny math", "ü"]
)
def test_a_task_with_a_reserved_or_illegal_name_is_refused(edited: Edited, name: str) -> None:
    file = shutil.copy(edited.folder / TASK, edited.folder / f"tasks/{name}.yaml")
    assert edited.refusal().startswith(f"{file}: ")


@pytest.mark.parametrize("number", [0, 2, 1234567890])
def test_a_suffix_sets_the_random_seed_and_nothing_else(shipped: Configuration, number: int) -> None:
    base = shipped.task("tiny-math").model_dump()
    assert shipped.task(f"tiny-math.s{number}").model_dump() == base | {"random_seed": number}
    assert shipped.task("tiny-math").model_dump() == base


@pytest.mark.parametrize(
    "name",
    ["", "nope", "tiny", "Tiny-math", "../tiny-math", ".s1"]
    + [f"tiny-math.{suffix}" for suffix in ("", "1", "s", "s01", "s-1", "s1.s2", "s1\n", "s\u0661")],
)
def test_an_unknown_task_is_refused_with_the_known_ones(shipped: Configuration, name: str) -> None:
    with pytest.raises(BadInput) as refused:
        shipped.task(name)
    assert repr(name) in str(refused.value)
    assert all(path.stem in str(refused.value) for path in CONFIG.glob("tasks/*.yaml"))


def test_a_task_that_extends_another_has_its_own_keys_over_those_of_the_other_and_the_defaults(edited: Edited) -> None:
    extending(edited, "child", "tiny-math", iterations=7, sampling={"top_p": 0.5})
    extending(edited, "grandchild", "child", sampling={"temperature": 0.25}, pairs={"max_reuse": 3})
    loaded = edited.load()
    parent, child, grandchild = (loaded.task(name).model_dump() for name in ("tiny-math", "child", "grandchild"))
    sampling = parent["sampling"] | {"top_p": 0.5}
    assert child == parent | {"extends": "tiny-math", "iterations": 7, "sampling": sampling}
    assert grandchild == child | {
        "extends": "child",
        "sampling": sampling | {"temperature": 0.25},
        "pairs": parent["pairs"] | {"max_reuse": 3},
    }
    assert parent["extends"] is None
    assert parent["sampling"]["top_p"] != 0.5


@pytest.mark.parametrize(
    ("tasks", "blamed", "named"),
    [
        ({"child": "nothing"}, "child", "'nothing'"),
        ({"child": "child"}, "child", "'child'"),
        ({"child": "other", "other": "child"}, "other", "'child'"),
        ({"child": "other", "other": "third", "third": "other"}, "third", "'other'"),
        ({"child": "tiny-math.s1"}, "child", "'tiny-math.s1'"),
        ({"child": 5}, "child", "5"),
    ],
)
def test_a_task_that_extends_nothing_or_itself_is_refused_with_what_it_may_extend(
    edited: Edited, tasks: dict[str, Any], blamed: str, named: str
) -> None:
    for name, parent in tasks.items():
        extending(edited, name, parent)
    message = edited.refusal()
    assert message.startswith(f"{edited.folder}/tasks/{blamed}.yaml: extends: cannot extend {named}; name one of ")
    assert "tiny-math" in message.split("; name one of ")[1]


def test_a_fault_that_a_task_inherits_is_refused(edited: Edited) -> None:
    edited.set(TASK, "sampling.top_p", 2)
    extending(edited, "a-child", "tiny-math")
    assert re.search(r"tasks/(a-child|tiny-math)\.yaml: sampling\.top_p: ", edited.refusal())


def test_math_asks_target_and_teacher_for_one_form_of_final_answer() -> None:
    tasks = load_configuration(content("config.yaml"), CONFIG).tasks
    asked = {name: task for name, task in tasks.items() if task.kind == "math" and task.responses.system}
    assert {"math", "math-no-validity", "math-no-sft"} <= set(asked)
    for name, task in asked.items():
        texts = [str(task.responses.system), str(task.references.system)]
        assert [("####" in text, "boxed" in text) for text in texts] == [(False, True)] * 2, name
