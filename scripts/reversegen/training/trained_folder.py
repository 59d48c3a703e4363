"""Running a trainer, merging its adapter, and writing the folder of the trained model. Importing this imports torch."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any

import torch
from transformers import PrinterCallback

from reversegen.core.errors import BadInput
from reversegen.core.files import building_folder, write_json, write_text
from reversegen.core.records import Record, TrainingRow
from reversegen.ids import content_id
from reversegen.models.card import Method, model_card
from reversegen.models.loading import load_model
from reversegen.models.rounding import round_model, rounded
from reversegen.training.checkpoints import Checkpoints
from reversegen.training.common import LOGGING_STEPS, TrainingRun, versions
from reversegen.training.saving import GAIN, LEAST, drawn_rows, kept, log_probabilities, merge_adapter

log = logging.getLogger("reversegen")
LAST = {"step", "epoch", "learning_rate", "num_input_tokens_seen"}
LEFT_OUT = re.compile("runtime|per_second|num_tokens")


def train_and_write(
    run: TrainingRun,
    trainer: Any,
    state: Checkpoints,
    rows: Sequence[Record],
    given: int,
    method: Method,
    settings: dict[str, Any],
) -> None:
    """Train, then write model, tokenizer, curve, card and manifest. Of several processes only the main one writes.

    `rows` are the rows that are trained on, out of `given` rows. `settings` is the part of the configuration that the card
    shows. The folder holds no times, so equal input gives equal bytes. Raises BadInput, and leaves no folder, if the saved
    model has less than half of what training gained.
    """
    trainer.remove_callback(PrinterCallback)
    compared = drawn_rows(trainer.train_dataset, trainer.args.seed)
    before = _log_probabilities(trainer, compared)
    trainer.train(resume_from_checkpoint=state.newest())
    after = _log_probabilities(trainer, compared)  # in every process, since sharded weights need all of them
    # every process gives its shard, and the main process gets all weights
    weights = trainer.accelerator.get_state_dict(trainer.model) if trainer.is_fsdp_enabled else None
    if not trainer.accelerator.is_main_process:
        return
    seed = (trainer.args.seed, content_id(*(row.model_dump_json() for row in rows)))  # other rows in each iteration
    trained, weights = _merged(trainer.model, weights, run.model.dtype, *seed)
    gain: dict[str, Any] = {}  # filled below, before the manifest is written
    facts = {
        "base": str(run.base),
        "rows": len(rows),
        "dropped_rows": given - len(rows),
        "replay_rows": sum(isinstance(row, TrainingRow) and row.origin == "replay" for row in rows),
        "steps": trainer.state.global_step,
        "tokens": int(getattr(trainer.state, "num_input_tokens_seen", 0)),
        "kept": gain,
        "versions": versions(),
    }
    if run.model.system_turn == "user":
        settings = {**settings, "system_turn": run.model.system_turn}
    log.info("%d rows, %d steps", len(rows), trainer.state.global_step)
    with building_folder(run.output, **facts) as folder:
        trained.save_pretrained(folder, state_dict=weights)
        trainer.processing_class.save_pretrained(folder)
        if weights is None:
            trained.to("cpu")  # a GPU that training has filled has no room for a second model
        loaded = load_model(folder, run.model, torch.get_num_threads())
        saved = log_probabilities(loaded, compared)
        halves = trainer.args.bf16 or loaded.dtype != torch.float32  # `auto` may be 16 or 32 bits
        gain |= kept(before, after, saved, method == "dpo", GAIN if halves else 0.0).model_dump()
        log.info("the saved model keeps %(saved)s of %(gained)s nats that training gained, a share of %(share)s", gain)
        if gain["share"] is not None and gain["share"] < LEAST:
            raise BadInput(
                f"{run.output}: training gained {gain['gained']} nats in the {gain['measure']} of its rows, of which the saved "
                f"model keeps {gain['saved']}; set `dtype: float32` for it in config/models.yaml, or raise "
                "training.learning_rate"
            )
        write_json(folder / "curve.json", _curve(trainer.state.log_history))
        card = model_card(run.role, method, run.base, settings, trainer.args.seed, facts)
        write_text(folder / "README.md", card)


def _merged(
    model: Any, weights: dict[str, Any] | None, dtype_name: str, *seed: str | int
) -> tuple[Any, dict[str, Any] | None]:
    """The model with its adapter merged, and `weights` gathered from its shards. Both are rounded to the type that is saved."""
    dtype = None if dtype_name == "auto" else getattr(torch, dtype_name)
    if hasattr(model, "merge_and_unload"):
        model = merge_adapter(model, dtype, *seed)
    if weights is not None:
        tied = model.all_tied_weights_keys  # these copies of other weights are made again on loading
        weights = {name: weight for name, weight in weights.items() if name not in tied}
        if dtype:
            for name, weight in weights.items():
                weights[name] = rounded(weight, dtype, *seed, name)  # one weight at a time is in memory twice
    elif dtype:
        round_model(model, dtype, *seed)
    return model, weights


def _log_probabilities(trainer: Any, rows: Any) -> list[float]:
    """Log-probabilities of the trainer's model, in the precision in which it trains."""
    with trainer.accelerator.autocast():
        return log_probabilities(trainer.model, rows)


def _curve(history: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The reports of the steps, with LOGGING_STEPS of them in each line.

    A line has the last value of counters and of the learning rate, and the means of all other values. Times are left out, and
    so is TRL's count of tokens, which starts again after a checkpoint. So equal input gives equal bytes.
    """
    steps = [entry for entry in history if "loss" in entry]
    lines = []
    for start in range(0, len(steps), LOGGING_STEPS):
        part = steps[start : start + LOGGING_STEPS]
        line = {name: sum(entry[name] for entry in part) / len(part) for name in sorted(part[0])}
        line |= {name: value for name, value in part[-1].items() if name in LAST}
        lines.append({name: value for name, value in line.items() if not LEFT_OUT.search(name)})
    return lines
