"""How well a target's scores tell its right answers from its wrong ones: on all answers, or on draws of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reversegen.core.records import Confidence

Draws = npt.NDArray[np.float64]

BINS = 15
"""Of the calibration error, of equal width; 1 belongs to the last bin."""


def sureness(confidence: Confidence) -> float:
    """R-Tuning's score of an answer: half the probability of its letter and half that of being sure.

    Zhang et al., arXiv 2311.09677.
    """
    return (confidence.answer + confidence.sure) / 2


def average_precision(right: Draws, score: Draws, weights: Draws) -> Draws:
    """Of each draw: the mean of precision over recall's steps, as scikit-learn has it, ties taken together.

    `weights` says how often each answer is in a draw, shape (draws, answers). Not a number where a draw has no right answer.
    """
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    hits = np.cumsum(weights[:, order] * right[order], axis=1)[:, ends]
    taken = np.cumsum(weights[:, order], axis=1)[:, ends]
    steps = np.diff(hits, axis=1, prepend=0.0)
    precision = np.divide(hits, taken, out=np.zeros_like(hits), where=taken > 0)
    return ratio((precision * steps).sum(axis=1), hits[:, -1])


def calibration_error(right: Draws, score: Draws, weights: Draws) -> Draws:
    """Of each draw: the mean over answers of the distance between accuracy and mean score of their bin.

    Guo et al., arXiv 1706.04599. `weights` as for average_precision.
    """
    number = np.minimum((score * BINS).astype(int), BINS - 1)
    gaps = np.zeros((len(score), BINS))
    gaps[np.arange(len(score)), number] = right - score
    return ratio(np.abs(weights @ gaps).sum(axis=1), weights.sum(axis=1))


def ratio(part: Draws, whole: Draws) -> Draws:
    """Of each draw; not a number where the whole is nothing."""
    quotient: Draws = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return quotient
