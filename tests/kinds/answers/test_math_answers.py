"""Answers in the words of models get the verdict that a reader expects, and no different answer passes instead."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.kinds import MATH

from reversegen.core.records import Label, Reference, Response
from reversegen.kinds.answers.equivalence import Checker
from reversegen.kinds.base import Case

CASES = Path(__file__).parents[2] / "cases"


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CASES / f"{name}.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    with Checker() as one:
        yield one


def label_of(checker: Checker, text: str, answer: str, finished: bool = True) -> Label:
    response = Response(instruction_id="i", sample=0, text=text, tokens=1, finished=finished)
    trusted = Reference(instruction_id="i", answer=answer, solution=None, teacher="someone", invalid=None)
    return MATH.label(Case("i", "How many?", [response], trusted), checker)


@pytest.mark.parametrize("row", rows("math_answers"), ids=lambda row: row["what"])
def test_an_answer_gets_the_verdict_of_a_reader(checker: Checker, row: dict[str, str]) -> None:
    label = label_of(checker, row["response"], row["reference"])
    assert row["expected"] in (label.verdict, "any"), label.detail


@pytest.mark.parametrize("row", rows("math_wrong_answers"), ids=lambda row: row["what"])
def test_no_response_passes_against_a_wrong_reference(checker: Checker, row: dict[str, str]) -> None:
    assert label_of(checker, row["response"], row["wrong"]).verdict != "passed"


@pytest.mark.parametrize("row", rows("math_answers_of_chat_models"), ids=lambda row: row["response"][:40])
def test_answers_in_the_forms_of_chat_models(checker: Checker, row: dict[str, Any]) -> None:
    label = label_of(checker, row["response"], row["reference"], row["finished"])
    assert label.verdict == row["expected"], label.detail
    wrong = row["wrong"] and label_of(checker, row["response"], row["wrong"], row["finished"])
    assert not wrong or wrong.verdict != "passed"


@pytest.mark.parametrize("row", rows("real_llm_answers"), ids=lambda row: row["expected"])
def test_answers_of_a_real_model(checker: Checker, row: dict[str, Any]) -> None:
    label = label_of(checker, row["response"], row["reference"], row["finished"])
    assert row["expected"].startswith(label.verdict)
