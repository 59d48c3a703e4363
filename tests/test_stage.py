"""The same `main` runs from a rule, a shell and the command in a log. A user's mistake is one line without a traceback."""

import contextlib
import fcntl
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.forked_stages import ForkedStages

from reversegen.config.data import Corpus, DataSource
from reversegen.config.models import ModelUse
from reversegen.config.sampling import Prompts
from reversegen.stage import run

SCRIPTS = Path(__file__).parents[1] / "scripts"

STAGE = '''
"""Write what it was given, with its types; 100 % of it.

python make.py --help
"""

import subprocess
import sys
from pathlib import Path

from reversegen.config.data import DataSource
from reversegen.config.models import ModelUse
from reversegen.config.sampling import Prompts
from reversegen.core.errors import BadInput
from reversegen.core.records import Sample
from reversegen.stage import run


def raised(error: BaseException) -> None:
    raise error


FAULTS = {
    "panic": lambda: raised(type("PanicException", (BaseException,), {})("index out of bounds")),
    "bug": lambda: raised(RuntimeError("a bug\\nand more of it")),
    "key": lambda: {}["nonesuch"],
    "memory": lambda: raised(MemoryError()),
    "disk": lambda: raised(OSError(28, "No space left on device")),
    "import": lambda: __import__("nonesuch"),
    "row": lambda: Sample.model_validate(dict.fromkeys(["text", "tokens"], "harmful".upper())),
    "quotation": lambda: raised(ValueError(f"no number: '{'HARMFUL ' * 20}'")),
    "long": lambda: raised(ValueError("word " * 10_000)),
    "exit": lambda: sys.exit("no more of this"),
    "keyboard": lambda: raised(KeyboardInterrupt()),
}


def main(
    source: Path,
    files: list[Path],
    thing: Path,
    header: str,
    system: str | None,
    rows: int | None,
    share: float,
    exact: bool,
    settings: Prompts,
    model: ModelUse | None,
    sources: dict[str, DataSource],
    measures: dict[str, str],
    task: str,
    iteration: int,
    threads: int,
) -> None:
    """Fail if asked to."""
    given = repr(locals())
    print("printed by the stage")
    subprocess.run(["echo", "printed by a process of the stage"], check=True)
    if header == "bad input":
        raise BadInput(f"{source}, line 3: text: a text is needed")
    if header in FAULTS:
        FAULTS[header]()
    thing.write_text(given)


if __name__ == "__main__":
    run(main)
'''

# As in Snakemake, the script's globals have an object with the named inputs, outputs, params and wildcards of its rule.
JOB = """
import json, runpy, sys
from types import SimpleNamespace

given, script = json.loads(sys.argv[1]), sys.argv[2]
job = SimpleNamespace(**{**given, "log": " ".join(given["log"].values())})
runpy.run_path(script, init_globals={"snakemake": job}, run_name="__main__")
"""

SETTINGS = Prompts(header='Write "one" more:\n\nlike these \u2028 {x}', train=3, heldout=2)
MODEL = ModelUse(dtype="float32", chat_template="{% for m in messages %}'{{ m }}'{% endfor %}")
CORPUS = Corpus(world="arithmetic", mix="seeds", part="train", count=5, random_seed=2, distinct=True)
SOURCES = {
    "own data": DataSource(file=Path("data/my file.jsonl"), licence="MIT"),
    "corpus": DataSource(corpus=CORPUS, licence="made here"),
}
PLAIN: dict[str, Any] = {
    "source": Path("in/a file.jsonl"),
    "files": [Path("in/one.jsonl"), Path("in/the other.jsonl")],
    "thing": Path("out/some thing.txt"),
    "header": "More questions like these :",
    "system": "End with the final answer.",
    "rows": 6000,
    "share": 0.1,
    "exact": True,
    "settings": SETTINGS,
    "model": MODEL,
    "sources": SOURCES,
    "measures": {"test": "accuracy"},
    "task": "tiny-math.s2",
    "iteration": 3,
    "threads": 2,
}
EMPTY = {"files": [], "system": None, "rows": None, "model": None, "sources": {}, "measures": {}, "header": "null"}
ODD = {
    "files": [Path("in/'$HOME' `x` \"y\" \\n;&|*?.jsonl")],
    "header": "'$HOME' `x` \"y\" \\n ; & | * ? \u00fc\n\n{} %s %(prog)s",
    "system": "--- be brief ---",
    "share": 1e-05,
    "exact": False,
}
DASHES = {"header": "---", "system": "-x", "files": [Path("-a.jsonl"), Path("--b.jsonl")]}


class Folder:
    """A folder with the stage in it, and the ways to run it there."""

    def __init__(self, path: Path, stages: ForkedStages) -> None:
        self.path, self.stages = path, stages
        self.script = path / "my scripts/make.py"
        for name in ("my scripts", "in", "out"):
            (path / name).mkdir()
        self.script.write_text(STAGE)
        (path / "job.py").write_text(JOB)

    def run_script(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.stages.run(list(words), dict(os.environ), self.path)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        place = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {**os.environ, "PATH": place, "PYTHONPATH": str(SCRIPTS)}
        return subprocess.run(words, cwd=self.path, env=environment, capture_output=True, text=True, check=False)

    def run_job(self, arguments: dict[str, Any], log: str | None) -> subprocess.CompletedProcess[str]:
        """Run as a rule does, with the arguments in the form of the repository's rules."""
        given = {name: as_param(value) for name, value in arguments.items()}
        job: dict[str, Any] = {"threads": given.pop("threads"), "log": {"log": log} if log else {}}
        job["input"] = {name: given.pop(name) for name in ("source", "files")}
        job["output"] = {"thing": given.pop("thing")}
        job["wildcards"] = {name: str(given.pop(name)) for name in ("task", "iteration")}
        job["params"] = given
        return self.run_script("job.py", json.dumps(job), str(self.script))

    def run_flags(self, arguments: dict[str, Any], *more: str) -> subprocess.CompletedProcess[str]:
        """Run as a user types it."""
        words = []
        for name, value in arguments.items():
            flag = f"--{name.replace('_', '-')}"
            words += [flag, *map(str, value)] if isinstance(value, list) else [f"{flag}={as_word(value)}"]
        return self.run_script(str(self.script), *words, *more)

    def made(self) -> str:
        """The content that the stage wrote. The file is removed."""
        (thing,) = (self.path / "out").iterdir()
        text = thing.read_text()
        thing.unlink()
        return text


def as_param(value: Any) -> Any:
    """The value in the form of a rule: a section as JSON, any other value unchanged."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, list):
        return [str(item) for item in value]
    if isinstance(value, ModelUse | Prompts):
        return value.model_dump_json()
    if isinstance(value, dict):
        return json.dumps({k: v if isinstance(v, str) else v.model_dump(mode="json") for k, v in value.items()})
    return value


def as_word(value: Any) -> str:
    """The value as a user types it."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return str(as_param(value))


@pytest.fixture(scope="module")
def stages() -> Iterator[ForkedStages]:
    forked = ForkedStages(["reversegen.stage", "reversegen.config.sampling"], dict(os.environ))
    yield forked
    forked.close()


@pytest.fixture
def folder(tmp_path: Path, stages: ForkedStages) -> Folder:
    return Folder(tmp_path, stages)


def by_hand(log: str) -> str:
    """The command in a log, which ends before the next line with a time."""
    found = re.search(
        r"^\d\d:\d\d:\d\d by hand: (.*?)\n(?=\d\d:\d\d:\d\d |printed|make: error)", log, re.MULTILINE | re.DOTALL
    )
    assert found
    return found[1]


@pytest.mark.parametrize("changes", [EMPTY, ODD, DASHES], ids=["empty", "odd", "dashes"])
def test_a_rule_and_the_command_in_its_log_give_main_the_same(folder: Folder, changes: dict[str, Any]) -> None:
    arguments = PLAIN | changes
    done = folder.run_job(arguments, "logs/deep/make.log")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert folder.made() == repr(arguments)
    log = (folder.path / "logs/deep/make.log").read_text()
    assert "printed by the stage\n" in log
    assert "printed by a process of the stage\n" in log
    again = folder.run("bash", "-c", by_hand(log))
    assert again.returncode == 0, again.stderr
    assert folder.made() == repr(arguments)
    assert by_hand(again.stderr) == by_hand(log)


@pytest.mark.parametrize("changes", [{}, EMPTY], ids=["plain", "empty"])
def test_flags_give_main_the_same(folder: Folder, changes: dict[str, Any]) -> None:
    done = folder.run_flags(PLAIN | changes)
    assert done.returncode == 0, done.stderr
    assert folder.made() == repr(PLAIN | changes)
    assert "printed by the stage\n" in done.stdout
    assert re.search(r"make: done in \d+\.\d s\n$", done.stderr)


def test_help_shows_the_docstring_and_the_flags(folder: Folder) -> None:
    done = folder.run_script(str(folder.script), "--help")
    assert done.returncode == 0, done.stderr
    assert "100 % of it.\n\npython make.py --help" in done.stdout
    assert all(f"--{name}" in done.stdout for name in PLAIN)


def without_used(log: str, end: str) -> str:
    """A log without its last line, which has what the job used."""
    text, used = re.fullmatch(
        r"(.*)(used [\d.]+ s of processor time and at most [\d.]+ MB: \w+\n)", log, re.DOTALL
    ).groups()  # type: ignore[union-attr]
    assert used.endswith(f": {end}\n")
    return str(text)


LINE = "make: error: in/a file.jsonl, line 3: text: a text is needed\n"


@pytest.mark.parametrize("way", ["rule", "flags", "flags without a log"])
def test_bad_input_ends_with_status_1_and_one_line(folder: Folder, way: str) -> None:
    arguments = PLAIN | {"header": "bad input"}
    if way == "rule":
        done = folder.run_job(arguments, "logs/make.log")
    else:
        done = folder.run_flags(arguments, *([] if way == "flags without a log" else ["--log", "logs/make.log"]))
    assert done.returncode == 1
    if way == "flags without a log":
        assert done.stderr.endswith(f"\n{LINE}")
        log = done.stderr
    else:
        assert (done.stdout, done.stderr) == ("", LINE)
        log = without_used((folder.path / "logs/make.log").read_text(), "failed")
        assert log.endswith(LINE)
        assert "printed by a process of the stage\n" in log
    assert log.count(LINE) == 1
    assert "Traceback" not in log
    assert by_hand(log)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("rows", "many", "rows: .*integer.*'many'"),
        ("settings", '{"header": "h", "train": 0, "heldout": 1}', "settings: train: .*greater than or equal to 1"),
        ("settings", '{"header": "h"', "settings: .*JSON"),
    ],
)
def test_an_argument_that_does_not_fit_is_named_in_one_line(folder: Folder, name: str, value: str, reason: str) -> None:
    arguments = [
        f"--{n.replace('_', '-')}={value if n == name else as_word(v)}" for n, v in PLAIN.items() if n != "files"
    ]
    done = folder.run_script(str(folder.script), *arguments, "--files", "--log=logs/make.log")
    assert done.returncode == 1
    assert re.fullmatch(rf"make: error: parameter {reason}.*\n", done.stderr)


def test_a_parameter_that_the_rule_does_not_give_is_named(folder: Folder) -> None:
    done = folder.run_job({name: value for name, value in PLAIN.items() if name != "share"}, "logs/make.log")
    assert done.returncode == 1
    assert re.fullmatch(r"make: error: parameter share: .+\n", done.stderr)


ANY = "make: error: {}; the traceback is in logs/make.log\n"


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        ("bug", "RuntimeError: a bug"),
        ("panic", "PanicException: index out of bounds"),
        ("key", "KeyError: 'nonesuch'"),
        ("memory", "MemoryError"),
        ("disk", "OSError: [Errno 28] No space left on device"),
        ("import", "ModuleNotFoundError: No module named 'nonesuch'"),
        ("row", "ValidationError: 7 validation errors for Sample"),
        ("quotation", "ValueError: no number: '…'"),
        ("long", f"ValueError: {'word ' * 60}"),
        ("exit", "SystemExit: no more of this"),
        ("keyboard", "KeyboardInterrupt"),
    ],
)
@pytest.mark.parametrize("way", ["rule", "flags"])
def test_any_error_ends_with_one_line_on_the_terminal_and_its_traceback_in_the_log(
    folder: Folder, way: str, header: str, shown: str
) -> None:
    arguments = PLAIN | {"header": header}
    done = (
        folder.run_job(arguments, "logs/make.log")
        if way == "rule"
        else folder.run_flags(arguments, "--log=logs/make.log")
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", ANY.format(shown))
    log = without_used((folder.path / "logs/make.log").read_text(), "failed")
    assert log.endswith(ANY.format(shown))
    assert ("Traceback" in log) == (header != "exit")
    if header == "row":
        assert "HARMFUL" not in log
    assert list((folder.path / "out").iterdir()) == []


def test_a_bug_without_a_log_shows_its_traceback_and_then_its_line(folder: Folder) -> None:
    done = folder.run_flags(PLAIN | {"header": "bug"})
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert done.stderr.endswith("\nmake: error: RuntimeError: a bug\n")


def test_a_log_that_cannot_be_written_is_named(folder: Folder) -> None:
    (folder.path / "logs").write_text("a file")
    done = folder.run_flags(PLAIN, "--log=logs/make.log")
    assert done.returncode == 1
    assert re.fullmatch(r"make: error: logs/make.log: the log cannot be written: .+\n", done.stderr)


@pytest.mark.parametrize("fault", ["import nonesuch", "1 +", "raise OSError(2, 'libcudart.so: no such file')"])
@pytest.mark.parametrize("flag", [True, False])
def test_a_stage_whose_modules_cannot_be_imported_ends_in_one_line(tmp_path: Path, fault: str, flag: bool) -> None:
    """The stage is placed where the repository's scripts are, beside the library."""
    shutil.copytree(SCRIPTS / "reversegen", tmp_path / "scripts/reversegen")
    (tmp_path / "scripts/reversegen/loop/seeds.py").write_text(f"{fault}\n")
    shutil.copy(SCRIPTS / "clean_seeds.py", tmp_path / "scripts")
    words = ["scripts/clean_seeds.py", *(["--log", "seeds.log"] if flag else [])]
    done = subprocess.run([sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    kind = {"i": "ModuleNotFoundError", "1": "SyntaxError", "r": "FileNotFoundError"}[fault[0]]
    *before, last = done.stderr.splitlines()
    assert re.fullmatch(rf"clean_seeds: error: {kind}: .+", last)
    assert last.endswith("; the traceback is in seeds.log") == flag
    assert bool(before) != flag
    if flag:
        assert "Traceback" in (tmp_path / "seeds.log").read_text()


@pytest.mark.slow
def test_of_several_processes_that_fail_one_shows_the_line(folder: Folder) -> None:
    arguments = [
        f"--{name.replace('_', '-')}={as_word(v)}" for name, v in PLAIN.items() if name not in ("files", "header")
    ]
    words = [sys.executable, str(folder.script), *arguments, "--files", "--log=logs/make.log"]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    for header, line in {"bug": ANY.format("RuntimeError: a bug"), "bad input": LINE}.items():
        (folder.path / "logs").mkdir(exist_ok=True)
        (folder.path / "logs/make.log").write_text("")
        started = [
            subprocess.Popen(
                [*words, f"--header={header}"],
                cwd=folder.path,
                env={**environment, "RANK": rank},
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in ("1", "2", "3")
        ]
        assert [process.communicate()[1] for process in started].count(line) == 1
        assert {process.returncode for process in started} == {1}
        assert (folder.path / "logs/make.log").read_text().count(line) == 3


def test_a_default_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def main(rows: int, header: str = "Q") -> None:
        raise AssertionError

    monkeypatch.setattr(sys, "argv", ["make.py", "--rows", "1", "--header", "h"])
    with pytest.raises(TypeError, match="header has a default"):
        run(main)


COUNTED = '''
"""Read rows and write some."""

from pathlib import Path

from reversegen.core.progress import Progress
from reversegen.stage import run


def main(rows: Path, more: list[Path], thing: Path, seconds: float) -> None:
    """One line for each row."""
    import time

    lines = rows.read_text().splitlines()
    with Progress(len(lines), "rows") as progress:
        for _ in lines:
            time.sleep(seconds / len(lines))
            progress.advance()
    thing.write_text("x\\n" * len(lines))


if __name__ == "__main__":
    run(main)
'''


@pytest.fixture
def counted(tmp_path: Path) -> Path:
    (tmp_path / "make.py").write_text(COUNTED)
    (tmp_path / "rows.jsonl").write_text("{}\n" * 1200)
    (tmp_path / "more.jsonl").write_text("{}\n" * 300)
    return tmp_path


def follow(folder: Path, thing: str, seconds: float, *, terminal: bool, **environment: str) -> tuple[str, str]:
    """The output of a job on the terminal and in the log. Its standard error is a pseudo-terminal or a pipe."""
    words = [sys.executable, "make.py", "--rows=rows.jsonl", "--more", "more.jsonl", f"--thing={thing}"]
    words += [f"--seconds={seconds}", "--log=make.log"]
    own = {**os.environ, "PYTHONPATH": str(SCRIPTS), "TQDM_DISABLE": "1", **environment}
    reader, writer = pty.openpty() if terminal else os.pipe()
    if terminal:
        # a new pseudo-terminal has no width
        fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    process = subprocess.Popen(words, cwd=folder, env=own, stderr=writer)
    os.close(writer)
    shown = b""
    with contextlib.suppress(OSError):  # a pseudo-terminal ends with an error
        while part := os.read(reader, 1 << 16):
            shown += part
    os.close(reader)
    assert process.wait() == 0
    return shown.decode(), without_used((folder / "make.log").read_text(), "finished")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("thing", "counted_as"),
    [("out.jsonl", "1,200 rows in out.jsonl"), ("out.json", "out.json of 1,500 rows")],
)
def test_one_line_reports_what_a_stage_made_and_how_fast(counted: Path, thing: str, counted_as: str) -> None:
    terminal, log = follow(counted, thing, 0.5, terminal=False)
    found = re.search(rf"make: {counted_as}, done in (\d+\.\d) s, ([\d,]+) a second\n$", log)
    assert found, log
    rows = 1200 if thing.endswith("l") else 1500
    assert 0.5 * rows / float(found[1]) < float(found[2].replace(",", "")) < 1.2 * rows / float(found[1])
    assert terminal == ""
    before = (counted / thing).stat().st_mtime_ns
    os.utime(counted / thing, ns=(before, before))
    # a file that is written again is counted again
    assert follow(counted, thing, 0.1, terminal=True)[0].count(counted_as) == 1


@pytest.mark.slow
def test_a_bar_is_drawn_if_somebody_watches_a_terminal(counted: Path) -> None:
    shown, log = follow(counted, "out.jsonl", 4.5, terminal=True)
    bars = re.findall(r"make: +(\d+)%", shown)
    assert bars
    assert all(50 < int(share) <= 100 for share in bars)  # short work gets no bar
    assert "1,200 rows in out.jsonl" in shown
    assert "%|" not in log
    shown, log = follow(counted, "out.jsonl", 4.5, terminal=True, REVERSEGEN_NO_BARS="1")
    assert shown == ""
    assert "1,200 rows in out.jsonl" in log
