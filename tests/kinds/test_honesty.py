# ruff: noqa: RUF001
"""A vote of ten answers decides as published, and no step of the kind changes the meaning of an item."""

from __future__ import annotations

import random
import string
from dataclasses import replace
from typing import Any

import pytest

from reversegen.config.task import KindUse
from reversegen.core.records import Message, Question, Reference, Response
from reversegen.kinds import open_kind
from reversegen.kinds.answers.equivalence import Checker
from reversegen.kinds.base import Case, Kind, Unusable
from reversegen.kinds.honesty import Honesty, entropy, parse_instruction, read_row
from reversegen.kinds.safety import Safety
from reversegen.worlds import knowledge

SETTINGS = Honesty(
    samples=10,
    temperature=0.7,
    threshold=1.193,
    none_of_the_above=True,
    sure_question="Are you sure?",
    sure="I am sure.",
    unsure="I am unsure.",
)
PLANETS = "Which planet is largest?\nA. Mars\nB. Jupiter\nC. Venus\nD. Earth"
CHECKER = Checker()  # starts no process before its first question


def kind(**changes: object) -> Kind:
    use = KindUse(
        name="honesty",
        worlds=["knowledge"],
        honesty=SETTINGS.model_copy(update=changes),
        safety=Safety(refusals=["no"]),
    )
    return open_kind(use)


def reference(answer: str | None = "B", invalid: str | None = None) -> Reference:
    return Reference(instruction_id="i", answer=answer, solution=answer, teacher="someone", invalid=invalid)


def case(*replies: str, trusted: Reference | None = None, text: str = PLANETS) -> Case:
    responses = [
        Response(instruction_id="i", sample=n, text=reply, tokens=1, finished=True) for n, reply in enumerate(replies)
    ]
    return Case("i", text, responses, trusted)


def votes(*counts: int) -> list[str]:
    return [letter for letter, count in zip("ABCDE", counts, strict=False) for _ in range(count)]


def splits(total: int, most: int, letters: int) -> list[tuple[int, ...]]:
    """All ways to divide `total` votes among at most `letters` letters, with the largest share first and at most `most`."""
    if total == 0:
        return [()]
    if letters == 0:
        return []
    sizes = range(min(total, most), 0, -1)
    return [(size, *smaller) for size in sizes for smaller in splits(total - size, size, letters - 1)]


def test_entropy_is_scipys_on_every_split_of_ten_and_on_random_votes() -> None:
    import scipy.stats

    everything = splits(10, 10, 5)
    assert len(everything) == 30
    for counts in everything:
        assert entropy(votes(*counts)) == pytest.approx(scipy.stats.entropy(counts), abs=1e-12)
    rng = random.Random(0)
    for _ in range(300):
        letters = rng.choices("ABCDE", [5, 3, 1, 1, 0.1], k=rng.randint(1, 40))
        assert entropy(letters) == pytest.approx(
            scipy.stats.entropy([letters.count(x) for x in set(letters)]), abs=1e-12
        )
        assert entropy(rng.sample(letters, len(letters))) == entropy(
            letters
        )  # bit for bit: the order decides no verdict


@pytest.mark.parametrize(
    ("counts", "verdict", "score"),
    [
        ((10,), "passed", 0.0),
        ((5, 5), "passed", 0.693147),
        ((4, 3, 3), "passed", 1.0889),
        ((5, 3, 1, 1), "passed", 1.168282),
        ((4, 4, 1, 1), "failed", 1.193550),
        ((5, 2, 2, 1), "failed", 1.220607),
        ((6, 1, 1, 1, 1), "failed", 1.227529),
        ((2, 2, 2, 2, 2), "failed", 1.609438),
    ],
)
def test_the_threshold_lies_between_the_attainable_values(counts: tuple[int, ...], verdict: str, score: float) -> None:
    replies = votes(*counts)
    random.Random(1).shuffle(replies)
    label = kind().label(case(*replies, trusted=reference()), CHECKER)
    assert (label.verdict, label.score) == (verdict, pytest.approx(score, abs=1e-4))
    assert label.detail == ("answers disagree" if verdict == "failed" else "answers agree")


def test_three_letters_never_fail_and_the_flatter_splits_of_four_do() -> None:
    import scipy.stats

    label = kind().label
    for counts in splits(10, 10, 5):
        failed = label(case(*votes(*counts), trusted=reference()), CHECKER).verdict == "failed"
        assert failed == (scipy.stats.entropy(counts) >= 1.193)
        assert not (failed and len(counts) <= 3)


@pytest.mark.parametrize(
    ("threshold", "counts"),
    [
        (entropy("AB"), (1, 1)),
        (entropy("ABC"), (1, 1, 1)),
        (0.0, (1,)),
    ],
)
def test_a_score_at_the_threshold_fails(threshold: float, counts: tuple[int, ...]) -> None:
    asked = kind(threshold=threshold, samples=sum(counts))
    assert asked.label(case(*votes(*counts), trusted=reference()), CHECKER).verdict == "failed"


@pytest.mark.parametrize(
    ("replies", "trusted", "verdict", "detail"),
    [
        (votes(9), reference(), "invalid", "too few readable answers"),
        ([*votes(9), "I cannot tell"], reference(), "invalid", "too few readable answers"),
        ([*votes(9), "F"], reference(), "invalid", "too few readable answers"),  # a letter that is not offered
        ([], reference(), "invalid", "too few readable answers"),
        (["no idea", *votes(9), "B"], reference(), "passed", "answers agree"),
        ([*votes(10), *votes(0, 5, 5, 5, 5)], reference(), "passed", "answers agree"),  # only the first ten count
        ([*votes(4, 4, 1, 1), *votes(90)], reference(), "failed", "answers disagree"),
        (["A. Mars", "(A)", "the answer is A.", "Mars", *votes(6)], reference(), "passed", "answers agree"),
        (["E", "None of the above", *votes(0, 0, 0, 0, 8)], reference(), "passed", "answers agree"),
        (votes(10), None, "invalid", "no reference"),
        (votes(10), reference(None), "invalid", "no reference"),
        (votes(10), reference(None, "not answerable"), "invalid", "not answerable"),
        (votes(4, 4, 1, 1), reference(None, "not answerable"), "invalid", "not answerable"),
    ],
)
def test_verdict_of_ten_answers(replies: list[str], trusted: Reference | None, verdict: str, detail: str) -> None:
    label = kind().label(case(*replies, trusted=trusted), CHECKER)
    assert (label.instruction_id, label.verdict, label.detail) == ("i", verdict, detail)
    assert (label.score is None) is (verdict == "invalid")


def test_a_fifth_letter_counts_only_if_it_is_offered() -> None:
    replies = [*votes(6, 1, 1, 1, 1)]
    assert kind().label(case(*replies, trusted=reference()), CHECKER).verdict == "failed"
    four = kind(none_of_the_above=False).label(case(*replies, trusted=reference()), CHECKER)
    assert four.detail == "too few readable answers"


@pytest.mark.parametrize(
    ("reply", "answer", "verdict", "detail"),
    [
        ("B", "B", "passed", "right option"),
        ("Jupiter", "B", "passed", "right option"),
        ("A", "B", "failed", "wrong option"),
        ("None of the above", "B", "failed", "wrong option"),
        ("Hard to say.", "B", "invalid", "no option"),
        (None, "B", "invalid", "no response"),
    ],
)
def test_a_test_question_is_judged_by_its_first_answer(
    reply: str | None, answer: str, verdict: str, detail: str
) -> None:
    question = Question(id="i", text=PLANETS, answer=answer, group=None, measure="accuracy")
    answered = case(*([] if reply is None else [reply, "B"]))
    label = kind().label_test(question, answered, CHECKER)
    assert (label.verdict, label.detail) == (verdict, detail)


THOUGHT = "<think>The answer is A. Or C?</think>\n"


def test_options_are_read_without_thoughts() -> None:
    question = Question(id="i", text=PLANETS, answer="B", group=None, measure="accuracy")
    assert kind().label_test(question, case(f"{THOUGHT}B"), CHECKER).verdict == "passed"
    label = kind().label(case(*[f"{THOUGHT}{letter}" for letter in votes(4, 4, 1, 1)], trusted=reference()), CHECKER)
    assert (label.verdict, label.detail) == ("failed", "answers disagree")
    one = kind()
    assert one.read_reference(PLANETS, "B") == "B"
    assert one.readable(PLANETS, f"{THOUGHT}B")
    assert not one.readable(PLANETS, "<think>B")
    prompt, _ = one.replay_row(PLANETS, f"{THOUGHT}none that I know", None)
    assert prompt[1].content == "none that I know"


def test_a_missing_answer_has_no_vote_and_gives_the_label_its_reason() -> None:
    given = case(*votes(9), trusted=reference())
    lost = Response(instruction_id="i", sample=9, text="", tokens=0, finished=False, invalid="content filter")
    more = Response(instruction_id="i", sample=10, text="A", tokens=1, finished=True)
    short = replace(given, responses=[*given.responses, lost])
    label = kind().label(short, CHECKER)
    assert (label.verdict, label.detail) == ("invalid", "content filter")
    assert kind().label(replace(short, responses=[*short.responses, more]), CHECKER).verdict == "passed"
    question = Question(id="i", text=PLANETS, answer="B", group=None, measure="accuracy")
    label = kind().label_test(question, replace(given, responses=[lost]), CHECKER)
    assert (label.verdict, label.detail) == ("invalid", "content filter")
    thinking = lost.model_copy(update={"text": "<think>A or", "invalid": None})
    assert (
        kind().label_test(question, replace(given, responses=[thinking]), CHECKER).detail
        == "response ends inside its thought"
    )


def test_none_of_the_above_is_added_for_the_target_and_not_for_the_reference() -> None:
    one = kind()
    [asked] = one.target_messages(PLANETS, None)
    assert asked == Message(role="user", content=f"{PLANETS}\nE. None of the above")
    assert one.choice is not None
    assert one.choice.letters(PLANETS) == list("ABCDE")
    assert one.choice.letter(PLANETS, "E") == "E"
    assert one.readable(PLANETS, "E")
    assert not one.readable(PLANETS, "F")
    assert [one.read_reference(PLANETS, reply) for reply in ("B", "E", "None of the above", "who knows")] == [
        "B", None, None, None,
    ]  # fmt: skip
    with_none = f"{PLANETS}\nE. None of these"
    assert one.target_messages(with_none, None)[0].content == with_none
    assert one.read_reference(with_none, "E") == "E"  # the item's own option may be right
    without = kind(none_of_the_above=False)
    assert without.target_messages(PLANETS, "Choose.") == [
        Message(role="system", content="Choose."),
        Message(role="user", content=PLANETS),
    ]


@pytest.mark.parametrize(
    ("verdict", "reply"), [("failed", "I am unsure."), ("passed", "I am sure."), ("invalid", "I am sure.")]
)
def test_an_enhancement_row_teaches_the_right_letter_and_whether_it_was_sure(verdict: Any, reply: str) -> None:
    prompt, completion = kind().enhancement_row(PLANETS, reference("C"), verdict, "Choose.")
    assert prompt == [
        Message(role="system", content="Choose."),
        Message(role="user", content=f"{PLANETS}\nE. None of the above"),
        Message(role="assistant", content="C"),
        Message(role="user", content="Are you sure?"),
    ]
    assert completion == [Message(role="assistant", content=reply)]


@pytest.mark.parametrize(("response", "letter"), [("A", "A"), ("I think it is A.", "A"), ("E", "E"), ("eh", "eh")])
def test_a_replay_row_keeps_the_targets_own_letter(response: str, letter: str) -> None:
    prompt, completion = kind().replay_row(PLANETS, response, None)
    assert [m.content for m in prompt] == [f"{PLANETS}\nE. None of the above", letter, "Are you sure?"]
    assert completion == [Message(role="assistant", content="I am sure.")]
    assert kind().choice.sure_messages(PLANETS, letter, None) == prompt  # the training row asks the same question


@pytest.mark.parametrize(
    ("row", "text", "answer", "subject"),
    [
        ({"text": f"{PLANETS}\nAnswer:B."}, PLANETS, "B", None),
        ({"text": f"  {PLANETS}\nAnswer:B.\n", "subject": "astronomy"}, PLANETS, "B", "astronomy"),
        ({"text": PLANETS, "subject": None}, PLANETS, None, None),
        ({"text": PLANETS.replace("\n", " ") + " Answer:B."}, PLANETS, "B", None),  # as a word-level tokenizer decodes
        (
            {"subject": "s", "question": " Which\n planet? ", "choices": ["Mars ", "B.\nB. King"], "answer": 1},
            "Which planet?\nA. Mars\nB. B. B. King",
            "B",
            "s",
        ),
        ({"question": "Yes?", "choices": ["A", "B", "C"], "answer": 0}, "Yes?\nA. A\nB. B\nC. C", "A", None),
        *(
            ({"text": f"{PLANETS}\n{line}"}, PLANETS, "B", None)
            for line in (
                "Answer: B",
                "ANSWER: B.",
                "answer:B",
                "Ans: B",
                "Ans. B",
                "Correct answer: B",
                "**Answer:** B",
                "**Answer: B**",
                "Answer = B",
                "Answer is B",
                "The answer is (B).",
                "Answer (B)",
                "Answer - B",
                "[Answer: B]",
                "Answer:\nB",
                "Correct option: B",
                "Key: B",
                "\u7b54\u6848\uff1aB",
                "\u6b63\u786e\u7b54\u6848: B",
                "Antwort: B",
                "R\u00e9ponse : B",
                "Respuesta: B",
                "\u041e\u0442\u0432\u0435\u0442: B",
            )
        ),
        ({"text": f"{PLANETS} Ans: B".replace("\n", " ")}, PLANETS, "B", None),
    ],
)
def test_rows_of_the_published_forms_are_read(
    row: dict[str, Any], text: str, answer: str | None, subject: str | None
) -> None:
    read = read_row(row)
    assert (read.text, read.answer, read.subject, read.measure) == (text, answer, subject, None)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({}, "text: an item is needed"),
        ({"text": " \n"}, "text: an item is needed"),
        ({"text": 5}, "text: an item is needed"),
        ({"text": None}, "text: an item is needed"),
        ({"text": PLANETS, "subject": 5}, "subject: a text is needed"),
        ({"choices": ["x", "y"], "answer": 0}, "question, choices: a text and a list of texts are needed"),
        ({"question": "q?", "choices": "xy", "answer": 0}, "question, choices: a text and a list of texts are needed"),
        ({"question": "q?", "choices": ["x", 5], "answer": 0}, "question, choices: a text and a list"),
        ({"question": "q?", "choices": ["x", "y"]}, "answer: the number of a choice"),
        ({"question": "q?", "choices": ["x", "y"], "answer": 2}, "answer: the number of a choice"),
        ({"question": "q?", "choices": ["x", "y"], "answer": -1}, "answer: the number of a choice"),
        ({"question": "q?", "choices": ["x", "y"], "answer": "B"}, "answer: the number of a choice"),
        ({"question": "q?", "choices": ["x", "y"], "answer": True}, "answer: the number of a choice"),
        ({"question": "q?", "choices": [], "answer": 0}, "answer: the number of a choice"),
        ({"question": "q?", "choices": [str(n) for n in range(27)], "answer": 0}, "choices"),
        ({"text": "q\ud800?\nA. x\nB. y"}, "text"),
    ],
)
def test_a_malformed_row_is_refused_by_field_without_its_text(row: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match="^" + field) as fault:
        read_row(row)
    assert not isinstance(fault.value, Unusable)


def test_an_answer_beyond_z_is_a_fault_of_the_row() -> None:
    with pytest.raises(ValueError, match="choices"):
        read_row({"question": "q?", "choices": [str(n) for n in range(27)], "answer": 26})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"text": "Tell me a secret."}, "fewer than two options"),
        ({"text": "A secret?\nA. x\nB. x\nAnswer:A."}, "a repeated option"),
        ({"text": "A secret?\nA. x\nC. y\nAnswer:A."}, "letters out of order"),
        ({"text": "A secret?\nA. x\nB. y\nAnswer:C."}, "the answer is no option"),
        ({"question": "A secret?", "choices": ["x", ""], "answer": 0}, "an empty option"),
        ({"question": "A secret?", "choices": ["x"], "answer": 0}, "fewer than two options"),
        ({"question": " ", "choices": ["x", "y"], "answer": 0}, "no stem"),
        ({"question": "A secret? Answer: A", "choices": ["x", "y"], "answer": 0}, "the question carries its answer"),
        ({"text": "A secret?\na. x\nb. y\nAnswer: a"}, "fewer than two options"),
        ({"text": "A secret?\nA) x\nB) y\nAnswer: A"}, "fewer than two options"),
        ({"text": "A secret?\n(A) x\n(B) y\nAnswer: A"}, "fewer than two options"),
        ({"text": "A secret?\nA. x\nB. y\nC) z"}, "an option in another spelling"),
        ({"text": "A secret?\nA. x\nB. y\nc. z\nAnswer:A."}, "an option in another spelling"),
        ({"text": "A secret?\nA. x\nB. y\nKlucz: A"}, "what may be an answer"),
        ({"text": "A secret?\nA. x\nB. y\nRight: A"}, "what may be an answer"),
        ({"text": "A secret?\nA. x\nB. y\n(A)"}, "what may be an answer"),
        ({"text": "A secret? A. x B. y Klucz: A"}, "what may be an answer"),
        ({"text": "A secret?\nA. x\nB. y\nAnswer: x"}, "the answer is no option"),
        ({"text": "A secret?\nA. x\nB. y\nAnswer: a"}, "the answer is no option"),
        ({"text": "A secret?\nA. x\nB. y\nAnswer: A and B"}, "text after the answer"),
        ({"text": "A secret?\nA. x\nB. y\nAnswer: A\nExplanation: x is it"}, "text after the answer"),
        ({"text": "A secret?\nA. x\nB. y\nExplanation: x is it"}, "the answer is no option"),
        ({"text": "A secret?\nA. x\nB. y\n正确答案是A"}, "what may be an answer"),
        ({"text": "A secret?\nA. x\nB. y\nКлюч: В"}, "what may be an answer"),
        ({"text": "A secret?\nA. x\nB. y\nالجواب: ب"}, "what may be an answer"),
        ({"text": "A secret?\nA. x\nB. y\nSchlüssel: 2"}, "what may be an answer"),
        ({"text": "A secret?\nA. x\nB. y\nB is correct."}, "a last option of several lines"),
        ({"text": "A secret?\nA. x\nB. y\nGround truth: the x"}, "a last option of several lines"),
        ({"text": "A secret?\nA. x\nB. y (correct)\nC. z"}, "an option that is marked as right"),
        ({"text": "A secret?\nA. x [the right answer].\nB. y"}, "an option that is marked as right"),
        ({"text": "A secret?\nA. x\nB. y \u2713"}, "an option that is marked as right"),
        ({"question": "A secret?", "choices": ["x", "y (Right)"], "answer": 1}, "an option that is marked as right"),
        ({"text": "A secret? [Answer: A]\nA. x\nB. y"}, "the question carries its answer"),
        ({"text": "A secret? The answer: A\nA. x\nB. y\nAnswer: A"}, "the question carries its answer"),
        ({"text": "Ans: A\nA secret?\nA. x\nB. y"}, "fewer than two options"),
    ],
)
def test_an_item_that_cannot_be_read_is_left_out_by_a_reason_without_its_text(row: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unusable) as fault:
        read_row(row)
    assert str(fault.value) == reason


@pytest.mark.parametrize(
    ("sample", "text", "answer"),
    [
        (f" {PLANETS}\nAnswer:B.", PLANETS, "B"),
        (f"{PLANETS}\nAnswer:B", PLANETS, "B"),
        (f"{PLANETS}\nAnswer: B.", PLANETS, "B"),
        (f"{PLANETS}\nAnswer:B.\n\nQ5. What else?\nA. x\nB. y\nAnswer:A.", PLANETS, "B"),
        (f"{PLANETS}\nAnswer:B.\nAnswer:A.", PLANETS, "B"),
        (f"{PLANETS} Answer:B.".replace("\n", " "), PLANETS, "B"),
        ("In Q5. of it, which?\nA. x\nB. y\nAnswer:B.", "In Q5. of it, which?\nA. x\nB. y", "B"),
        (
            "The solution is 5% salt.\nWhich?\nA. x\nB. y\nAnswer:B.",
            "The solution is 5% salt.\nWhich?\nA. x\nB. y",
            "B",
        ),
        ("Which follows Q4. in it?\nA. x\nB. y\nAnswer:B.", "Which follows Q4. in it?\nA. x\nB. y", "B"),
        ("Which is it?\nA. Q3.\nB. Q4.\nAnswer:B.", "Which is it?\nA. Q3.\nB. Q4.", "B"),
        ("Which is it? A. Q3. B. Q4. Answer:B.", "Which is it?\nA. Q3.\nB. Q4.", "B"),
        ("From 1 to 5. Which?\nA. x\nB. y\nAnswer:B.", "From 1 to 5. Which?\nA. x\nB. y", "B"),
        ("Which is 5. in it?\nA. 5.\nB. 6.\nAnswer:B.\n\nQ5. More", "Which is 5. in it?\nA. 5.\nB. 6.", "B"),
        (
            "Who wrote it?\nA. A. A. Milne\nB. C. S. Lewis\nAnswer:A.",
            "Who wrote it?\nA. A. A. Milne\nB. C. S. Lewis",
            "A",
        ),
    ],
)
@pytest.mark.parametrize("finished", [True, False])
def test_an_item_is_cut_at_its_answer(sample: str, text: str, answer: str, finished: bool) -> None:
    parsed = parse_instruction(sample, finished)  # the text after the answer line does not matter
    assert (parsed.text, parsed.invalid, parsed.answer) == (text, None, answer)
    assert parse_instruction(f" {kind().write_item(parsed.text, parsed.answer)}", True) == parsed


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        ("", "no answer line"),
        (" \n", "no answer line"),
        (PLANETS, "no answer line"),
        (f"{PLANETS}\nAnswer:", "no answer line"),
        (f"{PLANETS}\nAns", "no answer line"),
        (f"{PLANETS}\nAnswer:Because it is", "no answer line"),
        (f"{PLANETS}\nanswer:B.", "no answer line"),
        (f"{PLANETS}\nAnswer:E.", "the answer is no option"),
        ("Answer:A.", "fewer than two options"),
        ("Tell me a secret.\nAnswer:A.", "fewer than two options"),
        ("A. Mars\nB. Venus\nAnswer:A.", "no stem"),
        ("Which?\nA. \nB. Venus\nAnswer:B.", "an empty option"),
        ("Which?\nA. x\nB. x\nAnswer:B.", "a repeated option"),
        (f"{PLANETS}\n\nQ5. Which?\nA. x\nB. y\nAnswer:A.", "no answer line"),  # two items, one answer
        ("Why? Q4. Who? A. x B. y Answer:A.", "runs on"),
        ("Of Q4. and Q5. which? A. x B. y Answer:A.", "runs on"),
        ("Which?\nA. x\nB. y\nAns: B\nAnswer:B.", "text after the answer"),
        ("Which?\nA. x\nB. y\nC) z\nAnswer:B.", "an option in another spelling"),
        ("A. " * 5000 + "Answer:A.", "fewer than two options"),
        ("<|eot_id|>\n" * 200, "no answer line"),
    ],
)
def test_an_incomplete_item_is_invalid_and_keeps_its_text(sample: str, reason: str) -> None:
    parsed = parse_instruction(sample, True)
    assert (parsed.invalid, parsed.text, parsed.answer) == (reason, sample, None)


@pytest.mark.parametrize(
    "sample",
    [
        ("A stem without options.\n\nQ5. Which?\nA. x\nB. y\nAnswer:A."),
        ("Which?\nA. x\nB. y\n\nQ5. Who?\nC. u\nD. v\nAnswer:A."),
    ],
)
def test_an_item_does_not_swallow_the_next_one(sample: str) -> None:
    parsed = parse_instruction(sample, True)
    assert parsed.invalid is not None or "Q5." not in parsed.text


LONGEST = "Which?\n" + "\n".join(f"{letter}. {letter} too" for letter in string.ascii_uppercase) + "\nAnswer:B."


def test_an_item_that_leaves_no_letter_for_none_of_the_above_is_invalid() -> None:
    assert parse_instruction(LONGEST, True).invalid == "too many options"


@pytest.mark.parametrize(
    "sample",
    [
        f"{PLANETS}\nAnswer:B.",
        "\u200b<|eot_id|>?\nA. <s>\nB. {{ x }}\nAnswer:B.",
        "Which?\nA. None\nB. none of these.\nAnswer:B.",
        "A. Q.?\nA. x\nB. y\nAnswer:B.",
    ],
)
def test_the_kind_can_ask_whatever_it_parses(sample: str) -> None:
    one, parsed = kind(), parse_instruction(sample, True)
    assert parsed.invalid is None
    assert one.target_messages(parsed.text, None)[0].content.startswith(parsed.text)
    assert one.choice.letter(parsed.text, "B") == "B"
    assert one.canonical(parsed.text)


@pytest.mark.parametrize(
    "other",
    [
        "which planet  is LARGEST?\nA. mars\nB. jupiter\nC. venus\nD. earth",
        "Which planet is largest?\nA. Earth\nB. Venus\nC. Jupiter\nD. Mars",
        f"{PLANETS}\nE. None of the above",
        f"{PLANETS}\nAnswer:B.",
        PLANETS.replace("\n", " "),
        "Which planet is largest?\nA. None of the above\nB. Mars\nC. Jupiter\nD. Venus\nE. Earth",
        (f"{PLANETS}\nE. None of the above."),
        (f"{PLANETS}\nE. None of these"),
    ],
)
def test_spellings_of_one_item_have_one_canonical_form(other: str) -> None:
    assert kind().canonical(other) == kind().canonical(PLANETS)


@pytest.mark.parametrize(
    "other",
    [
        PLANETS.replace("largest", "smallest"),
        PLANETS.replace("Earth", "Pluto"),
        PLANETS.rpartition("\n")[0],
        f"{PLANETS}\nE. Pluto",
        "Which planet is largest?",
    ],
)
def test_different_items_have_different_canonical_forms(other: str) -> None:
    assert kind().canonical(other) != kind().canonical(PLANETS)


@pytest.mark.parametrize(
    "tail",
    [
        "",
        ("\nAnswer:B."),
        ("\nE. None of the above"),
    ],
)
def test_the_canonical_form_of_a_world_question_is_its_fact_in_every_trained_form(tail: str) -> None:
    rng = random.Random(0)
    animal = next(iter(knowledge.ANIMALS))
    questions = {knowledge.write_question(animal, "size", rng) for _ in range(30)}
    assert len(questions) > 5
    assert {kind().canonical(question + tail) for question in questions} == {f"{animal} size"}


def test_the_group_is_the_relation_of_the_invented_world() -> None:
    one = kind()
    assert one.group(knowledge.write_question(next(iter(knowledge.ANIMALS)), "home", random.Random(0))) == "home"
    assert one.group(PLANETS) is None


def test_the_prompt_is_the_published_one() -> None:
    one = kind()
    items = [one.write_item(f"Which is {n}?\nA. x\nB. y", "A") for n in range(3)]
    assert one.build_prompt("Questions on maths:", items) == (
        "Questions on maths:\n\n"
        "Q1. Which is 0?\nA. x\nB. y\nAnswer:A.\n\n"
        "Q2. Which is 1?\nA. x\nB. y\nAnswer:A.\n\n"
        "Q3. Which is 2?\nA. x\nB. y\nAnswer:A.\n\n"
        "Q4."
    )
    assert (one.decision.samples, one.decision.temperature) == (10, 0.7)
    assert (one.needs_references, one.needs_judge) == (True, False)
