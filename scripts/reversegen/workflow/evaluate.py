"""Functions of rules/evaluate.smk: the roles that read a system text, and the evaluations of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reversegen.config.paths import model_folder
from reversegen.config.workflow import Configuration
from reversegen.workflow.enhance import of_sources
from reversegen.workflow.roles import role_folder
from reversegen.workflow.tasks import multiple_choice, part_file, referenced, repeated, task_of

if TYPE_CHECKING:
    from snakemake.iocontainers import Wildcards


def iterated_teacher(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The teacher's folder, if iterations ask the teacher. One that only enhancement asks is not needed for a proposer."""
    return role_folder(configuration, "teacher")(wildcards) if referenced(configuration, wildcards) else []


def readers(configuration: Configuration, wildcards: Wildcards) -> str:
    """The roles of the task that may read a system text, with their models, as JSON."""
    from reversegen.workflow.role_conversations import system_text_readers  # imported here, because few jobs need it

    task = task_of(configuration, wildcards)
    folders = {"target": role_folder(configuration, "target")(wildcards)}
    for name in (judge.model for judge in task.judges if judge.model):
        folder = model_folder(name, configuration.models[name])
        folders[f"judge {name}"] = [str(folder)] if folder else []
    if referenced(configuration, wildcards):
        folders["teacher"] = iterated_teacher(configuration, wildcards)
    first = {role: Path(paths[0]) if paths else None for role, paths in folders.items()}
    return system_text_readers(task, configuration.models, first).model_dump_json()


def proposer_evals(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The evaluation files of the task's proposers, relative to the run's folder."""
    iterations = [f"iter{k}/eval.json" for k in range(task_of(configuration, wildcards).iterations + 1)]
    return ["untrained/eval.json", *iterations]


def target_evals(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The evaluation files of the target, of the enhanced targets and of transfers, relative to the run's folder."""
    transfers = [f"transfer/{model}/eval.json" for model in task_of(configuration, wildcards).transfer]
    return ["original/eval.json", *of_sources(configuration, "eval.json")(wildcards), *transfers]


def own_evals(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """Every eval.json of this run, without the other random seeds that a table pools."""
    names = [*proposer_evals(configuration, wildcards), *target_evals(configuration, wildcards)]
    return [part_file(configuration, name)(wildcards) for name in names]


def outcome_files(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The files from which the evaluations of a run are computed, with the result of every prompt and question."""
    proposers, targets = (
        [path.removesuffix("eval.json") for path in evals(configuration, wildcards)]
        for evals in (proposer_evals, target_evals)
    )
    written = [f"{folder}{name}.jsonl" for folder in proposers for name in ("samples", "instructions")]
    labels = [f"{folder}labels.jsonl" for folder in proposers + targets]
    sure = [f"{folder}confidences.jsonl" for folder in targets if not folder.startswith("transfer/")]
    frequent = [f"{folder}frequencies.jsonl" for folder in targets if not folder.startswith("transfer/")]
    scores = [*(sure if multiple_choice(configuration, wildcards) else [])]
    return [*written, *labels, *scores, *(frequent if repeated(configuration, wildcards) else [])]
