"""Compute nodes need no network: the loop on a SLURM of the test's own, in a network namespace without a route."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tests.support.workflows import MICRO, REPOSITORY, Workflow

pytestmark = pytest.mark.models
STARTER = Path(os.environ.get("REVERSEGEN_SLURM", ""))
"""A script that starts SLURM in the folder and on the port that SLURM_LOCAL_DIR and SLURM_LOCAL_PORT name."""
ALONE = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
"""Gives a command its own namespaces: its processes end with it, and it gets its own /etc/slurm, which SLURM reads."""
SCRIPT = """
set -eu
ip link set lo up
ip addr add 192.0.2.2/32 dev lo  # with 127.0.0.1 as the only address, SLURM resolves no name
mkdir -p /etc/slurm
mount -t tmpfs tmpfs /etc/slurm
"$1" start
test -z "$(ip route)"
if python -c "import socket; socket.create_connection(('192.0.2.1', 80), 5)" 2>/dev/null; then exit 9; fi
shift
"$@"
"""


def missing() -> str | None:
    """The reason why the test cannot run here; None if it can."""
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        return "requirements-slurm.txt is not installed"
    if not (REPOSITORY / "slurm/config.yaml").is_file():
        return "there is no slurm/config.yaml"
    if os.getuid() or not all(map(shutil.which, ("slurmctld", "slurmd", "munged", "ip"))) or not STARTER.is_file():
        return "it needs root, SLURM, munge, iproute2, and a script that starts SLURM, which REVERSEGEN_SLURM names"
    tried = subprocess.run([*ALONE, "true"], capture_output=True, text=True, check=False)
    return f"no namespace can be made: {tried.stderr.strip()}" if tried.returncode else None


def test_the_loop_runs_on_nodes_without_a_network(tmp_path: Path, tiny_model: Path) -> None:
    if reason := missing():
        pytest.skip(reason)
    checkout = tmp_path / "run"
    checkout.mkdir()
    for name in ("Snakefile", "config", "envs", "profiles", "resources", "rules", "scripts", "slurm"):
        source = REPOSITORY / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, checkout / name)
    shutil.copytree(tiny_model, checkout / "results/models")
    Workflow(checkout).write_task("micro", MICRO)
    wanted = "results/micro/iter1/eval.json"
    command = [sys.executable, "-m", "snakemake", "--profile", "slurm", "--latency-wait", "20"]
    command += ["--slurm-init-seconds-before-status-checks", "5", wanted]
    with tempfile.TemporaryDirectory(prefix="slurm-") as state:  # short: a socket's path may have 107 characters
        ports = {"SLURM_LOCAL_DIR": state, "SLURM_LOCAL_PORT": "26817"}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {**os.environ, **ports, "PATH": path}
        words = [*ALONE, "bash", "-c", SCRIPT, "offline", str(STARTER.resolve()), *command]
        done = subprocess.run(
            words,
            cwd=checkout,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1800,
        )
        jobs = (Path(state) / "log/jobcomp.txt").read_text()
    assert done.returncode == 0, done.stdout[-5000:]
    assert (checkout / wanted).is_file()
    states = [field for line in jobs.splitlines() for field in line.split() if field.startswith("JobState=")]
    assert len(states) >= 5
    assert set(states) == {"JobState=COMPLETED"}
