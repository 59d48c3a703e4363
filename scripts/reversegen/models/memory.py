"""Estimates of the GPU memory that a model and a batch of its sequences take. All amounts are in bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reversegen.config.workflow import Size
from reversegen.core.files import read_json
from reversegen.models.folder import adapted

DRAWN = 44
"""Bytes for each token of the vocabulary while a sequence's next token is drawn: logits in 16 and 32 bits (6), divided by the
temperature (4), sorted with their numbers (12), their softmax and its cumulative sums (8), two masks (2), the logits within
top-p (4), their softmax (4) and the noise (4)."""
SCORED = 10
"""Bytes for each token of the vocabulary at a position that is scored: logits in 16 and 32 bits (6) and log-softmax (4)."""
COPIED = 4
"""A token in the cache takes a quarter of the memory of a token that is being read. Its keys and values of one layer are copied
as the cache grows, and again for each head that shares them: 8 x hidden size bytes of 2 x (8 x hidden + 3 x intermediate)."""
WIDTHS = {"float32": 4, "float": 4, "float16": 2, "bfloat16": 2}
"""Bytes of a number, by its dtype."""


@dataclass(frozen=True)
class Batch:
    """The sequences that a job gives its model at once."""

    sequences: int
    prompt: float
    """Number of tokens of a prompt."""
    written: float = 0
    """Largest number of tokens generated after the prompt. 0 for a single forward pass without a cache."""
    scored: float = 0
    """Number of positions of a sequence for which such a pass gives logits."""


@dataclass(frozen=True)
class ModelShape:
    """The sizes that decide the memory of a model."""

    weights: int
    cache: int
    """Bytes of a token in the key-value cache."""
    read: int
    """Bytes of a prompt token while one layer reads it."""
    vocabulary: int
    """Number of tokens for which logits are computed."""


def shape_of_size(size: Size, dtype: str) -> ModelShape | None:
    """The shape of the largest model of a size. None for a size without a footprint. The dtype `auto` counts as 16 bits."""
    use, width = size.footprint, WIDTHS.get(dtype, 2)
    if use is None:
        return None
    weights, cache, read = (amount * width // 2 for amount in (size.disk_mb * 10**6, use.cache_bytes, use.read_bytes))
    return ModelShape(weights, cache, read, use.vocabulary)


def shape_of_folder(folder: Path, dtype: str) -> ModelShape | None:
    """The shape of the model in a folder, from its config.json and its weight files. None if these do not give it.

    A sliding window is ignored, so the cache is that of a model without one.
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
    """Bytes of the weights and of a whole batch: its cache, the activations of one layer, and the logits of a step."""
    return shape.weights + batch.sequences * _of_sequence(shape, batch)


def most_sequences(shape: ModelShape, batch: Batch, available: int) -> int:
    """How many of a batch's sequences fit into `available` bytes beside the weights; 0 if none fits."""
    return max(0, int((available - shape.weights) // _of_sequence(shape, batch)))


def _of_sequence(shape: ModelShape, batch: Batch) -> int:
    if not batch.written:
        return int(batch.prompt * shape.read + batch.scored * shape.vocabulary * SCORED)
    context = batch.prompt + batch.written
    layer = max(batch.prompt * shape.read, context * shape.read / COPIED)
    return int(context * shape.cache + layer + shape.vocabulary * DRAWN)


def _number(config: dict[str, Any], *names: str) -> int | None:
    return next((config[name] for name in names if isinstance(config.get(name), int)), None)
