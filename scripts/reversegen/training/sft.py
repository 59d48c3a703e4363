"""Supervised fine-tuning by TRL, of proposer 0 and of enhanced targets. Importing this imports torch and TRL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datasets import Dataset
from transformers import TrainerCallback
from trl import SFTConfig, SFTTrainer

from reversegen.config.training import Lora, Training
from reversegen.core.records import TrainingRow
from reversegen.engines.conversations import Conversations
from reversegen.models.loading import load_tokenizer
from reversegen.training.checkpoints import Checkpoints
from reversegen.training.common import Followed, TrainingRun, adapter, fitting_rows, join_processes, on_one_gpu
from reversegen.training.trained_folder import train_and_write


def train_supervised(
    rows: Sequence[TrainingRow], run: TrainingRun, training: Training, lora: Lora | None, completion_only_loss: bool
) -> None:
    """Fine-tune the model of a run on prompt-completion rows, and write its folder.

    The loss is the mean over tokens; `completion_only_loss` leaves out the prompt's. A prompt has the same tokens here as when
    an engine asks it. A row of more than `max_length` tokens is dropped and counted. Raises BadInput for a folder that is not a
    model, for a chat template that refuses every row or renders a question differently once it is answered, if no row fits, for
    a tracker whose package is missing, and if the saved model has less than half of what training gained.
    """
    tokenizer = load_tokenizer(run.base, run.model)
    processes, threads = join_processes(run.threads)
    conversations = Conversations(tokenizer, run.model)
    fitting, examples = fitting_rows(
        rows, conversations, lambda row: supervised_example(row, conversations), training.max_length
    )
    key = run.key(fitting, [run.base], training, lora, completion_only_loss, run.random_seed)
    with Checkpoints(run.output, key) as state:
        arguments = run.arguments(training, state.own_folder, processes)
        trainer = supervised_trainer(
            run.load(lora, threads),
            tokenizer,
            examples,
            SFTConfig(**arguments, completion_only_loss=completion_only_loss),
            lora,
            [Followed(), state],
        )
        settings = {
            "completion_only_loss": completion_only_loss,
            "training": training.model_dump(),
            "lora": lora.model_dump() if lora else None,
            **_system_text(fitting, conversations),
        }
        train_and_write(run, trainer, state, fitting, len(rows), "sft", settings)


def supervised_trainer(
    model: Any,
    tokenizer: Any,
    examples: list[dict[str, list[int]]],
    arguments: SFTConfig,
    lora: Lora | None,
    callbacks: list[TrainerCallback],
) -> SFTTrainer:
    """TRL's trainer for examples of `supervised_example`, in the batches on which a model is trained."""
    return SFTTrainer(
        model=model,
        processing_class=tokenizer,
        args=on_one_gpu(arguments),
        train_dataset=Dataset.from_list(examples),
        peft_config=adapter(lora),
        callbacks=callbacks,
    )


def supervised_example(row: TrainingRow, conversations: Conversations) -> dict[str, list[int]]:
    """A row under TRL's names, in the tokens that an engine uses. TRL's tokens would let texts hold special tokens."""
    prompt, answer = conversations.row(row.prompt, row.completion)
    return {"input_ids": prompt + answer, "completion_mask": [0] * len(prompt) + [1] * len(answer)}


def _system_text(rows: Sequence[TrainingRow], conversations: Conversations) -> dict[str, str]:
    """The system text that the model reads in its rows, for the card; an empty dictionary if it reads none."""
    [first, *_] = rows
    if isinstance(first.prompt, str):
        return {}
    opening = first.prompt[0]
    text = conversations.system_text(opening.content if opening.role == "system" else None)
    return {"system_text": text} if text else {}
