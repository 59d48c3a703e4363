"""The configuration: what every key means, its type and its range. Values and their reasons stand in `config/`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from reversegen.errors import BadInput
from reversegen.records import explain


def _no_truth_value(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a number is needed, not true or false")
    return value


NUMBER = BeforeValidator(_no_truth_value)
"""`--config` gives the numbers of a list as text, so text is converted; YAML's truth values are no numbers."""
Positive = Annotated[int, Field(ge=1), NUMBER]
NonNegative = Annotated[int, Field(ge=0), NUMBER]
Name = Annotated[str, Field(pattern=r"^\w[\w-]*$")]
Rate = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Environment = Literal["base", "generate", "train", "text", "report"]
TASK_NAME = r"[a-z0-9-]+"
TASK_WILDCARD = rf"{TASK_NAME}(\.s(0|[1-9][0-9]*))?"
RESERVED = {"tables", "figures", "models"}


class Section(BaseModel):
    """A part of the configuration: no defaults, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())


class Corpus(Section):
    """Questions drawn from the invented arithmetic of the tiny math tasks."""

    mix: Literal["pretraining", "seeds", "uniform"] = Field(description="how common each type of question is")
    part: Literal["all", "train", "validation", "test"] = Field(
        description="which expressions: a hash keeps those of validation and test out of train; all is everything"
    )
    count: Positive = Field(description="number of questions")
    random_seed: NonNegative = Field(description="random seed of the draw; the task's own random seed leaves it alone")
    distinct: bool = Field(description="whether no question may come twice")


class HubData(Section):
    """A split of a data set on the Hugging Face hub; its revision is read from config/lock.yaml."""

    repo: str = Field(pattern=r"^[\w.-]+/[\w.-]+$", description="id of the data set")
    name: str = Field(description="its configuration, as `datasets.load_dataset` calls it")
    split: str = Field(description="its split")

    @property
    def file_name(self) -> str:
        """Name of its file in resources/downloads/data, without the suffix."""
        return "--".join([*self.repo.split("/"), self.name, self.split])


class DataSource(Section):
    """Where instructions or test questions come from: exactly one of file, hub and corpus."""

    file: Path | None = Field(None, description="a JSON Lines file in the data set's published form")
    hub: HubData | None = None
    corpus: Corpus | None = None
    licence: str = Field(description="licence of the data, as its publisher states it")
    measures: Literal["accuracy", "retained"] | None = Field(
        None, description="for a test set: the metric it counts for; retained is what the target could do before"
    )

    @model_validator(mode="after")
    def _one_origin(self) -> DataSource:
        if sum(origin is not None for origin in (self.file, self.hub, self.corpus)) != 1:
            raise ValueError("give exactly one of file, hub and corpus")
        return self


class Data(Section):
    """Where the task's instructions come from."""

    seeds: dict[Name, DataSource] = Field(min_length=1, description="sources of seed instructions by name")
    tests: dict[Name, DataSource] = Field(min_length=1, description="test sets of the target by name")
    heldout_share: float = Field(gt=0, lt=1, description="share of the seeds kept for the held-out prompts")

    @model_validator(mode="after")
    def _tests_measure(self) -> Data:
        for name, source in self.tests.items():
            if source.measures is None:
                raise ValueError(f"tests.{name}: say with `measures` which metric it counts for")
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
    top_p: float = Field(gt=0, le=1)
    max_new_tokens: Positive
    batch_size: Positive = Field(description="prompts in a batch; part of what decides the random draw")


class Answering(Section):
    """How a target or a labeller answers: greedily."""

    system: str | None = Field(description="system message, or null for none")
    max_new_tokens: Positive
    batch_size: Positive


class Deduplication(Section):
    """Near-duplicates by overlap of word n-grams, under datasketch's names."""

    ngram: Positive = Field(description="words in a shingle")
    threshold: float = Field(gt=0, le=1, description="least Jaccard similarity of a near-duplicate")
    num_perm: Annotated[int, Field(ge=16, le=1024), NUMBER] = Field(description="permutations of MinHash")


class Training(Section):
    """Arguments of TRL's trainers under their own names; what is not here keeps TRL's default."""

    learning_rate: Rate
    num_train_epochs: Rate
    per_device_train_batch_size: Positive
    gradient_accumulation_steps: Positive
    lr_scheduler_type: Literal["linear", "cosine", "constant", "constant_with_warmup"]
    warmup_steps: float = Field(ge=0, description="steps, or a share of all steps where below 1")
    weight_decay: float = Field(ge=0)
    max_grad_norm: Rate
    max_length: Positive = Field(description="tokens of a row; longer rows are cut at their end")
    optim: str = Field(description="optimiser, as transformers names it")
    bf16: bool
    activation_checkpointing: bool


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
    loss_weights: list[float] = Field(min_length=1)
    training: Training
    lora: Lora | None

    @model_validator(mode="after")
    def _weights_fit(self) -> Preference:
        if len(self.loss_type) != len(self.loss_weights):
            raise ValueError("loss_weights needs one weight for each loss_type")
        return self


class Enhancement(Section):
    """Fine-tuning that repairs the target."""

    rows: Positive = Field(description="most rows of a source; every source gets as many as the smallest has")
    replay_rows: NonNegative = Field(description="rows the target already passed, added to every source alike")
    training: Training
    lora: Lora | None


class Evaluation(Section):
    """How results are measured."""

    bootstrap: Annotated[int, Field(ge=100), NUMBER] = Field(description="resamples of a 95 % interval")
    diversity_sample: Positive = Field(
        description="instructions that diversity is measured on; it depends on their number"
    )


class Task(Section):
    """A task: `config/tasks/NAME.yaml` over the defaults of `config/config.yaml`."""

    kind: Literal["math"] = Field(description="what failing means")
    random_seed: NonNegative = Field(description="random seed of everything that is drawn; NAME.sN sets it to N")
    iterations: Positive = Field(description="N: the loop trains proposers 1 to N")
    proposer: str = Field(description="model that proposer 0 is trained from")
    target: str = Field(description="model under study")
    labeller: str = Field(description="model that writes reference answers, or arithmetic for the exact solver")
    checker_timeout: Rate = Field(description="seconds after which comparing two answers is given up")
    data: Data
    prompts: Prompts
    sampling: Sampling
    responses: Answering
    references: Answering
    deduplication: Deduplication
    warmup: Warmup
    pairs: Pairing
    preference: Preference
    enhancement: Enhancement
    evaluation: Evaluation


class Size(Section):
    """What the jobs of a model of one size ask for."""

    threads: Positive
    mem_mb: Annotated[int, Field(ge=1000), NUMBER] = Field(
        description="megabytes; Snakemake itself takes about 230 of them"
    )
    runtime: Positive = Field(description="minutes")
    gpu: NonNegative


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


class TinyModel(Section):
    """A small Llama that a rule trains on the spot into results/models/NAME."""

    corpus: Corpus
    config: Shape
    pretraining: Pretraining
    seed: NonNegative


class Endpoint(Section):
    """An OpenAI-compatible endpoint."""

    base_url: str = Field(
        pattern=r"^(https://|http://(127\.0\.0\.1|localhost|\[::1\])[:/])", description="https, or loopback"
    )
    model: str
    api_key_env: str = Field(
        pattern=r"^[A-Z_][A-Z0-9_]*$", description="NAME of the environment variable that holds the key"
    )


class ModelUse(Section):
    """How a model is loaded or reached: what a stage that runs it is told."""

    endpoint: Endpoint | None = None
    dtype: Literal["float32", "bfloat16", "float16", "auto"] = "auto"
    attn_implementation: str = Field("sdpa", description="as transformers names it")
    pad_token: str | None = Field(None, description="padding token of a model without one; else its end token serves")
    chat_template: str | None = Field(None, description="Jinja chat template of a model without one")


class Model(ModelUse):
    """A model of config/models.yaml: exactly one of hub, folder, endpoint and train."""

    size: str = Field(description="what its jobs ask for: a key of `sizes`")
    hub: str | None = Field(
        None, pattern=r"^[\w.-]+/[\w.-]+$", description="hub id; its revision is read from config/lock.yaml"
    )
    folder: Path | None = Field(None, description="a local model folder in Hugging Face form")
    train: TinyModel | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Model:
        if sum(origin is not None for origin in (self.hub, self.folder, self.endpoint, self.train)) != 1:
            raise ValueError("give exactly one of hub, folder, endpoint and train")
        return self

    @property
    def use(self) -> ModelUse:
        """The part that decides what a stage makes of it."""
        return ModelUse.model_validate(self.model_dump(include=set(ModelUse.model_fields)))


class Workflow(Section):
    """`config/config.yaml`."""

    random_seeds: list[NonNegative] = Field(
        min_length=1, description="random seeds whose runs a table pools: 0 is NAME itself, N is NAME.sN"
    )
    python: dict[Environment, str] = Field(description="interpreter of each environment where conda does not deploy it")
    sizes: dict[str, Size]
    defaults: dict[str, Any] = Field(description="keys of a task that its own file need not give")


class Configuration(Section):
    """Everything that `config/` says, validated."""

    workflow: Workflow
    models: dict[str, Model]
    tasks: dict[str, Task]
    lock: dict[str, str]

    def task(self, name: str) -> Task:
        """The task of a wildcard such as `tiny-math` or `tiny-math.s2`. Raises BadInput, listing the known ones."""
        base, _, seed = name.partition(".s")
        if base not in self.tasks or not re.fullmatch(TASK_WILDCARD, name):
            raise BadInput(
                f"unknown task {name!r}: config/tasks/ has {', '.join(sorted(self.tasks))}; NAME.sN sets its random seed"
            )
        task = self.tasks[base]
        return task.model_copy(update={"random_seed": int(seed)}) if seed else task


S = TypeVar("S", bound=BaseModel)


def load(workflow: dict[str, Any], folder: Path) -> Configuration:
    """Validate the content of config.yaml, as Snakemake merged it, and the other files of `folder`.

    Raises BadInput naming the file and the key: an unknown key, a wrong type, a value out of range, a task that names
    an unknown model, a model of an unknown size.
    """
    main = _checked(Workflow, workflow, folder / "config.yaml")
    models = {
        name: _checked(Model, entry, folder / "models.yaml", name)
        for name, entry in _read_yaml(folder / "models.yaml").items()
    }
    for name, model in models.items():
        if model.size not in main.sizes:
            raise BadInput(f"{folder / 'models.yaml'}: {name}.size: {model.size!r} is none of {', '.join(main.sizes)}")
    tasks = {}
    for path in sorted((folder / "tasks").glob("*.yaml")):
        if not re.fullmatch(TASK_NAME, path.stem) or path.stem in RESERVED:
            raise BadInput(f"{path}: a task's name is of a-z, 0-9 and -, and none of {', '.join(sorted(RESERVED))}")
        task = _task(main.defaults, path, folder)
        for role in ("proposer", "target", "labeller"):
            name = getattr(task, role)
            if name not in models and not (role == "labeller" and name == "arithmetic"):
                raise BadInput(
                    f"{path}: {role}: unknown model {name!r}; config/models.yaml has {', '.join(sorted(models))}"
                )
        if models[task.proposer].endpoint:
            raise BadInput(
                f"{path}: proposer: {task.proposer} is an endpoint, and a proposer is trained; name a hub id or folder"
            )
        tasks[path.stem] = task
    lock = _read_yaml(folder / "lock.yaml") if (folder / "lock.yaml").exists() else {}
    for repo, commit in lock.items():
        if not isinstance(commit, str):
            raise BadInput(f"{folder / 'lock.yaml'}: {repo}: {commit!r} is no commit; give its 40 digits in quotes")
    return Configuration(workflow=main, models=models, tasks=tasks, lock=lock)


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


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadInput(f"{path}: not a readable YAML file: {' '.join(str(error).split())}") from error
    if content is not None and not isinstance(content, dict):
        raise BadInput(f"{path}: a {type(content).__name__} where keys and values are needed")
    for key in content or {}:
        if not isinstance(key, str):
            raise BadInput(f"{path}: the key {key!r} is no text; put it in quotes")
    return content or {}


def _task(defaults: dict[str, Any], path: Path, folder: Path) -> Task:
    """A task's file over the defaults; a fault is blamed on the file that holds the key."""
    own = _read_yaml(path)
    try:
        return Task.model_validate(_merge(defaults, own))
    except ValidationError as error:
        place = error.errors()[0]["loc"]
        blamed = (
            f"{folder / 'config.yaml'}: defaults."
            if _holds(defaults, place) and not _holds(own, place)
            else f"{path}: "
        )
        raise BadInput(f"{blamed}{explain(error, show_input=True)}") from error


def _holds(content: Any, place: tuple[int | str, ...]) -> bool:
    for key in place:
        if not (isinstance(content, dict) and key in content):
            return False
        content = content[key]
    return bool(place)


def _merge(defaults: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """`own` over `defaults`, key by key at every depth."""
    merged = dict(defaults)
    for key, value in own.items():
        deeper = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if deeper else value
    return merged


def _checked(section: type[S], content: Any, path: Path, prefix: str = "") -> S:
    try:
        return section.model_validate(content)
    except ValidationError as error:
        joined = "." if prefix and error.errors()[0]["loc"] else ": " if prefix else ""
        raise BadInput(f"{path}: {prefix}{joined}{explain(error, show_input=True)}") from error
