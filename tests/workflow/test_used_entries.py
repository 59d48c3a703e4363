"""A job's code hash covers the entries that its task or model uses."""

from pathlib import Path

import pytest
import yaml

from reversegen.config.workflow import Configuration
from reversegen.engines import ENGINES
from reversegen.judges import JUDGES
from reversegen.kinds import KINDS
from reversegen.workflow.configuration import load_configuration
from reversegen.workflow.used_entries import UsedEntries, entries_of_model, entries_of_tasks
from reversegen.worlds import WORLDS

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture(scope="module")
def shipped() -> Configuration:
    return load_configuration(yaml.safe_load((CONFIG / "config.yaml").read_text()), CONFIG)


def used(engines: str = "", judges: str = "", kinds: str = "", worlds: str = "") -> UsedEntries:
    return UsedEntries(*(frozenset(names.split()) for names in (engines, judges, kinds, worlds)))


@pytest.mark.parametrize(
    ("task", "entries"),
    [
        ("tiny-math", used("transformers", "", "math", "arithmetic")),
        ("tiny-math-served", used("transformers openai", "", "math", "arithmetic")),
        ("tiny-math-vllm", used("vllm", "", "math", "arithmetic")),
        ("tiny-safety", used("transformers", "classifier exact", "safety", "policy")),
        ("tiny-honesty", used("transformers", "", "honesty", "knowledge")),
        ("math", used("vllm", "", "math")),
    ],
)
def test_a_task_uses_its_kind_judge_worlds_and_engines(shipped: Configuration, task: str, entries: UsedEntries) -> None:
    assert entries_of_tasks([shipped.task(task)], shipped.models) == entries


def test_all_tasks_together_use_existing_entries(shipped: Configuration) -> None:
    every = entries_of_tasks(shipped.tasks.values(), shipped.models)
    assert every.kinds == {*KINDS}
    assert every.worlds | {"facts"} == {*WORLDS}
    assert every.engines == {*ENGINES}
    assert every.judges - {"classifier", "exact"} <= {*JUDGES}


def test_a_model_that_is_trained_on_the_spot_uses_its_world(shipped: Configuration) -> None:
    assert entries_of_model(shipped.models["tiny-policy-judge"]).worlds == {"policy"}
    assert entries_of_model(shipped.models[shipped.task("math").target]) == used()
