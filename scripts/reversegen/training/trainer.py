"""Training by TRL: supervised fine-tuning and DPO. Importing this imports torch and TRL."""

from __future__ import annotations

import importlib.util
import logging
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from datasets import Dataset, disable_progress_bars, load_from_disk
from pydantic import BaseModel
from transformers import GenerationConfig, PrinterCallback, TrainerCallback, TrainingArguments
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from reversegen.config.models import ModelUse
from reversegen.config.training import Lora, Preference, Training
from reversegen.config.workflow import Tracking
from reversegen.core.errors import BadInput
from reversegen.core.files import building_folder, read_json, write_json, write_text
from reversegen.core.progress import Progress
from reversegen.core.records import Pair, Record, TrainingRow
from reversegen.engines.base import Request
from reversegen.engines.conversations import Conversations
from reversegen.ids import content_id
from reversegen.models.card import Method, Role, model_card
from reversegen.models.folder import adapted, weights_identity
from reversegen.models.gpus import check_gpus
from reversegen.models.loading import load_model, load_tokenizer
from reversegen.models.rounding import round_model, rounded
from reversegen.training.checkpoints import Checkpoints
from reversegen.training.saving import GAIN, LEAST, drawn_rows, kept, log_probabilities, merge_adapter

log = logging.getLogger("reversegen")
disable_progress_bars()
Row = TypeVar("Row", TrainingRow, Pair)
Arguments = TypeVar("Arguments", bound=TrainingArguments)
LOGGING_STEPS = 10
"""Optimiser steps to a line of the log and of the curve."""
LAST = {"step", "epoch", "learning_rate", "num_input_tokens_seen"}
LEFT_OUT = re.compile("runtime|per_second|num_tokens")


class _Followed(TrainerCallback):
    """Each report of the trainer as one line of the log, and its steps as progress: of the first process alone."""

    progress: Progress | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.is_world_process_zero:
            self.progress = Progress(state.max_steps, "steps", done=state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.progress:
            self.progress.advance()

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.progress:
            self.progress.close()

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        facts = " ".join(f"{key}={value}" for key, value in (logs or {}).items())
        if state.global_step % LOGGING_STEPS == 0:
            log.info("step %d of %d: %s", state.global_step, state.max_steps, facts)


def train_supervised(
    rows: Sequence[TrainingRow],
    base: Path,
    model: ModelUse,
    output: Path,
    training: Training,
    lora: Lora | None,
    completion_only_loss: bool,
    random_seed: int,
    threads: int,
    role: Role,
    tracking: Tracking,
) -> None:
    """Fine-tune the model of `base` on prompt-completion rows and write the folder `output`.

    The loss is the mean over tokens, of the completion alone where `completion_only_loss`. A row is trained on in the tokens
    that the model is asked it in. A row of more than `max_length` tokens is dropped and counted. Raises BadInput for
    a folder that is no model, for a chat template that renders no row or a question differently once it is answered, for rows
    none of which fits, for a tracker whose package is missing, and if less than half of what was gained is in the saved model.
    """
    tokenizer = load_tokenizer(base, model)
    processes, threads = _join_processes(threads)
    conversations = Conversations(tokenizer, model)
    fitting, examples = _fitting(rows, conversations, lambda row: _example(row, conversations), training.max_length)
    key = _key(fitting, [base], model, training, lora, completion_only_loss, random_seed)
    with Checkpoints(output, key) as state:
        trainer = SFTTrainer(
            model=_load_for_training(base, model, lora, threads),
            processing_class=tokenizer,
            args=_on_one_gpu(
                SFTConfig(
                    **_arguments(training, state.own, random_seed, processes),
                    **_tracked(tracking, output),
                    completion_only_loss=completion_only_loss,
                )
            ),
            train_dataset=Dataset.from_list(examples),
            peft_config=_adapter(lora),
            callbacks=[_Followed(), state],
        )
        settings = {
            "completion_only_loss": completion_only_loss,
            "training": training.model_dump(),
            "lora": lora.model_dump() if lora else None,
            **_system_text(fitting, conversations),
        }
        _train(
            trainer,
            output,
            state,
            rows=fitting,
            given=len(rows),
            replay_rows=sum(row.origin == "replay" for row in fitting),
            base=base,
            model=model,
            role=role,
            method="sft",
            settings=settings,
        )


def train_preference(
    pairs: Sequence[Pair],
    base: Path,
    reference: Path,
    model: ModelUse,
    output: Path,
    preference: Preference,
    random_seed: int,
    threads: int,
    tracking: Tracking,
) -> None:
    """DPO from proposer `base` to the folder `output`, held to the model of `reference` (Rafailov et al., arXiv 2305.18290).

    `chosen` is the instruction on which the target failed. Where the reference is the base itself its log-probabilities are
    taken before the first step, so that the log-ratio starts at 0. Another reference leaves the memory once its
    log-probabilities are taken. A pair of which a side has more than `max_length` tokens is dropped and counted. Raises
    BadInput for a folder that is no model, for pairs none of which fits, and if less than half of what was gained is in the
    saved model.
    """
    processes, threads = _join_processes(threads)
    training = preference.training
    tokenizer = load_tokenizer(base, model)
    conversations = Conversations(tokenizer, model)
    fitting, examples = _fitting(pairs, conversations, lambda pair: _pair(pair, conversations), training.max_length)
    batch = training.per_device_train_batch_size * training.gradient_accumulation_steps
    steps_an_epoch = math.ceil(len(fitting) / batch)
    epochs = max(training.num_train_epochs, math.ceil(preference.min_steps / steps_an_epoch))
    with Checkpoints(output, _key(fitting, [base, reference], model, preference, random_seed)) as state:
        trainer = _Preference(
            model=_load_for_training(base, model, preference.lora, threads),
            ref_model=None if reference == base else load_model(reference, model, threads),
            processing_class=tokenizer,
            args=_on_one_gpu(
                DPOConfig(
                    **_arguments(training, state.own, random_seed, processes) | {"num_train_epochs": epochs},
                    **_tracked(tracking, output),
                    beta=preference.beta,
                    loss_type=list(preference.loss_type),
                    loss_weights=preference.loss_weights,
                    precompute_ref_log_probs=True,
                    precompute_ref_batch_size=batch // processes,
                )
            ),
            train_dataset=_on_disk(
                Dataset.from_list(examples),
                state.own / "pairs",
            ),
            peft_config=_adapter(preference.lora),
            callbacks=[_Followed(), state],
        )
        trainer.ref_model = None  # its log-probabilities are taken
        trainer.accelerator.free_memory()
        settings = preference.model_dump()
        _train(
            trainer,
            output,
            state,
            rows=fitting,
            given=len(pairs),
            base=base,
            model=model,
            role="proposer",
            method="dpo",
            settings=settings,
        )


def _key(rows: Sequence[Record], folders: Sequence[Path], model: ModelUse, *settings: Any) -> str:
    """A hash of everything that decides a training: the state of another one is of no use."""
    given = [part.model_dump_json() if isinstance(part, BaseModel) else str(part) for part in (model, *settings)]
    weights = [weights_identity(folder) for folder in folders]
    return content_id(*(row.model_dump_json() for row in rows), *weights, *given, *_versions().values())


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("torch", "transformers", "trl")}


def _join_processes(threads: int) -> tuple[int, int]:
    """The number of processes that `accelerate launch` started, 1 without it, and the threads of each.

    Gives this process its GPU; to be called before a model is loaded, which else would be on the first.
    """
    check_gpus()
    processes = int(PartialState(cpu=not torch.cuda.is_available()).num_processes)
    return processes, max(1, threads // processes)


def _on_disk(dataset: Dataset, folder: Path) -> Dataset:
    """The data set, in several processes read from one folder: TRL shares log-probabilities by a file beside its own."""
    state = PartialState()
    if state.num_processes == 1:
        return dataset
    if state.is_main_process:
        dataset.save_to_disk(folder)
    state.wait_for_everyone()
    return load_from_disk(folder)


def _load_for_training(base: Path, model: ModelUse, lora: Lora | None, threads: int) -> Any:
    """The base model; in float32 where all its weights are trained, since small steps round away in 16 bits.

    Of its generation config the tokens are kept, which engines read: published ones hold settings that contradict each other,
    which transformers refuses to save, in a checkpoint or after the last step. Raises BadInput for what could not be saved
    either: a LoRA adapter, quantised weights, and LoRA on one of two layers that share their weight.
    """
    quantised = not adapted(base) and "quantization_config" in read_json(base / "config.json")
    if quantised or adapted(base):
        raise BadInput(
            f"{base}: it is {'quantised' if quantised else 'a LoRA adapter'}, and training starts from a whole model in 16 or "
            "32 bits; name the model that it was made from, or merge it by peft's merge_and_unload"
        )
    loaded = load_model(base, model if lora else model.model_copy(update={"dtype": "float32"}), threads)
    tokens = {
        name: getattr(loaded.generation_config, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")
    }
    loaded.generation_config = GenerationConfig(**tokens)  # type: ignore[no-untyped-call]
    embedding = loaded.get_input_embeddings().weight
    shared = [n for n, module in loaded.named_modules() if getattr(module, "weight", None) is embedding]
    for target in lora.target_modules if lora and len(shared) > 1 else ():
        if any(f".{name}".endswith(f".{target}") for name in shared):
            raise BadInput(
                f"lora.target_modules: {target}: {base} has one weight for {' and '.join(shared)}, so that a change of one "
                "cannot be saved; leave it out"
            )
    return loaded


def _system_text(rows: Sequence[TrainingRow], conversations: Conversations) -> dict[str, str]:
    """For the card, what the model reads as a system text in its rows; nothing if there is none."""
    [first, *_] = rows
    if isinstance(first.prompt, str):
        return {}
    opening = first.prompt[0]
    text = conversations.system_text(opening.content if opening.role == "system" else None)
    return {"system_text": text} if text else {}


def _example(row: TrainingRow, conversations: Conversations) -> dict[str, list[int]]:
    """A row as TRL takes it, in the tokens that the model is asked it in: TRL's own would read special tokens in its texts."""
    asked, answer = conversations.row(row.prompt, row.completion)
    return {"input_ids": asked + answer, "completion_mask": [0] * len(asked) + [1] * len(answer)}


def _pair(pair: Pair, conversations: Conversations) -> dict[str, list[int]]:
    """A pair as TRL's collator takes it, in tokens as in `_example`."""
    prompt, chosen = conversations.row(pair.prompt, pair.chosen)
    return {
        "prompt_ids": prompt,
        "chosen_ids": chosen,
        "rejected_ids": conversations.row(pair.prompt, pair.rejected)[1],
    }


class _Preference(DPOTrainer):
    """TRL's trainer on pairs that are tokens already, as its SFTTrainer takes rows."""

    def _prepare_dataset(self, dataset: Dataset, *_: Any, **__: Any) -> Dataset:
        return dataset


def _fitting(
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


def _arguments(training: Training, folder: Path, random_seed: int, processes: int) -> dict[str, Any]:
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
        "seed": random_seed,
        "use_cpu": not torch.cuda.is_available(),
        "ddp_find_unused_parameters": False,
        "include_num_input_tokens_seen": "non_padding",
        "save_strategy": "no",
        "logging_steps": 1,  # what is summed between two reports would not outlive a checkpoint
        "disable_tqdm": True,
    }


def _on_one_gpu(arguments: Arguments) -> Arguments:
    """The arguments, so that this process trains on its one GPU: transformers would share each batch among all it sees."""
    if arguments.n_gpu > 1:
        log.warning("training on one of %d GPUs: training.launcher takes several", arguments.n_gpu)
        arguments._n_gpu = 1
    return arguments


def _tracked(tracking: Tracking, output: Path) -> dict[str, Any]:
    """Arguments of the experiment trackers. Raises BadInput for one whose package is missing."""
    missing = [name for name in tracking.report_to if importlib.util.find_spec(name) is None]
    if missing:
        raise BadInput(
            f"tracking.report_to: {', '.join(missing)} cannot be imported; install it where training runs, or leave it out"
        )
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(output.with_name(f"{output.name}.tracking"))
    os.environ.setdefault("WANDB_MODE", "offline")  # jobs of a cluster have no network
    return {"report_to": list(tracking.report_to) or "none", "project": tracking.project, "run_name": str(output)}


def _adapter(lora: Lora | None) -> Any:
    if lora is None:
        return None
    from peft import LoraConfig

    return LoraConfig(**lora.model_dump(), task_type="CAUSAL_LM")


def _train(
    trainer: Any,
    output: Path,
    state: Checkpoints,
    *,
    rows: Sequence[Record],
    given: int,
    replay_rows: int = 0,
    base: Path,
    model: ModelUse,
    role: Role,
    method: Method,
    settings: dict[str, Any],
) -> None:
    """Train, merge an adapter, write model, tokenizer, curve, card and manifest: the main process alone of several.

    `rows` are those trained on, of `given` ones. `settings` are what the card tells of the configuration. Times are left out:
    same input, same bytes. Raises BadInput, and leaves no folder, if it has less than half of what training gained.
    """
    trainer.remove_callback(PrinterCallback)
    asked = drawn_rows(trainer.train_dataset, trainer.args.seed)
    before = _asked(trainer, asked)
    trainer.train(resume_from_checkpoint=state.newest())
    after = _asked(trainer, asked)  # in every process: sharded weights need all of them
    trained, weights = trainer.model, None
    if trainer.is_fsdp_enabled:
        weights = trainer.accelerator.get_state_dict(
            trained
        )  # every process gives its shard, the main one has them all
    if not trainer.accelerator.is_main_process:
        return
    dtype = None if model.dtype == "auto" else getattr(torch, model.dtype)
    seed = (trainer.args.seed, content_id(*(row.model_dump_json() for row in rows)))  # other rows in each iteration
    if hasattr(trained, "merge_and_unload"):
        trained = merge_adapter(trained, dtype, *seed)
    if weights is not None:
        tied = trained.all_tied_weights_keys  # gathered twice, and made again from the other on loading
        weights = {name: weight for name, weight in weights.items() if name not in tied}
    if dtype and weights is not None:
        for name, weight in weights.items():
            weights[name] = rounded(weight, dtype, *seed, name)
    elif dtype:
        round_model(trained, dtype, *seed)
    left: dict[str, Any] = {}  # filled below, before the manifest is written
    facts = {
        "base": str(base),
        "rows": len(rows),
        "dropped_rows": given - len(rows),
        "replay_rows": replay_rows,
        "steps": trainer.state.global_step,
        "tokens": int(getattr(trainer.state, "num_input_tokens_seen", 0)),
        "kept": left,
        "versions": _versions(),
    }
    if model.system_turn == "user":
        settings = {**settings, "system_turn": model.system_turn}
    log.info("%d rows, %d steps", len(rows), trainer.state.global_step)
    with building_folder(output, **facts) as folder:
        trained.save_pretrained(folder, state_dict=weights)
        trainer.processing_class.save_pretrained(folder)
        if weights is None:
            trained.to("cpu")  # a GPU that training filled has no room for both
        loaded = load_model(folder, model, torch.get_num_threads())
        saved = log_probabilities(loaded, asked)
        halves = trainer.args.bf16 or loaded.dtype != torch.float32  # `auto` may be either
        left |= kept(before, after, saved, method == "dpo", GAIN if halves else 0.0).model_dump()
        log.info("saved: %(saved)s of %(gained)s nats that training gained, share %(share)s", left)
        if left["share"] is not None and left["share"] < LEAST:
            raise BadInput(
                f"{output}: of {left['gained']} nats that training gained in the {left['measure']} of its rows the saved model "
                f"has {left['saved']}; set `dtype: float32` for it in config/models.yaml, or raise training.learning_rate"
            )
        write_json(folder / "curve.json", _curve(trainer.state.log_history))
        write_text(folder / "README.md", model_card(role, method, base, settings, trainer.args.seed, facts))


def _asked(trainer: Any, rows: Any) -> list[float]:
    """Log-probabilities from the trainer's model, in the precision in which it trains."""
    with trainer.accelerator.autocast():
        return log_probabilities(trainer.model, rows)


def _curve(history: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The reports of the steps, LOGGING_STEPS to a line: counters and the rate are those of the last, the others means.

    Times are left out, and TRL's count of tokens, which begins anew after a checkpoint: same input, same bytes.
    """
    steps = [entry for entry in history if "loss" in entry]
    lines = []
    for start in range(0, len(steps), LOGGING_STEPS):
        part = steps[start : start + LOGGING_STEPS]
        line = {name: sum(entry[name] for entry in part) / len(part) for name in sorted(part[0])}
        line |= {name: value for name, value in part[-1].items() if name in LAST}
        lines.append({name: value for name, value in line.items() if not LEFT_OUT.search(name)})
    return lines
