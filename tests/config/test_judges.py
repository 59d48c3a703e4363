"""The judges of a task: one or a panel, with or without a hold-out judge, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.edited_config import JUDGE, MODELS, SAFETY, TASK, Edited, extending

from reversegen.config import paths
from reversegen.config.judge_settings import Judge, Judging

TINY = "tasks/tiny-safety.yaml"
ONE, OTHER, HELD = (JUDGE | {"model": name} for name in ("llama3-8b", "llama3-8b-instruct", "llama2-7b-chat"))
EXACT = {"format": "exact"}


def panel(*judges: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"panel": list(judges), **more}


def judging(edited: Edited, judge: dict[str, Any], file: str = SAFETY) -> Judging:
    edited.set(file, "judge", judge)
    loaded = edited.load()
    assert loaded.faults == {}
    found = loaded.task(file.removeprefix("tasks/").removesuffix(".yaml")).judge
    assert found
    return found


def test_one_judge_is_a_panel_of_one_and_may_have_a_hold_out_judge(edited: Edited) -> None:
    alone = judging(edited, ONE)
    assert alone.members == alone.judges == [Judge.model_validate(ONE)]
    assert alone.holdout is None
    held = judging(edited, ONE | {"holdout": HELD})
    assert [judge.name for judge in held.judges] == ["llama3-8b", "llama2-7b-chat"]
    assert held.members == alone.members
    assert (held.key("llama3-8b"), held.key("llama2-7b-chat")) == ("judge", "judge.holdout")
    assert judging(edited, panel(ONE)).members == alone.members


def test_a_panel_votes_by_majority_unless_the_task_says_how(edited: Edited) -> None:
    for decision in ("majority", "any", "all"):
        given = {} if decision == "majority" else {"decision": decision}
        several = judging(edited, panel(ONE, OTHER, holdout=HELD, **given))
        assert several.decision == decision
        assert [judge.name for judge in several.members] == ["llama3-8b", "llama3-8b-instruct"]
    assert several.key("llama3-8b-instruct") == "judge.panel.1"
    assert Judging.model_validate_json(several.model_dump_json()) == several
    task = edited.load().task("safety")
    roles = {role: name for role, name in paths.task_models(task).items() if role.startswith("judge")}
    assert list(roles.values()) == ["llama3-8b", "llama3-8b-instruct", "llama2-7b-chat"]
    assert [
        judge.batch_size for judge in judging(edited, panel({"model": "llama3-8b", "format": "instructed"})).members
    ] == [32]


def test_an_exact_judge_needs_no_model_and_a_world_with_a_policy(edited: Edited) -> None:
    assert judging(edited, panel(EXACT), TINY).members[0].name == "exact"
    tiny = {**ONE, "format": "classifier", "failed_labels": ["failed"], "model": "tiny-policy-judge"}
    assert judging(edited, tiny | {"holdout": EXACT}, TINY).holdout == Judge.model_validate(EXACT)
    assert [*paths.task_models(edited.load().task("tiny-safety"))][-1] == "judge tiny-policy-judge"
    edited.set(SAFETY, "judge", ONE | {"holdout": EXACT})
    assert edited.refusal() == (
        f"{edited.folder / SAFETY}: judge.holdout.format: exact needs a world with an exact policy, and no data of this task "
        "is drawn from one; draw data from such a world (confidentiality, policy), or use another format"
    )


@pytest.mark.parametrize(
    ("judge", "words"),
    [
        ({}, "judge: Value error, format: missing; give `model` and `format` of one judge, or a `panel`"),
        ({"model": "llama3-8b"}, "judge: Value error, format: missing"),
        ({"format": "instructed"}, "judge: Value error, model: missing; name the judge model in models.yaml"),
        (panel(), "judge.panel: List should have at least 1 item"),
        (
            panel(ONE, model="llama3-8b"),
            "judge: Value error, panel: it stands in place of one judge; move model into a",
        ),
        (panel(ONE, ONE), "judge: Value error, panel.1: llama3-8b is a judge of this task already"),
        (
            panel(ONE, holdout=ONE | {"format": "wildguard"}),
            "judge: Value error, holdout: llama3-8b is a judge of this",
        ),
        (panel(ONE, {"model": "llama3-8b-instruct"}), "judge.panel.1.format: Field required"),
        (panel(ONE, {"format": "instructed"}), "judge.panel.1: Value error, model: missing"),
        (
            panel(ONE, OTHER | {"format": "classifier"}),
            "judge.panel.1: Value error, failed_labels: the format classifier",
        ),
        (
            panel(ONE, EXACT | {"model": "llama3-8b-instruct"}),
            "judge.panel.1: Value error, model: the format exact needs no",
        ),
        (panel(ONE, OTHER, decision="most"), "judge.decision: Input should be 'majority', 'any' or 'all', not 'most'"),
        (panel(ONE, OTHER | {"format": "wildgard"}), "judge.panel.1.format: unknown format 'wildgard'"),
        (panel(ONE, OTHER | {"threshold": 0.5}), "judge.panel.1.threshold: the format instructed does not read it"),
        (panel(ONE, OTHER | {"model": "gpt"}), "judge.panel.1.model: unknown model 'gpt'"),
        (ONE | {"holdout": HELD | {"model": "gpt"}}, "judge.holdout.model: unknown model 'gpt'"),
        (panel(ONE, OTHER | {"holdout": HELD}), "judge.panel.1.holdout: Extra inputs are not permitted"),
    ],
)
def test_judges_that_do_not_fit_are_refused_with_the_key_that_holds_them(
    edited: Edited, judge: dict[str, Any], words: str
) -> None:
    edited.set(SAFETY, "judge", judge)
    assert edited.load().faults["safety"].startswith(f"{edited.folder / SAFETY}: {words}")


def test_an_endpoint_that_cannot_serve_the_format_of_a_hold_out_judge_is_refused(edited: Edited) -> None:
    edited.set(SAFETY, "judge", ONE | {"holdout": {"model": "gpt-4o-mini", "format": "shieldgemma"}})
    assert "judge.holdout: gpt-4o-mini is an endpoint, which cannot serve the format" in edited.refusal()


@pytest.mark.parametrize("judge", [ONE, panel(ONE, OTHER), ONE | {"holdout": HELD}])
def test_a_kind_that_decides_without_a_judge_refuses_the_key(edited: Edited, judge: dict[str, Any]) -> None:
    edited.set(TASK, "judge", judge)
    expected = f"{edited.folder / TASK}: judge: the kind math decides without a judge; remove the section `judge`"
    assert edited.refusal() == expected


def test_a_task_replaces_the_judge_that_it_inherits_by_a_panel_and_a_panel_by_a_judge(edited: Edited) -> None:
    extending(edited, "several", "safety", judge=panel(ONE, OTHER, holdout=HELD, decision="any"))
    extending(edited, "again", "several", judge=HELD | {"holdout": ONE})
    extending(edited, "larger", "safety", judge={"batch_size": 7})
    loaded = edited.load()
    assert loaded.faults == {}
    several, again, larger = (loaded.task(name).judge for name in ("several", "again", "larger"))
    assert several
    assert again
    assert larger
    assert [judge.name for judge in several.judges] == ["llama3-8b", "llama3-8b-instruct", "llama2-7b-chat"]
    assert [judge.name for judge in again.judges] == ["llama2-7b-chat", "llama3-8b"]
    assert (larger.members[0].model, larger.members[0].batch_size) == ("llama-guard-2-8b", 7)


def test_every_judge_of_a_budget_needs_a_price(edited: Edited) -> None:
    edited.set(SAFETY, "judge", ONE | {"holdout": {"model": "gpt-4o-mini", "format": "instructed"}})
    edited.set(SAFETY, "budget", {"money": 10.0})
    assert "costs.prices.endpoints.gpt-4o-mini.read" in edited.refusal()


def test_a_judge_that_cannot_be_loaded_has_its_key_in_the_refusal(edited: Edited) -> None:
    edited.set(MODELS, "llama2-7b-chat", {"size": "8b"})
    edited.set(SAFETY, "judge", panel(ONE, holdout=HELD))
    assert edited.load().faults["safety"].startswith(f"{edited.folder / SAFETY}: judge.holdout.model: ")
