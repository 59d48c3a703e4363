"""Verdicts are what a reader of response and reference would decide, and rows are joined in any order."""

import random
from collections.abc import Iterator

import pytest
from tests.support.kinds import MATH

from reversegen.core.records import Judgement, Question, Reference, Response
from reversegen.kinds.answers.equivalence import LONGEST_ANSWER, Checker
from reversegen.kinds.base import Case
from reversegen.loop.labels import cases, label_responses, label_tests
from reversegen.loop.references import reference, solve

LONG = "7" * (LONGEST_ANSWER + 1)


def response(text: str, *, identity: str = "i", sample: int = 0, finished: bool = True) -> Response:
    return Response(instruction_id=identity, sample=sample, text=text, tokens=1, finished=finished)


def trusted(answer: str, identity: str = "i") -> Reference:
    return Reference(instruction_id=identity, answer=answer, solution=None, teacher="someone", invalid=None)


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
        # a finished response may give its answer as its last number, but a marked answer counts before any later number
        ("that makes 38 pens", True, "38", "passed", "equal answers, not in the asked form"),
        ("38 pens, not 37", True, "38", "failed", "different answers"),
        ("#### 38\nI counted 2 times.", True, "38", "passed", "equal answers"),
        ("I cannot tell.", True, "38", "failed", "no final answer"),
        ("", True, "38", "failed", "no final answer"),
        # a truncated response is judged only by an answer in strict form
        ("5 * 6 = 30 ; 30 + 8 = 38", False, "38", "invalid", "response truncated"),
        ("5 * 6 = 30 ; 30 + 8 = 37", False, "38", "invalid", "response truncated"),
        ("5 * 6 = 30 ; 30 + 8 = 38 ####", False, "38", "invalid", "response truncated"),
        ("", False, "38", "invalid", "response truncated"),
        ("#### 38\nTo check this, 2 +", False, "38", "passed", "equal answers"),
        ("#### 37\nTo check this, 2 +", False, "38", "invalid", "response truncated"),
        ("15 + 23 = 38 #### 3", False, "38", "invalid", "response truncated"),
        (f"#### {LONG}", True, "38", "invalid", "answers cannot be compared"),
    ],
)
def test_verdict_of_a_response(
    checker: Checker, text: str, finished: bool, answer: str, verdict: str, detail: str
) -> None:
    result = MATH.label(Case("i", "5 * 6 + 8", [response(text, finished=finished)], trusted(answer)), checker)
    assert (result.instruction_id, result.verdict, result.detail) == ("i", verdict, detail)


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        (None, "no reference"),
        (reference("i", "5 * 6 + 8", None, "arithmetic", MATH), "not answerable"),
        (
            reference("i", "5 * 6 + 8", "It is 38.", "arithmetic", MATH),
            "no final answer",
        ),  # no strict form: not trusted
        *((one, "not answerable") for one in solve([("i", "how many pens has tom ?")], "arithmetic", MATH)),
    ],
)
@pytest.mark.parametrize("text", ["#### 38", "I cannot tell."])
def test_there_is_no_verdict_without_a_trusted_answer(
    checker: Checker, text: str, given: Reference | None, detail: str
) -> None:
    result = MATH.label(Case("i", "5 * 6 + 8", [response(text)], given), checker)
    assert (result.verdict, result.detail) == ("invalid", detail)


def test_there_is_no_verdict_without_a_response(checker: Checker) -> None:
    result = MATH.label(Case("i", "5 * 6 + 8", [], trusted("38")), checker)
    assert (result.verdict, result.detail) == ("invalid", "no response")


def test_a_test_question_is_judged_by_the_answer_of_its_data_set(checker: Checker) -> None:
    question = Question(id="q", text="5 * 6 + 8", answer="38", group=None, measure="accuracy")
    for text, verdict in [("#### 38", "passed"), ("#### 37", "failed")]:  # independent of any teacher
        case = Case("q", question.text, [response(text, identity="q")], trusted("37", "q"))
        assert MATH.label_test(question, case, checker).verdict == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("#### None", "passed"),
        ("#### unanswerable", "passed"),
        (r"so \boxed{\text{cannot be determined}}", "passed"),
        ("#### 38", "failed"),
        ("None of it is given.", "failed"),  # not in strict form
    ],
)
def test_a_question_without_an_answer_is_passed_by_a_response_that_says_so(
    checker: Checker, text: str, verdict: str
) -> None:
    question = Question(id="q", text="how many ?", answer="None", group=None, measure="unanswerable")
    result = MATH.label_test(question, Case("q", question.text, [response(text, identity="q")]), checker)
    assert (result.instruction_id, result.verdict, result.detail) == ("q", verdict, "question without answer")
    assert MATH.label_test(question, Case("q", question.text, []), checker).verdict == "invalid"


def test_labels_join_by_id_in_any_order_of_rows() -> None:
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
        joined = cases([(identity, f"text of {identity}") for identity in asked], *rows)
        assert [case.text for case in joined] == [f"text of {identity}" for identity in asked]
        labels = label_responses(joined, timeout=1.0, kind=MATH)
        assert [label.instruction_id for label in labels] == asked
        assert {label.instruction_id: label.verdict for label in labels} == expected


def test_labels_of_test_questions_are_in_their_order_and_by_their_own_answers() -> None:
    questions = [
        Question(id=f"q{n}", text=f"{n} + 1", answer=str(n + 1), group=None, measure="accuracy") for n in range(20)
    ]
    responses = [response(f"#### {n + 1 + n % 2}", identity=f"q{n}") for n in reversed(range(20))]
    labels = label_tests(questions, cases([(q.id, q.text) for q in questions], responses), 1.0, MATH)
    assert [(label.instruction_id, label.verdict) for label in labels] == [
        (f"q{n}", ("passed", "failed")[n % 2]) for n in range(20)
    ]


def test_answers_and_opinions_join_by_id_with_samples_in_order() -> None:
    responses = [response(f"{identity}{n}", identity=identity, sample=n) for n in (2, 0, 1) for identity in "ba"]
    opinions = [
        Judgement(instruction_id=i, verdict="passed", score=None, detail=i, refusal=None) for i in ("b", "c", "a")
    ]
    result = cases([("a", "A"), ("c", "C"), ("d", "D")], responses, judgements=[opinions])
    assert [[r.text for r in case.responses] for case in result] == [["a0", "a1", "a2"], [], []]
    assert [case.judgement and case.judgement.detail for case in result] == ["a", "c", None]
    assert [case.reference for case in result] == [None, None, None]
