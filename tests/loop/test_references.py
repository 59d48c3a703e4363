"""A vote agrees with a count by hand, and a tie or too few votes give no answer."""

from collections.abc import Iterator, Sequence

import pytest
from tests.support.kinds import MATH

from reversegen.config.task import KindUse
from reversegen.core.records import Reference
from reversegen.engines.base import Generated, Probabilities
from reversegen.kinds import open_kind
from reversegen.kinds.answers.equivalence import Checker
from reversegen.kinds.base import Kind
from reversegen.kinds.honesty import Honesty
from reversegen.kinds.safety import Safety
from reversegen.loop.references import refused, solve, vote
from reversegen.loop.solvability import likely_solvable, solvable

CHOICES = Honesty(
    samples=2, temperature=1, threshold=1, none_of_the_above=True, sure_question="?", sure="y", unsure="n"
)
HONESTY = open_kind(KindUse(name="honesty", honesty=CHOICES, safety=Safety(refusals=["no"])))
ITEM = "Which is it?\nA. one\nB. two\nC. three"
DISAGREE = "teacher's answers disagree"


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    with Checker() as one:
        yield one


def solutions(texts: Sequence[str]) -> list[Generated]:
    """Numbered solutions. One that ends in … is truncated."""
    return [Generated(f"{n}: {text}", 1, not text.endswith("\N{HORIZONTAL ELLIPSIS}")) for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("texts", "agreeing", "answer", "first", "invalid"),
    [
        (["#### 2", "#### 2", "#### 3"], 2, "2", 0, None),
        (["#### 3", "#### 2", "#### 2"], 2, "2", 1, None),
        (["#### 3", "#### 2", "#### 2"], 3, None, None, DISAGREE),  # two of the three votes that are needed
        (["#### 2", "#### 2", "#### 2"], 3, "2", 0, None),
        (["#### 2", "#### 3"], 1, None, None, DISAGREE),  # a tie
        (["#### 2", "#### 3", "#### 3", "#### 2"], 2, None, None, DISAGREE),
        (["#### 2", "#### 3", "#### 3", "#### 2", "#### 3"], 3, "3", 1, None),
        (["#### 2", "#### 3", "#### 4", "#### 3"], 2, "3", 1, None),
        # the checker decides which answers are equal, and the first of them is stored as it was written
        (["#### 4", r"#### \frac{1}{2}", "#### 0.5", "#### 4.0", "#### 1/2"], 3, r"\frac{1}{2}", 1, None),
        (["#### 1,000", "#### 1000", "#### 10"], 2, "1,000", 0, None),
        # a solution that is truncated or has no answer in strict form has no vote
        (["It is 2.", "#### 3", "It is 2."], 1, "3", 1, None),
        (["#### 2 \u2026", "#### 3", "#### 2 \u2026"], 1, "3", 1, None),
        (["#### 2", "It is 2.", "#### 2 \u2026"], 2, None, None, DISAGREE),
        (["It is 2.", "It is 2."], 1, None, None, "no final answer"),
        (["#### 2 \u2026", "#### 2 \u2026", "It is 2."], 1, None, None, "response truncated"),
        # two texts that are not answers are never equal
        (["#### ?", "#### ?"], 1, None, None, "no final answer"),
        ([r"\boxed{}", r"\boxed{}", "#### 3"], 1, "3", 2, None),
        (["#### 1/0", "#### 1/0"], 2, None, None, DISAGREE),
        (["It is 2."], 1, None, None, "no final answer"),
        (["#### 2 \u2026"], 1, None, None, "response truncated"),
        (["#### 2"], 1, "2", 0, None),
    ],
)
def test_a_vote_agrees_with_a_count_by_hand(
    checker: Checker, texts: list[str], agreeing: int, answer: str | None, first: int | None, invalid: str | None
) -> None:
    drawn = solutions(texts)
    elected = vote("i", "two ?", drawn, agreeing, "l", MATH, checker)
    solution = None if first is None else drawn[first].text
    assert elected == Reference(instruction_id="i", answer=answer, solution=solution, teacher="l", invalid=invalid)


@pytest.mark.parametrize(
    ("texts", "agreeing", "answer"),
    [
        (["It is A.", "B", "A. one"], 2, "A"),
        (["A", "B", "C", "B"], 2, "B"),
        (["A", "B", "C"], 1, None),
        (["A or B", "C", "A or B"], 1, "C"),
        (["D", "D", "B"], 1, "B"),  # the added None of the above means that no option is right
        (["D", "D", "D"], 1, None),
    ],
)
def test_a_vote_on_options_is_by_letter(checker: Checker, texts: list[str], agreeing: int, answer: str | None) -> None:
    drawn = [Generated(text, 1, True) for text in texts]
    assert vote("i", ITEM, drawn, agreeing, "l", HONESTY, checker).answer == answer


def test_every_letter_equals_only_itself(checker: Checker) -> None:
    letters = "ABCDEFGHIJ"
    item = "\n".join(["Which?", *(f"{letter}. option {n}" for n, letter in enumerate(letters))])
    for one in letters:
        for second in letters:
            drawn = [Generated(text, 1, True) for text in (one, second)]
            elected = vote("i", item, drawn, 1, "l", HONESTY, checker)
            assert elected.answer == (one if one == second else None)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("yes", None),
        ("Yes.", None),
        ("**YES**, it can", None),
        (' \n"Yes"', None),
        ("No", "not solvable"),
        ("no, since the price is missing", "not solvable"),
        ("not sure", "solvability unreadable"),
        ("None", "solvability unreadable"),
        ("yesterday", "solvability unreadable"),
        ("I think yes", "solvability unreadable"),
        ("", "solvability unreadable"),
        ("Answer: yes", None),
        ("**Answer:** No.", "not solvable"),
        ("The answer is yes.", None),
        ('{"answer": "yes"}', None),
        ("Yes, it can. No data is missing.", None),
        ("No - the price is missing", "not solvable"),
        ("<think>No? Let me see.</think>\n\nYes", None),
        ("<think>Yes", "response ends inside its thought"),
        ("Yes<|im_end|>", None),
        ("yes and no", "solvability unreadable"),
        ("Yes/No", "solvability unreadable"),
        ("No. Yes.", "solvability unreadable"),
        ("Yes\nNo", "solvability unreadable"),
        ("Yes, but no.", "solvability unreadable"),
        ("No problem, it can", "solvability unreadable"),
        ("No information is missing.", "solvability unreadable"),
        ("No one can say.", "solvability unreadable"),
        # a conclusion that follows reasons
        ("The price is missing, so the answer is **no**.", "not solvable"),
        ("Let me see. All is given. Therefore, yes.", None),
        ("It has 3 pens.\nSo: No, it cannot be solved.", "not solvable"),
        ("Can it be solved? Yes.", None),
        ("Solvable: no", "not solvable"),
        ("Everything is there.\n\n**Yes**", None),
        (r"The final answer is: \boxed{\text{Yes}}", None),
        ("It lacks a number.\n#### no", "not solvable"),
        ("1. Is the number given? Yes.\n2. Is the price given? No.\nTherefore, no.", "not solvable"),
        ("Is it clear? Yes. So the answer is no since one number lacks.", "not solvable"),
        ("No. Wait, the price is given. The answer is yes.", None),
        ("Yes. 2 + 2 = 4, so the answer is 4.", None),  # the reply opens with yes and then solves the problem
        ("It can be solved: 3 + 4 = 7, so \\boxed{7}", "solvability unreadable"),
        ("The answer is yes or no.", "solvability unreadable"),
    ],
)
def test_the_last_statement_or_the_first_word_of_a_reply_decides_yes_or_no(reply: str, reason: str | None) -> None:
    assert solvable(Generated(reply, 1, True)) == reason


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("Yes, it can. Let", None),
        ("No", "solvability unreadable"),  # perhaps "No number is missing"
        ("All is given, so the answer is no", "solvability unreadable"),
        (r"So \boxed{yes}. So \boxed{yes}", None),
        ("Let me see: the", "solvability unreadable"),
    ],
)
def test_a_truncated_reply_decides_only_if_its_end_could_not_revise_it(reply: str, reason: str | None) -> None:
    assert solvable(Generated(reply, 9, False)) == reason


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        (
            {"Yes": 0.3, "yes": 0.25, "No": 0.44, "no": 0.01},
            None,
        ),  # the likeliest spelling is a no, and yes wins in sum
        ({"Yes": 0.1, "yes": 0.39, "No": 0.4, "no": 0.11}, "not solvable"),
        ({"Yes": 0.5, "yes": 0.0, "No": 0.0, "no": 0.5}, None),
        ("prompt too long", "prompt too long"),
    ],
)
def test_yes_and_no_are_summed_over_their_spellings(weights: Probabilities, reason: str | None) -> None:
    assert likely_solvable(weights) == reason


def test_a_missing_solvability_reply_has_the_engines_reason() -> None:
    assert solvable(Generated("", 0, False, "content filter")) == "content filter"


def test_a_solution_is_stored_without_its_thought(checker: Checker) -> None:
    thinking = Generated("<think>\n#### 3 ?\n</think>\n\n1 + 1 = 2\n#### 2", 9, True)
    elected = vote("i", "two ?", [thinking], 1, "l", MATH, checker)
    assert (elected.answer, elected.solution, elected.invalid) == ("2", "1 + 1 = 2\n#### 2", None)
    for several in ([thinking, thinking], [Generated("", 0, False, "content filter"), thinking, thinking]):
        assert vote("i", "two ?", several, 2, "l", MATH, checker).solution == "1 + 1 = 2\n#### 2"
    endless = Generated("<think>\n#### 3", 9, False)
    assert vote("i", "two ?", [endless], 1, "l", MATH, checker).invalid == "response ends inside its thought"
    lost = Generated("", 0, False, "content filter")
    assert vote("i", "two ?", [lost], 1, "l", MATH, checker).invalid == "content filter"
    assert vote("i", "two ?", [lost, lost, endless], 2, "l", MATH, checker).invalid == "content filter"


REPLY = '{"solution": "1 + 1 = 2", "answer": "2"}'


@pytest.mark.parametrize(
    ("text", "answer", "invalid"),
    [
        (REPLY, "2", None),
        (f"```json\n{REPLY}\n```", "2", None),
        (f"```\n{REPLY}\n```\n", "2", None),
        (f'<think>{{"answer": "3"}}</think>\n\n{REPLY}<|im_end|>', "2", None),
        (f"Here it is: {REPLY}", None, "malformed reply: json_invalid"),
        (f"```json\n{REPLY}\n```\nI hope that this helps.", None, "malformed reply: json_invalid"),
        (f"<think>{REPLY}", None, "response ends inside its thought"),
        ('{"solution": "", "answer": "?"}', None, "no final answer"),
    ],
)
def test_a_structured_reply_is_one_object_on_its_own_or_in_one_code_block(
    checker: Checker, text: str, answer: str | None, invalid: str | None
) -> None:
    elected = vote("i", "two ?", [Generated(text, 9, True)], 1, "l", MATH, checker, MATH.structured)
    assert (elected.answer, elected.invalid) == (answer, invalid)


@pytest.mark.parametrize(
    ("teacher", "kind", "question", "answer"),
    [
        ("arithmetic", MATH, "what is 35 plus 7 ?", "42"),
        ("knowledge", HONESTY, "what colour has the brask bandra ? A. red B. orange C. green D. blue", "C"),
    ],
)
def test_a_solver_answers_only_its_own_world(teacher: str, kind: Kind, question: str, answer: str) -> None:
    [solved, unsolved] = solve([("i", question), ("j", "What is life ?\nA. x\nB. y")], teacher, kind)
    assert (solved.instruction_id, solved.answer, solved.teacher, solved.invalid) == ("i", answer, teacher, None)
    assert unsolved == refused("j", "not answerable", teacher)
