"""Random models of a few weights, their folders, and greedy decoding by hand."""

import json
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from reversegen.config.models import ModelUse
from reversegen.training.pretraining import build_tokenizer

USE = ModelUse(dtype="float32")


TEXTS = ["20 + 3", "what is 20 plus 3 plus 4 ?", "tom has 20 pens and gets 3 more . how many now ?"]


def random_config(vocab_size: int, pad_token_id: int | None = 0, **more: Any) -> LlamaConfig:
    """The configuration of a tiny Llama whose large weights give varied texts with high probabilities."""
    return LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        initializer_range=0.6,
        eos_token_id=1,
        pad_token_id=pad_token_id,
        bos_token_id=None,
        **more,
    )


def build_model(seed: int = 0, vocab_size: int | None = None) -> LlamaForCausalLM:
    """A random Llama with the vocabulary of the arithmetic world, unless another size of vocabulary is given."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(random_config(vocab_size or len(build_tokenizer("arithmetic")))).eval()


def write_folder(folder: Path, model: LlamaForCausalLM) -> Path:
    build_tokenizer("arithmetic").save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def greedy(model: LlamaForCausalLM, text: str, steps: int) -> list[int]:
    """The likeliest next tokens, each computed from the whole unpadded text before it."""
    tokens = build_tokenizer("arithmetic")(text)["input_ids"]
    start = len(tokens)
    with torch.inference_mode():
        for _ in range(steps):
            tokens = [*tokens, int(model(torch.tensor([tokens])).logits[0, -1].argmax())]
    return tokens[start:]


def short(folder: Path, model: LlamaForCausalLM, places: int) -> Path:
    """Write the model with a context of `places` tokens; returns its folder."""
    write_folder(folder, model)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": places}))
    return folder
