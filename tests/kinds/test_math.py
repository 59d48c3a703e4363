"""The kind math reads every published form of a question, and finds the final answer in every place of a solution."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.support.kinds import MATH

from reversegen.core.records import Question, Reference, Response
from reversegen.kinds.answers.equivalence import Checker
from reversegen.kinds.base import Case, Unusable
from reversegen.kinds.math import FLEXIBLE, MMIQC_SOURCES, STRICT, read_row


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    with Checker() as one:
        yield one


PLUS = {"question": "Tom has 2 pens and 3 more. How many?", "solution": "2 + 3 = 5", "answer": "5"}
STEP = {"prompt": "Find  $x$.", "full_chosen": "so $x=5$", "full_rejected": "so 6", "answer": " 5 ", "dataset": "MATH"}
ENDING = 'Please solve it and end with "The answer is: ".'
MMIQC = {"instruction": f"How many pens? {ENDING}", "output": "2 + 3 = 5. The answer is: 5", "source": "GSM_FOBAR"}


@pytest.mark.parametrize(
    ("row", "text", "answer", "subject", "measure"),
    [
        ({**PLUS, "perturbation_type": "numerical variation"}, PLUS["question"], "5", "numerical variation", None),
        (
            {**PLUS, "answer": "None", "perturbation_type": "critical thinking"},
            PLUS["question"], "None", "critical thinking", "unanswerable",
        ),
        (
            {**PLUS, "answer": " None\n", "perturbation_type": "critical thinking", "seed_answer": "4"},
            PLUS["question"], "None", "critical thinking", "unanswerable",
        ),
        ({**PLUS, "answer": "1,234", "perturbation_type": "digits"}, PLUS["question"], "1,234", "digits", None),
        ({**PLUS, "answer": "Nonet", "perturbation_type": "x"}, PLUS["question"], "Nonet", "x", None),
        (STEP, "Find $x$.", "5", None, None),
        ({**STEP, "answer": r"\frac{1}{2}"}, "Find $x$.", r"\frac{1}{2}", None, None),
        (MMIQC, "How many pens?", "5", None, None),
        ({**MMIQC, "instruction": f"How many pens?\n\n{ENDING}"}, "How many pens?", "5", None, None),
        ({**MMIQC, "instruction": "How many pens? Please end with: The answer is:"}, "How many pens?", "5", None, None),
        ({**MMIQC, "instruction": "Tom paid 3.50.\nHow many pens?"}, "Tom paid 3.50. How many pens?", "5", None, None),
        ({**MMIQC, "instruction": "Is the answer 5?\nWhy?"}, "Is the answer 5? Why?", "5", None, None),
        ({**MMIQC, "output": r"so \boxed{\frac{1}{2}}. The answer is: 0.5"}, "How many pens?", r"\frac{1}{2}", None, None),
        ({**MMIQC, "output": "#### 7"}, "How many pens?", "7", None, None),
        ({**MMIQC, "output": "nobody knows"}, "How many pens?", None, None, None),
        ({"text": " How\nmany? "}, "How many?", None, None, None),
        ({"question": "How many?", "answer": "2 + 3 = 5\n#### 5"}, "How many?", "5", None, None),
        ({"question": "How many?", "answer": "#### 1,234", "id": 7}, "How many?", "1,234", None, None),
        *[
            ({"question": "How many?", "answer": given}, "How many?", answer, None, None)
            for given, answer in [
                ("18", "18"), (" 18\n", "18"), ("-5", "-5"), ("1,234", "1,234"), ("1,234,567.5", "1,234,567.5"), ("0.5", "0.5"),
                (".5", ".5"), ("3/4", "3/4"), ("+5", "+5"), (18, "18"), (-5, "-5"), (0, "0"), (18.0, "18"), (0.25, "0.25"),
                (1e-7, "0.0000001"), (10**20, "1" + 20 * "0"), (1e20, "1" + 20 * "0"), (Decimal("2.50"), "2.50"),
            ]
        ],
    ],
)  # fmt: skip
def test_rows_of_the_published_forms_are_read(
    row: dict[str, Any], text: str, answer: str | None, subject: str | None, measure: str | None
) -> None:
    read = read_row(row)
    assert (read.text, read.answer, read.subject, read.measure) == (text, answer, subject, measure)


@pytest.mark.parametrize("source", MMIQC_SOURCES)
def test_the_kept_parts_of_mmiqc_are_kept(source: str) -> None:
    assert read_row({**MMIQC, "source": source}).text == "How many pens?"


@pytest.mark.parametrize(
    ("source", "reason"),
    [("MATH_AnsAug", "source MATH_AnsAug"), ("gsm_fobar", "source gsm_fobar"), ("a secret text", "another source")],
)
def test_other_parts_of_mmiqc_are_counted_by_source(source: str, reason: str) -> None:
    with pytest.raises(Unusable) as fault:
        read_row({**MMIQC, "source": source})
    assert str(fault.value) == reason


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({}, "question: missing"),
        ({"question": "How many?"}, "answer: missing"),
        *[
            ({"question": "How many?", "answer": answer}, "answer: no final answer after ####, and not one number")
            for answer in (
                "5 pens",
                "so 5",
                "5 or 6",
                "5 6",
                "five",
                "1,23",
                "3,5",
                "1.2.3",
                "2 + 3 = 5",
                "5.",
                "1/",
                "\u0665",
            )
        ],
        *[
            ({"question": "How many?", "answer": answer}, "answer: a text is needed")
            for answer in (True, None, [5], float("nan"), float("inf"), "")
        ],
        ({"question": " ", "answer": "#### 5"}, "question: a text is needed"),
        ({**PLUS, "perturbation_type": 5}, "perturbation_type: a text is needed"),
        ({**PLUS, "perturbation_type": "x", "answer": None}, "answer: a text is needed"),
        ({"question": "How many?", "perturbation_type": "x"}, "answer: missing"),
        ({**STEP, "prompt": ""}, "prompt: a text is needed"),
        ({**STEP, "answer": 5}, "answer: a text is needed"),
        ({"instruction": "How many?"}, "source: missing"),
        ({**MMIQC, "output": " "}, "output: a text is needed"),
        ({**MMIQC, "instruction": "\ud800"}, "instruction: it holds half of a surrogate pair"),
        ({"text": 5}, "text: a text is needed"),
        ({"text": "How many?", "other": "x"}, "question: missing"),
        ({**MMIQC, "instruction": "Evaluate $x$ Please end with: The answer is:"}, "instruction"),
    ],
)
def test_a_malformed_row_is_refused_by_field(row: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match="^" + field):
        read_row(row)


@pytest.mark.parametrize(
    "question",
    [
        "What is 2 + 2? #### 4",
        "What is 2 + 2?\nAnswer: 4",
        "What is 2 + 2? ANSWER = 4",
        "What is 2 + 2?\n**Ans:** 4",
        "What is 2 + 2? The answer is 4.",
        "Was ist 2 + 2?\nAntwort: 4",
        "2 + 2?\n\u7b54\u6848\uff1a4",
        "What is 2 + 2?\nA: 4",
        "What is 2 + 2? $\\boxed{4}$",
        "What is 2 + 2?\nSolution: add them",
        "What is 2 + 2? Ans. 4",
        "Cu\xe1nto es 2 + 2? Respuesta - 4",
        "What is 2 + 2? = 4",
        "What is 2 + 2? -> 4",
        "What is 2 + 2? [4]",
        "What is 2 + 2?\n4",
        "What is 2 + 2? Result: 4",
        "<answer>4</answer> What is 2 + 2?",
        "2 + 2\uff1f\u7b54\u6848\uff1a4",
        "2 + 2\uff1f \u7b54\uff1a4",
        "2 + 2\u306f?\u7b54\u3048 4",
        "2 + 2\u3002\u7b54\u3048\uff1a4",
    ],
)
def test_a_question_that_carries_its_answer_is_left_out_and_counted(question: str) -> None:
    for read in ({"text": question}, {"question": question, "answer": "#### 4"}, {**STEP, "prompt": question}):
        with pytest.raises(Unusable) as fault:
            read_row(read)
        assert str(fault.value) == "the question carries its answer"


@pytest.mark.parametrize(
    "question",
    [
        "If the answer is 5, what was asked?",
        "Answer in metres: how far is it?",
        "What is the answer to 2 + 2?",
        "Anna and B: who has more?",
        "Two runners. A: 5 km, B: 6 km. Who is ahead?",
        "The key is in box 5. Where is the answer?",
    ],
)
def test_a_question_that_speaks_of_an_answer_is_read(question: str) -> None:
    assert read_row({"text": question}).text == question


@pytest.mark.parametrize(
    "unit",
    ["a", "a b ", "\n", ". ", (" ")],
)
def test_an_instruction_is_read_in_reasonable_time(unit: str) -> None:
    long = "How many?" + unit * (1200 // len(unit)) + "."
    started = time.perf_counter()
    read_row({**MMIQC, "instruction": long})
    assert time.perf_counter() - started < 0.4  # a cubic pattern takes 1.5


def case(text: str | None, *, answer: str | None = "5", finished: bool = True) -> Case:
    responses = [] if text is None else [Response(instruction_id="i", sample=0, text=text, tokens=1, finished=finished)]
    reference = Reference(instruction_id="i", answer=answer, solution=None, teacher="someone", invalid=None)
    return Case("i", "How many?", responses, reference)


@pytest.mark.parametrize(
    ("text", "finished", "verdict", "detail"),
    [
        ("2 + 3 = 5\n#### 5", True, "passed", STRICT),
        (r"\boxed{5.0}", True, "passed", STRICT),
        ("It is 5.", True, "passed", FLEXIBLE),
        ("It is $5", True, "passed", FLEXIBLE),
        (r"\boxed{9", True, "failed", "different answers"),
        ("#### 5\n\nI used 2 steps.", True, "passed", STRICT),
        ("5 #### 6", True, "failed", "different answers"),  # the strict answer decides, not another number
        ("It is 6.", True, "failed", "different answers"),
        ("Who knows?", True, "failed", "no final answer"),
        ("It is 5", False, "invalid", "response truncated"),
        ("#### 5", False, "invalid", "response truncated"),  # may have been truncated within 57
        ("#### 5\nThat", False, "passed", STRICT),
        (r"\boxed{5} and", False, "passed", STRICT),
        (r"\boxed{5", False, "invalid", "response truncated"),
        ("#### 5\n#### 1", False, "passed", STRICT),
        ("#### 6", False, "invalid", "response truncated"),
    ],
)
def test_a_label_distinguishes_strict_from_flexible_answers(
    checker: Checker, text: str, finished: bool, verdict: str, detail: str
) -> None:
    label = MATH.label(case(text, finished=finished), checker)
    assert (label.verdict, label.detail, label.score) == (verdict, detail, None)
    question = Question(id="i", text="How many?", answer="5", group=None, measure="accuracy")
    tested = MATH.label_test(
        question, case(text, answer="99", finished=finished), checker
    )  # the answer of the test set counts
    assert (tested.verdict, tested.detail) == (verdict, detail)


@pytest.mark.parametrize(
    ("text", "finished", "verdict", "detail"),
    [
        ("#### None", True, "passed", "question without answer"),
        ("It lacks a number.\n#### none.", True, "passed", "question without answer"),
        (r"so \boxed{\text{None}}", True, "passed", "question without answer"),
        ("#### It cannot be determined", True, "passed", "question without answer"),
        (r"\boxed{\text{cannot be determined}}", True, "passed", "question without answer"),
        ("#### insufficient information", True, "passed", "question without answer"),
        ("#### 5", True, "failed", "question without answer"),
        ("#### 0", True, "failed", "question without answer"),
        ("#### None or 5", True, "failed", "question without answer"),
        ("None", True, "failed", "question without answer"),  # not in strict form
        ("#### None\n#### 5", True, "failed", "question without answer"),
        ("", True, "failed", "question without answer"),
        (None, True, "invalid", "no response"),
        (r"\boxed{\textbf{None}}", True, "passed", "question without answer"),
        (r"\boxed{\mathrm{None}}", True, "passed", "question without answer"),
        ("#### **None**", True, "passed", "question without answer"),
        ("#### N/A", True, "passed", "question without answer"),
        ("#### The question cannot be answered.", True, "passed", "question without answer"),
        ("#### It can't be determined", True, "passed", "question without answer"),
        ("Let me see: 2 +", False, "invalid", "response truncated"),
    ],
)
def test_a_target_passes_a_question_without_answer_by_saying_so(
    checker: Checker, text: str | None, finished: bool, verdict: str, detail: str
) -> None:
    question = Question(id="i", text="How many?", answer="None", group=None, measure="unanswerable")
    label = MATH.label_test(question, case(text, finished=finished), checker)
    assert (label.verdict, label.detail) == (verdict, detail)


@pytest.mark.parametrize(
    ("sample", "finished", "text", "invalid"),
    [
        (" How many?", True, "How many?", None),
        (" How many?\n\nQ5. And", False, "How many?", None),
        (" How many?\nQ5. And", False, "How many?", None),
        (" 35 + 7\n\nQ5. 30 - 2", True, "35 + 7", None),
        (" What is Q3. of it?", True, "What is Q3. of it?", None),  # a number that the prompt already holds
        (" It fell in Q3. In Q4. it rose by 5. How far?", True, "It fell in Q3. In Q4. it rose by 5. How far?", None),
        (" It earned 12 in Q4.", True, "It earned 12 in Q4.", None),
        (" If Q1. is 5, what is twice that?", True, "If Q1. is 5, what is twice that?", None),
        (" He runs 5. km. How many m?", True, "He runs 5. km. How many m?", None),
        (" How many? Q5. And", True, " How many? Q5. And", "runs on"),
        (" What is Q15. of it?", True, " What is Q15. of it?", "runs on"),
        (" 35 + 7 Q4. 30 - 2", True, " 35 + 7 Q4. 30 - 2", "runs on"),
        (" He left at 5. Q2. was easy.", True, " He left at 5. Q2. was easy.", "runs on"),
        (" Solve\n\n$$x = 2$$\n\nfor x", True, " Solve\n\n$$x = 2$$\n\nfor x", "runs on"),
        (" A tank holds 5.\n\nHow many do 3 hold?", True, " A tank holds 5.\n\nHow many do 3 hold?", "runs on"),
        (" He missed\nQ5. of it", True, " He missed\nQ5. of it", "runs on"),
        (" What is 2 + 2? A: 4", True, "What is 2 + 2? A: 4", "carries its answer"),
        (" What is 2 + 2?\n**Answer:** 4", True, "What is 2 + 2?\n**Answer:** 4", "carries its answer"),
        (" How many in FAQ5. then?", True, "How many in FAQ5. then?", None),
        (" How ma", False, "How ma", "cut off"),
        (" How many? #### 5", True, "How many? #### 5", "carries its answer"),
        (" How many? \\boxed{5}", True, "How many? \\boxed{5}", "carries its answer"),
        ("Q5. And", True, "Q5. And", "empty"),
        ("Q4. And", True, "Q4. And", "empty"),
        ("", False, "", "empty"),
    ],
)
def test_an_instruction_is_the_text_before_the_next_item(
    sample: str, finished: bool, text: str, invalid: str | None
) -> None:
    parsed = MATH.parse_instruction(sample, finished)
    assert (parsed.text, parsed.invalid) == (text, invalid)


BOX, HASHES = r"Put your final answer within \boxed{}.", "End with the final answer alone on a line after ####."


@pytest.mark.parametrize(
    ("system", "solution", "taught"),
    [
        (HASHES, r"2 * 9 = 18, so \boxed{18}.", "2 * 9 = 18, so \\boxed{18}.\n#### 18"),
        (HASHES, "2 * 9 = 18\n#### 18", "2 * 9 = 18\n#### 18"),
        (HASHES, r"\boxed{3} and \boxed{-3}", "\\boxed{3} and \\boxed{-3}\n#### 3, -3"),
        (HASHES, "#### 17, no: \n\\boxed{18}", "#### 17, no: \n\\boxed{18}\n#### 18"),  # the last statement counts
        (BOX, r"so $\boxed{\frac{1}{2}}$", r"so $\boxed{\frac{1}{2}}$"),
        (BOX, "2 * 9 = 18\n#### 18\n", "2 * 9 = 18\nThe final answer is \\boxed{18}."),
        (BOX, "#### 18", r"The final answer is \boxed{18}."),
        (None, "2 * 9 = 18\n#### 18", "2 * 9 = 18\n#### 18"),
        ("", r"\boxed{18}", r"\boxed{18}"),
        ("After #### or in \\boxed{}.", "#### 18", "#### 18"),
    ],
)
def test_a_row_teaches_the_form_that_it_asks_for(system: str | None, solution: str, taught: str) -> None:
    answer = MATH.read_reference("How many?", solution)
    reference = Reference(instruction_id="i", answer=answer, solution=solution, teacher="someone", invalid=None)
    for prompt, completion in (
        MATH.enhancement_row("How many?", reference, "failed", system),
        MATH.replay_row("How many?", solution, system),
    ):
        assert [m.content for m in prompt] == [*([] if system is None else [system]), "How many?"]
        assert [m.content for m in completion] == [taught]
        assert MATH.read_reference("How many?", completion[0].content) == answer


@pytest.mark.parametrize(
    ("system", "response", "taught"),
    [
        (HASHES, "It is 18.", "It is 18.\n#### 18"),
        (BOX, "It is 18.", "It is 18.\nThe final answer is \\boxed{18}."),
        (BOX, "Who knows?", "Who knows?"),
        (None, "It is 18.", "It is 18."),
    ],
)
def test_a_replayed_answer_gets_the_requested_form_if_it_lacks_it(
    system: str | None, response: str, taught: str
) -> None:
    _, [completion] = MATH.replay_row("How many?", response, system)
    assert completion.content == taught
