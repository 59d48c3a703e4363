"""DPO by TRL, which trains proposer k + 1 from proposer k. Importing this imports torch and TRL."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from accelerate import PartialState
from datasets import Dataset, load_from_disk
from transformers import TrainerCallback
from trl import DPOConfig, DPOTrainer

from reversegen.config.training import Preference
from reversegen.core.records import Pair
from reversegen.engines.conversations import Conversations
from reversegen.models.loading import load_model, load_tokenizer
from reversegen.training.checkpoints import Checkpoints
from reversegen.training.common import Followed, TrainingRun, adapter, fitting_rows, join_processes, on_one_gpu
from reversegen.training.trained_folder import train_and_write


def train_preference(pairs: Sequence[Pair], run: TrainingRun, reference: Path, preference: Preference) -> None:
    """Train a run's proposer by DPO (Rafailov et al., arXiv 2305.18290), with the model in `reference` as the reference model.

    `chosen` is the instruction on which the target failed. All log-probabilities of the reference are computed before the first
    step. If the reference is the base itself, the log-ratio therefore starts at 0; another reference is then removed from
    memory. A pair with more than `max_length` tokens on either side is dropped and counted. Raises BadInput for a folder that
    is not a model, if no pair fits, and if the saved model has less than half of what training gained.
    """
    processes, threads = join_processes(run.threads)
    training = preference.training
    tokenizer = load_tokenizer(run.base, run.model)
    conversations = Conversations(tokenizer, run.model)
    fitting, examples = fitting_rows(
        pairs, conversations, lambda pair: preference_example(pair, conversations), training.max_length
    )
    batch = training.per_device_train_batch_size * training.gradient_accumulation_steps
    steps_an_epoch = math.ceil(len(fitting) / batch)
    epochs = max(training.num_train_epochs, math.ceil(preference.min_steps / steps_an_epoch))
    with Checkpoints(run.output, run.key(fitting, [run.base, reference], preference, run.random_seed)) as state:
        arguments = run.arguments(training, state.own_folder, processes) | {"num_train_epochs": epochs}
        trainer = preference_trainer(
            (
                run.load(preference.lora, threads),
                None if reference == run.base else load_model(reference, run.model, threads),
            ),
            tokenizer,
            _on_disk(Dataset.from_list(examples), state.own_folder / "pairs"),
            preference,
            arguments | {"precompute_ref_batch_size": batch // processes},
            [Followed(), state],
        )
        trainer.ref_model = None  # its log-probabilities have been computed
        trainer.accelerator.free_memory()
        train_and_write(run, trainer, state, fitting, len(pairs), "dpo", preference.model_dump())


def preference_trainer(
    models: tuple[Any, Any],
    tokenizer: Any,
    examples: Dataset,
    preference: Preference,
    arguments: Mapping[str, Any],
    callbacks: list[TrainerCallback],
) -> DPOTrainer:
    """TRL's trainer for examples of `preference_example`. `models` holds the model to train and the reference model.

    If the reference is None, it is the model before its first step. `arguments` are those of `TrainingRun.arguments`.
    """
    model, reference = models
    return _PairTrainer(
        model=model,
        ref_model=reference,
        processing_class=tokenizer,
        args=on_one_gpu(
            DPOConfig(
                **arguments,
                beta=preference.beta,
                loss_type=list(preference.loss_type),
                loss_weights=preference.loss_weights,
                precompute_ref_log_probs=True,
            )
        ),
        train_dataset=examples,
        peft_config=adapter(preference.lora),
        callbacks=callbacks,
    )


class _PairTrainer(DPOTrainer):
    """TRL's DPO trainer for pairs that are already tokenised, which TRL supports for SFT rows only."""

    def _prepare_dataset(self, dataset: Dataset, *_: Any, **__: Any) -> Dataset:
        return dataset


def preference_example(pair: Pair, conversations: Conversations) -> dict[str, list[int]]:
    """The tokens of a pair under the names that TRL's collator expects."""
    prompt, chosen = conversations.row(pair.prompt, pair.chosen)
    return {
        "prompt_ids": prompt,
        "chosen_ids": chosen,
        "rejected_ids": conversations.row(pair.prompt, pair.rejected)[1],
    }


def _on_disk(dataset: Dataset, folder: Path) -> Dataset:
    """The data set. Several processes read it from one folder, since TRL shares log-probabilities in a file beside it."""
    state = PartialState()
    if state.num_processes == 1:
        return dataset
    if state.is_main_process:
        dataset.save_to_disk(folder)
    state.wait_for_everyone()
    return load_from_disk(folder)
