"""Merging an adapter, and checking that a saved model keeps what its training gained. Importing this imports torch.

Three models compute log-probabilities of the same rows: the trainer's before its first step, the trainer's after its last step,
and the saved one, loaded as an engine loads it. They are compared by the log-probability of completions, or for pairs by the
margin of chosen over rejected.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict

from reversegen.core.errors import BadInput
from reversegen.ids import hashed_seed
from reversegen.models.rounding import rounded

ROWS = 32
"""Rows or pairs that are compared. They take seconds on a GPU, while loading 8 billion weights takes minutes."""
LEAST = 0.5
"""The least share of the gain that must be kept. The job stops below it."""
GAIN = 0.5
"""The least gain, in nats, for which a share is computed in 16 bits. 16-bit arithmetic shifts the log-probabilities of similar
rows together by a few tenths of a nat (SmolLM2 on a CPU, 14 tokens: the mean margin of the same weights differs by 0.3 between
float32 and bfloat16)."""
ERROR = 0.25
"""The largest standard error of a share. With a larger one, shares of 1 and 0.5 are not two errors apart."""


class TokenPart(NamedTuple):
    """A sequence whose log-probability is computed."""

    tokens: list[int]
    counted: list[bool]
    """For each token, whether the loss counts it. Usually it counts the tokens of the completion."""
    sign: int
    """1, or -1 for the rejected side of a pair."""


class KeptGain(BaseModel):
    """How much better the trained model scores its rows than the base, and how much of that the saved model keeps.

    Values are means over rows, in nats.
    """

    model_config = ConfigDict(frozen=True)

    measure: Literal["margin", "log-probability"]
    rows: int
    gained: float
    """The value of the trainer's model after its last step minus the value of the base."""
    saved: float
    """The value of the saved model minus the value of the base."""
    share: float | None
    """`saved` divided by `gained`."""
    reason: str | None
    """The reason if `share` is null."""


def merge_adapter(model: Any, dtype: torch.dtype | None, *seed: str | int) -> Any:
    """Merge peft's adapter into the model's weights: add in float32, then round to `dtype`, or to a weight's own if None.

    Weights are merged one at a time, so that at most one is in memory in float32. Returns the model without the adapter.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    tuned: list[tuple[str, Any]] = [(n, m) for n, m in model.named_modules() if isinstance(m, BaseTunerLayer)]
    for name, layer in tuned:
        weight = layer.get_base_layer().weight
        merged = weight.detach().float()
        for adapter in layer.active_adapters:
            merged = merged + layer.get_delta_weight(adapter).float()
        weight.data = rounded(merged, dtype or weight.dtype, *seed, name)
    return model.unload()


def drawn_rows(dataset: Any, random_seed: int) -> list[list[TokenPart]]:
    """A seeded draw of at most ROWS rows from the tokenised data set of a TRL trainer: one part a row, two parts a pair."""
    rng = random.Random(hashed_seed(random_seed, "kept"))
    drawn = [dataset[place] for place in sorted(rng.sample(range(len(dataset)), min(ROWS, len(dataset))))]
    if "labels" in dataset.column_names:
        return [[TokenPart(row["input_ids"], [label != -100 for label in row["labels"]], 1)] for row in drawn]
    return [
        [
            TokenPart(row["prompt_ids"] + row[side], [False] * len(row["prompt_ids"]) + [True] * len(row[side]), sign)
            for side, sign in (("chosen_ids", 1), ("rejected_ids", -1))
        ]
        for row in drawn
    ]


def log_probabilities(model: Any, rows: Sequence[Sequence[TokenPart]]) -> list[float]:
    """The log-probability of each row in nats, summed over the counted tokens. For a pair it is chosen minus rejected.

    Sequences are computed one at a time, so that none depends on the others of a batch.
    """
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    sums = []
    with torch.no_grad():
        for parts in rows:
            score = 0.0
            for part in parts:
                tokens, counted = (
                    torch.tensor(part.tokens, device=device),
                    torch.tensor(part.counted, device=device)[1:],
                )
                logits = model(input_ids=tokens[None], use_cache=False).logits[0, :-1][counted]
                losses = torch.nn.functional.cross_entropy(logits.float(), tokens[1:][counted], reduction="sum")
                score -= part.sign * float(losses)
            sums.append(score)
    model.train(training)
    return sums


def kept(
    before: Sequence[float], after: Sequence[float], saved: Sequence[float], pairs: bool, least: float
) -> KeptGain:
    """The share of the gain of training that the saved model keeps: a ratio of means over the rows.

    The share is null if the gain is not positive or is less than `least` nats, and if the standard error of the ratio is above
    ERROR (Cochran, Sampling Techniques, 1977, chapter 6). The gain is then no larger than the effect of 16-bit arithmetic. The
    share is still given if more than `least` nats are lost and it is more than two errors below LEAST, since a broken folder
    may be wrong by another amount in each row. It is above 1 if arithmetic hides a part of the gain from the trainer. Raises
    BadInput if a log-probability is not finite.
    """
    if not all(map(math.isfinite, [*before, *after])):
        raise BadInput("training: the trained model's log-probabilities are not finite; lower training.learning_rate")
    if not all(map(math.isfinite, saved)):
        raise BadInput(
            "the saved model's log-probabilities are not finite; give the model another `dtype` in config/models.yaml"
        )
    gains = [a - b for a, b in zip(after, before, strict=True)]
    saved_gains = [s - b for s, b in zip(saved, before, strict=True)]
    gained, saved_gain = statistics.fmean(gains), statistics.fmean(saved_gains)
    share, reason, small = None, None, "training gained less on these rows than arithmetic in 16 bits moves"
    if gained <= 0:
        reason = "training gained nothing on these rows"
    elif len(gains) < 2:
        reason = "one row is too few"
    else:
        ratio = saved_gain / gained
        residuals = [part - ratio * gain for part, gain in zip(saved_gains, gains, strict=True)]
        error = math.sqrt(sum(one**2 for one in residuals) / (len(residuals) - 1) / len(residuals)) / gained
        lost = ratio + 2 * error < LEAST and gained - saved_gain > least
        if lost or (gained >= least and error <= ERROR):
            share = round(ratio, 4)
        else:
            reason = small
    return KeptGain(
        measure="margin" if pairs else "log-probability",
        rows=len(gains),
        gained=round(gained, 4),
        saved=round(saved_gain, 4),
        share=share,
        reason=reason,
    )
