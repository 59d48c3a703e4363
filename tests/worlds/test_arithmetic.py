"""The invented arithmetic: SQLite confirms its answers, its questions can be read back, and its parts never mix."""

import itertools
import random
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from tests.support.kinds import MATH

from reversegen.config.data import Corpus
from reversegen.core.errors import BadInput
from reversegen.worlds import arithmetic
from reversegen.worlds.arithmetic import Expression, draw, draw_questions, part_of, read_question, solve, write_question
from reversegen.worlds.base import Example

ROOT = Path(__file__).parents[2]
SPOKEN = {
    "plus": "+",
    "minus": "-",
    "times": "*",
    "gets": "+",
    "gives": "-",
    "boxes": "*",
    "+": "+",
    "-": "-",
    "*": "*",
}
WORD = {"+": "add", "-": "subtract", "*": "multiply"}


def corpus(
    mix: str = "uniform", part: str = "all", count: int = 1000, random_seed: int = 0, distinct: bool = False
) -> Corpus:
    return Corpus.model_validate(
        {
            "world": "arithmetic",
            "mix": mix,
            "part": part,
            "count": count,
            "random_seed": random_seed,
            "distinct": distinct,
        }
    )


def symbols(question: str) -> str:
    """A second reader of questions, which knows no grammar: the numbers and operators of a question, in order."""
    return " ".join(SPOKEN.get(word, word) for word in question.split() if word in SPOKEN or word.isdigit())


def type_of(question: str) -> str:
    return "_".join(WORD[word] for word in symbols(question).split() if word in WORD)


def meaning(question: str) -> tuple[list[str], list[tuple[str, str]]]:
    """What a question asks, in any order: its factors, the numbers that it adds and the numbers that it subtracts."""
    first, *remaining = symbols(question).split()
    terms = list(zip(remaining[::2], remaining[1::2], strict=True))
    if terms[0][0] == "*":
        factors = sorted([first, terms.pop(0)[1]])
    else:
        factors = []
        terms.append(("+", first))
    return factors, sorted(terms)


@pytest.fixture(autouse=True)
def time_limit() -> Iterator[None]:
    """Fails a test whose draw never ends."""

    def interrupt(*_: object) -> None:
        raise TimeoutError("still drawing after 30 seconds")

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 30)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture(scope="module")
def every_expression() -> list[Expression]:
    """Every expression that can be drawn, listed by hand.

    It starts with a number of 18 to 48, or with a product of 3 to 7 and 3 to 7, and adds or subtracts digits.
    """
    every = []
    for type_ in arithmetic.TYPES:
        operators = tuple({"add": "+", "subtract": "-", "multiply": "*"}[word] for word in type_.split("_"))
        product = operators[0] == "*"
        first, second = (range(3, 8), range(3, 8)) if product else (range(18, 49), range(1, 10))
        operands = itertools.product(first, second, *(range(1, 10) for _ in operators[1:]))
        every += [Expression(numbers, operators) for numbers in operands]
    assert len(every) == 2 * 31 * 9 + 4 * 31 * 81 + 2 * 25 * 9
    return every


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    yield connection
    connection.close()


def value(database: sqlite3.Connection, expression: str) -> int:
    assert set(expression) <= set("0123456789 +-*")
    result: int = database.execute(f"select {expression}").fetchone()[0]
    return result


@pytest.mark.parametrize(("mix", "random_seed"), [("uniform", 0), ("uniform", 1), ("seeds", 2)])
def test_worked_answers_of_drawn_questions_agree_with_sqlite(
    database: sqlite3.Connection, mix: str, random_seed: int
) -> None:
    kinds = Counter()
    for question in draw_questions(corpus(mix, count=1500, random_seed=random_seed)):
        form = "words" if question.startswith("what is") else "story" if " has " in question else "symbols"
        kinds[type_of(question), form] += 1
        solution = solve(question)
        assert solution is not None, question
        work, _, answer = solution.partition(" #### ")
        steps = [step.split(" = ") for step in work.split(" ; ")]
        assert [int(result) for _, result in steps] == [value(database, left) for left, _ in steps]
        assert int(answer) == int(steps[-1][1]) == value(database, symbols(question))
        # each step starts from the result of the step before, and together they use the operators of the question
        assert [left.split()[0] for left, _ in steps] == [symbols(question).split()[0]] + [r for _, r in steps[:-1]]
        assert [w for left, _ in steps for w in left.split()[1:]] == symbols(question).split()[1:]
    assert len(kinds) == 8 * 3


def test_every_expression_that_can_be_drawn_has_its_results_in_range(
    database: sqlite3.Connection, every_expression: list[Expression]
) -> None:
    rng = random.Random(0)
    for expression in every_expression:
        written = write_question(expression, "symbols", rng).split()
        partial = [value(database, " ".join(written[:end])) for end in range(3, len(written) + 1, 2)]
        assert expression.answer == partial[-1]
        assert expression.valid
        assert all(0 <= number <= arithmetic.LARGEST for number in partial)


@pytest.mark.parametrize("type_", arithmetic.TYPES)
def test_draws_cover_a_whole_type_and_nothing_else(type_: str, every_expression: list[Expression]) -> None:
    rng = random.Random(0)
    of_type = {e for e in every_expression if e.type == type_}
    drawn = Counter(arithmetic.draw_expression(type_, rng) for _ in range(3000))
    assert set(drawn) <= of_type
    firsts = Counter(e.numbers[0] for e in drawn.elements())
    assert set(firsts) == {e.numbers[0] for e in of_type}
    assert max(firsts.values()) < 2 * min(firsts.values())


@pytest.mark.parametrize("form", arithmetic.FORMS)
def test_reading_inverts_writing(form: str, every_expression: list[Expression]) -> None:
    rng = random.Random(0)
    for expression in rng.sample(every_expression, 1000):
        question = write_question(expression, form, rng)
        assert read_question(question) == expression, question
        assert read_question(f"\n {question.replace(' ', '  ')}\t") == expression


@pytest.mark.parametrize(
    "text",
    [
        "",
        "35",
        "35 + ",
        "+ 7",
        "35 7",
        "35+7",
        "35 / 7",
        "35 + 7 = 42",
        "35 + 7 #### 42",
        "#### 42",
        "35 + 7 ?",
        "what is 35 + 7 ?",
        "what is 35 plus 7",
        "35 plus 7",
        "35 plus 7 ?",
        "what is 35 plus 7 - 2 ?",
        "what is 35 + 7 minus 2 ?",
        "35 + 7 minus 2",
        "What is 35 plus 7 ?",
        "what is what is 35 plus 7 ?",
        "tom has 35 pens",
        "tom has 35 pens . how many now ?",
        "tom has 35 pens and gets 7 . how many now ?",
        "tom has 35 pens and gives away 7 more . how many now ?",
        "tom has 35 pens and gets 7 more",
        "tom has 35 pens and gets 7 more . how many now ? #### 42",
        "tom has 35 + 7 pens . how many now ?",
        "tom has 2 boxes of 9 pens . how many now ?",
        "eve has 35 pens and gets 7 more . how many now ?",
        "tom has 35 cats and gets 7 more . how many now ?",
        "tom has 35 pens and gets 7 more . how many now ? tom has 35 pens and gets 7 more . how many now ?",
        "35 + 7 * 2",
        "5 * 6",
        "5 * 6 * 1",
        "35 + 7 + 2 + 1",
        "70 - 5",
        "60 + 10",
        "9 * 8 - 5",
        "18 - 9 - 10",
        "3 - 4 + 5",
        "-3 + 4",
        "3 + -4",
        "3.5 + 4",
        "1e1 + 4",
        "1_0 + 4",
        "007 + 3",
        "35 + " + "9" * 4000,
        "35 + " + "9" * 5000,
        "what is 35 plus " + "9" * 5000 + " ?",
        "tom has " + "9" * 5000 + " pens and gets 7 more . how many now ?",
        "tom has 35 pens and gets 7 more" + " and gets 1 more" * 2000 + " . how many now ?",
        "1" + " + 1" * 2000,
        "\u0663\u0665 + 7",
        "\uff13\uff15 + 7",
        "35 + \u0667",
        "3\u00b2 + 7",
        "35 \uff0b 7",
        "35 \u2212 7",
        "tom has \u0663\u0665 pens and gets 7 more . how many now ?",
        "35 + 7\x00",
        "35\u200b + 7",
        "\ud800",
        "__import__('os').getpid() + 7",
    ],
    ids=lambda text: text[:40].encode("ascii", "backslashreplace").decode(),
)
def test_a_text_that_is_no_question_has_no_solution(text: str) -> None:
    assert read_question(text) is None
    assert solve(text) is None


def test_canonical_forms_are_equal_exactly_if_the_questions_ask_the_same(every_expression: list[Expression]) -> None:
    rng = random.Random(0)
    pairs = {(e.canonical, str(meaning(write_question(e, "symbols", rng)))) for e in every_expression}
    assert len(pairs) == len({canonical for canonical, _ in pairs}) == len({asked for _, asked in pairs})
    assert len(pairs) < len(every_expression)


def test_canonical_forms_survive_any_order_and_any_form(every_expression: list[Expression]) -> None:
    rng = random.Random(1)
    for expression in rng.sample(every_expression, 1000):
        if expression.operators[0] == "*":
            one, other, *numbers = expression.numbers
            again = Expression((other, one, *numbers), expression.operators)
        else:
            terms = list(zip(["+", *expression.operators], expression.numbers, strict=True))
            rng.shuffle(terms)
            first = terms.pop([sign for sign, _ in terms].index("+"))
            again = Expression((first[1], *(n for _, n in terms)), tuple(sign for sign, _ in terms))
        assert again.canonical == expression.canonical
        asked = {MATH.canonical(write_question(expression, form, rng)) for form in arithmetic.FORMS}
        assert asked == {expression.canonical}


def test_parts_share_the_distinct_questions_as_documented(every_expression: list[Expression]) -> None:
    parts = {e.canonical: part_of(e) for e in every_expression}
    shares = {part: count / len(parts) for part, count in Counter(parts.values()).items()}
    assert shares == pytest.approx({"test": 0.2, "validation": 0.1, "train": 0.7}, abs=0.015)


def test_no_expression_of_the_shipped_tests_is_asked_in_a_training_corpus() -> None:
    """Checked by `meaning`, which shares no code with the hash that decides the parts."""
    data = yaml.safe_load((ROOT / "config/tasks/tiny-math.yaml").read_text())["data"]
    seeds = {str(meaning(q)) for source in data["seeds"].values() for q in draw_questions(Corpus(**source["corpus"]))}
    tests = {str(meaning(q)) for source in data["tests"].values() for q in draw_questions(Corpus(**source["corpus"]))}
    validation = {str(meaning(q)) for q in draw_questions(corpus(part="validation"))}
    assert len(seeds) > 1000
    assert len(tests) > 500
    assert not tests & seeds
    assert not tests & validation
    assert not seeds & validation


@pytest.mark.parametrize("mix", arithmetic.MIXES)
@pytest.mark.parametrize("count", [1, 1000, 4321])
def test_types_of_a_corpus_follow_its_mix_to_the_last_row(mix: str, count: int) -> None:
    types = Counter(type_of(q) for q in draw_questions(corpus(mix, count=count)))
    whole = {t: int(Fraction(str(share)) * count + Fraction(1, 10**9)) for t, share in arithmetic.MIXES[mix].items()}
    assert types.total() == count
    assert set(types) <= set(arithmetic.TYPES)
    assert all(types[t] >= whole[t] for t in arithmetic.TYPES)
    assert count - sum(whole.values()) < len(arithmetic.TYPES)


def test_corpora_are_distinct_if_asked_and_repeat_with_their_random_seed() -> None:
    asked = corpus("pretraining", count=3000, random_seed=5, distinct=True)
    questions = draw_questions(asked)
    assert len(set(questions)) == len(questions) == 3000
    assert draw_questions(asked) == questions
    assert draw(asked) == [Example(question, solve(question)) for question in questions]
    other = draw_questions(corpus("pretraining", count=3000, random_seed=6))
    assert other != questions
    assert len(set(other)) < 3000


def test_a_corpus_with_more_questions_than_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arithmetic, "_TRIES", 500)  # most time goes into the search for the last few questions
    # a number and a digit make 279 additions, about 28 of them in the part, in 2 + 8 x 8 wordings each
    with pytest.raises(BadInput, match="distinct"):
        draw_questions(corpus("pretraining", part="validation", count=10_000, distinct=True))


def test_every_word_of_questions_answers_and_prompts_is_a_token() -> None:
    words = arithmetic.vocabulary()
    assert len(set(words)) == len(words)
    assert words[: arithmetic.LARGEST + 1] == [str(number) for number in range(70)]
    header = yaml.safe_load((ROOT / "config/tasks/tiny-math.yaml").read_text())["prompts"]["header"]
    questions = draw_questions(corpus(count=6000, random_seed=3))
    texts = [*questions, *(solve(q) or "" for q in questions)]
    texts += [MATH.build_prompt(header, questions[n : n + 3]) for n in range(0, 300, 3)]
    assert {word for text in texts for word in text.split()} <= set(words)
    assert set(words) - {word for text in texts for word in text.split()} <= {"Q:", "A:", *map(str, range(70))}
