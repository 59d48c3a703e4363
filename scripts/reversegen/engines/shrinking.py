"""Batches of transformers' `generate` that read each prompt once and drop the sequences that have ended.

`generate` reads a prompt again for each of its samples, and computes every sequence until the longest one of the batch ends. It
also reads again what all prompts of a batch begin with, such as a system text or the policy in a judge's question.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

SMALLEST = 10_000_000
"""Parameters of the smallest model that is worth it. A step of a smaller one takes less time than a call of `generate`."""
SHARED = 8
"""Tokens at the beginning of all prompts of a batch from which on they are read once for all of them."""
STEPS = 8
"""Tokens between two looks at which sequences have ended. Each look is a call of `generate`, of some milliseconds."""


def can_shrink(model: Any) -> bool:
    """Whether a model is large enough, caches keys and values of attention alone, by sequence, and takes positions.

    A model that takes no positions, such as one with ALiBi, counts them itself, and may count padding inside a row.
    """
    config = model.config.get_text_config()
    kinds = {*(getattr(config, "layer_types", None) or ["full_attention"])}
    mixed = any(getattr(config, name, None) for name in ("layers_block_type", "block_types", "is_encoder_decoder"))
    placed = {"past_key_values", "position_ids"} <= inspect.signature(model.forward).parameters.keys()
    return (
        placed and not mixed and kinds <= {"full_attention", "sliding_attention"} and model.num_parameters() >= SMALLEST
    )


def write_tokens(
    model: Any,
    prompts: Any,
    places: Sequence[int],
    limit: int,
    keep: Callable[[list[int]], None],
    **settings: Any,
) -> list[list[int]]:
    """The tokens after the prompt at each of `places`, up to `limit`, in rows of one length with padding after their ends.

    `prompts` is a tokenizer's batch, padded on the left, on the model's device; a prompt may have several places. `keep` is
    called with the numbers of the sequences that remain, whenever some have ended. `settings` are arguments of `generate`, with
    `eos_token_id` as a list and `pad_token_id`. To be called in inference mode.
    """
    import torch

    index = torch.tensor(places, device=model.device)
    shared = _shared(model, prompts, index)
    all_tokens, all_masks = _beginning_first(prompts["input_ids"], prompts["attention_mask"], shared)
    cache = _read_once(model, all_tokens, all_masks, index, shared)
    tokens, mask = all_tokens[index], all_masks[index]
    stops = torch.tensor(settings["eos_token_id"], device=model.device)
    alive, written = list(range(len(places))), [list[int]() for _ in places]
    while alive and (steps := min(STEPS, limit - len(written[alive[0]]))) > 0:
        given = {} if cache is None else {"past_key_values": cache}
        output = model.generate(
            input_ids=tokens,
            attention_mask=mask,
            max_new_tokens=steps,
            return_dict_in_generate=True,
            **given,
            **settings,
        )
        tokens, cache = output.sequences, output.past_key_values
        new = tokens[:, mask.shape[1] :]
        for number, row in zip(alive, new.tolist(), strict=True):
            written[number] += row
        mask = torch.cat([mask, torch.ones_like(new)], 1)
        [going] = torch.isin(new, stops).any(1).logical_not().nonzero(as_tuple=True)
        if 0 < len(going) < len(alive):
            tokens, mask = tokens[going], mask[going]
            cache.batch_select_indices(going)
            keep(going.tolist())
        alive = [alive[place] for place in going.tolist()]
    longest = max(map(len, written))
    return [row + [settings["pad_token_id"]] * (longest - len(row)) for row in written]


def _shared(model: Any, prompts: Any, index: Any) -> int:
    """The number of tokens with which all prompts at `index` begin and after which each has one more; 0 if they are few.

    In a sliding window padding would take places, so a model with one reads each prompt whole.
    """
    rows = [
        tokens[mask == 1].tolist()
        for tokens, mask in zip(prompts["input_ids"][index], prompts["attention_mask"][index], strict=True)
    ]
    distinct = {tuple(row) for row in rows}
    kinds = getattr(model.config.get_text_config(), "layer_types", None) or []
    if len(distinct) == 1 or "sliding_attention" in kinds or getattr(model.config, "sliding_window", None):
        return 0
    first, last = min(distinct), max(distinct)  # all others lie between them and share as much
    length = next((n for n, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    length = min(length, min(map(len, distinct)) - 1)
    return length if length >= SHARED else 0


def _beginning_first(tokens: Any, mask: Any, shared: int) -> tuple[Any, Any]:
    """Prompts that are padded on the left, with the first `shared` tokens of each moved in front of its padding."""
    import torch

    if not shared:
        return tokens, mask
    tokens, mask = tokens.clone(), mask.clone()
    for row, attended in zip(tokens, mask, strict=True):
        padding = int((attended == 0).sum())
        row[: padding + shared] = torch.cat([row[padding : padding + shared], row[:padding]])
        attended[:shared], attended[shared : padding + shared] = 1, 0
    return tokens, mask


def _read_once(model: Any, tokens: Any, mask: Any, index: Any, shared: int) -> Any:
    """A cache of all tokens but the last of the prompts at `index`; None if there is nothing to read once.

    Each distinct prompt is read once, and the first `shared` tokens once for all of them.
    """
    import torch
    from transformers import DynamicCache

    distinct, places = torch.unique(index, return_inverse=True)
    if (len(distinct) == len(index) and not shared) or tokens.shape[1] == 1:
        return None
    tokens, mask = tokens[distinct], mask[distinct]
    positions = (mask.cumsum(-1) - 1).clamp(min=0)  # padding takes no position
    parameters = inspect.signature(model.forward).parameters
    cache = DynamicCache(config=model.config.get_text_config())

    def read(rows: slice, start: int, end: int) -> None:
        arguments: dict[str, Any] = {"logits_to_keep": 1} if "logits_to_keep" in parameters else {}
        model(
            input_ids=tokens[rows, start:end],
            attention_mask=mask[rows, :end],
            position_ids=positions[rows, start:end],
            past_key_values=cache,
            use_cache=True,
            **arguments,
        )

    if shared:
        read(slice(1), 0, shared)
        cache.batch_select_indices(torch.zeros_like(distinct))
    if shared < tokens.shape[1] - 1:
        read(slice(None), shared, tokens.shape[1] - 1)
    cache.batch_select_indices(places)
    return cache
