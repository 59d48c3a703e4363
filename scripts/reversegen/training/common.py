"""What SFT and DPO share: where a training starts and ends, its rows in tokens, its arguments. Imports torch and TRL."""

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
"""Optimiser steps to a line of the log and of the curve."""


@dataclass(frozen=True)
class TrainingRun:
    """One training: of the model in `base`, into the folder `output`."""

    base: Path
    model: ModelUse
    output: Path
    role: Role
    random_seed: int
    threads: int
    """Of all processes together."""
    tracking: Tracking

    def key(self, rows: Sequence[Record], folders: Sequence[Path], *settings: Any) -> str:
        """A hash of everything that decides this training: the state of another one is of no use."""
        given = [
            part.model_dump_json() if isinstance(part, BaseModel) else str(part) for part in (self.model, *settings)
        ]
        weights = [weights_identity(folder) for folder in folders]
        return content_id(*(row.model_dump_json() for row in rows), *weights, *given, *versions().values())

    def load(self, lora: Lora | None, threads: int) -> Any:
        """The base model; in float32 where all its weights are trained, since small steps round away in 16 bits.

        Of its generation config the tokens are kept, which engines read: published ones hold settings that contradict each
        other, which transformers refuses to save, in a checkpoint or after the last step. Raises BadInput for what could not be
        saved either: a LoRA adapter, quantised weights, and LoRA on one of two layers that share their weight.
        """
        model = self.model if lora else self.model.model_copy(update={"dtype": "float32"})
        quantised = not adapted(self.base) and "quantization_config" in read_json(self.base / "config.json")
        if quantised or adapted(self.base):
            raise BadInput(
                f"{self.base}: it is {'quantised' if quantised else 'a LoRA adapter'}, and training starts from a whole model "
                "in 16 or 32 bits; name the model that it was made from, or merge it by peft's merge_and_unload"
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
                    f"lora.target_modules: {target}: {self.base} has one weight for {' and '.join(shared)}, so that a change "
                    "of one cannot be saved; leave it out"
                )
        return loaded

    def arguments(self, training: Training, folder: Path, processes: int) -> dict[str, Any]:
        """Arguments that both trainers share. The processes share the rows of a step, so that their number changes no curve."""
        accumulation, rest = divmod(training.gradient_accumulation_steps, processes)
        if rest:
            raise BadInput(
                f"training.gradient_accumulation_steps: {training.gradient_accumulation_steps} cannot be shared among the "
                f"{processes} processes that were started; start as many as training.launcher.processes says"
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
            "logging_steps": 1,  # what is summed between two reports would not outlive a checkpoint
            "disable_tqdm": True,
            **self._tracked(),
        }

    def _tracked(self) -> dict[str, Any]:
        """Arguments of the experiment trackers. Raises BadInput for one whose package is missing."""
        missing = [name for name in self.tracking.report_to if importlib.util.find_spec(name) is None]
        if missing:
            raise BadInput(
                f"tracking.report_to: {', '.join(missing)} cannot be imported; install it where training runs, or leave it out"
            )
        os.environ["TENSORBOARD_LOGGING_DIR"] = str(self.output.with_name(f"{self.output.name}.tracking"))
        os.environ.setdefault("WANDB_MODE", "offline")  # jobs of a cluster have no network
        return {
            "report_to": list(self.tracking.report_to) or "none",
            "project": self.tracking.project,
            "run_name": str(self.output),
        }


class Followed(TrainerCallback):
    """Each report of the trainer as one line of the log, and its steps as progress: of the first process alone."""

    progress: Progress | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Open a bar, or count what is logged."""
        if state.is_world_process_zero:
            self.progress = Progress(state.max_steps, "steps", done=state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A step is done."""
        if self.progress:
            self.progress.advance()

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Close the bar."""
        if self.progress:
            self.progress.close()

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Log a report, one of LOGGING_STEPS."""
        facts = " ".join(f"{key}={value}" for key, value in (logs or {}).items())
        if state.global_step % LOGGING_STEPS == 0:
            log.info("step %d of %d: %s", state.global_step, state.max_steps, facts)


def join_processes(threads: int) -> tuple[int, int]:
    """The number of processes that `accelerate launch` started, 1 without it, and the threads of each.

    Gives this process its GPU; to be called before a model is loaded, which else would be on the first.
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
    """The rows of at most `max_length` tokens, and their tokens. TRL would cut a longer one, and with it the end token.

    A row that the chat template refuses is left out too. Raises BadInput if it refuses all of them, or none fits, and as
    `Conversations.row` does.
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
        except Exception:  # a template is somebody else's program: it may raise anything
            example = None
        if example is None:
            refused += 1
        elif _length(example) <= max_length:
            fitting.append(row)
            examples.append(example)
    if refused == len(rows):
        raise BadInput(
            f"none of {len(rows)} rows can be rendered by the chat template; give the model another `chat_template`"
        )
    if not fitting:
        raise BadInput(
            f"training.max_length: none of {len(rows)} rows has at most {max_length} tokens, prompt and completion together; "
            "raise it"
        )
    if dropped := len(rows) - len(fitting):
        log.warning(
            "%d of %d rows dropped: %d have more than max_length tokens (%d), %d the chat template refuses",
            *(dropped, len(rows), dropped - refused, max_length, refused),
        )
    return fitting, examples


def _length(example: Mapping[str, list[int]]) -> int:
    """Tokens of a row, or of the longer side of a pair after its prompt."""
    if "input_ids" in example:
        return len(example["input_ids"])
    return len(example["prompt_ids"]) + max(len(example["chosen_ids"]), len(example["rejected_ids"]))


def on_one_gpu(arguments: Arguments) -> Arguments:
    """The arguments, so that this process trains on its one GPU: transformers would share each batch among all it sees."""
    if arguments.n_gpu > 1:
        log.warning("training on one of %d GPUs: training.launcher takes several", arguments.n_gpu)
        arguments._n_gpu = 1
    return arguments


def adapter(lora: Lora | None) -> Any:
    """The configuration of peft for a LoRA adapter; None to train all weights."""
    if lora is None:
        return None
    from peft import LoraConfig

    return LoraConfig(**lora.model_dump(), task_type="CAUSAL_LM")


def versions() -> dict[str, str]:
    """The versions of the packages that decide what a training gives."""
    return {name: version(name) for name in ("torch", "transformers", "trl")}
