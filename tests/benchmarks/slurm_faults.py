"""Faults on a real SLURM, and whether each ends in the bytes of an undisturbed run.

python -m tests.benchmarks.slurm_faults FINISHED [FAULT ...]

FINISHED is a copy of this repository with a task `micro`, in which a local run made `results/micro/iter1/samples.jsonl`. For
each fault, the benchmark starts one stage by `snakemake --profile slurm`, disturbs it, resumes it by the same command, and
prints a line. It needs SLURM's daemons on this machine, and root to kill them. tests/snakefile/test_slurm.py runs the cheap
faults.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import psutil

PROFILE = ["--profile", "slurm", "--latency-wait", "15", "--slurm-init-seconds-before-status-checks", "3"]
SAMPLING = "results/micro/iter1/samples.jsonl"
TRAINING = "results/micro/iter1/proposer"
WAIT = 900.0
"""Seconds after which an expected event counts as failed."""


def until(happened: Callable[[], object], what: str, seconds: float = WAIT) -> None:
    """Wait until a condition holds. Raises TimeoutError with the description `what` if it never does."""
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.05)


def slurm(*words: str) -> str:
    """The output of one of SLURM's commands, which must answer within half a minute."""
    return subprocess.run(words, capture_output=True, text=True, timeout=30, check=True).stdout.strip()


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of all files of the results except logs and benchmarks."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "results").rglob("*"))
        if path.is_file() and not {"logs", "benchmarks"} & set(path.parts)
    }


@dataclass
class Stage:
    """One stage of a finished run, which SLURM makes again."""

    folder: Path
    output: str
    more: list[str] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def of(cls, finished: Path, output: str, folder: Path, *more: str) -> Stage:
        """A copy of a finished run without one output, and the undisturbed run's output for comparison."""
        shutil.copytree(finished, folder, symlinks=True)
        made = folder / output
        shutil.rmtree(made) if made.is_dir() else made.unlink()
        return cls(folder, output, [*more])

    @property
    def command(self) -> list[str]:
        """The command that a user types."""
        return [*self.snakemake, "--", self.output]

    @property
    def snakemake(self) -> list[str]:
        """The command without its targets."""
        return [sys.executable, "-m", "snakemake", *PROFILE, *self.more]

    def start(self) -> None:
        """Start Snakemake and wait until the stage's own process is at work."""
        with (self.folder / "out").open("ab") as out:
            self.process = subprocess.Popen(self.command, cwd=self.folder, stdout=out, stderr=out)
        until(self.under_way, f"{self.output} is under way")

    def under_way(self) -> bool:
        """Whether the stage has done part of its work: two batches, or ten steps."""
        if self.process is None or self.process.poll() is not None:
            raise RuntimeError(f"Snakemake ended early:\n{self.said()[-3000:]}")
        parts = self.folder / f"{self.output}.parts"
        return len(list(parts.glob("*/*.jsonl"))) >= 2 or "step 10 of" in self.log

    @property
    def log(self) -> str:
        """The log of the stage."""
        name = "train_proposer" if self.output == TRAINING else "sample_instructions"
        path = self.folder / f"results/micro/logs/iter1/{name}.log"
        return path.read_text() if path.exists() and path.stat().st_mtime > self.began else ""

    @property
    def began(self) -> float:
        """The time at which this copy was made."""
        return (self.folder / "config").stat().st_ctime

    def said(self) -> str:
        """All output of Snakemake."""
        return (self.folder / "out").read_text()

    def workers(self) -> list[psutil.Process]:
        """The stage's own processes, wherever SLURM started them on this machine."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                words = process.cmdline()
                script = len(words) > 1 and words[1].endswith(("train_proposer.py", "sample_instructions.py"))
                if script and Path(process.cwd()) == self.folder.resolve():
                    found.append(process)
        return found

    def jobs(self) -> list[str]:
        """Ids of this folder's jobs that have not ended."""
        lines = [line.split("|") for line in slurm("squeue", "-h", "-o", "%A|%Z").splitlines()]
        return [job for job, folder in lines if Path(folder) == self.folder.resolve()]

    def wait(self, status: int | None = 0) -> None:
        """Wait until Snakemake ends, with this status if one is given."""
        assert self.process is not None
        until(lambda: self.process.poll() is not None, f"the end of {self.output}", 2 * WAIT)  # type: ignore[union-attr]
        if status is not None and self.process.returncode != status:
            raise RuntimeError(f"status {self.process.returncode}, not {status}:\n{self.said()[-3000:]}")

    def kill(self) -> None:
        """Kill Snakemake with SIGKILL, but not its SLURM jobs."""
        assert self.process is not None
        for process in [*psutil.Process(self.process.pid).children(recursive=True), self.process]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()

    def again(self) -> None:
        """Run the same command once more, to its end. A killed Snakemake leaves a lock, which is removed first."""
        subprocess.run([*self.snakemake, "--unlock"], cwd=self.folder, check=True, capture_output=True)
        done = subprocess.run(self.command, cwd=self.folder, capture_output=True, text=True, timeout=3 * WAIT)
        if done.returncode:
            raise RuntimeError(f"{done.stdout[-2000:]}\n{done.stderr[-3000:]}")


def _worker_killed(stage: Stage) -> str:
    stage.workers()[0].kill()
    stage.wait()
    return "retried by Snakemake"


def _job_cancelled(stage: Stage) -> str:
    slurm("scancel", *stage.jobs())
    stage.wait()
    return "retried by Snakemake"


def _signalled(stage: Stage) -> str:
    slurm("scancel", "--signal=USR1", *stage.jobs())  # like --signal=USR1@300
    until(lambda: list((stage.folder / f"{TRAINING}.state").glob("step-*")), "a checkpoint")
    stage.wait()
    return "saved and stopped; retried, " + next(
        line[9:] for line in stage.log.splitlines() if "resuming after" in line
    )


def _requeued(stage: Stage) -> str:
    slurm("scontrol", "requeue", *stage.jobs())
    stage.wait()
    return "started again by SLURM under the same id"


def _node_down(stage: Stage) -> str:
    [job] = stage.jobs()
    node = slurm("squeue", "-h", "-j", job, "-o", "%N")
    slurm("scontrol", "update", f"nodename={node}", "state=down", "reason=fault")
    try:
        stage.wait()
    finally:
        with suppress(subprocess.CalledProcessError):  # the node came back by itself
            slurm("scontrol", "update", f"nodename={node}", "state=resume")
    return f"{node} was lost: started again by SLURM"


def _daemon(name: str) -> psutil.Process:
    [found] = [p for p in psutil.process_iter() if p.name() == name.split()[0] and name in " ".join(p.cmdline())]
    return found


def _slurmd_killed(stage: Stage) -> str:
    [job] = stage.jobs()
    daemon = _daemon(f"slurmd -N {slurm('squeue', '-h', '-j', job, '-o', '%N')}")
    return _restarted(stage, daemon, "the job went on without it")


def _slurmctld_killed(stage: Stage) -> str:
    return _restarted(stage, _daemon("slurmctld"), "Snakemake asked until it was back")


def _restarted(stage: Stage, daemon: psutil.Process, what: str) -> str:
    command = daemon.cmdline()
    daemon.kill()
    time.sleep(5)
    subprocess.run(command, check=True, timeout=30)
    stage.wait()
    return f"started again after 5 s; {what}"


def _step_daemon_killed(stage: Stage) -> str:
    chain = [p for w in stage.workers() for p in w.parents() if p.name() == "slurmstepd"]
    for process in chain:
        process.kill()
    stage.wait()
    return "the job failed; retried by Snakemake"


def _snakemake_killed(stage: Stage) -> str:
    stage.kill()
    until(lambda: not stage.jobs(), "the end of the job")
    stage.again()
    return "the job ended by itself; the same command found it done"


def _snakemake_killed_two_writers(stage: Stage) -> str:
    stage.kill()
    if not stage.jobs():
        raise RuntimeError("the first job has ended: no two writers")
    stage.again()
    until(lambda: not stage.jobs(), "the end of the first job")
    return "the same command at once: two jobs wrote it"


def _interrupted(stage: Stage) -> str:
    assert stage.process is not None
    stage.process.send_signal(signal.SIGINT)
    stage.wait(1)
    until(lambda: not stage.jobs(), "the end of the job")
    stage.again()
    return "jobs cancelled; the same command went on"


def _terminated(stage: Stage) -> str:
    assert stage.process is not None
    stage.process.send_signal(signal.SIGTERM)
    stage.wait(None)
    stage.again()
    return "it waited for the job; the same command found it done"


def _time_limit(stage: Stage) -> str:
    stage.wait()
    if "stopped by SIGUSR1" not in stage.said() + stage.log and "resuming after" not in stage.log:
        raise RuntimeError("the time limit was never near")
    return "saved and stopped before the limit, as often as it took; retried"


LIMIT = [
    "--set-resources",
    "train_proposer:runtime=1",
    "train_proposer:slurm_extra='--signal=USR1@50'",
    "--retries",
    "9",
]
"""SLURM's shortest limit is a minute. The signal may come up to a minute early, so ten seconds into the job at the soonest."""

FAULTS: dict[str, tuple[str, Callable[[Stage], str], list[str]]] = {
    "kill -9 of the sampling process": (SAMPLING, _worker_killed, []),
    "kill -9 of the training process": (TRAINING, _worker_killed, []),
    "scancel of sampling": (SAMPLING, _job_cancelled, []),
    "scancel of training": (TRAINING, _job_cancelled, []),
    "USR1 to training": (TRAINING, _signalled, []),
    "time limit of training": (TRAINING, _time_limit, LIMIT),
    "requeue of sampling": (SAMPLING, _requeued, []),
    "requeue of training": (TRAINING, _requeued, []),
    "node down": (SAMPLING, _node_down, []),
    "kill -9 of slurmd": (SAMPLING, _slurmd_killed, []),
    "kill -9 of slurmctld": (SAMPLING, _slurmctld_killed, []),
    "kill -9 of slurmstepd": (SAMPLING, _step_daemon_killed, []),
    "kill -9 of Snakemake": (SAMPLING, _snakemake_killed, []),
    "kill -9 of Snakemake, two writers of a file": (SAMPLING, _snakemake_killed_two_writers, []),
    "kill -9 of Snakemake, two writers of a folder": (TRAINING, _snakemake_killed_two_writers, []),
    "SIGINT to Snakemake": (SAMPLING, _interrupted, []),
    "SIGTERM to Snakemake": (TRAINING, _terminated, []),
}
"""By fault: the output whose stage is disturbed, the function that disturbs it, and additional flags of Snakemake."""


def inflict(finished: Path, fault: str, folder: Path) -> str:
    """Run a stage with a fault in a new folder. Returns what happened.

    Raises RuntimeError if the stage ends with other bytes, and TimeoutError if it does not end.
    """
    output, disturb, more = FAULTS[fault]
    stage = Stage.of(finished, output, folder, *more)
    try:
        stage.start()
        happened = disturb(stage)
    finally:
        if stage.process and stage.process.poll() is None:
            stage.kill()
        if left := stage.jobs():
            slurm("scancel", *left)
    ours, undisturbed = digests(folder), digests(finished)
    if ours != undisturbed:
        raise RuntimeError(f"other bytes: {sorted(set(ours.items()) ^ set(undisturbed.items()))}")
    return happened


def main(finished: Path, faults: list[str]) -> None:
    """Print the table. End with status 1 if a fault did not end with the same bytes."""
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell that starts this in the background makes it ignore SIGINT
    print("| fault | stage | what happened | seconds | bytes |\n|---|---|---|--:|---|", flush=True)
    failed = False
    for fault in faults or FAULTS:
        start = time.monotonic()
        with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
            try:
                happened, same = inflict(finished, fault, Path(folder) / "run"), "equal"
            except (RuntimeError, TimeoutError, subprocess.SubprocessError, StopIteration) as error:
                happened, same, failed = str(error), "NOT EQUAL", True
        stage = Path(FAULTS[fault][0]).name
        print(f"| {fault} | {stage} | {happened} | {time.monotonic() - start:.0f} | {same} |", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2:])
