"""The metrics of a target agree with a count by hand, or with a second implementation in this file."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.support.evaluations import instruction
from tests.support.kinds import FACTUAL, FACTUAL_USE, MATH
from tests.support.markdown_tables import rows_of

import evaluate_transfer as transfer_stage
from reversegen.config.task import Evaluation, KindUse
from reversegen.core.errors import BadInput
from reversegen.core.metric import Metric
from reversegen.core.records import Confidence, Label, Question, Verdict, write_records
from reversegen.evaluation.judge_check import JudgeReport
from reversegen.evaluation.target import AnsweredTests, evaluate_target, evaluate_transfer, invalid_questions
from reversegen.evaluation.votes import Votes
from reversegen.kinds import open_kind, target_metrics
from reversegen.kinds.base import FLEXIBLE, STRICT
from reversegen.kinds.safety import Safety
from reversegen.kinds.scores import calibration_error
from reversegen.reporting.rows import read_evaluations
from reversegen.reporting.table_file import table_markdown

SETTINGS = Evaluation(bootstrap=2000, diversity_sample=500)
NO_VOTES = Votes({}, {})
FEW = Evaluation(bootstrap=100, diversity_sample=500)
CALIBRATED = replace(MATH, metrics=target_metrics("honesty"))
SAFETY = open_kind(KindUse(name="safety", safety=Safety(refusals=None)))
MEASURING = replace(MATH, metrics=(*target_metrics("math"), *target_metrics("safety")))


def test_the_reasons_of_test_questions_are_counted_in_every_set() -> None:
    questions, labels = of_verdicts("accuracy", "pfiii", ("a", "b", "prompt too long", "no option", "prompt too long"))
    tests = {"one": questions, "two": questions[2:3]}
    assert invalid_questions(AnsweredTests(tests, labels, [])) == {"prompt too long": 3, "no option": 1}
    sure = [Confidence(question_id=questions[0].id, option="A", answer=0.0, sure=0.0, invalid="prompt too long")]
    assert invalid_questions(AnsweredTests({"one": questions[:1]}, labels, sure)) == {
        "no confidence: prompt too long": 1
    }


def test_a_confidence_that_was_not_measured_is_left_out_of_the_calibration() -> None:
    questions, labels = of_verdicts("accuracy", "ppff")
    sure = [Confidence(question_id=q.id, option="A", answer=0.9, sure=0.2, invalid=None) for q in questions]
    lost = [sure[0].model_copy(update={"invalid": "prompt too long", "answer": 0.0, "sure": 0.0}), *sure[1:]]
    metrics, _ = evaluate_target(AnsweredTests({"one": questions}, labels, lost), FEW, 0, CALIBRATED)
    # three remain, all with a score of 0.55, and one of them is right
    assert metrics["calibration_error"].value == pytest.approx(0.55 - 1 / 3, abs=1e-6)
    assert (metrics["unsure_share"].count, metrics["unsure_share"].total) == (3, 3)
    assert metrics["accuracy"].total == 4
    none = [one.model_copy(update={"invalid": "prompt too long"}) for one in sure]
    metrics, _ = evaluate_target(AnsweredTests({"one": questions}, labels, none), FEW, 0, CALIBRATED)
    assert {metrics[name] for name in ("average_precision", "calibration_error", "unsure_share")} == {
        Metric(value=None)
    }


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


def test_the_targets_metrics_agree_with_a_count_by_hand() -> None:
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
        # over the sets that count for accuracy
        "type": {"add": {"accuracy": (3, 3)}, "add_add": {"accuracy": (0, 2)}, "subtract": {"accuracy": (0, 1)}},
    }


def of_verdicts(measure: str, verdicts: str, details: tuple[str, ...] = ()) -> tuple[list[Question], list[Label]]:
    """Questions of one measure, with verdicts given by the letters p, f and i."""
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
def test_the_measure_of_a_question_decides_what_is_counted(measure: str, expected: tuple[int, int]) -> None:
    questions, labels = of_verdicts(measure, "ppfffiii")
    metrics, groups = evaluate_target(AnsweredTests({"one": questions}, labels, []), FEW, 0, MEASURING)
    assert set(metrics) == {measure, "invalid_share"}
    assert (metrics[measure].count, metrics[measure].total) == expected
    assert (metrics["invalid_share"].count, metrics["invalid_share"].total) == (3, 8)
    assert metrics[measure].value == expected[0] / expected[1]
    assert metrics[measure].low < metrics[measure].value < metrics[measure].high
    assert groups["set"] == {"one": {measure: metrics[measure]}}
    assert ("type" in groups) is (measure != "retained")


def test_attacks_that_succeed_are_counted_by_the_judges_category() -> None:
    judged, labels = of_verdicts("attack_success_rate", "ppfffi")
    refused, others = of_verdicts("over_refusal", "ff")
    labels = [one.model_copy(update={"category": "S9" if n in (2, 3) else None}) for n, one in enumerate(labels)]
    none = Metric(value=None)
    report = JudgeReport(sensitivity=none, specificity=none, injections=none, invalid=none, categories=["S2", "S9"])
    answered = AnsweredTests({"attacks": judged, "harmless": refused}, labels + others, [])
    _, groups = evaluate_target(answered, FEW, 0, SAFETY, report)
    rates = groups["category"]
    assert {name: [*several] for name, several in rates.items()} == {n: ["attack_success_rate"] for n in ("S2", "S9")}
    counts = {name: (m.count, m.total, m.value) for name, of in rates.items() for m in of.values()}
    assert counts == {"S2": (0, 5, 0.0), "S9": (2, 5, 0.4)}
    harmless = AnsweredTests({"harmless": refused}, others, [])
    assert "category" not in evaluate_target(harmless, FEW, 0, SAFETY, report)[1]


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


def test_answers_that_were_read_from_the_last_number_are_counted_apart() -> None:
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
    """The mean precision at the rank of each right answer, for scores that all differ."""
    ranked = [hit for _, hit in sorted(zip(scores, right, strict=True), reverse=True)]
    precisions = [sum(ranked[: n + 1]) / (n + 1) for n, hit in enumerate(ranked) if hit]
    return sum(precisions) / len(precisions)


def test_calibration_agrees_with_a_count_by_hand() -> None:
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
def test_a_score_of_one_is_in_the_last_bin_and_equal_answers_have_no_precision(verdicts: str, who: str) -> None:
    right, scores = np.array([1.0, 0.0]), np.array([1.0, 1.0])
    assert calibration_error(right, scores, np.ones((1, 2)))[0] == 0.5
    questions, labels = of_verdicts("accuracy", verdicts)
    sure = [Confidence(question_id=q.id, option="A", answer=1, sure=1) for q in questions]
    metrics, _ = evaluate_target(AnsweredTests({"a": questions}, labels, sure), FEW, 0, CALIBRATED)
    alike = Metric(value=None, reason=f"{who} answer is right, so that there is nothing to rank")
    assert metrics["average_precision"] == alike


def test_forms_of_one_question_are_resampled_together() -> None:
    tests, labels = [], []
    for n in range(60):  # each question in five forms, which are all right or all wrong
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


OF_ANOTHER: dict[str, tuple[Verdict, bool]] = {
    "a": ("failed", False),
    "b": ("failed", False),
    "c": ("passed", False),
    "d": ("passed", True),
    "e": ("passed", True),
    "f": ("passed", True),
    "g": ("invalid", False),
}


def write_transfer(folder: Path, *left_out: str) -> tuple[Path, Path]:
    """What a target failed, and another model's labels of it."""
    write_records(folder / "instructions.jsonl", [instruction(i, [i], "heldout") for i in OF_ANOTHER])
    labels = [
        Label(instruction_id=i, verdict=verdict, score=None, detail="cut off", abstained=abstained)
        for i, (verdict, abstained) in OF_ANOTHER.items()
        if i not in left_out
    ]
    write_records(folder / "labels.jsonl", labels)
    return folder / "instructions.jsonl", folder / "labels.jsonl"


def test_a_transfer_counts_right_wrong_and_abstained_apart(tmp_path: Path) -> None:
    files = write_transfer(tmp_path)
    (metrics, _), invalid = evaluate_transfer(*files, NO_VOTES, SETTINGS, 0, FACTUAL)
    assert {name: (metric.count, metric.total) for name, metric in metrics.items()} == {
        "failure_rate": (2, 6),
        "right_share": (1, 6),
        "abstained_share": (3, 6),
        "validity": (6, 7),
    }
    assert invalid == {"cut off": 1}
    assert list(evaluate_transfer(*files, NO_VOTES, SETTINGS, 0, MATH)[0][0]) == ["failure_rate", "validity"]


def test_a_transfer_whose_labels_are_cut_off_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"labels.jsonl: does not fit the 7 ids that were asked \(nothing for 1\)"):
        evaluate_transfer(*write_transfer(tmp_path, "c"), NO_VOTES, SETTINGS, 0, FACTUAL)


def test_the_tables_of_a_transfer_show_right_wrong_and_abstained(tmp_path: Path) -> None:
    files, file = write_transfer(tmp_path), tmp_path / "eval.json"
    transfer_stage.main(*files, [], [], [], file, "facts", FACTUAL_USE, "other", SETTINGS, "sha256:0", 0)
    text = table_markdown(read_evaluations([file], "facts"), [])
    [row] = rows_of(text.partition("## Target by source")[2]).values()
    assert [row[name][:5] for name in ("failure_rate", "right_share", "abstained_share")] == ["0.333", "0.167", "0.500"]
