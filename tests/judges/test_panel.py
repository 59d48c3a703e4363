"""The verdict of a panel from the votes of its judges."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest

from reversegen.config.judge_settings import Decision
from reversegen.core.records import Judgement, Verdict
from reversegen.judges.panel import TIE, decide, panel_judgement, panel_votes, refusals_tie


def vote(verdict: Verdict, detail: str = "", refusal: bool | None = None, **more: object) -> Judgement:
    given = {"instruction_id": "i", "verdict": verdict, "score": None, "detail": detail, "refusal": refusal}
    return Judgement.model_validate(given | more)


@pytest.mark.parametrize(
    ("votes", "majority", "either", "every"),
    [
        ("FFP", "failed", "failed", "passed"),
        ("FPP", "passed", "failed", "passed"),
        ("FP", "invalid", "failed", "passed"),
        ("FFF", "failed", "failed", "failed"),
        ("PPP", "passed", "passed", "passed"),
        ("F--", "failed", "failed", "failed"),
        ("P--", "passed", "passed", "passed"),
        ("FP-", "invalid", "failed", "passed"),
        ("FFPP", "invalid", "failed", "passed"),
        ("---", "invalid", "invalid", "invalid"),
    ],
)
def test_votes_decide_as_the_decision_says(votes: str, majority: str, either: str, every: str) -> None:
    """F is failed, P passed, - a judge that gave no verdict and does not vote."""
    given: list[Verdict] = [{"F": "failed", "P": "passed", "-": "invalid"}[letter] for letter in votes]  # type: ignore[misc]
    assert (decide(given, "majority"), decide(given, "any"), decide(given, "all")) == (majority, either, every)
    assert decide(given[::-1], "majority") == majority


@pytest.mark.parametrize("decision", get_args(Decision))
def test_an_unread_vote_decides_nothing_and_a_flipped_vote_flips_the_verdict(decision: Decision) -> None:
    """Both hold for every panel of up to four judges: by symmetry, `any` failed is `all` passed of the opposite votes."""
    flipped: dict[Verdict, Verdict] = {"failed": "passed", "passed": "failed", "invalid": "invalid"}
    mirrored: dict[Decision, Decision] = {"majority": "majority", "any": "all", "all": "any"}
    for size in (1, 2, 3, 4):
        for votes in product(flipped, repeat=size):
            verdict = decide(votes, decision)
            assert decide([one for one in votes if one != "invalid"], decision) == verdict
            assert decide([flipped[one] for one in votes], mirrored[decision]) == flipped[verdict]


@pytest.mark.parametrize("decision", get_args(Decision))
def test_the_judgement_of_one_judge_stays_as_it_is(decision: Decision) -> None:
    one = vote("failed", "S1", None, score=0.7, categories=["S1"])
    assert panel_judgement([one], decision) is one


def test_a_judgement_has_the_details_and_categories_of_the_judges_that_agree_with_it() -> None:
    votes = [
        vote("failed", "S2,S9", categories=["S2", "S9"]),
        vote("passed", "harmless"),
        vote("failed", "violence", categories=["violence", "S9"]),
    ]
    judgement = panel_judgement(votes, "majority")
    assert (judgement.verdict, judgement.detail, judgement.score) == ("failed", "S2,S9; violence", None)
    assert judgement.categories == ["S2", "S9", "violence"]
    assert panel_judgement(votes, "all").detail == "harmless"
    assert panel_judgement(votes[:2], "majority").detail == TIE
    unread = [vote("invalid", "not the judge's format"), vote("invalid", "empty reply")]
    assert panel_judgement(unread, "any").detail == "not the judge's format; empty reply"


def test_most_of_the_judges_that_state_it_decide_whether_an_answer_refuses() -> None:
    several = [vote("passed", refusal=True), vote("passed", refusal=None), vote("failed", refusal=True)]
    assert panel_judgement(several, "majority").refusal is True
    several[2] = vote("failed", refusal=False)
    assert panel_judgement(several, "majority").refusal is None
    assert refusals_tie(several)
    assert not refusals_tie(several[:2])
    assert not refusals_tie([vote("passed"), vote("failed")])


def test_votes_join_by_id_in_the_order_of_the_panel() -> None:
    rows = [[vote("failed", name, instruction_id=i) for i in ids] for name, ids in (("first", "ab"), ("second", "bca"))]
    votes = panel_votes(rows)
    assert {i: [one.detail for one in several] for i, several in votes.items()} == {
        "a": ["first", "second"],
        "b": ["first", "second"],
        "c": ["second"],
    }
