"""The stage runner: the same `main` runs from a rule, a shell and a test.

A stage is a script whose `main` takes typed parameters without defaults. Under a rule's `script:` directive their values are
the rule's inputs, outputs, params and wildcards of the same names (and `threads`); in a shell they are flags of the same
names. A list input is a `list[Path]`, and a section of the configuration is a pydantic class, written as JSON in a shell.

In this file: `run` and the lines that it shows; the summary of a stage's results; the command that repeats the stage; the
sources of its parameters, and their conversion to the annotated types.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import inspect
import io
import logging
import os
import shlex
import sys
import time
import traceback
import typing
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_json

from reversegen.core.errors import BadInput, Interrupted, fault_line
from reversegen.core.running import RUNNING, is_main_process, shown_rate
from reversegen.core.used_resources import used_line
from reversegen.core.validation import explain
from reversegen.models.gpus import take_gpus
from reversegen.workflow.environment import BUDGETED

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log = logging.getLogger("reversegen")


def run(main: Callable[..., None]) -> None:
    """Call a script's `main` with the values of its rule or of the command line, and log the command that repeats it.

    If the task has a budget, the job starts only if it stays within the budget. Every error, here or in `main`, ends the
    process with status 1 and one line on the terminal. The log also has the traceback, except for BadInput and Interrupted.
    The log's last line has what this process used.
    """
    job: snakemake | None = main.__globals__.get("snakemake")
    script = Path(main.__globals__["__file__"])
    values = _values_of_job(job) if job else _values_of_command_line(main, sys.argv[1:])
    RUNNING.name, RUNNING.terminal = script.stem, sys.stderr
    finished = False
    try:
        if values["log"]:
            RUNNING.terminal = _redirect_to(values["log"])
        level = logging.INFO if is_main_process() else logging.WARNING
        logging.basicConfig(level=level, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
        _call(main, script, values)
        finished = True
    except (BadInput, Interrupted) as error:
        _end(f"{script.stem}: error: {error}", values["log"])
    except SystemExit as error:
        if not isinstance(error.code, str):
            raise  # the stage chose this status and has printed why
        _end(fault_line(script.stem, error, values["log"]), values["log"])
    except BaseException as error:  # a panic of a Rust library is not an Exception
        with contextlib.suppress(OSError):  # such as a full disk
            traceback.print_exc()
        _end(fault_line(script.stem, error, values["log"]), values["log"])
    finally:
        if values["log"] and RUNNING.terminal is not sys.stderr:  # the log could be written
            with contextlib.suppress(OSError):
                print(used_line(finished), file=sys.stderr, flush=True)


def _call(main: Callable[..., None], script: Path, values: dict[str, Any]) -> None:
    arguments = {name: _convert(name, kind, values) for name, kind in _parameters(main).items()}
    gpus = {"gpus": values["gpus"]} if values["gpus"] else {}
    log.info("by hand: %s", command(script, arguments | gpus))
    if values["log"] and BUDGETED in os.environ and is_main_process():
        from reversegen.operations.budget import check_job  # imported here, because few stages need it

        check_job(Path(values["log"]))
    take_gpus(values["gpus"])
    files = {path: _identity(path) for path in _paths(arguments.values())}
    start = time.perf_counter()
    main(**arguments)
    line = _summary(script.stem, files, time.perf_counter() - start)
    log.info("%s", line)
    if values["log"] and RUNNING.watched:
        print(line, file=RUNNING.terminal, flush=True)


def _end(line: str, log_file: str | None) -> NoReturn:
    """End with status 1 and a line in the log and on the terminal. If several processes fail, only the first shows its line."""
    streams = {RUNNING.terminal, sys.stderr}
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # without a log or file locks, each process shows its line
            if log_file:
                file = stack.enter_context(Path(log_file).open(encoding="utf-8", errors="replace"))
                fcntl.flock(file, fcntl.LOCK_EX)
                if any(earlier.startswith(f"{RUNNING.name}: error: ") for earlier in file):
                    streams = {sys.stderr}
        for stream in streams:
            with contextlib.suppress(OSError):  # a full disk keeps the log, not the terminal
                erase = "\r\x1b[J" if stream.isatty() else ""  # what another program has drawn there
                print(f"{erase}{line}", file=stream, flush=True)
    sys.exit(1)


def _paths(values: Iterable[Any]) -> list[Path]:
    """The files and folders among the arguments of a stage."""
    flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return list(dict.fromkeys(one for one in flat if isinstance(one, Path)))


def _identity(path: Path) -> tuple[int, int] | None:
    """Inode and modification time, of which the inode changes on rewriting even if a file server's clock is wrong.

    None if the file or folder does not exist.
    """
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_mtime_ns


def _summary(name: str, before: dict[Path, tuple[int, int] | None], seconds: float) -> str:
    """One line: the number of rows that a stage wrote, or else read, in which file, and how fast.

    `before` maps its files to their identities before the stage ran.
    """
    outputs = [path for path, identity in before.items() if _identity(path) not in (None, identity)]
    records = [path for path in outputs if path.suffix == ".jsonl"]
    inputs = [path for path in before if path.suffix == ".jsonl" and path not in outputs]
    rows = sum(map(_count_lines, records or inputs))
    end = f"done in {seconds:.1f} s"
    if not (outputs and rows):
        return f"{name}: {end}"
    first, *later = records or outputs
    place = f"{first} and {len(later)} more" if later else str(first)
    result = f"{rows:,} rows in {place}" if records else f"{place} of {rows:,} rows"
    return f"{name}: {result}, {end}, {shown_rate(rows / max(seconds, 1e-3))} a second"


def _count_lines(file: Path) -> int:
    if not file.is_file():
        return 0
    with file.open("rb") as content:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: content.read(1 << 20), b""))


def command(script: Path, arguments: dict[str, Any]) -> str:
    """The shell command that runs a stage by hand with these arguments."""
    words = ["python", os.path.relpath(script)]
    for name, value in arguments.items():
        flag = "--" + name.replace("_", "-")
        words += [flag, *map(_word, value)] if isinstance(value, list) else [f"{flag}={_word(value)}"]
    return shlex.join(words)


def _word(value: Any) -> str:
    if isinstance(value, Path) and str(value).startswith("-"):
        return f"./{value}"  # so that it is not read as a flag
    return str(value) if isinstance(value, str | Path) else to_json(value).decode()


def _redirect_to(log_file: str) -> typing.TextIO:
    """Redirect this process's output to the rule's log. Return the old standard error, for the one line a user must see."""
    terminal = os.fdopen(os.dup(2), "w")
    try:
        Path(log_file).parent.mkdir(parents=True, exist_ok=True)
        if is_main_process():
            Path(log_file).write_text("")
        # append mode, so that the processes of one job do not overwrite each other
        with Path(log_file).open("a") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
    except OSError as error:
        raise BadInput(
            f"{log_file}: the log cannot be written: {error.strerror}; free disk space, or make its folder writable"
        ) from error
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # keeps the order of printed and logged lines
    return terminal


def _values_of_job(job: snakemake) -> dict[str, Any]:
    values: dict[str, Any] = {"threads": job.threads, "gpus": 0, "log": str(job.log) or None}
    for part in (job.wildcards, job.params, job.input, job.output):
        values |= {name: list(v) if isinstance(v, list | tuple) else v for name, v in part.items()}
    return values


def _values_of_command_line(main: Callable[..., None], words: list[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        description=main.__globals__["__doc__"], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--log", help="file for all output; errors still appear on the terminal")
    parser.add_argument("--gpus", type=int, default=0, help="number of GPUs to use, among those that no other job uses")
    for name, kind in _parameters(main).items():
        flag = "--" + name.replace("_", "-")
        if typing.get_origin(kind) is list:
            parser.add_argument(flag, dest=name, required=True, nargs="*")
        else:
            parser.add_argument(flag, dest=name, required=True)
    return vars(parser.parse_args(words))


def _parameters(main: Callable[..., None]) -> dict[str, Any]:
    """Names and types of the parameters. Raises TypeError for a parameter with a default: the rule must give all values."""
    kinds = typing.get_type_hints(main)
    for name, parameter in inspect.signature(main).parameters.items():
        if parameter.default is not inspect.Parameter.empty:
            raise TypeError(
                f"{main.__globals__['__file__']}: main's parameter {name} has a default; remove the default"
            )
    return {name: kind for name, kind in kinds.items() if name != "return"}


def _convert(name: str, kind: Any, values: dict[str, Any]) -> Any:
    if name not in values:
        raise BadInput(
            f"parameter {name}: the rule has no input, output, param or wildcard of that name; add one to it"
        )
    value = values[name]
    if typing.get_origin(kind) is list and isinstance(value, str):
        value = [value]
    if value == "null" and type(None) in typing.get_args(kind):
        return None
    adapter = TypeAdapter(kind)
    try:
        if isinstance(value, str) and _is_structure(kind):
            return adapter.validate_json(value)
        return adapter.validate_python(value)
    except ValidationError as error:
        raise BadInput(f"parameter {name}: {explain(error, show_input=True)}") from error


def _is_structure(kind: Any) -> bool:
    """Whether a shell gives values of this type as JSON, as for sections of the configuration and dictionaries."""
    kinds = [kind, *typing.get_args(kind)]
    return any(typing.get_origin(k) is dict or (isinstance(k, type) and issubclass(k, BaseModel)) for k in kinds)
