"""Two jobs of one machine never take the same GPU, and the GPUs of a killed job are free again."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from reversegen.core.errors import BadInput
from reversegen.models.gpus import take_gpus

SCRIPTS = Path(__file__).parents[2] / "scripts"
TAKE = """
import os, sys
from reversegen.models.gpus import take_gpus
take_gpus(int(sys.argv[1]))
print(os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
sys.stdin.read()
"""


class Machine:
    """Jobs that take GPUs 2, 3 and 5, each a process of its own."""

    def __init__(self, folder: Path, processes: ExitStack) -> None:
        self.folder, self.processes = folder, processes

    def start(self, count: int, **more: str) -> subprocess.Popen[str]:
        own = {"PYTHONPATH": str(SCRIPTS), "TMPDIR": str(self.folder), "CUDA_VISIBLE_DEVICES": "2,3,5"}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM")}
        process = subprocess.Popen(
            [sys.executable, "-c", TAKE, str(count)],
            env={**environment, **own, **more},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.processes.enter_context(process)
        self.processes.callback(process.kill)
        return process


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with ExitStack() as processes:
        yield Machine(tmp_path, processes)


def taken(job: subprocess.Popen[str]) -> list[str]:
    assert job.stdout is not None
    return job.stdout.readline().strip().split(",")


def test_jobs_take_gpus_that_no_other_has_and_wait_for_a_killed_one(machine: Machine) -> None:
    one, two = (taken(machine.start(1)), machine.start(1))
    assert sorted([*one, *taken(two)]) == ["2", "3"]
    both = machine.start(2)  # one GPU is free, but the job takes none until two are free
    third = machine.start(1)
    assert taken(third) == ["5"]
    third.kill()
    two.kill()
    assert len(set(taken(both)) - set(one)) == 2


def test_jobs_in_one_allocation_of_slurm_share_what_it_has_and_another_has_its_own(machine: Machine) -> None:
    one, two = (taken(machine.start(1, SLURM_JOB_ID="7")) for _ in range(2))
    assert sorted([*one, *two]) == ["2", "3"]
    assert taken(machine.start(3, SLURM_JOB_ID="8")) == ["2", "3", "5"]  # numbers may start from 0 in each allocation


def test_a_gpu_is_one_by_its_number_and_by_its_uuid_in_any_allocation(machine: Machine, tmp_path: Path) -> None:
    driver = tmp_path / "bin/nvidia-smi"
    driver.parent.mkdir()
    lines = ["GPU 0: NVIDIA H100 (UUID: GPU-0a)", "GPU 1: NVIDIA H100 (UUID: GPU-1b)"]
    driver.write_text("\n".join(["#!/bin/sh", *(f"echo '{line}'" for line in lines)]))
    driver.chmod(0o755)
    more = {"PATH": f"{driver.parent}:{os.environ['PATH']}"}
    assert taken(machine.start(1, CUDA_VISIBLE_DEVICES="1", SLURM_JOB_ID="7", **more)) == ["1"]
    assert taken(machine.start(1, CUDA_VISIBLE_DEVICES="GPU-1,GPU-0a", **more)) == ["GPU-0a"]


def test_processes_that_are_launched_together_see_the_same_gpus(machine: Machine) -> None:
    other = taken(machine.start(1))
    second, first = machine.start(2, LOCAL_RANK="1"), machine.start(2, LOCAL_RANK="0")
    assert taken(first) == taken(second) == sorted({"2", "3", "5"} - set(other))


def test_a_job_without_gpus_takes_and_sees_none(machine: Machine) -> None:
    assert taken(machine.start(0)) == [""]
    assert taken(machine.start(0, SLURM_JOB_ID="7")) == [""]
    assert taken(machine.start(3)) == ["2", "3", "5"]


def test_names_of_gpus_are_read_as_cuda_does(machine: Machine) -> None:
    assert taken(machine.start(1, CUDA_VISIBLE_DEVICES="1")) == ["1"]
    assert taken(machine.start(1, CUDA_VISIBLE_DEVICES=" 1, 4")) == ["4"]


@pytest.mark.slow
def test_a_job_whose_torch_sees_no_gpu_ends_in_one_line(machine: Machine) -> None:
    load = f"{TAKE}\nfrom reversegen.models.loading import load_model\nload_model(None, None, 1)"
    own = {"PYTHONPATH": str(SCRIPTS), "TMPDIR": str(machine.folder), "CUDA_VISIBLE_DEVICES": "98"}
    environment = {**os.environ, **own}
    done = subprocess.run([sys.executable, "-c", load, "1"], env=environment, input="", capture_output=True, text=True)
    assert re.search(r"BadInput: this job took GPU 98, but torch \S+ sees 0 of 1; ", done.stderr), done.stderr


@pytest.mark.parametrize("visible", ["", "0", "-1", "0,-1,1", "NoDevFiles", "0, 0"])
def test_a_machine_with_too_few_is_refused(monkeypatch: pytest.MonkeyPatch, visible: str) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with pytest.raises(BadInput, match=rf"asks for 2 GPU and sees {int('0' in visible)}; lower `gpu`"):
        take_gpus(2)
