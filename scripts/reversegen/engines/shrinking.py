"""Batches of transformers' `generate` that read each prompt once and drop the sequences that have ended.

`generate` reads a prompt again for each of its samples, and computes every sequence until the longest one of the batch ends.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

SMALLEST = 10_000_000
"""Parameters of the smallest model that is worth it. A step of a smaller one takes less time than a call of `generate`."""
STEPS = 8
"""Tokens between two looks at which sequences have ended. Each look is a call of `generate`, of some milliseconds."""


def can_shrink(model: Any) -> bool:
    """Whether a model is large enough, and caches keys and values of attention alone, by sequence."""
    config = model.config.get_text_config()
    kinds = {*(getattr(config, "layer_types", None) or ["full_attention"])}
    mixed = any(getattr(config, name, None) for name in ("layers_block_type", "block_types", "is_encoder_decoder"))
    cached = "past_key_values" in inspect.signature(model.forward).parameters
    return (
        cached and not mixed and kinds <= {"full_attention", "sliding_attention"} and model.num_parameters() >= SMALLEST
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
    cache = _read_once(model, prompts, index)
    tokens, mask = prompts["input_ids"][index], prompts["attention_mask"][index]
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


def _read_once(model: Any, prompts: Any, index: Any) -> Any:
    """A cache of all tokens but the last of the prompts at `index`, each read once; None if each has one place."""
    import torch
    from transformers import DynamicCache

    distinct, places = torch.unique(index, return_inverse=True)
    if len(distinct) == len(index) or prompts["input_ids"].shape[1] == 1:
        return None
    tokens, mask = prompts["input_ids"][distinct, :-1], prompts["attention_mask"][distinct, :-1]
    parameters = inspect.signature(model.forward).parameters
    arguments: dict[str, Any] = {"logits_to_keep": 1} if "logits_to_keep" in parameters else {}
    if "position_ids" in parameters:  # padding takes no position
        arguments["position_ids"] = (mask.cumsum(-1) - 1).clamp(min=0)
    cache = DynamicCache(config=model.config.get_text_config())
    model(input_ids=tokens, attention_mask=mask, past_key_values=cache, use_cache=True, **arguments)
    cache.batch_select_indices(places)
    return cache
