"""What an engine draws and what transformers samples, and a model whose memory runs out."""

from __future__ import annotations

from typing import Any

import torch

from reversegen.engines.base import Request
from reversegen.engines.transformers import TransformersEngine
from reversegen.models.loading import load_tokenizer

STOPS = list(range(1, 124, 4))
"""Every fourth token of the vocabulary: texts end after four tokens on average, and whole batches before their limit."""


def limited(model: Any, most: int, cached: int = 0) -> list[int]:
    """Let a model's forward pass run out of memory above `most` rows, once it has so many tokens in its cache.

    Returns the number of rows of each pass that is tried.
    """
    tried: list[int] = []

    def refuse(module: Any, positional: Any, arguments: dict[str, Any]) -> None:
        rows, cache = len(arguments["input_ids"]), arguments.get("past_key_values")
        tried.append(rows)
        if rows > most and (cache.get_seq_length() if cache is not None else 0) >= cached:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.\nGPU 0 has a total capacity")

    model.register_forward_pre_hook(refuse, with_kwargs=True)
    return tried


def of_transformers(engine: TransformersEngine, texts: list[str], n: int, seed: int, **limits: Any) -> list[list[int]]:
    """The tokens that transformers itself samples for a batch, with `do_sample` and torch's own generator."""
    tokenizer = load_tokenizer(engine.folder, engine.model)
    batch = tokenizer(texts, return_tensors="pt", padding=True, padding_side="left")
    torch.manual_seed(seed)
    with torch.inference_mode():
        output = engine._loaded.generate(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            do_sample=True,
            top_k=0,
            num_return_sequences=n,
            eos_token_id=STOPS,
            pad_token_id=0,
            **limits,
        )
    rows: list[list[int]] = output[:, batch["input_ids"].shape[1] :].tolist()
    return rows


def drawn_tokens(engine: TransformersEngine, texts: list[str], n: int, seed: int) -> list[list[int]]:
    """The tokens of the engine's only group of prompts, including the padding after their ends."""
    groups: list[list[list[list[int]]]] = []
    draw = engine._draw

    def keep(*arguments: Any) -> list[list[list[int]]]:
        groups.append(draw(*arguments))
        return groups[-1]

    engine._draw = keep  # type: ignore[method-assign]
    engine.generate([Request(text=text) for text in texts], n, seed)
    engine._draw = draw  # type: ignore[method-assign]
    [group] = groups
    return [tokens for several in group for tokens in several]
