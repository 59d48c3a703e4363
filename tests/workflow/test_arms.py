"""The files of arms, iterations and variants that rules read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support.wildcards import shipped, wild

from reversegen.workflow import arms, enhance, evaluate, explore, shards

CONFIGURATION = shipped()
MATH = "results/tiny-math"


def files(*paths: str) -> list[str]:
    return [f"{MATH}/{path}" for path in paths]


def test_each_arm_has_its_proposer() -> None:
    proposers = {arm: arms.arm_proposer(CONFIGURATION, wild(arm=arm)) for arm in ("iter2", "control", "untrained")}
    base = f"results/models/{CONFIGURATION.tasks['tiny-math'].proposer}"
    assert proposers == {"iter2": f"{MATH}/iter2/proposer", "control": f"{MATH}/iter0/proposer", "untrained": base}
    assert [arms.iterated(CONFIGURATION, wild(arm=arm)) for arm in ("iter2", "untrained")] == [True, False]


@pytest.mark.parametrize(
    ("find", "iteration", "expected"),
    [
        (arms.of_previous, "2", f"{MATH}/iter1/x"),
        (arms.up_to_now, "1", files("iter0/x", "iter1/x")),
        (arms.of_every, "0", files("iter0/x", "iter1/x", "iter2/x", "iter3/x")),
        (arms.of_every_but_the_last, "0", files("iter0/x", "iter1/x", "iter2/x")),
        (arms.of_trained, "0", files("iter1/x", "iter2/x", "iter3/x")),
        (arms.of_warmup, "0", files("iter0/x", "control/x")),
        (arms.of_warmup_and_trained, "0", files("iter0/x", "control/x", "iter1/x", "iter2/x", "iter3/x")),
        (arms.last_iteration, "0", f"{MATH}/iter3/x"),
    ],
)
def test_iterations_of_a_file(find: Callable[..., Any], iteration: str, expected: Any) -> None:
    assert find(CONFIGURATION, "x")(wild(iteration=iteration)) == expected


def test_what_came_before_an_iteration() -> None:
    before = arms.before_now(CONFIGURATION, "x")
    assert before(wild(arm="iter2")) == files("iter0/x", "iter1/x")
    assert before(wild(arm="untrained")) == before(wild(arm="iter0")) == []
    pairs = {arm: arms.training_pairs(CONFIGURATION, wild(arm=arm)) for arm in ("iter0", "untrained", "iter3")}
    assert pairs == {"iter0": [], "untrained": [], "iter3": files("iter2/pairs.jsonl")}
    assert arms.previous_contamination(CONFIGURATION, wild(iteration="2")) == f"{MATH}/contamination/iter1.json"
    assert arms.following_proposer(CONFIGURATION, wild(iteration="2")) == f"{MATH}/iter3/proposer"


def test_the_reference_of_dpo_is_the_previous_proposer_or_proposer_zero() -> None:
    assert arms.reference_proposer(CONFIGURATION, wild(iteration="2")) == f"{MATH}/iter1/proposer"
    fixed = wild("math-fixed-reference", iteration="2")
    assert arms.reference_proposer(CONFIGURATION, fixed) == "results/math/iter0/proposer"


def test_only_proposers_that_are_not_kept_are_pruned() -> None:
    task = CONFIGURATION.tasks["tiny-math"].model_copy(update={"keep": [0, 2, "last"]})
    configuration = CONFIGURATION.model_copy(update={"tasks": {"tiny-math": task}})
    assert arms.pruned_before(configuration, wild(arm="iter3")) == files("iter1/pruned.json")
    assert arms.pruned_before(configuration, wild(arm="untrained")) == []
    assert arms.pruned_before(CONFIGURATION, wild(arm="iter3")) == []


def test_a_variant_is_the_target_or_one_that_a_source_enhanced() -> None:
    original, enhanced = wild(variant="original"), wild(variant="enhanced/seeds")
    target = f"results/models/{CONFIGURATION.tasks['tiny-math'].target}"
    assert arms.variant_folder(CONFIGURATION, original) == [target]
    assert arms.variant_folder(CONFIGURATION, enhanced) == files("enhanced/seeds/target")
    selections = [arms.variant_selection(CONFIGURATION, w) for w in (original, enhanced)]
    assert selections == [[], files("enhanced/selection.json")]


def test_references_are_read_and_judged_for_kinds_that_need_them() -> None:
    assert len(arms.of_every_referenced(CONFIGURATION, wild())) == 4
    assert arms.of_every_referenced(CONFIGURATION, wild("tiny-safety")) == []
    assert enhance.judged_references(CONFIGURATION, wild()) == []
    assert len(enhance.judged_references(CONFIGURATION, wild("tiny-safety"))) == 5
    assert evaluate.iterated_teacher(CONFIGURATION, wild("safety")) == []


def test_embeddings_are_read_if_the_task_has_a_model_for_them() -> None:
    find = explore.embedding_files(CONFIGURATION, lambda wildcards: "one", lambda wildcards: ["two", "three"])
    assert (find(wild()), find(wild("math"))) == ([], ["one", "two", "three"])
    assert explore.embedding_settings(CONFIGURATION, wild()) == "null"
    assert explore.embedding_cache(CONFIGURATION, wild("math")) == "results/models/minilm.embeddings"
    assert explore.test_embeddings(CONFIGURATION, wild()) == files(
        "tests/test.embeddings.npy", "tests/pretraining.embeddings.npy"
    )
    assert not explore.stops_on_collapse(CONFIGURATION, wild())


def test_shards_and_the_tasks_that_have_several() -> None:
    assert shards.shard_of(CONFIGURATION, wild(shard=".2-of-8")) == "2-of-8"
    assert shards.shard_of(CONFIGURATION, wild(shard="")) == "1-of-1"
    assert shards.gathered_with(CONFIGURATION, wild(stem="iter1/labels")) == "tiny-math.iter1"
    assert shards.gathered_with(CONFIGURATION, wild(stem="iter1/samples")) is None
    tasks = {
        name: task.model_copy(update={"shards": 2 * (name == "math")}) for name, task in CONFIGURATION.tasks.items()
    }
    assert shards.sharded_tasks(CONFIGURATION.model_copy(update={"tasks": tasks})).startswith("(math)")
    assert shards.sharded_tasks(CONFIGURATION.model_copy(update={"tasks": {}})) == "(?!)"
