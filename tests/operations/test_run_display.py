"""The display of a run shows how far it is and why it failed, on a terminal and in a file, and nothing else."""

from __future__ import annotations

import io
import logging
import os
import pty
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake_interface_logger_plugins.common import LogEvent
from tests.support.workflows import REPOSITORY, Workflow

from reversegen.operations import run_display
from reversegen.operations.run_display import ERASE, LogHandler, RunDisplay, job_name, log_end, shown_message

SETTINGS: Any = SimpleNamespace(stdout=False)


def record(event: LogEvent | None, message: str = "", level: int = logging.INFO, **facts: Any) -> logging.LogRecord:
    made = logging.LogRecord("snakemake", level, "", 0, message, None, None)
    made.__dict__.update(facts, event=event)
    return made


def started(number: int, rule: str, **wildcards: str) -> logging.LogRecord:
    return record(LogEvent.JOB_INFO, jobid=number, rule_name=rule, wildcards=wildcards)


def test_a_job_has_a_name_that_people_read() -> None:
    assert job_name("train_proposer", {"task": "tiny-math", "iteration": "2", "shard": ""}) == "train proposer (iter2)"
    assert job_name("answer_tests", {"task": "t", "variant": "enhanced/seeds", "shard": ".1-of-2"}) == (
        "answer tests (enhanced/seeds)"
    )
    assert job_name("clean_seeds", {"task": "t"}) == "clean seeds"


def test_plain_lines_come_in_intervals_that_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(run_display.time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    display = RunDisplay(stream, redraws=False)
    display.plan(72)
    display.start_job(1, "train_model", {"model": "tiny-arithmetic"})
    shown = []
    for second in range(4000):
        now[0] = float(second)
        stream.seek(0)
        stream.truncate()
        display.refresh()
        if stream.getvalue():
            shown.append((second, stream.getvalue()))
    assert [second for second, _ in shown[:3]] == [15, 30, 45]
    assert shown[0][1] == "0:15  0 of 72 jobs done. Now: train model (tiny-arithmetic)\n"
    assert shown[-1][0] - shown[-2][0] >= 170
    assert shown[-1][1].startswith("1:0")


def test_a_run_that_ends_well_shows_its_length_and_no_control_sequence_in_a_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    handler = LogHandler(SETTINGS, None)
    for one in (
        record(None, "Select jobs to execute..."),
        record(None, "Assuming unrestricted shared filesystem usage."),
        record(LogEvent.RUN_INFO, "Job stats: …", stats={"clean_seeds": 1, "total": 1}),
        started(3, "clean_seeds", task="t"),
        record(LogEvent.SHELLCMD, "python …"),
        record(LogEvent.JOB_FINISHED, "Finished jobid: 3", job_id=3),
        record(LogEvent.PROGRESS, done=1, total=1),
        record(None, "Complete log(s): /x/y.log"),
    ):
        handler.emit(one)
    handler.close()
    handler.close()
    assert capsys.readouterr().err.splitlines() == [
        "1 job to run. Finished jobs are kept if the run stops.",
        "1 job done in 0:00.",
    ]


@pytest.mark.parametrize("aux", [{}, {"external_jobid": "7"}], ids=["here", "on a cluster"])
def test_a_failed_job_is_shown_with_its_log_and_its_error_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], aux: dict[str, str]
) -> None:
    """On this machine the job has written its error line on the terminal itself."""
    log = tmp_path / "build_pairs.log"
    log.write_text("12:00:00 by hand: …\nbuild_pairs: error: labels.jsonl, line 3: no id; make it again\n")
    handler = LogHandler(SETTINGS, None)
    failed = {"jobid": 3, "rule_name": "build_pairs", "log": [str(log)], "aux": aux}
    for one in (
        record(LogEvent.RUN_INFO, stats={"total": 5}),
        started(3, "build_pairs", task="t", iteration="1"),
        record(LogEvent.ERROR, "RuleException:\nCalledProcessError in file rules/explore.smk", logging.ERROR),
        record(LogEvent.JOB_ERROR, "Error in rule build_pairs", logging.ERROR, **failed),
        record(None, "Exiting because a job execution failed. Look below for error messages", logging.ERROR),
        record(None, "Complete log(s): /x/y.log"),
        record(LogEvent.ERROR, "WorkflowError:\nAt least one job did not complete successfully.", logging.ERROR),
    ):
        handler.emit(one)
    handler.close()
    error = ["  | build_pairs: error: labels.jsonl, line 3: no id; make it again"] if aux else []
    assert capsys.readouterr().err.splitlines()[1:] == [
        "Failed: build pairs (iter1)",
        f"  log: {log}",
        *error,
        "Snakemake's own log: /x/y.log",
        "0 of 5 jobs are done and kept. Fix the error, then run the same command again.",
    ]


def test_the_end_of_a_log_without_an_error_line_is_shown(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("".join(f"line {n}\n\n" for n in range(40)))
    assert log_end(log) == [f"line {n}" for n in range(25, 40)]
    log.write_text("Traceback\nx: error: it broke; the whole is in x.log\n")
    assert log_end(log) == ["x: error: it broke; the whole is in x.log"]
    assert log_end(tmp_path / "absent.log") == []


def test_messages_of_snakemake_are_shown_only_if_they_say_something_new() -> None:
    assert shown_message("Building DAG of jobs...", logging.INFO) == ""
    assert shown_message("Nothing to be done (all requested files are present)", logging.INFO).endswith("present).")
    error = "InputFunctionException in rule write_table:\nError:\n  BadInput: unknown task 'x': y\nWildcards:\n  task=x"
    assert shown_message(error, logging.ERROR) == "error: unknown task 'x': y"
    assert shown_message("MissingInputException: a.jsonl", logging.ERROR) == "MissingInputException: a.jsonl"


def test_a_fault_of_the_display_does_not_stop_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    handler = LogHandler(SETTINGS, None)
    handler.emit(record(LogEvent.RUN_INFO, stats={}))
    handler.close()
    assert "KeyError" in capsys.readouterr().err


def on_a_terminal(command: list[str], folder: Path, **environment: str) -> str:
    """What a command draws on a terminal."""
    main, side = pty.openpty()
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, **environment}, stdout=side, stderr=side)
    os.close(side)
    drawn = b""
    while True:
        try:
            drawn += os.read(main, 4096)
        except OSError:  # the terminal is closed
            break
    os.close(main)
    process.wait(timeout=60)
    return drawn.decode()


@pytest.mark.models
def test_snakemake_finds_the_plug_in_and_draws_on_a_terminal(workflow: Workflow) -> None:
    scripts = str(REPOSITORY / "scripts")
    command = workflow.command("--logger", "reversegen", "--", "results/micro/tests/test.jsonl")
    drawn = on_a_terminal(command, workflow.folder, PYTHONPATH=scripts, REVERSEGEN_NO_BARS="1")
    assert "1 job to run" in drawn
    assert ERASE in drawn
    assert "build tests (test)" in drawn
    assert "1 job done in" in drawn
    assert "Select jobs" not in drawn
    assert "localrule" not in drawn
