"""GSM8K in its published form through the same rules: seeds, prompts, and a tiny proposer on real text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Workflow

from reversegen.records import Instruction, Prompt, Sample, Seed, TrainingRow, read_records

pytestmark = pytest.mark.shared_data


@pytest.fixture
def gsm8k(workflow: Workflow, shared_data: Path) -> Workflow:
    """The task `math` with its seeds from the real file."""
    seeds = {"gsm8k": {"hub": None, "file": str(shared_data / "math/gsm8k_train.jsonl")}}
    workflow.write_task("math", {"data": {"seeds": seeds}}, base="math")
    return workflow


def test_seeds_and_prompts_of_the_real_file(gsm8k: Workflow, shared_data: Path) -> None:
    targets = ["results/math/seeds.jsonl", "results/math/warmup.jsonl", "results/math/iter0/prompts.jsonl"]
    done = gsm8k.run(*targets)
    assert done.returncode == 0, done.stdout
    results = gsm8k.folder / "results/math"
    rows = [json.loads(line) for line in (shared_data / "math/gsm8k_train.jsonl").read_text().splitlines()]
    seeds = read_records(results / "seeds.jsonl", Seed)
    assert len(rows) == 7473
    assert len(seeds) == len({" ".join(row["question"].casefold().split()) for row in rows})
    answers = {" ".join(row["question"].split()): row["answer"].split("####")[1].strip() for row in rows}
    assert all(seed.answer == answers[seed.text] for seed in seeds)
    assert sum("," in seed.answer for seed in seeds if seed.answer) > 50  # thousands separators are kept as published
    by_id = {seed.id: seed for seed in seeds}
    prompts = read_records(results / "iter0/prompts.jsonl", Prompt)
    assert len({prompt.text for prompt in prompts}) == len(prompts) == 2500
    for prompt in prompts:
        assert {by_id[seed].split for seed in prompt.seeds} == {prompt.split}
        assert all(by_id[seed].text in prompt.text for seed in prompt.seeds)
    for row in read_records(results / "warmup.jsonl", TrainingRow):
        assert str(row.completion).strip() not in str(row.prompt)


def write_model(folder: Path, texts: list[str]) -> None:
    """An untrained small Llama with a byte-level BPE tokenizer learnt on the texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer: Any = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1000, special_tokens=["<eos>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>")
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=fast.eos_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    fast.save_pretrained(folder)


@pytest.mark.slow
def test_a_tiny_proposer_is_warmed_up_on_real_text_and_its_samples_are_deduplicated(
    gsm8k: Workflow, shared_data: Path
) -> None:
    rows = [json.loads(line) for line in (shared_data / "math/gsm8k_train.jsonl").read_text().splitlines()]
    write_model(gsm8k.folder / "small", [row["question"] for row in rows])
    gsm8k.change_models({"small": {"folder": "small", "size": "tiny", "dtype": "float32"}})
    training = {
        "bf16": False,
        "activation_checkpointing": False,
        "max_length": 512,
        "learning_rate": 0.005,
        "per_device_train_batch_size": 8,
        "gradient_accumulation_steps": 1,
    }
    changes = {
        "proposer": "small",
        "prompts": {"train": 30, "heldout": 10},
        "sampling": {"max_new_tokens": 40},
        "warmup": {"rows": 400, "lora": None, "training": training},
    }
    gsm8k.write_task("real", changes, base="math")
    done = gsm8k.run("results/real/iter0/instructions.jsonl")
    assert done.returncode == 0, done.stdout
    results = gsm8k.folder / "results/real/iter0"
    samples = read_records(results / "samples.jsonl", Sample)
    instructions = read_records(results / "instructions.jsonl", Instruction)
    assert len(samples) == 40 * 5
    assert sorted(s for i in instructions for s in i.samples) == sorted(s.id for s in samples)
    curve = json.loads((results / "proposer/curve.json").read_text())
    assert float(curve[-1]["loss"]) < float(curve[0]["loss"]) - 0.5  # nats a token: it learns the text
