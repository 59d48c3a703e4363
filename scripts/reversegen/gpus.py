"""Which GPUs of a machine a job takes, where no cluster tells it: those that no other job has."""

from __future__ import annotations

import fcntl
import logging
import os
import subprocess
import tempfile
import time
from pathlib import Path

from reversegen.artefacts import write_text
from reversegen.errors import BadInput

log = logging.getLogger("reversegen")
_held: list[int] = []


def take_gpus(count: int) -> None:
    """Let this process see `count` GPUs that no other job of this user has; wait until there are as many.

    A GPU is taken by locking a file of its own, which the kernel frees when the process ends, however that is. Of processes
    that `accelerate launch` started together the first takes for all. SLURM's choice is left alone. Raises BadInput where the
    machine has fewer.
    """
    if count == 0 or "SLURM_JOB_ID" in os.environ:
        return
    names = _visible()
    if len(names) < count:
        raise BadInput(
            f"this job asks for {count} GPU and sees {len(names)}: set `gpu` of the model's size in config/config.yaml"
        )
    folder = Path(tempfile.gettempdir()) / f"reversegen-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    told = folder / f"launch-{_launcher()}"
    if os.environ.get("LOCAL_RANK", "0") != "0":
        while not told.is_file():
            time.sleep(0.1)
        taken = told.read_text().split(",")
    else:
        while len(taken := _lock(folder, names, count)) < count:
            time.sleep(1)
        if "LOCAL_RANK" in os.environ:
            write_text(told, ",".join(taken))
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(taken)
    log.info("GPU %s", ",".join(taken))


def _launcher() -> str:
    """The process that started this one, by its number and its start: numbers come again."""
    start = Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[19]
    return f"{os.getppid()}-{start}"


def _visible() -> list[str]:
    """The GPUs that CUDA_VISIBLE_DEVICES names, or all, by number."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [name for name in given.split(",") if name.strip()]
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [str(number) for number, _ in enumerate(line for line in listed.splitlines() if line.startswith("GPU "))]


def _lock(folder: Path, names: list[str], count: int) -> list[str]:
    """Lock `count` free GPUs, or none, so that two jobs that want several do not wait for each other."""
    taken: dict[str, int] = {}
    for name in names:
        file = os.open(folder / name.replace("/", "-"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            continue
        taken[name] = file
        if len(taken) == count:
            _held.extend(taken.values())
            return list(taken)
    for file in taken.values():
        os.close(file)
    return []
