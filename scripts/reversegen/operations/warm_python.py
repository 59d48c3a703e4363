"""A Python that has imported the heavy packages once and forks for each job, so that a job starts in milliseconds.

python -m reversegen.operations.warm_python --cores 2 results/tiny-math/table.md

runs Snakemake with these arguments, and its jobs by such a Python. `make demo` does this, because its jobs are many and short.

A server (`warm_server.py`) imports the packages. Jobs get the path of a small program instead of an interpreter: as
`sys.executable`, which Snakemake uses for `script:`, and as the first `python` in PATH, which `shell:` uses. The program sends
its arguments, folder, environment and streams to the server, which forks; the child runs the script as an interpreter does.
Then the program waits. It passes signals on to the job and ends as the job ends. If it is killed, the server kills the job. If
the owner of the server ends, even by a kill, the server kills all jobs and ends.

The program takes the command lines `python SCRIPT …`, `python -m snakemake …` and `python -m accelerate.commands.launch …`. The
interpreter runs all others, and also a job that wants a GPU, one whose environment decides how a package is imported (another
number of threads among them), and every job if the server cannot start.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import shlex
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

SERVER = Path(__file__).with_name("warm_server.py")
JOB_VARIABLES = {
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TQDM_DISABLE": "1",
}
"""What the Snakefile and Snakemake set for every job of one thread."""
READ_AT_IMPORT = (
    *("CUDA_VISIBLE_DEVICES", "HF_ENDPOINT", "HF_HOME", "HF_HUB_OFFLINE"),
    *("OMP_NUM_THREADS", "PYTHONHASHSEED", "PYTHONPATH"),
)
"""Environment variables that decide how a package is imported."""
PROGRAM = """#!/bin/sh
'''exec' {interpreter} -IS "$0" "$@"
' '''
import array, json, os, signal, socket, sys

given, needed = sys.argv[1:], {needed}
words = given[1:] if given[:1] == ["-u"] else given
module = words[:2] in (["-m", "snakemake"], ["-m", "accelerate.commands.launch"])
script = bool(words) and words[0].endswith(".py") and all(os.environ.get(name) == needed[name] for name in needed)
gpus = words[words.index("--gpus") + 1 :][:1] if "--gpus" in words else []
forwarded = [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2]
ignored = [number for number in forwarded if signal.getsignal(number) == signal.SIG_IGN]
if signal.SIGINT not in ignored:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
server = socket.socket(socket.AF_UNIX)
try:
    if not (module or script) or gpus not in ([], ["0"]):
        raise OSError
    server.connect({address!r})
    job = json.dumps([words, os.getcwd(), dict(os.environ), ignored]).encode()
    streams = array.array("i", [0, 1, 2])
    server.sendmsg([len(job).to_bytes(8, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
    server.sendall(job)
    if not server.recv(1):
        raise OSError
except OSError:
    os.execv({python!r}, [{python!r}, *given])


def forward(number, frame=None):
    try:
        server.send(bytes([number]))
    except OSError:
        pass


def pause(number, frame):
    forward(signal.SIGSTOP)
    os.kill(os.getpid(), signal.SIGSTOP)
    forward(signal.SIGCONT)


for number in forwarded:
    signal.signal(number, forward)
signal.signal(signal.SIGTSTP, pause)
status = int(server.recv(16) or signal.SIGKILL)
if os.WIFSIGNALED(status):
    if os.WTERMSIG(status) != signal.SIGKILL:
        signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
    os.kill(os.getpid(), os.WTERMSIG(status))
os._exit(os.WEXITSTATUS(status))
"""
"""The program. It imports no site-packages, so it starts in some milliseconds."""


def start_server(folder: Path, owner: int, *options: str) -> subprocess.Popen[bytes] | None:
    """Make `program_in(folder)` a warm Python. Its server ends, and removes the folder, when the process `owner` ends.

    Returns the server, or None if this machine lacks what it needs: off Linux, or where the folder allows no socket or no
    program.
    """
    environment = os.environ | JOB_VARIABLES
    needed = {name: environment.get(name) for name in READ_AT_IMPORT}
    program, python = program_in(folder), sys.executable
    try:
        os.close(os.pidfd_open(owner))
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(folder / "socket"))
    except (AttributeError, OSError):
        return None
    with listener, (folder / "log").open("w") as log:
        listener.listen(64)
        fields = {"interpreter": shlex.quote(python), "python": python, "needed": needed}
        program.parent.mkdir()
        program.write_text(PROGRAM.format(address=str(folder / "socket"), **fields))
        program.chmod(0o755)
        if not os.access(program, os.X_OK):  # the file system allows no program
            return None
        return subprocess.Popen(
            [python, str(SERVER), str(folder), str(owner), str(listener.fileno()), *options],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )


def program_in(folder: Path) -> Path:
    """The program of the server in this folder."""
    return folder / "bin/python"


@contextlib.contextmanager
def warm_jobs() -> Iterator[None]:
    """Let the jobs of this process's Snakemake be warm, if this machine has what that needs."""
    with tempfile.TemporaryDirectory(
        prefix="warm-", ignore_cleanup_errors=True
    ) as name:  # a socket's path must be short
        server = start_server(Path(name), os.getpid())
        if server is None:
            yield
            return
        sys.executable = str(program_in(Path(name)))
        try:
            yield
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    sys.argv[0] = "snakemake"
    with warm_jobs():
        runpy.run_module("snakemake", run_name="__main__")
