"""The GPU memory that a model and a batch of its sequences take, by arithmetic alone. All amounts are in bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reversegen.config.workflow import Size
from reversegen.core.files import read_json
from reversegen.models.folder import adapted

DRAWN = 44
"""Bytes for each token of the vocabulary while a sequence's next token is drawn: logits in 16 and 32 bits (6), over the
temperature (4), sorted, with their numbers (12), the softmax and the sums of these (8), two masks (2), what top-p leaves (4),
its softmax (4) and the noise (4)."""
SCORED = 10
"""Bytes for each token of the vocabulary at a position that is scored: logits in 16 and 32 bits (6) and log-softmax (4)."""
COPIED = 4
"""A token in the cache takes a quarter of what a token takes that is read: its keys and values of one layer, copied as the
cache grows and once more for each head that shares them, are 8 x hidden size bytes of 2 x (8 x hidden + 3 x intermediate)."""
WIDTHS = {"float32": 4, "float": 4, "float16": 2, "bfloat16": 2}
"""Bytes of a number."""


@dataclass(frozen=True)
class Batch:
    """The sequences that a job gives its model at once."""

    sequences: int
    prompt: float
    """Tokens of a prompt."""
    written: float = 0
    """Tokens that are generated after it at most; 0 if one forward pass reads it, without a cache."""
    scored: float = 0
    """Positions of a sequence that such a pass gives logits for."""


@dataclass(frozen=True)
class ModelShape:
    """What decides the memory of a model."""

    weights: int
    cache: int
    """Of a token in the key-value cache."""
    read: int
    """Of a token of a prompt, while one layer reads it."""
    vocabulary: int
    """Tokens."""


def shape_of_size(size: Size, dtype: str) -> ModelShape | None:
    """The largest of each among the models of a size; None for a size that tells of no GPU. `auto` counts as 16 bits."""
    use, width = size.footprint, WIDTHS.get(dtype, 2)
    if use is None:
        return None
    weights, cache, read = (amount * width // 2 for amount in (size.disk_mb * 10**6, use.cache_bytes, use.read_bytes))
    return ModelShape(weights, cache, read, use.vocabulary)


def shape_of_folder(folder: Path, dtype: str) -> ModelShape | None:
    """That of a model's folder, by its config.json and its weights' files; None if these do not say it.

    A sliding window is left out, so that the cache is that of a model without one.
    """
    place, _ = adapted(folder) or (folder, 0)
    files = [*place.glob("*.safetensors"), *(folder.glob("*.safetensors") if place != folder else ())]
    if not (place / "config.json").is_file() or not files:
        return None
    config = read_json(place / "config.json")
    stored = WIDTHS.get(str(config.get("dtype") or config.get("torch_dtype")), 2)
    width = WIDTHS.get(dtype, stored)
    config = config.get("text_config") or config
    layers, heads, hidden = (
        _number(config, *names)
        for names in (("num_hidden_layers", "n_layer"), ("num_attention_heads", "n_head"), ("hidden_size", "n_embd"))
    )
    vocabulary = _number(config, "vocab_size")
    if not (layers and heads and hidden and vocabulary):
        return None
    inner = _number(config, "intermediate_size", "n_inner") or 4 * hidden
    shared, head = _number(config, "num_key_value_heads") or heads, _number(config, "head_dim") or hidden // heads
    return ModelShape(
        weights=sum(file.stat().st_size for file in files) * width // stored,
        cache=2 * layers * shared * head * width,
        read=(8 * hidden + 3 * inner) * width,
        vocabulary=vocabulary,
    )


def needed(shape: ModelShape, batch: Batch) -> int:
    """What weights and a whole batch take together: cache, one layer's activations, logits of a step."""
    return shape.weights + batch.sequences * _of_sequence(shape, batch)


def most_sequences(shape: ModelShape, batch: Batch, available: int) -> int:
    """How many of a batch's sequences fit beside the weights; 0 if not one does."""
    return max(0, int((available - shape.weights) // _of_sequence(shape, batch)))


def _of_sequence(shape: ModelShape, batch: Batch) -> int:
    if not batch.written:
        return int(batch.prompt * shape.read + batch.scored * shape.vocabulary * SCORED)
    context = batch.prompt + batch.written
    layer = max(batch.prompt * shape.read, context * shape.read / COPIED)
    return int(context * shape.cache + layer + shape.vocabulary * DRAWN)


def _number(config: dict[str, Any], *names: str) -> int | None:
    return next((config[name] for name in names if isinstance(config.get(name), int)), None)
