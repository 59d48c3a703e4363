"""State of a training that a killed job goes on from: whole or absent, beside the folder that the training makes."""

from __future__ import annotations

import errno
import logging
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list
from transformers import TrainerCallback

from reversegen.core.errors import Interrupted
from reversegen.core.files import own_name, remove_abandoned, sync, sync_folder, write_text

log = logging.getLogger("reversegen")

SECONDS = 1800.0
"""Between two checkpoints: a killed job repeats at most half an hour, and saving 8 billion parameters takes minutes."""


class Checkpoints(TrainerCallback):
    """Saves a trainer's state on a schedule, and on SIGUSR1, which also ends the job.

    The state lies in `<output>.state/`, since Snakemake deletes the declared output of a failed job. A checkpoint is written
    in a folder of the process's own and renamed to `step-N`, so that one that stands is whole, and two writers, as where a
    node that was given up still works, never share a file. `key` names everything that decides the training: the state of
    another is removed.
    """

    def __init__(self, output: Path, key: str) -> None:
        """Remove the state of another training; `own_folder` is the folder that the trainer writes in."""
        self.place = output.with_name(f"{output.name}.state")
        [name] = broadcast_object_list([own_name(self.place / "trainer").name])  # that of the main process for all
        self.own_folder = self.place / str(name)
        self.signalled = False
        self.due = time.monotonic() + SECONDS
        if PartialState().is_main_process:
            file = self.place / "key"
            if not file.is_file() or file.read_text() != key:
                shutil.rmtree(self.place, ignore_errors=True)
                write_text(file, key)
            remove_abandoned(self.place / "trainer")
        PartialState().wait_for_everyone()

    def __enter__(self) -> Checkpoints:
        """Listen to SIGUSR1, which SLURM sends some minutes before it kills."""

        def note(*_: Any) -> None:
            self.signalled = True

        self.before = signal.signal(signal.SIGUSR1, note)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        """Remove the state where the training came to its end."""
        signal.signal(signal.SIGUSR1, self.before)
        if kind is None and PartialState().is_main_process:
            shutil.rmtree(self.place, ignore_errors=True)

    def newest(self) -> str | None:
        """The checkpoint to go on from; None to start at the first step."""
        steps = sorted(map(_step, self.place.glob("step-*")))
        if not steps:
            return None
        log.info("going on after step %d", steps[-1])
        return str(self.place / f"step-{steps[-1]}")

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Ask for a checkpoint where one is due in any of the processes, which must all save together."""
        if state.global_step < state.max_steps:
            control.should_save = _any(self.signalled or time.monotonic() >= self.due, args.device)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Put the checkpoint that the trainer has just written in its place and remove older ones; stop where any was told.

        No process stops before the checkpoint stands: at the end of one, the launcher ends the others.
        """
        PartialState().wait_for_everyone()
        if PartialState().is_main_process:
            self._keep(self.own_folder / f"checkpoint-{state.global_step}", self.place / f"step-{state.global_step}")
        log.info("step %d of %d: checkpoint", state.global_step, state.max_steps)
        self.due = time.monotonic() + SECONDS
        if _any(self.signalled, args.device):
            raise Interrupted(
                f"told to stop at step {state.global_step} of {state.max_steps}; the next start goes on from there"
            )

    def _keep(self, written: Path, place: Path) -> None:
        sync_folder(written)
        try:
            written.replace(place)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            shutil.rmtree(written)  # another writer was here first, with the same state
        sync(self.place)
        for other in self.place.glob("step-*"):
            if _step(other) < _step(place):
                shutil.rmtree(other, ignore_errors=True)


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("step-"))


def _any(flag: bool, device: Any) -> bool:
    """Whether the flag is set in any of the processes that train together."""
    if not torch.distributed.is_initialized():
        return flag
    flags = torch.tensor(int(flag), device=device)
    torch.distributed.all_reduce(flags, op=torch.distributed.ReduceOp.MAX)
    return bool(flags)
