"""The nucleus of top-p sampling, beside transformers' own and a count by hand."""

from __future__ import annotations

import math

import pytest
import torch
from transformers import TopPLogitsWarper

from reversegen.engines.nucleus import MOST, Nucleus

VOCABULARY = 20_000


def logits(spread: float, rows: int = 40) -> torch.Tensor:
    return torch.randn(rows, VOCABULARY, generator=torch.Generator().manual_seed(0)) * spread


@pytest.mark.parametrize("top_p", [0.001, 0.5, 0.9, 0.95, 0.999])
@pytest.mark.parametrize("spread", [0.1, 1.5, 3.0, 6.0, 30.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_equals_that_of_transformers(spread: float, top_p: float, dtype: torch.dtype) -> None:
    """Some of these have thousands of tokens, and in bfloat16 many have the same logit."""
    scores = logits(spread).to(dtype).float()
    assert torch.equal(Nucleus(top_p)(None, scores), TopPLogitsWarper(top_p)(None, scores))


def test_shares_at_the_limit_are_decided_as_transformers_decides() -> None:
    """The best tokens have 1/2, 1/4, 1/8 ...; 3/4 is a sum of them."""
    scores = torch.full((4, VOCABULARY), -1000.0)
    for row, first in enumerate((0, 7, 5000, VOCABULARY - 20)):
        scores[row, first : first + 20] = torch.arange(20) * -math.log(2)
    for top_p in (0.5, 0.75, 0.875, 0.7499999, 0.7500001):
        expected = TopPLogitsWarper(top_p)(None, scores)
        assert torch.equal(Nucleus(top_p)(None, scores), expected)
    inside = Nucleus(0.8)(None, scores).isfinite()
    assert inside.sum(-1).tolist() == [3, 3, 3, 3]
    assert inside[2, 5000:5003].all()


def test_tokens_that_cannot_be_drawn_stay_so_and_a_small_vocabulary_is_whole() -> None:
    scores = logits(3.0)
    scores[:, ::2] = -torch.inf
    assert torch.equal(Nucleus(0.9)(None, scores), TopPLogitsWarper(0.9)(None, scores))
    for size in (1, 2, 50, MOST, MOST + 1):
        assert torch.equal(Nucleus(0.9)(None, scores[:, :size]), TopPLogitsWarper(0.9)(None, scores[:, :size]))


def test_transformers_sorts_nothing_if_the_nucleus_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("sorted")

    scores = torch.full((3, VOCABULARY), -5.0)
    scores[:, :6] = torch.tensor([12.0, 11.0, 9.0, 7.5, 6.0, 3.0])
    expected = TopPLogitsWarper(0.9)(None, scores)
    monkeypatch.setattr(torch, "sort", refuse)
    assert torch.equal(Nucleus(0.9)(None, scores), expected)
