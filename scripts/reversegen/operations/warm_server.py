"""The server of the warm Python (`warm_python.py`): it imports the heavy packages and forks for each program that connects.

python scripts/reversegen/operations/warm_server.py FOLDER OWNER LISTENER OPTIONS

FOLDER has the socket, OWNER is the process with which the server ends, and LISTENER is the descriptor of the listening socket.
OPTIONS are none, one or both of these:
`--with-workflows` also parses the code whose hashes the rules have, for programs that are `python -m snakemake`.
`--without-models` leaves out what only stages with models import, which is most of the time that the server takes to start.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import selectors
import shutil
import signal
import socket
import sys
import traceback
from collections.abc import Collection
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

SCRIPTS = Path(__file__).parents[2]
LIBRARY = SCRIPTS / "reversegen"
IMPORTED = (
    "yaml",
    "pydantic",
    "scipy.stats",
    "scipy.optimize",
    "math_verify",
)
"""What stages without a model import. None of these starts a thread that computes."""
MODELS = (
    "accelerate.commands.launch",
    "datasets",
    "peft",
    "transformers",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.tokenization_auto",
    "transformers.models.llama.modeling_llama",
    "trl.trainer.sft_trainer",
    "trl.trainer.dpo_trainer",
)
"""What stages with a model import besides. None of these starts a thread that computes."""
PLANNING = ("nbformat", "smart_open")
"""What Snakemake imports only when it reads a workflow. Both are packages that Snakemake itself needs."""
NEEDS_MORE = {
    *("engines/vllm.py", "text/embeddings.py", "text/semantic_duplicates.py"),
    *("operations/warm_python.py", "operations/warm_server.py"),
}
"""Files of the library that import what few jobs need, and those that no job needs."""
NEEDS_MODELS = {
    *("models/conversion.py", "models/gguf.py", "models/loading.py", "models/rounding.py", "models/tokenizer.py"),
    *("reporting/rendered.py", "training/checkpoints.py", "training/common.py", "training/dpo.py"),
    *("training/pretraining.py", "training/rendering.py", "training/saving.py", "training/sft.py"),
    "training/trained_folder.py",
}
"""Files of the library that import a package of `MODELS`."""
FORWARDED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
"""The signals that a program passes on to its job."""
SET_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2): the signal that the kernel sends to a process when its parent ends."""


class WarmJob(NamedTuple):
    """A command line for a child to run as an interpreter does."""

    words: list[str]
    folder: str
    environment: dict[str, str]
    ignored: list[int]
    """The signals that the program was started to ignore."""


class WarmServer:
    """Accepts programs on a socket and forks for each, as long as the process that owns its folder lives."""

    def __init__(self, folder: Path, owner: int, listener: socket.socket) -> None:
        self.folder = folder
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.children: dict[int, tuple[int, socket.socket]] = {}
        """By the process's descriptor: its id, and the program that waits for it."""
        self.c_library = ctypes.CDLL(None)
        try:
            self.owner = os.pidfd_open(owner)
        except ProcessLookupError:
            self.end()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.selector.register(self.owner, selectors.EVENT_READ)

    def end(self) -> None:
        """Kill all jobs, remove the folder and end this process."""
        for child, _ in self.children.values():
            _kill_group(child, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
        os._exit(0)

    def end_without_owner(self) -> None:
        """End if the owner has ended."""
        if select.select([self.owner], [], [], 0)[0]:
            self.end()

    def next_job(self) -> WarmJob:
        """Fork for each program. Returns in the child alone."""
        while True:
            events = self.selector.select()
            self.end_without_owner()
            # new programs come last: a new job's descriptor may have the number of one that an earlier event closes
            for key, _ in sorted(events, key=lambda event: event[0].fileobj is self.listener):
                if key.fileobj is self.listener:
                    job = self._fork(self.listener.accept()[0])
                    if job:
                        return job
                elif key.fd in self.children:
                    self._report(key.fd)
                elif key.data in self.children:
                    self._forward(key.data)

    def _fork(self, program: socket.socket) -> WarmJob | None:
        streams, job = _receive(program)
        signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)  # until the child has handlers of its own
        child = os.fork() if job else None
        if child == 0:
            os.setpgid(0, 0)
            self.c_library.prctl(SET_DEATH_SIGNAL, signal.SIGKILL)
            self.selector.close()
            for one in (self.listener, program, *(other for _, other in self.children.values())):
                one.close()
            for handle in (self.owner, *self.children):
                os.close(handle)
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
                os.close(stream)
            return job
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
        for stream in streams:
            os.close(stream)
        if child is None:
            program.close()
            return None
        with contextlib.suppress(OSError):  # the child has done it, or has ended
            os.setpgid(child, child)
        with contextlib.suppress(OSError):  # the program was killed, which the selector notes
            program.sendall(b"+")
        handle = os.pidfd_open(child)
        self.children[handle] = (child, program)
        self.selector.register(handle, selectors.EVENT_READ)
        self.selector.register(program, selectors.EVENT_READ, handle)
        return None

    def _forward(self, handle: int) -> None:
        """Send a job the signals that its program got. If the program was killed, kill the job."""
        child, program = self.children[handle]
        try:
            numbers = program.recv(64)
        except OSError:
            numbers = b""
        if not numbers:
            self.selector.unregister(program)
        for number in numbers or [signal.SIGKILL]:
            _kill_group(child, number)

    def _report(self, handle: int) -> None:
        """Give the program the status of its child that has ended."""
        child, program = self.children.pop(handle)
        _, status = os.waitpid(child, 0)
        self.selector.unregister(handle)
        os.close(handle)
        with contextlib.suppress(OSError):
            program.sendall(str(status).encode())
        with contextlib.suppress(KeyError):
            self.selector.unregister(program)
        program.close()


def _kill_group(leader: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _receive(program: socket.socket) -> tuple[list[int], WarmJob | None]:
    """The standard streams of a program and its job. The job is None if the program was killed before it had sent it."""
    streams: list[int] = []
    try:
        size, streams, _, _ = socket.recv_fds(program, 8, 3)
        left, parts = int.from_bytes(size, "big"), []
        while left and (part := program.recv(min(left, 1 << 16))):
            parts.append(part)
            left -= len(part)
    except OSError:
        return streams, None
    return streams, WarmJob(*json.loads(b"".join(parts))) if parts and not left else None


def import_all(server: WarmServer, options: Collection[str]) -> None:
    """Import the packages and the modules of the library."""
    with_models = "--without-models" not in options
    omitted = NEEDS_MORE if with_models else NEEDS_MORE | NEEDS_MODELS
    files = sorted({*LIBRARY.rglob("*.py")} - {LIBRARY / name for name in omitted})
    modules = (".".join(file.relative_to(SCRIPTS).with_suffix("").parts).removesuffix(".__init__") for file in files)
    for module in (*IMPORTED, *(MODELS if with_models else ()), *modules):
        importlib.import_module(module)
        server.end_without_owner()
    sys.argv = ["snakemake", "--version"]  # imports Snakemake and finds its plugins
    with contextlib.suppress(SystemExit):
        runpy.run_module("snakemake", run_name="__main__", alter_sys=True)
    if "--with-workflows" in options:
        for module in PLANNING:
            importlib.import_module(module)
        for script in sorted(SCRIPTS.glob("*.py")):  # parses the code that the hashes of the rules are of
            importlib.import_module("reversegen.workflow.code_hash").code_hash(script.stem)
    gc.freeze()


def is_of_library(words: list[str]) -> bool:
    """Whether a job runs the code of this library, and not of a copy. Snakemake wraps a rule's script in one of its own."""
    if words[0] == "-m":
        return str(SCRIPTS.parent / "Snakefile") in words
    script = Path(words[0]).resolve()
    return script.parent == SCRIPTS or (script.is_file() and str(SCRIPTS).encode() in script.read_bytes())


def run_as_interpreter(python: str, job: WarmJob) -> int:
    """Do what `python WORDS` does in the job's folder and environment; its own jobs are given `python`. Returns the status."""
    words = job.words
    os.chdir(job.folder)
    if not is_of_library(words):
        for name in [name for name in sys.modules if name.partition(".")[0] == LIBRARY.name]:
            del sys.modules[name]
    os.environ.clear()
    os.environ |= job.environment
    sys.executable = python
    try:
        if words[0] == "-m":
            sys.argv, sys.path[0] = words[1:], ""
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv, sys.path[0] = words, str(Path(words[0]).resolve().parent)
            _run_script(Path(words[0]))
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException as error:
        _show(error)
        if isinstance(error, KeyboardInterrupt):  # a program that waits learns that a signal was the cause
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        return 1
    return 0


def _run_script(script: Path) -> None:
    """Run a file as the module `__main__`, which stays in its place for what runs at exit."""
    try:
        source = script.read_bytes()
    except OSError as error:
        sys.stderr.write(
            f"{sys.executable}: can't open file {str(script.absolute())!r}: [Errno {error.errno}] {error.strerror}\n"
        )
        sys.exit(2)
    file, main = str(script.absolute()), ModuleType("__main__")
    main.__dict__.update(__file__=file, __builtins__=__builtins__)
    sys.modules["__main__"] = main
    exec(compile(source, file, "exec", dont_inherit=True), main.__dict__)


def _show(error: BaseException) -> None:
    """Show an error that ends a script, as the interpreter does: by the hook that the library sets for its stages."""
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    if library := sys.modules.get(LIBRARY.name):
        library.report_faults_of_stages()
    try:
        sys.excepthook(type(error), error.with_traceback(trace), trace)
    except Exception:
        traceback.print_exc()


def main(folder: Path, owner: int, listener: int, options: Collection[str]) -> None:
    """Serve. What is below `next_job` runs in the children."""
    sys.path[0] = str(SCRIPTS)
    status = [0]

    def end() -> None:
        """The last of what runs at exit. Python would free every imported object one by one, which takes seconds."""
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(status[0])

    atexit.register(end)
    server = WarmServer(folder, owner, socket.socket(fileno=listener))
    signal.signal(signal.SIGTERM, lambda *_: server.end())
    import_all(server, options)
    job = server.next_job()
    for number in FORWARDED:
        default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, signal.SIG_IGN if number in job.ignored else default)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
    status[0] = run_as_interpreter(str(folder / "bin/python"), job)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
