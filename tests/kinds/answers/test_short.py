"""Short answers are read from responses as small models write them."""

import json
from collections import Counter
from pathlib import Path
from time import process_time

import pytest

from reversegen.kinds.answers.names import as_number, normal, numbers_in, same_answer
from reversegen.kinds.answers.reply import read_reply
from reversegen.kinds.answers.short import EMPTY, SEVERAL, OpenQuestion, abstains_wholly, read_short, stated_answer

CASES = [
    json.loads(line) for line in (Path(__file__).parents[2] / "cases/factual_answers.jsonl").read_text().splitlines()
]
CAPITALS = {
    "canberra": "Canberra",
    "sydney": "Sydney", "melbourne": "Melbourne", "singapore": "Singapore", "kyiv": "Kyiv", "kiev": "Kyiv",
    "kuala lumpur": "Kuala Lumpur", "washington dc": "Washington, D.C.",
}  # fmt: skip
AUSTRALIA = "What is the capital of Australia?"


def capitals(question: str, response: str) -> list[str]:
    """The cities of CAPITALS in a response, in order, each once."""
    text = f" {normal(response)} "
    places = sorted((text.find(f" {name} "), city) for name, city in CAPITALS.items() if f" {name} " in text)
    return list(dict.fromkeys(city for _, city in places))


def test_the_cases_are_many_and_of_every_verdict() -> None:
    assert len(CASES) >= 250
    assert min(Counter(case["expected"] for case in CASES).values()) >= 25


@pytest.mark.parametrize("case", CASES, ids=[f"{n}-{case['expected']}" for n, case in enumerate(CASES)])
def test_the_answer_of_a_response(case: dict) -> None:  # type: ignore[type-arg]
    asked = OpenQuestion(case["question"], case["accepted"], ("Ich muss passen.",))
    answer = read_short(asked, read_reply(case["response"], case["finished"]))
    assert (answer.state or "undecided") == case["expected"]
    assert bool(answer.reason) == (answer.state is None)


@pytest.mark.parametrize(
    ("response", "state"),
    [
        ("Canberra", "right"),
        ("I think it may be Canberra.", "right"),
        ("Sydney", "wrong"),
        ("Sydney or Melbourne", "wrong"),
        ("Sydney or Canberra", None),
        ("Sydney, Canberra", None),
        ("Not Sydney but Canberra.", "right"),
        ("The capital of Australia is Canberra. Sydney and Melbourne are larger.", "right"),
        ("Sydney. The capital of Australia is Canberra.", None),
        ("Atlantis", "wrong"),
        ("The capital of Australia is Qompet.", "wrong"),
        ("I do not know whether it is Sydney.", "abstained"),
        ("Australia is large.", None),
        ("Sydney. No, Canberra.", None),
        ("Sydney... no wait, it's Canberra.", None),
        ("Sydney. Sorry, I meant Canberra.", None),
        ("The capital of Australia was Melbourne until 1927; it is now Canberra.", None),
        ("The capital of Australia is Canberra. In fact, it is located between Sydney and Melbourne.", "right"),
        ("The capital of Australia is Canberra, which is often confused with Sydney.", "right"),
    ],
)
def test_a_world_that_lists_the_possible_answers_decides(response: str, state: str | None) -> None:
    asked = OpenQuestion(AUSTRALIA, ["Canberra"], named=capitals)
    assert read_short(asked, read_reply(response)).state == state


@pytest.mark.parametrize(
    ("response", "state"),
    [
        ("Singapore", "right"),
        ("The capital of Singapore is Singapore.", "right"),
        ("The capital of Singapore is Kuala Lumpur.", "wrong"),
        ("I don't know the capital of Singapore.", "abstained"),
        ("Kuala Lumpur is the capital of Singapore.", "wrong"),
    ],
)
def test_a_name_that_the_question_repeats_counts_only_as_a_stated_answer(response: str, state: str) -> None:
    asked = OpenQuestion("What is the capital of Singapore?", ["Singapore"], named=capitals)
    assert read_short(asked, read_reply(response)).state == state


def test_why_a_response_is_undecided() -> None:
    asked = OpenQuestion(AUSTRALIA, ["Canberra"])
    assert read_short(asked, read_reply("  ")).reason == EMPTY
    assert read_short(asked, read_reply("Sydney or Canberra")).reason == SEVERAL
    assert read_short(asked, read_reply("The capital of", False)).reason == "response truncated"
    assert read_short(asked, read_reply("", True, "content filter")).reason == "content filter"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Kiev", "Kyiv", True),
        ("The Hague", "hague", True),
        ("Brasília", "Brasilia", True),
        ("St. John's", "Saint John's", True),
        ("São Tomé and Príncipe", "Sao Tome & Principe", True),
        ("Washington, D.C.", "Washington DC", True),
        ("USA", "the United States of America", True),
        ("Łódź", "Lodz", True),
        ("Bissau-Guinea", "Guinea-Bissau", False),
        ("March 3, 1990", "3rd March 1990", True),
        ("March 3, 1990", "March 4, 1990", False),
        ("8,849 m", "8.849 km", True),
        ("twelve", "12", True),
        ("1912", "1921", False),
        ("1.4 billion", "1,400,000,000", True),
        ("Niger", "Nigeria", False),
        ("Vitamin A", "vitamin a", True),
        ("A", "a", True),
        ("東京", "東京", True),
        ("東京", "京都", False),
    ],
)
def test_when_two_answers_are_the_same(one: str, other: str, same: bool) -> None:
    assert same_answer(one, other) is same
    assert same_answer(other, one) is same


def test_the_day_of_a_date_is_no_number_and_its_year_is() -> None:
    assert list(numbers_in("It sank on April 15, 1912, with 1,500 people")) == ["1912", "1,500 people"]
    assert as_number("15 April 1912") is None


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("The capital of Australia is Canberra.", "Canberra"),
        ("Canberra", "Canberra"),
        ("Some think of Sydney first.\nAnswer: Canberra", "Canberra"),
        ("It may be Sydney or Perth.\n#### Canberra", "Canberra"),
        ("Sydney is the capital. Canberra is the capital.", None),
        ("I do not know.", None),
    ],
)
def test_the_one_answer_that_a_teacher_states(text: str, stated: str | None) -> None:
    assert stated_answer(AUSTRALIA, text) == stated


def test_whether_a_text_only_abstains() -> None:
    assert abstains_wholly(AUSTRALIA, "I'm sorry, I do not know.")
    assert not abstains_wholly(AUSTRALIA, "I'm not sure, but it is Canberra.")


LONG = 40_000
"""Characters of a long response. In quadratic time it takes more than 5 seconds."""


@pytest.mark.parametrize(
    "text",
    [
        "Sydney" + "\n" * LONG + "x",
        "It is" + " " * LONG + "x",
        "It is" + "\t \n" * (LONG // 3) + "x",
        "Sydney. " + "a" * LONG + " b",
        "1" * LONG + " b",
        "Sydney or " * (LONG // 20),
        "not " * (LONG // 8),
        "I do not have " * (LONG // 40),
        "1. " * (LONG // 10),
        "is " * (LONG // 10),
        "( " * (LONG // 10),
    ],
    ids=["lines", "spaces", "mixed", "word", "digits", "or", "not", "abstention", "list", "verbs", "brackets"],
)
@pytest.mark.parametrize("accepted", ["Canberra", "42"])
def test_a_long_response_is_read_in_linear_time(text: str, accepted: str) -> None:
    named = capitals if accepted == "Canberra" else None
    start = process_time()
    read_short(OpenQuestion(AUSTRALIA, [accepted], named=named), read_reply(text, False))
    assert process_time() - start < 5
