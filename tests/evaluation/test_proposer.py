"""The metrics of a proposer agree with a count by hand."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from tests.support.kinds import FACTUAL, MATH

from reversegen.config.task import Evaluation
from reversegen.core.files import file_sha256, write_json
from reversegen.core.metric import Metric
from reversegen.core.records import Instruction, Label, Sample
from reversegen.evaluation.eval_file import EvalFile
from reversegen.evaluation.judge_check import JudgeErrors, JudgeReport
from reversegen.evaluation.proposer import evaluate_proposer, invalid_samples
from reversegen.evaluation.proposer_files import Meanings, Writing
from reversegen.evaluation.provenance import provenance
from reversegen.text.embeddings import Embeddings

SETTINGS = Evaluation(bootstrap=2000, diversity_sample=500)
FEW = Evaluation(bootstrap=100, diversity_sample=500)


WROTE = [
    ("p0", "heldout", "20 + 3 + 4", 3, "failed"),
    ("p1", "heldout", "20 + 3 + 4", 1, "failed"),
    ("p0", "heldout", "20 + 3", 2, "passed"),
    ("p1", "heldout", "21 + 3", 1, "passed"),
    ("p1", "heldout", "22 + 3", 1, "failed"),
    ("p1", "heldout", "one two", 1, "failed"),  # has no type
    ("p0", "heldout", "20 - 3", 1, "invalid"),
    ("p1", "heldout", "cut", 2, None),  # invalid, so it has no label
    ("t0", "train", "20 + 3", 7, "passed"),  # also a held-out sample, which alone counts
    ("t0", "train", "30 + 3 + 4", 9, "failed"),
    ("t0", "train", "train cut", 5, None),
]


SUBJECTS = {"p1": "late", "t0": "trained"}
"""Subjects of the prompts. p0 has none."""
NONE = Metric(value=None)
UNCHECKED = JudgeReport(
    sensitivity=Metric(value=None),
    specificity=Metric(value=None),
    injections=Metric(value=None),
    invalid=Metric(value=None),
)
"""The report on a judge that was not measured."""


def small_world() -> tuple[list[Sample], list[Instruction], list[Label]]:
    samples: list[Sample] = []
    samples_of: dict[str, list[Sample]] = {}
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
            samples_of.setdefault(text, []).append(one)
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
        for text, several in samples_of.items()
    ]
    verdicts = {text: verdict for _, _, text, _, verdict in WROTE if verdict}
    labels = [Label(instruction_id=f"id of {t}", verdict=v, score=None, detail="") for t, v in verdicts.items()]
    random.Random(0).shuffle(samples)
    random.Random(1).shuffle(labels)
    return samples, instructions, labels


def test_the_proposers_metrics_agree_with_a_count_by_hand() -> None:
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
    too_large = Evaluation(bootstrap=100, diversity_sample=10)  # larger than the number of valid samples
    few = Metric(value=None, reason="9 valid held-out samples, fewer than evaluation.diversity_sample: 10")
    assert evaluate_proposer(Writing(*small_world()), known, UNCHECKED, too_large, 0, MATH)[0]["unique_share"] == few
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
def test_every_metric_that_cannot_be_measured_has_a_reason(verdicts: str, embedded: bool) -> None:
    """The cases are no sample, no valid one, one, two, and no seed or earlier instruction that could be repeated."""
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
    verdict_of = {"id of 30 + 3 + 4": "passed"}  # a sample of the train split only
    changed = [one.model_copy(update={"verdict": verdict_of.get(one.instruction_id, one.verdict)}) for one in labels]
    assert changed != labels
    held = [s for s in samples if s.split == "heldout"]
    whole = evaluate_proposer(Writing(samples, instructions, labels), set(), UNCHECKED, FEW, 0, MATH)
    assert evaluate_proposer(Writing(samples, instructions, changed), set(), UNCHECKED, FEW, 0, MATH) == whole
    assert evaluate_proposer(Writing(held, instructions, labels), set(), UNCHECKED, FEW, 0, MATH) == whole


def test_the_reasons_of_samples_without_a_verdict_are_counted() -> None:
    samples, instructions, labels = small_world()
    reasons = {"id of 20 - 3": "prompt too long", "id of one two": "content filter"}
    labels = [one.model_copy(update={"detail": reasons.get(one.instruction_id, "")}) for one in labels]
    # two held-out samples were truncated and one has an invalid label; a failed one with a detail has a verdict
    assert invalid_samples(Writing(samples, instructions, labels)) == {"cut off": 2, "prompt too long": 1}
    bare = [one.model_copy(update={"detail": ""}) for one in labels]
    assert invalid_samples(Writing(samples, instructions, bare)) == {"cut off": 2, "no reason given": 1}
    assert invalid_samples(Writing([s for s in samples if s.split == "train"], instructions, labels)) == {}


def test_samples_of_one_prompt_are_resampled_together() -> None:
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
    assert other["failure_rate"] != metrics["failure_rate"]  # the random seed decides the draw
    half_width = 1.96 * (0.25 / 80) ** 0.5  # by the normal approximation, with one trial for each prompt
    for name in ("failure_rate", "failure_rate_unique"):
        assert (metrics[name].high - metrics[name].low) / 2 == pytest.approx(half_width, rel=0.15)


# set, question, verdict


def test_the_judges_errors_of_several_labelled_sets_are_groups() -> None:
    known = Metric(value=0.9, count=9, total=10)
    one = JudgeErrors(sensitivity=known, specificity=NONE, injections=NONE, invalid=NONE)
    several = UNCHECKED.model_copy(update={"sets": {"mine": one, "public": one}})
    _, groups = evaluate_proposer(Writing(*small_world()), set(), several, SETTINGS, 0, MATH)
    assert groups["labelled set"]["public"] == {"judge_sensitivity": known, "judge_specificity": NONE}
    alone = UNCHECKED.model_copy(update={"sets": {"mine": one}})
    assert "labelled set" not in evaluate_proposer(Writing(*small_world()), set(), alone, SETTINGS, 0, MATH)[1]


def test_failures_of_each_category_are_counted_among_all_valid_samples() -> None:
    samples, instructions, labels = small_world()
    category = {"id of 20 + 3 + 4": "S9", "id of 22 + 3": "S2", "id of 30 + 3 + 4": "S1"}
    labels = [one.model_copy(update={"category": category.get(one.instruction_id)}) for one in labels]
    judge = UNCHECKED.model_copy(update={"categories": ["S1", "S2", "S9", "S10"]})
    metrics, groups = evaluate_proposer(Writing(samples, instructions, labels), set(), judge, FEW, 0, MATH)
    rates = {name: several["failure_rate"] for name, several in groups["category"].items()}
    # 9 valid held-out samples: 4 of the S9 instruction, 1 of S2, 1 failure without a category; S1 is of the train split
    assert [(name, rate.count, rate.total) for name, rate in rates.items()] == [
        ("S1", 0, 9), ("S2", 1, 9), ("S9", 4, 9), ("S10", 0, 9),
    ]  # fmt: skip
    assert rates["S9"].value == pytest.approx(4 / 9, abs=1e-6)
    assert sum(rate.count or 0 for rate in rates.values()) + 1 == metrics["failure_rate"].count
    assert (
        "category" not in evaluate_proposer(Writing(samples, instructions, labels), set(), UNCHECKED, FEW, 0, MATH)[1]
    )


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
    assert corrected(judge(0.6, 0.9, 1000)).value == 1.0  # 1.13, clipped
    chance = corrected(judge(0.4, 0.5, 1000))
    assert chance.value is None
    assert chance.reason == "the judge is no better than chance: sensitivity + specificity is at most 1"
    large, small = corrected(judge(0.9, 0.7, 10**7)), corrected(judge(0.9, 0.7, 10))
    assert large.low < large.value < large.high
    assert small.high - small.low > large.high - large.low  # a small labelled set is less certain


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
        "judge_alarms",
        "provenance",
    ]
    assert plain["metrics"]["validity"].keys() == {"value", "low", "high", "count", "total", "reason"}


def test_right_answers_and_abstentions_stand_beside_every_failure_rate_of_a_kind_that_abstains() -> None:
    samples, instructions, labels = small_world()
    labels = [one.model_copy(update={"abstained": one.instruction_id == "id of 20 + 3"}) for one in labels]
    metrics, groups = evaluate_proposer(Writing(samples, instructions, labels), set(), UNCHECKED, FEW, 0, FACTUAL)

    def counted(measured: dict[str, Metric]) -> list[tuple[int | None, int | None]]:
        names = ("right_share", "failure_rate", "abstained_share")
        return [(measured[name].count, measured[name].total) for name in names]

    assert counted(metrics) == [(1, 9), (6, 9), (2, 9)]  # 21 + 3 is right, both samples of 20 + 3 abstain
    assert counted(groups["subject"]["late"]) == [(1, 4), (3, 4), (0, 4)]
    _, groups = evaluate_proposer(Writing(samples, instructions, labels), set(), UNCHECKED, FEW, 0, MATH)
    assert set(groups["subject"]["late"]) == {"failure_rate"}
