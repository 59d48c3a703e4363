"""A kind brings its metrics as data; no other module needs to know them."""

from dataclasses import replace

import pytest
from tests.support.kinds import MATH

from reversegen.config.task import Evaluation
from reversegen.core.errors import BadInput
from reversegen.core.metric import MetricDescription
from reversegen.core.records import Label, Question
from reversegen.evaluation.target import AnsweredTests, evaluate_target
from reversegen.kinds import target_metrics
from reversegen.kinds.base import ACCURACY, RETAINED, DetailShare

SETTINGS = Evaluation(bootstrap=100, diversity_sample=10)


@pytest.mark.parametrize("kind", ["honesty", "math", "safety", "of stored results alone"])
def test_the_metrics_of_a_kind_have_distinct_names_and_one_comes_first(kind: str) -> None:
    metrics = target_metrics(kind)
    assert len({metric.name for metric in metrics}) == len(metrics)
    places = [metric.headline for metric in metrics if metric.headline is not None]
    assert places
    assert len(set(places)) == len(places)
    assert {name for metric in metrics for name in metric.beside} <= {metric.name for metric in metrics}
    assert RETAINED in metrics


def test_a_kind_measures_what_it_describes() -> None:
    brevity = MetricDescription("brevity", "answers that are short", counts="failed", needs_answer=False)
    loud = DetailShare("loud", "short answers that shout", measure="brevity", hit={"loud": True, "low": False}.get)
    kind = replace(MATH, metrics=(ACCURACY, brevity, loud))
    assert kind.measures == ["accuracy", "brevity"]
    questions = [Question(id=i, text=i, answer=None, group=None, measure="brevity") for i in ("a", "b", "c", "d")]
    labels = [
        Label(instruction_id=i, verdict=verdict, score=None, detail=detail)
        for i, verdict, detail in zip(
            "abcd", ("failed", "passed", "invalid", "failed"), ("loud", "low", "", "low"), strict=True
        )
    ]
    metrics, groups = evaluate_target(AnsweredTests({"one": questions}, labels, []), SETTINGS, 0, kind)
    assert list(metrics) == ["brevity", "loud", "invalid_share"]
    assert (metrics["brevity"].count, metrics["brevity"].total) == (2, 3)
    assert (metrics["loud"].count, metrics["loud"].total) == (1, 4)
    assert groups["set"]["one"]["brevity"] == metrics["brevity"]


def test_a_metric_that_only_rows_count_for_is_no_measure_of_a_set() -> None:
    assert MATH.measure("unanswerable").counts == "passed"
    assert MATH.measures == ["accuracy", "retained"]


@pytest.mark.parametrize("name", ["over_refusal", "accuracy_strict"])
def test_a_question_for_a_metric_that_the_kind_lacks_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match=f"counts for the metric '{name}', which its kind does not have"):
        MATH.measure(name)
