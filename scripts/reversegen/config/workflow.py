"""The settings of `config/config.yaml`, and the whole configuration in one object."""

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
    """What generation takes of a GPU, for the largest model of one size. All bytes assume 16-bit numbers."""

    gpu_mb: Positive = Field(description="Memory of one GPU, in megabytes of a million bytes.")
    cache_bytes: Positive = Field(
        description="Bytes that one token takes in the key-value cache: 2 (keys and values) x layers x key-value "
        "heads x head size x 2."
    )
    read_bytes: Positive = Field(
        description="Bytes that one prompt token takes while a layer reads it: (8 x hidden size + 3 x intermediate "
        "size) x 2."
    )
    vocabulary: Positive = Field(description="Number of tokens for which logits are computed.")


class Size(Section):
    """The resources that jobs with a model of one size ask for."""

    threads: Positive = Field(description="Number of CPU threads.")
    mem_mb: Annotated[int, Field(ge=1000), NUMBER] = Field(
        description="Memory of the machine, in megabytes. Snakemake itself takes about 230 of them."
    )
    runtime: Positive = Field(
        description="Time limit of a job, in minutes. A job that reaches it is sent again and resumes from its state."
    )
    gpu: NonNegative = Field(description="Number of GPUs.")
    disk_mb: Positive = Field(description="Disk space of a model's folder, in megabytes.")
    footprint: Footprint | None = Field(
        None,
        description="Sizes from which plan.md and the doctor estimate what a batch takes of a GPU. Null, the "
        "default, gives no estimate.",
    )


class Throughput(Section):
    """Tokens a second that one GPU handles with a model of one size. Null means that it has not been measured.

    A plan then takes the rate of this run's finished jobs, and before there are any that of config/throughputs.yaml.
    """

    read: Rate | None = Field(description="Prompt tokens read in a second.")
    written: Rate | None = Field(description="Tokens generated in a second, over a whole batch.")
    trained: Rate | None = Field(description="Tokens of training rows in a second.")


class AssumedRate(Section):
    """A throughput that a plan assumes until a run has measured its own."""

    rate: Rate = Field(description="Tokens a second of one GPU.")
    gpu: str = Field(min_length=1, description="The GPU for which the rate is assumed.")
    how: str = Field(min_length=1, description="How the rate follows from the published figure.")
    source: str = Field(min_length=1, description="Where the figure was read.")
    date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="Date of the measurement, or of reading it.")


class AskedRates(Section):
    """The throughputs of one engine with a model of one size. Null means that none is assumed."""

    read: AssumedRate | None = Field(None, description="Prompt tokens read in a second.")
    written: AssumedRate | None = Field(None, description="Tokens generated in a second, over a whole batch.")


class AssumedRates(Section):
    """The throughputs of one size: an entry of config/throughputs.yaml."""

    transformers: AskedRates = Field(AskedRates(), description="With the engine transformers.")
    vllm: AskedRates = Field(AskedRates(), description="With the engine vLLM.")
    trained: AssumedRate | None = Field(None, description="Tokens of training rows in a second.")


class Price(Section):
    """Price of an endpoint for a million tokens. Null means that it has not been looked up."""

    read: NotNegative | None = Field(description="Price of a million tokens that the model reads.")
    written: NotNegative | None = Field(description="Price of a million tokens that the model writes.")


class Prices(Section):
    """Prices of GPUs and endpoints. Null by default, because they differ from place to place and change."""

    currency: str = Field(description="Currency of all prices and of `budget.money`.")
    date: str | None = Field(description="Date on which the prices were looked up. A plan shows it.")
    gpu_hour: NotNegative | None = Field(description="Price of one GPU for an hour. Null if it has not been looked up.")
    endpoints: dict[str, Price] = Field(description="Prices of endpoints, by the model's name in models.yaml.")


class Costs(Section):
    """Assumptions of a plan, results/TASK/plan.md."""

    source_rows: Positive = Field(
        description="Number of rows of a data source that is not downloaded and gives no `rows`. The default is "
        "about the size of GSM8K."
    )
    question_tokens: Positive = Field(
        description="Number of tokens of an instruction or test question. The default is above GSM8K's average of "
        "about 60."
    )
    written_share: Number = Field(
        gt=0,
        le=1,
        description="Share of `max_new_tokens` that answers use. The default, 1, plans for the longest answers.",
    )
    throughput: dict[str, Throughput] = Field(description="Tokens a second of one GPU, by the model's size.")
    prices: Prices


ABLATION = "ablation"
"""Name of the table whose tasks may be of any kind."""


class Push(Section):
    """The Hugging Face account to which `results/TASK/pushed/` uploads each data set and model as a repository."""

    owner: str | None = Field(
        pattern=r"^[\w.-]+$", description="User or organisation on the hub. Null, the default, pushes nothing."
    )
    private: bool = Field(
        description="Whether new repositories are private. True by default, because what a target fails at may do "
        "harm. An existing repository keeps its setting."
    )
    token_env: str = Field(
        pattern=r"^[A-Z_][A-Z0-9_]*$",
        description="NAME of the environment variable that holds a token with write access. The token itself is "
        "never written into a file.",
    )


class Tracking(Section):
    """Experiment trackers to which training reports. They decide no result, so a change reruns nothing."""

    report_to: list[Literal["tensorboard", "trackio", "wandb"]] = Field(
        description="Trackers, by their names in transformers. Each needs the package of the same name, so the "
        "default is none."
    )
    project: str = Field(description="Project name under which trackio and wandb store the runs.")


class Workflow(Section):
    """The settings of `config/config.yaml`."""

    random_seeds: Annotated[list[RandomSeed], AfterValidator(all_differ)] = Field(
        min_length=1,
        description="Random seeds whose runs a table pools: 0 is the task NAME itself, N is NAME.sN. The default is "
        "one seed, which keeps the demo short.",
    )
    python: dict[Environment, str] = Field(
        description="Python interpreter of each environment, used unless conda deploys the environment. `python`, "
        "the default, is the interpreter that runs Snakemake."
    )
    engine: Literal["transformers"] | None = Field(
        None,
        description="`transformers` runs every model without vLLM, whatever its entry names. Null, the default, follows "
        "the entries of models.yaml.",
    )
    sizes: dict[str, Size] = Field(description="Resources of jobs, by the `size` of their model.")
    push: Push
    tracking: Tracking
    costs: Costs
    tables: dict[str, list[str]] = Field(
        description="Tasks that each table and figure of several tasks shows, in this order. Each kind has a table "
        "of its name; the table `ablation` takes tasks of any kind. Tasks without results are named "
        "below the table."
    )
    gres: str | None = Field(
        pattern=r"^gpu(:\w[\w.]*)?$",
        description="GPU resource that SLURM is asked for by --gres, `gpu` or `gpu:TYPE`. Null, the default, asks "
        "by --gpus.",
    )
    defaults: dict[str, Any] = Field(description="Keys of a task that apply if the task's own file does not give them.")


class Configuration(Section):
    """The whole content of `config/`, validated."""

    workflow: Workflow
    models: dict[str, Model]
    tasks: dict[str, SerializeAsAny[Task]]
    lock: dict[str, str]
    throughputs: dict[str, AssumedRates] = Field(default_factory=dict)
    """The throughputs that plans assume, by the size of the model."""
    faults: dict[str, str] = Field(default_factory=dict)
    """The error message of each faulty task and each faulty entry of models.yaml, by name. It is raised on use of the entry."""

    def task(self, name: str) -> Task:
        """The task of a wildcard such as `tiny-math` or `tiny-math.s2`.

        Raises BadInput if the task has a fault, or if it is unknown; the message then lists the known tasks.
        """
        base, _, seed = name.partition(".s")
        if base in self.faults:
            raise BadInput(self.faults[base])
        if base not in self.tasks or not re.fullmatch(TASK_WILDCARD, name):
            raise BadInput(
                f"unknown task {name!r}: config/tasks/ has {', '.join(sorted(self.tasks))}; NAME.sN sets its random seed"
            )
        if seed and int(seed) >= 2**32:
            raise BadInput(f"task {name!r}: its random seed is too large; give one below 2**32")
        task = self.tasks[base]
        return task.model_copy(update={"random_seed": int(seed)}) if seed else task

    def place(self, name: str, path: str) -> str:
        """The path of a file of a task: in the task's own folder, or in the folder of the task whose part it reuses.

        Pairs are never reused: they cost nothing, and the settings of pairs do not decide what an iteration wrote.
        Embeddings are never reused either, because their vectors come from a cache.
        """
        _, dot, seed = name.partition(".s")
        task = self.task(name)
        part = path.split("/")[0].partition(".")[0]
        if part == "tests":
            part = "seeds"  # seeds and tests are cleaned together: both depend on `data`
        if part in task.reuse and not path.endswith(("/pairs.jsonl", "embeddings.npy")):
            return self.place(f"{task.extends}{dot}{seed}", path)
        return run_path(name, path)
