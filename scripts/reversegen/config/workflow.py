"""`config/config.yaml`, and everything that `config/` says together."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SerializeAsAny

from reversegen.config.fields import (
    NUMBER,
    TASK_WILDCARD,
    NonNegative,
    NotNegative,
    Number,
    Positive,
    RandomSeed,
    Rate,
    Section,
    all_differ,
)
from reversegen.config.models import Model
from reversegen.config.paths import run_path
from reversegen.config.task import Task
from reversegen.core.errors import BadInput

Environment = Literal["base", "generate", "train", "text", "report"]


class Footprint(Section):
    """What generation takes of a GPU, by the largest among the models of one size. Bytes are those of 16-bit numbers."""

    gpu_mb: Positive = Field(description="megabytes of one GPU, a million bytes each")
    cache_bytes: Positive = Field(
        description="of a token in the key-value cache: 2 (keys, values) x layers x key-value heads x head size x 2 bytes"
    )
    read_bytes: Positive = Field(
        description="of a token of a prompt while one layer reads it: (8 x hidden size + 3 x intermediate size) x 2 bytes"
    )
    vocabulary: Positive = Field(description="tokens that logits are computed for")


class Size(Section):
    """What the jobs of a model of one size ask for."""

    threads: Positive
    mem_mb: Annotated[int, Field(ge=1000), NUMBER] = Field(
        description="megabytes; Snakemake itself takes about 230 of them"
    )
    runtime: Positive = Field(description="minutes")
    gpu: NonNegative
    disk_mb: Positive = Field(description="megabytes of a model's folder")
    footprint: Footprint | None = Field(
        None, description="by which plan.md and the doctor say what a batch takes of a GPU; null where they say nothing"
    )


class Throughput(Section):
    """What one GPU does with a model of one size, in tokens a second; null if nobody measured it."""

    read: Rate | None = Field(description="tokens of prompts")
    written: Rate | None = Field(description="tokens that are generated, over a whole batch")
    trained: Rate | None = Field(description="tokens of training rows")


class Price(Section):
    """Of an endpoint, for a million tokens; null if it was not looked up."""

    read: NotNegative | None
    written: NotNegative | None


class Prices(Section):
    """What GPUs and endpoints cost, as somebody looked it up."""

    currency: str
    date: str | None = Field(description="when they were looked up; a plan shows it")
    gpu_hour: NotNegative | None = Field(description="of one GPU; null where it was not looked up")
    endpoints: dict[str, Price] = Field(description="by the model's name in models.yaml")


class Costs(Section):
    """What a plan assumes, results/TASK/plan.md."""

    source_rows: Positive = Field(description="rows of a data source that is not here yet")
    question_tokens: Positive = Field(description="tokens of an instruction or test question")
    written_share: Number = Field(gt=0, le=1, description="share of max_new_tokens that is written; 1 is the most")
    throughput: dict[str, Throughput] = Field(description="by a model's size")
    prices: Prices


ABLATION = "ablation"
"""The table whose tasks are of any kind."""


class Push(Section):
    """Where `results/TASK/pushed/` puts data sets and models: a repository each on the Hugging Face hub."""

    owner: str | None = Field(pattern=r"^[\w.-]+$", description="user or organisation there; null: nothing is pushed")
    private: bool = Field(description="whether a repository is made private; one that is there stays as it is")
    token_env: str = Field(
        pattern=r"^[A-Z_][A-Z0-9_]*$", description="NAME of the environment variable that holds a token which may write"
    )


class Tracking(Section):
    """Experiment trackers that training reports to. Decides no result, so that a change reruns nothing."""

    report_to: list[Literal["tensorboard", "trackio", "wandb"]] = Field(
        description="as transformers names it; empty for none. Each needs its package of the same name"
    )
    project: str = Field(description="name under which trackio and wandb keep the runs")


class Workflow(Section):
    """`config/config.yaml`."""

    random_seeds: Annotated[list[RandomSeed], AfterValidator(all_differ)] = Field(
        min_length=1, description="random seeds whose runs a table pools: 0 is NAME itself, N is NAME.sN"
    )
    python: dict[Environment, str] = Field(description="interpreter of each environment where conda does not deploy it")
    sizes: dict[str, Size]
    push: Push
    tracking: Tracking
    costs: Costs
    tables: dict[str, list[str]] = Field(
        description="tasks that the tables and figures of several tasks show, in this order; what has no results is named "
        "below them. A table of each kind, by its name, and `ablation` with tasks, and others that extend them, of any kind"
    )
    gres: str | None = Field(
        pattern=r"^gpu(:\w[\w.]*)?$", description="how SLURM is asked for GPUs instead of by --gpus; null for --gpus"
    )
    defaults: dict[str, Any] = Field(description="keys of a task that its own file need not give")


class Configuration(Section):
    """Everything that `config/` says, validated."""

    workflow: Workflow
    models: dict[str, Model]
    tasks: dict[str, SerializeAsAny[Task]]
    lock: dict[str, str]
    faults: dict[str, str] = Field(default_factory=dict)
    """What is wrong with the other tasks, by name, and with other entries of models.yaml: an error for who asks for one."""

    def task(self, name: str) -> Task:
        """The task of a wildcard such as `tiny-math` or `tiny-math.s2`.

        Raises BadInput for a task that has a fault, and for an unknown one, listing the known ones.
        """
        base, _, seed = name.partition(".s")
        if base in self.faults:
            raise BadInput(self.faults[base])
        if base not in self.tasks or not re.fullmatch(TASK_WILDCARD, name):
            raise BadInput(
                f"unknown task {name!r}: config/tasks/ has {', '.join(sorted(self.tasks))}; NAME.sN sets its random seed"
            )
        if seed and int(seed) >= 2**32:
            raise BadInput(f"task {name!r}: a random seed is below 2**32")
        task = self.tasks[base]
        return task.model_copy(update={"random_seed": int(seed)}) if seed else task

    def place(self, name: str, path: str) -> str:
        """Where a file of a task is: in its own folder, or in that of the task whose part it reuses.

        Pairs are always its own: they cost nothing, and how they are built is not part of what an iteration wrote. So are
        embeddings, whose vectors come from a cache.
        """
        _, dot, seed = name.partition(".s")
        task = self.task(name)
        part = path.split("/")[0].partition(".")[0]
        if part == "tests":
            part = "seeds"  # cleaned together: both rest on `data`
        if part in task.reuse and not path.endswith(("/pairs.jsonl", "embeddings.npy")):
            return self.place(f"{task.extends}{dot}{seed}", path)
        return run_path(name, path)
