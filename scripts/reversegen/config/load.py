"""Reads and validates the files of `config/`.

`load` reads all of them. The class of a section refuses faults inside the section, and `checks` refuses faults that concern
several files. `read_yaml`, `merge` and `checked` handle one file.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from reversegen.config.checks import check_budget, check_models, check_reuse
from reversegen.config.fields import TASK_NAME, Section
from reversegen.config.judge_settings import JudgeKeys
from reversegen.config.models import Model
from reversegen.config.task import Task, task_section
from reversegen.config.training import Enhancement, Preference, Warmup
from reversegen.config.workflow import ABLATION, AssumedRates, Configuration, Workflow
from reversegen.core.errors import BadInput
from reversegen.core.validation import explain, first_fault

SHIPPED = Path(__file__).parents[3] / "config"
"""The configuration that ships. A workflow that imports this one as a Snakemake module has its own configuration besides."""
RESERVED = {"tables", "figures", "models", "worlds"}
ABLATIONS = "ablations"
"""Folder in `config/tasks/` for tasks that change one setting of another task."""
S = TypeVar("S", bound=BaseModel)
TaskFiles = Mapping[str, Sequence[Path]]
"""The files of all tasks by name. Two files of one name are refused later."""


@dataclass(frozen=True)
class Extensions:
    """The names, settings and checks of kinds and worlds, which the configuration itself does not know."""

    kinds: Mapping[str, type[Section] | None]
    """The settings class of each kind, for the section of a task that is named after the kind. None if it has no settings."""
    worlds: Collection[str]
    """The worlds that a corpus may name."""
    solvers: Collection[str]
    """The teachers that are exact solvers instead of models."""
    check: Callable[[Task, Mapping[str, Model], str], None]
    """Raises BadInput if the task's kind refuses the task. The third argument is the beginning of the message."""


def load(workflow: dict[str, Any], folder: Path, extensions: Extensions) -> Configuration:
    """Validate the content of config.yaml, as Snakemake merged it, and the other files of `folder`.

    A fault of one task or one model is stored in `faults`, so that it stops no run of another task. Raises BadInput with the
    file and the key if the fault concerns all tasks.
    """
    if (folder / "config.yaml").is_file():
        read_yaml(folder / "config.yaml")  # refuses a key that occurs twice; Snakemake's own reader uses the last one
    main = checked(Workflow, workflow, folder / "config.yaml")
    tables = [*extensions.kinds, ABLATION]
    if unknown := [name for name in main.tables if name not in tables]:
        raise BadInput(f"{folder / 'config.yaml'}: tables.{unknown[0]}: unknown table; use {', '.join(tables)}")
    models, unusable = _models(main, folder / "models.yaml", extensions.worlds)
    rates = _throughputs(main, folder / "throughputs.yaml")
    tasks, faults = _tasks(main, folder, models, unusable, rates, extensions)
    lock = read_yaml(folder / "lock.yaml") if (folder / "lock.yaml").exists() else {}
    for repo, commit in lock.items():
        if not (isinstance(commit, str) and re.fullmatch(r"[0-9a-f]{40}", commit)):
            raise BadInput(f"{folder / 'lock.yaml'}: {repo}: {commit!r} is not a commit; give its 40 digits in quotes")
    faults = {f"models.yaml: {name}": fault for name, fault in unusable.items()} | faults
    return Configuration(workflow=main, models=models, tasks=tasks, lock=lock, throughputs=rates, faults=faults)


def _throughputs(main: Workflow, path: Path) -> dict[str, AssumedRates]:
    """The throughputs that plans assume, by size; none if the file is missing."""
    entries = read_yaml(path) if path.is_file() else {}
    if unknown := [size for size in entries if size not in main.sizes]:
        raise BadInput(f"{path}: {unknown[0]}: unknown size; config.yaml has {', '.join(main.sizes)}")
    return {size: checked(AssumedRates, entry, path, size) for size, entry in entries.items()}


def _tasks(
    main: Workflow,
    folder: Path,
    models: dict[str, Model],
    unusable: dict[str, str],
    rates: Mapping[str, AssumedRates],
    extensions: Extensions,
) -> tuple[dict[str, Task], dict[str, str]]:
    """The valid tasks by name, and the error messages of the other tasks. `unusable` has those of faulty models."""
    section = task_section(extensions.kinds)
    tasks: dict[str, Task] = {}
    faults: dict[str, str] = {}
    # Parents come before the tasks that extend them, so that a fault is reported first for the file that holds it.
    files = _files_by_name(folder / "tasks")
    paths = [path for same in files.values() for path in same]
    for path in sorted(paths, key=lambda path: (_depth(path, (), files), path.name)):
        try:
            if len(same := files[path.stem]) > 1:
                raise BadInput(f"{same[1]}: {same[0]} has the same name, and thus is the same task; rename one of them")
            task = _task(section, folder, main.defaults, path, faults, files, extensions.worlds)
            check_models(task, models, unusable, extensions.solvers, path)
            check_budget(task, models, main, rates, path)
            _check_launchers(task, folder, path)
            if task.random_seed and len(main.random_seeds) > 1:
                raise BadInput(
                    f"{path}: random_seed: {task.random_seed} conflicts with several random_seeds in config.yaml; remove it, "
                    "and run NAME.sN instead"
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
    """The files of all tasks in the folder `tasks`, which is `config/tasks`, and in its subfolder of ablations."""
    return [*sorted(tasks.glob("*.yaml")), *sorted(tasks.glob(f"{ABLATIONS}/*.yaml"))]


def task_file(tasks: Path, name: str) -> Path:
    """The file of the task with this name, which has no random seed. The file may be missing."""
    return next((path for path in task_files(tasks) if path.stem == name), tasks / f"{name}.yaml")


def _files_by_name(tasks: Path) -> TaskFiles:
    files: dict[str, list[Path]] = {}
    for path in task_files(tasks):
        files.setdefault(path.stem, []).append(path)
    return files


class _SharedFault(BadInput):
    """A fault of a setting that all tasks share, detected while one task is read."""


def _models(main: Workflow, path: Path, worlds: Collection[str]) -> tuple[dict[str, Model], dict[str, str]]:
    """The valid models by name, and the error messages of the others. Raises BadInput if the file cannot be read."""
    models, faults = {}, {}
    for name, entry in read_yaml(path).items():
        try:
            model = checked(Model, entry, path, name, worlds)
            _check_model(name, model, main, path)
            if main.engine and model.engine == "vllm":
                model = model.model_copy(update={"engine": main.engine, "vllm": None})
            models[name] = model
        except BadInput as error:
            faults[name] = str(error)
    return models, faults


def _check_model(name: str, model: Model, main: Workflow, path: Path) -> None:
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise BadInput(
            f"{path}: {name!r}: not a model's name; use letters, digits, dots and hyphens, with a letter or digit first"
        )
    if model.size not in main.sizes:
        raise BadInput(f"{path}: {name}.size: unknown size {model.size!r}; config.yaml has {', '.join(main.sizes)}")
    shares, gpus = model.vllm and model.vllm.tensor_parallel_size, main.sizes[model.size].gpu
    if shares and shares > max(1, gpus):
        raise BadInput(
            f"{path}: {name}.vllm.tensor_parallel_size: {shares}, but a job of the size {model.size} asks "
            f"for {gpus} GPUs; raise `gpu` of sizes.{model.size} in config.yaml, or give the model a size of its own"
        )


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml takes an eighth of the time
    """The safe loader. It refuses a key that occurs twice, because PyYAML would silently use the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.value != "<<"]
        twice = next((key for n, key in enumerate(keys) if key in keys[:n]), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"the key {twice!r} occurs twice", node.start_mark)
        content: dict[Any, Any] = super().construct_mapping(node, deep)
        return content


@functools.cache
def _parsed(text: str) -> Any:
    """The content of a YAML text. It is cached, because many tasks extend one file, and no caller may change it."""
    return yaml.load(text, _Loader)  # a SafeLoader


def read_yaml(path: Path) -> dict[str, Any]:
    """The keys and values of a YAML file.

    Raises BadInput with its path if it is not YAML, has no keys and values, or has a key that is not text or occurs twice.
    """
    try:
        content = _parsed(path.read_text(encoding="utf-8"))
    # PyYAML raises ValueError for a 13th month, and AttributeError for a tag `!!timestamp` on a text that is not a time
    except (OSError, ValueError, AttributeError, RecursionError, yaml.YAMLError) as error:
        raise BadInput(f"{path}: not a readable YAML file: {' '.join(str(error).split())}") from error
    if content is not None and not isinstance(content, dict):
        raise BadInput(f"{path}: the content is a {type(content).__name__}; give keys and values instead")
    for key in content or {}:
        if not isinstance(key, str):
            raise BadInput(f"{path}: the key {key!r} is not text; put it in quotes")
    return content or {}


def _task(
    section: type[Task],
    folder: Path,
    defaults: dict[str, Any],
    path: Path,
    faults: dict[str, str],
    files: TaskFiles,
    worlds: Collection[str],
) -> Task:
    """The task of a file: its keys over those of the file that it extends, over the defaults.

    Raises BadInput with the file that holds the key. `faults` has the error messages of the files that were read before,
    which include the file that this one extends.
    """
    if not re.fullmatch(TASK_NAME, path.stem) or path.stem in RESERVED:
        raise BadInput(
            f"{path}: not a task's name; rename the file: use a-z, 0-9 and -, but not {', '.join(sorted(RESERVED))}"
        )
    if (parent := str(read_yaml(path).get("extends"))) in faults:
        raise BadInput(f"{path}: extends: {faults[parent]}")
    content = _extended(path, (), files)
    try:
        return section.model_validate(merge(defaults, content), context=worlds)
    except ValidationError as error:
        place = first_fault(error)["loc"]
        if _holds(defaults, place) and not _holds(content, place):
            raise _SharedFault(f"{folder / 'config.yaml'}: defaults.{explain(error, show_input=True)}") from error
        raise BadInput(f"{path}: {explain(error, show_input=True)}") from error


def _extended(path: Path, children: tuple[Path, ...], files: TaskFiles) -> dict[str, Any]:
    """The keys of a task's file over the keys of the file that it extends. `children` are the files that extend this one."""
    content = read_yaml(path)
    parent = _parent(path, content, children, files)
    if parent is None:
        return content
    inherited = _extended(parent, (path, *children), files)
    inherited = {key: value for key, value in inherited.items() if key != "reuse"}
    return merge(_without_other_judges(inherited, content), content)


def _without_other_judges(inherited: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
    """The inherited keys, without one judge if `content` gives a panel, and without a panel if it gives one judge."""
    before, judge = inherited.get("judge"), content.get("judge")
    if not (isinstance(before, dict) and isinstance(judge, dict)):
        return inherited
    if "panel" in judge:
        kept = {key: value for key, value in before.items() if key not in JudgeKeys.model_fields}
    elif "format" in judge or "model" in judge:
        kept = {key: value for key, value in before.items() if key != "panel"}
    else:
        kept = before
    return {**inherited, "judge": kept}


def _depth(path: Path, children: tuple[Path, ...], files: TaskFiles) -> int:
    """The number of files that a task's file extends, directly and through others, up to the first that has a fault."""
    try:
        parent = _parent(path, read_yaml(path), children, files)
    except BadInput:
        return 0
    return 0 if parent is None else 1 + _depth(parent, (path, *children), files)


def _parent(path: Path, content: dict[str, Any], children: tuple[Path, ...], files: TaskFiles) -> Path | None:
    """The file that a task's file extends, or None. Raises BadInput if it does not exist, or is one of `children`."""
    name = content.get("extends")
    if name is None:
        return None
    family = (path, *children)
    if others := [file for file in files.get(str(name), ()) if file not in family]:
        return others[-1]
    allowed = sorted(name for name, same in files.items() if not set(same) <= set(family))
    raise BadInput(f"{path}: extends: cannot extend {name!r}; name one of {', '.join(allowed)}")


def _check_launchers(task: Task, folder: Path, path: Path) -> None:
    """Refuse a launcher whose file is missing. Refuse LoRA with sharded weights, because merging it needs whole weights."""
    for part in ("warmup", "preference", "enhancement"):
        section: Warmup | Preference | Enhancement = getattr(task, part)
        launcher = section.training.launcher
        if launcher is None:
            continue
        files = {file.stem: file for place in (SHIPPED, folder) for file in sorted(place.glob("accelerate/*.yaml"))}
        if launcher.config not in files:
            raise BadInput(
                f"{path}: {part}.training.launcher.config: unknown file {launcher.config!r}; use {', '.join(sorted(files))}"
            )
        sharded = read_yaml(files[launcher.config]).get("distributed_type") == "FSDP"
        if sharded and section.lora:
            raise BadInput(
                f"{path}: {part}: LoRA cannot be trained with {launcher.config}, which shards all weights; use ddp"
            )


def _holds(content: Any, place: tuple[int | str, ...]) -> bool:
    for key in place:
        if not (isinstance(content, dict) and key in content):
            return False
        content = content[key]
    return bool(place)


def merge(defaults: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`defaults` with the values of `changes`, which replace them key by key at every depth."""
    merged = dict(defaults)
    for key, value in changes.items():
        deeper = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if deeper else value
    return merged


def checked(section: type[S], content: Any, path: Path, prefix: str = "", worlds: Collection[str] | None = None) -> S:
    """The content of a file as an object of `section`. Raises BadInput with the file and the key, which follows `prefix`.

    `worlds` are the worlds that a corpus may name. None if the content has no corpus.
    """
    try:
        return section.model_validate(content, context=worlds)
    except ValidationError as error:
        joined = "." if prefix and error.errors()[0]["loc"] else ": " if prefix else ""
        raise BadInput(f"{path}: {prefix}{joined}{explain(error, show_input=True)}") from error
