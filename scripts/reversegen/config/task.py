"""A task, `config/tasks/NAME.yaml`, and its sections that are neither data nor training."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, create_model, model_validator

from reversegen.config.data import Data
from reversegen.config.fields import (
    NUMBER,
    NonNegative,
    NotNegative,
    Number,
    Positive,
    RandomSeed,
    Rate,
    Section,
    Share,
    all_differ,
)
from reversegen.config.training import Enhancement, Pairing, Preference, Warmup


def _with_ends(iterations: list[Any]) -> list[Any]:
    if not {0, "last"} <= set(iterations):
        raise ValueError("0, from which the control and other tasks start, and last must be among them: [0, last]")
    return iterations


S = TypeVar("S", bound=Section)
Reusable = Literal["seeds", "probe", "warmup", "untrained", "iter0", "control", "original"]
_ASKED = ("data", "kind", "target", "responses", "judge", "judge_check", "checker_timeout")
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
"""Parts of a task that another may reuse, with the keys that decide them and must be equal in both. The settings of
kinds decide every part that `responses` decides."""


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


class Judge(Section):
    """The judge model of a kind whose verdicts need one."""

    model: str
    format: str = Field(description="the published form of its replies, or classifier for a text-classification model")
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
    """What a stage must know of a task's kind: its name, and its settings in a section of that name, as a task has them."""

    model_config = ConfigDict(extra="allow")

    name: str
    worlds: tuple[str, ...] = ()
    """The invented worlds that its questions are drawn from, or that teach it."""

    def settings(self, section: type[S]) -> S:
        """The kind's settings, whose class it gives itself."""
        return section.model_validate((self.model_extra or {}).get(self.name) or {})


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


class ContaminationLimits(Section):
    """The gate between training rows and held-out or test questions. Exact overlaps always stop the run."""

    near_share: Share | None = Field(
        description="largest share of a training set's rows that may nearly repeat a test question; null for no limit"
    )
    semantic_share: Share | None = Field(
        description="the same for rows that mean nearly what a test question means; null for no limit"
    )


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
    """A task: `config/tasks/NAME.yaml`, or `config/tasks/ablations/NAME.yaml`, over the defaults of `config/config.yaml`."""

    model_config = ConfigDict(extra="allow")  # the sections of kinds: see `task_section`

    extends: str | None = Field(None, description="a task whose file stands under this one")
    reuse: list[Reusable] = Field([], description="parts whose files are those of the task that this one extends")
    kind: str = Field(description="what failing means: a name in KINDS")
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
    judge: Judge | None = Field(description="the judge model of a kind whose verdicts need one, else null")
    judge_check: JudgeCheck
    transfer: Annotated[list[str], AfterValidator(all_differ)] = Field(
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
    def _kept_iterations_exist(self) -> Task:
        if beyond := [k for k in self.keep or [] if k != "last" and k > self.iterations]:
            raise ValueError(f"keep: {beyond[0]} is none of iterations 0 to {self.iterations}")
        return self

    @property
    def kind_sections(self) -> list[str]:
        """Names of the sections that hold the settings of kinds; no other task of the same configuration has others."""
        names = [*type(self).model_fields, *(self.model_extra or {})]
        return [name for name in names if name not in Task.model_fields]


def task_section(kinds: Mapping[str, type[Section] | None]) -> type[Task]:
    """The class of a task with a section for each kind that has settings; None if neither file nor defaults give it.

    It takes no other key.

    A stage reads tasks without it: their sections of kinds are then what stood in the JSON that it was given.
    """
    return _task_section(tuple((name, section) for name, section in kinds.items() if section))


@functools.cache
def _task_section(kinds: tuple[tuple[str, type[Section]], ...]) -> type[Task]:
    """One class for the same kinds, since tasks of two classes are never equal."""
    # a factory, since a default would stand in the schema as a value that nobody may give
    sections: dict[str, Any] = {name: (section, Field(default_factory=lambda: None)) for name, section in kinds}
    return create_model("Task", __base__=Task, __doc__=Task.__doc__, __cls_kwargs__={"extra": "forbid"}, **sections)
