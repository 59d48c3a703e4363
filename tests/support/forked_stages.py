"""An interpreter that has imported what some stages import, in an environment of its own, and forks for each stage."""

from __future__ import annotations

import importlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path


class ForkedStages:
    """Runs stages in forks of one interpreter. It imports the modules, with these environment variables, at once."""

    def __init__(self, modules: list[str], environment: dict[str, str]) -> None:
        words = [sys.executable, __file__, *modules]
        self._process = subprocess.Popen(
            words, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def run(
        self, words: list[str], environment: dict[str, str], folder: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Do what `python WORDS` does in a folder, with these variables. What modules read at import is not read again."""
        assert self._process.stdin
        assert self._process.stdout
        with tempfile.TemporaryDirectory() as place:
            streams = [Path(place) / name for name in ("stdout", "stderr")]
            job = [words, environment, str(folder or Path.cwd()), [*map(str, streams)]]
            print(json.dumps(job), file=self._process.stdin, flush=True)
            status = os.waitstatus_to_exitcode(int(self._process.stdout.readline()))
            return subprocess.CompletedProcess(words, status, *(path.read_text() for path in streams))

    def close(self) -> None:
        """End the interpreter."""
        self._process.communicate()


def _run_script(words: list[str]) -> int:
    sys.argv = words
    sys.path.insert(0, str(Path(words[0]).parent))
    try:
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


def main(modules: list[str]) -> None:
    sys.path[0] = str(Path(__file__).parents[2] / "scripts")
    for module in modules:
        importlib.import_module(module)
    for line in sys.stdin:
        words, environment, folder, streams = json.loads(line)
        child = os.fork()
        if child == 0:
            for number, path in enumerate(streams, start=1):
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
            os.chdir(folder)
            os.environ.clear()
            os.environ |= environment
            status = _run_script(words)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
