"""The warm Python runs a script as the interpreter does, and the marks of a file follow from its imports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.needs import HEAVY, RUNS, imports_heavy
from tests.support.warm_python import warm_python
from tests.support.workflows import REPOSITORY, Workflow

from reversegen.operations import warm_python as product
from reversegen.operations import warm_server
from reversegen.operations.warm_python import JOB_VARIABLES, program_in, start_server, warm_jobs

WARM = "'scipy' in sys.modules"
"""Whether a script has what the warm Python imports, also in a run without models."""
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


def await_true(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    assert condition()


def await_end(process: str | int) -> None:
    await_true(lambda: not Path(f"/proc/{process}").exists())


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
    done = run(warm_python(), tmp_path, "-c", f"import sys; print(sys.executable, {WARM})")
    assert done.stdout == f"{sys.executable} False\n"


def test_a_job_with_another_hub_goes_to_the_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    (tmp_path / "script.py").write_text(f"import sys; print({WARM})")
    assert run(warm_python(), tmp_path, "script.py").stdout == "False\n"


def test_killing_the_program_kills_the_script(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        f"import os, sys, time\nprint(os.getpid(), {WARM}, flush=True)\ntime.sleep(600)"
    )
    environment = {**os.environ, **JOB_VARIABLES}
    words = [warm_python(), "script.py"]
    with subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        script, imported = program.stdout.readline().split()
        assert imported == "True"
        program.kill()
    await_end(script)


def test_a_script_that_is_killed_ends_the_program_by_the_same_signal(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert run(warm_python(), tmp_path, "script.py").returncode == -signal.SIGKILL


HANDLED = """
import signal, sys, time
signal.signal(signal.SIGUSR1, lambda number, frame: sys.exit(7))
print(signal.getsignal(signal.SIGUSR2) == signal.SIG_IGN, signal.getsignal(signal.SIGHUP) == signal.SIG_IGN, flush=True)
time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_program_reaches_the_script_and_ignored_signals_stay_ignored(
    tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "script.py").write_text(HANDLED)
    ends = {}
    for python in (warm_python(), sys.executable):
        words = ["/bin/sh", "-c", 'trap "" USR2; exec "$0" script.py', python]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            words,
            cwd=tmp_path,
            env={**os.environ, **JOB_VARIABLES},
            stdout=pipe,
            stderr=pipe,
            text=True,
            # `nohup` ignores the first, and a shell ignores the second in what it starts with `&`.
            preexec_fn=lambda: [signal.signal(one, signal.SIG_DFL) for one in (signal.SIGHUP, signal.SIGINT)],
        ) as program:
            assert program.stdout
            assert program.stderr
            assert program.stdout.readline() == "True False\n"
            time.sleep(0.5)  # so that each is interrupted in its sleep
            program.send_signal(number)
            ends[python] = (program.stderr.read(), program.wait(60))
    assert len({*ends.values()}) == 1
    assert ends[sys.executable][1] == (7 if number == signal.SIGUSR1 else -number)


def test_a_stage_that_cannot_be_imported_ends_in_one_line(tmp_path: Path) -> None:
    scripts = REPOSITORY / "scripts"
    (tmp_path / "script.py").write_text(
        f"import sys\nsys.path.insert(0, {str(scripts)!r})\n__file__ = {str(scripts / 'clean_seeds.py')!r}\n"
        "import reversegen\nimport nonesuch"
    )
    warm, real = (run(python, tmp_path, "script.py") for python in (warm_python(), sys.executable))
    assert (warm.returncode, warm.stderr) == (real.returncode, real.stderr)
    assert real.stderr.endswith("clean_seeds: error: ModuleNotFoundError: No module named 'nonesuch'\n")


RULES = """
rule write:
    output: "done"
    shell: "python job.py && touch {output}"

rule fail:
    output: "never"
    shell: "python -c 'import sys; sys.exit(3)'"
"""
JOB = """
import json, os, signal, subprocess, sys, time
helper = subprocess.Popen(["sleep", "600"])
facts = {"ids": [os.getpid(), os.getppid(), helper.pid], "warm": "torch" in sys.modules, "python": sys.executable}
with open("new", "w") as file:
    json.dump(facts, file)
os.rename("new", "facts")
try:
    time.sleep(600 if os.path.exists("wait") else 0)
except KeyboardInterrupt:
    open("interrupted", "w").close()
    raise
finally:
    helper.kill()
    helper.wait()
"""


def snakemake(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Snakemake on these rules, with warm jobs, in a session of its own as at a terminal."""
    (folder / "Snakefile").write_text(
        f"import sys\nsys.path.insert(0, {str(REPOSITORY / 'scripts')!r})\n"
        f"from reversegen.workflow.environment import prepare_environment\nprepare_environment()\n{RULES}"
    )
    (folder / "job.py").write_text(JOB)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts")}
    command = [sys.executable, "-m", "reversegen.operations.warm_python", "--cores", "1", *words]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


@pytest.mark.models
@pytest.mark.slow
def test_snakemake_gives_its_jobs_the_warm_python_and_ends_with_its_own_status(tmp_path: Path) -> None:
    failing = snakemake(tmp_path, "never")
    assert "Error in rule fail" in failing.communicate(timeout=120)[1]
    assert failing.returncode == 1
    working = snakemake(tmp_path, "done")
    working.communicate(timeout=120)
    assert working.returncode == 0
    facts = json.loads((tmp_path / "facts").read_text())
    assert facts["warm"]
    for process in facts["ids"]:
        await_end(process)
    assert not Path(facts["python"]).parents[1].exists()


@pytest.mark.models
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_if_snakemake_is_interrupted_or_killed_no_process_survives(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "wait").touch()
    process = snakemake(tmp_path, "done")
    await_true((tmp_path / "facts").exists)
    facts = json.loads((tmp_path / "facts").read_text())
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.kill()
    process.communicate(timeout=120)
    assert process.returncode == (1 if number == signal.SIGINT else -number)
    for one in facts["ids"]:
        await_end(one)
    await_true(lambda: not Path(facts["python"]).parents[1].exists())
    assert (tmp_path / "interrupted").exists() == (number == signal.SIGINT)


def test_a_job_that_wants_a_gpu_or_more_threads_goes_to_the_interpreter(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(f"import sys; print({WARM})")
    assert run(warm_python(), tmp_path, "script.py", "--gpus", "0").stdout == "True\n"
    assert run(warm_python(), tmp_path, "script.py", "--gpus", "2").stdout == "False\n"
    threads = {**os.environ, **JOB_VARIABLES, "OMP_NUM_THREADS": "2"}
    done = subprocess.run([warm_python(), "script.py"], cwd=tmp_path, env=threads, capture_output=True, text=True)
    assert done.stdout == "False\n"


SHORT = {"tiny-arithmetic": {"train": {"corpus": {"count": 640}, "pretraining": {"steps": 10}}}}
"""A model that is trained for ten steps."""


@pytest.mark.models
@pytest.mark.slow
def test_stages_make_the_same_bytes_in_a_warm_python_and_in_an_interpreter(workflow: Workflow, tmp_path: Path) -> None:
    workflow.change_models(SHORT)
    made = []
    for python in (warm_python(), sys.executable):
        done = subprocess.run(
            [python, *workflow.command("results/models/tiny-arithmetic", "--forceall")[1:]],
            cwd=workflow.folder, env=dict(os.environ), capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        files = [path for path in (tmp_path / "results/models").rglob("*") if path.is_file()]
        made.append({str(p): p.read_bytes() for p in files if not {"logs", "benchmarks"} & {*p.parts}})
    assert made[0] == made[1]
    assert any(name.endswith(".safetensors") for name in made[0])


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="warm-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def test_without_the_system_calls_or_a_file_system_that_runs_programs_the_interpreter_stays(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sys.executable
    with monkeypatch.context() as patched:
        patched.delattr(os, "pidfd_open")
        assert start_server(place, os.getpid()) is None
        with warm_jobs():
            assert sys.executable == before
    with monkeypatch.context() as patched:
        patched.setattr(os, "access", lambda path, mode: False)
        assert start_server(place, os.getpid()) is None
    deep = place / ("long" * 30)
    deep.mkdir()
    assert start_server(deep, os.getpid()) is None  # no socket can have so long a path
    assert sys.executable == before


def test_if_the_server_fails_the_interpreter_runs_the_jobs(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "server.py").write_text("import sys, time\ntime.sleep(0.5)\nsys.exit('a package is broken')")
    monkeypatch.setattr(product, "SERVER", tmp_path / "server.py")
    server = start_server(place, os.getpid())
    assert server
    (tmp_path / "script.py").write_text(f"import sys; print({WARM}, sys.argv)")
    for _ in ("while it starts", "after its end"):
        assert run(str(program_in(place)), tmp_path, "script.py", "a b").stdout == "False ['script.py', 'a b']\n"
        assert server.wait() == 1


SERVER = """
import sys
from pathlib import Path
sys.path.insert(0, {scripts!r})
from reversegen.operations import warm_server
warm_server.import_all = lambda server, options: None
warm_server.main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), [])
"""


def test_a_program_that_is_killed_as_its_job_ends_does_not_hold_up_a_new_one(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server learns all three at once, and the new job gets the number of the descriptor that the old one had."""
    (tmp_path / "server.py").write_text(SERVER.format(scripts=str(REPOSITORY / "scripts")))
    monkeypatch.setattr(product, "SERVER", tmp_path / "server.py")
    server = start_server(place, os.getpid())
    assert server
    (tmp_path / "script.py").write_text("import os, sys\nprint(os.getpid(), flush=True)\nsys.stdin.read()")
    environment, words = {**os.environ, **JOB_VARIABLES}, [str(program_in(place)), "script.py"]
    pipe = subprocess.PIPE
    try:
        with subprocess.Popen(words, cwd=tmp_path, env=environment, stdin=pipe, stdout=pipe, text=True) as old:
            assert old.stdin
            assert old.stdout
            job = Path("/proc", old.stdout.readline().strip(), "stat")
            server.send_signal(signal.SIGSTOP)
            old.stdin.close()
            await_true(lambda: job.read_text().rpartition(")")[2].split()[0] == "Z")
            new = subprocess.Popen(words, cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, stdout=pipe)
            time.sleep(2)  # until it has connected
            old.kill()
            old.wait()
            server.send_signal(signal.SIGCONT)
        assert new.wait(20) == 0
    finally:
        server.kill()
        server.wait()


def test_a_test_of_a_model_is_found_by_what_its_file_imports(tmp_path: Path) -> None:
    folder = REPOSITORY / "tests"
    assert imports_heavy(folder / "models/test_rounding.py")  # torch itself
    assert imports_heavy(folder / "training/test_trainer.py")  # by the library
    assert not imports_heavy(folder / "test_ids.py")
    (tmp_path / "test_lazy.py").write_text("def test_it() -> None:\n    import torch\n")
    assert not imports_heavy(tmp_path / "test_lazy.py")  # such a test is marked by hand; a run without models fails it


def test_a_warm_python_without_models_leaves_out_what_imports_them_and_no_other_file() -> None:
    files = [path for path in warm_server.LIBRARY.rglob("*.py") if imports_heavy(path)]
    assert {str(path.relative_to(warm_server.LIBRARY)) for path in files} == warm_server.NEEDS_MODELS
    assert {package.partition(".")[0] for package in warm_server.MODELS} <= HEAVY | {"datasets"}


def test_the_files_that_are_marked_by_name_exist() -> None:
    assert [name for name in RUNS if not (REPOSITORY / name).is_file()] == []
