"""The tokens of one training row as TRL's trainers batch it, with their loss mask. No weights are loaded."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from datasets import Dataset
from transformers import LlamaConfig, LlamaForCausalLM
from trl import SFTConfig

from reversegen.config.models import ModelUse
from reversegen.config.training import Preference, Training
from reversegen.config.workflow import Tracking
from reversegen.core.records import Pair, TrainingRow
from reversegen.engines.conversations import Conversations
from reversegen.models.loading import load_tokenizer
from reversegen.training.common import TrainingRun, fitting_rows, join_processes
from reversegen.training.dpo import preference_example, preference_trainer
from reversegen.training.sft import supervised_example, supervised_trainer


class BatchedRow(NamedTuple):
    """A row of a trainer's batch without its padding."""

    tokens: list[int]
    loss: list[bool]
    """Whether the loss counts each token. The first token of a row has no loss, because nothing comes before it."""


def supervised_batch(
    rows: Sequence[TrainingRow], folder: Path, model: ModelUse, training: Training, *, completion_only_loss: bool
) -> list[BatchedRow]:
    """The rows as SFT batches them, in one batch. Raises BadInput as training does, such as for rows that are too long."""
    tokenizer = load_tokenizer(folder, model)
    conversations = Conversations(tokenizer, model)
    _, examples = fitting_rows(
        rows, conversations, lambda row: supervised_example(row, conversations), training.max_length
    )
    with tempfile.TemporaryDirectory() as place:
        arguments = SFTConfig(
            **_arguments(folder, model, training, Path(place), len(rows)), completion_only_loss=completion_only_loss
        )
        trainer = supervised_trainer(_stand_in(tokenizer), tokenizer, examples, arguments, None, [])
        [batch] = trainer.get_train_dataloader()
    order = [row["input_ids"] for row in examples]
    batched = _rows(batch, batch["labels"] != -100)
    return sorted(batched, key=lambda row: order.index(row.tokens))  # the trainer shuffles


def preference_batch(
    pair: Pair, folder: Path, model: ModelUse, preference: Preference
) -> tuple[BatchedRow, BatchedRow]:
    """The chosen and the rejected side of a pair as DPO batches them. Raises BadInput as training does."""
    training, tokenizer = preference.training, load_tokenizer(folder, model)
    conversations = Conversations(tokenizer, model)
    _, examples = fitting_rows(
        [pair], conversations, lambda pair: preference_example(pair, conversations), training.max_length
    )
    with tempfile.TemporaryDirectory() as place:
        arguments = _arguments(folder, model, training, Path(place), 1)
        full = preference.model_copy(update={"lora": None})
        models = (_stand_in(tokenizer), None)
        trainer = preference_trainer(models, tokenizer, Dataset.from_list(examples), full, arguments, [])
        [batch] = trainer.get_train_dataloader()
    chosen, rejected = _rows(batch, batch["completion_mask"] == 1)
    return chosen, rejected


def _arguments(folder: Path, model: ModelUse, training: Training, place: Path, rows: int) -> dict[str, Any]:
    """The trainer's arguments for one batch of these rows on the CPU, in float32."""
    join_processes(1)
    here = {"bf16": False, "activation_checkpointing": False, "per_device_train_batch_size": rows}
    one_batch = training.model_copy(update=here | {"gradient_accumulation_steps": 1})
    run = TrainingRun(folder, model, place / "model", "proposer", 0, 1, Tracking(report_to=[], project="none"))
    return run.arguments(one_batch, place, 1)


def _stand_in(tokenizer: Any) -> LlamaForCausalLM:
    """A random model of a few weights with the tokenizer's vocabulary: a trainer needs a model, but a batch does not."""
    config = LlamaConfig(
        vocab_size=1 + max(tokenizer.get_vocab().values()),
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)


def _rows(batch: Any, counted: Any) -> list[BatchedRow]:
    """The rows of a batch. A padding token is shown only if the loss counts it, which would be a fault."""
    rows = []
    for tokens, attended, loss in zip(batch["input_ids"], batch["attention_mask"], counted, strict=True):
        shown = (attended == 1) | loss
        loss = loss.clone()
        loss[0] = False
        rows.append(BatchedRow(tokens[shown].tolist(), loss[shown].tolist()))
    return rows
