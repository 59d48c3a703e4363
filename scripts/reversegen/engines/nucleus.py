"""The nucleus of top-p sampling, found among the most probable tokens instead of by sorting the whole vocabulary.

transformers' `TopPLogitsWarper` sorts all logits at every step. That takes more time than a step of a small model on a CPU, and
a nucleus has far fewer tokens than a vocabulary.
"""

from __future__ import annotations

from typing import Any

MOST = 1024
"""The most tokens of a nucleus that is found here. transformers finds a larger one."""
ROUNDING = 1e-4
"""A share that is as near as this to `top_p` is left to transformers, whose float32 sum of a vocabulary rounds by less."""


class Nucleus:
    """What transformers' `TopPLogitsWarper` returns: the scores, with -inf for tokens outside the nucleus."""

    def __init__(self, top_p: float) -> None:
        from transformers import TopPLogitsWarper

        self._top_p, self._whole = top_p, TopPLogitsWarper(top_p)

    def __call__(self, tokens: Any, scores: Any) -> Any:
        """Scores of shape (sequences, vocabulary) to scores of the same shape."""
        import torch

        shares = torch.softmax(scores, -1)
        if shares.shape[-1] <= MOST or not torch.isfinite(shares).all():
            return self._whole(tokens, scores)
        top, places = shares.topk(MOST)
        before = top.double().cumsum(-1) - top  # what the more probable tokens have
        inside = before < self._top_p
        last = inside.sum(-1, keepdim=True) - 1
        tied = top.gather(1, last) == top.gather(1, (last + 1).clamp(max=MOST - 1))
        unsure = ((before - self._top_p).abs() < ROUNDING).any(-1) | tied.squeeze(-1) | inside[:, -1]
        outside = torch.ones_like(scores, dtype=torch.bool).scatter_(1, places, ~inside)
        kept = scores.masked_fill(outside, -torch.inf)
        if unsure.any():
            kept[unsure] = self._whole(None, scores[unsure])
        return kept
