"""The warm Python runs a script as the interpreter does, and the marks of a file follow from its imports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.needs import RUNS, imports_heavy
from tests.support.warm_python import warm_python
from tests.support.workflows import REPOSITORY

from reversegen.operations.warm_python import JOB_VARIABLES

SCRIPT = """
import json, os, sys
import reversegen.ids
print(json.dumps([sys.argv, os.getcwd(), os.environ["GIVEN"], sys.stdin.read(), __name__, reversegen.ids.__file__]))
print("to standard error", file=sys.stderr)
sys.exit(sys.argv[1] if sys.argv[1].isalpha() else int(sys.argv[1]))
"""


def run(python: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **JOB_VARIABLES, "GIVEN": "a value"}
    return subprocess.run([python, *words], cwd=folder, env=environment, input="typed", capture_output=True, text=True)


@pytest.mark.parametrize("end", ["0", "3", "reason"])
@pytest.mark.parametrize("place", ["repository", "copy"])
def test_a_script_has_the_arguments_folder_environment_streams_and_status_of_an_interpreter(
    tmp_path: Path, end: str, place: str
) -> None:
    scripts = REPOSITORY / "scripts" if place == "repository" else tmp_path / "scripts"
    (tmp_path / "scripts/reversegen").mkdir(parents=True)
    for name in ("__init__.py", "ids.py"):
        (tmp_path / "scripts/reversegen" / name).write_text((REPOSITORY / "scripts/reversegen" / name).read_text())
    (tmp_path / "script.py").write_text(f"import sys\nsys.path.insert(0, {str(scripts)!r})\n{SCRIPT}")
    warm, real = (run(python, tmp_path, "script.py", end, "two words") for python in (warm_python(), sys.executable))
    assert (warm.returncode, warm.stdout, warm.stderr) == (real.returncode, real.stdout, real.stderr)
    assert json.loads(warm.stdout) == [
        ["script.py", end, "two words"], str(tmp_path), "a value", "typed", "__main__", str(scripts / "reversegen/ids.py")
    ]  # fmt: skip


def test_a_fault_ends_a_script_with_status_1_and_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("1 / 0")
    done = run(warm_python(), tmp_path, "script.py")
    assert done.returncode == 1
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_other_command_lines_go_to_the_interpreter(tmp_path: Path) -> None:
    done = run(warm_python(), tmp_path, "-c", "import sys; print(sys.executable, 'torch' in sys.modules)")
    assert done.stdout == f"{sys.executable} False\n"


def test_a_job_with_another_hub_goes_to_the_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    (tmp_path / "script.py").write_text("import sys; print('torch' in sys.modules)")
    assert run(warm_python(), tmp_path, "script.py").stdout == "False\n"


def test_killing_the_program_kills_the_script(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "import os, time\nprint(os.getpid(), 'torch' in __import__('sys').modules, flush=True)\ntime.sleep(600)"
    )
    environment = {**os.environ, **JOB_VARIABLES}
    words = [warm_python(), "script.py"]
    with subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        script, imported = program.stdout.readline().split()
        assert imported == "True"
        program.kill()
    end = time.monotonic() + 30
    while Path(f"/proc/{script}").exists() and time.monotonic() < end:
        time.sleep(0.01)
    assert not Path(f"/proc/{script}").exists()


def test_a_script_that_is_killed_ends_the_program_by_the_same_signal(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert run(warm_python(), tmp_path, "script.py").returncode == -signal.SIGKILL


def test_a_test_of_a_model_is_found_by_what_its_file_imports(tmp_path: Path) -> None:
    folder = REPOSITORY / "tests"
    assert imports_heavy(folder / "models/test_rounding.py")  # torch itself
    assert imports_heavy(folder / "training/test_trainer.py")  # by the library
    assert not imports_heavy(folder / "test_ids.py")
    (tmp_path / "test_lazy.py").write_text("def test_it() -> None:\n    import torch\n")
    assert not imports_heavy(tmp_path / "test_lazy.py")  # such a test is marked by hand; a run without models fails it


def test_the_files_that_are_marked_by_name_exist() -> None:
    assert [name for name in RUNS if not (REPOSITORY / name).is_file()] == []
