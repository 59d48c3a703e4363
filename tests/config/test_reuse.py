"""A part of a task is reused if every key that decides it is equal. Otherwise it is refused, and the key is named."""

from typing import Any

import pytest
from tests.support.edited_config import TASK, Edited, extending, names

PLACES = {
    "seeds": ["seeds.jsonl", "tests/test.jsonl"],
    "probe": ["probe/drawn_seeds.jsonl", "probe/labels.jsonl", "probe/responses.jsonl"],
    "warmup": ["warmup.jsonl"],
    "untrained": ["untrained/labels.jsonl", "untrained/eval.json"],
    "iter0": ["iter0/proposer", "iter0/labels.jsonl", "iter0/eval.json"],
    "control": ["control/labels.jsonl"],
    "original": ["original/eval.json"],
}
"""Files of each part."""
NEVER = [
    "iter1/labels.jsonl",
    "enhanced/seeds/eval.json",
    "enhanced/warmup/target",
    "contamination/iter0.json",
    "contamination.json",
]
"""Files that are never reused, whatever their names begin with."""


@pytest.mark.parametrize("part", PLACES)
def test_the_files_of_a_reused_part_and_of_no_other_are_those_of_the_extended_task(edited: Edited, part: str) -> None:
    extending(edited, "child", "tiny-math", reuse=[part])
    extending(edited, "chain", "child", reuse=[part])
    extending(edited, "broken-chain", "child")
    loaded = edited.load()
    for name, paths in {**PLACES, "never": NEVER}.items():
        for path in paths:
            for seed in ("", ".s0", ".s3"):
                theirs = "tiny-math" if name == part else "child"
                assert loaded.place(f"child{seed}", path) == f"results/{theirs}{seed}/{path}"
                theirs = "tiny-math" if name == part else "chain"
                assert loaded.place(f"chain{seed}", path) == f"results/{theirs}{seed}/{path}"
                assert loaded.place(f"broken-chain{seed}", path) == f"results/broken-chain{seed}/{path}"
                assert loaded.place(f"tiny-math{seed}", path) == f"results/tiny-math{seed}/{path}"


def test_reuse_is_not_inherited(edited: Edited) -> None:
    extending(edited, "child", "tiny-math", reuse=["seeds", "iter0"])
    extending(edited, "chain", "child", reuse=["iter0"])
    loaded = edited.load()
    assert (loaded.task("child").reuse, loaded.task("chain").reuse) == (["seeds", "iter0"], ["iter0"])
    assert loaded.place("chain", "iter0/labels.jsonl") == "results/tiny-math/iter0/labels.jsonl"
    assert loaded.place("chain", "seeds.jsonl") == "results/chain/seeds.jsonl"


DECIDING: list[tuple[str, str, Any, str]] = [
    ("seeds", "data.heldout_share", 0.25, "data"),
    ("seeds", "data.tests.test.measures", "retained", "data"),
    ("seeds", "data.probe", True, "data"),
    ("probe", "data.probe_seeds", 7, "data"),
    ("probe", "target", "llama3-8b", "target"),
    ("probe", "responses.max_new_tokens", 7, "responses"),
    ("probe", "checker_timeout", 77, "checker_timeout"),
    ("warmup", "prompts.header", "Other :", "prompts.header"),
    ("warmup", "warmup.rows", 7, "warmup.rows"),
    ("warmup", "data.heldout_share", 0.25, "data"),
    ("untrained", "sampling.top_p", 0.5, "sampling"),
    ("untrained", "proposer", "llama3-8b", "proposer"),
    ("untrained", "evaluation.bootstrap", 777, "evaluation"),
    ("iter0", "prompts.train", 7, "prompts"),
    ("iter0", "warmup.training.learning_rate", 0.5, "warmup"),
    ("iter0", "sampling.top_p", 0.5, "sampling"),
    ("iter0", "deduplication.threshold", 0.5, "deduplication"),
    ("iter0", "proposer", "llama3-8b", "proposer"),
    ("iter0", "teacher", "qwen2.5-math-7b-instruct", "teacher"),
    ("iter0", "references.samples", 3, "references"),
    ("iter0", "evaluation.bootstrap", 777, "evaluation"),
    ("control", "iterations", 7, "iterations"),
    ("control", "sampling.temperature", 0.5, "sampling"),
    ("original", "evaluation.bootstrap", 777, "evaluation"),
    ("original", "honesty.threshold", 0.5, "honesty"),
    ("original", "judge_check.sensitivity", 0.5, "judge_check"),
]


@pytest.mark.parametrize(("part", "key", "value", "named"), DECIDING)
def test_a_reused_part_that_a_changed_key_decides_is_refused_by_name(
    edited: Edited, part: str, key: str, value: Any, named: str
) -> None:
    extending(edited, "child", "tiny-math", reuse=[part])
    edited.set("tasks/child.yaml", key, value)
    file = edited.folder / "tasks/child.yaml"
    assert edited.refusal() == (
        f"{file}: reuse: {part} depends on {named}, which differs from that of tiny-math; remove {part} from `reuse`, or give "
        f"{named} the same value"
    )
    edited.set("tasks/child.yaml", "reuse", [])
    edited.load()


@pytest.mark.parametrize(
    ("parts", "key", "value"),
    [
        (["seeds", "probe", "warmup", "iter0", "control"], "preference.beta", 0.5),
        (["seeds", "probe", "warmup", "iter0", "control", "original"], "enhancement.rows", 7),
        (["seeds", "probe", "warmup", "iter0", "control", "original"], "enhancement.seed_margin", 7),
        (["seeds", "probe", "warmup", "iter0"], "iterations", 7),
        (["seeds", "probe"], "prompts.train", 7),
        (["seeds"], "target", "llama3-8b"),
        (["warmup", "untrained"], "warmup.training.learning_rate", 0.5),
    ],
)
def test_a_key_that_does_not_decide_a_part_leaves_it_reused(
    edited: Edited, parts: list[str], key: str, value: Any
) -> None:
    extending(edited, "child", "tiny-math", reuse=parts)
    edited.set("tasks/child.yaml", key, value)
    assert edited.load().task("child").reuse == parts


def test_a_part_that_the_middle_of_a_chain_changes_is_refused_there_and_separate_elsewhere(edited: Edited) -> None:
    extending(edited, "middle", "tiny-math", sampling={"top_p": 0.5})
    extending(edited, "last", "middle", reuse=["iter0"])
    loaded = edited.load()
    assert loaded.place("last.s2", "iter0/samples.jsonl") == "results/middle.s2/iter0/samples.jsonl"
    edited.set("tasks/middle.yaml", "reuse", ["iter0"])
    assert edited.refusal().startswith(f"{edited.folder}/tasks/middle.yaml: reuse: iter0 depends on sampling")


@pytest.mark.parametrize("reuse", [["seed"], ["enhanced"], "seeds", [None]])
def test_a_part_that_cannot_be_reused_is_refused(edited: Edited, reuse: Any) -> None:
    extending(edited, "child", "tiny-math", reuse=reuse)
    assert names(edited.refusal(), edited.folder / "tasks/child.yaml", "reuse")


def test_reuse_without_a_task_to_reuse_is_refused(edited: Edited) -> None:
    edited.set(TASK, "reuse", ["seeds"])
    assert edited.refusal().startswith(f"{edited.folder / TASK}: reuse: ")
