"""The final answer is the one that a reader would find, and a response without one gets a reason."""

import time

import pytest

from reversegen.kinds.answers.final import NO_ANSWER, UNREADABLE, FinalAnswer, final_answer
from reversegen.kinds.answers.reply import IN_THOUGHT, TRUNCATED

MARKED = [
    ("Natalia sold 48/2 = <<48/2=24>>24 clips in May.\n#### 72", "72"),
    ("#### 1,234", "1,234"),
    ("####1234", "1234"),
    ("##### 5", "5"),
    ("so it is #### -17", "-17"),
    ("#### \u221217", "-17"),
    ("#### $18.50", "$18.50"),
    ("#### 3.5.", "3.5"),
    ("#### 3/4", "3/4"),
    ("####\n\n42", "42"),
    ("#### 42 ####", "42"),
    ("#### 42\r\nI hope that this helps! Call 911.", "42"),
    ("#### 42 apples are left", "42 apples are left"),
    ("#### 42, or 43 if Tom helps", "42, or 43 if Tom helps"),
    ("#### \u200b42\ufeff", "42"),
    ("#### 1\u200d234", "1234"),
    ("#### 42<|eot_id|>", "42"),
    ("#### 42<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nAnd 43?", "42"),
    ("#### 42</s>7", "42"),
    ("#### 5\nThe user wants this:\n#### 6", "6"),
    ("#### Step 1\n2 + 2 = 4\n#### Final answer\n4", "4"),
    (r"The answer is \boxed{12}.", "12"),
    (r"$$\boxed{ \frac{1}{2} }$$", r"\frac{1}{2}"),
    (r"\boxed{\frac{\sqrt{3}}{2^{n+1}}} and {more}", r"\frac{\sqrt{3}}{2^{n+1}}"),
    (r"\boxed{\left\{1, 2\right\}}", r"\left\{1, 2\right\}"),
    (r"\boxed{\left\{ x \right.}", r"\left\{ x \right."),
    (r"First \boxed{3}, then \boxed{4}.", "4"),
    (r"\boxed{\boxed{5}}", "5"),
    (r"\fbox{6}", "6"),
    (r"\boxed {7}", "7"),
    (r"\boxed{\$8}", r"\$8"),
    (r"\boxed{9", None),
    (r"\boxed{8} and, cut off, \boxed{9", "8"),
    (r"} \boxed{10}", "10"),
    (r"\boxed{}", None),
    (r"\boxed{11} \boxed{}", "11"),
    (r"\boxed{1} but #### 2", "2"),
    (r"#### 1 but \boxed{2}", "2"),
    (r"#### $\boxed{3}$", "3"),
    (r"\boxed{4} ####", "4"),
    ("#### 42\r43", "42"),
    ("#### 42\u202843", "42"),
    ("##\u200b## 4\u00ad2\u200e", "42"),
    ("#### 42<end_of_turn>\n43", "42"),
    ("#### 42<\uff5cend\u2581of\u2581sentence\uff5c>43", "42"),
    ("#### **42**", "**42**"),
    ("####\u00a042\u00a0", "42"),
    ("{{{{\\boxed{5}", "5"),
    ("####", None),
    ("#### .", None),
    ("", None),
    (" \n", None),
    ("I cannot answer that.", None),
]
"""Responses and their strict final answers."""

UNMARKED = [
    ("The answer is 42.", "42"),
    ("3 + 4 = 7", "7"),
    ("It costs $1,234.50 in total.", "1,234.50"),
    (r"It costs \$5.", "5"),
    ("He owes -$5", "-5"),
    ("He owes $-5", "-5"),
    ("x = -3", "-3"),
    ("x = \u22123", "-3"),
    ("10-3", "10-3"),
    ("(x)-3", "3"),
    ("They eat 3/4 of it", "3/4"),
    ("about .5 of it", ".5"),
    ("between 1...5", "5"),
    ("1,2345", "1,2345"),
    ("12,345,678 people", "12,345,678"),
    ("42<|eot_id|>", "42"),
    ("4\u200b2", "42"),
    (r"\boxed{9", "9"),
    ("5 ####", "5"),
    ("so 1 1/2 cups", "1 1/2"),
    ("minus -1 1/2", "-1 1/2"),
    ("It is 1.5e3.", "1.5e3"),
    ("in 1e", "1"),
    ("a rise of 25%.", "25%"),
    (r"a rise of $12.5\%$", r"12.5\%"),
    (r"It is $\frac{3}{4}$.", r"\frac{3}{4}"),
    (r"It is $-\dfrac{3}{4}$.", r"-\dfrac{3}{4}"),
    (r"\frac{x}{4}", r"\frac{x}{4}"),
    ("no number", None),
    ("", None),
]
"""Responses without a marked answer, and the answers that are still found in them."""


@pytest.mark.parametrize(("text", "expected"), MARKED)
def test_strict_answer(text: str, expected: str | None) -> None:
    answer = final_answer(text)
    assert (answer.value if answer.strict else None) == expected


@pytest.mark.parametrize(("text", "expected"), UNMARKED)
def test_flexible_answer(text: str, expected: str | None) -> None:
    assert final_answer(text).value == expected
    assert not final_answer(text).strict


@pytest.mark.parametrize(
    "unit",
    [
        r"\boxed{",
        "{}",
        r"\boxed ",
        "#",
        "1",
        ",111",
        "1/",
        "1 1",
        "1e",
        "1 1/",
        "\\frac{1",
        "\\frac ",
        "\r",
        "$-",
        "<|",
        "<|a",
        "<\uff5c",
        " ",
        "#### 1\n",
    ],
)
def test_extraction_takes_linear_time(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    started = time.process_time()
    final_answer(text)
    final_answer(text + "}" * (200_000 // len(unit)))
    assert time.process_time() - started < 2  # measured 0.01 to 0.16; a quadratic reader takes much longer


IN_CONTEXT = [
    # the style of GSM8K with its calculator marks
    ("He eats 3*2=<<3*2=6>>6 eggs.\nSo 16-6=<<16-6=10>>10 are left.\n#### 10", "10"),
    ("She sells 9 * 2 = $<<9*2=18>>18 every day.\n#### 18", "18"),
    ("#### 1\n#### 2\n#### 3", "3"),
    ("Let me see.\n\n#### Answer: 12", "12"),
    ("#### 70,000", "70,000"),
    ("#### 5%", "5%"),
    ("#### 10:30", "10:30"),
    ("#### -0.5", "-0.5"),
    ("#### 3 1/2", "3 1/2"),
    ("#### 5 = 5", "5 = 5"),
    ("####\t8\t", "8"),
    ("**#### 8**", "8**"),
    # boxes as chat models write them
    ("So $\\boxed{10}$ eggs are left, not 16.", "10"),
    ("\\[\n\\boxed{10}\n\\]\nThat is $20 in 2 days.", "10"),
    (r"**Final answer:** \(\boxed{-\frac{3}{4}}\)", r"-\frac{3}{4}"),
    (r"\boxed{10\%}", r"10\%"),
    (r"\boxed{x = 5}", "x = 5"),
    (r"\boxed{(1, 2)}", "(1, 2)"),
    (r"\boxed{\text{Friday}}", r"\text{Friday}"),
    (r"\boxed{\begin{pmatrix} 1 \\ 2 \end{pmatrix}}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"),
    (r"\boxed{1} or \boxed{2} or \boxed{3}", "1, 2, 3"),
    ("\\boxed{\n7\n}", "7"),
    (r"\boxed{\{\}}", r"\{\}"),
    (r"\boxed{3}}}}}", "3"),
    # by the last number alone
    ("The answer is: 5", "5"),
    ("The answer is 10 eggs, in 3 days", "10"),
    ("The answer is 1,234.", "1,234"),
    ("It is 50%.", "50%"),
    ("It is 2^10", "2^10"),
    ("x=7.", "7"),
    ("Tom is 5'11", "5'11"),
    ("Total: **42**", "42"),
    ("Total: _42_", "42"),
    ("(42)", "42"),
    ("42!", "42"),
    ("3/4 of 8/9", "8/9"),
    ("It was in May 2020-21", "2020-21"),
    ("from 5 to -5", "-5"),
    ("-7", "-7"),
    ("$3.00", "3.00"),
    ("USD 1,000,000.50 in all", "1,000,000.50"),
    ("version 1.2.3", "1.2.3"),
    # hostile: quoted marks, forged turns, characters without width
    ("The grader wants #### 99. I say \\boxed{1}", "1"),
    ("\\boxed{1} <|eot_id|> #### 2", "1"),
    ("#### 4<|im_end|>\n<|im_start|>user\n5", "4"),
    ("####\u200b4\u200d2", "42"),
    ("#\u200b### 42 and 7", "42 and 7"),
    ("\\boxed\u200b{5}", "5"),
    ("#### \u202e42", "\u202e42"),
    ("#" * 5000 + "1", "1"),
    ("\\boxed{" * 500 + "1" + "}" * 500, "1"),
    ("1" * 5000, "1" * 5000),
    ('{"answer": "#### 6"}', '6"}'),
    ("#### {{7*7}}", "{{7*7}}"),
    ("#### __import__('os')", "__import__('os')"),
    ("\x00#### 5\x00", "5\x00"),
    ("#### ", None),
    ("\\boxed{ }", None),
    ("none, zero, nil", None),
    ("\u00bd of it", "\u00bd"),
]


@pytest.mark.parametrize(("text", "expected"), IN_CONTEXT, ids=range(len(IN_CONTEXT)))
def test_a_final_answer_is_found_in_context(text: str, expected: str | None) -> None:
    assert final_answer(text).value == expected


HEADINGS = [
    ("#### Step 1: boxes\n2 boxes\n\n#### Step 2: multiply\n2 * 9 = 18\n\nSo 18.", "18", False),
    ("#### 1. Count the boxes\nThere are 2.\n#### 2. Multiply\n2 x 9 = 18.", "18", False),
    ("#### 1) Count\n2\n#### 2) Multiply\n18", "18", False),
    ("#### 1st step\n2\n#### 2nd step\n18", "18", False),
    ("#### Check\n9 + 9 = 18", "18", False),
    (r"It is \boxed{18}." + "\n\n#### Check\n9 + 9 is not 17.", "18", True),
    (r"It is \boxed{18}." + "\n\n#### 2. Verification\n9 + 9 is not 17.", "18", True),
    ("#### 18\n\n#### Why?\n2 boxes", "18", True),
    ("#### Solution\n2 boxes of 9\n#### Result\n18", "18", True),
    ("#### Final Answer\n\n**18**", "**18**", True),
    ("#### Final Answer\nTom has 18 pens.", "18", False),
    ("### Final Answer\n\n18 pens", "18 pens", False),
    ("### Answer: 18", "18", False),
    ("#### Answer: 18", "18", True),
    ("#### **Answer:** 18", "18", True),
    ("#### The final answer is $18.", "$18", True),
    ("#### \u2248 18", "18", True),
    ("#### 18. I hope this helps.", "18", True),
    ("#### 18 pens in total\n\nI hope this helps!", "18 pens in total", True),
    ("#### Friday", "Friday", True),
    ("#### Friday\n#### Friday", "Friday", True),
    ("#### None\n\nThe price is missing, of 2 pens.", "None", True),
    ("#### eighteen\n\nThat is 9 + 9.", "eighteen", True),
    ("#### N = 18", "N = 18", True),
    ("#### B", "B", True),
]
"""Responses with lines that are headings or answers, the answer, and whether it is in strict form."""


@pytest.mark.parametrize(("text", "value", "strict"), HEADINGS)
def test_headings_and_answers_are_distinguished(text: str, value: str, strict: bool) -> None:
    assert final_answer(text) == FinalAnswer(value, strict)


BOXES = [
    (r"The solutions are $\boxed{3}$ and $\boxed{-3}$.", "3, -3"),
    (r"$x = \boxed{3}$ or $x = \boxed{-3}$", "3, -3"),
    (r"\boxed{3}, \boxed{4}, and \boxed{5}", "3, 4, 5"),
    ("\\[\\boxed{3}\\]\nand\n\\[\\boxed{-3}\\]", "3, -3"),
    (r"\boxed{18} and \boxed{18.0}", "18"),
    (r"\boxed{18}. So it is \boxed{18}", "18"),
    (r"First \boxed{9}, then \boxed{18}.", "18"),
    ("\\boxed{9}\n\n\\boxed{18}", "18"),
    (r"\boxed{9} a box, and \boxed{18} in total", "18"),
    (r"$\boxed 18$", "18"),
    (r"$\boxed8$.", "8"),
    (r"\boxed -3", "-3"),
    (r"\boxed{18}\tag{1}", "18"),
    (r"\boxed{18}\qquad\blacksquare", "18"),
]


@pytest.mark.parametrize(("text", "value"), BOXES)
def test_boxes_of_one_statement_are_a_list_and_otherwise_the_last_counts(text: str, value: str) -> None:
    assert final_answer(text) == FinalAnswer(value, True)


RUN_ON = [
    ("2*9=18\n#### 18\n\nQuestion: Ann has 3 cats. How many legs?\nAnswer: 3*4=12\n#### 12", "18"),
    ("#### 18\nQ: and 3 cats?\n#### 12", "18"),
    ("#### 18\n\n**Problem 2:** 3 cats\n#### 12", "18"),
    (r"\boxed{18}" + "\nHuman: and 3 cats?\nAssistant: " + r"\boxed{12}", "18"),
    ("#### 18\n\n### Instruction:\nmore\n\n### Response:\n#### 12", "18"),
    ("#### 18<|im_end|>\n<|im_start|>user\n3 cats?<|im_end|>\n#### 12", "18"),
    ("The answer is 18.\n\nQuestion: Ann has 3 cats.\nAnswer: 12", "18"),
    ("There are 18 pens.\n\nQuestion: Ann has 3 cats.", "18"),
    ("Question: 2 boxes of 9 pens?\nAnswer: 2 * 9\n#### 18", "18"),
]


@pytest.mark.parametrize(("text", "value"), RUN_ON)
def test_the_answer_comes_before_another_question(text: str, value: str) -> None:
    assert final_answer(text).value == value


STATED = [
    ("The answer is 18. (Checked in 2 ways.)", "18"),
    ("The final answer is $18$. I hope it is correct. 2 thanks.", "$18$"),
    ("**Final Answer:** 18. That took 3 steps.", "18"),
    ("Answer: 18 (in 2 boxes)", "18"),
    (r"The answer is $\sqrt{2}$.", r"$\sqrt{2}$"),
    ("The answer is not 17, it is 18.", "18"),
    ("I checked that the answer is correct: 18", "18"),
    ("The answer is 2 * 9 = 18.", "18"),
    (r"So $x = 2\sqrt{2}$.", r"x = 2\sqrt{2}"),
    ("The area is 20 m^2.", "20"),
    ("The total is 1.5 million.", "1.5 million"),
    ("The total is 1.234,50 kr", "1.234,50"),
    ("It is 3:30.", "3:30"),
    ("There are eighteen pens.", "eighteen"),
]


@pytest.mark.parametrize(("text", "value"), STATED)
def test_a_plain_statement_counts_before_the_last_number(text: str, value: str) -> None:
    assert final_answer(text) == FinalAnswer(value, False)


@pytest.mark.parametrize(
    ("text", "invalid"),
    [
        (r"\boxed{}", NO_ANSWER),
        (r"\boxed{\text{ }}", NO_ANSWER),
        ("\\boxed{?}", NO_ANSWER),
        ("#### ...", NO_ANSWER),
        ("I do not know.", NO_ANSWER),
        ("<think>18</think>", NO_ANSWER),
        ("<think>#### 18", IN_THOUGHT),
        (r"\boxed{18}" + "\n\n#### 2 ways to check\n9 + 9", UNREADABLE),
        ("#### 2 boxes of 9 pens\n\nSo there are 18.", UNREADABLE),
    ],
)
def test_a_response_without_an_answer_has_the_reason(text: str, invalid: str) -> None:
    assert final_answer(text) == FinalAnswer(None, invalid=invalid)


@pytest.mark.parametrize(
    ("text", "value", "settled"),
    [
        ("so 31\n#### 31\n#### 31\n#### 31", "31", True),
        ("so 13\n#### 13\n#### 13\n#### 1", "13", True),
        ("#### 13\n", "13", True),
        ("a #### 13 #### 13 #### 1", "13", True),
        ("2 + 2\n#### 4\n2 + 2\n#### 4\n2 +", "4", True),
        (r"It is \boxed{13}. It is \boxed{13}. It i", "13", True),
        (r"It is \boxed{13}", "13", True),
        ("#### 13\n\nQuestion: Ann has 3 ca", "13", True),
        ("<think>9</think>\n#### 13\n", "13", True),
        ("#### 13<|eot_id|>", "13", True),
        ("#### 13\nWait, let me check that", "13", False),
        ("#### 13\n#### 14", "13", False),
        (r"\boxed{3} and \boxed{-", "3", False),
        ("#### 1", None, True),
        ("so 31\n#### ", None, True),
        ("The answer is 13. The answer is 13. The ans", "13", True),
        ("6 + 7 = 13.\nThe answer is 13.\n\nThe answer is 13.\n\nThe answer is 13.\n\n", "13", True),
        ("The answer is 9. Wait, no. The answer is 13. The answer is 13. The answ", "13", True),
        ("The answer is 13. The answer is 13. But", None, True),
        ("The answer is 13. Then we", None, True),
        ("The answer is 13.", None, True),
        ("He has 13 left. He has 13 left. He", None, True),
        ("It is 18", None, True),
        (r"$\boxed 1", None, True),
        (r"\boxed{18", None, True),
        ("#### Step 1\n2 * 9", None, True),
    ],
)
def test_a_truncated_response_has_a_complete_answer_or_none(text: str, value: str | None, settled: bool) -> None:
    found = final_answer(text, finished=False)
    assert (found.value, found.settled) == (value, settled)
    assert found.invalid == (None if value else TRUNCATED)


def test_a_response_that_was_not_received_has_the_engines_reason() -> None:
    assert final_answer("", False, "content filter") == FinalAnswer(None, invalid="content filter")


@pytest.mark.parametrize(
    "unit",
    [
        "<think>",
        "</think>",
        "<think></think>",
        "</s>",
        "#### a b\n",
        "#### Step 1\n",
        "####\n",
        "The answer is 1. ",
        "Answer:\n",
        "Question 1\n",
        "final answer ",
        "two ",
        "1'",
        r"\boxed{1},",
        r"\boxed{1} and ",
        "#### 3 pens are left\n",
        "**2 pens** ",
        "**2 pens**=",
        "2 hours ",
        "x = 2 or ",
        "answer is Tom ",
        "1 is minus ",
    ],
)
@pytest.mark.parametrize("finished", [True, False])
def test_hostile_responses_take_linear_time(unit: str, finished: bool) -> None:
    started = time.process_time()
    final_answer(unit * (100_000 // len(unit)), finished)
    assert time.process_time() - started < 2  # measured below 0.4
