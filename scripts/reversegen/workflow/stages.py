"""The stages that give a model work: one table for the plan, the budget, the doctor, the resource report and the rules.

A stage is a rule whose jobs run, ask or train a model of a task, or embed its texts. Models that tasks share, such as a tiny
one that `train_model` trains, belong to no task. A test compares the table with a dry run of the Snakefile.
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
"""What a model is to a task. The model of a transfer is named by a wildcard, all others by the task."""
TrainingPart = Literal["warmup", "preference", "enhancement"]
"""A part of a task that says how a model is trained."""
SHARD = r"(?:\.[0-9]+-of-[0-9]+)?"
"""What a shard has in the names of its files before their endings."""


@dataclass(frozen=True)
class Stage:
    """A rule, with what its jobs take and make."""

    rule: str
    role: Role
    """Whose model it works with: its size says what a job asks for."""
    environment: Environment
    output: str
    """Name of what it makes, in the folder of its part of the run."""
    batch_size: str | None = None
    """The key of a task that says how many sequences a model gets at once; None for a training."""
    training: TrainingPart | None = None
    """The part of a task that may have a launcher; None for a stage that trains nothing."""
    sharded: bool = False
    """Whether a task cuts it into `shards` jobs."""
    timed: bool = True
    """Whether the doctor holds the time of its ended jobs to the time limit."""

    def launcher(self, task: Task) -> Launcher | None:
        """What starts it on several GPUs; None for one process."""
        if self.training is None:
            return None
        training: Training = getattr(task, self.training).training
        return training.launcher

    def processes(self, task: Task) -> int:
        """How many processes a job runs as, each of which asks for what the size of its model says."""
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
        Stage("judge_responses", "judge", "generate", "judgements.jsonl", "judge.batch_size", sharded=True),
        Stage("judge_references", "judge", "generate", "reference_judgements.jsonl", "judge.batch_size", sharded=True),
        Stage("judge_seed_references", "judge", "generate", "seed_judgements.jsonl", "judge.batch_size", sharded=True),
        Stage("judge_seeds", "judge", "generate", "judgements.jsonl", "judge.batch_size", sharded=True),
        Stage("judge_tests", "judge", "generate", "judgements.jsonl", "judge.batch_size", sharded=True),
        Stage("embed_instructions", "embedding", "text", "embeddings.npy", "embedding.batch_size"),
        Stage("embed_seeds", "embedding", "text", "seeds.embeddings.npy", "embedding.batch_size"),
        Stage("embed_tests", "embedding", "text", "{set}.embeddings.npy", "embedding.batch_size"),
        Stage("answer_transfer", "transfer", "generate", "responses.jsonl", "responses.batch_size", sharded=True),
        Stage("judge_transfer", "judge", "generate", "judgements.jsonl", "judge.batch_size", sharded=True, timed=False),
        Stage("check_judge", "judge", "generate", "judge.json", "judge.batch_size", timed=False),
    )
}
"""Every stage by its rule; the doctor names the first of those that ask for the same."""


def rule_of(file: Path) -> str:
    """The rule of a log or benchmark that is named after it, such as sample_instructions.2-of-8.tsv."""
    return file.stem.partition(".")[0]


def split_name(name: str) -> tuple[str, str] | None:
    """Part and rule, and the shard, that a log below logs/ is named after: iter0/sample_instructions and .2-of-8; else None."""
    match = re.fullmatch(rf"(.*?)({SHARD})\.log", name)
    return (match[1], match[2]) if match else None


def models_by_role(task: Task, configuration: Configuration) -> dict[str, tuple[str, Model]]:
    """The name and the model of each role that a model plays."""
    names = task_models(task).items()
    return {role: (name, configuration.models[name]) for role, name in names if name in configuration.models}
