"""The world of facts on the packages' own files: famous facts, every wording, and what is held out."""

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from reversegen.config.data import Corpus
from reversegen.config.world_files import FACTS_FILES
from reversegen.core.records import write_records
from reversegen.worlds.facts.real_facts import Facts
from reversegen.worlds.facts.sources import Sources
from reversegen.worlds.facts.table import RELATIONS, part_of

FAMOUS = {
    "What is the capital of France?": "Paris",
    "What is the capital of Germany?": "Berlin",
    "What is the capital of Japan?": "Tokyo",
    "What is the capital of Egypt?": "Cairo",
    "What is the capital of Brazil?": "Brasilia",
    "What is the capital of Canada?": "Ottawa",
    "What is the capital of Australia?": "Canberra",
    "What is the capital of Kazakhstan?": "Astana",
    "Kyiv is the capital of which country?": "Ukraine",
    "Peking is the capital of which country?": "China",
    "Which country is Bombay in?": "India",
    "Which country is Munich in?": "Germany",
    "Which country is Sydney in?": "Australia",
    "What is the currency of Japan?": "yen",
    "What is the currency of the United Kingdom?": "pound sterling",
    "What is the currency of India?": "Indian rupee",
    "Which continent is Kenya in?": "Africa",
    "What is the chemical symbol for gold?": "Au",
    "What is the chemical symbol for tungsten?": "W",
    "Which element has the symbol Na?": "sodium",
}


@pytest.fixture(scope="module")
def facts(packaged_facts: Path) -> Facts:
    files = {name: packaged_facts / file.place.name for name, file in FACTS_FILES.items()}
    for name, path in files.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == FACTS_FILES[name].package.sha256
    write_records(packaged_facts / "facts.jsonl", Sources(**files).facts())
    return Facts(packaged_facts / "facts.jsonl")


def test_twenty_famous_facts_are_right(facts: Facts) -> None:
    assert {question: facts.solve(question) for question in FAMOUS} == FAMOUS
    assert len(FAMOUS) == 20


def test_questions_whose_answer_is_not_agreed_on_are_left_out(facts: Facts) -> None:
    for question in (
        "What is the capital of Israel?",
        "Which continent is Australia in?",
        "Which country is Birmingham in?",
        "What is the capital of Puerto Rico?",
        "What is the currency of Zimbabwe?",
        "San Jose is the capital of which country?",
    ):
        assert facts.solve(question) is None, question


def test_the_table_is_small_and_every_wording_of_every_fact_is_read(facts: Facts) -> None:
    assert facts.path.stat().st_size < 500_000
    counts = Counter(fact.relation for fact in facts.table.facts)
    assert set(counts) == {*RELATIONS}
    assert min(counts.values()) > 100
    for fact in facts.table.facts:
        for question in facts.questions(fact):
            assert facts.read(question) == fact, question
        for answer, *_ in fact.right:
            assert list(facts.named(question, answer)) == [answer], question


def test_no_training_seed_names_what_a_test_question_names(facts: Facts) -> None:
    def drawn(mix: str, part: str) -> list[str]:
        asked = {"world": "facts", "mix": mix, "part": part, "count": 700, "random_seed": 1, "distinct": True}
        return [example.question for example in facts.draw(Corpus.model_validate(asked))]

    seeds, tests = drawn("popularity", "train"), drawn("popularity", "test")
    assert not any(facts.entities(seed) for seed in seeds)
    assert all(facts.entities(test) for test in tests)
    shares = Counter(part_of(unit) for unit in {fact.unit for fact in facts.table.facts})
    assert 0.5 < shares["train"] / shares.total() < 0.8
