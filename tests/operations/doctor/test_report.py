"""The doctor's command shows what would stop a run and how to fix it; a service that does not answer does not delay it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest
from tests.support.forked_stages import ForkedStages
from tests.support.markdown_tables import joined, too_wide
from tests.support.workflows import REPOSITORY, Workflow

from reversegen.operations.doctor.report import STATES

Examine = Callable[..., subprocess.CompletedProcess[str]]
OFFLINE = {**os.environ, "HF_HUB_OFFLINE": "1"}


@pytest.fixture(scope="module")
def doctor() -> Iterator[ForkedStages]:
    forked = ForkedStages(["run_doctor"], OFFLINE)
    yield forked
    forked.close()


@pytest.fixture
def examine(workflow: Workflow, doctor: ForkedStages) -> Examine:
    """Runs the doctor's command in the folder of a workflow."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return doctor.run([str(REPOSITORY / "scripts/run_doctor.py"), *words], OFFLINE | environment, workflow.folder)

    return run


@pytest.mark.parametrize(("task", "status"), [("tiny-math", 0), ("honesty", 1)])
def test_the_command_prints_its_findings_and_its_status_is_1_if_a_run_would_stop(
    workflow: Workflow, examine: Examine, task: str, status: int
) -> None:
    start = time.monotonic()
    done = examine(f"--task={task}", "--profile=null", OPENAI_API_KEY="")
    assert done.returncode == status, done.stdout + done.stderr
    assert time.monotonic() - start < 60
    assert done.stderr == ""
    assert too_wide(done.stdout.replace(str(workflow.folder), "")) == []
    findings, _, end = done.stdout.rstrip().rpartition("\n\n")
    states = [line.split()[0] for line in findings.splitlines() if not line.startswith(" ")]
    assert states == sorted(states, key=STATES.index), "the worst is shown last"
    assert ("stops" in states) == bool(status)
    number = states.count("stops")
    assert end.startswith(f"{number} findings would stop a run of {task}." if number else "Nothing would stop a run")
    assert not list(workflow.folder.glob("results/.doctor*"))
    if status:
        text = joined(done.stdout)
        assert "the environment variable OPENAI_API_KEY holds no key" in text
        assert "HF_HUB_OFFLINE is set: access was not tried" in text
        assert "config/lock.yaml has no commit of cais/mmlu, lmsys/vicuna-7b-v1.5, meta-llama/Llama-2-7b-hf" in text


def test_no_key_is_shown(examine: Examine) -> None:
    done = examine("--task=honesty", "--profile=null", OPENAI_API_KEY="sk-canary")
    assert "OPENAI_API_KEY is set" in done.stdout
    assert "canary" not in done.stdout + done.stderr


@pytest.mark.parametrize("content", [b"defaults: [", b"- defaults", b"\xff", b"gres: gpu\ngres: gpu\n", b""])
def test_a_configuration_that_cannot_be_read_is_refused_in_one_line(
    workflow: Workflow, examine: Examine, content: bytes
) -> None:
    (workflow.folder / "config/config.yaml").write_bytes(content)
    done = examine("--task=tiny-math", "--profile=null")
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("run_doctor: error: config/config.yaml: ")
