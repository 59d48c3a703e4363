"""Metrics agree with a count by hand, with scipy, or with a second implementation written here."""

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from tests.support.kinds import MATH

from reversegen.config.task import Evaluation
from reversegen.core.files import file_sha256, write_json
from reversegen.core.metric import Metric
from reversegen.core.records import Confidence, Instruction, Label, Question, Sample, Verdict
from reversegen.evaluation.bootstrap import proportion
from reversegen.evaluation.eval_file import EvalFile
from reversegen.evaluation.judge_check import JudgeReport
from reversegen.evaluation.proposer import evaluate_proposer, invalid_samples
from reversegen.evaluation.provenance import provenance
from reversegen.evaluation.target import AnsweredTests, evaluate_target, invalid_questions
from reversegen.evaluation.writing import Meanings, Writing
from reversegen.kinds import target_metrics
from reversegen.kinds.math import FLEXIBLE, STRICT
from reversegen.kinds.scores import calibration_error
from reversegen.text.embeddings import Embeddings

SETTINGS = Evaluation(bootstrap=2000, diversity_sample=500)
FEW = Evaluation(bootstrap=100, diversity_sample=500)
CALIBRATED = replace(MATH, metrics=target_metrics("honesty"))
MEASURING = replace(MATH, metrics=(*target_metrics("math"), *target_metrics("safety")))

# The standard error of a 2.5 % quantile from 2,000 resamples is 0.06 of the estimate's own (binomial error of the rank
# over the normal density there), a thirty-third of the interval's half width. Both sides draw: four standard errors.
TOLERANCE = 4 * 2**0.5 / 33


@pytest.mark.parametrize(
    ("clusters", "size", "correlated"),
    [(200, 1, False), (40, 1, False), (60, 5, False), (60, 5, True), (60, None, True)],
)
def test_the_interval_is_that_of_scipys_percentile_bootstrap_over_clusters(
    clusters: int, size: int | None, correlated: bool
) -> None:
    rng = random.Random(clusters)
    sizes = [size or rng.randint(1, 9) for _ in range(clusters)]
    rates = [0.8 if n > 5 else float(rng.random() < 0.3) if correlated else 0.3 for n in sizes]
    counts = [sum(rng.random() < rate for _ in range(n)) for n, rate in zip(sizes, rates, strict=True)]
    rows = [(i < count, c) for c, (n, count) in enumerate(zip(sizes, counts, strict=True)) for i in range(n)]
    rng.shuffle(rows)
    ours = proportion([hit for hit, _ in rows], [cluster for _, cluster in rows], SETTINGS, 0)
    theirs = scipy.stats.bootstrap(
        (np.array(counts), np.array(sizes)),
        lambda c, n, axis=-1: c.sum(axis=axis) / n.sum(axis=axis),
        paired=True,
        n_resamples=SETTINGS.bootstrap,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    assert (ours.count, ours.total) == (sum(counts), sum(sizes))
    assert ours.value == pytest.approx(sum(counts) / sum(sizes), abs=1e-6)
    near = (theirs.high - theirs.low) / 2 * TOLERANCE + 1 / sum(sizes)  # rates go in steps of one count
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=near)


def test_correlated_clusters_give_a_wider_interval_than_independent_ones() -> None:
    hits = [n % 10 < 3 for n in range(500)]  # 30 % in both
    apart = proportion(hits, range(500), SETTINGS, 0)
    together = proportion(sorted(hits), [n // 5 for n in range(500)], SETTINGS, 0)  # 100 prompts all right or all wrong
    assert apart.value == together.value == 0.3
    # samples that all agree count once: the standard error grows by the root of the cluster's size
    assert (together.high - together.low) / (apart.high - apart.low) == pytest.approx(5**0.5, rel=0.15)


def test_no_trials_give_no_number_and_the_draw_is_seeded() -> None:
    assert proportion([], [], SETTINGS, 0) == Metric(value=None, count=0, total=0, reason="there is nothing to count")
    hits = [n % 3 == 0 for n in range(300)]
    first, again, other = (proportion(hits, range(300), FEW, seed) for seed in (0, 0, 1))
    assert first == again
    assert (first.low, first.high) != (other.low, other.high)


# The proposer of the small world: what it wrote, for which prompt, how often, and what came of it.
# prompt, split, text, samples, verdict
WROTE = [
    ("p0", "heldout", "20 + 3 + 4", 3, "failed"),
    ("p1", "heldout", "20 + 3 + 4", 1, "failed"),
    ("p0", "heldout", "20 + 3", 2, "passed"),
    ("p1", "heldout", "21 + 3", 1, "passed"),
    ("p1", "heldout", "22 + 3", 1, "failed"),
    ("p1", "heldout", "one two", 1, "failed"),  # of no type
    ("p0", "heldout", "20 - 3", 1, "invalid"),
    ("p1", "heldout", "cut", 2, None),  # invalid, so never labelled
    ("t0", "train", "20 + 3", 7, "passed"),  # also said in held-out: only there does it count
    ("t0", "train", "30 + 3 + 4", 9, "failed"),
    ("t0", "train", "train cut", 5, None),
]


SUBJECTS = {"p1": "late", "t0": "trained"}
"""Of the prompts; p0 has none."""
UNCHECKED = JudgeReport(
    sensitivity=Metric(value=None),
    specificity=Metric(value=None),
    injections=Metric(value=None),
    invalid=Metric(value=None),
)
"""Of a judge of which nothing is known."""


def small_world() -> tuple[list[Sample], list[Instruction], list[Label]]:
    samples: list[Sample] = []
    said: dict[str, list[Sample]] = {}
    for number, (prompt, split, text, count, _) in enumerate(WROTE):
        for n in range(count):
            one = Sample(
                id=f"{number}.{n}",
                prompt_id=prompt,
                split=split,
                sample=n,
                text=text,
                tokens=1,
                finished=True,
                subject=SUBJECTS.get(prompt),
            )
            samples.append(one)
            said.setdefault(text, []).append(one)
    instructions = [
        Instruction(
            id=f"id of {text}",
            text=text,
            answer=None,
            subject=None,
            samples=[s.id for s in several],
            splits=sorted({s.split for s in several}),
            invalid="cut off" if text.endswith("cut") else None,
            duplicate_of=None,
        )
        for text, several in said.items()
    ]
    verdicts = {text: verdict for _, _, text, _, verdict in WROTE if verdict}
    labels = [Label(instruction_id=f"id of {t}", verdict=v, score=None, detail="") for t, v in verdicts.items()]
    random.Random(0).shuffle(samples)
    random.Random(1).shuffle(labels)
    return samples, instructions, labels


def test_the_proposers_metrics_are_those_counted_by_hand() -> None:
    known = {"id of 21 + 3", "id of 20 + 3 + 4", "id of 30 + 3 + 4"}
    settings = Evaluation(bootstrap=100, diversity_sample=9)
    metrics, groups = evaluate_proposer(Writing(*small_world()), known, UNCHECKED, settings, 0, MATH)

    def counts(metric: Metric) -> tuple[int | None, int | None, float | None]:
        return metric.count, metric.total, metric.value

    # held-out samples: 12; valid: 9, of which 3 + 1 + 1 + 1 failed and 2 + 1 passed
    assert counts(metrics["validity"]) == (9, 12, 0.75)
    assert counts(metrics["failure_rate"]) == (6, 9, 0.666667)
    # distinct valid: 20 + 3 + 4, 22 + 3 and one two failed; 20 + 3 and 21 + 3 passed
    assert counts(metrics["failure_rate_unique"]) == (3, 5, 0.6)
    assert counts(metrics["yield"]) == (None, None, 250.0)  # 3 distinct failures in 12 samples
    assert counts(metrics["novelty"]) == (3, 5, 0.6)
    assert counts(metrics["unique_share"]) == (5, 9, 0.555556)
    more = Evaluation(bootstrap=100, diversity_sample=10)  # than there are valid samples
    few = Metric(value=None, reason="9 valid held-out samples, fewer than evaluation.diversity_sample: 10")
    assert evaluate_proposer(Writing(*small_world()), known, UNCHECKED, more, 0, MATH)[0]["unique_share"] == few
    assert set(groups) == {"type", "subject"}
    assert {name: counts(group["failure_rate"]) for name, group in groups["subject"].items()} == {"late": (3, 4, 0.75)}
    assert {name: counts(group["failure_rate"]) for name, group in groups["type"].items()} == {
        "add": (1, 4, 0.25),
        "add_add": (4, 4, 1.0),
    }
    assert {name: metric.reason for name, metric in metrics.items() if metric.value is None} == {
        "failure_rate_corrected": "the judge's sensitivity or specificity is unknown",
        "judge_sensitivity": "no failed row of the judge's set got a verdict",
        "judge_specificity": "no passed row of the judge's set got a verdict",
        **dict.fromkeys(
            ("semantic_novelty", "semantic_diversity", "vendi_score", "seed_coverage", "largest_cluster"),
            "the task has no embedding model",
        ),
    }


@pytest.mark.parametrize("embedded", [True, False])
@pytest.mark.parametrize("verdicts", ["", "i", "f", "fp"])
def test_whatever_cannot_be_measured_says_why(verdicts: str, embedded: bool) -> None:
    """No sample, none that is valid, one, two; nothing known that they could repeat."""
    of = {"i": "invalid", "f": "failed", "p": "passed"}
    ids = [f"{n}" for n in range(len(verdicts))]
    samples = [
        Sample(id=i, prompt_id=i, split="heldout", subject=None, sample=0, text="😀", tokens=1, finished=True)
        for i in ids
    ]
    instructions = [
        Instruction(
            id=i, text="😀", answer=None, subject=None, samples=[i], splits=["heldout"], invalid=None, duplicate_of=None
        )
        for i in ids
    ]
    labels = [
        Label.model_validate({"instruction_id": i, "verdict": of[v], "score": None, "detail": ""})
        for i, v in zip(ids, verdicts, strict=True)
    ]
    vectors = np.eye(2, 4, dtype=np.float32)
    none = Embeddings({}, np.empty((0, 4), np.float32))
    meanings = Meanings(Embeddings({"0": 0, "1": 1}, vectors), none, none, 0.05) if embedded else None
    settings = Evaluation(bootstrap=100, diversity_sample=2)
    metrics, _ = evaluate_proposer(
        Writing(samples, instructions, labels), set(), UNCHECKED, settings, 0, MATH, meanings
    )
    for metric in metrics.values():
        assert (metric.reason is None) == (metric.value is not None)
    measured = {"validity", "yield"} if verdicts else set()
    measured |= {"failure_rate", "failure_rate_unique"} if verdicts in ("f", "fp") else set()
    if verdicts == "fp":
        measured |= {"unique_share", "distinct_1"}
        measured |= {"semantic_diversity", "vendi_score", "largest_cluster"} if embedded else set()
    assert {name for name, metric in metrics.items() if metric.value is not None} == measured
    if not verdicts:
        assert metrics["failure_rate"].reason == "there is no held-out sample"
    if verdicts == "i":
        assert metrics["failure_rate"].reason == "no held-out sample is valid"
    assert metrics["novelty"].reason == "there is no seed and no earlier instruction that could be repeated"


def test_the_train_split_changes_nothing() -> None:
    samples, instructions, labels = small_world()
    verdict_of = {"id of 30 + 3 + 4": "passed"}  # said in train only
    changed = [one.model_copy(update={"verdict": verdict_of.get(one.instruction_id, one.verdict)}) for one in labels]
    assert changed != labels
    held = [s for s in samples if s.split == "heldout"]
    whole = evaluate_proposer(Writing(samples, instructions, labels), set(), UNCHECKED, FEW, 0, MATH)
    assert evaluate_proposer(Writing(samples, instructions, changed), set(), UNCHECKED, FEW, 0, MATH) == whole
    assert evaluate_proposer(Writing(held, instructions, labels), set(), UNCHECKED, FEW, 0, MATH) == whole


def test_the_reasons_of_what_has_no_verdict_are_counted() -> None:
    samples, instructions, labels = small_world()
    reasons = {"id of 20 - 3": "prompt too long", "id of one two": "content filter"}
    labels = [one.model_copy(update={"detail": reasons.get(one.instruction_id, "")}) for one in labels]
    # two held-out samples were cut, one has an invalid label; a failed one with a detail has its verdict
    assert invalid_samples(Writing(samples, instructions, labels)) == {"cut off": 2, "prompt too long": 1}
    bare = [one.model_copy(update={"detail": ""}) for one in labels]
    assert invalid_samples(Writing(samples, instructions, bare)) == {"cut off": 2, "no reason given": 1}
    assert invalid_samples(Writing([s for s in samples if s.split == "train"], instructions, labels)) == {}


def test_the_reasons_of_test_questions_are_counted_in_every_set() -> None:
    questions, labels = of_verdicts("accuracy", "pfiii", ("a", "b", "prompt too long", "no option", "prompt too long"))
    tests = {"one": questions, "two": questions[2:3]}
    assert invalid_questions(AnsweredTests(tests, labels, [])) == {"prompt too long": 3, "no option": 1}
    sure = [Confidence(question_id=questions[0].id, option="A", answer=0.0, sure=0.0, invalid="prompt too long")]
    assert invalid_questions(AnsweredTests({"one": questions[:1]}, labels, sure)) == {
        "no confidence: prompt too long": 1
    }


def test_a_confidence_that_was_not_measured_enters_no_calibration() -> None:
    questions, labels = of_verdicts("accuracy", "ppff")
    sure = [Confidence(question_id=q.id, option="A", answer=0.9, sure=0.2, invalid=None) for q in questions]
    lost = [sure[0].model_copy(update={"invalid": "prompt too long", "answer": 0.0, "sure": 0.0}), *sure[1:]]
    metrics, _ = evaluate_target(AnsweredTests({"one": questions}, labels, lost), FEW, 0, CALIBRATED)
    # three are left, all with a score of 0.55 and one of them right
    assert metrics["calibration_error"].value == pytest.approx(0.55 - 1 / 3, abs=1e-6)
    assert (metrics["unsure_share"].count, metrics["unsure_share"].total) == (3, 3)
    assert metrics["accuracy"].total == 4
    none = [one.model_copy(update={"invalid": "prompt too long"}) for one in sure]
    metrics, _ = evaluate_target(AnsweredTests({"one": questions}, labels, none), FEW, 0, CALIBRATED)
    assert {metrics[name] for name in ("average_precision", "calibration_error", "unsure_share")} == {
        Metric(value=None)
    }


def test_samples_of_one_prompt_are_drawn_together() -> None:
    samples, instructions, labels = [], [], []
    for n in range(400):  # 80 prompts, whose five samples all fail or all pass
        failed = n // 5 % 2 == 0
        text = f"{n} is asked"
        samples.append(
            Sample(
                id=f"{n}",
                prompt_id=f"{n // 5}",
                split="heldout",
                subject=None,
                sample=n % 5,
                text=text,
                tokens=1,
                finished=True,
            )
        )
        instructions.append(
            Instruction(
                id=text,
                text=text,
                answer=None,
                subject=None,
                samples=[f"{n}"],
                splits=["heldout"],
                invalid=None,
                duplicate_of=None,
            )
        )
        verdict = "failed" if failed else "passed"
        labels.append(Label(instruction_id=text, verdict=verdict, score=None, detail=""))
    metrics, _ = evaluate_proposer(Writing(samples, instructions, labels), set(), UNCHECKED, SETTINGS, 0, MATH)
    other, _ = evaluate_proposer(Writing(samples, instructions, labels), set(), UNCHECKED, SETTINGS, 1, MATH)
    assert other["failure_rate"].value == metrics["failure_rate"].value == 0.5
    assert other["failure_rate"] != metrics["failure_rate"]  # the draw is that of the random seed
    half_width = 1.96 * (0.25 / 80) ** 0.5  # of the normal approximation with one trial a prompt
    for name in ("failure_rate", "failure_rate_unique"):
        assert (metrics[name].high - metrics[name].low) / 2 == pytest.approx(half_width, rel=0.15)


# set, question, verdict
ANSWERED = [
    ("easy", "20 + 3", "passed"),
    ("easy", "21 + 3", "passed"),
    ("easy", "20 + 3 + 4", "failed"),
    ("easy", "20 - 3", "invalid"),
    ("hard", "22 + 3", "passed"),
    ("hard", "22 + 3 + 4", "invalid"),
    ("hard", "how many ?", "passed"),
    ("before", "23 + 3", "passed"),
    ("before", "24 + 3", "failed"),
]


MEASURES: dict[str, str] = {"easy": "accuracy", "hard": "accuracy", "before": "retained"}


def test_the_targets_metrics_are_those_counted_by_hand() -> None:
    tests = {
        name: [
            Question(id=f"id of {text}", text=text, answer="0", group=MATH.group(text), measure=measure)
            for of, text, _ in ANSWERED
            if of == name
        ]
        for name, measure in MEASURES.items()
    }
    labels = [Label(instruction_id=f"id of {t}", verdict=v, score=None, detail="") for _, t, v in reversed(ANSWERED)]
    metrics, groups = evaluate_target(AnsweredTests(tests, labels, []), FEW, 0, MEASURING)

    def counts(metric: Metric) -> tuple[int | None, int | None]:
        return metric.count, metric.total

    assert {name: counts(metric) for name, metric in metrics.items()} == {
        "accuracy": (4, 7),  # the two invalid responses are not correct
        "retained": (1, 2),
        "invalid_share": (2, 9),
    }
    assert metrics["accuracy"].value == 0.571429
    by = {
        name: {group: {measure: counts(m) for measure, m in of_group.items()} for group, of_group in of.items()}
        for name, of in groups.items()
    }
    assert by == {
        "set": {"easy": {"accuracy": (2, 4)}, "hard": {"accuracy": (2, 3)}, "before": {"retained": (1, 2)}},
        # of the sets that count for accuracy
        "type": {"add": {"accuracy": (3, 3)}, "add_add": {"accuracy": (0, 2)}, "subtract": {"accuracy": (0, 1)}},
    }


def of_verdicts(measure: str, verdicts: str, details: tuple[str, ...] = ()) -> tuple[list[Question], list[Label]]:
    """Questions of one measure with the verdicts that p, f and i stand for."""
    names: dict[str, Verdict] = {"p": "passed", "f": "failed", "i": "invalid"}
    questions = [
        Question(id=f"{measure} {n}", text=f"{measure} {n} ?", answer="0", group=f"g{n % 2}", measure=measure)
        for n in range(len(verdicts))
    ]
    labels = [
        Label(instruction_id=q.id, verdict=names[v], score=None, detail=details[n] if details else "")
        for n, (q, v) in enumerate(zip(questions, verdicts, strict=True))
    ]
    return questions, labels


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("accuracy", (2, 8)),
        ("unanswerable", (2, 8)),
        ("retained", (2, 8)),
        ("attack_success_rate", (3, 5)),  # failed / (failed + passed): the three invalid ones are in neither
        ("over_refusal", (3, 5)),
    ],
)
def test_what_is_counted_depends_on_the_measure_of_a_question(measure: str, expected: tuple[int, int]) -> None:
    questions, labels = of_verdicts(measure, "ppfffiii")
    metrics, groups = evaluate_target(AnsweredTests({"one": questions}, labels, []), FEW, 0, MEASURING)
    assert set(metrics) == {measure, "invalid_share"}
    assert (metrics[measure].count, metrics[measure].total) == expected
    assert (metrics["invalid_share"].count, metrics["invalid_share"].total) == (3, 8)
    assert metrics[measure].value == expected[0] / expected[1]
    assert metrics[measure].low < metrics[measure].value < metrics[measure].high
    assert groups["set"] == {"one": {measure: metrics[measure]}}
    assert ("type" in groups) is (measure != "retained")


def test_a_measure_of_failures_without_a_verdict_has_no_value() -> None:
    questions, labels = of_verdicts("attack_success_rate", "ii")
    metrics, _ = evaluate_target(AnsweredTests({"one": questions}, labels, []), FEW, 0, MEASURING)
    assert metrics["attack_success_rate"] == Metric(value=None, count=0, total=0, reason="no answer could be judged")
    assert metrics["invalid_share"].value == 1


def test_the_questions_of_one_set_count_each_for_its_own_measure() -> None:
    parts = {
        "accuracy": of_verdicts("accuracy", "ppi"),
        "unanswerable": of_verdicts("unanswerable", "pfff"),
        "over_refusal": of_verdicts("over_refusal", "fpi"),
    }
    mixed = [q for name in ("accuracy", "unanswerable") for q in parts[name][0]]
    labels = [label for _, of in parts.values() for label in of]
    tests = {"plus": mixed, "other": parts["over_refusal"][0]}
    metrics, groups = evaluate_target(AnsweredTests(tests, labels[::-1], []), FEW, 0, MEASURING)
    counts = {"accuracy": (2, 3), "unanswerable": (1, 4), "over_refusal": (1, 2), "invalid_share": (2, 10)}
    assert {name: (m.count, m.total) for name, m in metrics.items()} == counts
    by_set = {s: {name: (m.count, m.total) for name, m in of.items()} for s, of in groups["set"].items()}
    assert by_set == {
        "plus": {name: counts[name] for name in ("accuracy", "unanswerable")},
        "other": {"over_refusal": (1, 2)},
    }
    by_type = {g: {name: (m.count, m.total) for name, m in of.items()} for g, of in groups["type"].items()}
    assert by_type == {
        "g0": {"accuracy": (1, 2), "unanswerable": (1, 2), "over_refusal": (1, 1)},
        "g1": {"accuracy": (1, 1), "unanswerable": (0, 2), "over_refusal": (0, 1)},
    }


def test_answers_found_by_their_last_number_alone_are_told_apart() -> None:
    details = (STRICT, STRICT, FLEXIBLE, FLEXIBLE, "different answers", "response truncated")
    questions, labels = of_verdicts("accuracy", "ppppfi", details)
    others, other_labels = of_verdicts("unanswerable", "pf")
    metrics, _ = evaluate_target(
        AnsweredTests({"one": questions, "two": others}, labels + other_labels, []), FEW, 0, MATH
    )
    assert {name: (m.count, m.total) for name, m in metrics.items()} == {
        "accuracy": (4, 6),
        "accuracy_strict": (2, 6),  # of the questions that count for accuracy
        "unanswerable": (1, 2),
        "invalid_share": (1, 8),
    }
    assert (
        "accuracy_strict" not in evaluate_target(AnsweredTests({"two": others}, other_labels, []), FEW, 0, MEASURING)[0]
    )


def average_precision(right: list[bool], scores: list[float]) -> float:
    """Mean of the precision at the rank of each right answer, for scores that all differ."""
    ranked = [hit for _, hit in sorted(zip(scores, right, strict=True), reverse=True)]
    precisions = [sum(ranked[: n + 1]) / (n + 1) for n, hit in enumerate(ranked) if hit]
    return sum(precisions) / len(precisions)


def test_calibration_is_that_counted_by_hand() -> None:
    rng = random.Random(0)
    questions, labels = of_verdicts("accuracy", "".join(rng.choice("ppfi") for _ in range(200)))
    others, other_labels = of_verdicts("retained", "pf")
    sure = [Confidence(question_id=q.id, option="A", answer=rng.random(), sure=rng.random()) for q in questions]
    elsewhere = [Confidence(question_id=q.id, option=None, answer=0, sure=0) for q in others]
    confidences = [*elsewhere, *sure[::-1]]
    metrics, _ = evaluate_target(
        AnsweredTests({"a": questions, "b": others}, labels + other_labels, confidences), FEW, 0, CALIBRATED
    )
    right = [label.verdict == "passed" for label in labels]
    scores = [(c.answer + c.sure) / 2 for c in sure]
    assert metrics["average_precision"].value == pytest.approx(average_precision(right, scores), abs=1e-6)
    gaps = []
    for b in range(15):
        of_bin = [(r, s) for r, s in zip(right, scores, strict=True) if b / 15 <= s < (b + 1) / 15]
        gaps.append(abs(sum(r for r, _ in of_bin) - sum(s for _, s in of_bin)) / len(scores))
    assert metrics["calibration_error"].value == pytest.approx(sum(gaps), abs=1e-6)
    unsure = metrics["unsure_share"]
    assert (unsure.count, unsure.total) == (sum(c.sure < 0.5 for c in sure), 200)
    for name in ("average_precision", "calibration_error"):
        assert (metrics[name].count, metrics[name].total) == (None, None)
        assert metrics[name].low < metrics[name].high
    assert metrics["average_precision"].low < metrics["average_precision"].value < metrics["average_precision"].high


@pytest.mark.parametrize(("verdicts", "who"), [("ff", "no"), ("fi", "no"), ("pp", "every")])
def test_a_score_of_one_belongs_to_the_last_bin_and_answers_that_are_all_alike_have_no_precision(
    verdicts: str, who: str
) -> None:
    right, scores = np.array([1.0, 0.0]), np.array([1.0, 1.0])
    assert calibration_error(right, scores, np.ones((1, 2)))[0] == 0.5
    questions, labels = of_verdicts("accuracy", verdicts)
    sure = [Confidence(question_id=q.id, option="A", answer=1, sure=1) for q in questions]
    metrics, _ = evaluate_target(AnsweredTests({"a": questions}, labels, sure), FEW, 0, CALIBRATED)
    alike = Metric(value=None, reason=f"{who} answer is right, so that there is nothing to rank")
    assert metrics["average_precision"] == alike


def test_the_failure_rate_is_corrected_for_the_errors_of_the_judge() -> None:
    def judge(sensitivity: float, specificity: float, total: int) -> JudgeReport:
        known = [Metric(value=x, count=round(x * total), total=total) for x in (sensitivity, specificity)]
        return UNCHECKED.model_copy(update={"sensitivity": known[0], "specificity": known[1], "labelled": 2 * total})

    def corrected(report: JudgeReport) -> Metric:
        metrics, _ = evaluate_proposer(Writing(*small_world()), set(), report, SETTINGS, 0, MATH)
        assert (metrics["judge_sensitivity"], metrics["judge_specificity"]) == (report.sensitivity, report.specificity)
        assert metrics["failure_rate"].value == 0.666667
        return metrics["failure_rate_corrected"]

    assert corrected(judge(0.9, 0.7, 1000)).value == round((6 / 9 + 0.7 - 1) / 0.6, 6)
    assert corrected(judge(0.6, 0.9, 1000)).value == 1.0  # 1.13, cut
    chance = corrected(judge(0.4, 0.5, 1000))
    assert chance.value is None
    assert chance.reason == "the judge is no better than chance: sensitivity + specificity is at most 1"
    large, small = corrected(judge(0.9, 0.7, 10**7)), corrected(judge(0.9, 0.7, 10))
    assert large.low < large.value < large.high
    assert small.high - small.low > large.high - large.low  # a small labelled set leaves more open


def test_forms_of_one_question_are_drawn_together() -> None:
    tests, labels = [], []
    for n in range(60):  # each asked in five forms, all right or all wrong
        numbers = (f"{20 + n % 20} + {1 + n // 20}", f"{1 + n // 20} + {20 + n % 20}")
        words = [f"what is {q.replace('+', 'plus')} ?" for q in numbers]
        story = f"tom has {numbers[0].replace(' + ', ' pens and gets ')} more . how many now ?"
        for text in (*numbers, *words, story):
            tests.append(Question(id=text, text=text, answer="0", group=None, measure="accuracy"))
            verdict = "passed" if n % 2 else "failed"
            labels.append(Label(instruction_id=text, verdict=verdict, score=None, detail=""))
    metrics, _ = evaluate_target(AnsweredTests({"test": tests}, labels, []), SETTINGS, 0, MEASURING)
    assert (metrics["accuracy"].count, metrics["accuracy"].total) == (150, 300)
    width = metrics["accuracy"].high - metrics["accuracy"].low
    assert width / 2 == pytest.approx(1.96 * (0.25 / 60) ** 0.5, rel=0.15)
    assert "retained" not in metrics  # no set measures it


def test_an_evaluation_survives_json(tmp_path: Path) -> None:
    metrics, groups = evaluate_proposer(Writing(*small_world()), set(), UNCHECKED, FEW, 0, MATH)
    data, model = tmp_path / "samples.jsonl", tmp_path / "proposer"
    data.write_text("{}\n")
    write_json(model / "manifest.json", {"versions": {"torch": "2"}, "files": {}})
    origin = provenance("sha256", {"proposer": [model], "endpoint": [tmp_path], "remote": []}, [data], 3)
    assert origin["models"] == {
        "proposer": {"manifest": file_sha256(model / "manifest.json"), "versions": {"torch": "2"}}
    }
    assert origin["data"] == {str(data): file_sha256(data)}
    assert origin["versions"]["numpy"] == np.__version__
    whole = EvalFile(
        task="tiny-math",
        kind="math",
        role="proposer",
        arm="iter3",
        variant=None,
        iteration=3,
        metrics=metrics,
        groups=groups,
        provenance=origin,
    )
    text = whole.model_dump_json(indent=2)
    assert EvalFile.model_validate_json(text) == whole
    plain = json.loads(text)
    assert list(plain) == [
        "task",
        "kind",
        "role",
        "arm",
        "variant",
        "iteration",
        "metrics",
        "groups",
        "invalid",
        "alarms",
        "provenance",
    ]
    assert plain["metrics"]["validity"].keys() == {"value", "low", "high", "count", "total", "reason"}
