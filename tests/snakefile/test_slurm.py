"""`snakemake --profile slurm TARGET` on a real SLURM: what jobs ask for, the same bytes after faults, no key in any file.

Skips without a SLURM that has the partitions cpu and gpu, and without the plug-in.
All faults: tests/benchmarks/slurm_faults.py.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from tests.benchmarks.slurm_faults import FAULTS, PROFILE, SAMPLING, TRAINING, inflict, slurm
from tests.support.workflows import MICRO, REPOSITORY, Workflow, merged

pytestmark = pytest.mark.models
NEEDED = ("Snakefile", "config", "envs", "resources", "profiles", "rules", "scripts", "slurm")


def missing() -> str | None:
    """The reason why these tests cannot run here; None if they can."""
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        return "requirements-slurm.txt is not installed"
    if shutil.which("sbatch") is None:
        return "SLURM is not installed"
    try:
        partitions = slurm("sinfo", "-h", "-o", "%R %G")
    except (subprocess.SubprocessError, OSError) as error:
        return f"SLURM does not answer: {error}"
    if not any(line.startswith("gpu gpu:") for line in partitions.splitlines()) or "cpu " not in partitions:
        return f"SLURM must have the partitions cpu and gpu, the second with GPUs; it has {partitions!r}"
    return None


@pytest.fixture(scope="module", autouse=True)
def cluster() -> None:
    if reason := missing():
        pytest.skip(reason)


def checkout(folder: Path, tiny_model: Path) -> Workflow:
    """A copy of the repository, in which the command is the user's, with the tiny model trained already."""
    for name in NEEDED:
        source = REPOSITORY / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        folder.mkdir(exist_ok=True)
        copy(source, folder / name)
    shutil.copytree(tiny_model, folder / "results/models")
    workflow = Workflow(folder)
    slow = {"preference": {"min_steps": 240}, "sampling": {"batch_size": 40}}  # so that a fault comes in its middle
    workflow.write_task("micro", merged(MICRO, slow))
    return workflow


def run(workflow: Workflow, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "snakemake", *words]
    return subprocess.run(
        command,
        cwd=workflow.folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """An undisturbed local run up to the stages on which faults are tried."""
    workflow = checkout(tmp_path_factory.mktemp("finished") / "run", tiny_model)
    done = run(workflow, "--cores", "2", SAMPLING)
    assert done.returncode == 0, done.stdout
    return workflow.folder


CHEAP = ("USR1 to training", "kill -9 of Snakemake, two writers of a file")
"""A requeued job waits two minutes in SLURM's queue; the benchmark tries that and the others."""


@pytest.mark.parametrize("fault", CHEAP)
def test_a_fault_ends_in_the_bytes_of_an_undisturbed_local_run(finished: Path, tmp_path: Path, fault: str) -> None:
    assert FAULTS[fault][0] in (SAMPLING, TRAINING)
    print(inflict(finished, fault, tmp_path / "run"))


def queued(folder: Path) -> list[list[str]]:
    """Partition, GPUs, minutes, memory and job id of every job that was sent from a folder."""
    lines = slurm(
        "squeue", "-h", "--states=all", "-O", "Partition:|,tres-per-job:|,tres-per-node:|,WorkDir:500|,JobID:"
    )
    rows = [[cell.strip() for cell in line.split("|")] for line in lines.splitlines()]
    return [row for row in rows if Path(row[3]) == folder.resolve()]


@pytest.mark.parametrize(("setting", "asked"), [([], ["gres:gpu:1", "N/A"]), (["gres=gpu"], ["N/A", "gres:gpu:1"])])
def test_a_job_of_a_model_on_a_gpu_gets_one_and_light_ones_get_none(
    finished: Path, tmp_path: Path, setting: list[str], asked: list[str]
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    path = folder / "config/config.yaml"
    text = path.read_text()
    path.write_text(text.replace("runtime: 30, gpu: 0,", "runtime: 30, gpu: 1,"))
    assert path.read_text() != text
    shutil.rmtree(folder / "results/micro/contamination")
    shutil.rmtree(folder / TRAINING)
    config = ["--config", *setting] if setting else []
    done = run(Workflow(folder), *PROFILE, "--retries", "0", TRAINING, *config)
    assert done.returncode == 1  # this cluster only pretends to have GPUs
    assert re.search(r"this job took GPU \d, but torch \S+ sees 0 of 1", done.stdout)
    jobs = {row[0]: row[1:3] for row in queued(folder)}
    assert jobs == {"gpu": asked, "cpu": ["N/A", "N/A"]}


KEY = "sk-canary-6f1c2b9d7e"


class Endpoint(BaseHTTPRequestHandler):
    """Answers any question with 7 and remembers the keys that it was shown."""

    keys: list[str]

    def do_POST(self) -> None:
        self.keys.append(self.headers["Authorization"])
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        message = {"role": "assistant", "content": "7"}
        choices = [{"index": n, "finish_reason": "stop", "message": message} for n in range(body.get("n") or 1)]
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        answer = json.dumps(
            {"id": "a", "object": "chat.completion", "created": 0, "model": "m", "choices": choices, "usage": usage}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def endpoint() -> Iterator[tuple[str, list[str]]]:
    keys: list[str] = []
    with HTTPServer(("127.0.0.1", 0), type("Own", (Endpoint,), {"keys": keys})) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1", keys
        server.shutdown()
        thread.join()


def test_a_key_reaches_its_endpoint_and_no_file_log_job_script_or_report(
    tmp_path: Path, tiny_model: Path, endpoint: tuple[str, list[str]]
) -> None:
    url, keys = endpoint
    workflow = checkout(tmp_path / "run", tiny_model)
    of = {"base_url": url, "model": "m", "api_key_env": "REVERSEGEN_CANARY"}
    workflow.change_models({"api": {"endpoint": of, "size": "tiny"}})
    seeds = yaml.safe_load((REPOSITORY / "config/tasks/tiny-math.yaml").read_text())["data"]["seeds"]
    seeds["arithmetic"]["corpus"]["count"] = 60
    data, replies = {**MICRO["data"], "seeds": seeds}, {"max_unreadable_share": 1.0}  # they have no final answer
    workflow.write_task("keys", {**MICRO, "teacher": "api", "data": data, "references": replies})
    wanted = ["results/keys/enhanced/seed_references.jsonl"]
    logs = [
        "--slurm-keep-successful-logs",
        "--printshellcmds",
    ]  # --verbose has the plug-in print each job's environment
    done = run(workflow, *PROFILE, *logs, "--", *wanted, REVERSEGEN_CANARY=KEY)
    assert done.returncode == 0, done.stdout
    assert set(keys) == {f"Bearer {KEY}"}
    report = run(workflow, "--report", "report.zip", *wanted, REVERSEGEN_CANARY=KEY)
    assert report.returncode == 0, report.stdout
    shutil.unpack_archive(workflow.folder / "report.zip", workflow.folder / "report")
    scripts = [slurm("scontrol", "write", "batch_script", row[-1], "-") for row in queued(workflow.folder)]
    assert len(scripts) >= 2
    assert all("snakemake" in script for script in scripts)
    files = [path for path in workflow.folder.rglob("*") if path.is_file()]
    assert any("slurm_logs" in path.parts for path in files)
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []
    assert KEY not in "".join([*scripts, done.stdout, report.stdout])
