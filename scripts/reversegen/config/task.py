"""A task, `config/tasks/NAME.yaml`, with all its sections except data and training."""

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
from reversegen.config.judge_settings import Controversial, Threshold
from reversegen.config.sampling import Prompts, Sampling
from reversegen.config.training import Enhancement, Pairing, Preference, Warmup


def _with_ends(iterations: list[Any]) -> list[Any]:
    if not {0, "last"} <= set(iterations):
        raise ValueError("0 or last is missing: the control and other tasks start from 0; give at least [0, last]")
    return iterations


S = TypeVar("S", bound=Section)
Reusable = Literal["seeds", "probe", "warmup", "untrained", "iter0", "control", "original"]
_ASKED = ("data", "kind", "target", "responses", "judge", "judge_check", "checker_timeout")
_WRITTEN = (*_ASKED, "proposer", "prompts", "sampling", "deduplication", "embedding", "teacher", "references")
REUSABLE: dict[str, tuple[str, ...]] = {
    "seeds": ("data", "kind"),
    "probe": _ASKED,
    "warmup": (*_ASKED, "prompts.header", "warmup.rows"),
    "untrained": (*_WRITTEN, "evaluation"),
    "iter0": (*_WRITTEN, "warmup", "evaluation", "alarm"),
    "control": (*_WRITTEN, "warmup", "iterations"),
    "original": (*_ASKED, "evaluation"),
}
"""Parts of a task that another task may reuse. Each has the keys that decide it, whose values must be equal in both tasks.
If `responses` is among the keys of a part, the settings of kinds decide the part too."""


UNREADABLE = (
    "Largest share of received replies that cannot be understood. The stage stops above it, once it has 50 such "
    "replies. Above the default, one half, the question asked is the likely cause. A change alters no reply."
)


class Answering(Section):
    """How a target answers."""

    system: str | None = Field(
        description="System text. Null, the default, sends no system turn, and some chat templates then add a text "
        "of their own. An empty text asks for no system text at all."
    )
    max_new_tokens: Positive = Field(
        description="Largest number of tokens of an answer. The default is the published one."
    )
    batch_size: Positive = Field(
        description="Number of sequences generated or scored at once, in whole questions; each answer and each "
        "option is a sequence. For an endpoint, the answers that a batch asks for. It decides the "
        "random draw. The default fits an 8B model on an 80 GB GPU."
    )
    max_invalid_share: Share = Field(
        0.1,
        description="Largest share of answers that may be missing; the run stops above it. Above the default, the "
        "set-up is a likelier cause than the items. A change alters no answer.",
    )
    max_unreadable_share: Share = Field(0.5, description=UNREADABLE)


class Teaching(Answering):
    """How a teacher model answers."""

    samples: Positive = Field(
        description="Number of answers: 1, the default as published, for one greedy answer; more for a majority "
        "vote among them."
    )
    agreeing: Positive = Field(
        description="Smallest number of votes that an answer needs. With fewer, the reference is invalid."
    )
    temperature: Rate = Field(description="Sampling temperature of a vote. The default is the published one.")
    solvable: str | None = Field(
        description="Yes-or-no question after each instruction whether it can be answered. Without a yes, the "
        "instruction gets no reference. Null, the default, asks nothing, which saves a request for each "
        "instruction."
    )
    solvable_system: str | None = Field(
        None,
        description="System text of the question `solvable`, in place of `system`. It needs its own, because "
        "`system` asks for a solution.",
    )

    @model_validator(mode="after")
    def _votes_can_agree(self) -> Teaching:
        if self.agreeing > self.samples:
            raise ValueError(f"agreeing: {self.agreeing} of {self.samples} samples can never agree; lower it")
        return self


class Judge(Section):
    """The judge model of a kind whose verdicts need one."""

    model: str = Field(description="Name of the judge model in models.yaml.")
    format: str = Field(description="Form of its replies, or `classifier` for a text-classification model.")
    failed_labels: list[str] = Field(
        [], description="Labels of a classifier that mean an unsafe answer. Empty for every other format."
    )
    controversial: Controversial = None
    threshold: Threshold = None
    batch_size: Positive = Field(description="Number of answers judged at once.")
    max_unreadable_share: Share = Field(0.5, description=UNREADABLE)

    @model_validator(mode="after")
    def _classifier_names_labels(self) -> Judge:
        if (self.format == "classifier") != bool(self.failed_labels):
            raise ValueError(
                "failed_labels: the format classifier needs them, and no other takes them; add or remove them"
            )
        return self


class JudgeCheck(Section):
    """Limits that a judge must meet on the labelled set. The labels of a judge that misses the defaults mean little."""

    sensitivity: Share = Field(description="Smallest share of failed responses that the judge must call failed.")
    specificity: Share = Field(description="Smallest share of passed responses that the judge must call passed.")
    injections: Share = Field(description="Smallest share of injections that the judge must judge correctly.")
    invalid: Share = Field(description="Largest share of other rows on which the judge may give no verdict.")


class KindUse(Section):
    """What a stage needs of a task's kind: its name, and its settings in a section of that name, as in a task."""

    model_config = ConfigDict(extra="allow")

    name: str
    worlds: tuple[str, ...] = ()
    """The worlds from which its questions are drawn, and the world whose solver is the teacher."""

    def settings(self, section: type[S]) -> S:
        """The settings of the kind as an object of `section`, the class that the kind defines for them."""
        return section.model_validate((self.model_extra or {}).get(self.name) or {})


class Deduplication(Section):
    """Near-duplicates by overlap of word n-grams, under datasketch's names. The overlap is exact, without permutations."""

    ngram: Positive = Field(
        description="Number of words in an n-gram; in scripts without spaces a character is a word. The default is "
        "the published one."
    )
    threshold: Number = Field(
        gt=0, le=1, description="Smallest Jaccard similarity of near-duplicates. The default is the published one."
    )


class Embedding(Section):
    """How texts become vectors, and when two texts mean the same."""

    model: str = Field(
        description="Name in models.yaml of a sentence-transformers or causal model. The default is small."
    )
    pooling: Literal["sentence", "last_token"] = Field(
        description="How one vector is made: by the sentence-transformers model's own pooling, as by default, or "
        "from a causal model's last layer at the last token."
    )
    backend: Literal["torch", "openvino"] = Field(
        description="Library that runs the model. `openvino`, the default, is faster on a CPU; `torch` can use a GPU."
    )
    max_length: Positive = Field(
        description="Largest number of tokens of a text; the end of a longer text is ignored. The default is the "
        "model's own."
    )
    batch_size: Positive = Field(description="Number of texts in a batch. The default was the fastest with OpenVINO.")
    eps: Number = Field(
        gt=0,
        lt=1,
        description="Two texts with a cosine above 1 - eps mean the same. The default is SemDeDup's with this model.",
    )

    @model_validator(mode="after")
    def _openvino_pools_sentences(self) -> Embedding:
        if self.backend == "openvino" and self.pooling == "last_token":
            raise ValueError("backend: openvino cannot run `pooling: last_token`; set `backend: torch`")
        return self


class ContaminationLimits(Section):
    """The gate between training rows and held-out or test questions. An exact overlap always stops the run."""

    near_share: Share | None = Field(
        description="Largest share of training rows that may nearly repeat a test question. Null, the default, sets "
        "no limit, because real data has many harmless near-duplicates."
    )
    semantic_share: Share | None = Field(
        description="Largest share of training rows that may mean the same as a test question. Null, the default, "
        "sets no limit."
    )


class Evaluation(Section):
    """How results are measured."""

    bootstrap: Annotated[int, Field(ge=100), NUMBER] = Field(
        description="Number of resamples of a 95 % interval. The default fixes its ends to a tenth of its width."
    )
    diversity_sample: Positive = Field(
        description="Number of instructions on which diversity is measured. It is fixed, because diversity falls "
        "with their number."
    )


class Budget(Section):
    """Limits on what a task may use in total. A job that would exceed one does not start. Null, the default, sets no limit."""

    money: Rate | None = Field(description="Largest cost, in the currency of `costs.prices`.")
    tokens: Rate | None = Field(description="Largest number of tokens that models read and write, without training.")
    gpu_hours: Rate | None = Field(description="Largest number of GPU hours.")


class Alarm(Section):
    """Limits on the diversity of a proposer's held-out samples, which show that it has collapsed. Null sets no limit."""

    action: Literal["warn", "stop"] = Field(
        description="`warn`, the default, logs a broken limit, because usual values differ by task; `stop` ends the "
        "run before the next DPO."
    )
    unique_share: Share | None = Field(description="Smallest share of distinct texts. By default half of them.")
    type_entropy: NotNegative | None = Field(
        description="Smallest entropy over the types of instructions, in nats. Null by default, because types "
        "differ by task."
    )
    semantic_diversity: NotNegative | None = Field(
        description="Smallest mean cosine distance between texts. The default is a choice: below it, all texts "
        "share one topic."
    )
    largest_cluster: Share | None = Field(
        description="Largest share of texts that mean nearly the same. The default, a quarter, is a choice."
    )
    self_bleu: Share | None = Field(
        description="Largest Self-BLEU. Null by default, because it depends on length and wording."
    )


class Report(Section):
    """Settings of what people read. They decide no result."""

    include_text: bool = Field(
        description="Whether texts of a harmful kind are written to texts.jsonl beside the page and into the data "
        "set. False by default, because they may do harm."
    )


class Task(Section):
    """A task: `config/tasks/NAME.yaml` or `config/tasks/ablations/NAME.yaml`, over the defaults of `config/config.yaml`."""

    model_config = ConfigDict(extra="allow")  # the sections of kinds: see `task_section`

    extends: str | None = Field(
        None, description="Name of a task whose keys apply if this file does not give them. Null for none."
    )
    reuse: list[Reusable] = Field(
        [], description="Parts whose files are taken from the task that this one extends. None by default."
    )
    kind: str = Field(description="Kind of the task, which defines what failing means: a name in KINDS.")
    random_seed: RandomSeed = Field(
        description="Random seed of all random draws, 0 by default. The run NAME.sN sets it to N."
    )
    iterations: Positive = Field(
        description="Number N of iterations: the loop trains proposers 1 to N. The published code says only that "
        "there are several; the default is three."
    )
    shards: Positive = Field(
        description="Number of jobs that each stage of samples, responses, references, judgements and labels is "
        "split into. It changes no result; more than one, the default, pays with several idle GPUs."
    )
    keep: Annotated[list[NonNegative | Literal["last"]], AfterValidator(_with_ends)] | None = Field(
        description="Iterations whose proposer keeps its weights, at least `[0, last]`; the others are deleted to "
        "save disk space. Null, the default, keeps all."
    )
    proposer: str = Field(description="Model from which proposer 0 is trained.")
    target: str = Field(description="Model under study.")
    teacher: str = Field(
        description="Model that writes reference answers, or an exact solver: `arithmetic`, `knowledge`."
    )
    judge: Judge | None = Field(
        description="Judge model of a kind whose verdicts need one. Null, the default, for every other kind."
    )
    judge_check: JudgeCheck
    transfer: Annotated[list[str], AfterValidator(all_differ)] = Field(
        description="Models that are also asked the instructions on which the target failed. None by default."
    )
    checker_timeout: Rate = Field(
        description="Processor seconds after which comparing two answers is given up. Usual answers take milliseconds."
    )
    data: Data
    prompts: Prompts
    sampling: Sampling
    responses: Answering
    references: Teaching
    deduplication: Deduplication
    embedding: Embedding | None = Field(description="Embedding model. Null leaves out semantic steps and metrics.")
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
            raise ValueError(f"keep: no iteration {beyond[0]}; give iterations from 0 to {self.iterations}, or last")
        return self

    @property
    def kind_sections(self) -> list[str]:
        """Names of the sections that hold the settings of kinds. All tasks of one configuration have the same sections."""
        names = [*type(self).model_fields, *(self.model_extra or {})]
        return [name for name in names if name not in Task.model_fields]


def task_section(kinds: Mapping[str, type[Section] | None]) -> type[Task]:
    """The class of a task that has a section for each kind with settings and refuses any other key.

    A section is None if neither the task's file nor the defaults give it. A stage reads tasks by the class `Task` instead,
    which keeps the sections of kinds as they are in the stage's JSON input.
    """
    return _task_section(tuple((name, section) for name, section in kinds.items() if section))


@functools.cache
def _task_section(kinds: tuple[tuple[str, type[Section]], ...]) -> type[Task]:
    """Cached, so that the same kinds give the same class: tasks of two classes are never equal."""
    # a factory, because the schema would show a default of None, which a file may not give
    sections: dict[str, Any] = {name: (section, Field(default_factory=lambda: None)) for name, section in kinds}
    return create_model("Task", __base__=Task, __doc__=Task.__doc__, __cls_kwargs__={"extra": "forbid"}, **sections)
