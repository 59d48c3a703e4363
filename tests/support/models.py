"""Random models of a few weights, their folders, and greedy decoding by hand."""

import json
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from reversegen.config.models import ModelUse
from reversegen.training.pretraining import build_tokenizer

USE = ModelUse(dtype="float32")


TEXTS = ["20 + 3", "what is 20 plus 3 plus 4 ?", "tom has 20 pens and gets 3 more . how many now ?"]


def build_model(seed: int = 0) -> LlamaForCausalLM:
    """A random Llama whose large weights make it speak in varied, sure words."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(build_tokenizer("arithmetic")),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            initializer_range=0.6,
            eos_token_id=1,
            pad_token_id=0,
            bos_token_id=None,
        )
    ).eval()


def write_folder(folder: Path, model: LlamaForCausalLM) -> Path:
    build_tokenizer("arithmetic").save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def greedy(model: LlamaForCausalLM, text: str, steps: int) -> list[int]:
    """The likeliest next token, again and again, from the whole unpadded text each time."""
    tokens = build_tokenizer("arithmetic")(text)["input_ids"]
    start = len(tokens)
    with torch.inference_mode():
        for _ in range(steps):
            tokens = [*tokens, int(model(torch.tensor([tokens])).logits[0, -1].argmax())]
    return tokens[start:]


def short(folder: Path, model: LlamaForCausalLM, places: int) -> Path:
    """The model with a context of so many tokens."""
    write_folder(folder, model)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": places}))
    return folder
