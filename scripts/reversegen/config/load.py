"""Reads and validates the files of `config/`.

`load` reads them all. What one section can refuse, its class refuses; `checks` has what several files decide. `read_yaml`,
`merge` and `checked` read one file.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from reversegen.config.checks import check_budget, check_models, check_reuse
from reversegen.config.fields import TASK_NAME, Section
from reversegen.config.models import Model
from reversegen.config.task import Task, task_section
from reversegen.config.training import Enhancement, Preference, Warmup
from reversegen.config.workflow import ABLATION, Configuration, Workflow
from reversegen.core.errors import BadInput
from reversegen.core.validation import explain, first_fault

SHIPPED = Path(__file__).parents[3] / "config"
"""The configuration that ships; a workflow that imports ours as a module has one of its own beside it."""
RESERVED = {"tables", "figures", "models"}
ABLATIONS = "ablations"
"""Folder in `config/tasks/` of tasks that change one thing of another."""
S = TypeVar("S", bound=BaseModel)


@dataclass(frozen=True)
class Extensions:
    """What kinds and worlds bring to the configuration, which knows none of them."""

    kinds: Mapping[str, type[Section] | None]
    """The settings of each kind: a section of a task that is named after it. None for a kind without settings."""
    worlds: Collection[str]
    """What a corpus may name."""
    solvers: Collection[str]
    """Teachers that are no models."""
    check: Callable[[Task, Mapping[str, Model], str], None]
    """Raises BadInput, with the place that it is given, for what a task's kind refuses."""


def load(workflow: dict[str, Any], folder: Path, extensions: Extensions) -> Configuration:
    """Validate the content of config.yaml, as Snakemake merged it, and the other files of `folder`.

    A fault of one task, or of one model, is kept in `faults`: a file that somebody edits stops no run of another task. Raises
    BadInput naming the file and the key for a fault of what all tasks share.
    """
    if (folder / "config.yaml").is_file():
        read_yaml(folder / "config.yaml")  # refuses a key that stands twice; Snakemake's own reader takes the last
    main = checked(Workflow, workflow, folder / "config.yaml")
    tables = [*extensions.kinds, ABLATION]
    if unknown := [name for name in main.tables if name not in tables]:
        raise BadInput(f"{folder / 'config.yaml'}: tables.{unknown[0]}: is none of {', '.join(tables)}")
    models, unusable = _models(main, folder / "models.yaml", extensions.worlds)
    tasks, faults = _tasks(main, folder, models, unusable, extensions)
    lock = read_yaml(folder / "lock.yaml") if (folder / "lock.yaml").exists() else {}
    for repo, commit in lock.items():
        if not (isinstance(commit, str) and re.fullmatch(r"[0-9a-f]{40}", commit)):
            raise BadInput(f"{folder / 'lock.yaml'}: {repo}: {commit!r} is no commit; give its 40 digits in quotes")
    faults = {f"models.yaml: {name}": fault for name, fault in unusable.items()} | faults
    return Configuration(workflow=main, models=models, tasks=tasks, lock=lock, faults=faults)


def _tasks(
    main: Workflow, folder: Path, models: dict[str, Model], unusable: dict[str, str], extensions: Extensions
) -> tuple[dict[str, Task], dict[str, str]]:
    """The tasks by name, and what is wrong with the others. `unusable` are models, with what is wrong with each."""
    section = task_section(extensions.kinds)
    tasks: dict[str, Task] = {}
    faults: dict[str, str] = {}
    # A fault is met in the file that holds it before it is met in one that extends it.
    files = task_files(folder / "tasks")
    for path in sorted(files, key=lambda path: (_depth(path, ()), path.name)):
        try:
            if len(same := [str(other) for other in files if other.stem == path.stem]) > 1:
                raise BadInput(f"{same[1]}: {same[0]} has the same name, which is the task's; rename one of them")
            task = _task(section, folder, main.defaults, path, faults, extensions.worlds)
            check_models(task, models, unusable, extensions.solvers, path)
            check_budget(task, models, main, path)
            _check_launchers(task, folder, path)
            if task.random_seed and len(main.random_seeds) > 1:
                raise BadInput(
                    f"{path}: random_seed: {task.random_seed} and random_seeds cannot both be given; NAME.sN sets it"
                )
            check_reuse(task, tasks, path)
            if settings := extensions.kinds.get(task.kind):
                checked(settings, getattr(task, task.kind) or {}, path, task.kind)
            extensions.check(task, models, f"{path}: ")
            tasks[path.stem] = task
        except _SharedFault:
            raise
        except BadInput as error:
            faults[path.stem] = str(error)
    return tasks, faults


def task_files(tasks: Path) -> list[Path]:
    """The files of all tasks below the folder `config/tasks`."""
    return [*sorted(tasks.glob("*.yaml")), *sorted(tasks.glob(f"{ABLATIONS}/*.yaml"))]


def task_file(tasks: Path, name: str) -> Path:
    """The file of a task by its name without random seed, whether or not it is there."""
    return next((path for path in task_files(tasks) if path.stem == name), tasks / f"{name}.yaml")


class _SharedFault(BadInput):
    """A fault of what all tasks share, met while one of them is read."""


def _models(main: Workflow, path: Path, worlds: Collection[str]) -> tuple[dict[str, Model], dict[str, str]]:
    """The models by name, and what is wrong with the others. Raises BadInput for a file that cannot be read."""
    models, faults = {}, {}
    for name, entry in read_yaml(path).items():
        try:
            model = checked(Model, entry, path, name, worlds)
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
    """The keys and values of a YAML file. Raises BadInput naming it if it is no YAML, or a key is no text or stands twice."""
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


def _task(
    section: type[Task],
    folder: Path,
    defaults: dict[str, Any],
    path: Path,
    faults: dict[str, str],
    worlds: Collection[str],
) -> Task:
    """A task's file over what it extends and the defaults; a fault is blamed on the file that holds the key.

    `faults` are those of the files that were read before, among them what this one extends.
    """
    if not re.fullmatch(TASK_NAME, path.stem) or path.stem in RESERVED:
        raise BadInput(f"{path}: a task's name is of a-z, 0-9 and -, and none of {', '.join(sorted(RESERVED))}")
    if (parent := str(read_yaml(path).get("extends"))) in faults:
        raise BadInput(f"{path}: extends: {faults[parent]}")
    content = _extended(path, ())
    try:
        return section.model_validate(merge(defaults, content), context=worlds)
    except ValidationError as error:
        place = first_fault(error)["loc"]
        if _holds(defaults, place) and not _holds(content, place):
            raise _SharedFault(f"{folder / 'config.yaml'}: defaults.{explain(error, show_input=True)}") from error
        raise BadInput(f"{path}: {explain(error, show_input=True)}") from error


def _extended(path: Path, children: tuple[Path, ...]) -> dict[str, Any]:
    """The keys of a task's file over those of the file that it extends."""
    content = read_yaml(path)
    parent = _parent(path, content, children)
    if parent is None:
        return content
    inherited = _extended(parent, (path, *children))
    return merge({key: value for key, value in inherited.items() if key != "reuse"}, content)


def _depth(path: Path, children: tuple[Path, ...]) -> int:
    """How many files a task's file extends, one above the other, up to the first that has a fault."""
    try:
        parent = _parent(path, read_yaml(path), children)
    except BadInput:
        return 0
    return 0 if parent is None else 1 + _depth(parent, (path, *children))


def _parent(path: Path, content: dict[str, Any], children: tuple[Path, ...]) -> Path | None:
    """The file that a task's file extends. Raises BadInput if no file has that name, or if it is one of `children`."""
    name = content.get("extends")
    if name is None:
        return None
    files = task_files(path.parents[1] if path.parent.name == ABLATIONS else path.parent)
    others = {other.stem: other for other in files if other not in (path, *children)}
    if str(name) not in others:
        raise BadInput(f"{path}: extends: {name!r} is none of {', '.join(sorted(others))}")
    return others[str(name)]


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


def _holds(content: Any, place: tuple[int | str, ...]) -> bool:
    for key in place:
        if not (isinstance(content, dict) and key in content):
            return False
        content = content[key]
    return bool(place)


def merge(defaults: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`own` over `defaults`, key by key at every depth."""
    merged = dict(defaults)
    for key, value in changes.items():
        deeper = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if deeper else value
    return merged


def checked(section: type[S], content: Any, path: Path, prefix: str = "", worlds: Collection[str] | None = None) -> S:
    """What stands in a file as its type. Raises BadInput naming the file and the key, below `prefix`.

    `worlds` are those that a corpus may name; None if there is no corpus in it.
    """
    try:
        return section.model_validate(content, context=worlds)
    except ValidationError as error:
        joined = "." if prefix and error.errors()[0]["loc"] else ": " if prefix else ""
        raise BadInput(f"{path}: {prefix}{joined}{explain(error, show_input=True)}") from error
