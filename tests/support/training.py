"""Rows, pairs, settings and trained folders of a tiny model."""

import json
from pathlib import Path
from typing import Any

from tests.support.kinds import MATH

from reversegen.config.data import Corpus
from reversegen.config.models import ModelUse
from reversegen.config.tiny_model import Pretraining, Shape, TinyModel
from reversegen.config.training import Lora, Preference, Training
from reversegen.config.workflow import Tracking
from reversegen.core.records import Pair, TrainingRow
from reversegen.loop.references import reference
from reversegen.training.common import TrainingRun
from reversegen.training.dpo import train_preference
from reversegen.training.sft import train_supervised
from reversegen.worlds.arithmetic import draw_questions, solve

USE = ModelUse(dtype="float32")


CORPUS = Corpus(world="arithmetic", mix="uniform", part="all", count=200, random_seed=1, distinct=True)


QUESTIONS = draw_questions(CORPUS)


HEADER = "More questions like these :"


TINY = TinyModel(
    corpus=CORPUS,
    config=Shape(
        hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=256
    ),
    pretraining=Pretraining(steps=20, batch_size=8, learning_rate=5e-3, muon_learning_rate=0.03, question_weight=0.1),
    seed=0,
)


LORA = Lora(r=4, lora_alpha=8, lora_dropout=0.1, target_modules=["q_proj", "v_proj", "down_proj"])


NO_TRACKING = Tracking(report_to=[], project="none")


def training(**changes: Any) -> Training:
    return Training(
        **{
            "launcher": None,
            "learning_rate": 3e-3,
            "num_train_epochs": 2,
            "per_device_train_batch_size": 8,
            "gradient_accumulation_steps": 1,
            "lr_scheduler_type": "constant",
            "warmup_steps": 0,
            "weight_decay": 0.0,
            "max_grad_norm": 1.0,
            "max_length": 128,
            "optim": "adamw_torch",
            "bf16": False,
            "activation_checkpointing": False,
        }
        | changes
    )


def answer_rows(count: int) -> list[TrainingRow]:
    """Conversations that teach a target the answers to questions of all lengths."""
    rows = []
    for question in QUESTIONS[:count]:
        solved = reference("i", question, solve(question), "arithmetic", MATH)
        prompt, completion = MATH.enhancement_row(question, solved, "failed", None)
        rows.append(TrainingRow(prompt=prompt, completion=completion, instruction_id="i", origin="seeds"))
    return rows


def proposer_rows(count: int) -> list[TrainingRow]:
    """Plain text that teaches a proposer to write one more question."""
    return [
        TrainingRow(prompt=proposer_prompt(n), completion=f" {QUESTIONS[n]}", instruction_id="i", origin="seed")
        for n in range(count)
    ]


def proposer_prompt(number: int) -> str:
    return MATH.build_prompt(HEADER, QUESTIONS[-3 * number - 3 :][:3])


def build_pairs(count: int) -> list[Pair]:
    """Three-operand questions preferred to two-operand ones, of different lengths."""
    long = [q for q in QUESTIONS if "_" in str(MATH.group(q))]
    short = [q for q in QUESTIONS if "_" not in str(MATH.group(q))]
    return [
        Pair(
            prompt=proposer_prompt(n),
            chosen=f" {long[n]}",
            rejected=f" {short[n]}",
            chosen_id=f"c{n}",
            rejected_id=f"r{n}",
            pairing="same_prompt",
        )
        for n in range(count)
    ]


def supervise(rows: list[TrainingRow], base: Path, output: Path, *, lora: Lora | None = None, **changes: Any) -> Path:
    only = changes.pop("completion_only_loss", True)
    random_seed, use = changes.pop("random_seed", 0), changes.pop("use", USE)
    tracking = changes.pop("tracking", NO_TRACKING)
    run = TrainingRun(base, use, output, "target", random_seed, 1, tracking)
    train_supervised(rows, run, training(**changes), lora, only)
    return output


def prefer(
    pairs: list[Pair],
    base: Path,
    reference: Path,
    output: Path,
    *,
    lora: Lora | None = None,
    losses: dict[str, float] | None = None,
    min_steps: int = 0,
    random_seed: int = 0,
    **changes: Any,
) -> Path:
    losses = losses or {"sigmoid": 1.0}
    preference = Preference(
        reference="previous",
        min_steps=min_steps,
        beta=0.3,
        loss_type=list(losses),
        loss_weights=list(losses.values()),
        training=training(**changes),
        lora=lora,
    )
    run = TrainingRun(base, USE, output, "proposer", random_seed, 1, NO_TRACKING)
    train_preference(pairs, run, reference, preference)
    return output


def written(row: TrainingRow) -> tuple[str, str]:
    """Prompt and completion of a row as the model must see them."""
    if isinstance(row.prompt, str):
        return row.prompt, f"{row.completion}<eos>"
    return f"Q: {row.prompt[0].content} A:", f" {row.completion[0].content}<eos>"


def logged(folder: Path) -> dict[str, float]:
    """The first report of the trainer, whose values are means over ten steps."""
    curve = json.loads((folder / "curve.json").read_text())
    assert curve[0]["step"] == 10
    return dict(curve[0])


def manifest(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "manifest.json").read_text()))


def folder_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
