"""Checkpoints: the state that a killed training resumes from. It lies beside the training's output, complete or not at all."""

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
from reversegen.core.used_resources import WorkSeconds

log = logging.getLogger("reversegen")

SECONDS = 1800.0
"""Time between two checkpoints. A killed job repeats at most half an hour; saving 8 billion parameters takes minutes."""

SECONDS_FILE = "work_seconds"
"""The file in a checkpoint with the seconds of training that led to it."""


class Checkpoints(TrainerCallback):
    """A callback that saves a trainer's state on a schedule, and on SIGUSR1, which also ends the job.

    The state lies in `<output>.state/`, since Snakemake deletes the declared output of a failed job. The trainer writes each
    checkpoint in a folder of its own, which is then renamed to `step-N`. So every `step-N` is complete, and two writers never
    share a file; there are two writers if a node that counts as lost is still working. `key` holds everything that decides the
    training. State with another key is removed.
    """

    def __init__(self, output: Path, key: str) -> None:
        """Remove the state of any other training. `own_folder` is the folder that the trainer writes in."""
        self.place = output.with_name(f"{output.name}.state")
        # all processes use the name of the main process
        [name] = broadcast_object_list([own_name(self.place / "trainer").name])
        self.own_folder = self.place / str(name)
        self.signalled = False
        self.worked = WorkSeconds()
        self.due = time.monotonic() + SECONDS
        if PartialState().is_main_process:
            file = self.place / "key"
            if not file.is_file() or file.read_text() != key:
                shutil.rmtree(self.place, ignore_errors=True)
                write_text(file, key)
            remove_abandoned(self.place / "trainer")
        PartialState().wait_for_everyone()

    def __enter__(self) -> Checkpoints:
        """Listen for SIGUSR1, which SLURM sends a few minutes before it kills the job."""

        def note(*_: Any) -> None:
            self.signalled = True

        self.before = signal.signal(signal.SIGUSR1, note)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        """Remove the state if the training has ended without an error."""
        signal.signal(signal.SIGUSR1, self.before)
        if kind is None and PartialState().is_main_process:
            shutil.rmtree(self.place, ignore_errors=True)

    def newest(self) -> str | None:
        """The folder of the checkpoint to resume from; None to start at the first step."""
        steps = sorted(map(_step, self.place.glob("step-*")))
        if not steps:
            return None
        log.info("resuming after step %d", steps[-1])
        newest = self.place / f"step-{steps[-1]}"
        self.worked = WorkSeconds(newest / SECONDS_FILE)
        return str(newest)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Request a checkpoint if one is due in any process. All processes must save together."""
        if state.global_step < state.max_steps:
            control.should_save = _any(self.signalled or time.monotonic() >= self.due, args.device)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Move the checkpoint that the trainer has just written to its place, and remove older ones.

        Raises Interrupted if any process got the signal. No process ends before the checkpoint is in its place, since the
        launcher ends all processes as soon as one has ended.
        """
        PartialState().wait_for_everyone()
        if PartialState().is_main_process:
            self._keep(self.own_folder / f"checkpoint-{state.global_step}", self.place / f"step-{state.global_step}")
        log.info("step %d of %d: checkpoint", state.global_step, state.max_steps)
        self.due = time.monotonic() + SECONDS
        if _any(self.signalled, args.device):
            raise Interrupted(
                f"stopped by SIGUSR1 at step {state.global_step} of {state.max_steps}; start it again to resume from there"
            )

    def _keep(self, written: Path, place: Path) -> None:
        self.worked.keep(written / SECONDS_FILE)
        sync_folder(written)
        try:
            written.replace(place)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            shutil.rmtree(written)  # another writer has already put the same state there
        sync(self.place)
        for checkpoint in self.place.glob("step-*"):
            if _step(checkpoint) < _step(place):
                shutil.rmtree(checkpoint, ignore_errors=True)


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("step-"))


def _any(flag: bool, device: Any) -> bool:
    """Whether the flag is set in any of the processes that train together."""
    if not torch.distributed.is_initialized():
        return flag
    flags = torch.tensor(int(flag), device=device)
    torch.distributed.all_reduce(flags, op=torch.distributed.ReduceOp.MAX)
    return bool(flags)
