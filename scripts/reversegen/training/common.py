"""The parts that SFT and DPO share: loading, tokenised rows, and arguments of the trainers. Importing this imports torch."""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from datasets import disable_progress_bars
from pydantic import BaseModel
from transformers import GenerationConfig, TrainerCallback, TrainingArguments

from reversegen.config.models import ModelUse
from reversegen.config.training import Lora, Training
from reversegen.config.workflow import Tracking
from reversegen.core.errors import BadInput
from reversegen.core.files import read_json
from reversegen.core.progress import Progress
from reversegen.core.records import Pair, Record, TrainingRow
from reversegen.engines.base import Request
from reversegen.engines.conversations import Conversations
from reversegen.ids import content_id
from reversegen.models.card import Role
from reversegen.models.folder import adapted, weights_identity
from reversegen.models.gpus import check_gpus
from reversegen.models.loading import load_model

log = logging.getLogger("reversegen")
disable_progress_bars()
Row = TypeVar("Row", TrainingRow, Pair)
Arguments = TypeVar("Arguments", bound=TrainingArguments)
LOGGING_STEPS = 10
"""Optimiser steps for each line of the log and of the curve."""


@dataclass(frozen=True)
class TrainingRun:
    """One training of the model in the folder `base`, which writes the folder `output`."""

    base: Path
    model: ModelUse
    output: Path
    role: Role
    random_seed: int
    threads: int
    """CPU threads of all processes together."""
    tracking: Tracking

    def key(self, rows: Sequence[Record], folders: Sequence[Path], *settings: Any) -> str:
        """A hash of everything that decides this training. The state of a training with another hash cannot be used."""
        given = [
            part.model_dump_json() if isinstance(part, BaseModel) else str(part) for part in (self.model, *settings)
        ]
        weights = [weights_identity(folder) for folder in folders]
        return content_id(*(row.model_dump_json() for row in rows), *weights, *given, *versions().values())

    def load(self, lora: Lora | None, threads: int) -> Any:
        """Load the base model, in float32 if all weights are trained, since 16 bits round small steps away.

        Only the special tokens of its generation config are kept, which engines read. Some published configs hold settings that
        contradict each other, and transformers refuses to save those. Raises BadInput for a base that could not be saved
        after training: a LoRA adapter, quantised weights, or LoRA on one of two layers that share a weight.
        """
        model = self.model if lora else self.model.model_copy(update={"dtype": "float32"})
        quantised = not adapted(self.base) and "quantization_config" in read_json(self.base / "config.json")
        if quantised or adapted(self.base):
            raise BadInput(
                f"{self.base}: this model is {'quantised' if quantised else 'a LoRA adapter'}, but training needs a full model "
                "in 16 or 32 bits; name the model that it was made from, or merge it with peft's merge_and_unload"
            )
        loaded = load_model(self.base, model, threads)
        tokens = {
            name: getattr(loaded.generation_config, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")
        }
        loaded.generation_config = GenerationConfig(**tokens)  # type: ignore[no-untyped-call]
        embedding = loaded.get_input_embeddings().weight
        shared = [n for n, module in loaded.named_modules() if getattr(module, "weight", None) is embedding]
        for target in lora.target_modules if lora and len(shared) > 1 else ():
            if any(f".{name}".endswith(f".{target}") for name in shared):
                raise BadInput(
                    f"lora.target_modules: {target}: {self.base} shares one weight between {' and '.join(shared)}, so a change "
                    f"of one of them cannot be saved; remove {target}"
                )
        return loaded

    def arguments(self, training: Training, folder: Path, processes: int) -> dict[str, Any]:
        """Arguments that both trainers share. The processes divide the rows of a step, so their number changes no curve.

        Raises BadInput if the gradient accumulation steps cannot be divided among the processes.
        """
        accumulation, remainder = divmod(training.gradient_accumulation_steps, processes)
        if remainder:
            raise BadInput(
                f"training.gradient_accumulation_steps: {training.gradient_accumulation_steps} cannot be divided among the "
                f"{processes} processes that were started; start as many as training.launcher.processes gives"
            )
        return {
            **training.model_dump(exclude={"launcher"}),
            "gradient_accumulation_steps": accumulation,
            "output_dir": str(folder),
            "seed": self.random_seed,
            "use_cpu": not torch.cuda.is_available(),
            "ddp_find_unused_parameters": False,
            "include_num_input_tokens_seen": "non_padding",
            "save_strategy": "no",
            "logging_steps": 1,  # sums between two reports would be lost at a checkpoint
            "disable_tqdm": True,
            **self._tracked(),
        }

    def _tracked(self) -> dict[str, Any]:
        """Arguments of the experiment trackers. Raises BadInput if the package of one is missing."""
        missing = [name for name in self.tracking.report_to if importlib.util.find_spec(name) is None]
        if missing:
            raise BadInput(
                f"tracking.report_to: {', '.join(missing)} cannot be imported; install it where training runs, or remove it"
            )
        os.environ["TENSORBOARD_LOGGING_DIR"] = str(self.output.with_name(f"{self.output.name}.tracking"))
        os.environ.setdefault("WANDB_MODE", "offline")  # jobs on a cluster have no network
        return {
            "report_to": list(self.tracking.report_to) or "none",
            "project": self.tracking.project,
            "run_name": str(self.output),
        }


class Followed(TrainerCallback):
    """A callback that logs the trainer's reports and shows its steps as progress, in the first process only."""

    progress: Progress | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Open the progress bar."""
        if state.is_world_process_zero:
            self.progress = Progress(state.max_steps, "steps", done=state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Advance the progress bar by one step."""
        if self.progress:
            self.progress.advance()

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Close the progress bar."""
        if self.progress:
            self.progress.close()

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Log one report in LOGGING_STEPS."""
        facts = " ".join(f"{key}={value}" for key, value in (logs or {}).items())
        if state.global_step % LOGGING_STEPS == 0:
            log.info("step %d of %d: %s", state.global_step, state.max_steps, facts)


def join_processes(threads: int) -> tuple[int, int]:
    """The number of processes that `accelerate launch` started, or 1 without it, and the number of threads of each.

    This also gives the process its GPU. Call it before a model is loaded; otherwise every process loads it on the first GPU.
    """
    check_gpus()
    processes = int(PartialState(cpu=not torch.cuda.is_available()).num_processes)
    return processes, max(1, threads // processes)


def fitting_rows(
    rows: Sequence[Row],
    conversations: Conversations,
    tokens: Callable[[Row], dict[str, list[int]]],
    max_length: int,
) -> tuple[list[Row], list[dict[str, list[int]]]]:
    """The rows of at most `max_length` tokens, and their tokens. TRL would truncate a longer row and lose its end token.

    A row that the chat template refuses is left out too. Raises BadInput if the template refuses all rows, if every row is too
    long, and as `Conversations.row` does.
    """
    requests = [
        Request(text=row.prompt) if isinstance(row.prompt, str) else Request(messages=list(row.prompt)) for row in rows
    ]
    fitting: list[Row] = []
    examples: list[dict[str, list[int]]] = []
    refused = 0
    for row, prompt in zip(rows, conversations.prompts(requests), strict=True):
        try:
            example = tokens(row) if prompt else None
        except BadInput:
            raise
        except Exception:  # a chat template is a program of its author and may raise any error
            example = None
        if example is None:
            refused += 1
        elif _length(example) <= max_length:
            fitting.append(row)
            examples.append(example)
    if refused == len(rows):
        raise BadInput(
            f"the chat template refuses all {len(rows)} rows; give the model another `chat_template` in config/models.yaml"
        )
    if not fitting:
        raise BadInput(
            f"training.max_length: all {len(rows)} rows have more than {max_length} tokens, prompt and completion together; "
            "raise training.max_length"
        )
    if dropped := len(rows) - len(fitting):
        log.warning(
            "%d of %d rows dropped: %d have more than max_length tokens (%d), %d are refused by the chat template",
            *(dropped, len(rows), dropped - refused, max_length, refused),
        )
    return fitting, examples


def _length(example: Mapping[str, list[int]]) -> int:
    """The number of tokens of a row, or of a pair's prompt with its longer side."""
    if "input_ids" in example:
        return len(example["input_ids"])
    return len(example["prompt_ids"]) + max(len(example["chosen_ids"]), len(example["rejected_ids"]))


def on_one_gpu(arguments: Arguments) -> Arguments:
    """Make this process train on one GPU, since transformers would divide each batch among all GPUs that it sees."""
    if arguments.n_gpu > 1:
        log.warning("training on one of %d GPUs; set training.launcher to use several", arguments.n_gpu)
        arguments._n_gpu = 1
    return arguments


def adapter(lora: Lora | None) -> Any:
    """peft's configuration of a LoRA adapter, or None to train all weights."""
    if lora is None:
        return None
    from peft import LoraConfig

    return LoraConfig(**lora.model_dump(), task_type="CAUSAL_LM")


def versions() -> dict[str, str]:
    """The versions of the packages that decide the result of a training."""
    return {name: version(name) for name in ("torch", "transformers", "trl")}
