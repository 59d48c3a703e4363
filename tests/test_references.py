"""A vote is what a person who counts by hand would say, and a tie or too few votes are no answer."""

from collections.abc import Iterator, Sequence

import pytest

from reversegen.configuration import Honesty, KindUse, Safety
from reversegen.engine import Generated
from reversegen.equivalence import Checker
from reversegen.kind import Kind
from reversegen.kinds import open_kind
from reversegen.kinds.math import KIND as MATH
from reversegen.records import Reference
from reversegen.references import refused, solvable, solve, vote

CHOICES = Honesty(
    samples=2, temperature=1, threshold=1, none_of_the_above=True, sure_question="?", sure="y", unsure="n"
)
HONESTY = open_kind(KindUse(name="honesty", honesty=CHOICES, safety=Safety(refusals=["no"])))
ITEM = "Which is it?\nA. one\nB. two\nC. three"
DISAGREE = "labeller's answers disagree"


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    with Checker() as one:
        yield one


def solutions(texts: Sequence[str]) -> list[Generated]:
    """Numbered solutions; one that ends in … was cut off."""
    return [Generated(f"{n}: {text}", 1, not text.endswith("\N{HORIZONTAL ELLIPSIS}")) for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("said", "agreeing", "answer", "first", "invalid"),
    [
        (["#### 2", "#### 2", "#### 3"], 2, "2", 0, None),
        (["#### 3", "#### 2", "#### 2"], 2, "2", 1, None),
        (["#### 3", "#### 2", "#### 2"], 3, None, None, DISAGREE),  # two of the three that it takes
        (["#### 2", "#### 2", "#### 2"], 3, "2", 0, None),
        (["#### 2", "#### 3"], 1, None, None, DISAGREE),  # a tie
        (["#### 2", "#### 3", "#### 3", "#### 2"], 2, None, None, DISAGREE),
        (["#### 2", "#### 3", "#### 3", "#### 2", "#### 3"], 3, "3", 1, None),
        (["#### 2", "#### 3", "#### 4", "#### 3"], 2, "3", 1, None),
        # equal is what the checker calls equal, and the first of them is kept in its own words
        (["#### 4", r"#### \frac{1}{2}", "#### 0.5", "#### 4.0", "#### 1/2"], 3, r"\frac{1}{2}", 1, None),
        (["#### 1,000", "#### 1000", "#### 10"], 2, "1,000", 0, None),
        # what gives no answer in strict form, or is cut off, has no vote
        (["It is 2.", "#### 3", "It is 2."], 1, "3", 1, None),
        (["#### 2 \u2026", "#### 3", "#### 2 \u2026"], 1, "3", 1, None),
        (["#### 2", "It is 2.", "#### 2 \u2026"], 2, None, None, DISAGREE),
        (["It is 2.", "It is 2."], 1, None, None, "no final answer"),
        (["It is 2."], 1, None, None, "no final answer"),
        (["#### 2 \u2026"], 1, None, None, "response truncated"),
        (["#### 2"], 1, "2", 0, None),
    ],
)
def test_a_vote_is_counted_as_by_hand(
    checker: Checker, said: list[str], agreeing: int, answer: str | None, first: int | None, invalid: str | None
) -> None:
    drawn = solutions(said)
    found = vote("i", "two ?", drawn, agreeing, "l", MATH, checker)
    solution = None if first is None else drawn[first].text
    assert found == Reference(instruction_id="i", answer=answer, solution=solution, labeller="l", invalid=invalid)


@pytest.mark.parametrize(
    ("said", "agreeing", "answer"),
    [
        (["It is A.", "B", "A. one"], 2, "A"),
        (["A", "B", "C", "B"], 2, "B"),
        (["A", "B", "C"], 1, None),
        (["A or B", "C", "A or B"], 1, "C"),
        (["D", "D", "B"], 1, "B"),  # an added None of the above says that no option is right
        (["D", "D", "D"], 1, None),
    ],
)
def test_a_vote_on_options_is_by_letter(checker: Checker, said: list[str], agreeing: int, answer: str | None) -> None:
    drawn = [Generated(text, 1, True) for text in said]
    assert vote("i", ITEM, drawn, agreeing, "l", HONESTY, checker).answer == answer


def test_every_letter_differs_from_every_other(checker: Checker) -> None:
    letters = "ABCDEFGHIJ"
    item = "\n".join(["Which?", *(f"{letter}. option {n}" for n, letter in enumerate(letters))])
    for one in letters:
        for other in letters:
            drawn = [Generated(text, 1, True) for text in (one, other)]
            found = vote("i", item, drawn, 1, "l", HONESTY, checker)
            assert found.answer == (one if one == other else None)


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
    ],
)
def test_a_reply_is_yes_or_no_by_its_first_word(reply: str, reason: str | None) -> None:
    assert solvable(Generated(reply, 1, True)) == reason


@pytest.mark.parametrize(
    ("labeller", "kind", "known", "answer"),
    [
        ("arithmetic", MATH, "what is 35 plus 7 ?", "42"),
        ("knowledge", HONESTY, "what colour has the brask bandra ? A. red B. orange C. green D. blue", "C"),
    ],
)
def test_a_solver_answers_its_own_world_and_nothing_else(labeller: str, kind: Kind, known: str, answer: str) -> None:
    [own, other] = solve([("i", known), ("j", "What is life ?\nA. x\nB. y")], labeller, kind)
    assert (own.instruction_id, own.answer, own.labeller, own.invalid) == ("i", answer, labeller, None)
    assert other == refused("j", "not answerable", labeller)
