"""The invented knowledge base: SQLite confirms its answers, its questions can be read back, and its parts never mix."""

import itertools
import random
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest

from reversegen.config.data import Corpus
from reversegen.core.errors import BadInput
from reversegen.worlds import knowledge
from reversegen.worlds.knowledge import ANIMALS, LANDS, VALUES, canonical, draw, part_of, solve, type_of, write_question

LAND = "brask"
GOOD = "what colour has the brask bandra ? A. red B. orange C. green D. blue"


def corpus(
    mix: str = "uniform", part: str = "all", count: int = 1000, random_seed: int = 0, distinct: bool = False
) -> Corpus:
    return Corpus.model_validate(
        {
            "world": "knowledge",
            "mix": mix,
            "part": part,
            "count": count,
            "random_seed": random_seed,
            "distinct": distinct,
        }
    )


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    """One table of the facts and one of a question's options: a second way to the right letter."""
    connection = sqlite3.connect(":memory:")
    connection.execute("create table fact (animal text, land text, relation text, value text)")
    rows = [
        (animal, land, relation, knowledge.true_value(animal, relation))
        for animal, (land, _) in ANIMALS.items()
        for relation in VALUES
    ]
    connection.executemany("insert into fact values (?, ?, ?, ?)", rows)
    connection.execute("create index by_animal on fact (animal)")
    yield connection
    connection.close()


def looked_up(database: sqlite3.Connection, question: str) -> list[tuple[str, str, str]]:
    """(animal, relation, letter) of every fact that a question mentions by its words and that one of its options states."""
    stem, *options = re.split(r"\s([ABCD])\.\s", question)
    words = stem.split()
    marks = ", ".join("?" * len(words))
    matches = []
    for letter, value in zip(options[::2], options[1::2], strict=True):
        matches += [
            (animal, relation, letter)
            for animal, relation in database.execute(
                f"select animal, relation from fact where animal in ({marks}) and land in ({marks})"
                f" and relation in ({marks}) and value = ?",
                [*words * 3, value],
            )
        ]
    return matches


@pytest.mark.parametrize("mix", knowledge.EXPONENTS)
def test_answers_of_drawn_questions_agree_with_sqlite(database: sqlite3.Connection, mix: str) -> None:
    letters = Counter()
    for example in draw(corpus(mix, count=1500, random_seed=1)):
        [(animal, relation, letter)] = looked_up(database, example.question)
        assert example.answer == solve(example.question) == letter
        assert example.subject == type_of(example.question) == relation
        assert canonical(example.question) == f"{animal} {relation}"
        letters[letter] += 1
    assert min(letters.values()) > 250


def test_a_question_is_read_with_any_white_space() -> None:
    for example in draw(corpus(count=200)):
        assert example.question.count("\n") == 4
        for space in (" ", "\n", " \t\n "):
            text = space.join(example.question.split())
            assert (solve(text), type_of(text)) == (example.answer, example.subject)
            assert canonical(text) == canonical(example.question)


@pytest.mark.parametrize(
    "change",
    [
        lambda q: "",
        lambda q: q.upper(),
        lambda q: q + " ",  # equal except for white space, see below
        lambda q: q.replace(LAND, "temmu"),
        lambda q: q.replace(LAND, "nowhere"),
        lambda q: q.replace("bandra", "unicorn"),
        lambda q: q.replace("bandra", LAND),
        lambda q: q.replace("colour", "price"),
        lambda q: q.replace("colour", "size"),
        lambda q: q.replace("orange", "red"),
        lambda q: q.replace("orange", "tiny"),
        lambda q: q.replace("A.", "A"),
        lambda q: q.replace("A.", "B."),
        lambda q: q.replace(" ?", ""),
        lambda q: q.replace("D. blue", ""),
        lambda q: q.replace("blue", "blue E. violet"),
        lambda q: q.replace("has the", "has its"),
        lambda q: q.replace("A. red B. orange", "A. orange B. red"),
        lambda q: q + " Answer:A.",
        lambda q: q + " A",
        lambda q: f"{q} {q}",
        lambda q: f"Q4. {q}",
        lambda q: q.replace("what ", "which "),
        lambda q: q + "\x00",
        lambda q: q.replace("bandra", "b\u0430ndra"),
        lambda q: q.replace("red", "r\u200bed"),
        lambda q: q.replace("red", "\uff52ed"),
        lambda q: q.replace("A.", "\u0391."),
        lambda q: q.replace("bandra", ".*"),
        lambda q: q.replace("bandra", "bandra" * 10**6),
        lambda q: q + " A. red" * 10**5,
        lambda q: "\ud800",
        lambda q: "__import__('os').getpid()",
    ],
)
def test_a_text_that_is_no_question_has_no_answer(change) -> None:  # type: ignore[no-untyped-def]
    assert solve(GOOD) is not None
    text = change(GOOD)
    if text.split() == GOOD.split():
        assert solve(text) == solve(GOOD)
    else:
        assert (solve(text), type_of(text), canonical(text)) == (None, None, None)


def test_a_question_without_the_right_option_has_no_answer() -> None:
    for animal, relation in itertools.product(list(ANIMALS)[:50], VALUES):
        wrong = [v for v in VALUES[relation] if v != knowledge.true_value(animal, relation)]
        options = " ".join(f"{letter}. {value}" for letter, value in zip("ABCD", wrong, strict=True))
        stem = f"what {relation} has the {ANIMALS[animal][0]} {animal} ?"
        assert solve(f"{stem} {options}") is None


def test_canonical_forms_are_equal_exactly_if_the_same_fact_is_asked() -> None:
    rng = random.Random(0)
    forms = defaultdict(set)
    for animal, relation in itertools.product(ANIMALS, VALUES):
        forms[animal, relation] = {canonical(write_question(animal, relation, rng)) for _ in range(4)}
    assert all(len(of_fact) == 1 for of_fact in forms.values())
    assert len(set.union(*forms.values())) == len(forms) == 720 * 4


def test_facts_follow_no_rule_that_a_name_or_a_land_reveals() -> None:
    for relation, values in VALUES.items():
        for place in (slice(0, 2), slice(2, None)):
            by_part = defaultdict(set)
            for animal in ANIMALS:
                by_part[animal[place]].add(knowledge.true_value(animal, relation))
            assert all(len(found) > 1 for found in by_part.values())
        counts = Counter(knowledge.true_value(animal, relation) for animal in ANIMALS)
        assert set(counts) == set(values)
        assert min(counts.values()) > 100


def test_parts_share_the_animals_as_documented_and_every_land_has_some_of_each() -> None:
    shares = Counter(map(part_of, ANIMALS))
    assert shares["test"] / 720 == pytest.approx(0.2, abs=0.03)
    assert shares["validation"] / 720 == pytest.approx(0.1, abs=0.03)
    drawn = {part: draw(corpus(part=part, count=3000)) for part in ("train", "validation", "test")}
    animals = {part: {str(canonical(e.question)).split()[0] for e in of_part} for part, of_part in drawn.items()}
    assert all(not animals[one] & animals[other] for one, other in itertools.combinations(animals, 2))
    assert set.union(*animals.values()) == set(ANIMALS)
    assert {ANIMALS[animal][0] for animal in animals["train"]} == set(LANDS)


def test_a_corpus_asks_each_fact_in_proportion_to_its_share() -> None:
    uniform = Counter(canonical(e.question) for e in draw(corpus(count=2880 * 2)))
    assert set(uniform.values()) == {2}
    common = Counter(str(canonical(e.question)).split()[0] for e in draw(corpus("pretraining", count=20_000)))
    first = next(animal for animal, place in ANIMALS.items() if place == (LANDS[0], 1))
    assert common.most_common(1)[0][0] == first
    by_land = Counter(ANIMALS[animal][0] for animal in common.elements())
    assert [land for land, _ in by_land.most_common(5)] == list(LANDS[:5])


def test_corpora_are_distinct_if_asked_and_repeat_with_their_random_seed() -> None:
    asked = corpus("uniform", count=3000, random_seed=5, distinct=True)
    examples = draw(asked)
    assert len({e.question for e in examples}) == 3000
    assert draw(asked) == examples
    assert draw(corpus("uniform", count=3000, random_seed=6, distinct=True)) != examples


def test_a_corpus_with_more_questions_than_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # 4 sets of wrong options and 2 forms make 8 questions on a fact
    monkeypatch.setattr(knowledge, "ANIMALS", {"bandra": ANIMALS["bandra"]})
    monkeypatch.setattr(knowledge, "part_of", lambda animal: "train")
    draw(corpus(count=4 * 4, distinct=True))
    with pytest.raises(BadInput, match="different questions"):
        draw(corpus(count=4 * 9, distinct=True))


def test_every_word_of_questions_and_prompts_is_a_token() -> None:
    words = knowledge.vocabulary()
    assert len(set(words)) == len(words)
    texts = [f"{e.question} Answer:{e.answer}. {e.answer}" for e in draw(corpus(count=2880))]
    texts += ["More questions on colour like these :", "Q1. Q2. Q3. Q4.", "Q: are you sure ? A: sure unsure"]
    assert {word for text in texts for word in text.split()} == set(words)
