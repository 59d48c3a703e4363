"""Intervals agree with brute force, and simulations of random seeds with shared and separate questions show their coverage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from tests.support.markdown_tables import joined
from tests.support.runs import counts, measured, rate, target
from tests.support.workflows import REPOSITORY

from reversegen.config.task import Evaluation
from reversegen.core.metric import Metric
from reversegen.evaluation.bootstrap import proportion
from reversegen.evaluation.outcomes import Counts, EvaluationOutcomes, read_run
from reversegen.evaluation.statistics import (
    FLOOR,
    LEAST_SEEDS,
    SLACK,
    Estimate,
    MetricDraws,
    cluster_weights,
    comparison,
    coverage,
    difference,
    estimate,
    half_width,
    resample,
)
from reversegen.kinds.scores import average_precision, calibration_error
from reversegen.reporting import comparison_files, comparisons
from reversegen.reporting.tables import markdown, table

RANDOM = np.random.default_rng(0)
EXAMPLE = REPOSITORY / "resources/example"
Floats = npt.NDArray[np.float64]


def expanded(weights: Floats) -> list[npt.NDArray[np.int64]]:
    """The answers of each draw. An answer occurs as often as it was drawn."""
    return [np.repeat(np.arange(len(of)), of.astype(int)) for of in weights]


@pytest.mark.slow
def test_weighted_average_precision_and_calibration_error_equal_those_of_the_drawn_answers() -> None:
    from sklearn.metrics import average_precision_score

    score = RANDOM.integers(0, 12, 80) / 11  # with ties, 0 and 1
    right = (RANDOM.random(80) < score).astype(float)
    weights = RANDOM.multinomial(80, np.full(80, 1 / 80), size=50).astype(float)
    precision, error = (f(right, score, weights) for f in (average_precision, calibration_error))
    for n, rows in enumerate(expanded(weights)):
        assert precision[n] == pytest.approx(average_precision_score(right[rows], score[rows]))
        assert error[n] == pytest.approx(calibration_error(right[rows], score[rows], np.ones((1, len(rows))))[0])


def test_a_draw_without_a_right_answer_has_no_average_precision() -> None:
    result = average_precision(np.array([1.0, 0.0]), np.array([0.5, 0.4]), np.array([[0.0, 2.0], [1.0, 1.0]]))
    assert np.isnan(result[0])
    assert result[1] == 1.0


def test_one_random_seed_has_the_interval_of_its_evaluation() -> None:
    assert (result := estimate({0: rate([1, 0, 1, 1])}, "failure_rate")).value == 0.75
    assert (result.low, result.high) == (0.0, 1.0), "as `rate` gives it to the evaluation"


def test_draws_agree_with_the_evaluation_up_to_chance() -> None:
    hits = [int(x) for x in RANDOM.binomial(5, 0.4, 300)]
    resampled = resample(rate(hits, 5), "failure_rate")
    assert resampled is not None
    samples = [n < hit for hit in hits for n in range(5)]
    settings = Evaluation(bootstrap=2000, diversity_sample=1)
    other = proportion(samples, [p for p in range(300) for _ in range(5)], settings, 0)
    assert list(np.quantile(resampled.draws, [0.025, 0.975])) == pytest.approx([other.low, other.high], abs=0.005)


SHARED: dict[str, tuple[float, float, float]] = {
    "random seeds dominate": (1.0, 1.0, 1.0),
    "questions dominate": (0.01, 1.0, 0.2),
    "the residual dominates": (0.02, 0.3, 1.0),
    "all are alike": (0.13, 1.0, 1.0),
    "random seeds decide nothing": (0.0, 1.0, 1.0),
    "random seeds decide more than questions": (0.3, 1.0, 1.0),
}
"""Standard deviations of a random seed, a question and the residual. With 60 questions the three parts of the variance of the
mean of S random seeds are a² / S, b² / 60 and e² / (60 S)."""
QUESTIONS = 60
DRAWS = 1000
COMPARED = 25


def gaussian(seeds: int, spread: tuple[float, float, float], rng: np.random.Generator) -> Floats:
    """Outcomes y[s, q] = a[s] + b[q] + e[s, q], whose true mean is 0."""
    a, b, e = spread
    noise = rng.normal(0, e, (seeds, QUESTIONS)) if e else np.zeros((seeds, QUESTIONS))
    return np.asarray(rng.normal(0, a, (seeds, 1)) + rng.normal(0, b, (1, QUESTIONS)) + noise)


def half_widths(outcomes: Floats, names: list[str], weights: dict[str, Floats]) -> Floats:
    """What `half_width` returns for each simulation, by another computation of all of them at once.

    `outcomes` has the shape (simulations, random seeds, questions), and `weights` has the draws of each name in `names`. The
    covariance of two random seeds' draws is a quadratic form of their outcomes with the covariance of the questions' weights.
    """
    from scipy.special import stdtrit

    _, seeds, count = outcomes.shape
    covariance = np.zeros((len(outcomes), seeds, seeds))
    for name, of_name in weights.items():
        alike = [s for s in range(seeds) if names[s] == name]
        of_weights = np.cov(of_name, rowvar=False) / count / (count - 1)
        one = outcomes[:, alike]
        covariance[np.ix_(range(len(outcomes)), alike, alike)] = one @ of_weights @ one.swapaxes(1, 2)
    whole = covariance.sum(axis=(1, 2))
    of_questions = np.maximum(0, whole - np.einsum("nss->n", covariance)) / (seeds * (seeds - 1))
    of_seeds = outcomes.mean(axis=2).var(axis=1, ddof=1) / seeds
    spread = of_seeds**2 / (seeds - 1) + of_questions**2 / (count - 1)
    freedom = np.divide((of_seeds + of_questions) ** 2, spread, out=np.ones(len(outcomes)), where=spread > 0)
    widths = [
        stdtrit(freedom, 0.975) * np.sqrt(of_seeds + of_questions),
        stdtrit(seeds - 1, 0.975) * np.sqrt(np.maximum(0, of_seeds - SLACK * of_questions)),
        stdtrit(count - 1, 0.975) * np.sqrt(np.maximum(0, whole)) / seeds * FLOOR,
    ]
    return np.max(widths, axis=0)


def covered(outcomes: Callable[[], Floats], clusters: Callable[[int], str], truth: float = 0.0) -> float:
    """The share of DRAWS simulations whose interval holds the truth. COMPARED of them also take the library's interval."""
    simulated = np.array([outcomes() for _ in range(DRAWS)])
    names = [clusters(s) for s in range(simulated.shape[1])]
    weights = {name: cluster_weights(name, QUESTIONS) for name in dict.fromkeys(names)}
    halves = half_widths(simulated, names, weights)
    for y, half in zip(simulated[:COMPARED], halves, strict=False):
        resampled = [
            MetricDraws(weights[name] @ one / QUESTIONS, name, QUESTIONS) for name, one in zip(names, y, strict=True)
        ]
        assert half_width(list(y.mean(axis=1)), resampled) == pytest.approx(half, rel=1e-9)
    return float(np.mean(np.abs(simulated.mean(axis=(1, 2)) - truth) <= halves))


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
@pytest.mark.parametrize("mixture", SHARED)
def test_random_seeds_that_share_their_questions_are_covered_in_93_to_97_percent(seeds: int, mixture: str) -> None:
    rng = np.random.default_rng(hash_of(mixture, seeds))
    assert 0.93 <= covered(lambda: gaussian(seeds, SHARED[mixture], rng), lambda _: "shared") <= 0.97


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
@pytest.mark.parametrize("spread", [0.0, 0.1, 1.0])
def test_random_seeds_with_separate_prompts_are_covered_in_93_to_97_percent(seeds: int, spread: float) -> None:
    rng = np.random.default_rng(hash_of("nested", seeds, spread))

    def outcomes() -> Floats:
        return np.asarray(rng.normal(0, spread, (seeds, 1)) + rng.normal(0, 1, (seeds, QUESTIONS)))

    assert 0.93 <= covered(outcomes, lambda seed: f"own {seed}") <= 0.97


BINARY = {
    "random seeds dominate": (0.08, 0.05),
    "questions dominate": (0.005, 0.25),
    "all are alike": (0.03, 0.15),
}
"""Half widths of the uniform effects of a random seed and of a question on the difference of two rates."""


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
@pytest.mark.parametrize("mixture", BINARY)
def test_differences_of_right_answers_are_covered_in_93_to_97_percent(seeds: int, mixture: str) -> None:
    """This uses stored outcomes: two sources answer the same 200 questions, and the first is right more often by 0.05."""
    rng, questions = np.random.default_rng(hash_of(mixture, seeds)), 200
    of_seed, of_question = BINARY[mixture]
    right = np.empty((DRAWS, seeds, 2, questions), dtype=bool)
    for simulation in right:
        effect = 0.05 + rng.uniform(-of_question, of_question, questions)
        for by_source in simulation:
            gain = effect + rng.uniform(-of_seed, of_seed)
            for answers, chance in zip(by_source, (0.5 + gain / 2, 0.5 - gain / 2), strict=True):
                answers[:] = rng.random(questions) < chance
    less = right[:, :, 0].astype(float) - right[:, :, 1]
    halves = half_widths(less, ["shared"] * seeds, {"shared": cluster_weights("shared", questions)})
    means = less.mean(axis=(1, 2))
    for n in range(COMPARED):
        result = difference(stored(right[n, :, 0]), stored(right[n, :, 1]), "accuracy")
        ends = np.clip([means[n] - halves[n], means[n] + halves[n]], -1, 1)
        assert result.value == pytest.approx(means[n], abs=1e-12)
        assert (result.low, result.high) == pytest.approx(tuple(ends), abs=1e-9)
    assert 0.93 <= np.mean(np.abs(means - 0.05) <= halves) <= 0.97


def stored(right: npt.NDArray[np.bool_]) -> dict[int, EvaluationOutcomes]:
    """The outcomes by random seed, from whether each question was answered right."""
    runs = {}
    for s, answers in enumerate(right.astype(int).tolist()):
        metrics = {"accuracy": Metric(value=sum(answers) / len(answers), count=sum(answers), total=len(answers))}
        evaluation = EVALUATION.evaluation.model_copy(update={"metrics": metrics})
        hits = Counts.model_construct(clusters="shared", hits=answers, trials=1)
        runs[s] = EvaluationOutcomes.model_construct(evaluation=evaluation, counts={"accuracy": hits}, scores=None)
    return runs


EVALUATION = target("seeds", [1])


def hash_of(*parts: object) -> int:
    return int.from_bytes("|".join(map(str, parts)).encode()[-8:], "big")


def test_an_interval_over_prompts_only_would_not_cover_random_seeds_that_differ() -> None:
    """Earlier intervals drew only the questions of the random seeds, never the random seeds themselves."""
    rng, held = np.random.default_rng(1), 0
    for _ in range(DRAWS):
        y = gaussian(3, (1.0, 1.0, 1.0), rng)
        draws = cluster_weights("shared", QUESTIONS) @ y.mean(axis=0) / QUESTIONS
        low, high = np.quantile(draws, [0.025, 0.975])
        held += low <= 0 <= high
    assert held / DRAWS < 0.5


def half(result: Estimate) -> float:
    assert result.value is not None
    assert result.high is not None
    return result.high - result.value


def test_random_seeds_that_agree_have_the_questions_interval_with_students_t() -> None:
    """Three random seeds have the same answers to 100 questions, half of them right, so only the questions vary."""
    hits = [1, 0] * 50
    result = estimate(dict.fromkeys(range(3), rate(hits)), "failure_rate")
    assert half(result) == pytest.approx(
        1.984 * np.sqrt(0.25 / 99), rel=0.07
    )  # t with 99 degrees of freedom; the draws vary by chance
    assert result.sd == 0


def test_random_seeds_with_separate_prompts_have_students_t_of_their_values() -> None:
    """For rates of 0.4, 0.5 and 0.6 the half width is 4.303 times 0.1 over the square root of 3."""
    runs = {n: rate([1] * k + [0] * (1000 - k), clusters=f"own {n}") for n, k in enumerate((400, 500, 600))}
    result = estimate(runs, "failure_rate")
    assert (result.value, result.sd) == pytest.approx((0.5, 0.1))
    assert half(result) == pytest.approx(4.303 * 0.1 / np.sqrt(3), rel=1e-3)


def test_random_seeds_that_agree_by_chance_do_not_look_certain() -> None:
    """Each of two fails 50 of its own 100 prompts: a third of 1.984 times the standard error over 200 prompts remains."""
    runs = {n: rate([1, 0] * 50, clusters=f"own {n}") for n in range(2)}
    assert half(estimate(runs, "failure_rate")) == pytest.approx(1.984 * np.sqrt(0.25 / 99 / 2) / 3, rel=0.07)


def test_an_interval_is_clipped_to_its_scale() -> None:
    result = estimate({n: rate([1] * k + [0] * (100 - k)) for n, k in enumerate((20, 80))}, "failure_rate")
    assert (result.low, result.high) == (0.0, 1.0)
    pairs = [{n: rate([1] * k + [0] * (100 - k)) for n, k in enumerate(of)} for of in ((90, 10), (10, 90))]
    result = difference(*pairs, "failure_rate")
    assert (result.value, result.low, result.high) == (0.0, -1.0, 1.0)


def test_two_of_three_random_seeds_may_share_their_questions() -> None:
    """The mean covariance is over all three pairs, and only one pair shares its questions."""
    hits = [1, 0] * 50
    names = ("shared", "shared", "own")
    result = estimate({n: rate(hits, clusters=name) for n, name in enumerate(names)}, "failure_rate")
    assert half(result) == pytest.approx(1.984 * np.sqrt(0.25 / 99 / 3), rel=0.07)


def test_a_difference_is_paired() -> None:
    """One source fails once more on each prompt, so their difference is the same in every draw, while both rates vary."""
    fewer = [int(x) for x in RANDOM.integers(0, 4, 100)]
    for seeds in (1, 3):
        ones = dict.fromkeys(range(seeds), rate([h + 1 for h in fewer], 5))
        result = difference(ones, dict.fromkeys(range(seeds), rate(fewer, 5)), "failure_rate")
        assert (result.value, result.low, result.high) == pytest.approx((0.2, 0.2, 0.2))


def test_a_difference_is_over_the_random_seeds_that_asked_the_same() -> None:
    ones = {0: rate([1, 1, 1, 0]), 1: rate([1, 1, 0, 0]), 2: rate([1, 1, 1, 1])}
    others = {0: rate([1, 0, 0, 0]), 1: rate([0, 0, 0, 0], clusters="others"), 3: rate([0, 0, 0, 0])}
    result = difference(ones, others, "failure_rate")
    assert (result.value, result.random_seeds) == (0.5, 1)
    assert difference({2: ones[2]}, others, "failure_rate") == Estimate(None, None, None, None, 0)


def test_without_outcomes_one_random_seed_has_its_interval_and_several_have_a_deviation() -> None:
    alone = {0: measured("proposer", "0", validity=Metric(value=0.5, low=0.4, high=0.6))}
    assert estimate(alone, "validity") == Estimate(0.5, 0.4, 0.6, None, 1)
    two = estimate(alone | {1: measured("proposer", "0", validity=Metric(value=0.7, low=0.6, high=0.8))}, "validity")
    assert (two.value, two.low, two.high, two.sd) == pytest.approx((0.6, None, None, 0.1 * np.sqrt(2)))


def test_prompts_without_a_valid_sample_are_drawn_too_and_without_any_there_is_no_number() -> None:
    assert resample(rate([0, 1], [0, 1]), "failure_rate") is not None
    nothing = EvaluationOutcomes(
        evaluation=measured("proposer", "0", failure_rate=Metric(value=None, count=0, total=0)).evaluation,
        counts={"failure_rate": counts([0, 0], 0)},
        scores=None,
    )
    assert resample(nothing, "failure_rate") is None
    assert estimate({0: nothing}, "failure_rate").value is None
    assert estimate({0: nothing, 1: nothing}, "failure_rate").value is None


def test_one_question_and_draws_without_a_number_cause_no_error() -> None:
    one = estimate({0: rate([1]), 1: rate([1])}, "failure_rate")
    assert (one.value, one.low, one.high) == (1.0, 1.0, 1.0)
    sparse = {n: rate([1, 0, 0], [1, 0, 0], clusters=f"{n}") for n in range(2)}  # most draws have no trial
    result = estimate(sparse, "failure_rate")
    assert (result.value, result.low, result.high) == (1.0, 1.0, 1.0)


def test_the_text_states_what_an_interval_covers() -> None:
    assert coverage(3, "questions") == "over 3 random seeds and the questions"
    assert coverage(1, "prompts") == "over prompts only: one random seed"


@pytest.mark.parametrize(
    ("less_is_better", "value", "low", "high", "seeds", "ending"),
    [
        (False, 0.1, 0.05, 0.15, 5, "reversegen enhances better than seeds"),
        (False, -0.1, -0.15, -0.05, 7, "seeds enhances better than reversegen"),
        (True, -0.1, -0.15, -0.05, 5, "reversegen enhances better than seeds"),
        (True, 0.1, 0.05, 0.15, 9, "seeds enhances better than reversegen"),
        (False, 0.1, -0.01, 0.21, 5, "the difference is within the noise"),
        (False, 0.1, 0.0, 0.2, 5, "the difference is within the noise"),
        (False, 0.1, 0.05, 0.15, 4, "fewer than 5 random seeds, so neither source is called better"),
        (False, 0.1, -0.01, 0.21, 1, "the difference is within the noise"),
        (False, 0.1, 0.05, 0.15, 1, "fewer than 5 random seeds, so neither source is called better"),
    ],
)
def test_a_source_is_called_better_only_over_five_random_seeds_whose_interval_excludes_0(
    less_is_better: bool, value: float, low: float, high: float, seeds: int, ending: str
) -> None:
    assert LEAST_SEEDS == 5
    sentence = comparison("reversegen", "seeds", less_is_better, Estimate(value, low, high, 0.1, seeds))
    assert sentence.endswith(f": {ending}")
    assert sentence.count("better") == ending.count("better")
    assert f"{value:+.3f} [{low:+.3f}, {high:+.3f}]" in sentence


def test_sources_without_outcomes_are_not_compared() -> None:
    assert comparison("reversegen", "seeds", False, Estimate(None, None, None, None, 0)) == (
        "reversegen and seeds are not compared, since their outcomes by question are not stored"
    )


def shipped(kind: str) -> list[EvaluationOutcomes]:
    runs = [read_run(EXAMPLE / f"tiny-{kind}{seed}.json") for seed in ("", ".s1", ".s2")]
    return [one for run in runs for one in run.measured]


def test_the_three_example_runs_do_not_distinguish_the_two_sources_of_failures() -> None:
    """The differences are +0.060, +0.011 and +0.008, with deviation 0.0292: t(2) = 4.303 times 0.0292 / sqrt(3) is 0.073."""
    files = [EXAMPLE / f"tiny-math{seed}.json" for seed in ("", ".s1", ".s2")]
    (_, targets) = comparisons.parts("math", [read_run(file) for file in files])
    [line] = [line for line in targets.lines if line.heads["source"] == "warmup_failures"]
    [entry] = [entry for entry in line.entries if entry.metric == "accuracy"]
    assert entry.difference.value == pytest.approx(0.0263, abs=5e-4)
    assert entry.difference.low is not None
    assert entry.difference.high is not None
    assert (entry.difference.low, entry.difference.high) == pytest.approx((-0.046, 0.099), abs=0.002)


@pytest.mark.parametrize("kind", ["math", "safety", "honesty"])
def test_a_tasks_own_table_and_the_table_of_several_tasks_have_the_same_intervals(kind: str) -> None:
    outcomes = shipped(kind)
    evaluations = [one.evaluation for one in outcomes]
    files = [EXAMPLE / f"tiny-{kind}{seed}.json" for seed in ("", ".s1", ".s2")]
    compared = 0
    for part in comparisons.parts(kind, [read_run(file) for file in files]):
        cells = table(evaluations, part.name, outcomes)
        for line in part.lines:
            for entry in line.entries:
                cell = cells[entry.row].get(entry.metric)
                if cell and entry.estimate.low is not None:
                    assert cell.estimate == entry.estimate
                    compared += 1
    assert compared >= 15
    text = joined(markdown(evaluations, outcomes))
    assert "Brackets hold 95 % intervals over 3 random seeds and the prompts or questions" in text


@pytest.mark.parametrize("file", sorted(EXAMPLE.glob("*.json")), ids=lambda path: path.stem)
def test_one_example_run_states_that_its_intervals_are_over_prompts_only(file: Path) -> None:
    run = read_run(file)
    evaluations = [one.evaluation for one in run.measured]
    assert "over prompts or questions only: one random seed" in joined(markdown(evaluations, run.measured))
    for part in comparisons.parts(run.kind, [run]):
        asked = "prompts" if part.name == "proposer" else "questions"
        assert comparison_files.intervals_text([part]) == f"over {asked} only: one random seed"
