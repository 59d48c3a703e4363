"""The stages that use a model: one table for the plan, the budget, the doctor, the resource report and the rules.

A stage is a rule whose jobs run, ask or train a model of a task, or embed the task's texts. Rules that make models for several
tasks, such as `train_model`, are not among them. A test compares the table with a dry run of the Snakefile.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reversegen.config.models import Model
from reversegen.config.paths import task_models
from reversegen.config.task import Task
from reversegen.config.training import Launcher, Training
from reversegen.config.workflow import Configuration, Environment

Role = Literal["proposer", "target", "teacher", "judge", "embedding", "transfer"]
"""The role of a model in a task. A wildcard names a judge and the model of a transfer; the task names all others."""
TrainingPart = Literal["warmup", "preference", "enhancement"]
"""A section of a task with the settings of a training."""
SHARD = r"(?:\.[0-9]+-of-[0-9]+)?"
"""Pattern of the shard in a file's name, before the ending."""


@dataclass(frozen=True)
class Stage:
    """A rule that uses a model, with the resources and the output of its jobs."""

    rule: str
    role: Role
    """The role whose model it uses. The model's size decides the resources of a job."""
    environment: Environment
    output: str
    """Name of its output, in the folder of its part of the run. The output of a judge has its name."""
    batch_size: str | None = None
    """The key of a task with the number of sequences that a model gets at once. None for a training. Each judge of a panel has
    its own."""
    training: TrainingPart | None = None
    """The section of a task that may have a launcher. None for a stage that trains nothing."""
    sharded: bool = False
    """Whether it is split into the task's number of `shards`, each of which is a job."""
    timed: bool = True
    """Whether the doctor compares the time of its finished jobs with the time limit."""

    def launcher(self, task: Task) -> Launcher | None:
        """The launcher that starts it on several GPUs. None if it is one process."""
        if self.training is None:
            return None
        training: Training = getattr(task, self.training).training
        return training.launcher

    def processes(self, task: Task) -> int:
        """The number of processes of a job. Each asks for the resources of the model's size."""
        launcher = self.launcher(task)
        return launcher.processes if launcher else 1


STAGES: dict[str, Stage] = {
    stage.rule: stage
    for stage in (
        Stage("train_warmup", "proposer", "train", "proposer", training="warmup"),
        Stage("train_proposer", "proposer", "train", "proposer", training="preference"),
        Stage("sample_instructions", "proposer", "generate", "samples.jsonl", "sampling.batch_size", sharded=True),
        Stage("answer_instructions", "target", "generate", "responses.jsonl", "responses.batch_size", sharded=True),
        Stage("answer_seeds", "target", "generate", "responses.jsonl", "responses.batch_size", sharded=True),
        Stage("answer_tests", "target", "generate", "responses.jsonl", "responses.batch_size", sharded=True),
        Stage("sample_answers", "target", "generate", "answers.jsonl", "responses.batch_size", sharded=True),
        Stage("sample_tests", "target", "generate", "answers.jsonl", "responses.batch_size", sharded=True),
        Stage("measure_confidence", "target", "generate", "confidences.jsonl", "responses.batch_size"),
        Stage("train_target", "target", "train", "target", training="enhancement"),
        Stage("write_references", "teacher", "generate", "references.jsonl", "references.batch_size", sharded=True),
        Stage(
            "write_seed_references",
            "teacher",
            "generate",
            "seed_references.jsonl",
            "references.batch_size",
            sharded=True,
        ),
        Stage("judge_responses", "judge", "generate", "judgements/{judge}.jsonl", "judge.batch_size", sharded=True),
        Stage(
            "judge_references",
            "judge",
            "generate",
            "reference_judgements/{judge}.jsonl",
            "judge.batch_size",
            sharded=True,
        ),
        Stage(
            "judge_seed_references",
            "judge",
            "generate",
            "seed_judgements/{judge}.jsonl",
            "judge.batch_size",
            sharded=True,
        ),
        Stage("judge_seeds", "judge", "generate", "judgements/{judge}.jsonl", "judge.batch_size", sharded=True),
        Stage("judge_tests", "judge", "generate", "judgements/{judge}.jsonl", "judge.batch_size", sharded=True),
        Stage("embed_instructions", "embedding", "text", "embeddings.npy", "embedding.batch_size"),
        Stage("embed_seeds", "embedding", "text", "seeds.embeddings.npy", "embedding.batch_size"),
        Stage("embed_tests", "embedding", "text", "{set}.embeddings.npy", "embedding.batch_size"),
        Stage("answer_transfer", "transfer", "generate", "responses.jsonl", "responses.batch_size", sharded=True),
        Stage(
            "judge_transfer",
            "judge",
            "generate",
            "judgements/{judge}.jsonl",
            "judge.batch_size",
            sharded=True,
            timed=False,
        ),
        Stage("judge_labelled", "judge", "generate", "{judge}.jsonl", "judge.batch_size", timed=False),
    )
}
"""Every stage by its rule. If several stages ask for the same resources, the doctor names the first of them."""


def rule_of(file: Path) -> str:
    """The rule in the name of a log or benchmark, such as sample_instructions.2-of-8.tsv."""
    return file.stem.partition(".")[0]


def split_name(name: str) -> tuple[str, str] | None:
    """The part with its rule, and the shard, in the name of a log below logs/. None for a name of another form.

    For example iter0/sample_instructions.2-of-8.log has iter0/sample_instructions and .2-of-8.
    """
    match = re.fullmatch(rf"(.*?)({SHARD})\.log", name)
    return (match[1], match[2]) if match else None


def models_by_role(task: Task, configuration: Configuration) -> dict[str, tuple[str, Model]]:
    """The name and the model of each role that is played by a model, by the roles of `task_models`."""
    names = task_models(task).items()
    return {role: (name, configuration.models[name]) for role, name in names if name in configuration.models}


def models_of_stage(stage: Stage, task: Task, configuration: Configuration) -> dict[str, Model]:
    """The models by name that the jobs of a stage use; several for the stages of judges and transfers."""
    roles = models_by_role(task, configuration).items()
    return {name: model for role, (name, model) in roles if role.partition(" ")[0] == stage.role}
