"""The shipped configuration is valid for the loader and for editors; each mistake is named with file and key."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from reversegen.config.json_schema import json_schemas
from reversegen.config.load import task_file, task_files
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.workflow.configuration import EXTENSIONS, load_configuration

CONFIG = Path(__file__).parents[2] / "config"
SCHEMAS = json_schemas(EXTENSIONS.kinds, EXTENSIONS.worlds)
EDITORS = {name: jsonschema.Draft202012Validator(schema) for name, schema in SCHEMAS.items()}
TASK, OTHER, MODELS, WORKFLOW = "tasks/tiny-math.yaml", "tasks/math.yaml", "models.yaml", "config.yaml"
SHIPPED = sorted(str(path.relative_to(CONFIG)) for path in [*CONFIG.glob("*.yaml"), *task_files(CONFIG / "tasks")])


def read(path: Path) -> Any:
    """A YAML file, parsed by libyaml; its aliases become separate objects."""
    return json.loads(json.dumps(yaml.load(path.read_text(), Loader=yaml.CSafeLoader)))


def content(file: str) -> Any:
    return read(CONFIG / file)


def schema_of(file: str) -> str:
    return {WORKFLOW: "config", MODELS: "models"}.get(file, "task") + ".schema.json"


class Edited:
    """A copy of config/ to break, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(CONFIG, folder, ignore=shutil.ignore_patterns("schema", "accelerate", "*.md"))

    def load(self) -> Configuration:
        return load_configuration(read(self.folder / WORKFLOW), self.folder)

    def write(self, file: str, value: Any) -> None:
        text = json.dumps(value)  # JSON is YAML, but for these numbers
        (self.folder / file).write_text(text.replace("Infinity", ".inf").replace("NaN", ".nan"))

    def set(self, file: str, key: str, value: Any) -> None:
        *above, last = key.split(".")
        whole = part = read(self.folder / file)
        for name in above:
            part = part.setdefault(name, {})
        part[last] = value
        self.write(file, whole)

    def refusal(self) -> str:
        """The first fault: of what all tasks share, or of a model or task."""
        try:
            fault = next(iter(self.load().faults.values()))
        except BadInput as error:
            fault = str(error)
        assert "\n" not in fault
        return fault


def names(message: str, file: Path, key: str) -> bool:
    """Whether a refusal starts with the file and the key; pydantic may go on to a part of the key."""
    return re.match(rf"{re.escape(f'{file}: {key}')}(\.[^:]*)?: \S", message) is not None


@pytest.fixture
def edited(tmp_path: Path) -> Edited:
    return Edited(tmp_path / "config")


@pytest.fixture(scope="module")
def shipped() -> Configuration:
    return load_configuration(content(WORKFLOW), CONFIG)


def leaves(value: Any, above: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {above: value}
    return {key: leaf for name, inner in value.items() for key, leaf in leaves(inner, f"{above}.{name}").items()}


def test_ablations_have_a_folder_of_their_own(shipped: Configuration) -> None:
    extending = {name for name, task in shipped.tasks.items() if task.extends}
    ablations = {path.stem for path in (CONFIG / "tasks/ablations").iterdir()}
    assert ablations == extending - {"tiny-math-served", "tiny-math-vllm"}
    assert len(ablations) == 11


def test_two_files_of_one_name_are_refused_in_one_line_and_stop_no_other_task(edited: Edited) -> None:
    (edited.folder / "tasks/math-no-sft.yaml").write_text("extends: math\n")
    loaded = edited.load()
    with pytest.raises(BadInput) as refused:
        loaded.task("math-no-sft")
    tasks = edited.folder / "tasks"
    assert str(refused.value) == (
        f"{tasks}/ablations/math-no-sft.yaml: {tasks}/math-no-sft.yaml has the same name, which is the task's; "
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
    own = leaves(read(task_file(CONFIG / "tasks", name)))
    if parent := own.get(".extends"):
        own = leaves(read(task_file(CONFIG / "tasks", parent))) | own
    defaults = {
        key: value
        for key, value in leaves(content(WORKFLOW)["defaults"]).items()
        if not any(other.startswith(f"{key}.") for other in own)  # null where the task has a section
        and not any(key.startswith(f"{other}.") for other in own)  # a section where the task says null
    }
    assert leaves(shipped.task(name).model_dump(mode="json", exclude_unset=True)) == defaults | own


def test_models_and_lock_are_those_of_the_files(shipped: Configuration) -> None:
    assert shipped.lock == (content("lock.yaml") or {})
    dumped = {name: model.model_dump(mode="json", exclude_unset=True) for name, model in shipped.models.items()}
    assert dumped == content(MODELS)
    for name, model in shipped.models.items():
        use = {"endpoint", "engine", "vllm", "dtype", "attn_implementation", "pad_token", "chat_template"}
        use |= {"chat_template_kwargs", "thinking", "system_turn"}
        assert model.use.model_dump() == model.model_dump(include=use), name


CORPUS = {"world": "arithmetic", "mix": "uniform", "part": "all", "count": 1, "random_seed": 0, "distinct": False}
SOURCE = {"licence": "MIT"}
JUDGE = {"model": "llama3-8b", "format": "instructed", "batch_size": 4}
LLAMA = {"size": "8b", "hub": "meta-llama/Meta-Llama-3-8B"}
ENDPOINT = {"base_url": "https://api.example.org/v1", "model": "m", "api_key_env": "KEY"}
REFUSED = [
    # a wrong type
    (WORKFLOW, "random_seeds", 0),
    (WORKFLOW, "random_seeds.0", [0.5]),
    (WORKFLOW, "sizes.tiny.gpu", "one"),
    (WORKFLOW, "sizes", []),
    (TASK, "iterations", "three"),
    (TASK, "iterations", 2.5),
    (TASK, "iterations", None),
    (TASK, "iterations", True),
    (TASK, "random_seed", False),
    (TASK, "prompts", 5),
    (TASK, "prompts.header", 5),
    (TASK, "data.seeds.arithmetic", None),
    (TASK, "warmup.lora", "yes"),
    (TASK, "preference.loss_type", "sigmoid"),
    (TASK, "preference.training.optim", "adamw"),
    (MODELS, "llama3-8b", None),
    (MODELS, "llama3-8b.hub", 7),
    (MODELS, "tiny-arithmetic.train.config.hidden_size", "64 units"),
    # out of range
    (WORKFLOW, "random_seeds", []),
    (WORKFLOW, "random_seeds.0", [-1]),
    (WORKFLOW, "python.cpu", "python"),
    (WORKFLOW, "sizes.tiny.mem_mb", 10),
    (TASK, "iterations", 0),
    (TASK, "keep", [0, "first", "last"]),
    (WORKFLOW, "gres", "gpu:a100:1"),
    (TASK, "checker_timeout", 0),
    (TASK, "data.heldout_share", 1),
    (TASK, "data.seeds", {}),
    (TASK, "data.tests", {}),
    (TASK, "data.seeds.arithmetic.corpus.part", "training"),
    (TASK, "data.seeds.arithmetic.corpus.world", "geometry"),
    (TASK, "data.seeds.arithmetic.subjects", []),
    (TASK, "data.probe", "sometimes"),
    (TASK, "data.probe_seeds", 0),
    (TASK, "enhancement.seed_margin", -0.1),
    (TASK, "references.samples", 0),
    (TASK, "references.temperature", 0),
    (TASK, "honesty.threshold", -0.1),
    (TASK, "honesty.samples", 0),
    (TASK, "safety.refusals", []),
    (TASK, "judge_check.sensitivity", 1.5),
    (TASK, "contamination.near_share", 1.5),
    (TASK, "transfer", "llama3-8b"),
    (TASK, "reuse", ["everything"]),
    (TASK, "sampling.top_p", 1.5),
    (TASK, "sampling.temperature", -1),
    (TASK, "sampling.temperature", float("inf")),
    (TASK, "sampling.temperature", float("nan")),
    (TASK, "warmup.training.learning_rate", float("inf")),
    (TASK, "deduplication.ngram", 0),
    (TASK, "deduplication.threshold", 0),
    (TASK, "preference.reference", "next"),
    (TASK, "preference.loss_type", []),
    (TASK, "preference.loss_weights", [float("nan"), 1.0]),
    (TASK, "evaluation.bootstrap", 10),
    (MODELS, "llama3-8b.dtype", "int3"),
    (MODELS, "llama3-8b.hub", "Llama-3"),
    # a name of nothing
    (TASK, "proposer", "llama4"),
    (TASK, "target", "llama4"),
    (TASK, "teacher", "llama4"),
    (TASK, "target", "arithmetic"),
    (TASK, "transfer.0", ["llama4"]),
    (MODELS, "llama3-8b.size", "13b"),
]
"""File, key and a value that the key cannot have."""
BEYOND_SCHEMAS = [
    row for row in REFUSED if row[2] in ("llama4", ["llama4"], "arithmetic", "13b") or re.search("nan|inf", str(row[2]))
]
"""Names that stand in other files, and what JSON has no number for."""


def shown(part: Any) -> str:
    return str(part)[:40]


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
        (TASK, "data.seeds.arithmetic", SOURCE, "data.seeds.arithmetic", "one of file, url, hub and corpus"),
        (TASK, "data.tests.test", SOURCE | {"corpus": CORPUS}, "data", "tests.test"),
        (TASK, "data.tests.test", SOURCE | {"corpus": CORPUS | {"world": "policy"}}, "data", "`measures`"),
        (TASK, "data.seeds.arithmetic", SOURCE | {"file": "a.txt"}, "data.seeds.arithmetic", "must end in .jsonl"),
        (TASK, "data.seeds.arithmetic", SOURCE | {"file": "a.csv", "rows": 0}, "data.seeds.arithmetic.rows", "greater"),
        (
            TASK,
            "data.seeds.arithmetic",
            SOURCE | {"corpus": CORPUS, "rows": 5},
            "data.seeds.arithmetic",
            "has its count",
        ),
        (TASK, "data.judge", SOURCE | {"file": "a.jsonl", "rows": 5}, "data", "without column and rows"),
        (TASK, "references.agreeing", 2, "references", "2 of 1 samples can never agree"),
        (TASK, "judge", JUDGE | {"format": "classifier"}, "judge", "failed_labels: a classifier needs them"),
        (TASK, "judge", JUDGE | {"failed_labels": ["bad"]}, "judge", "nothing else takes them"),
        (TASK, "preference.loss_weights", [1.0], "preference", "loss_weights"),
        (TASK, "preference.loss_type", ["sigmoid", "sft", "ipo"], "preference", "loss_weights"),
        (MODELS, "llama3-8b", LLAMA | {"folder": "models/llama"}, "llama3-8b", "one of hub, folder, endpoint"),
        (MODELS, "llama3-8b", {"size": "8b"}, "llama3-8b", "one of hub, folder, endpoint and train"),
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
    ("key", "value", "words"),
    [
        ("kind", "maths", "kind: 'maths' is none of honesty, math, safety"),
        (
            "data.tests.test.measures",
            "over_refusal",
            "data.tests.test.measures: over_refusal is nothing that the kind math",
        ),
        (
            "data.tests.test.measures",
            "speed",
            "data.tests.test.measures: speed is nothing that the kind math measures; it has a",
        ),
        ("teacher", "knowledge", "teacher: knowledge solves questions of the kind honesty alone"),
    ],
)
def test_what_no_kind_knows_is_refused_with_the_file_that_names_it(
    edited: Edited, key: str, value: str, words: str
) -> None:
    edited.set(TASK, key, value)
    assert edited.refusal().startswith(f"{edited.folder / TASK}: {words}")


@pytest.mark.parametrize(
    ("file", "key", "value", "words"),
    [
        ("config.yaml", "random_seeds", [0, 1, 1], "each may be given once"),
        (TASK, "transfer", ["llama2-7b", "llama2-7b"], "each may be given once"),
        (TASK, "keep", [0], "0, from which the control and other tasks start, and last must be among them"),
        (TASK, "keep", [1, "last"], "last must be among them"),
        (TASK, "keep", [0, 4, "last"], "keep: 4 is none of iterations 0 to 3"),
        (TASK, "proposer", "tiny-policy-judge", "proposer: tiny-policy-judge is a classifier, which writes no text"),
        (TASK, "preference.loss_weights", [0, 0], "loss_weights must be 0 or more, and one above 0"),
        (TASK, "preference.loss_weights", [1, -1], "loss_weights must be 0 or more, and one above 0"),
        (TASK, "data.seeds.arithmetic.measures", "accuracy", "`measures` is for test sets"),
        (TASK, "honesty", {"sure": "unsure", "unsure": "unsure"}, "sure and unsure must differ"),
    ],
)
def test_what_could_only_fail_late_is_refused_at_once(
    edited: Edited, file: str, key: str, value: Any, words: str
) -> None:
    edited.set(file, key, value)
    message = edited.refusal()
    assert words in message
    assert str(edited.folder / file) in message


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
    "list": (lambda path: path.write_text("- kind\n"), "a list where keys and values are needed"),
    "number for a key": (lambda path: path.write_text("5: 6\n"), "the key 5 is no text"),
    "merge conflict": (lambda path: path.write_text("<<<<<<< HEAD\nkind: math\n"), "not a readable YAML file"),
    "tab": (lambda path: path.write_text("data:\n\tseeds: {}\n"), "not a readable YAML file: .* line 2"),
    "alias": (lambda path: path.write_text("data: *nonesuch\n"), "not a readable YAML file: .*undefined alias"),
    "deep": (lambda path: path.write_text("[" * 5000), "not a readable YAML file"),
    "tag without a time": (lambda path: path.write_text("kind: !!timestamp abc\n"), "not a readable YAML file"),
    "dangling link": (_link, "not a readable YAML file: .*No such file"),
    "folder": (_folder, "not a readable YAML file: .*directory"),
    "unknown key": (
        lambda path: path.write_text("extends: tiny-math\nnew: 1\n"),
        "new: Extra inputs are not permitted",
    ),
    "itself": (lambda path: path.write_text("extends: faulty\n"), "extends: 'faulty' is none of"),
    "no parent": (lambda path: path.write_text("extends: nonesuch\n"), "extends: 'nonesuch' is none of"),
    "list of parents": (lambda path: path.write_text("extends: [math]\n"), r"extends: \['math'\] is none of"),
    "kind": (lambda path: path.write_text("extends: tiny-math\nkind: maths\n"), "kind: 'maths' is none of"),
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
    assert places.faults[name].startswith(f"{path}: a task's name is of a-z, 0-9 and -")
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


def test_a_fault_of_what_all_tasks_share_is_an_error_for_all(edited: Edited) -> None:
    edited.set(WORKFLOW, "defaults.sampling.top_p", 7)
    with pytest.raises(BadInput, match=r"config.yaml: defaults.sampling.top_p"):
        edited.load()
    (edited.folder / MODELS).write_text("a: [")
    with pytest.raises(BadInput, match=r"models.yaml: not a readable YAML file"):
        load_configuration(content(WORKFLOW), edited.folder)


def test_a_branch_is_no_commit(edited: Edited) -> None:
    (edited.folder / "lock.yaml").write_text("a/b: main\n")
    assert "lock.yaml: a/b: 'main' is no commit" in edited.refusal()


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


def test_a_key_that_replaces_an_old_one_is_not_said_to_be_missing(edited: Edited) -> None:
    path = edited.folder / TASK
    path.write_text(path.read_text().replace("\nteacher: ", "\nlabeller: "))
    assert edited.refusal() == f"{path}: labeller: is now `teacher`"


def test_a_key_that_stands_twice_is_refused(edited: Edited) -> None:
    path = edited.folder / TASK
    path.write_text(path.read_text() + "\nkind: math\n")
    assert "the key 'kind' stands twice" in edited.refusal()


def test_a_key_that_stands_twice_in_the_file_that_snakemake_reads_is_refused(edited: Edited) -> None:
    path = edited.folder / "config.yaml"
    path.write_text(path.read_text() + "\nrandom_seeds: [7]\n")
    assert "config.yaml: not a readable YAML file: the key 'random_seeds' stands twice" in edited.refusal()


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


def test_a_random_seed_of_a_tasks_name_has_the_same_bound(shipped: Configuration) -> None:
    assert shipped.task("tiny-math.s4294967295").random_seed == 2**32 - 1
    with pytest.raises(BadInput, match="below 2"):
        shipped.task("tiny-math.s4294967296")


@pytest.mark.parametrize("key", ["type_entropy", "semantic_diversity"])
def test_the_bound_of_a_number_that_may_be_null_is_the_schemas_too(edited: Edited, key: str) -> None:
    whole = {"extends": "tiny-math", "alarm": {"action": "warn", key: -1.0}}
    edited.write("tasks/own.yaml", whole)
    assert f"alarm.{key}" in edited.refusal()
    assert f"alarm/{key}" in {
        "/".join(map(str, e.path)) for e in EDITORS[schema_of("tasks/own.yaml")].iter_errors(whole)
    }


def test_the_kind_safety_needs_a_judge(edited: Edited) -> None:
    edited.set(TASK, "kind", "safety")
    edited.set(TASK, "teacher", "llama3-8b-instruct")
    edited.set(TASK, "data.tests.test.measures", "retained")
    assert edited.refusal() == f"{edited.folder / TASK}: judge: the kind safety needs one"
    edited.set(TASK, "judge", JUDGE)
    assert edited.load().task("tiny-math").judge is not None


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
        "http://localhost:99999/v1",  # no port
        "api",
    ],
)
def test_an_endpoint_that_would_send_the_key_in_clear_is_refused(edited: Edited, url: str) -> None:
    edited.set(MODELS, "remote", {"size": "tiny", "endpoint": ENDPOINT | {"base_url": url}})
    assert names(edited.refusal(), edited.folder / MODELS, "remote.endpoint.base_url")


@pytest.mark.parametrize(
    "url",
    ["https://api.example.org", "https://api.example.org:8443/v1/", "http://localhost:80/v1", "http://[::1]:1/v1"],
)
def test_an_endpoint_over_https_or_on_loopback_is_taken(edited: Edited, url: str) -> None:
    limits = {"concurrency": 64, "mode": "batch", "requests_per_minute": 500}
    edited.set(MODELS, "remote", {"size": "tiny", "endpoint": ENDPOINT | {"base_url": url}, "limits": limits})
    model = edited.load().models["remote"]
    assert (model.limits and model.limits.concurrency) == 64
    assert "limits" not in model.use.model_dump()  # what decides no answer reruns nothing


@pytest.mark.parametrize(
    ("file", "key", "value", "mend"),
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
    edited: Edited, file: str, key: str, value: str, mend: str
) -> None:
    edited.set(MODELS, "remote", {"size": "tiny", "endpoint": ENDPOINT})
    edited.set(file, key, value)
    message = edited.refusal()
    assert names(message, edited.folder / file, key)
    assert mend in message
    assert "xyzzy" not in message.replace(key, "")


def test_every_form_that_a_value_may_have_is_named(edited: Edited) -> None:
    edited.set(TASK, "keep", [0, "lsat", "last"])
    message = edited.refusal()
    assert message.startswith(f"{edited.folder / TASK}: keep.1: Input should be a valid integer")
    assert message.endswith("or: Input should be 'last', not 'lsat'")


def test_a_model_is_split_over_no_more_gpus_than_its_jobs_ask_for(edited: Edited) -> None:
    edited.set(MODELS, "llama3-8b", LLAMA | {"engine": "vllm", "vllm": {"tensor_parallel_size": 2}})
    assert "llama3-8b.vllm.tensor_parallel_size: 2, and a job of the size 8b asks for 1 GPUs" in edited.refusal()
    edited.set(WORKFLOW, "sizes.8b.gpu", 2)
    edited.load()


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
                f"extra_body: {key}: not to be given here; see max_tokens_field, omit and one_choice",
            )
            for key in ("model", "messages", "n", "seed", "stream", "max_tokens", "max_completion_tokens")
        ),
        ({"extra_body": {"max_new": 1}, "max_tokens_field": "max_new"}, "extra_body: max_new: not to be given here"),
        ({"extra_body": {"chat_template_kwargs": 1}}, "extra_body: chat_template_kwargs: names and values are needed"),
        ({"extra_body": ["a"]}, "endpoint.extra_body: "),
        ({"omit": ["n"]}, "endpoint.omit.0: "),
        ({"omit": ["seed", "seed"]}, "each may be given once"),
        ({"max_tokens_field": "max tokens"}, "endpoint.max_tokens_field: "),
    ],
)
def test_settings_of_a_request_that_cannot_be_are_refused(edited: Edited, settings: dict[str, Any], words: str) -> None:
    edited.set(MODELS, "remote", {"size": "tiny", "endpoint": ENDPOINT | settings})
    assert words in edited.refusal()


def test_settings_of_a_request_are_taken_as_they_are_given(edited: Edited) -> None:
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


def test_an_endpoint_is_not_told_how_to_load_its_model(edited: Edited) -> None:
    edited.set(MODELS, "remote", {"size": "tiny", "endpoint": ENDPOINT, "chat_template": "x", "dtype": "float32"})
    assert "dtype, chat_template: an endpoint loads its model itself" in edited.refusal()


THINKS, AT_ONCE = (
    {"thinking": {"enabled": True, "max_tokens": 2048}},
    {"thinking": {"enabled": False, "max_tokens": 2048}},
)


@pytest.mark.parametrize("role", ["proposer", "target", "teacher", "judge"])
def test_a_model_that_thinks_may_play_every_role(edited: Edited, role: str) -> None:
    edited.set(MODELS, "llama3-8b-instruct", LLAMA | THINKS)
    edited.set(OTHER, role, JUDGE | {"format": "instructed"} if role == "judge" else "llama3-8b-instruct")
    model = edited.load().models["llama3-8b-instruct"]
    assert (model.thinks, model.thought_tokens) == (True, 2048)
    assert model.thinking is not None
    assert (model.thinking.start, model.thinking.end) == ("<think>", "</think>")
    assert model.trained.thinking == model.thinking.model_copy(update={"max_tokens": 0})  # which trains nothing else


def test_what_means_nothing_before_a_thought_is_refused_until_it_is_turned_off(edited: Edited) -> None:
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
    edited.set(TASK, "judge", JUDGE | {"format": "wildguard"})
    edited.set(MODELS, model, LLAMA | THINKS)
    assert f"judge: {model} thinks before it answers, and the form wildguard has no room" in edited.refusal()
    edited.set(MODELS, model, LLAMA | AT_ONCE)
    edited.load()


def test_limits_are_for_an_endpoint(edited: Edited) -> None:
    edited.set(MODELS, "llama3-8b", LLAMA | {"limits": {"concurrency": 4}})
    assert "limits: are for an endpoint" in edited.refusal()


def test_the_refusal_of_an_unknown_model_lists_the_known_ones(edited: Edited) -> None:
    edited.set(OTHER, "teacher", "gpt")
    message = edited.refusal()
    assert "'gpt'" in message
    assert all(name in message for name in content(MODELS))


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


def sections(value: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The keys that lead to each mapping in a file."""
    if isinstance(value, dict):
        yield above
        for name, inner in value.items():
            yield from sections(inner, (*above, name))


SECTIONS = [(file, keys) for file in SHIPPED if file != "lock.yaml" for keys in sections(content(file))]


@pytest.mark.parametrize(("file", "keys"), SECTIONS, ids=lambda part: part if isinstance(part, str) else ".".join(part))
def test_a_misspelt_key_is_refused_in_every_section_by_the_loader_and_by_the_schema(
    edited: Edited, file: str, keys: tuple[str, ...]
) -> None:
    whole = part = content(file)
    for key in keys:
        part = part[key]
    part["misspelt"] = []
    assert not EDITORS[schema_of(file)].is_valid(whole)
    edited.write(file, whole)
    message, key = edited.refusal(), ".".join([*keys, "misspelt"])
    assert names(message, edited.folder / file, key) or names(
        message, edited.folder / file, key.removeprefix("defaults.")
    )


@pytest.mark.parametrize("file", [TASK, MODELS, "lock.yaml"])
@pytest.mark.parametrize(
    "text",
    [b"a: [1", b"a: b: c", b"\ta: 1", b"- a\n- b", b"just words", b"a: \xff", b"a: 2024-13-45", b"a: " + b"[" * 9999],
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
def test_a_name_or_a_commit_that_is_no_text_is_refused(edited: Edited, file: str, value: Any) -> None:
    (edited.folder / file).write_text(yaml.safe_dump(value))
    assert edited.refusal().startswith(f"{edited.folder / file}: ")


def test_a_missing_file_of_models_is_named_and_a_missing_lock_is_none(edited: Edited) -> None:
    (edited.folder / "lock.yaml").unlink()
    assert edited.load().lock == {}
    (edited.folder / MODELS).unlink()
    assert edited.refusal().startswith(f"{edited.folder / MODELS}: ")


@pytest.mark.parametrize("name", ["tables", "figures", "models", "Tiny", "tiny_math", "tiny.s1", "tiny math", "ü"])
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


def extending(edited: Edited, name: str, parent: str, **own: Any) -> None:
    edited.write(f"tasks/{name}.yaml", {"extends": parent, **own})


def test_a_task_that_extends_another_has_its_own_keys_over_those_of_the_other_and_the_defaults(edited: Edited) -> None:
    extending(edited, "child", "tiny-math", iterations=7, sampling={"top_p": 0.5})
    extending(edited, "grandchild", "child", sampling={"temperature": 0.25}, pairs={"max_reuse": 3})
    found = edited.load()
    parent, child, grandchild = (found.task(name).model_dump() for name in ("tiny-math", "child", "grandchild"))
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
    assert message.startswith(f"{edited.folder}/tasks/{blamed}.yaml: extends: {named} is none of ")
    assert "tiny-math" in message.split(" is none of ")[1]


def test_a_fault_that_a_task_inherits_is_refused(edited: Edited) -> None:
    edited.set(TASK, "sampling.top_p", 2)
    extending(edited, "a-child", "tiny-math")
    assert re.search(r"tasks/(a-child|tiny-math)\.yaml: sampling\.top_p: ", edited.refusal())


PLACES = {
    "seeds": ["seeds.jsonl", "tests/test.jsonl"],
    "probe": ["probe/drawn_seeds.jsonl", "probe/labels.jsonl", "probe/responses.jsonl"],
    "warmup": ["warmup.jsonl"],
    "untrained": ["untrained/labels.jsonl", "untrained/eval.json"],
    "iter0": ["iter0/proposer", "iter0/labels.jsonl", "iter0/eval.json"],
    "control": ["control/labels.jsonl"],
    "original": ["original/eval.json"],
}
"""Files of each part."""
NEVER = [
    "iter1/labels.jsonl",
    "enhanced/seeds/eval.json",
    "enhanced/warmup/target",
    "contamination/iter0.json",
    "contamination.json",
]
"""Files that are no part of another task, whatever their names begin with."""


@pytest.mark.parametrize("part", PLACES)
def test_the_files_of_a_reused_part_and_of_no_other_are_those_of_the_extended_task(edited: Edited, part: str) -> None:
    extending(edited, "child", "tiny-math", reuse=[part])
    extending(edited, "chain", "child", reuse=[part])
    extending(edited, "broken-chain", "child")
    found = edited.load()
    for name, paths in {**PLACES, "never": NEVER}.items():
        for path in paths:
            for seed in ("", ".s0", ".s3"):
                theirs = "tiny-math" if name == part else "child"
                assert found.place(f"child{seed}", path) == f"results/{theirs}{seed}/{path}"
                theirs = "tiny-math" if name == part else "chain"
                assert found.place(f"chain{seed}", path) == f"results/{theirs}{seed}/{path}"
                assert found.place(f"broken-chain{seed}", path) == f"results/broken-chain{seed}/{path}"
                assert found.place(f"tiny-math{seed}", path) == f"results/tiny-math{seed}/{path}"


def test_what_a_task_reuses_is_its_own_word_and_not_inherited(edited: Edited) -> None:
    extending(edited, "child", "tiny-math", reuse=["seeds", "iter0"])
    extending(edited, "chain", "child", reuse=["iter0"])
    found = edited.load()
    assert (found.task("child").reuse, found.task("chain").reuse) == (["seeds", "iter0"], ["iter0"])
    assert found.place("chain", "iter0/labels.jsonl") == "results/tiny-math/iter0/labels.jsonl"
    assert found.place("chain", "seeds.jsonl") == "results/chain/seeds.jsonl"


DECIDING: list[tuple[str, str, Any, str]] = [
    ("seeds", "data.heldout_share", 0.25, "data"),
    ("seeds", "data.tests.test.measures", "retained", "data"),
    ("seeds", "data.probe", True, "data"),
    ("probe", "data.probe_seeds", 7, "data"),
    ("probe", "target", "llama3-8b", "target"),
    ("probe", "responses.max_new_tokens", 7, "responses"),
    ("probe", "checker_timeout", 77, "checker_timeout"),
    ("warmup", "prompts.header", "Other :", "prompts.header"),
    ("warmup", "warmup.rows", 7, "warmup.rows"),
    ("warmup", "data.heldout_share", 0.25, "data"),
    ("untrained", "sampling.top_p", 0.5, "sampling"),
    ("untrained", "proposer", "llama3-8b", "proposer"),
    ("untrained", "evaluation.bootstrap", 777, "evaluation"),
    ("iter0", "prompts.train", 7, "prompts"),
    ("iter0", "warmup.training.learning_rate", 0.5, "warmup"),
    ("iter0", "sampling.top_p", 0.5, "sampling"),
    ("iter0", "deduplication.threshold", 0.5, "deduplication"),
    ("iter0", "proposer", "llama3-8b", "proposer"),
    ("iter0", "teacher", "qwen2.5-math-7b-instruct", "teacher"),
    ("iter0", "references.samples", 3, "references"),
    ("iter0", "evaluation.bootstrap", 777, "evaluation"),
    ("control", "iterations", 7, "iterations"),
    ("control", "sampling.temperature", 0.5, "sampling"),
    ("original", "evaluation.bootstrap", 777, "evaluation"),
    ("original", "honesty.threshold", 0.5, "honesty"),
    ("original", "judge_check.sensitivity", 0.5, "judge_check"),
]


@pytest.mark.parametrize(("part", "key", "value", "named"), DECIDING)
def test_a_reused_part_that_a_changed_key_decides_is_refused_by_name(
    edited: Edited, part: str, key: str, value: Any, named: str
) -> None:
    extending(edited, "child", "tiny-math", reuse=[part])
    edited.set("tasks/child.yaml", key, value)
    file = edited.folder / "tasks/child.yaml"
    assert edited.refusal() == f"{file}: reuse: {part} depends on {named}, which is not that of tiny-math"
    edited.set("tasks/child.yaml", "reuse", [])
    edited.load()


@pytest.mark.parametrize(
    ("parts", "key", "value"),
    [
        (["seeds", "probe", "warmup", "iter0", "control"], "preference.beta", 0.5),
        (["seeds", "probe", "warmup", "iter0", "control", "original"], "enhancement.rows", 7),
        (["seeds", "probe", "warmup", "iter0", "control", "original"], "enhancement.seed_margin", 7),
        (["seeds", "probe", "warmup", "iter0"], "iterations", 7),
        (["seeds", "probe"], "prompts.train", 7),
        (["seeds"], "target", "llama3-8b"),
        (["warmup", "untrained"], "warmup.training.learning_rate", 0.5),
    ],
)
def test_a_key_that_does_not_decide_a_part_leaves_it_reused(
    edited: Edited, parts: list[str], key: str, value: Any
) -> None:
    extending(edited, "child", "tiny-math", reuse=parts)
    edited.set("tasks/child.yaml", key, value)
    assert edited.load().task("child").reuse == parts


def test_a_part_that_the_middle_of_a_chain_changes_is_refused_there_and_kept_apart_elsewhere(edited: Edited) -> None:
    extending(edited, "middle", "tiny-math", sampling={"top_p": 0.5})
    extending(edited, "last", "middle", reuse=["iter0"])
    found = edited.load()
    assert found.place("last.s2", "iter0/samples.jsonl") == "results/middle.s2/iter0/samples.jsonl"
    edited.set("tasks/middle.yaml", "reuse", ["iter0"])
    assert edited.refusal().startswith(f"{edited.folder}/tasks/middle.yaml: reuse: iter0 depends on sampling")


def test_math_asks_target_and_teacher_for_one_form_of_final_answer() -> None:
    tasks = load_configuration(content("config.yaml"), CONFIG).tasks
    asked = {name: task for name, task in tasks.items() if task.kind == "math" and task.responses.system}
    assert {"math", "math-no-validity", "math-no-sft"} <= set(asked)
    for name, task in asked.items():
        texts = [str(task.responses.system), str(task.references.system)]
        assert [("####" in text, "boxed" in text) for text in texts] == [(False, True)] * 2, name


@pytest.mark.parametrize("reuse", [["seed"], ["enhanced"], "seeds", [None]])
def test_a_part_that_cannot_be_reused_is_refused(edited: Edited, reuse: Any) -> None:
    extending(edited, "child", "tiny-math", reuse=reuse)
    assert names(edited.refusal(), edited.folder / "tasks/child.yaml", "reuse")


def test_reuse_without_a_task_to_reuse_is_refused(edited: Edited) -> None:
    edited.set(TASK, "reuse", ["seeds"])
    assert edited.refusal().startswith(f"{edited.folder / TASK}: reuse: ")


@pytest.mark.parametrize("file", [file for file in SHIPPED if file != "lock.yaml"])
def test_editors_accept_a_shipped_file_and_find_its_schema(file: str) -> None:
    jsonschema.validate(content(file), SCHEMAS[schema_of(file)])
    first = (CONFIG / file).read_text().partition("\n")[0]
    schema = (CONFIG / file).parent / first.removeprefix("# yaml-language-server: $schema=")
    assert schema.resolve() == CONFIG / "schema" / schema_of(file)


@pytest.mark.parametrize(("file", "key", "value"), [row for row in REFUSED if row not in BEYOND_SCHEMAS], ids=shown)
def test_editors_refuse_the_same_values(file: str, key: str, value: Any) -> None:
    whole = part = content(file)
    *above, last = key.removesuffix(".0").split(".")
    for name in above:
        part = part.setdefault(name, {})
    part[last] = value
    assert not EDITORS[schema_of(file)].is_valid(whole)


def test_the_shipped_schemas_are_those_of_the_code() -> None:
    written = {path.name: path.read_text() for path in (CONFIG / "schema").glob("*")}
    assert written == {name: json.dumps(schema, indent=2) + "\n" for name, schema in SCHEMAS.items()}
