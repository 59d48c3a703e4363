"""Rounding to 16 bits gives one of the two neighbours, and in the mean the original number."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from reversegen.config.models import ModelUse
from reversegen.models.loading import load_model
from reversegen.models.rounding import CHUNK, folder_in, round_model, rounded
from reversegen.training.pretraining import build_tokenizer
from reversegen.training.saving import merge_adapter

HALVES = [torch.bfloat16, torch.float16]
FORMATS = {torch.bfloat16: (8, 7), torch.float16: (5, 10)}
"""Bits of exponent and mantissa (IEEE 754 binary16; bfloat16 is the upper half of binary32)."""


def every_number(dtype: torch.dtype) -> list[Fraction]:
    """All finite numbers of a format from 0 upwards, as fractions, made from the definition alone."""
    exponent_bits, mantissa_bits = FORMATS[dtype]
    bias, steps = 2 ** (exponent_bits - 1) - 1, 2**mantissa_bits
    numbers = [Fraction(m, steps) * Fraction(2) ** (1 - bias) for m in range(steps)]
    for exponent in range(1, 2**exponent_bits - 1):
        numbers += [(1 + Fraction(m, steps)) * Fraction(2) ** (exponent - bias) for m in range(steps)]
    return numbers


def neighbours(value: float, numbers: list[Fraction]) -> tuple[Fraction, Fraction]:
    """The nearest numbers of the format from below and from above in magnitude, both the largest beyond it."""
    magnitude = abs(Fraction(value))
    low = max(n for n in numbers if n <= magnitude)
    return low, min((n for n in numbers if n >= magnitude), default=low)


VALUES = {
    torch.bfloat16: [1.003, -1.003, 0.02, -0.0173, 3.1415927, 1e-38, 3e-40, 9.3e-41, 3.39e38, 1e30],
    torch.float16: [
        1.0003,
        -1.0003,
        0.02,
        -0.0173,
        3.1415927,
        6.11e-5,
        3.3e-5,
        1e-6,
        7e-8,
        2e-8,
        65503.0,
        65519.0,
        1e9,
    ],
}


@pytest.mark.parametrize("dtype", HALVES)
def test_a_number_becomes_a_neighbour_and_is_kept_in_the_mean(dtype: torch.dtype) -> None:
    draws, numbers = 2**17, every_number(dtype)
    for n, value in enumerate(VALUES[dtype]):
        tensor = torch.full((draws,), value, dtype=torch.float32)
        exact = float(tensor[0])
        low, high = neighbours(exact, numbers)
        sign = math.copysign(1, exact)
        drawn = rounded(tensor, dtype, n).double()
        assert set(drawn.tolist()) == {sign * float(low), sign * float(high)}, value
        share = float((abs(Fraction(exact)) - low) / (high - low)) if high > low else 0.0
        up = float((drawn.abs() == float(high)).double().mean()) if high > low else 0.0
        assert up == pytest.approx(share, abs=5 * math.sqrt(share * (1 - share) / draws) + 2**-17), value


@pytest.mark.parametrize("dtype", HALVES)
def test_the_mean_over_seeds_is_the_number(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    tensor = torch.randn(64) * 0.02
    drawn = torch.stack([rounded(tensor, dtype, "seed", seed).double() for seed in range(4000)])
    error = drawn.std(0) / math.sqrt(len(drawn))
    assert bool(((drawn.mean(0) - tensor.double()).abs() <= 5 * error + 1e-12).all())
    assert bool((drawn.std(0) > 0).all())


@pytest.mark.parametrize("dtype", HALVES)
def test_a_number_that_16_bits_can_hold_keeps_its_bits(dtype: torch.dtype) -> None:
    every = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(dtype)  # also infinities and NaN
    same = rounded(every.float(), dtype, 1)
    number = ~every.isnan()
    assert torch.equal(same.view(torch.int16)[number], every.view(torch.int16)[number])
    assert bool(same[~number].isnan().all())


@pytest.mark.parametrize("dtype", HALVES)
def test_no_finite_number_becomes_infinite(dtype: torch.dtype) -> None:
    most = torch.finfo(dtype).max
    for value in (torch.finfo(torch.float32).max, np.nextafter(np.float32(most), np.float32(np.inf))):
        tensor = torch.full((1000,), float(value))
        assert set(rounded(tensor, dtype, 1).tolist()) == {most}
        assert set(rounded(-tensor, dtype, 1).tolist()) == {-most}


def test_the_draws_depend_on_seed_and_place_alone() -> None:
    tensor = torch.randn(3, CHUNK // 2 + 5)
    one = rounded(tensor, torch.bfloat16, 7, "weight")
    assert torch.equal(one, rounded(tensor.clone(), torch.bfloat16, 7, "weight"))
    assert torch.equal(one.reshape(-1), rounded(tensor.reshape(-1), torch.bfloat16, 7, "weight"))
    for other in ((8, "weight"), (7, "bias")):
        share = float((one != rounded(tensor, torch.bfloat16, *other)).double().mean())
        assert 0.2 < share < 0.5  # a third on average for independent draws
    halves = one[0, : CHUNK // 2], one[1, : CHUNK // 2]
    assert not torch.equal(*halves)


def test_other_types_are_cast_as_torch_does() -> None:
    for tensor, dtype in ((torch.tensor([3, 4]), torch.int64), (torch.randn(9), torch.float32)):
        assert torch.equal(rounded(tensor, dtype, 1), tensor)
    double = torch.randn(9, dtype=torch.float64)
    assert torch.equal(rounded(double, torch.bfloat16, 1), double.to(torch.bfloat16))
    assert rounded(torch.zeros(0, 4), torch.bfloat16, 1).shape == (0, 4)


def tiny(**changes: object) -> LlamaForCausalLM:
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    return LlamaForCausalLM(LlamaConfig(**shape, vocab_size=len(build_tokenizer("arithmetic")), **changes))


def adapted(model: LlamaForCausalLM, **changes: object) -> torch.nn.Module:
    from peft import LoraConfig, get_peft_model

    lora = LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "down_proj", "embed_tokens"], **changes)
    model = get_peft_model(model, lora)
    torch.manual_seed(1)
    for name, weight in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(weight, std=1e-3)
    return model


def test_an_adapter_is_merged_in_float32_as_peft_merges_it() -> None:
    merged = merge_adapter(adapted(tiny()), torch.float32).state_dict()
    theirs = adapted(tiny()).merge_and_unload().state_dict()
    assert merged.keys() == theirs.keys() == tiny().state_dict().keys()
    assert all(torch.equal(merged[name], weight) for name, weight in theirs.items())


@pytest.mark.parametrize("dtype", [torch.bfloat16, None])
def test_an_adapter_on_16_bits_is_added_to_them_in_float32(dtype: torch.dtype | None) -> None:
    """Updates of a hundredth of the distance between two neighbours, which rounding to the nearest would lose."""
    base = tiny().to(torch.bfloat16)
    before = {name: weight.float() for name, weight in base.state_dict().items()}
    exact = merge_adapter(adapted(tiny().to(torch.bfloat16).float()), torch.float32).state_dict()
    saved = merge_adapter(adapted(base), dtype, 3).state_dict()
    for name in (
        "model.layers.0.self_attn.q_proj.weight",
        "model.layers.1.mlp.down_proj.weight",
        "model.embed_tokens.weight",
    ):
        wanted, left = exact[name] - before[name], saved[name].float() - before[name]
        assert (
            float((wanted.to(torch.bfloat16) + before[name].to(torch.bfloat16) != before[name]).double().mean()) < 0.1
        )
        assert float((left * wanted).sum() / (wanted * wanted).sum()) == pytest.approx(1, abs=0.25)
        assert saved[name].dtype == torch.bfloat16
    assert torch.equal(saved["model.norm.weight"].float(), before["model.norm.weight"])


def test_weights_that_two_layers_share_stay_shared() -> None:
    model = tiny(tie_word_embeddings=True)
    round_model(model, torch.bfloat16, 1)
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert {weight.dtype for weight in model.parameters()} == {torch.bfloat16}


def write(folder: Path, model: LlamaForCausalLM, shard: str = "1GB") -> Path:
    model.save_pretrained(folder, max_shard_size=shard)
    build_tokenizer("arithmetic").save_pretrained(folder)
    return folder


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_float32_folder_loaded_in_16_bits_keeps_small_updates(tmp_path: Path, dtype: str) -> None:
    """A fine-tuning's change of less than half a step stays in the mean, and every way of loading gives the same bytes."""
    half, base = getattr(torch, dtype), tiny().to(getattr(torch, dtype)).float()
    step = 2.0 ** -(8 if dtype == "bfloat16" else 11)
    trained = tiny()
    trained.load_state_dict({name: weight * (1 + step / 4) for name, weight in base.state_dict().items()})
    folder = write(tmp_path / "trained", trained, shard="20KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    loaded = load_model(folder, ModelUse(dtype=dtype), 1)
    nearest = AutoModelForCausalLM.from_pretrained(folder, dtype=half)
    before = torch.cat([weight.reshape(-1) for weight in base.state_dict().values() if weight.dim() > 1])
    kept = []
    for model in (loaded, nearest):
        after = torch.cat([weight.float().reshape(-1) for weight in model.state_dict().values() if weight.dim() > 1])
        kept.append(float((after - before).abs().sum() / (before.abs().sum() * step / 4)))
    assert kept[0] == pytest.approx(1, abs=0.05)
    assert kept[1] == 0
    assert (loaded.dtype, loaded.config._name_or_path) == (half, str(folder))
    with folder_in(folder, dtype) as place:
        assert place != folder
        stored = {name: w for path in place.glob("*.safetensors") for name, w in load_file(path).items()}
        again = load_model(place, ModelUse(dtype=dtype), 1).state_dict()
    assert not place.exists()
    assert all(torch.equal(weight, loaded.state_dict()[name]) for name, weight in stored.items())
    assert all(torch.equal(weight, loaded.state_dict()[name]) for name, weight in again.items())


def test_any_other_folder_is_loaded_directly(tmp_path: Path) -> None:
    single, half = write(tmp_path / "single", tiny()), write(tmp_path / "half", tiny().to(torch.bfloat16))
    for folder, dtype in ((single, "float32"), (single, "auto"), (half, "bfloat16"), (half, "float16"), (half, "auto")):
        with folder_in(folder, dtype) as place:
            assert place == folder
    config = json.loads((single / "config.json").read_text())
    (single / "config.json").write_text(json.dumps({**config, "quantization_config": {"quant_method": "gptq"}}))
    with folder_in(single, "bfloat16") as place:  # in a quantised model only the scales are in float32
        assert place == single
    (half / "more.safetensors").write_bytes(b"torn")
    with folder_in(half, "bfloat16") as place:
        assert place == half


def test_a_float32_folder_whose_configuration_asks_for_16_bits_is_rounded(tmp_path: Path) -> None:
    """`auto` takes the dtype of the configuration, and libraries would round to the nearest."""
    folder = write(tmp_path / "model", tiny())
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "dtype": "bfloat16"}))
    found, wanted = (load_model(folder, ModelUse(dtype=dtype), 1).state_dict() for dtype in ("auto", "bfloat16"))
    assert all(torch.equal(weight, wanted[name]) for name, weight in found.items())
    nearest = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).state_dict()
    assert not torch.equal(found["lm_head.weight"], nearest["lm_head.weight"])


def test_the_base_model_of_an_adapter_is_rounded(tmp_path: Path) -> None:
    base, folder = write(tmp_path / "base", tiny()), tmp_path / "adapter"
    model = adapted(AutoModelForCausalLM.from_pretrained(base))
    model.save_pretrained(folder)
    build_tokenizer("arithmetic").save_pretrained(folder)
    with folder_in(folder, "bfloat16") as place:
        below = json.loads((place / "adapter_config.json").read_text())["base_model_name_or_path"]
        assert {w.dtype for w in load_file(f"{below}/model.safetensors").values()} == {torch.bfloat16}
        assert (place / "adapter_model.safetensors").read_bytes() == (folder / "adapter_model.safetensors").read_bytes()
    loaded = load_model(folder, ModelUse(dtype="bfloat16"), 1)
    with folder_in(base, "bfloat16") as place:
        wanted = load_model(place, ModelUse(dtype="bfloat16"), 1).state_dict()
    found = loaded.state_dict()
    assert torch.equal(
        found["model.layers.0.self_attn.k_proj.weight"], wanted["model.layers.0.self_attn.k_proj.weight"]
    )
    assert "model.layers.0.self_attn.q_proj.lora_A.default.weight" in found


def test_integer_masks_do_not_hide_float32_weights(tmp_path: Path) -> None:
    """As in folders of GPT-2 and GPT-NeoX that older libraries wrote."""
    folder = write(tmp_path / "model", tiny())
    weights = load_file(folder / "model.safetensors")
    masks = {"mask": torch.ones(3, dtype=torch.bool), "place": torch.tensor([300, 2**40])}
    save_file(weights | masks, folder / "model.safetensors", metadata={"format": "pt"})
    with folder_in(folder, "bfloat16") as place:
        stored = load_file(place / "model.safetensors")
    assert {stored[name].dtype for name in weights} == {torch.bfloat16}
    assert all(torch.equal(stored[name], mask) for name, mask in masks.items())


def test_a_folder_of_several_types_is_left_to_its_loader(tmp_path: Path) -> None:
    folder = write(tmp_path / "model", tiny())
    weights = load_file(folder / "model.safetensors")
    weights["lm_head.weight"] = weights["lm_head.weight"].to(torch.bfloat16)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with folder_in(folder, "bfloat16") as place:
        assert place == folder
