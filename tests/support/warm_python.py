"""A Python that has imported the heavy packages once and forks for each script: a job of the tests starts in milliseconds.

`warm_python()` is the path of a program that takes the command lines `python SCRIPT …`, `python -m snakemake …` and
`python -m accelerate.commands.launch …`. It sends its arguments, folder, environment and streams to a server, which forks. The
child runs the script as an interpreter does, and the jobs that a Snakemake starts there are warm too. A job of a copy of the
repository imports the copy's modules. All other command lines go to the interpreter of the tests, and so do scripts whose
environment decides how a package is imported. If the program is killed, the server kills the script.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

REPOSITORY = Path(__file__).parents[2]
FOLDER = "REVERSEGEN_TEST_WARM"
"""Environment variable that names the folder of the server. The first process of pytest sets it, and all others inherit it."""
IMPORTED = (
    "yaml",
    "pydantic",
    "scipy.stats",
    "scipy.optimize",
    "math_verify",
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
"""The packages that the jobs of the tests import. None of these starts a thread that computes."""
LIBRARY = REPOSITORY / "scripts/reversegen"
NEEDS_MORE = {"reversegen.engines.vllm", "reversegen.text.embeddings", "reversegen.text.semantic_duplicates"}
"""Modules of this repository that import packages which few jobs need."""
JOBS = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "TQDM_DISABLE": "1"}
"""The environment variables that the Snakefile sets for every job."""
READ_AT_IMPORT = ("HF_HUB_OFFLINE", "HF_ENDPOINT", "HF_HOME", "CUDA_VISIBLE_DEVICES", "PYTHONPATH", "PYTHONHASHSEED")
CLIENT = """#!{python} -IS
import array, json, os, signal, socket, sys
given, own = sys.argv[1:], {environment}
words = given[1:] if given[:1] == ["-u"] else given
module = words[:2] in (["-m", "snakemake"], ["-m", "accelerate.commands.launch"])
script = bool(words) and words[0].endswith(".py") and all(os.environ.get(name) == own[name] for name in own)
server = socket.socket(socket.AF_UNIX)
try:
    if not (module or script):
        raise OSError
    server.connect({address})
except OSError:
    os.execv({python!r}, [{python!r}, *given])
job = json.dumps([words, os.getcwd(), dict(os.environ)]).encode()
streams = array.array("i", [0, 1, 2])
server.sendmsg([len(job).to_bytes(8, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
server.sendall(job)
status = int(server.recv(16) or b"9")
if os.WIFSIGNALED(status):
    signal.signal(os.WTERMSIG(status), signal.SIG_DFL) if os.WTERMSIG(status) != signal.SIGKILL else None
    os.kill(os.getpid(), os.WTERMSIG(status))
os._exit(os.WEXITSTATUS(status))
"""


def warm_python() -> str:
    """The path of the warm Python. The first call starts its server.

    Outside pytest, and on systems other than Linux, it is the interpreter of the tests.
    """
    if FOLDER not in os.environ or not hasattr(os, "pidfd_open"):
        return sys.executable
    folder = Path(os.environ[FOLDER])
    with FileLock(folder / "lock"):
        if not (folder / "pid").exists():
            with (folder / "log").open("w") as log:
                server = subprocess.Popen(
                    [sys.executable, __file__, str(folder)],
                    env={**os.environ, **JOBS},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            (folder / "pid").write_text(str(server.pid))
            while not (folder / "bin/python").exists():
                if server.poll() is not None:
                    raise RuntimeError(f"the warm Python ended: {(folder / 'log').read_text()[-2000:]}")
                time.sleep(0.02)
    return str(folder / "bin/python")


@contextlib.contextmanager
def offered() -> Iterator[None]:
    """Let this process and those that it starts use one warm Python. Its server ends with the block, or with this process."""
    with tempfile.TemporaryDirectory(prefix="warm-") as folder:  # short: a socket's path may have 107 characters
        os.environ[FOLDER] = folder
        (Path(folder) / "owner").write_text(str(os.getpid()))
        try:
            yield
        finally:
            del os.environ[FOLDER]
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                os.kill(int((Path(folder) / "pid").read_text()), signal.SIGTERM)


class Server:
    """Accepts programs on a socket and forks for each, as long as the process that owns its folder lives."""

    def __init__(self, folder: Path) -> None:
        self.owner = os.pidfd_open(int((folder / "owner").read_text()))
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / "socket"))
        self.listener.listen(64)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.selector.register(self.owner, selectors.EVENT_READ)
        self.children: dict[int, tuple[int, socket.socket]] = {}
        """By the process's descriptor: its id, and the program that waits for it."""

    def next_job(self) -> tuple[list[str], str, dict[str, str]]:
        """Fork for each program. It returns only in the child: the words, folder and environment of the child's job."""
        while True:
            for key, _ in self.selector.select():
                if key.fd == self.owner:
                    os._exit(0)
                elif key.fileobj is self.listener:
                    job = self._fork(self.listener.accept()[0])
                    if job:
                        return job
                elif key.fd in self.children:
                    self._report(key.fd)
                elif key.data in self.children:  # the program was killed
                    self.selector.unregister(key.fileobj)
                    signal.pidfd_send_signal(key.data, signal.SIGKILL)

    def _fork(self, program: socket.socket) -> tuple[list[str], str, dict[str, str]] | None:
        size, streams, _, _ = socket.recv_fds(program, 8, 3)
        with program.makefile("rb") as file:
            given = file.read(int.from_bytes(size, "big"))
        if not given or len(given) < int.from_bytes(size, "big"):  # the program was killed before it had sent its job
            program.close()
            for stream in streams:
                os.close(stream)
            return None
        words, folder, environment = json.loads(given)
        child = os.fork()
        if child:
            handle = os.pidfd_open(child)
            self.children[handle] = (child, program)
            self.selector.register(handle, selectors.EVENT_READ)
            self.selector.register(program, selectors.EVENT_READ, handle)
            for stream in streams:
                os.close(stream)
            return None
        self.selector.close()
        self.listener.close()
        program.close()
        for _, other in self.children.values():
            other.close()
        for handle in self.children:
            os.close(handle)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        return words, folder, environment

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


def is_of_repository(words: list[str]) -> bool:
    """Whether a job runs the code of this repository, and not of a copy. Snakemake wraps a rule's script in one of its own."""
    if words[0] == "-m":
        return str(REPOSITORY / "Snakefile") in words
    script = Path(words[0]).resolve()
    return script.parent == LIBRARY.parent or str(LIBRARY.parent) in script.read_text()


def import_all() -> None:
    """Import the packages and this repository's modules, and do the first steps of every Snakemake."""
    for module in IMPORTED:
        importlib.import_module(module)
    sys.path.insert(0, str(LIBRARY.parent))
    for path in sorted(LIBRARY.rglob("*.py")):
        module = ".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts).removesuffix(".__init__")
        if module not in NEEDS_MORE:
            importlib.import_module(module)
    for script in sorted(LIBRARY.parent.glob("*.py")):  # parses the code that the rules hash
        importlib.import_module("reversegen.workflow.code_hash").code_hash(script.stem)
    del sys.path[0]
    sys.argv = ["snakemake", "--version"]  # imports Snakemake and finds its plugins
    with contextlib.suppress(SystemExit):
        runpy.run_module("snakemake", run_name="__main__", alter_sys=True)
    gc.freeze()


def run_as_interpreter(python: str, words: list[str], folder: str, environment: dict[str, str]) -> int:
    """Do what `python WORDS` does in a folder with an environment, and return its status. Jobs that it starts run `python`."""
    os.chdir(folder)
    if not is_of_repository(words):
        for name in [name for name in sys.modules if name.partition(".")[0] == LIBRARY.name]:
            del sys.modules[name]
    os.environ.clear()
    os.environ |= environment
    sys.executable = python
    try:
        if words[0] == "-m":
            sys.argv, sys.path[0] = words[1:], ""
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv, sys.path[0] = words, str(Path(words[0]).resolve().parent)
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def main(folder: Path) -> None:
    status = [0]

    def end() -> None:
        """End the process. Without this, Python would free every imported object one by one, which takes seconds."""
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status[0])

    atexit.register(end)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server = Server(folder)
    import_all()
    own = {name: os.environ.get(name) for name in READ_AT_IMPORT}
    (folder / "bin").mkdir()
    text = CLIENT.format(python=sys.executable, environment=own, address=repr(str(folder / "socket")))
    (folder / "bin/new").write_text(text)
    (folder / "bin/new").chmod(0o755)
    (folder / "bin/new").rename(folder / "bin/python")
    words, place, environment = server.next_job()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    status[0] = run_as_interpreter(str(folder / "bin/python"), words, place, environment)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
