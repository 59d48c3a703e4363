"""Reads and validates the files of `config/`."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from reversegen.config.fields import TASK_NAME
from reversegen.config.models import Model
from reversegen.config.task import REUSABLE, Task
from reversegen.config.training import Enhancement, Preference, Warmup
from reversegen.config.workflow import Configuration, Price, Throughput, Workflow
from reversegen.core.errors import BadInput
from reversegen.core.validation import explain, first_fault

SHIPPED = Path(__file__).parents[3] / "config"
"""The configuration that ships; a workflow that imports ours as a module has one of its own beside it."""
RESERVED = {"tables", "figures", "models"}
ABLATIONS = "ablations"
"""Folder in `config/tasks/` of tasks that change one thing of another."""
SOLVERS = {"arithmetic": "math", "knowledge": "honesty"}
"""Teachers that are no models but the exact solver of an invented world, with the kind whose questions they answer."""
S = TypeVar("S", bound=BaseModel)


def load(
    workflow: dict[str, Any], folder: Path, check: Callable[[Task, str], None] = lambda task, place: None
) -> Configuration:
    """Validate the content of config.yaml, as Snakemake merged it, and the other files of `folder`.

    `check` raises BadInput, with the place that it is given, for what the task's kind refuses. A fault of one task, or of one
    model, is kept in `faults`: a file that somebody edits stops no run of another task. Raises BadInput naming the file and the
    key for a fault of what all tasks share.
    """
    if (folder / "config.yaml").is_file():
        read_yaml(folder / "config.yaml")  # refuses a key that stands twice; Snakemake's own reader takes the last
    main = checked(Workflow, workflow, folder / "config.yaml")
    models, unusable = _models(main, folder / "models.yaml")
    tasks: dict[str, Task] = {}
    faults: dict[str, str] = {}
    # A fault is met in the file that holds it before it is met in one that extends it.
    files = task_files(folder / "tasks")
    for path in sorted(files, key=lambda path: (_depth(path, ()), path.name)):
        try:
            if len(same := [str(other) for other in files if other.stem == path.stem]) > 1:
                raise BadInput(f"{same[1]}: {same[0]} has the same name, which is the task's; rename one of them")
            task = _task(main.defaults, path, folder, faults)
            _check_models(task, models, unusable, path)
            _check_budget(task, models, main, path)
            _check_launchers(task, folder, path)
            if task.random_seed and len(main.random_seeds) > 1:
                raise BadInput(
                    f"{path}: random_seed: {task.random_seed} and random_seeds cannot both be given; NAME.sN sets it"
                )
            _check_reuse(task, tasks, path)
            check(task, f"{path}: ")
            tasks[path.stem] = task
        except _SharedFault:
            raise
        except BadInput as error:
            faults[path.stem] = str(error)
    lock = read_yaml(folder / "lock.yaml") if (folder / "lock.yaml").exists() else {}
    for repo, commit in lock.items():
        if not (isinstance(commit, str) and re.fullmatch(r"[0-9a-f]{40}", commit)):
            raise BadInput(f"{folder / 'lock.yaml'}: {repo}: {commit!r} is no commit; give its 40 digits in quotes")
    faults = {f"models.yaml: {name}": fault for name, fault in unusable.items()} | faults
    return Configuration(workflow=main, models=models, tasks=tasks, lock=lock, faults=faults)


def task_files(tasks: Path) -> list[Path]:
    """The files of all tasks below the folder `config/tasks`."""
    return [*sorted(tasks.glob("*.yaml")), *sorted(tasks.glob(f"{ABLATIONS}/*.yaml"))]


def task_file(tasks: Path, name: str) -> Path:
    """The file of a task by its name without random seed, whether or not it is there."""
    return next((path for path in task_files(tasks) if path.stem == name), tasks / f"{name}.yaml")


class _SharedFault(BadInput):
    """A fault of what all tasks share, met while one of them is read."""


def _models(main: Workflow, path: Path) -> tuple[dict[str, Model], dict[str, str]]:
    """The models by name, and what is wrong with the others. Raises BadInput for a file that cannot be read."""
    models, faults = {}, {}
    for name, entry in read_yaml(path).items():
        try:
            model = checked(Model, entry, path, name)
            _check_model(name, model, main, path)
            models[name] = model
        except BadInput as error:
            faults[name] = str(error)
    return models, faults


def _check_model(name: str, model: Model, main: Workflow, path: Path) -> None:
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise BadInput(f"{path}: {name!r}: a model's name is of letters, digits, dots and hyphens, no dot first")
    if model.size not in main.sizes:
        raise BadInput(f"{path}: {name}.size: {model.size!r} is none of {', '.join(main.sizes)}")
    split, gpus = model.vllm and model.vllm.tensor_parallel_size, main.sizes[model.size].gpu
    if split and split > max(1, gpus):
        raise BadInput(
            f"{path}: {name}.vllm.tensor_parallel_size: {split}, and a job of the size {model.size} asks "
            f"for {gpus} GPUs; raise `gpu` of sizes.{model.size} in config.yaml, or give the model a size of its own"
        )


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml takes an eighth of the time
    """The safe loader, which refuses a key that stands twice: the last would win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.value != "<<"]
        twice = next((key for n, key in enumerate(keys) if key in keys[:n]), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"the key {twice!r} stands twice", node.start_mark)
        content: dict[Any, Any] = super().construct_mapping(node, deep)
        return content


@functools.cache
def _parsed(text: str) -> Any:
    """A file that many tasks extend is parsed once; nobody changes what it holds."""
    return yaml.load(text, _Loader)  # a SafeLoader


def read_yaml(path: Path) -> dict[str, Any]:
    """The keys and values of a YAML file. Raises BadInput naming it where it is none, or a key is no text or stands twice."""
    try:
        content = _parsed(path.read_text(encoding="utf-8"))
    # PyYAML raises ValueError for a 13th month, and AttributeError for a tag `!!timestamp` that holds no time
    except (OSError, ValueError, AttributeError, RecursionError, yaml.YAMLError) as error:
        raise BadInput(f"{path}: not a readable YAML file: {' '.join(str(error).split())}") from error
    if content is not None and not isinstance(content, dict):
        raise BadInput(f"{path}: a {type(content).__name__} where keys and values are needed")
    for key in content or {}:
        if not isinstance(key, str):
            raise BadInput(f"{path}: the key {key!r} is no text; put it in quotes")
    return content or {}


def _task(defaults: dict[str, Any], path: Path, folder: Path, faults: dict[str, str]) -> Task:
    """A task's file over what it extends and the defaults; a fault is blamed on the file that holds the key.

    `faults` are those of the files that were read before, among them what this one extends.
    """
    if not re.fullmatch(TASK_NAME, path.stem) or path.stem in RESERVED:
        raise BadInput(f"{path}: a task's name is of a-z, 0-9 and -, and none of {', '.join(sorted(RESERVED))}")
    if (parent := str(read_yaml(path).get("extends"))) in faults:
        raise BadInput(f"{path}: extends: {faults[parent]}")
    own = _extended(path, ())
    try:
        return Task.model_validate(merge(defaults, own))
    except ValidationError as error:
        place = first_fault(error)["loc"]
        if _holds(defaults, place) and not _holds(own, place):
            raise _SharedFault(f"{folder / 'config.yaml'}: defaults.{explain(error, show_input=True)}") from error
        raise BadInput(f"{path}: {explain(error, show_input=True)}") from error


def _extended(path: Path, children: tuple[Path, ...]) -> dict[str, Any]:
    """The keys of a task's file over those of the file that it extends."""
    own = read_yaml(path)
    parent = _parent(path, own, children)
    if parent is None:
        return own
    inherited = _extended(parent, (path, *children))
    return merge({key: value for key, value in inherited.items() if key != "reuse"}, own)


def _depth(path: Path, children: tuple[Path, ...]) -> int:
    """How many files a task's file extends, one above the other, up to the first that has a fault."""
    try:
        parent = _parent(path, read_yaml(path), children)
    except BadInput:
        return 0
    return 0 if parent is None else 1 + _depth(parent, (path, *children))


def _parent(path: Path, own: dict[str, Any], children: tuple[Path, ...]) -> Path | None:
    """The file that a task's file extends. Raises BadInput where there is none of that name, or it is one of `children`."""
    name = own.get("extends")
    if name is None:
        return None
    files = task_files(path.parents[1] if path.parent.name == ABLATIONS else path.parent)
    others = {other.stem: other for other in files if other not in (path, *children)}
    if str(name) not in others:
        raise BadInput(f"{path}: extends: {name!r} is none of {', '.join(sorted(others))}")
    return others[str(name)]


def _check_models(task: Task, models: dict[str, Model], unusable: dict[str, str], path: Path) -> None:
    """Refuse a role for a model that is unknown, cannot play it, or is `unusable`: names with what is wrong with each."""
    roles = {"proposer": task.proposer, "target": task.target, "teacher": task.teacher}
    if task.judge:
        roles["judge.model"] = task.judge.model
    if task.embedding:
        roles["embedding.model"] = task.embedding.model
    roles |= {f"transfer.{n}": name for n, name in enumerate(task.transfer)}
    for role, name in roles.items():
        if name in unusable:
            raise BadInput(f"{path}: {role}: {unusable[name]}")
        if name not in models and not (role == "teacher" and name in SOLVERS):
            raise BadInput(
                f"{path}: {role}: unknown model {name!r}; config/models.yaml has {', '.join(sorted(models))}"
            )
    if task.kind == "honesty" and models[task.target].endpoint:
        raise BadInput(
            f"{path}: target: {task.target} is an endpoint, which gives no probabilities of options; name a hub id or folder"
        )
    if task.judge and models[task.judge.model].endpoint and task.judge.format in ("classifier", "shieldgemma"):
        raise BadInput(
            f"{path}: judge: {task.judge.model} is an endpoint, which cannot serve the form {task.judge.format}"
        )
    if task.judge and task.judge.format != "instructed" and models[task.judge.model].thinks:
        raise BadInput(
            f"{path}: judge: {task.judge.model} thinks before it answers, and the form {task.judge.format} has no room for a "
            "thought; set its `thinking: {enabled: false}`, or take the format instructed"
        )
    if task.kind == "honesty" and models[task.target].thinks:
        raise BadInput(
            f"{path}: target: {task.target} thinks before it answers, so its options have no probability of their own; set "
            "its `thinking: {enabled: false}`"
        )
    if task.embedding and models[task.embedding.model].endpoint:
        raise BadInput(
            f"{path}: embedding.model: {task.embedding.model} is an endpoint, which gives no vectors; name a hub id or folder"
        )
    if task.judge and models[task.judge.model].engine == "vllm" and task.judge.format == "classifier":
        raise BadInput(
            f"{path}: judge: {task.judge.model} is a classifier, which transformers runs; give no `engine: vllm`"
        )
    for role in ("proposer", "target", "teacher"):
        model = models.get(roles[role])
        if model and model.train and model.train.classifier:
            raise BadInput(f"{path}: {role}: {roles[role]} is a classifier, which writes no text")
    if models[task.proposer].endpoint:
        raise BadInput(
            f"{path}: proposer: {task.proposer} is an endpoint, and a proposer is trained; name a hub id or folder"
        )


def _check_budget(task: Task, models: dict[str, Model], main: Workflow, path: Path) -> None:
    """Refuse a limit on what nothing could be said of: every price and throughput that it needs must be given."""
    judge = [task.judge.model] if task.judge else []
    needed: dict[str, Any] = {}
    for name in (task.proposer, task.target, task.teacher, *judge, *task.transfer):
        model = models.get(name)
        if model is None:
            continue
        if model.endpoint and task.budget.money:
            price = main.costs.prices.endpoints.get(name, Price(read=None, written=None))
            needed |= {f"prices.endpoints.{name}.{key}": value for key, value in price}
        elif not model.endpoint and main.sizes[model.size].gpu and (task.budget.money or task.budget.gpu_hours):
            speed = main.costs.throughput.get(model.size, Throughput(read=None, written=None, trained=None))
            needed |= {f"throughput.{model.size}.{key}": value for key, value in speed}
            if task.budget.money:
                needed["prices.gpu_hour"] = main.costs.prices.gpu_hour
    if unknown := [key for key, value in needed.items() if value is None]:
        raise BadInput(f"{path}: budget: it cannot be kept without costs.{', costs.'.join(unknown)} in config.yaml")


def _check_launchers(task: Task, folder: Path, path: Path) -> None:
    """Refuse a launcher without its file, and LoRA where weights are sharded: its merge needs them whole."""
    for part in ("warmup", "preference", "enhancement"):
        section: Warmup | Preference | Enhancement = getattr(task, part)
        launcher = section.training.launcher
        if launcher is None:
            continue
        known = {file.stem: file for place in (SHIPPED, folder) for file in sorted(place.glob("accelerate/*.yaml"))}
        if launcher.config not in known:
            raise BadInput(
                f"{path}: {part}.training.launcher.config: {launcher.config!r} is none of {', '.join(sorted(known))}"
            )
        sharded = read_yaml(known[launcher.config]).get("distributed_type") == "FSDP"
        if sharded and section.lora:
            raise BadInput(f"{path}: {part}: LoRA is not for {launcher.config}, which shards all weights; take ddp")


def _check_reuse(task: Task, tasks: dict[str, Task], path: Path) -> None:
    """Refuse to reuse what would not be the same: every key that decides a part must be equal in both tasks."""
    if task.reuse and task.extends is None:
        raise BadInput(f"{path}: reuse: say with `extends` whose files are meant")
    if task.reuse and task.extends and task.random_seed != tasks[task.extends].random_seed:
        raise BadInput(f"{path}: reuse: its random_seed is not that of {task.extends}; NAME.sN sets both")
    for part in task.reuse:
        assert task.extends is not None
        for key in REUSABLE[part]:
            own, parents = (_key(t, key) for t in (task, tasks[task.extends]))
            if own != parents:
                raise BadInput(f"{path}: reuse: {part} depends on {key}, which is not that of {task.extends}")


def _key(task: Task, path: str) -> Any:
    value: Any = task
    for key in path.split("."):
        value = getattr(value, key)
    return value


def _holds(content: Any, place: tuple[int | str, ...]) -> bool:
    for key in place:
        if not (isinstance(content, dict) and key in content):
            return False
        content = content[key]
    return bool(place)


def merge(defaults: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """`own` over `defaults`, key by key at every depth."""
    merged = dict(defaults)
    for key, value in own.items():
        deeper = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if deeper else value
    return merged


def checked(section: type[S], content: Any, path: Path, prefix: str = "") -> S:
    """What stands in a file as its type. Raises BadInput naming the file and the key, below `prefix`."""
    try:
        return section.model_validate(content)
    except ValidationError as error:
        joined = "." if prefix and error.errors()[0]["loc"] else ": " if prefix else ""
        raise BadInput(f"{path}: {prefix}{joined}{explain(error, show_input=True)}") from error
