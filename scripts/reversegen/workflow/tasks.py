"""Functions of all rule files: the settings of a task, its kind, the paths of its files, and the hash of a stage's code."""

from __future__ import annotations

import functools
import os
import shlex
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from reversegen import kinds
from reversegen.config.data import DataSource
from reversegen.config.fields import Section
from reversegen.config.paths import source_file
from reversegen.config.task import Task
from reversegen.config.training import Launcher
from reversegen.config.workflow import Configuration
from reversegen.kinds.base import Kind
from reversegen.workflow.code_hash import code_hash, shell_commands
from reversegen.workflow.used_entries import UsedEntries, entries_of_model, entries_of_tasks

if TYPE_CHECKING:
    from snakemake.iocontainers import Wildcards

T = TypeVar("T")
ROOT = Path(__file__).parents[3]
"""The folder of our Snakefile, with scripts, environments and shipped files, even if another workflow imports this one."""
UNDECIDING: dict[str, Any] = {"training": {"launcher"}, "max_invalid_share": True, "max_unreadable_share": True}
"""Keys of a task's sections that do not decide outputs."""


def shipped(path: str) -> str:
    """The path of a file that ships with the workflow, relative to the folder where Snakemake runs."""
    return os.path.relpath(ROOT / path)


def uncompared(read: Callable[[Wildcards], T]) -> Callable[[Wildcards, int], T]:
    """The same function as a param that reruns nothing when its value changes.

    Snakemake does not compare the value of a param function that takes `threads`. Its manual does not mention that, but a test
    checks it.
    """
    return lambda wildcards, threads: read(wildcards)


def task_of(configuration: Configuration, wildcards: Wildcards) -> Task:
    """The configuration of a task, with the random seed in its name."""
    return configuration.task(wildcards.task)


def task_name(wildcards: Wildcards) -> str:
    """The name of a task without its random seed."""
    return str(wildcards.task).partition(".s")[0]


def setting(configuration: Configuration, path: str) -> Callable[[Wildcards], Any]:
    """A key of the task, such as "prompts.header". A section is given as JSON, without the keys that decide no output."""

    def read(wildcards: Wildcards) -> Any:
        value: Any = task_of(configuration, wildcards)
        for key in path.split("."):
            value = getattr(value, key)
        return value.model_dump_json(exclude=UNDECIDING) if isinstance(value, Section) else value

    return read


def whole_setting(configuration: Configuration, path: str) -> Callable[[Wildcards, int], str]:
    """A section of the task as JSON with all keys, as a param that reruns nothing.

    A rule that uses it also has `setting(path)`, whose changes rerun it.
    """
    return uncompared(lambda wildcards: getattr(task_of(configuration, wildcards), path).model_dump_json())


def kind_use(configuration: Configuration, wildcards: Wildcards) -> str:
    """The facts about the task's kind that a stage needs, as JSON."""
    return kinds.kind_use(task_of(configuration, wildcards)).model_dump_json()


def kind_of(configuration: Configuration, wildcards: Wildcards) -> Kind:
    """The kind of the task."""
    return kinds.open_kind(kinds.kind_use(task_of(configuration, wildcards)))


def referenced(configuration: Configuration, wildcards: Wildcards) -> bool:
    """Whether the verdicts of the task's kind need references."""
    return kind_of(configuration, wildcards).needs_references


def multiple_choice(configuration: Configuration, wildcards: Wildcards) -> bool:
    """Whether questions of the task's kind have options."""
    return kind_of(configuration, wildcards).choice is not None


def abstaining(configuration: Configuration, wildcards: Wildcards) -> bool:
    """Whether answers of the task's kind may say that they do not know."""
    return kind_of(configuration, wildcards).abstains


def sampled(configuration: Configuration, wildcards: Wildcards) -> bool:
    """Whether enhancement rows of the task's kind need several answers of the target."""
    return kind_of(configuration, wildcards).sampled is not None


def repeated(configuration: Configuration, wildcards: Wildcards) -> bool:
    """Whether several answers to each test question are drawn."""
    return kind_of(configuration, wildcards).repetition is not None


def probed(configuration: Configuration, wildcards: Wildcards) -> bool:
    """Whether only seeds on which the target fails enter the task's prompts."""
    return task_of(configuration, wildcards).data.probe


def part_file(configuration: Configuration, path: str) -> Callable[[Wildcards], str]:
    """A file of the task, or of the task whose part it reuses. The path may have wildcards, which are filled in."""
    return lambda wildcards: configuration.place(wildcards.task, path.format(**dict(wildcards.items())))


def data_file(source: DataSource) -> list[str]:
    """The file of a data source, as in `paths.source_file`. Empty for a corpus."""
    file = source_file(source)
    return [str(file)] if file else []


def test_questions(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The questions of every test set of the task."""
    names = task_of(configuration, wildcards).data.tests
    return [part_file(configuration, f"tests/{name}.jsonl")(wildcards) for name in names]


@functools.cache
def _shell_commands() -> dict[str, str]:
    return shell_commands(ROOT / "rules")


def code(configuration: Configuration, script: str) -> Callable[[Wildcards], str]:
    """A hash of the code of a stage, with its shell command and the façade entries that the job uses."""
    shell = _shell_commands().get(script, "")

    @functools.cache
    def job_hash(task: str | None, model: str | None) -> str:
        return code_hash(script, shell, used_entries(configuration, task, model))

    return lambda wildcards: job_hash(getattr(wildcards, "task", None), getattr(wildcards, "model", None))


def used_entries(configuration: Configuration, task: str | None, model: str | None) -> UsedEntries:
    """The façade entries that a job uses: those of its task or model, or those of all tasks if it has neither."""
    if model and not task:
        return entries_of_model(configuration.models[model])
    tasks = [configuration.task(task)] if task else configuration.tasks.values()
    return entries_of_tasks(tasks, configuration.models)


def command(configuration: Configuration, environment: str, script: str) -> str:
    """The beginning of a shell command that runs a script in an environment."""
    python = dict(configuration.workflow.python)[environment]  # type: ignore[index]
    return f"{shlex.quote(python)} {shipped(f'scripts/{script}.py')}"


def stage(configuration: Configuration, environment: str, script: str) -> Callable[[Wildcards, int], str]:
    """The same beginning of a command, as a param that reruns nothing for another interpreter."""
    start = command(configuration, environment, script)
    return uncompared(lambda wildcards: start)


def launcher_of(configuration: Configuration, part: str, wildcards: Wildcards) -> Launcher | None:
    """The launcher that starts a training of the task on several GPUs. None if it is one process."""
    launcher: Launcher | None = getattr(task_of(configuration, wildcards), part).training.launcher
    return launcher


def training_stage(configuration: Configuration, script: str, part: str) -> Callable[[Wildcards, int], str]:
    """The beginning of a shell command that trains, with `accelerate launch` if this part of the task has a launcher."""
    start = command(configuration, "train", script)
    python, _, path = start.rpartition(" ")

    def read(wildcards: Wildcards) -> str:
        launcher = launcher_of(configuration, part, wildcards)
        if launcher is None:
            return start
        file = f"config/accelerate/{launcher.config}.yaml"
        flags = f"--config_file {file if Path(file).is_file() else shipped(file)} --num_processes {launcher.processes}"
        # port 0 takes a free port, because two trainings may share a machine
        return f"{python} -m accelerate.commands.launch {flags} --main_process_port 0 {path}"

    return uncompared(read)


def tracking(configuration: Configuration) -> Callable[[Wildcards, int], str]:
    """The settings of experiment trackers, as JSON."""
    return uncompared(lambda wildcards: configuration.workflow.tracking.model_dump_json())


def configuration_hash(configuration: Configuration, wildcards: Wildcards) -> str:
    """The SHA-256 of the task's configuration with its random seed, without the keys that decide no result."""
    task = task_of(configuration, wildcards)
    names = {"budget", "keep", "report", "shards", "transfer"} | {*task.kind_sections} - {task.kind}
    undeciding = dict.fromkeys(UNDECIDING, True)
    left_out: dict[str, Any] = dict.fromkeys(names, True) | dict.fromkeys(("responses", "references"), undeciding)
    left_out["judge"] = undeciding | {"panel": {"__all__": undeciding}, "holdout": undeciding}
    digest = sha256(task.model_dump_json(exclude=left_out).encode()).hexdigest()
    return f"sha256:{digest}"


def planned_configuration(configuration: Configuration, wildcards: Wildcards) -> str:
    """The configuration with only this task, as JSON, so that a change of another task does not change the plan."""
    task_of(configuration, wildcards)  # refuses an unknown task
    return only(configuration, [task_name(wildcards)]).model_dump_json()


def only(configuration: Configuration, names: list[str]) -> Configuration:
    """The configuration with only the named tasks, and without faults."""
    tasks = {name: configuration.tasks[name] for name in names}
    return configuration.model_copy(update={"tasks": tasks, "faults": {}})
