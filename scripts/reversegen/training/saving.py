"""Merging an adapter, and whether a saved model still has what its training gained. Importing this imports torch.

The rows are asked three times: of the trainer's model before its first step and after its last, and of the saved folder, loaded
as an engine loads it. What is compared is the log-probability of completions, and of pairs its margin, chosen over rejected.
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
"""Rows or pairs that are asked, three times each: seconds on a GPU, beside minutes for loading 8 billion weights."""
LEAST = 0.5
"""Share of the gain below which a job stops."""
GAIN = 0.5
"""Least gain in nats that is judged in 16 bits: their arithmetic moves sums of log-probabilities of like rows all alike, by a
few tenths (SmolLM2 on a CPU, 14 tokens: float32 and bfloat16 differ by 0.3 in the mean margin of the same weights)."""
ERROR = 0.25
"""Largest standard error of a share: with a larger one a whole and a half cannot be told apart (two errors)."""


class TokenPart(NamedTuple):
    """Tokens that a model is asked for the log-probability of."""

    tokens: list[int]
    counted: list[bool]
    """Of each token, whether the loss counts it: those of the completion, as a rule."""
    sign: int
    """1, or -1 for the rejected side of a pair."""


class KeptGain(BaseModel):
    """What the manifest says of a training's gain, means over rows in nats."""

    model_config = ConfigDict(frozen=True)

    measure: Literal["margin", "log-probability"]
    rows: int
    gained: float
    """In training: the trainer's last minus the base's."""
    saved: float
    """The saved folder's minus the base's."""
    share: float | None
    """`saved` over `gained`."""
    reason: str | None
    """Why the share is null."""


def merge_adapter(model: Any, dtype: torch.dtype | None, *seed: str | int) -> Any:
    """The model under peft's adapter, the adapter added to its weights in float32 and these rounded to `dtype`.

    Without `dtype` each weight keeps its own. One weight at a time, so that no more than one is in memory in float32.
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
    """A seeded draw of at most ROWS rows of what a trainer of TRL has tokenised: one part for each, two for a pair."""
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
    """Of each row the sum over its counted tokens, in nats: minus that of the rejected side for a pair.

    One sequence at a time, so that nothing depends on what it would share a batch with.
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
    """The share of what training gained that the saved folder has: a ratio of means over the rows.

    Null if nothing or less than `least` was gained, and if the standard error of the ratio is above ERROR (Cochran, Sampling
    Techniques, 1977, chapter 6): the gain then is no larger than what arithmetic in 16 bits moves. Still a number if more than
    `least` is lost and the share is below LEAST by two errors: a broken folder may be off by another amount in each row. Above
    1 if arithmetic hides a part of the gain from the trainer. Raises BadInput if a log-probability is no finite number.
    """
    if not all(map(math.isfinite, [*before, *after])):
        raise BadInput("training: the trained model's log-probabilities are no numbers; lower training.learning_rate")
    if not all(map(math.isfinite, saved)):
        raise BadInput(
            "the saved model's log-probabilities are no numbers; give the model another `dtype` in config/models.yaml"
        )
    gains = [a - b for a, b in zip(after, before, strict=True)]
    left = [s - b for s, b in zip(saved, before, strict=True)]
    gained, found = statistics.fmean(gains), statistics.fmean(left)
    share, reason, small = None, None, "training gained less on these rows than arithmetic in 16 bits moves"
    if gained <= 0:
        reason = "training gained nothing on these rows"
    elif len(gains) < 2:
        reason = "one row is too few"
    else:
        ratio = found / gained
        rests = [part - ratio * gain for part, gain in zip(left, gains, strict=True)]
        error = math.sqrt(sum(rest**2 for rest in rests) / (len(rests) - 1) / len(rests)) / gained
        lost = ratio + 2 * error < LEAST and gained - found > least
        if lost or (gained >= least and error <= ERROR):
            share = round(ratio, 4)
        else:
            reason = small
    return KeptGain(
        measure="margin" if pairs else "log-probability",
        rows=len(gains),
        gained=round(gained, 4),
        saved=round(found, 4),
        share=share,
        reason=reason,
    )
