"""The doctor asks SLURM whether it would start the jobs of a task."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.doctor import configuration, states, write_command
from tests.support.workflows import Workflow

from reversegen.config.load import read_yaml
from reversegen.operations.doctor.cluster import check_slurm, job_requests, slurm_minutes, try_partition
from reversegen.operations.doctor.finding import Finding, ask
from reversegen.operations.doctor.profile import check_overrides
from reversegen.operations.slurm_profile import JobRequest, Keys, Partition, read_profile


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Commands of a SLURM that answer as version 22.05 does; a test may replace them."""
    place = tmp_path / "bin"
    place.mkdir()
    commands = {
        "sinfo": 'printf "cpu|1-00:00:00\\ngpu|2:00:00\\nbig|infinite\\n"',
        "sbatch": 'case "$*" in *"-p nope"*) echo "sbatch: error: invalid partition specified: nope" >&2; exit 1;; esac',
        "sacct": 'echo "Slurm accounting storage is disabled" >&2; exit 1',
        "squeue": "true",
        "scontrol": 'echo "MinJobAge               = 300 sec"',
    }
    for name, body in commands.items():
        write_command(place, name, body)
    monkeypatch.setenv("PATH", f"{place}:/usr/bin:/bin")
    return place


def slurm_findings(workflow: Workflow, keys: dict[str, Any], partitions: dict[str, Any] | None = None) -> list[Finding]:
    folder, places = workflow.folder / "slurm", workflow.folder / "config"
    folder.mkdir(exist_ok=True)
    if partitions is not None:
        (folder / "partitions.yaml").write_text(yaml.safe_dump({"partitions": partitions}))
        keys = keys | {"slurm-partition-config": "partitions.yaml"}
    (folder / "config.yaml").write_text(yaml.safe_dump(keys))
    profile, content = read_profile(folder), read_yaml(places / "config.yaml")
    found, changed = check_overrides(content, configuration(workflow), profile, places)
    return [*found, *check_slurm("math", changed, profile)]


@pytest.mark.parametrize(
    ("given", "flag"), [(["gres=gpu:a100"], "--gres=gpu:a100:1"), ("gres=gpu", "--gres=gpu:1"), ({}, "--gpus=1")]
)
def test_gpus_are_requested_as_the_profile_states(
    workflow: Workflow, cluster: Path, given: dict[str, str] | list[str] | str, flag: str
) -> None:
    log = cluster / "asked"
    write_command(cluster, "sbatch", f'echo "$*" >>{log}')
    slurm_findings(workflow, SQUEUE | {"config": given}, {"big": {"max_gpu": 8}})
    assert [word for word in log.read_text().split() if word.startswith("--g")] == [flag]


SQUEUE = {"slurm-status-command": "squeue"}


def test_each_request_is_tried_on_the_partitions_that_take_it(workflow: Workflow, cluster: Path) -> None:
    log = cluster / "asked"
    write_command(cluster, "sbatch", f'echo "$*" >>{log}')
    profile = SQUEUE | {"default-resources": {"slurm_account": "lab", "slurm_extra": "'--signal=USR1@300'"}}
    limits = {"cpu": {"max_runtime": 1440}, "big": {"max_runtime": 2880, "max_gpu": 8, "max_mem_mb": 500000}}
    found = slurm_findings(workflow, profile, limits)
    assert states(found) == [("job status", "ok"), *[("partitions", "ok")] * 5]
    asked = log.read_text().splitlines()
    shared = "-A lab --signal=USR1@300 --wrap true"
    assert asked == [
        f"--test-only --mem 2000 --cpus-per-task=1 -t 60 -p big {shared}",
        f"--test-only --mem 2000 --cpus-per-task=1 -t 60 -p cpu {shared}",
        f"--test-only --mem 96000 --cpus-per-task=8 -t 1440 -p big --gpus=1 {shared}",
        f"--test-only --mem 4000 --cpus-per-task=4 -t 240 -p big {shared}",
        f"--test-only --mem 4000 --cpus-per-task=4 -t 240 -p cpu {shared}",
    ]


def test_the_processes_of_a_launcher_are_requested(workflow: Workflow, cluster: Path) -> None:
    changes = {"preference": {"training": {"launcher": {"config": "fsdp", "processes": 4}}, "lora": None}}
    workflow.write_task("full", changes, base="math")
    asked = job_requests("full", configuration(workflow))
    assert asked == {
        JobRequest(1, 2000, 60, 0): "light stages",
        JobRequest(8, 96000, 1440, 1): "train_warmup",
        JobRequest(32, 384000, 1440, 4): "train_proposer",
        JobRequest(4, 4000, 240, 0): "embed_instructions",
    }


def test_a_job_that_is_longer_than_its_partitions_limit_is_found(workflow: Workflow, cluster: Path) -> None:
    """SLURM accepts such a job, which then waits for ever."""
    found = slurm_findings(workflow, SQUEUE, {"gpu": {"max_gpu": 2}})
    assert ("time limits", "stops") in states(found)
    assert any("the limit of the partition is 120 minutes" in finding.text for finding in found)


def test_a_partition_that_slurm_does_not_know_is_found(workflow: Workflow, cluster: Path) -> None:
    found = slurm_findings(workflow, SQUEUE | {"default-resources": ["slurm_partition=nope"]})
    assert states(found)[1:] == [("partitions", "stops")] * 3
    assert "invalid partition specified: nope" in found[1].text


def test_a_request_that_no_partition_takes_is_found(workflow: Workflow, cluster: Path) -> None:
    found = slurm_findings(workflow, SQUEUE, {"cpu": {}, "small": {"max_gpu": 8, "max_mem_mb": 64000}})
    assert [(f.state, "no partition takes" in f.text) for f in found if "train" in f.text] == [("stops", True)]


def test_a_status_command_that_does_not_work_is_found(workflow: Workflow, cluster: Path) -> None:
    status = slurm_findings(workflow, {})[0]
    assert (status.subject, status.state) == ("job status", "stops")
    assert "accounting storage is disabled" in status.text
    assert status.fix == "set slurm-status-command: squeue in the profile"
    write_command(cluster, "scontrol", 'echo "MinJobAge               = 60 sec"')
    status = slurm_findings(workflow, SQUEUE)[0]
    assert (status.state, "forgets finished jobs after 60 s" in status.text) == ("stops", True)
    assert slurm_findings(workflow, SQUEUE | {"slurm-init-seconds-before-status-checks": 8})[0].state == "ok"


def test_a_controller_that_does_not_answer_is_not_waited_for(
    workflow: Workflow, cluster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_command(cluster, "sinfo", "exec sleep 60")
    monkeypatch.setattr("reversegen.operations.doctor.finding.PATIENCE", 0.5)
    start = time.monotonic()
    [finding] = slurm_findings(workflow, SQUEUE)
    assert time.monotonic() - start < 10
    assert (finding.state, finding.text) == ("stops", "sinfo: no answer within 0 s")


def test_a_machine_without_slurm_is_found(workflow: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    [finding] = slurm_findings(workflow, SQUEUE)
    assert (finding.state, finding.text) == ("stops", "sinfo: sinfo is not installed here")


@pytest.mark.parametrize(
    ("limit", "minutes"),
    [("1-00:00:00", 1440), ("2:30:00", 150), ("30:00", 30), ("10-12:30:59", 15150), ("infinite", None), ("n/a", None)],
)
def test_time_limits_are_read_as_slurm_writes_them(limit: str, minutes: int | None) -> None:
    assert slurm_minutes(limit) == minutes


def test_a_real_slurm_is_asked(workflow: Workflow) -> None:
    if not shutil.which("sinfo") or ask(["sinfo", "-h"]).returncode:
        pytest.skip("no SLURM answers here")
    partitions = ask(["sinfo", "-h", "-o", "%R"]).stdout.split()
    request = JobRequest(1, 1000, 10, 0)
    limits = dict.fromkeys(partitions, "infinite")
    keys = Keys.model_validate(SQUEUE)
    for name, state in {partitions[0]: "ok", "no-such-partition": "stops"}.items():
        assert try_partition(Partition(name, None), request, "light stages", limits, keys, None).state == state
