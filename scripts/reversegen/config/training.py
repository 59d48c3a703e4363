"""Settings of warm-up, preference pairs, DPO and enhancement: how proposers and targets are trained, and on which rows."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field, model_validator

from reversegen.config.fields import Name, NonNegative, NotNegative, Number, Positive, Rate, Section, Share


class Launcher(Section):
    """How `accelerate launch` starts a training on several GPUs of one machine."""

    config: Name = Field(description="Name of a file in config/accelerate, without its suffix.")
    processes: Positive = Field(
        description="Number of processes, one on each GPU. The job asks for the resources of its `size` once for "
        "each process."
    )


class Training(Section):
    """Arguments of TRL's trainers under TRL's names. Every other argument keeps TRL's default.

    A step uses per_device_train_batch_size x gradient_accumulation_steps rows, whatever the number of processes, because
    the processes divide the accumulation among them. A launcher therefore changes the time and the memory that training
    takes, but not its loss curve.
    """

    launcher: Launcher | None = Field(
        None,
        description="How several processes are started. Null, the default, trains in one process without accelerate.",
    )
    learning_rate: Rate = Field(
        description="Highest learning rate of the schedule. The defaults are usual values for full fine-tuning; the "
        "published ones look swapped."
    )
    num_train_epochs: Rate = Field(description="Number of passes over the rows. One by default, as published.")
    per_device_train_batch_size: Positive = Field(
        description="Number of rows that a process trains on at once. The default fits one GPU."
    )
    gradient_accumulation_steps: Positive = Field(
        description="Number of such batches in one optimiser step. All processes divide them, so this is a multiple "
        "of their number."
    )
    lr_scheduler_type: Literal["linear", "cosine", "constant", "constant_with_warmup"] = Field(
        description="Course of the learning rate after its warm-up. The default, `cosine`, is usual for fine-tuning."
    )
    warmup_steps: Number = Field(
        ge=0,
        description="Steps over which the learning rate rises from zero: a number of steps, or below 1 a share of "
        "all steps. The default is a share, so that it fits trainings of any length.",
    )
    weight_decay: Number = Field(ge=0, description="Weight decay of the optimiser. Zero by default, as published.")
    max_grad_norm: Rate = Field(
        description="Norm to which the gradient is clipped. The default is that of transformers."
    )
    max_length: Positive = Field(
        description="Largest number of tokens of a row, prompt and completion together. Longer rows are dropped and "
        "counted. The default is the published one."
    )
    optim: Literal["adamw_torch", "adamw_torch_fused", "adafactor", "sgd"] = Field(
        description="Optimiser, by its name in transformers. Only optimisers that need no further package or "
        "argument are allowed; AdamW is the usual one."
    )
    bf16: bool = Field(
        description="Whether training computes in bfloat16 mixed precision. True by default, so that an 8B model "
        "with LoRA fits one GPU."
    )
    activation_checkpointing: bool = Field(
        description="Whether activations are computed again in the backward pass instead of stored. True by "
        "default, so that an 8B model with LoRA fits one GPU."
    )

    @model_validator(mode="after")
    def _processes_share_accumulation(self) -> Training:
        if self.launcher and self.gradient_accumulation_steps % self.launcher.processes:
            raise ValueError(
                f"gradient_accumulation_steps: {self.gradient_accumulation_steps} cannot be shared among the launcher's "
                f"{self.launcher.processes} processes; give a multiple of {self.launcher.processes}, and reduce "
                "per_device_train_batch_size to keep the rows of a step"
            )
        return self


class Lora(Section):
    """LoRA under peft's names. The adapter is merged into the weights of the saved folder."""

    r: Positive = Field(description="Rank of the update. The 8B tasks use the published rank.")
    lora_alpha: Positive = Field(
        description="Numerator of the scale alpha / r of the update. The 8B tasks set it to the rank, as is usual."
    )
    lora_dropout: Share = Field(
        description="Dropout before the update, as a share. The 8B tasks use none, as published."
    )
    target_modules: list[str] = Field(
        min_length=1,
        description="Layers that get an update, by module name. The 8B tasks train all linear layers, as published.",
    )


class Warmup(Section):
    """Supervised fine-tuning that makes proposer 0."""

    rows: Positive | None = Field(
        description="Number of three-shot rows to train on. Null, the default, makes one row for each training "
        "seed, as published."
    )
    completion_only_loss: bool = Field(
        description="Whether the loss ignores the prompt's tokens, under TRL's name. True by default, as published."
    )
    training: Training
    lora: Lora | None = Field(description="LoRA settings. Null, the default, trains all weights.")


class Pairing(Section):
    """How failing and passing instructions become preference pairs."""

    across_prompts: bool = Field(
        description="Whether instructions of different prompts may form a pair. False by default, because such a "
        "pair also contrasts the prompts."
    )
    max_reuse: Positive = Field(
        description="Largest number of pairs in which one passed instruction may be the rejected side. With the "
        "default, late iterations, where few instructions pass, still have pairs."
    )
    max_pairs: Positive | None = Field(
        description="Largest number of pairs in an iteration. Null, the default, uses all possible pairs."
    )
    same_type: bool = Field(
        False,
        description="Whether both sides of a pair must have the same type, such as the relation of a question on a fact. "
        "DPO then learns nothing about types as such, which keeps a proposer from writing one type only. False by default. A "
        "judge's category is a type of failing instructions alone, so a task without a world cannot set it with such a judge.",
    )
    equal_types: bool = Field(
        False,
        description="Whether no type of failing instruction, such as the category that a judge reports of the answer, may give "
        "more pairs than an equal share of all of them. False by default.",
    )


class Preference(Section):
    """DPO that makes proposer k + 1 from proposer k."""

    reference: Literal["previous", "warmup"] = Field(
        description="Reference model of DPO: `previous` is proposer k, `warmup` is proposer 0. The default, "
        "`previous`, is the published choice."
    )
    min_steps: NonNegative = Field(
        description="Smallest number of optimiser steps; epochs are added until it is reached. Fewer than the "
        "default hardly move an 8B model."
    )
    beta: Rate = Field(
        description="DPO's beta: how strongly the proposer is kept near the reference model. The default is the "
        "published value."
    )
    loss_type: list[Literal["sigmoid", "sigmoid_norm", "ipo", "hinge", "sft"]] = Field(
        min_length=1,
        description="Losses that are added up, by their names in TRL. The default adds the likelihood of the chosen "
        "side (`sft`) to the DPO loss, so that the proposer keeps writing valid instructions.",
    )
    loss_weights: list[Number] = Field(
        min_length=1, description="Weight of each loss in `loss_type`, in the same order. Equal by default."
    )
    training: Training
    lora: Lora | None = Field(description="LoRA settings. Null, the default, trains all weights.")

    @model_validator(mode="after")
    def _weights_fit(self) -> Preference:
        if len(self.loss_type) != len(self.loss_weights):
            raise ValueError("loss_weights needs one weight for each loss_type")
        if min(self.loss_weights) < 0 or max(self.loss_weights) == 0:
            raise ValueError("loss_weights must be 0 or more, and at least one must be above 0")
        return self


class Enhancement(Section):
    """Fine-tuning that enhances the target."""

    rows: Positive = Field(
        description="Largest number of rows of a source. Every source gets the number that the smallest source has, "
        "so that their results can be compared."
    )
    seed_margin: NotNegative | None = Field(
        description="Additional training seeds that the teacher answers, as a share of `rows`, because some answers "
        "cannot be used. Null answers all seeds. With the default a fifth of the answers may be "
        "unusable."
    )
    in_turns: bool = Field(
        description="Whether failures are taken in turn from each type and length, with repeated questions last. "
        "Otherwise they are drawn at random, which is the default because turns were tried on a tiny "
        "task only."
    )
    replay_rows: NonNegative = Field(
        description="Number of rows that the target already passed, added to every source against forgetting. As "
        "many as `rows` by default."
    )
    plain_rows: NonNegative = Field(
        description="For a kind with options, the number of questions with the target's own drawn answer, added to "
        "every source so that its answers stay as they are. Zero by default, because most kinds need "
        "none."
    )
    training: Training
    lora: Lora | None = Field(description="LoRA settings. Null, the default, trains all weights.")

    @property
    def answered_seeds(self) -> int | None:
        """Number of training seeds that the teacher answers; None means all of them."""
        return None if self.seed_margin is None else self.rows + math.ceil(self.rows * self.seed_margin)
