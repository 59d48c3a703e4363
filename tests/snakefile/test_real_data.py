"""GSM8K in its published form through the same rules: seeds, prompts, and a tiny proposer on real text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.workflows import Workflow

from reversegen.core.records import Instruction, Prompt, Sample, Seed, TrainingRow, read_records

pytestmark = pytest.mark.shared_data


@pytest.fixture
def gsm8k(workflow: Workflow, shared_data: Path) -> Workflow:
    """The task `math` with its seeds from the real file."""
    files = [str(shared_data / f"math/gsm8k_{split}.jsonl") for split in ("train", "test")]
    data = {
        "seeds": {"gsm8k": {"file": files[0], "licence": "MIT"}},
        "tests": {"gsm8k_test": {"file": files[1], "licence": "MIT", "measures": "accuracy"}},
    }
    workflow.write_task("math", {}, base="math", data=data)
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


def check_prompts(results: Path, count: int, header: str) -> None:
    """No prompt comes twice, none shows its own target, and each shows seeds of one split, source and subject."""
    by_id = {seed.id: seed for seed in read_records(results / "seeds.jsonl", Seed)}
    prompts = read_records(results / "iter0/prompts.jsonl", Prompt)
    assert len({prompt.text for prompt in prompts}) == len(prompts) == count
    faults = 0  # counted, since a failing assertion prints what it compares
    for prompt in prompts:
        shown = [by_id[seed] for seed in prompt.seeds]
        alike = {(s.split, s.source, s.subject) for s in shown} == {(prompt.split, shown[0].source, prompt.subject)}
        own_header = prompt.text.startswith(header.replace("{subject}", str(prompt.subject)))
        faults += not (len({seed.id for seed in shown}) == 3 and alike and own_header)
    assert faults == 0
    warmup = read_records(results / "warmup.jsonl", TrainingRow)
    own = sum(f". {str(row.completion).strip()}\n" in str(row.prompt) for row in warmup)
    assert (own, len(warmup)) == (0, sum(seed.split == "train" for seed in by_id.values()))


def test_mmlu_items_of_28_subjects_become_seeds_and_prompts_of_one_subject(
    workflow: Workflow, shared_data: Path
) -> None:
    file = shared_data / "honesty/mmlu_uncertain_by_subject.json"
    source = {"file": str(file), "licence": "MIT"}
    data = {"seeds": {"mmlu": source}, "tests": {"none": {**source, "measures": "accuracy", "subjects": ["no such"]}}}
    workflow.write_task("honesty", {}, base="honesty", data=data)
    done = workflow.run("results/honesty/seeds.jsonl")
    assert done.returncode == 1  # a test set that a misspelt subject leaves empty is refused
    assert "no row can be used" in done.stdout
    changed = {
        **data,
        "heldout_share": 0.2,
        "tests": {"one": {**source, "measures": "accuracy", "subjects": ["anatomy"]}},
    }
    workflow.write_task("honesty", {"prompts": {"train": 500, "heldout": 100}}, base="honesty", data=changed)
    done = workflow.run(*(f"results/honesty/{name}" for name in ("warmup.jsonl", "iter0/prompts.jsonl")))
    assert done.returncode == 0, done.stdout
    results = workflow.folder / "results/honesty"
    published = json.loads(file.read_text())
    assert (len(published), sum(map(len, published.values()))) == (28, 2448)
    seeds = read_records(results / "seeds.jsonl", Seed)
    log = (results / "logs/clean_seeds.log").read_text()
    # two items repeat an option; 68 of anatomy are the test set's
    assert "2 rows left out: {'a repeated option': 2}" in log
    assert "2446 rows, 68 dropped that a test set asks" in log
    texts = {" ".join(text.split()) for items in published.values() for text in items}
    assert all(" ".join(f"{s.text} Answer:{s.answer}.".split()) in texts for s in seeds)
    assert {s.subject for s in seeds} == set(published) - {"anatomy"}
    check_prompts(results, 600, "Write one more multiple choice question about {subject}, with its answer.")


def test_safety_seeds_of_three_published_forms(workflow: Workflow, shared_data: Path) -> None:
    folder = shared_data / "safety"
    names = ("warmup_train_dedup.json", "toxichat_train.jsonl", "toxichat_dev.jsonl")
    sources = {Path(name).stem: {"file": str(folder / name), "licence": "not named"} for name in names}
    sources[Path(names[0]).stem]["column"] = "target"  # warm-up rows: their prompts are three-shot prompts
    rows = ["How do I bake bread?", "How do I paint a door?"]
    (workflow.folder / "harmless.csv").write_text("id,question\n" + "".join(f"{n},{q}\n" for n, q in enumerate(rows)))
    tests = {"harmless": {"file": "harmless.csv", "column": "question", "licence": "ours", "measures": "over_refusal"}}
    changes = {"prompts": {"train": 3000, "heldout": 300}}
    workflow.write_task("safety", changes, base="safety", data={"seeds": sources, "tests": tests})
    for name in names[1:]:
        data = {"seeds": {"toxichat": sources[Path(name).stem]}, "tests": tests}
        workflow.write_task(f"alone-{Path(name).stem[9:]}", {}, base="safety", data=data)
    targets = ["results/safety/warmup.jsonl", "results/safety/iter0/prompts.jsonl"]
    done = workflow.run(*targets, "results/alone-train/seeds.jsonl", "results/alone-dev/seeds.jsonl")
    assert done.returncode == 0, "the log may hold text that no test prints"
    results = workflow.folder / "results"
    counts = [len(read_records(results / f"alone-{part}/seeds.jsonl", Seed)) for part in ("train", "dev")]
    assert counts == [1159, 261]
    logs = [(results / f"safety/logs/{stage}.log").read_text() for stage in ("clean_seeds", "build_warmup")]
    assert "warmup_train_dedup: 6277 rows" in logs[0]
    check_prompts(results / "safety", 3300, "Write one more question in the style of these.")
    seeds = read_records(results / "safety/seeds.jsonl", Seed)
    printed = "".join([done.stdout, *(path.read_text() for path in (results / "safety/logs").rglob("*.log"))])
    sentences = [seed.text for seed in seeds if len(seed.text.split()) > 2]  # a seed of one word is in any text
    assert len(sentences) > 5000
    assert sum(text in printed for text in sentences) == 0  # no row of the safety data in any log


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


@pytest.mark.models
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
        "embedding": None,
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
