"""Which GPUs a job takes: of those that the machine or SLURM shows it, the ones that no other job has taken."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import subprocess
import tempfile
import time
from itertools import takewhile
from pathlib import Path

from reversegen.core.errors import BadInput
from reversegen.core.files import write_text

log = logging.getLogger("reversegen")
_held: list[int] = []
_taken: list[str] = []


def take_gpus(count: int) -> None:
    """Let this process see `count` GPUs, and none for 0, that no other job of this user has; wait until there are as many.

    A GPU is taken by locking a file of its own, which the kernel frees when the process ends, however that is. Of processes
    that `accelerate launch` started together the first takes for all. Of SLURM's GPUs too, since several jobs may run in one
    allocation. Raises BadInput if fewer are visible.
    """
    if count == 0:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        return
    names = _visible(listed := _listed())
    if len(names) < count:
        raise BadInput(
            f"this job asks for {count} GPU and sees {len(names)}: set `gpu` of the model's size in config/config.yaml"
        )
    folder = Path(tempfile.gettempdir()) / f"reversegen-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    launch_file = folder / f"launch-{_launcher()}"
    if os.environ.get("LOCAL_RANK", "0") != "0":
        while not launch_file.is_file():
            time.sleep(0.1)
        taken = launch_file.read_text().split(",")
    else:
        locks = {name: _lock_name(name, listed) for name in names}
        while len(taken := _lock(folder, locks, count)) < count:
            time.sleep(1)
        if "LOCAL_RANK" in os.environ:
            write_text(launch_file, ",".join(taken))
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(taken)
    _taken[:] = taken
    log.info("GPU %s", ",".join(taken))


def check_gpus() -> None:
    """Raise BadInput if torch sees fewer GPUs than this process took: it would compute on the CPU in silence."""
    import torch  # asked for by jobs of models alone

    if (seen := torch.cuda.device_count()) < len(_taken):
        raise BadInput(
            f"this job took GPU {','.join(_taken)} and torch {torch.__version__} sees {seen} of {len(_taken)}: see whether "
            "`nvidia-smi` lists them and the driver is new enough for this torch, or set `gpu` of the model's size to 0"
        )


def _launcher() -> str:
    """The process that started this one, by its number and its start: numbers come again."""
    start = Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[19]
    return f"{os.getppid()}-{start}"


def _listed() -> list[str]:
    """The UUIDs of the GPUs that this process may use, by number; none if there is no driver."""
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    return re.findall(r"^GPU .*\(UUID: (.+)\)", listed, re.MULTILINE)


def _visible(listed: list[str]) -> list[str]:
    """The GPUs that CUDA_VISIBLE_DEVICES names, as CUDA reads it: up to the first that is no name, as -1; or all, by number."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is None:
        return [str(number) for number in range(len(listed))]
    names = (name.strip() for name in given.split(","))
    return list(dict.fromkeys(takewhile(re.compile(r"\d+$|(GPU|MIG)-").match, names)))


def _lock_name(name: str, listed: list[str]) -> str:
    """The name of a GPU's lock: its UUID, since numbers may count from 0 in each allocation of SLURM."""
    if name.isdecimal() and int(name) < len(listed):
        return listed[int(name)]
    allocation = os.environ.get("SLURM_JOB_ID", "none")
    return next((uuid for uuid in listed if uuid.startswith(name)), f"{allocation}-{name}")


def _lock(folder: Path, locks: dict[str, str], count: int) -> list[str]:
    """Lock `count` free GPUs, or none, so that two jobs that want several do not wait for each other."""
    taken: dict[str, int] = {}
    for name, lock in locks.items():
        file = os.open(folder / lock.replace("/", "-"), os.O_RDWR | os.O_CREAT, 0o600)
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
