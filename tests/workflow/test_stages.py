"""The table of stages agrees with a dry run of the Snakefile for every rule that uses a model."""

from __future__ import annotations

import re
from typing import Any

import yaml
from tests.support.workflows import Workflow, merged

from reversegen.workflow.stages import STAGES, Role

SIZES: dict[Role, int] = {"proposer": 1001, "target": 1002, "teacher": 1003, "judge": 1004, "embedding": 1005}
"""Megabytes that show whose size a job asks for. Those of a transfer are below."""
TRANSFER_SIZE = 1006
PROCESSES = {"warmup": 2, "preference": 3, "enhancement": 5}
"""Numbers of processes that show from which section of the task a training is started."""


def write_telling_task(workflow: Workflow, base: str, **changes: Any) -> None:
    """A task whose jobs ask for resources that identify their role, environment and training section."""
    config = workflow.folder / "config/config.yaml"
    content = yaml.safe_load(config.read_text())
    for name, mem_mb in [*SIZES.items(), ("transfer", TRANSFER_SIZE)]:
        size = {"threads": 1, "mem_mb": mem_mb, "runtime": 10, "gpu": 1, "disk_mb": 10}
        content["sizes"][f"size-{name}"] = size
    content["python"] = {name: f"python-{name}" for name in content["python"]}
    config.write_text(yaml.safe_dump(content))
    workflow.change_models({f"model-{n}": {"hub": f"owner/{n}", "size": f"size-{n}"} for n in (*SIZES, "transfer")})
    launched = {
        part: {
            "training": {
                "launcher": {"config": "ddp", "processes": processes},
                "gradient_accumulation_steps": processes,
            }
        }
        for part, processes in PROCESSES.items()
    }
    roles: dict[str, Any] = {role: f"model-{role}" for role in ("proposer", "target", "teacher")}
    roles |= {"transfer": ["model-transfer"], "shards": 2, "data": {"probe": True}}
    workflow.write_task("telling", merged(merged(roles, launched), changes), base=base)


def planned_jobs(workflow: Workflow) -> dict[str, list[str]]:
    """The text of each planned job that asks for the resources of a model's size, by its rule."""
    done = workflow.run("-n", "-p", "results/telling/table.md")
    assert done.returncode == 0, done.stdout
    jobs: dict[str, list[str]] = {}
    for text in re.split(r"\n\n(?=\[)", done.stdout):
        rule = re.search(r"^(?:local)?rule (\w+):$", text, re.MULTILINE)
        if rule and re.search(r"^Shell command: .* --gpus ", text, re.MULTILINE):
            jobs.setdefault(rule[1], []).append(text)
    return jobs


def test_the_table_agrees_with_a_dry_run(workflow: Workflow) -> None:
    facts = {"kind": "factual", "factual": {"calibration_samples": 2}}
    write_telling_task(workflow, "math", **facts, embedding={"model": "model-embedding"})
    jobs = planned_jobs(workflow)
    write_telling_task(workflow, "honesty", embedding={"model": "model-embedding"})
    jobs |= planned_jobs(workflow)
    write_telling_task(workflow, "safety", embedding={"model": "model-embedding"}, judge={"model": "model-judge"})
    jobs |= planned_jobs(workflow)
    assert jobs.keys() == STAGES.keys()
    sizes = {**SIZES, "transfer": TRANSFER_SIZE}
    for rule, texts in jobs.items():
        stage = STAGES[rule]
        processes = PROCESSES[stage.training] if stage.training else 1
        for text in texts:
            assert re.search(rf"\bmem_mb={sizes[stage.role] * processes}\b", text), rule
            assert f"python-{stage.environment} " in text, rule
            assert (f"--num_processes {processes} " in text) == (stage.training is not None), rule
            output = re.search(r"^    output: (.+)$", text, re.MULTILINE)
            assert output
            name = stage.output.replace("{set}", r"[\w-]+").replace("{judge}", "model-judge")
            stem, dot, ending = name.rpartition(".") if stage.sharded else ("", "", "")
            expected = rf"{stem}\.[12]-of-2{re.escape(dot)}{ending}" if stage.sharded else name
            assert re.fullmatch(rf"results/telling/(?:\S+/)?{expected}", output[1]), (rule, output[1])


def test_every_stage_is_a_rule(workflow: Workflow) -> None:
    done = workflow.run("--list-rules")
    assert done.returncode == 0, done.stdout
    assert STAGES.keys() <= set(done.stdout.split())


def test_a_key_of_a_batch_size_is_one_of_a_task(workflow: Workflow) -> None:
    defaults = yaml.safe_load((workflow.folder / "config/config.yaml").read_text())["defaults"]
    safety = yaml.safe_load((workflow.folder / "config/tasks/safety.yaml").read_text())
    for stage in STAGES.values():
        assert (stage.batch_size is None) == (stage.training is not None)
        if stage.batch_size:
            part, key = stage.batch_size.split(".")
            assert key in merged(defaults, safety)[part], stage.rule
