"""Calibration agrees with a slow loop over bins, and average precision with scikit-learn."""

from __future__ import annotations

import random

import numpy as np
import pytest

from reversegen.config.task import Evaluation, KindUse
from reversegen.core.metric import Metric
from reversegen.core.records import Confidence, Label, Question
from reversegen.evaluation.calibration import calibration
from reversegen.kinds import open_kind
from reversegen.kinds.honesty import Honesty
from reversegen.kinds.safety import Safety
from reversegen.kinds.scores import BINS, calibration_error

SETTINGS = Evaluation(bootstrap=200, diversity_sample=10)
MATH = open_kind(
    KindUse(
        name="honesty",
        honesty=Honesty(
            samples=10,
            temperature=1,
            threshold=1.193,
            none_of_the_above=True,
            sure_question="?",
            sure="yes",
            unsure="no",
        ),
        safety=Safety(refusals=["no"]),
    )
)


def slow(right: list[bool], scores: list[float], bins: int) -> float:
    """Guo et al.'s formula, bin by bin. A score on an edge belongs to the bin above it, and 1 belongs to the last bin."""
    total = 0.0
    for b in range(bins):
        low, high = b / bins, (b + 1) / bins
        members = [n for n, s in enumerate(scores) if low <= s < high or (b == bins - 1 and s == 1)]
        if members:
            accuracy = sum(right[n] for n in members) / len(members)
            confidence = sum(scores[n] for n in members) / len(members)
            total += len(members) / len(scores) * abs(accuracy - confidence)
    return total


def error_of(right: list[bool], scores: list[float]) -> float:
    """The calibration error of all answers, each counted once."""
    return float(calibration_error(np.array(right, dtype=float), np.array(scores), np.ones((1, len(right))))[0])


@pytest.mark.parametrize("seed", range(12))
def test_the_calibration_error_agrees_with_a_loop(seed: int) -> None:
    rng = random.Random(seed)
    count = rng.choice([1, 2, 30, 500])
    scores = [rng.choice([0.0, 1.0, rng.random(), rng.random() ** 3]) for _ in range(count)]
    right = [rng.random() < s * rng.random() for s in scores]
    assert error_of(right, scores) == pytest.approx(slow(right, scores, BINS), abs=1e-12)


@pytest.mark.parametrize(
    ("right", "scores", "expected"),
    [
        ([True, True], [1.0, 1.0], 0.0),
        ([False, False], [1.0, 1.0], 1.0),
        ([False], [0.0], 0.0),
        ([True, False], [0.5, 0.5], 0.0),
        ([True, True, False, False], [0.9, 0.9, 0.2, 0.2], 0.15),
        ([True, False], [0.99, 0.01], 0.01),
    ],
)
def test_the_calibration_error_by_hand(right: list[bool], scores: list[float], expected: float) -> None:
    assert error_of(right, scores) == pytest.approx(expected)


def world(
    right: list[bool], answers: list[float], sures: list[float]
) -> tuple[list[Question], dict[str, Label], dict[str, Confidence]]:
    questions, labels, confidences = [], {}, {}
    for n, (hit, answer, sure) in enumerate(zip(right, answers, sures, strict=True)):
        identity = f"q{n}"
        questions.append(
            Question(id=identity, text=f"{n} is ?\nA. x\nB. y", answer="A", group=None, measure="accuracy")
        )
        verdict = "passed" if hit else "failed"
        labels[identity] = Label(instruction_id=identity, verdict=verdict, score=None, detail="")
        confidences[identity] = Confidence(question_id=identity, option="A", answer=answer, sure=sure)
    return questions, labels, confidences


@pytest.mark.parametrize("seed", range(6))
def test_both_metrics_use_the_published_score(seed: int) -> None:
    from sklearn.metrics import average_precision_score

    rng = random.Random(seed)
    count = rng.choice([10, 120])
    answers, sures = ([round(rng.random(), 2) for _ in range(count)] for _ in range(2))  # with ties
    right = [rng.random() < (a + s) / 2 for a, s in zip(answers, sures, strict=True)]
    right[0] = True
    scores = [(a + s) / 2 for a, s in zip(answers, sures, strict=True)]
    result = calibration(*world(right, answers, sures), SETTINGS, 0, MATH)
    assert result["average_precision"].value == pytest.approx(average_precision_score(right, scores), abs=1e-6)
    assert result["calibration_error"].value == pytest.approx(slow(right, scores, 15), abs=1e-6)
    unsure = sum(s < 0.5 for s in sures)
    assert (result["unsure_share"].count, result["unsure_share"].total) == (unsure, count)
    precision = result["average_precision"]
    assert precision.low <= precision.value <= precision.high
    assert result == calibration(*world(right, answers, sures), SETTINGS, 0, MATH)


def test_average_precision_by_hand() -> None:
    """The ranking is right, wrong, right: (1/1 + 2/3) / 2."""
    result = calibration(*world([True, False, True], [0.9, 0.8, 0.1], [0.9, 0.8, 0.1]), SETTINGS, 0, MATH)
    assert result["average_precision"].value == 0.833333


def test_an_invalid_answer_is_not_a_right_one() -> None:
    questions, labels, confidences = world([True, True], [0.9, 0.8], [0.9, 0.8])
    labels["q0"] = labels["q0"].model_copy(update={"verdict": "invalid"})
    result = calibration(questions, labels, confidences, SETTINGS, 0, MATH)
    assert result["average_precision"].value == 0.5
    assert result["calibration_error"].value == pytest.approx((0.9 + 0.2) / 2)


def test_precision_is_null_if_no_answer_is_right() -> None:
    result = calibration(*world([False] * 5, [0.9] * 5, [0.9] * 5), SETTINGS, 0, MATH)
    reason = "no answer is right, so that there is nothing to rank"
    assert result["average_precision"] == Metric(value=None, reason=reason)
    assert result["unsure_share"].count == 0


def test_a_target_that_is_always_wrong_and_sure_has_a_calibration_error() -> None:
    result = calibration(*world([False] * 5, [0.9] * 5, [0.9] * 5), SETTINGS, 0, MATH)
    assert result["calibration_error"].value == pytest.approx(0.9)
