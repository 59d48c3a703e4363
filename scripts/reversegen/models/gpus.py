"""The choice of a job's GPUs: those that the machine or SLURM lets it see, and that no other job has taken."""

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
    """Let this process see only `count` GPUs that no other job of this user has. Wait until so many are free.

    A GPU is taken by locking its file, which the kernel unlocks when the process ends, even if it is killed. If `accelerate
    launch` started several processes, the first takes GPUs for all of them. SLURM's GPUs are locked too, because several jobs
    may run in one allocation. Raises BadInput if fewer than `count` are visible.
    """
    if count == 0:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        return
    names = _visible(listed := _listed())
    if len(names) < count:
        raise BadInput(
            f"this job asks for {count} GPU and sees {len(names)}; lower `gpu` of the model's size in config/config.yaml"
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
    """Raise BadInput if torch sees fewer GPUs than this process took. Torch would silently compute on the CPU."""
    import torch  # imported here, because only jobs of models need it

    if (seen := torch.cuda.device_count()) < len(_taken):
        raise BadInput(
            f"this job took GPU {','.join(_taken)}, but torch {torch.__version__} sees {seen} of {len(_taken)}; check that "
            "`nvidia-smi` lists them and that the driver is new enough for this torch, or set `gpu` of the model's size to 0"
        )


def _launcher() -> str:
    """The parent process, by its id and its start time, because ids are used again."""
    start = Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[19]
    return f"{os.getppid()}-{start}"


def _listed() -> list[str]:
    """The UUIDs of the GPUs that this process may use, in the order of their numbers. Empty without a driver."""
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    return re.findall(r"^GPU .*\(UUID: (.+)\)", listed, re.MULTILINE)


def _visible(listed: list[str]) -> list[str]:
    """The GPUs in CUDA_VISIBLE_DEVICES, up to the first invalid name such as -1, as CUDA reads it. All, by number, if unset."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is None:
        return [str(number) for number in range(len(listed))]
    names = (name.strip() for name in given.split(","))
    return list(dict.fromkeys(takewhile(re.compile(r"\d+$|(GPU|MIG)-").match, names)))


def _lock_name(name: str, listed: list[str]) -> str:
    """The name of a GPU's lock: its UUID, because numbers may start from 0 in each allocation of SLURM."""
    if name.isdecimal() and int(name) < len(listed):
        return listed[int(name)]
    allocation = os.environ.get("SLURM_JOB_ID", "none")
    return next((uuid for uuid in listed if uuid.startswith(name)), f"{allocation}-{name}")


def _lock(folder: Path, locks: dict[str, str], count: int) -> list[str]:
    """Lock `count` free GPUs, or none if fewer are free, so that two jobs for several GPUs never wait for each other."""
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
