"""A verdict is what a reader of response and reference would say, and it finds its instruction in rows of any order."""

import random
from collections.abc import Iterator

import pytest

from reversegen.equivalence import LONGEST_ANSWER, Checker
from reversegen.kinds.math import KIND
from reversegen.labels import label_responses
from reversegen.records import Question, Reference, Response
from reversegen.references import reference, solve

LONG = "7" * (LONGEST_ANSWER + 1)


def response(text: str, *, identity: str = "i", sample: int = 0, finished: bool = True) -> Response:
    return Response(instruction_id=identity, sample=sample, text=text, tokens=1, finished=finished)


def trusted(answer: str, identity: str = "i") -> Reference:
    return Reference(instruction_id=identity, answer=answer, solution=None, labeller="someone", invalid=None)


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    with Checker() as one:
        yield one


@pytest.mark.parametrize(
    ("text", "finished", "answer", "verdict", "detail"),
    [
        ("30 + 8 = 38 #### 38", True, "38", "passed", "equal answers"),
        ("30 + 8 = 37 #### 37", True, "38", "failed", "different answers"),
        ("#### 1,038.00", True, "1038", "passed", "equal answers"),
        (r"so \boxed{\frac{1}{2}}", True, "0.5", "passed", "equal answers"),
        (r"so \boxed{\frac{1}{3}}", True, "0.5", "failed", "different answers"),
        # a finished response may give its answer as its last number: the mark stands above any later number
        ("that makes 38 pens", True, "38", "passed", "equal answers"),
        ("38 pens, not 37", True, "38", "failed", "different answers"),
        ("#### 38\nI counted 2 times.", True, "38", "passed", "equal answers"),
        ("I cannot tell.", True, "38", "failed", "no final answer"),
        ("", True, "38", "failed", "no final answer"),
        # a response that was cut off is judged only by an answer in strict form
        ("5 * 6 = 30 ; 30 + 8 = 38", False, "38", "invalid", "response cut off"),
        ("5 * 6 = 30 ; 30 + 8 = 37", False, "38", "invalid", "response cut off"),
        ("5 * 6 = 30 ; 30 + 8 = 38 ####", False, "38", "invalid", "response cut off"),
        ("", False, "38", "invalid", "response cut off"),
        ("#### 38\nTo check this, 2 +", False, "38", "passed", "equal answers"),
        ("#### 37\nTo check this, 2 +", False, "38", "invalid", "response cut off"),
        ("15 + 23 = 38 #### 3", False, "38", "invalid", "response cut off"),
        (f"#### {LONG}", True, "38", "invalid", "answers cannot be compared"),
    ],
)
def test_verdict_of_a_response(
    checker: Checker, text: str, finished: bool, answer: str, verdict: str, detail: str
) -> None:
    found = KIND.label("i", [response(text, finished=finished)], trusted(answer), checker)
    assert (found.instruction_id, found.verdict, found.detail) == ("i", verdict, detail)


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        (None, "no reference"),
        (reference("i", None, "arithmetic", KIND), "not answerable"),
        (reference("i", "It is 38.", "arithmetic", KIND), "no final answer"),  # no strict form: not trusted
        *((one, "not answerable") for one in solve([("i", "how many pens has tom ?")], "arithmetic", KIND)),
    ],
)
@pytest.mark.parametrize("text", ["#### 38", "I cannot tell."])
def test_nothing_is_said_without_a_trusted_answer(
    checker: Checker, text: str, given: Reference | None, detail: str
) -> None:
    found = KIND.label("i", [response(text)], given, checker)
    assert (found.verdict, found.detail) == ("invalid", detail)


def test_nothing_is_said_without_a_response(checker: Checker) -> None:
    found = KIND.label("i", [], trusted("38"), checker)
    assert (found.verdict, found.detail) == ("invalid", "no response")


def test_a_test_question_is_judged_by_the_answer_of_its_data_set(checker: Checker) -> None:
    question = Question(id="q", text="5 * 6 + 8", answer="38", group=None)
    found = KIND.label("q", [response("#### 38", identity="q")], KIND.test_reference(question), checker)
    assert found.verdict == "passed"


def test_labels_join_by_id_whatever_the_order_of_rows() -> None:
    expected = {f"i{n}": ("passed", "failed", "invalid")[n % 3] for n in range(60)}
    replies = {"passed": "#### {0}", "failed": "#### {0}.5", "invalid": "#### {0}"}
    responses = [
        response(replies[verdict].format(identity[1:]), identity=identity) for identity, verdict in expected.items()
    ]
    responses += [response("#### -1", identity=identity, sample=1) for identity in expected]  # only sample 0 counts
    responses += [response("#### 1", identity="not asked")]
    references = [trusted(identity[1:], identity) for identity, verdict in expected.items() if verdict != "invalid"]
    rng = random.Random(0)
    for _ in range(5):
        asked = rng.sample(list(expected), len(expected))
        rows = rng.sample(responses, len(responses)), rng.sample(references, len(references))
        labels = label_responses(asked, *rows, timeout=1.0, kind=KIND)
        assert [label.instruction_id for label in labels] == asked
        assert {label.instruction_id: label.verdict for label in labels} == expected
