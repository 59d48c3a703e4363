"""Answers to questions on symbols: a symbol has any letter case, and what a question is about is a wrong answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.facts import place_table

from reversegen.kinds.answers.reply import read_reply
from reversegen.kinds.answers.short import OpenQuestion, State, read_short

SYMBOL = "What is the chemical symbol for {}?"
TABLE: list[tuple[str, str, State | None]] = [
    # the symbol in any case, alone and in a sentence
    ("gold", "Au", "right"),
    ("gold", "AU", "right"),
    ("gold", "au", "right"),
    ("gold", "The symbol of gold is Au.", "right"),
    ("gold", "The symbol of gold is AU.", "right"),
    ("gold", "The symbol of gold is au.", "right"),
    ("gold", "AU is the symbol of gold.", "right"),
    ("gold", "au is the symbol for gold", "right"),
    ("iron", "the symbol of iron is fe", "right"),
    ("iron", "Iron's symbol is FE, from the Latin word ferrum.", "right"),
    ("iron", "it is fe", "right"),
    ("iodine", "i", "right"),
    ("iodine", "The symbol for iodine is i.", "right"),
    ("helium", "The symbol for helium is he", "right"),
    ("helium", "HE", "right"),
    # beside the name of the element
    ("gold", "Gold (Au)", "right"),
    ("gold", "Gold: Au", "right"),
    ("gold", "Gold - Au", "right"),
    ("gold", "gold = au", "right"),
    ("gold", "Au (gold)", "right"),
    ("gold", "Gold has the symbol Au.", "right"),
    ("gold", "The symbol of gold is Au, which stands for aurum, the Latin word for gold.", "right"),
    ("gold", "Gold is a chemical element with the symbol Au and atomic number 79.", "right"),
    # the thing itself
    ("gold", "The symbol of gold is gold.", "wrong"),
    ("gold", "The symbol of gold is Gold.", "wrong"),
    ("gold", "the symbol of gold is GOLD", "wrong"),
    ("gold", "It is gold.", "wrong"),
    ("gold", "gold", "wrong"),
    ("gold", "Gold", "wrong"),
    ("gold", "The symbol is the element gold.", "wrong"),
    ("tungsten", "The symbol of tungsten is wolfram.", "wrong"),
    # another thing's name
    ("gold", "The symbol of gold is iron.", "wrong"),
    ("gold", "The symbol of gold is Iron.", "wrong"),
    ("gold", "silver", "wrong"),
    # another thing's symbol
    ("gold", "Fe", "wrong"),
    ("gold", "fe", "wrong"),
    ("gold", "The symbol of gold is FE.", "wrong"),
    ("gold", "The symbol of gold is fe.", "wrong"),
    ("gold", "The symbol of gold is i.", "wrong"),
    ("gold", "The symbol of gold is I.", "wrong"),
    ("gold", "The symbol of gold is he", "wrong"),
    ("gold", "fe is the symbol of gold", "wrong"),
    # not a symbol of anything
    ("gold", "The symbol of gold is Gd.", "wrong"),
    ("gold", "gd", "wrong"),
    # several, none, and abstentions
    ("gold", "Au or Fe", None),
    ("gold", "The symbol of gold is the chemical symbol of gold.", None),
    ("gold", "The symbol of gold", None),
    ("gold", "I do not know the symbol of gold.", "abstained"),
    ("gold", "Gold? I don't know.", "abstained"),
]
ELEMENT = "Which element has the symbol {}?"
ELEMENTS: list[tuple[str, str, State | None]] = [
    ("Fe", "iron", "right"),
    ("Fe", "IRON", "right"),
    ("Fe", "The element with the symbol Fe is iron.", "right"),
    ("Fe", "Fe (iron)", "right"),
    ("Fe", "Fe: iron", "right"),
    ("Fe", "Fe", "wrong"),
    ("Fe", "fe", "wrong"),
    ("Fe", "The element is Fe.", "wrong"),
    ("Fe", "the element is fe", "wrong"),
    ("Fe", "The element is au.", "wrong"),
    ("Fe", "gold", "wrong"),
    ("Fe", "The element with the symbol Fe is GOLD.", "wrong"),
    ("I", "The element with the symbol I is iodine.", "right"),
    ("I", "I don't know.", "abstained"),
    ("I", "I am not sure which element has the symbol I.", "abstained"),
]
OTHERS: list[tuple[str, str, State | None]] = [
    ("What is the capital of Angola?", "The capital of Angola is angola.", "wrong"),
    ("What is the capital of Angola?", "The capital of Angola is Angola.", "wrong"),
    ("What is the capital of Angola?", "angola", "wrong"),
    ("What is the capital of Angola?", "the capital of angola is luanda", "right"),
    ("What is the capital of Angola?", "angola: luanda", "right"),
    ("What is the capital of Angola?", "luanda is the capital of angola", "right"),
    ("What is the currency of Angola?", "the currency of angola is angola", "wrong"),
    ("What is the currency of Angola?", "the currency of angola is the kwanza", "right"),
    ("In which country is Munich?", "munich is in munich", "wrong"),
    ("In which country is Munich?", "munich is in germany", "right"),
    ("Which continent is Angola in?", "angola is in angola", "wrong"),
    ("Which continent is Angola in?", "angola is in africa", "right"),
]


def state(question: str, response: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> State | None:
    facts = place_table(folder, monkeypatch)
    asked = OpenQuestion(question, facts.aliases(question), (), facts.named, facts.subject(question))
    assert asked.accepted, "the world reads the question"
    return read_short(asked, read_reply(response)).state


@pytest.mark.parametrize(("element", "response", "expected"), TABLE)
def test_symbols(
    element: str, response: str, expected: State | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert state(SYMBOL.format(element), response, monkeypatch, tmp_path) == expected


@pytest.mark.parametrize(("symbol", "response", "expected"), ELEMENTS)
def test_elements(
    symbol: str, response: str, expected: State | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert state(ELEMENT.format(symbol), response, monkeypatch, tmp_path) == expected


@pytest.mark.parametrize(("question", "response", "expected"), OTHERS)
def test_what_a_question_is_about_is_no_right_answer_of_any_relation(
    question: str, response: str, expected: State | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert state(question, response, monkeypatch, tmp_path) == expected
