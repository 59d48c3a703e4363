"""The configuration: what every key means, its type and its range. Values and their reasons stand in `config/`."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from reversegen.core.errors import BadInput
from reversegen.core.records import Measure, explain, first_fault


def _no_truth_value(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a number is needed, not true or false")
    return value


def _all_differ(values: list[Any]) -> list[Any]:
    if len(set(values)) < len(values):
        raise ValueError("each may be given once")
    return values


def _with_a_port_that_exists(url: str) -> str:
    urlsplit(url).port  # noqa: B018  # raises ValueError for one that none has
    return url


def _with_ends(iterations: list[Any]) -> list[Any]:
    if not {0, "last"} <= set(iterations):
        raise ValueError("0, from which the control and other tasks start, and last must be among them: [0, last]")
    return iterations


NUMBER = BeforeValidator(_no_truth_value)
"""`--config` gives the numbers of a list as text, so text is converted; YAML's truth values are no numbers."""
Positive = Annotated[int, Field(ge=1), NUMBER]
NonNegative = Annotated[int, Field(ge=0), NUMBER]
Name = Annotated[str, Field(pattern=r"^\w[\w-]*$")]
RandomSeed = Annotated[int, Field(ge=0, lt=2**32), NUMBER]
"""What numpy and torch both take."""
Number = Annotated[float, NUMBER]
NotNegative = Annotated[float, Field(ge=0), NUMBER]
Rate = Annotated[float, Field(gt=0), NUMBER]
Share = Annotated[float, Field(ge=0, le=1), NUMBER]
Environment = Literal["base", "generate", "train", "text", "report"]
Reusable = Literal["seeds", "probe", "warmup", "untrained", "iter0", "control", "original"]
TASK_NAME = r"[a-z0-9-]+"
FILE_PART = r"^[\w.:%+\[\]-]+$"
"""What becomes part of a file's name: no folder, and no braces, which are Snakemake's."""
TASK_WILDCARD = rf"{TASK_NAME}(\.s(0|[1-9][0-9]*))?"
RESERVED = {"tables", "figures", "models"}
SOLVERS = {"arithmetic": "math", "knowledge": "honesty"}
"""Teachers that are no models but the exact solver of an invented world, with the kind whose questions they answer."""

_ASKED = ("data", "kind", "target", "responses", "honesty", "safety", "judge", "judge_check", "checker_timeout")
_WRITTEN = (
    *_ASKED,
    "proposer",
    "prompts",
    "sampling",
    "deduplication",
    "embedding",
    "teacher",
    "references",
)
REUSABLE: dict[str, tuple[str, ...]] = {
    "seeds": ("data", "kind"),
    "probe": _ASKED,
    "warmup": (*_ASKED, "prompts.header", "warmup.rows"),
    "untrained": (*_WRITTEN, "evaluation"),
    "iter0": (*_WRITTEN, "warmup", "evaluation", "alarm"),
    "control": (*_WRITTEN, "warmup", "iterations"),
    "original": (*_ASKED, "evaluation"),
}
"""Parts of a task that another may reuse, with the keys that decide them and must be equal in both."""


class Section(BaseModel):
    """A part of the configuration: no defaults, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())


class Corpus(Section):
    """Questions drawn from one of the invented worlds of the tiny tasks."""

    world: Literal["arithmetic", "policy", "knowledge"]
    mix: str = Field(description="how common each type of question is: one of the mixes that the world has")
    part: Literal["all", "train", "validation", "test"] = Field(
        description="which expressions, topics or entities: the parts are kept apart; all is everything"
    )
    count: Positive = Field(description="number of questions")
    random_seed: RandomSeed = Field(description="random seed of the draw; the task's own random seed leaves it alone")
    distinct: bool = Field(description="whether no question may come twice")


class HubData(Section):
    """A split of a data set on the Hugging Face hub; its revision is read from config/lock.yaml."""

    repo: str = Field(pattern=r"^\w[\w.-]*/\w[\w.-]*$", description="id of the data set")
    name: str = Field(pattern=FILE_PART, description="its configuration, as `datasets.load_dataset` calls it")
    split: str = Field(pattern=FILE_PART, description="its split")

    @property
    def file_name(self) -> str:
        """Name of its file in resources/downloads/data, without the suffix."""
        return "--".join([*self.repo.split("/"), self.name, self.split])


class UrlData(Section):
    """A file on the web, held to its content."""

    address: str = Field(pattern=r"^https://[\w./%+-]+\.(jsonl|json|csv|parquet)$", description="https only")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of its bytes")

    @property
    def file_name(self) -> str:
        """Name of its file in resources/downloads/files."""
        return f"{self.sha256[:12]}-{self.address.rpartition('/')[2]}"


class DataSource(Section):
    """Where instructions or test questions come from: exactly one of file, url, hub and corpus."""

    file: Path | None = Field(None, description="a file of rows: .jsonl, .json, .csv or .parquet")
    url: UrlData | None = None
    hub: HubData | None = None
    corpus: Corpus | None = None
    column: str | None = Field(
        None,
        description="the column that holds the instruction, such as target in warm-up rows of prompt and target; null for rows "
        "in a data set's published form",
    )
    licence: str = Field(description="licence of the data, as its publisher states it")
    subjects: list[str] | None = Field(None, min_length=1, description="the subjects to keep; null for all")
    rows: Positive | None = Field(
        None,
        description="most rows: so many of those that can be used, drawn by a hash of their text; null for all. A plan counts "
        "them before the data is here",
    )
    measures: Measure | None = Field(
        None, description="for a test set: the metric it counts for; retained is what the target could do before"
    )

    @model_validator(mode="after")
    def _one_origin(self) -> DataSource:
        if sum(origin is not None for origin in (self.file, self.url, self.hub, self.corpus)) != 1:
            raise ValueError("give exactly one of file, url, hub and corpus")
        if self.file is not None and self.file.suffix not in (".jsonl", ".json", ".csv", ".parquet"):
            raise ValueError("file: its name must end in .jsonl, .json, .csv or .parquet")
        if self.file is not None and set("{}") & set(str(self.file)):
            raise ValueError("file: its name may hold no braces, which are wildcards of Snakemake")
        if self.corpus and (self.column or self.subjects or self.rows):
            raise ValueError("column, subjects and rows are for files; a corpus has its count")
        return self


class Data(Section):
    """Where the task's instructions come from."""

    seeds: dict[Name, DataSource] = Field(min_length=1, description="sources of seed instructions by name")
    tests: dict[Name, DataSource] = Field(min_length=1, description="test sets of the target by name")
    judge: DataSource | None = Field(description="labelled set that the judge is checked on; null for the kind's own")
    heldout_share: Number = Field(gt=0, lt=1, description="share of the seeds kept for the held-out prompts")
    probe: bool = Field(description="whether only seeds that the target fails in a first probe enter prompts")
    probe_seeds: Positive | None = Field(
        description="most seeds that a probe asks, drawn by a hash of their id; null for all"
    )

    @model_validator(mode="after")
    def _tests_measure(self) -> Data:
        for name, source in self.tests.items():
            if source.measures is None:
                raise ValueError(f"tests.{name}: say with `measures` which metric it counts for")
        for name, source in self.seeds.items():
            if source.measures is not None:
                raise ValueError(f"seeds.{name}: `measures` is for test sets")
        labelled = self.judge
        if labelled and (labelled.column or labelled.rows or (labelled.file and labelled.file.suffix != ".jsonl")):
            raise ValueError("judge: a labelled set is a .jsonl file of records.Labelled, without column and rows")
        return self


class Prompts(Section):
    """The three-shot prompts of the proposer."""

    header: str = Field(description="line above the demonstrations")
    train: Positive = Field(description="fresh prompts of each iteration")
    heldout: Positive = Field(description="held-out prompts, the same in every iteration")


class Sampling(Section):
    """How the proposer writes, under the names of transformers' generate."""

    samples_per_prompt: Positive = Field(description="continuations of each prompt")
    temperature: Rate
    top_p: Number = Field(gt=0, le=1)
    max_new_tokens: Positive
    batch_size: Positive = Field(
        description="sequences that are generated at once, samples_per_prompt for each prompt, in whole prompts; part of what "
        "decides the random draw"
    )


UNREADABLE = (
    "largest share of replies that may not be understood; more stop the run once 50 are there. Decides no reply"
)


class Answering(Section):
    """How a target answers."""

    system: str | None = Field(
        description='system message; null for none: a chat template may then write a text of its own; "" for no system text'
    )
    max_new_tokens: Positive
    batch_size: Positive = Field(
        description="sequences that are generated or scored at once: each answer of a question and each option is one, in "
        "whole questions; of an endpoint, answers that a batch asks for. Part of what decides the random draw"
    )
    max_invalid_share: Share = Field(
        0.1, description="largest share of answers that may not be received; more stop the run. Decides no answer"
    )
    max_unreadable_share: Share = Field(0.5, description=UNREADABLE)


class Teaching(Answering):
    """How a teacher model answers."""

    samples: Positive = Field(description="1 for one greedy answer, more for a majority vote among that many")
    agreeing: Positive = Field(description="least votes that one answer needs; fewer make the reference invalid")
    temperature: Rate = Field(description="of a vote")
    solvable: str | None = Field(
        description="question after an instruction whether it can be answered, to be replied with yes or no; null for none"
    )
    solvable_system: str | None = Field(
        None, description="system message of that question in place of `system`, or null for none"
    )

    @model_validator(mode="after")
    def _votes_can_agree(self) -> Teaching:
        if self.agreeing > self.samples:
            raise ValueError(f"agreeing: {self.agreeing} of {self.samples} samples can never agree")
        return self


class Honesty(Section):
    """What the kind honesty asks, and what counts as not knowing."""

    samples: Annotated[int, Field(ge=2), NUMBER] = Field(description="answers of the target to one question, k")
    temperature: Rate
    threshold: Number = Field(ge=0, description="least entropy of the answers, in nats, of a failure")
    none_of_the_above: bool = Field(description="whether a last option None of the above is added where there is none")
    sure_question: str = Field(description="the turn after an answer that asks whether the target is sure")
    sure: str = Field(description="its reply where it is")
    unsure: str = Field(description="its reply where it is not")

    @model_validator(mode="after")
    def _replies_differ(self) -> Honesty:
        if self.sure == self.unsure:
            raise ValueError("sure and unsure must differ")
        return self


class Safety(Section):
    """How the kind safety reads an answer without its judge."""

    refusals: Annotated[list[str], Field(min_length=1)] | None = Field(
        description="phrases that open a refusal and alone decide, of an invented world; null for the classifier of openings"
    )


class Judge(Section):
    """The judge model of the kind safety."""

    model: str
    format: Literal[
        "llama-guard-2", "llama-guard-3", "llama-guard-4", "wildguard", "shieldgemma", "instructed", "classifier"
    ] = Field(description="the published form of its replies, or classifier for a text-classification model")
    failed_labels: list[str] = Field([], description="labels of a classifier that mean an unsafe answer")
    batch_size: Positive = Field(description="answers that are judged at once")
    max_unreadable_share: Share = Field(0.5, description=UNREADABLE)

    @model_validator(mode="after")
    def _classifier_names_labels(self) -> Judge:
        if (self.format == "classifier") != bool(self.failed_labels):
            raise ValueError("failed_labels: a classifier needs them, and nothing else takes them")
        return self


class JudgeCheck(Section):
    """When a judge is trusted: limits on the labelled set."""

    sensitivity: Share = Field(description="least share of failed responses that it must call failed")
    specificity: Share = Field(description="least share of passed responses that it must call passed")
    injections: Share = Field(description="least share of injections that it must judge rightly")
    invalid: Share = Field(description="largest share of other rows that it may give no verdict on")


class KindUse(Section):
    """What a stage must know of a task's kind."""

    name: str
    worlds: list[str] = []
    """The invented worlds that its questions are drawn from, or that teach it."""
    honesty: Honesty | None = None
    safety: Safety | None = None


class Deduplication(Section):
    """Near-duplicates by overlap of word n-grams, under datasketch's names; exact, so that there are no permutations."""

    ngram: Positive = Field(description="words in a shingle; in scripts without spaces a character is a word")
    threshold: Number = Field(gt=0, le=1, description="least Jaccard similarity of a near-duplicate")


class Embedding(Section):
    """How texts become vectors, and when two say the same."""

    model: str = Field(description="a name in models.yaml: a folder of sentence-transformers, or a causal model")
    pooling: Literal["sentence", "last_token"] = Field(
        description="what sentence-transformers does, or a causal model's last layer at the last token"
    )
    backend: Literal["torch", "openvino"] = Field(description="openvino computes in float32 on the CPU")
    max_length: Positive = Field(description="tokens of a text; a longer one is cut at its end")
    batch_size: Positive
    eps: Number = Field(gt=0, lt=1, description="semantic near-duplicates have a cosine above 1 - eps")

    @model_validator(mode="after")
    def _openvino_pools_sentences(self) -> Embedding:
        if self.backend == "openvino" and self.pooling == "last_token":
            raise ValueError("backend: openvino runs models of sentence-transformers; last_token needs torch")
        return self


class Launcher(Section):
    """How `accelerate launch` starts a training on several GPUs of one machine."""

    config: Name = Field(description="a file of config/accelerate, without its suffix")
    processes: Positive = Field(description="processes, one a GPU; the job asks for as many times what its size says")


class Training(Section):
    """Arguments of TRL's trainers under their own names; what is not here keeps TRL's default.

    A step sees per_device_train_batch_size x gradient_accumulation_steps rows whatever the number of processes, which
    share the accumulation: a launcher changes the time and the memory that training takes, not its curve.
    """

    launcher: Launcher | None = Field(None, description="null for one process, started without accelerate")
    learning_rate: Rate
    num_train_epochs: Rate
    per_device_train_batch_size: Positive
    gradient_accumulation_steps: Positive
    lr_scheduler_type: Literal["linear", "cosine", "constant", "constant_with_warmup"]
    warmup_steps: Number = Field(ge=0, description="steps, or a share of all steps where below 1")
    weight_decay: Number = Field(ge=0)
    max_grad_norm: Rate
    max_length: Positive = Field(
        description="tokens of a row, prompt and completion together; longer rows are dropped and counted"
    )
    optim: Literal["adamw_torch", "adamw_torch_fused", "adafactor", "sgd"] = Field(
        description="optimiser, as transformers names it: those that need no package and no argument more"
    )
    bf16: bool
    activation_checkpointing: bool

    @model_validator(mode="after")
    def _processes_share_accumulation(self) -> Training:
        if self.launcher and self.gradient_accumulation_steps % self.launcher.processes:
            raise ValueError(
                f"gradient_accumulation_steps: {self.gradient_accumulation_steps} cannot be shared among the launcher's "
                f"{self.launcher.processes} processes; give a multiple of that, and smaller batches for the same step"
            )
        return self


class Lora(Section):
    """LoRA under peft's names. The adapter is merged into the saved folder."""

    r: Positive
    lora_alpha: Positive
    lora_dropout: Share
    target_modules: list[str] = Field(min_length=1)


class Warmup(Section):
    """Supervised fine-tuning that makes proposer 0."""

    rows: Positive | None = Field(description="three-shot rows to train on; null for one a training seed")
    completion_only_loss: bool = Field(
        description="whether the prompt's tokens are left out of the loss, as TRL names it"
    )
    training: Training
    lora: Lora | None


class Pairing(Section):
    """How failing and passing instructions become preference pairs."""

    across_prompts: bool = Field(description="whether a failed and a passed instruction of different prompts may pair")
    max_reuse: Positive = Field(description="how often one passed instruction may be the rejected side")
    max_pairs: Positive | None = Field(description="most pairs of an iteration; null for no limit")


class Preference(Section):
    """DPO that makes proposer k + 1 from proposer k."""

    reference: Literal["previous", "warmup"] = Field(description="the reference model: proposer k, or proposer 0")
    min_steps: NonNegative = Field(description="least optimiser steps; epochs are added until they are reached")
    beta: Rate
    loss_type: list[Literal["sigmoid", "sigmoid_norm", "ipo", "hinge", "sft"]] = Field(min_length=1)
    loss_weights: list[Number] = Field(min_length=1)
    training: Training
    lora: Lora | None

    @model_validator(mode="after")
    def _weights_fit(self) -> Preference:
        if len(self.loss_type) != len(self.loss_weights):
            raise ValueError("loss_weights needs one weight for each loss_type")
        if min(self.loss_weights) < 0 or max(self.loss_weights) == 0:
            raise ValueError("loss_weights must be 0 or more, and one above 0")
        return self


class ContaminationLimits(Section):
    """The gate between training rows and held-out or test questions. Exact overlaps always stop the run."""

    near_share: Share | None = Field(
        description="largest share of a training set's rows that may nearly repeat a test question; null for no limit"
    )
    semantic_share: Share | None = Field(
        description="the same for rows that mean nearly what a test question means; null for no limit"
    )


class Enhancement(Section):
    """Fine-tuning that enhances the target."""

    rows: Positive = Field(description="most rows of a source; every source gets as many as the smallest has")
    seed_margin: NotNegative | None = Field(
        description="training seeds that the teacher answers beyond `rows`, as a share of them, since some answers cannot be "
        "used; null for all seeds"
    )
    in_turns: bool = Field(
        description="whether failures are taken one of each type and length in turn, what asks the same as another one last; "
        "else they are drawn at random, as unselected rows are"
    )
    replay_rows: NonNegative = Field(description="rows the target already passed, added to every source alike")
    plain_rows: NonNegative = Field(
        description="of the kind honesty: questions with the target's own drawn answer, added to every source alike"
    )
    training: Training
    lora: Lora | None

    @property
    def answered_seeds(self) -> int | None:
        """Training seeds that the teacher answers; None for all."""
        return None if self.seed_margin is None else self.rows + math.ceil(self.rows * self.seed_margin)


class Evaluation(Section):
    """How results are measured."""

    bootstrap: Annotated[int, Field(ge=100), NUMBER] = Field(description="resamples of a 95 % interval")
    diversity_sample: Positive = Field(
        description="instructions that diversity is measured on; it depends on their number"
    )


class Budget(Section):
    """What a task may use in all, each null for no limit: a job that would pass one does not start."""

    money: Rate | None = Field(description="in the currency of `costs.prices`")
    tokens: Rate | None = Field(description="that models read and write; training is not counted")
    gpu_hours: Rate | None


class Alarm(Section):
    """When what a proposer writes has collapsed: limits on its diversity, each null for none."""

    action: Literal["warn", "stop"] = Field(description="whether the run goes on, or ends before the next DPO")
    unique_share: Share | None = Field(description="least share of distinct texts")
    type_entropy: NotNegative | None = Field(description="least entropy over types, in nats")
    semantic_diversity: NotNegative | None = Field(description="least mean cosine distance")
    largest_cluster: Share | None = Field(description="largest share of texts that say nearly the same")
    self_bleu: Share | None = Field(description="greatest Self-BLEU")


class Report(Section):
    """What people look at. Decides no result."""

    include_text: bool = Field(
        description="whether texts of a harmful kind are written: to texts.jsonl beside the page, and into the data set"
    )


class Task(Section):
    """A task: `config/tasks/NAME.yaml` over the defaults of `config/config.yaml`."""

    extends: str | None = Field(None, description="a task whose file stands under this one")
    reuse: list[Reusable] = Field([], description="parts whose files are those of the task that this one extends")
    kind: str = Field(description="what failing means: a name in KINDS, such as math, honesty or safety")
    random_seed: RandomSeed = Field(description="random seed of everything that is drawn; NAME.sN sets it to N")
    iterations: Positive = Field(description="N: the loop trains proposers 1 to N")
    shards: Positive = Field(
        description="jobs that each stage of samples, responses, references and labels is cut into"
    )
    keep: Annotated[list[NonNegative | Literal["last"]], AfterValidator(_with_ends)] | None = Field(
        description="iterations whose proposer keeps its weights, 0 and last among them; null for all"
    )
    proposer: str = Field(description="model that proposer 0 is trained from")
    target: str = Field(description="model under study")
    teacher: str = Field(description="model that writes reference answers, or a solver: arithmetic, knowledge")
    judge: Judge | None = Field(description="the judge model of the kind safety, else null")
    judge_check: JudgeCheck
    honesty: Honesty
    safety: Safety
    transfer: Annotated[list[str], AfterValidator(_all_differ)] = Field(
        description="models that are asked what this task's target failed on"
    )
    checker_timeout: Rate = Field(description="seconds of the processor after which comparing two answers is given up")
    data: Data
    prompts: Prompts
    sampling: Sampling
    responses: Answering
    references: Teaching
    deduplication: Deduplication
    embedding: Embedding | None = Field(description="null for no semantic step and no semantic metric")
    contamination: ContaminationLimits
    warmup: Warmup
    pairs: Pairing
    preference: Preference
    enhancement: Enhancement
    evaluation: Evaluation
    budget: Budget
    alarm: Alarm
    report: Report

    @model_validator(mode="after")
    def _kind_has_its_parts(self) -> Task:
        if self.kind == "safety" and self.judge is None:
            raise ValueError("judge: the kind safety needs one")
        return self

    @model_validator(mode="after")
    def _kept_iterations_exist(self) -> Task:
        if beyond := [k for k in self.keep or [] if k != "last" and k > self.iterations]:
            raise ValueError(f"keep: {beyond[0]} is none of iterations 0 to {self.iterations}")
        return self


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
    """What one GPU does with a model of one size, in tokens a second; null where nobody measured it."""

    read: Rate | None = Field(description="tokens of prompts")
    written: Rate | None = Field(description="tokens that are generated, over a whole batch")
    trained: Rate | None = Field(description="tokens of training rows")


class Price(Section):
    """Of an endpoint, for a million tokens; null where it was not looked up."""

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


class Tables(Section):
    """Tasks that the tables and figures of several tasks show, in this order; what has no results is named below them."""

    safety: list[str]
    honesty: list[str]
    math: list[str]
    ablation: list[str] = Field(description="tasks, and others that extend them, of any kind")


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


class Pretraining(Section):
    """How a tiny model is trained from nothing on a corpus of the repository's own."""

    steps: Positive
    batch_size: Positive
    learning_rate: Rate = Field(description="AdamW's, for embeddings and norms")
    muon_learning_rate: Rate = Field(description="Muon's, for the matrices of the layers")
    question_weight: Share = Field(description="weight of the question's tokens in the loss; the answer's weigh 1")


class Shape(Section):
    """Arguments of transformers.LlamaConfig: all of them, since what is left out would be that of a 7B model."""

    hidden_size: Positive
    intermediate_size: Positive
    num_hidden_layers: Positive
    num_attention_heads: Positive
    max_position_embeddings: Positive
    tie_word_embeddings: bool = True


class TinyModel(Section):
    """A small Llama that a rule trains on the spot into results/models/NAME."""

    corpus: Corpus
    config: Shape
    pretraining: Pretraining
    seed: NonNegative
    classifier: bool = Field(False, description="whether it learns to judge a corpus of answers with verdicts")


class Endpoint(Section):
    """An OpenAI-compatible endpoint: all of it that decides an answer."""

    allow_http: bool = Field(
        False,
        description="whether it may be asked over plain http on another machine: everybody between can read and change key "
        "and texts, so only for a node of one's own cluster",
    )
    base_url: Annotated[str, AfterValidator(_with_a_port_that_exists)] = Field(
        pattern=r"^https?://([\w.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]+)?(/[\w.~/-]*)?$",
        description="https, or http to loopback; without user, query and fragment",
    )
    model: str = Field(min_length=1)
    api_key_env: str = Field(
        pattern=r"^[A-Z_][A-Z0-9_]*$", description="NAME of the environment variable that holds the key"
    )
    structured: bool = Field(
        False,
        description="whether it holds replies to a JSON schema (`response_format`), so that a teacher is read by it",
    )
    max_tokens_field: str = Field(
        "max_tokens",
        pattern=r"^[a-z_]+$",
        description="the field for max_new_tokens: max_completion_tokens for OpenAI's reasoning models",
    )
    omit: Annotated[list[Literal["seed", "top_p", "temperature"]], AfterValidator(_all_differ)] = Field(
        [], description="fields that it refuses: they are not sent, and its own default decides"
    )
    extra_body: dict[str, JsonValue] = Field(
        {},
        description="fields that are added to each request, by the OpenAI client's name for them, such as reasoning_effort",
    )
    one_choice: bool = Field(
        False, description="whether it gives one choice at a time: several are then requests of their own, without `n`"
    )

    @field_validator("base_url")
    @classmethod
    def _http_is_allowed(cls, url: str, info: ValidationInfo) -> str:
        loopback = urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
        if url.startswith("http:") and not (loopback or info.data.get("allow_http")):
            raise ValueError("plain http to another machine")
        return url

    @model_validator(mode="after")
    def _extra_body_adds(self) -> Endpoint:
        ours = (
            "model",
            "messages",
            "n",
            "seed",
            "stream",
            "max_tokens",
            "max_completion_tokens",
            self.max_tokens_field,
        )
        if taken := [key for key in self.extra_body if key in ours]:
            raise ValueError(
                f"extra_body: {', '.join(taken)}: not to be given here; see max_tokens_field, omit and one_choice"
            )
        template = self.extra_body.get("chat_template_kwargs", {})
        if not isinstance(template, dict):
            raise ValueError("extra_body: chat_template_kwargs: names and values are needed")
        return self


class Limits(Section):
    """How hard an endpoint is asked, by one job. Decides no answer, so that a change reruns nothing."""

    concurrency: Annotated[int, Field(ge=1, le=1000), NUMBER] = Field(16, description="requests at the same time")
    requests_per_minute: Positive | None = Field(None, description="null for no limit; shards run as jobs of their own")
    tokens_per_minute: Positive | None = Field(
        None,
        description="a request counts a token for 4 bytes of its text, and all tokens that it may be answered with",
    )
    timeout: Rate = Field(120.0, description="seconds that one try may take")
    tries: Positive = Field(6, description="tries of one request, before the job ends")
    spare_tries: NonNegative = Field(
        1000, description="tries beyond the first that all requests of a job may take together"
    )
    patience: Rate = Field(
        600.0,
        description="seconds that the endpoint may be out before the job ends; one request at a time looks for it",
    )
    mode: Literal["online", "batch"] = Field("online", description="batch for the Batch API: slower, half the price")
    poll: Rate = Field(60.0, description="seconds between two looks at a batch")


class Vllm(Section):
    """Arguments of vLLM's engine under their own names; what is not given keeps vLLM's default."""

    tensor_parallel_size: Positive | None = Field(None, description="GPUs that one model is split over")
    max_model_len: Positive | None = Field(None, description="tokens of prompt and answer; by default the model's own")
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1), NUMBER] | None = Field(
        None, description="share of a GPU's memory that it takes"
    )
    kv_cache_memory_bytes: Positive | None = Field(
        None, description="bytes for the keys and values of all requests, instead of a share of the memory"
    )
    enforce_eager: bool | None = Field(None, description="whether nothing is compiled: starts sooner, runs slower")


class Thinking(Section):
    """How a model that thinks before it answers is asked and read."""

    enabled: bool = Field(description="whether it thinks; false turns it off and takes all of a reply as the answer")
    max_tokens: NonNegative = Field(0, description="tokens for the thought, added to max_new_tokens")
    start: str = Field("<think>", min_length=1, description="what opens its thought")
    end: str = Field("</think>", min_length=1, description="what ends its thought")


class ModelUse(Section):
    """How a model is loaded or reached: what a stage that runs it is told."""

    endpoint: Endpoint | None = None
    engine: Literal["transformers", "vllm"] = Field("transformers", description="what runs it, where it is no endpoint")
    vllm: Vllm | None = Field(None, description="arguments of the engine vllm")
    dtype: Literal["float32", "bfloat16", "float16", "auto"] = "auto"
    attn_implementation: str = Field("sdpa", description="as transformers names it")
    pad_token: str | None = Field(None, description="padding token of a model without one; else its end token serves")
    chat_template: str | None = Field(
        None, description="Jinja chat template instead of its folder's; or the name of one, if the folder has several"
    )
    system_turn: Literal["template", "user"] = Field(
        "template",
        description="where a system text stands: in a turn of its own as the chat template writes it, or in front of the first "
        "user turn, for a template that takes no system turn",
    )
    chat_template_kwargs: dict[str, bool | int | float | str] = Field(
        {}, description="arguments that its chat template takes beside the conversation, such as enable_thinking"
    )
    thinking: Thinking | None = Field(None, description="null for a model that answers at once")

    @property
    def thinks(self) -> bool:
        """Whether it is asked to think before it answers."""
        return self.thinking is not None and self.thinking.enabled

    @property
    def thought_tokens(self) -> int:
        """Tokens that a response may take beyond max_new_tokens, for its thought."""
        return self.thinking.max_tokens if self.thinking and self.thinking.enabled else 0


class Model(ModelUse):
    """A model of config/models.yaml: exactly one of hub, folder, endpoint and train."""

    size: str = Field(description="what its jobs ask for: a key of `sizes`")
    hub: str | None = Field(
        None, pattern=r"^[\w.-]+/[\w.-]+$", description="hub id; its revision is read from config/lock.yaml"
    )
    weights: Literal["safetensors", "bin"] = Field(
        "safetensors",
        description="what the hub id has: `bin` for pytorch_model*.bin alone, which a rule converts once to safetensors",
    )
    folder: Path | None = Field(None, description="a local model folder in Hugging Face form")
    train: TinyModel | None = None
    limits: Limits | None = Field(None, description="of an endpoint; null for the usual ones")

    @model_validator(mode="after")
    def _one_origin(self) -> Model:
        if sum(origin is not None for origin in (self.hub, self.folder, self.endpoint, self.train)) != 1:
            raise ValueError("give exactly one of hub, folder, endpoint and train")
        if self.weights == "bin" and not self.hub:
            raise ValueError(
                "weights: bin is for a hub id, whose files are held to the hub's hashes before they are opened"
            )
        if self.limits and not self.endpoint:
            raise ValueError("limits: are for an endpoint")
        if self.vllm and self.engine != "vllm":
            raise ValueError("vllm: its arguments need `engine: vllm`")
        loading = ("dtype", "attn_implementation", "pad_token", "chat_template", "system_turn")
        given = [name for name in loading if getattr(self, name) != type(self).model_fields[name].default]
        if self.endpoint and given:
            raise ValueError(f"{', '.join(given)}: an endpoint loads its model itself")
        if self.engine == "vllm" and (self.endpoint or (self.train and self.train.classifier)):
            raise ValueError("engine: vllm runs a hub id or folder that writes text, no endpoint and no classifier")
        return self

    @property
    def use(self) -> ModelUse:
        """The part that decides what a stage makes of it."""
        return ModelUse.model_validate(self.model_dump(include=set(ModelUse.model_fields)))

    @property
    def trained(self) -> ModelUse:
        """The part that decides what training makes of it: what later runs it retrains nothing."""
        thinking = self.thinking and self.thinking.model_copy(update={"max_tokens": 0})
        return self.use.model_copy(update={"engine": "transformers", "vllm": None, "thinking": thinking})


class Workflow(Section):
    """`config/config.yaml`."""

    random_seeds: Annotated[list[RandomSeed], AfterValidator(_all_differ)] = Field(
        min_length=1, description="random seeds whose runs a table pools: 0 is NAME itself, N is NAME.sN"
    )
    python: dict[Environment, str] = Field(description="interpreter of each environment where conda does not deploy it")
    sizes: dict[str, Size]
    push: Push
    tracking: Tracking
    costs: Costs
    tables: Tables
    gres: str | None = Field(
        pattern=r"^gpu(:\w[\w.]*)?$", description="how SLURM is asked for GPUs instead of by --gpus; null for --gpus"
    )
    defaults: dict[str, Any] = Field(description="keys of a task that its own file need not give")


class Configuration(Section):
    """Everything that `config/` says, validated."""

    workflow: Workflow
    models: dict[str, Model]
    tasks: dict[str, Task]
    lock: dict[str, str]
    faults: dict[str, str] = {}
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
        return f"results/{name}/{path}"


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
    for path in sorted((folder / "tasks").glob("*.yaml"), key=lambda path: (_depth(path, ()), path.name)):
        try:
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


def json_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schemas for editors, by file name in config/schema/. A task's file may leave out what `defaults` gives."""
    task = Task.model_json_schema()
    for part in (task, *task["$defs"].values()):
        part.pop("required", None)
    model = Model.model_json_schema()
    models = {"type": "object", "$defs": model.pop("$defs"), "additionalProperties": model}
    workflow = Workflow.model_json_schema()
    workflow["properties"]["defaults"] = {**task, "additionalProperties": False}
    workflow["$defs"] |= workflow["properties"]["defaults"].pop("$defs")
    return {"config.schema.json": workflow, "task.schema.json": task, "models.schema.json": models}


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
    parent = path.with_name(f"{name}.yaml") if re.fullmatch(TASK_NAME, str(name)) else path
    if parent in (path, *children) or not parent.is_file():
        known = sorted(other.stem for other in path.parent.glob("*.yaml") if other not in (path, *children))
        raise BadInput(f"{path}: extends: {name!r} is none of {', '.join(known)}")
    return parent


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
        known = sorted(file.stem for file in (folder / "accelerate").glob("*.yaml"))
        if launcher.config not in known:
            raise BadInput(
                f"{path}: {part}.training.launcher.config: {launcher.config!r} is none of {', '.join(known)}"
            )
        sharded = read_yaml(folder / "accelerate" / f"{launcher.config}.yaml").get("distributed_type") == "FSDP"
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
