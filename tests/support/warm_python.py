"""One warm Python for all processes of pytest, by `reversegen.operations.warm_python`."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from reversegen.operations.warm_python import program_in, start_server

FOLDER = "REVERSEGEN_TEST_WARM"
"""Environment variable that names the folder of the server. The first process of pytest sets it, and all others inherit it."""


def warm_python() -> str:
    """The path of the warm Python. The first call starts its server. Outside pytest, and off Linux: the interpreter."""
    if FOLDER not in os.environ:
        return sys.executable
    folder = Path(os.environ[FOLDER])
    with FileLock(folder / "lock"):
        if not (folder / "pid").exists():
            owner, *options = (folder / "started").read_text().split()
            server = start_server(folder, int(owner), *options)
            (folder / "pid").write_text(str(server.pid) if server else "none")
    return sys.executable if (folder / "pid").read_text() == "none" else str(program_in(folder))


@contextlib.contextmanager
def offered(*options: str) -> Iterator[None]:
    """Let this process and those that it starts use one warm Python. Its server ends with the block, or with this process.

    `options` are those of `warm_server.py`.
    """
    with tempfile.TemporaryDirectory(prefix="warm-", ignore_cleanup_errors=True) as folder:
        os.environ[FOLDER] = folder
        (Path(folder) / "started").write_text(" ".join([str(os.getpid()), *options]))
        try:
            yield
        finally:
            del os.environ[FOLDER]
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
                os.kill(int((Path(folder) / "pid").read_text()), signal.SIGTERM)
