"""The resources that jobs ask for, by the size of their model."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.wildcards import shipped, wild

from reversegen.config.task import Task
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.workflow import resources

CONFIGURATION = shipped()


def launched(processes: int, **overrides: Any) -> Configuration:
    """The task math, with DPO in this number of processes."""
    configuration = shipped(**overrides)
    task = configuration.tasks["math"].model_dump()
    task["preference"]["training"]["launcher"] = {"config": "ddp", "processes": processes}
    return configuration.model_copy(update={"tasks": {"math": Task.model_validate(task)}})


@pytest.mark.parametrize(
    ("resource", "one", "four"),
    [("threads", 8, 32), ("mem_mb", 96000, 384000), ("runtime", 1440, 1440), ("gpu", 1, 4), ("gres", None, None)],
)
def test_each_process_of_a_training_asks_for_the_same_amount(resource: str, one: int | None, four: int | None) -> None:
    configuration = launched(4)
    assert resources.amount(configuration, resource, "proposer")(wild("math")) == one
    assert resources.amount(configuration, resource, "proposer", "preference")(wild("math")) == four
    assert resources.amount(configuration, resource, "proposer", "warmup")(wild("math")) == one


def test_gpus_are_asked_for_in_one_of_two_ways() -> None:
    configuration = launched(2, gres="gpu:a100")
    asked = {
        name: resources.amount(configuration, name, "proposer", "preference")(wild("math")) for name in ("gpu", "gres")
    }
    assert asked == {"gpu": 0, "gres": "gpu:a100:2"}
    assert resources.job_gpus(configuration, "proposer", "preference")(wild("math"), 1, {}) == 2  # type: ignore[arg-type]
    assert resources.amount(shipped(gres="gpu"), "gres", "target")(wild("tiny-math")) is None


def test_a_solver_and_a_role_without_a_model_ask_for_the_resources_of_a_tiny_model() -> None:
    size = CONFIGURATION.workflow.sizes["tiny"]
    for role in ("teacher", "embedding"):
        assert resources.amount(CONFIGURATION, "mem_mb", role)(wild("tiny-math")) == size.mem_mb


def test_more_gpus_than_a_run_has_are_refused() -> None:
    gpus: Any = resources.job_gpus(launched(4), "proposer", "preference")
    assert gpus(wild("math"), 1, {"gpu": 4}) == 4
    with pytest.raises(
        BadInput, match=r"task math: a job of its proposer asks for 4 GPUs, but `--resources gpu=2` allows fewer"
    ):
        gpus(wild("math"), 1, {"gpu": 2})


def test_a_stage_in_shards_is_in_no_group() -> None:
    group = resources.with_next(CONFIGURATION, "{task}.{arm}")
    assert group(wild(arm="iter1")) == "tiny-math.iter1"
    cut = CONFIGURATION.tasks["tiny-math"].model_copy(update={"shards": 2})
    configuration = CONFIGURATION.model_copy(update={"tasks": {"tiny-math": cut}})
    assert resources.with_next(configuration, "{task}.{arm}")(wild(arm="iter1")) is None
