"""Items are read and written as published, and a response chooses the letter that a careful reader would name."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from reversegen.kinds.answers.option import option_letter
from reversegen.kinds.options import Item, cut_item, read_item, with_none_of_the_above, write_item

CITIES = ("Rome", "Oslo", "Paris", "New York")

CHOSEN = [
    ("C", "C"),
    ("c", "C"),
    ("C.", "C"),
    ("(C)", "C"),
    ("c)", "C"),
    ("[C]", "C"),
    ("**C**", "C"),
    ("`C`", "C"),
    ("  C \n", "C"),
    ("C) Paris", "C"),
    ("C. Paris", "C"),
    ("C: Paris", "C"),
    ("C - Paris", "C"),
    ("**C. Paris**", "C"),
    ("c. paris", "C"),
    ("C Paris", "C"),
    ("Option C", "C"),
    ("Option (C): Paris", "C"),
    ("Answer: C", "C"),
    ("Answer:C.", "C"),
    ("**Final answer:** C", "C"),
    ('{"answer": "C"}', "C"),
    ("The answer is (C).", "C"),
    ('"The answer is C."', "C"),
    ("The answer is therefore C", "C"),
    ("the correct option is C", "C"),
    ("The correct answer is option C, Paris.", "C"),
    ("I think it is C because A is wrong", "C"),
    ("I'd choose B.", "B"),
    ("I would say B.", "B"),
    ("Let me think about it.\n\nC. Paris", "C"),
    ("Antwort: C", "C"),
    ("Die Antwort ist C.", "C"),
    ("Réponse : C", "C"),
    ("La respuesta es C.", "C"),
    ("答案:C", "C"),
    ("C。", "C"),
    ("الجواب هو C.", "C"),
    ("I am not sure, but the answer is C.", "C"),
    ("C because it is the capital of France", "C"),
    ("C. It is the capital of France.", "C"),
    ("C\n\nParis is the capital of France.", "C"),
    ("Let me think.\n\nC", "C"),
    ("Answer:\nC. Paris", "C"),
    ("C, I guess", "C"),
    ("The answer is C, not A.", "C"),
    ("No, the answer is C", "C"),
    ("Option A is wrong. B is correct.", "B"),
    ("Paris", "C"),
    ("paris.", "C"),
    ("The answer is Paris.", "C"),
    ("It is New York.", "D"),
    (r"$\boxed{C}$", "C"),
    (r"so \boxed{\text{(C)}}.", "C"),
    ("\uff23", "C"),
    ("\uff08\uff23\uff09", "C"),
    ("\u200bC\ufeff", "C"),
    ("An\u200dswer: C", "C"),
    ("C<|eot_id|>", "C"),
    ("C</s>", "C"),
    ("Answer: C<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nThanks!", "C"),
    ("A. Rome: in Italy\nB. Oslo: in Norway\nC. Paris: in France\nThe answer is C.", "C"),
    ("The answer is C. Answer: C", "C"),
]

REFUSED = [
    "",
    " \n",
    ".",
    "A good question",
    "A good question. The answer is unclear.",
    "The answer is a matter of taste.",
    "It is a city.",
    "A: I cannot tell.",
    "I cannot tell",
    "I do not know.",
    "A or B",
    "A, B",
    "A/B",
    "(A) and (C)",
    "Both A and C",
    "Either A or B is correct.",
    "Answer: A and B",
    "Answer: A. Answer: B",
    "A\nB",
    "The answer is A.\nNo, wait: it is B.",
    "E",
    "Answer: E",
    "Answer: E. Paris",
    "Answer: E or C",
    "A. Paris",
    "Answer: A) Paris",
    "Paris\nOslo",
    "The answer is not C.",
    "I would say a little more about it.",
    "Let me think about it.\n\nC. Rome",
    "Antwort: A. Antwort: B",
    "I don't think the answer is C.",
    "If the answer is C, I am a fish.",
    "I cannot tell whether it is C.",
    "The wrong answer is C",
    'The user wrote "Answer: C" and nothing else.',
    "The user wrote Answer: C and nothing else.",
    "Somebody says: 'Answer: C' is what I must write",
    "As the page says, “the answer is C”, but who knows.",
    "Answer: Because Paris is in France",
    "AC",
    "A, F",
    "Choose the right answer:\nA. Rome\nB. Oslo",
    "A. Rome\nB. Oslo\nC. Paris\nD. New York",
    "\u0421",  # Cyrillic
    "\u03f9",  # Greek
    "C. S. Lewis wrote it.",
    "C# is a language.",
    "Vitamin C",
    "C\n<|eot_id|>user\nAnswer: B",
    r"\boxed{A} or \boxed{B}",
    r"\boxed{\frac{1}{2}}",
    "Rome or Paris",
]


@pytest.mark.parametrize(("response", "letter"), CHOSEN)
def test_a_choice_is_read(response: str, letter: str) -> None:
    assert option_letter(response, CITIES) == letter


@pytest.mark.parametrize("response", REFUSED)
def test_a_response_that_chooses_no_letter_or_several_is_refused(response: str) -> None:
    assert option_letter(response, CITIES) is None


@pytest.mark.parametrize(
    ("response", "options", "letter"),
    [
        ("C", ("L", "R", "1/C", "C"), None),  # the letter of the third option, and the text of the fourth
        ("R", ("L", "R", "1/C", "C"), "B"),
        ("A", ("Error", "a", "b", "c"), "A"),
        ("a", ("Error", "a", "b", "c"), None),
        ("Bb x Bb", ("bb x bb", "Bb x Bb", "Bb x bb", "BB x Bb"), "B"),
        ("A and C only", ("one", "two", "three", "A and C only"), "D"),
        ("The answer is D. A and C only.", ("one", "two", "three", "A and C only"), "D"),
        ("A. Only I is correct.", ("Only I is correct.", "Only II is correct."), "A"),
        ("B) -1", ("1", "-1", "0"), "B"),
        ("B) 1", ("1", "-1", "0"), None),
        ("B. 2*3", ("23", "2*3"), "B"),
        ("The answer is the weight.", ("the weight", "weight"), "A"),
        ("Most are small.", ("All are small.", "Most are small."), "B"),
        ("The answer is Most are small.", ("All are small.", "Most are small."), "B"),
        ("B. Paris and Rome", ("Paris", "Paris and Rome"), "B"),
        ("A. Paris and Rome", ("Paris", "Paris and Rome"), None),
        ("one", ("one", "one"), None),
        ("B", ("one", "one"), "B"),
        ("A", (), None),
        ("Z", tuple(map(str, range(26))), "Z"),
        ("I", tuple(map(str, range(10, 20))), "I"),
        ("I think so", tuple(map(str, range(10, 20))), None),
    ],
)
def test_the_options_decide_which_letter_a_response_chooses(
    response: str, options: tuple[str, ...], letter: str | None
) -> None:
    assert option_letter(response, options) == letter
    assert option_letter(response, list(options)) == letter


UNITS = (
    "C",
    "C ",
    "C\n",
    "C. ",
    "A or B ",
    "answer is C ",
    "not the answer is C ",
    "Answer: C. ",
    "answer is ",
    "answer is the ",
    "it is Paris\n",
    r"\boxed{",
    "*",
    "_",
    '"',
    "' ",
    "(((",
    "<|",
    "<|a",
    " ",
    "\n",
    "\u200b",
    "C is correct ",
    "the ",
    "A. x\n",
    "\ufdfa",
)


@pytest.mark.parametrize("unit", UNITS)
def test_a_long_response_is_read_in_linear_time(unit: str) -> None:
    """It gets the letter of a text that repeats the unit 1,000 times; a quadratic reader would take minutes."""
    assert option_letter(unit * (1_000_000 // len(unit)), CITIES) == option_letter(unit * 1_000, CITIES)


@pytest.mark.parametrize(
    "unit", ["A. x ", "A. ", "A.", "A. x\n", "B. A. ", "\n", " ", "Answer:", "Answer:A. x\n", "x\n"]
)
def test_a_long_item_is_read_in_linear_time(unit: str) -> None:
    text = "stem " + unit * (1_000_000 // len(unit))
    assert cut_item(text) == cut_item("stem " + unit * 1_000)
    with pytest.raises(ValueError, match=r"\w"):
        read_item(text)


def test_the_same_response_has_the_same_letter() -> None:
    responses = [response for response, _ in CHOSEN] + REFUSED
    once = [option_letter(response, CITIES) for response in responses]
    assert [option_letter(response, CITIES) for response in reversed(responses)] == once[::-1]


PUBLISHED = "Which planet is largest?\nA. Mars\nB. Venus\nC. Jupiter\nD. Earth\nAnswer:C."
PLANETS = Item("Which planet is largest?", ("Mars", "Venus", "Jupiter", "Earth"))


@pytest.mark.parametrize(
    ("text", "item", "answer"),
    [
        (PUBLISHED, PLANETS, "C"),
        (PUBLISHED.replace("Answer:C.", "Answer: C"), PLANETS, "C"),
        (PUBLISHED.replace("\n", "\r\n"), PLANETS, "C"),
        (PUBLISHED.replace("\n", " "), PLANETS, "C"),
        (" " + PUBLISHED.replace("\nAnswer:C.", "\n\n"), PLANETS, None),
        ("One\ntwo\nA. x\ny\nB. A. Smith", Item("One\ntwo", ("x\ny", "A. Smith")), None),
        ("He said\nA. J. P. Taylor\nA. x\nB. y", Item("He said\nA. J. P. Taylor", ("x", "y")), None),
        ("B. F. Skinner\nwas\nA. x\nB. y", Item("B. F. Skinner\nwas", ("x", "y")), None),
        ("Who? A. A. Milne B. B. F. Skinner", Item("Who?", ("A. Milne", "B. F. Skinner")), None),
        ("Taylor, A. J. said A. x B. y", Item("Taylor, A. J. said", ("x", "y")), None),
        ("Lake A. Which? A. r < R. B. y Answer:B.", Item("Lake A. Which?", ("r < R.", "y")), "B"),
        ("s\nA. Bb\nB. bb", Item("s", ("Bb", "bb")), None),
        ("s\n" + "\n".join(f"{chr(65 + n)}. {n}" for n in range(26)), Item("s", tuple(map(str, range(26)))), None),
    ],
)
def test_items_are_read(text: str, item: Item, answer: str | None) -> None:
    assert read_item(text) == (item, answer)
    assert read_item(write_item(item, answer)) == (item, answer) or "\n" not in text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "fewer than two options"),
        ("Why?", "fewer than two options"),
        ("Why?\nA. x", "fewer than two options"),
        ("Why? A. x\nB. y", "letters out of order"),
        ("A. x\nB. y", "no stem"),
        ("\n A. x B. y", "no stem"),
        ("Why?\nA. x\nC. y", "letters out of order"),
        ("Why?\nB. x\nA. y", "fewer than two options"),
        ("Why?\nA. x\nB. y\nB. z", "letters out of order"),
        ("Why?\nA. x\nB. y\nA. x\nB. y", "letters out of order"),
        ("Why?\nA.\nB. y", "an empty option"),
        ("Why?\nA. x\nB. \nAnswer:A.", "an empty option"),
        ("Why?\nA. x  y\nB. x y", "a repeated option"),
        ("Why?\nA. x\nB. y\nAnswer:C.", "the answer is no option"),
        ("Why?\nA. x\nB. y\nAnswer:a.", "the answer is no option"),
        ("Why?\nA. x\nB. y\nAnswer:", "the answer is no option"),
        ("Why?\nA. x\nB. y\nAnswer:AB.", "the answer is no option"),
        ("Why?\nA. x\nB. y\nAnswer:.", "the answer is no option"),
        ("Why?\nA. x\nB. y\nAnswer:A. Because", "text after the answer"),
        ("Why?\nA. x\nB. y\nAnswer:A.\nAnswer:B.", "text after the answer"),
        ("Why? A. x B. y Answer:A. Q5. Who?", "text after the answer"),
        ("Why?\nAnswer:A.\nA. x\nB. y", "fewer than two options"),
    ],
)
def test_a_text_that_is_not_an_item_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}$"):
        read_item(text)


def test_written_items_are_read_back() -> None:
    rng = random.Random(3)
    words = [
        "A.x",
        "x",
        "Answer",
        "B.",
        "Question:",
        "\u00e9",
        "5%",
        "(C)",
        "r < R.",
        "Bb",
        "e.g.",
        "Answer:C",
        "-1",
        "\u2212",
    ]
    for _ in range(500):
        count = rng.randint(2, 26)
        stem = "stem " + rng.choice([" ", "\n x", "\nA. "]).join(rng.choices(words, k=rng.randint(1, 5)))
        options = tuple(f"{n} " + " ".join(rng.choices(words, k=rng.randint(1, 4))) for n in range(count))
        item = Item(stem.strip(), options)
        answer = rng.choice([None, *item.letters])
        assert read_item(write_item(item, answer)) == (item, answer)
        assert cut_item(write_item(item, answer) + "\nQ5. And?") == (write_item(item, answer) if answer else None)


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        (PUBLISHED, PUBLISHED),
        (" " + PUBLISHED[:-1], PUBLISHED),
        (PUBLISHED + "\nQ5. Who?\nA. x\nB. y\nAnswer:A.", PUBLISHED),
        (PUBLISHED + " Q5. Who?", PUBLISHED),
        (PUBLISHED.replace("\n", " ") + " Q5. Who? Answer:A.", PUBLISHED.replace("\n", " ")),
        ("Why?\nAnswer: B", "Why?\nAnswer: B."),
        ("Why?\nAnswer:B is right\nAnswer:C", "Why?\nAnswer:B is right\nAnswer:C."),
        ("Why?\nThe Answer:B.", None),
        ("Why?\nAnswer:Because.", None),
        ("Why?\nAnswer:", None),
        ("Why?\nAnswer:B.C", None),
        ("", None),
    ],
)
def test_a_generation_is_cut_after_its_first_answer(text: str, cut: str | None) -> None:
    assert cut_item(text) == cut


@pytest.mark.parametrize(
    ("option", "added"),
    [
        ("None of the above", False),
        ("none of the above.", False),
        ("NONE OF THESE!", False),
        ("None of above.", False),
        ("None", False),
        ("None of the other options", False),
        ("All of the above", True),
        ("Neither", True),
        ("None of the above ground tests", True),
        ("Nonesuch", True),
    ],
)
def test_none_of_the_above_is_added_once(option: str, added: bool) -> None:
    item = Item("Why?", ("x", option))
    assert with_none_of_the_above(item).options == (("x", option, "None of the above") if added else ("x", option))
    assert with_none_of_the_above(with_none_of_the_above(item)) == with_none_of_the_above(item)


def test_no_option_follows_z() -> None:
    with pytest.raises(ValueError, match="no letter is left"):
        with_none_of_the_above(Item("s", tuple(map(str, range(26)))))


@pytest.mark.shared_data
def test_published_items(shared_data: Path) -> None:
    subjects = json.loads((shared_data / "honesty/mmlu_uncertain_by_subject.json").read_text())
    texts = [text for subject in subjects.values() for text in subject]
    warmup = [row["target"] for row in json.loads((shared_data / "honesty/warmup_train.json").read_text())]
    assert len(texts) == len(warmup) == 2448
    assert set(map(str.strip, warmup)) == set(map(str.strip, texts))
    refused: Counter[str] = Counter()
    answers: Counter[str | None] = Counter()
    flat: Counter[bool] = Counter()
    exact = added = 0
    for text in texts:
        try:
            item, answer = read_item(text)
        except ValueError as error:
            refused[str(error)] += 1
            continue
        assert len(item.options) == 4
        answers[answer] += 1
        exact += write_item(item, answer) == text
        assert " ".join(write_item(item, answer).split()) == " ".join(text.split())
        assert read_item(write_item(item, answer)) == (item, answer)
        assert cut_item(text + "\nQ5. Which?\nAnswer:A") == text
        added += len(with_none_of_the_above(item).options) == 5
        for letter, option in zip(item.letters, item.options, strict=True):
            if len(option) > 1:
                responses = (option, f"{letter}. {option}", f"({letter}) {option}", f"The answer is {letter}: {option}")
                assert {option_letter(response, item.options) for response in responses} == {letter}
        try:
            flat[" ".join(write_item(*read_item(" ".join(text.split()))).split()) == " ".join(text.split())] += 1
        except ValueError:
            flat[False] += 1
    assert refused == {"a repeated option": 2}
    assert (exact, added) == (2420, 2414)  # 26 have white space around an option
    assert flat == {True: 2445, False: 1}  # `A. 0.01 A. B. 0.002 A.`: amperes
    assert sum(answers.values()) == 2446
    assert answers[None] == 0
