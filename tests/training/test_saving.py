"""The saved folder keeps the gain of training, in 16 bits too. Otherwise the job stops."""

from __future__ import annotations

import gc
import json
import logging
import math
import os
import random
import re
import shutil
import signal
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import ModelCard
from tests.support.training import (
    LORA,
    NO_TRACKING,
    TINY,
    answer_rows,
    build_pairs,
    folder_bytes,
    logged,
    manifest,
    training,
    written,
)
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, LlamaConfig, LlamaForCausalLM

from reversegen.config.models import ModelUse
from reversegen.config.training import Lora, Preference
from reversegen.core.errors import BadInput, Interrupted
from reversegen.core.metric import Metric
from reversegen.evaluation.provenance import kept_metric
from reversegen.training import dpo, trained_folder
from reversegen.training.common import Followed, TrainingRun
from reversegen.training.dpo import train_preference
from reversegen.training.pretraining import CHAT_TEMPLATE, build_tokenizer, train_model
from reversegen.training.saving import ROWS, drawn_rows, kept
from reversegen.training.sft import train_supervised

HALF, SINGLE = ModelUse(dtype="bfloat16"), ModelUse(dtype="float32")
ALL_LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
WIDE = Lora(r=64, lora_alpha=16, lora_dropout=0.0, target_modules=ALL_LINEAR)
RATES = {None: 1e-6, "lora": 1e-5}
"""At this rate an update is smaller than half a step of bfloat16, which is 6e-5 for weights of 0.02."""


def write_base(folder: Path, dtype: torch.dtype = torch.bfloat16) -> Path:
    """An untrained Llama whose weights have the spread of an 8B model's, 0.02 (Llama's `initializer_range`)."""
    tokenizer = build_tokenizer("arithmetic")
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)
    shape = {"hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2, "num_attention_heads": 4}
    torch.manual_seed(0)
    config = LlamaConfig(**shape, vocab_size=len(tokenizer), eos_token_id=tokenizer.eos_token_id, pad_token_id=0)
    LlamaForCausalLM(config).to(torch.bfloat16).to(dtype).save_pretrained(folder)
    return folder


@pytest.fixture(autouse=True)
def _small_gains_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge smaller gains than usual: two layers shift only hundredths of a nat, and these trainings are short."""
    monkeypatch.setattr(trained_folder, "GAIN", 0.0)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("base") / "base")


def preference(lora: Lora | None, **changes: Any) -> Preference:
    return Preference(
        reference="previous",
        min_steps=0,
        beta=0.1,
        loss_type=["sigmoid"],
        loss_weights=[1.0],
        training=training(**changes),
        lora=lora,
    )


def train(way: str, base: Path, output: Path, lora: Lora | None, use: ModelUse, **changes: Any) -> Path:
    changes = {"learning_rate": RATES["lora" if lora else None], "num_train_epochs": 10} | changes
    if way == "sft":
        run = TrainingRun(base, use, output, "target", 0, 1, NO_TRACKING)
        train_supervised(answer_rows(24), run, training(**changes), lora, True)
    else:
        run = TrainingRun(base, use, output, "proposer", 0, 1, NO_TRACKING)
        train_preference(build_pairs(16), run, base, preference(lora, **changes))
    return output


def measured(folder: Path, way: str, dtype: torch.dtype = torch.float32) -> float:
    """The mean log-probability of completions, or the mean margin of pairs, computed here from the texts in `dtype`."""
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype), AutoTokenizer.from_pretrained(folder)

    def log_probability(prompt: str, completion: str) -> float:
        start, tokens = (
            len(tokenizer(prompt)["input_ids"]),
            tokenizer(prompt + completion, return_tensors="pt")["input_ids"],
        )
        with torch.inference_mode():
            shares = torch.log_softmax(model(tokens).logits[0].double(), -1)
        return sum(float(shares[n - 1, tokens[0, n]]) for n in range(start, tokens.shape[1]))

    if way == "sft":
        return sum(log_probability(*written(row)) for row in answer_rows(24)) / 24
    pairs = build_pairs(16)
    margins = [
        log_probability(p.prompt, f"{p.chosen}<eos>") - log_probability(p.prompt, f"{p.rejected}<eos>") for p in pairs
    ]
    return sum(margins) / 16


@pytest.mark.slow
@pytest.mark.models
@pytest.mark.parametrize("lora", [None, WIDE], ids=["full", "lora"])
@pytest.mark.parametrize("way", ["sft", "dpo"])
def test_a_folder_of_16_bits_keeps_the_gain_of_training(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, lora: Lora | None
) -> None:
    """It keeps as much as a float32 folder, in one run or stopped and resumed. Rounding to the nearest loses half of it."""
    single, half = (train(way, base, tmp_path / use.dtype, lora, use) for use in (SINGLE, HALF))
    before = measured(base, way)
    gained_32, gained_16 = (measured(folder, way) - before for folder in (single, half))
    assert gained_32 > 0.05
    assert gained_16 == pytest.approx(gained_32, rel=0.15)
    weights = AutoModelForCausalLM.from_pretrained(half, dtype="auto").state_dict()
    assert {weight.dtype for weight in weights.values()} == {torch.bfloat16}
    facts = manifest(half)["kept"]
    assert (facts["measure"], facts["rows"]) == (("log-probability", 24) if way == "sft" else ("margin", 16))
    if lora:  # in the first steps, 16-bit activations hide a part of such a small update
        assert 0 < facts["gained"] < gained_32 * 1.1
    else:
        assert facts["gained"] == pytest.approx(gained_32, rel=1e-3, abs=1e-3)
    in_half = measured(half, way, torch.bfloat16) - measured(base, way, torch.bfloat16 if lora else torch.float32)
    assert facts["saved"] == pytest.approx(in_half, abs=0.05)
    assert facts["share"] == pytest.approx(facts["saved"] / facts["gained"], rel=1e-2)
    assert facts["share"] > 0.9
    assert kept_metric(half) == {"training_kept": Metric(value=facts["share"])}
    assert f"a share of {facts['share']:.3f}" in ModelCard.load(half / "README.md").text
    assert manifest(single)["kept"]["share"] == pytest.approx(1, abs=1e-4)

    stops, report = [random.Random(way).randrange(3, 15)], Followed.on_log

    def report_and_stop(self: Any, args: Any, state: Any, *arguments: Any, **named: Any) -> None:
        report(self, args, state, *arguments, **named)
        if stops and state.global_step == stops[0]:
            os.kill(os.getpid(), signal.SIGUSR1)
            stops.pop()

    monkeypatch.setattr(Followed, "on_log", report_and_stop)
    with pytest.raises(Interrupted):
        train(way, base, tmp_path / "resumed", lora, HALF)
    assert folder_bytes(train(way, base, tmp_path / "resumed", lora, HALF)) == folder_bytes(half)


@pytest.mark.slow
@pytest.mark.models
def test_the_gains_of_iterations_add_up(base: Path, tmp_path: Path) -> None:
    """Each iteration starts from the folder of the one before. Three have the same gain as three in float32."""
    gains = []
    for use in (SINGLE, HALF):
        folder = base
        for k in range(3):
            folder = train("dpo", folder, tmp_path / use.dtype / str(k), WIDE, use, num_train_epochs=5)
        gains.append(measured(folder, "dpo") - measured(base, "dpo"))
    assert gains[1] == pytest.approx(gains[0], rel=0.15)


@pytest.mark.models
@pytest.mark.parametrize("lora", [None, WIDE], ids=["full", "lora"])
def test_a_folder_that_lost_its_training_is_not_written(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, lora: Lora | None
) -> None:
    """Here the weights are rounded to the nearest, as libraries do."""
    caplog.set_level(logging.INFO)
    nearest = lambda tensor, dtype, *_: tensor.to(dtype)  # noqa: E731
    for module in ("models.rounding", "training.saving", "training.trained_folder"):
        monkeypatch.setattr(f"reversegen.{module}.rounded", nearest)
    with pytest.raises(BadInput) as stopped:
        train("sft", base, tmp_path / "lost", lora, HALF, num_train_epochs=5)
    message = str(stopped.value)
    assert "\n" not in message
    assert re.search(r"gained [\d.]+ nats in the log-probability of its rows, of which the saved model keeps ", message)
    assert "set `dtype: float32` for it in config/models.yaml, or raise training.learning_rate" in message
    assert [path.name for path in tmp_path.iterdir() if "state" not in path.name] == []


def test_the_share_is_a_ratio_of_means_and_null_if_it_cannot_be_measured() -> None:
    assert kept([0, 1], [2, 5], [1, 3], True, 0).model_dump() == {
        "measure": "margin", "rows": 2, "gained": 3.0, "saved": 1.5, "share": 0.5, "reason": None,
    }  # fmt: skip
    assert kept([0] * 4, [1, 1, 2, 2], [1.1, 0.9, 2.2, 1.8], False, 0.5).share == 1
    nothing = {
        "gained nothing": ([0, 1], [0, 1], [5, 5], 0),
        "gained nothing ": ([0, 1], [-1, 1], [5, 5], 0),
        "less on these rows": ([0, 1], [0.2, 1.2], [0.2, 1.2], 0.5),
        "less on these rows than": ([0, 0, 0, 0], [1, 1, 1, 1], [3, -2, 2, -3], 0.5),
        "one row": ([0], [1], [1], 0),
    }
    for reason, (before, after, saved, least) in nothing.items():
        facts = kept(before, after, saved, True, least)
        assert facts.share is None
        assert reason.strip() in str(facts.reason)
    lost = kept([0.0] * 4, [10, 12, 8, 10], [-20, -200, -90, -170], True, 0.5)  # each row loses a different amount
    assert (lost.share, lost.reason) == (-12, None)
    assert (
        kept([0.0] * 4, [0.2, 0.1, 0.3, 0.2], [-20, -60, -40, -40], True, 0.5).share == -200
    )  # even if very little was gained
    for after, saved, message in (
        ([math.nan, 1], [1, 1], "trained model's log-probabilities are not finite; lower training.learning_rate"),
        ([1, 1], [1, math.inf], "saved model's log-probabilities are not finite; give the model another `dtype`"),
    ):
        with pytest.raises(BadInput, match=message):
            kept([0, 0], after, saved, True, 0)


@pytest.mark.slow
@pytest.mark.models
@pytest.mark.parametrize(
    ("lora", "use", "changes", "arithmetic"),
    [
        (WIDE, ModelUse(), {}, "16 bits"),
        (WIDE, SINGLE, {"bf16": True}, "16 bits"),
        (None, HALF, {}, "16 bits"),
        (None, ModelUse(), {}, "float32"),
        (WIDE, SINGLE, {}, "float32"),
    ],
)
def test_a_small_gain_is_judged_if_all_arithmetic_is_in_float32(
    base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lora: Lora | None,
    use: ModelUse,
    changes: dict[str, Any],
    arithmetic: str,
) -> None:
    monkeypatch.setattr(trained_folder, "GAIN", 1e9)
    facts = manifest(train("dpo", base, tmp_path / "out", lora, use, num_train_epochs=1, **changes))["kept"]
    if arithmetic == "16 bits":
        assert facts["share"] is None
    else:
        assert facts["share"] == pytest.approx(1, abs=1e-3)


def test_an_adapter_and_quantised_weights_are_refused_before_training(base: Path, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    adapter, quantised = tmp_path / "adapter", tmp_path / "quantised"
    get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(target_modules=["q_proj"])).save_pretrained(
        adapter
    )
    shutil.copytree(base, quantised)
    AutoTokenizer.from_pretrained(base).save_pretrained(adapter)
    config = json.loads((base / "config.json").read_text())
    (quantised / "config.json").write_text(json.dumps({**config, "quantization_config": {"quant_method": "gptq"}}))
    for folder, fault in ((adapter, "a LoRA adapter"), (quantised, "quantised")):
        for lora in (None, WIDE):
            with pytest.raises(BadInput, match=f"{folder}: this model is {fault}, but training needs a full model"):
                train("sft", folder, tmp_path / "out", lora, HALF)


@pytest.mark.models
def test_lora_on_a_weight_that_two_layers_share_is_refused_before_training(base: Path, tmp_path: Path) -> None:
    """Gemma and SmolLM2 share such a weight: an adapter of one layer would also change the other layer."""
    tied = tmp_path / "tied"
    shutil.copytree(base, tied)
    config = LlamaConfig.from_pretrained(base)
    config.tie_word_embeddings = True
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(tied)
    for target in ("embed_tokens", "lm_head"):
        lora = Lora(r=4, lora_alpha=4, lora_dropout=0.0, target_modules=["q_proj", target])
        message = f"lora.target_modules: {target}: {tied} shares one weight between model.embed_tokens and lm_head"
        with pytest.raises(BadInput, match=message):
            train("sft", tied, tmp_path / "out", lora, HALF)
    lora = Lora(r=4, lora_alpha=4, lora_dropout=0.0, target_modules=["embed_tokens"])
    train("sft", base, tmp_path / "of its own", lora, HALF, num_train_epochs=1)


def test_the_standard_error_of_a_share_agrees_with_repeated_draws() -> None:
    """The share becomes null when the standard error of the formula is a quarter, which a simulation checks here."""
    rng = random.Random(0)
    rows, shares, judged = 32, [], []
    for _ in range(600):
        gains = [rng.gauss(1, 0.3) for _ in range(rows)]
        values = [gain + rng.gauss(0, 0.25 * math.sqrt(rows)) for gain in gains]
        shares.append(sum(values) / sum(gains))
        judged.append(kept([0.0] * rows, gains, values, True, 0).share is not None)
    spread = math.sqrt(sum((share - 1) ** 2 for share in shares) / len(shares))
    assert spread == pytest.approx(0.25, rel=0.1)
    assert 0.3 < sum(judged) / len(judged) < 0.7


def test_the_draw_is_seeded_and_small_and_counts_the_trainers_tokens() -> None:
    from datasets import Dataset

    data = Dataset.from_list([{"input_ids": [n, 1, 2], "labels": [-100, 1, 2]} for n in range(100)])
    drawn = drawn_rows(data, 3)
    assert drawn == drawn_rows(data, 3) != drawn_rows(data, 4)
    assert len({part.tokens[0] for [part] in drawn}) == ROWS
    assert drawn[0][0].counted == [False, True, True]
    pairs = Dataset.from_list([{"prompt_ids": [1, 2], "chosen_ids": [3], "rejected_ids": [4, 5]}])
    [[chosen, rejected]] = drawn_rows(pairs, 0)
    assert chosen == ([1, 2, 3], [False, False, True], 1)
    assert rejected == ([1, 2, 4, 5], [False, False, True, True], -1)


@pytest.mark.slow
@pytest.mark.models
def test_a_users_float32_model_is_trained_further_in_16_bits(tmp_path: Path) -> None:
    """The model has a small update, which loading with rounding to the nearest would lose. The trained model keeps it."""
    base = write_base(tmp_path / "base")
    tuned = train("dpo", base, tmp_path / "tuned", None, SINGLE)
    before = measured(base, "dpo")
    use = HALF
    out = train("dpo", tuned, tmp_path / "out", WIDE, use, learning_rate=1e-7)
    assert measured(out, "dpo") - before == pytest.approx(measured(tuned, "dpo") - before, rel=0.1)


CONTRADICTIONS = {
    "a temperature of greedy decoding": {
        "do_sample": False,
        "temperature": 0.9,
        "top_p": 0.6,
    },  # Vicuna's and Llama-2-chat's
    "the same without do_sample": {"temperature": 0.9, "top_p": 0.6},
    "unknown keys": {"do_sample": True, "some_future_key": 3, "transformers_version": "4.29.1"},
    "beams without a number": {"early_stopping": True, "length_penalty": 2.0, "num_beams": 1},
}


@pytest.mark.models
@pytest.mark.parametrize("case", CONTRADICTIONS)
@pytest.mark.parametrize("lora", [None, LORA], ids=["full", "lora"])
def test_a_generation_config_that_cannot_be_saved_is_left_out(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, lora: Lora | None
) -> None:
    """The tokens that end an answer are kept, and a checkpoint can be saved."""
    folder = tmp_path / "base"
    folder.mkdir()
    for path in base.iterdir():
        (folder / path.name).symlink_to(path)
    (folder / "generation_config.json").unlink()
    config = {"eos_token_id": [1, 7], "bos_token_id": 2, **CONTRADICTIONS[case]}
    (folder / "generation_config.json").write_text(json.dumps(config))
    monkeypatch.setattr("reversegen.training.checkpoints.SECONDS", 0.0)
    out = train("sft", folder, tmp_path / "out", lora, HALF, num_train_epochs=1)
    saved = json.loads((out / "generation_config.json").read_text())
    assert saved.keys() == {"bos_token_id", "eos_token_id", "pad_token_id", "transformers_version"}
    assert (saved["eos_token_id"], saved["pad_token_id"]) == ([1, 7], 0)
    assert GenerationConfig.from_pretrained(out).eos_token_id == [1, 7]


@pytest.mark.models
@pytest.mark.parametrize("lora", [None, WIDE], ids=["full", "lora"])
def test_the_reference_is_removed_from_memory_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lora: Lora | None
) -> None:
    """Only its log-probabilities are needed. The curve is the same as with the reference in memory."""
    tiny = tmp_path / "tiny"
    train_model(answer_rows(200), TINY, tiny, 1)
    other = train("sft", tiny, tmp_path / "other", None, SINGLE, learning_rate=3e-3)
    load, made, there = dpo.load_model, [], []

    def load_and_note(folder: Path, *arguments: Any) -> Any:
        model = load(folder, *arguments)
        if folder == other:
            made.append(weakref.ref(model))
        return model

    step = Followed.on_train_begin

    def look(self: Any, *given: Any, **named: Any) -> None:
        gc.collect()
        there.append([one() is not None for one in made])
        step(self, *given, **named)

    monkeypatch.setattr(dpo, "load_model", load_and_note)
    monkeypatch.setattr(Followed, "on_train_begin", look)

    def prefer(name: str) -> dict[str, float]:
        changes = preference(lora, num_train_epochs=5)
        run = TrainingRun(tiny, SINGLE, tmp_path / name, "proposer", 0, 1, NO_TRACKING)
        train_preference(build_pairs(16), run, other, changes)
        return logged(tmp_path / name)

    gone = prefer("gone")
    assert there == [[False]]
    monkeypatch.setattr("accelerate.Accelerator.free_memory", lambda self: None)  # as if something still referred to it
    stays = prefer("stays")
    assert there == [[False], [False, True]]
    assert gone == stays
    assert abs(gone["rewards/chosen"]) > 0.01
