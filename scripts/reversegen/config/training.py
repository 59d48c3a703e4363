"""How proposers and targets are trained, and on which rows."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field, model_validator

from reversegen.config.fields import Name, NonNegative, NotNegative, Number, Positive, Rate, Section, Share


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
        description="of a kind with options: questions with the target's own drawn answer, added to every source alike"
    )
    training: Training
    lora: Lora | None

    @property
    def answered_seeds(self) -> int | None:
        """Training seeds that the teacher answers; None for all."""
        return None if self.seed_margin is None else self.rows + math.ceil(self.rows * self.seed_margin)
