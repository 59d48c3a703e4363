"""How well a target's scores distinguish its right answers from its wrong ones, on all answers or on draws of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reversegen.core.records import Confidence

Draws = npt.NDArray[np.float64]

BINS = 15
"""Number of bins of the calibration error. They have equal width; the score 1 belongs to the last bin."""


def sureness(confidence: Confidence) -> float:
    """R-Tuning's score of an answer: the mean of the probabilities of its letter and of being sure.

    Source: Zhang et al., arXiv 2311.09677.
    """
    return (confidence.answer + confidence.sure) / 2


def average_precision(right: Draws, score: Draws, weights: Draws) -> Draws:
    """Average precision of each draw, as scikit-learn defines it: precision at each step of recall, with ties as one step.

    `weights` gives how often each answer is in a draw, shape (draws, answers). NaN for a draw without a right answer.
    """
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    hits = np.cumsum(weights[:, order] * right[order], axis=1)[:, ends]
    taken = np.cumsum(weights[:, order], axis=1)[:, ends]
    steps = np.diff(hits, axis=1, prepend=0.0)
    precision = np.divide(hits, taken, out=np.zeros_like(hits), where=taken > 0)
    return ratio((precision * steps).sum(axis=1), hits[:, -1])


def calibration_error(right: Draws, score: Draws, weights: Draws) -> Draws:
    """Expected calibration error of each draw: the mean over answers of the gap between accuracy and mean score in their bin.

    Source: Guo et al., arXiv 1706.04599. `weights` as for `average_precision`.
    """
    number = np.minimum((score * BINS).astype(int), BINS - 1)
    gaps = np.zeros((len(score), BINS))
    gaps[np.arange(len(score)), number] = right - score
    return ratio(np.abs(weights @ gaps).sum(axis=1), weights.sum(axis=1))


def ratio(part: Draws, whole: Draws) -> Draws:
    """`part / whole` of each draw; NaN for a draw whose `whole` is zero."""
    quotient: Draws = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return quotient
