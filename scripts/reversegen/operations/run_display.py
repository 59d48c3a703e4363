"""The progress of a Snakemake run and the reason of a failure: one redrawn line on a terminal, plain lines elsewhere.

Snakemake loads `LogHandler` as the logger plug-in `reversegen` and hands it every event of the run, one at a time.
"""

from __future__ import annotations

import logging
import re
import shutil
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

FIRST_INTERVAL = 15.0
"""Seconds between two plain lines at the start of a run. Later the interval is a twentieth of the time since the start."""
LOG_LINES = 15
"""Lines of a failed job's log that are shown if no stage wrote an error line into it."""
BAR_WIDTH = 24
ERASE, UP = "\r\x1b[J", "\x1b[1A\r"
"""ANSI control sequences: erase from the start of this line to the end of the screen; go up one line, to its start."""
STAGE_ERROR = re.compile(r"\w+: error: ")
HIDDEN_VALUES = ("task", "shard", "scatteritem")
"""Wildcards that a job's name leaves out: they have the same value for most jobs, or do not matter to a person."""
NOTHING_TO_DO = "Nothing to be done"
REPEATED = re.compile(
    r"Exiting because a job execution failed|At least one job did not complete|RuleException:\nCalledProcessError"
)
"""Messages that Snakemake adds to a failed job, which is shown already."""
BAD_INPUT = re.compile(r"^\s*BadInput: (.+)", re.MULTILINE)
LOG_FILE = re.compile(r"Complete log\(s\): (.+)")


class RunDisplay:
    """The text that a person sees of a run: finished jobs, running jobs, and errors."""

    def __init__(self, stream: TextIO, redraws: bool) -> None:
        self.total = self.done = 0
        self.running: dict[int, str] = {}
        """Names of the jobs that run, by Snakemake's number of the job."""
        self.failed = False
        self.snakemake_log = ""
        self._stream, self._redraws = stream, redraws
        self._start = self._shown = time.monotonic()
        self._lock = threading.RLock()

    def plan(self, total: int) -> None:
        """Show how many jobs the run has."""
        self.total = total
        self.write(f"{_jobs_text(total)} to run. Finished jobs are kept if the run stops.")
        self._start = self._shown = time.monotonic()

    def start_job(self, number: int, rule: str, wildcards: Mapping[str, str]) -> None:
        """Add a job to those that run."""
        self.running[number] = job_name(rule, wildcards)
        self.refresh()

    def end_job(self, number: int) -> None:
        """Remove a job from those that run."""
        self.running.pop(number, None)

    def fail_job(self, name: str, log_files: Sequence[str], *, elsewhere: bool) -> None:
        """Show which job failed and its log; the error too, unless the job has written it on this terminal itself."""
        self.failed = True
        lines = [f"Failed: {name}"]
        for file in log_files:
            lines.append(f"  log: {file}")
            end = log_end(Path(file))
            if elsewhere or not (end and STAGE_ERROR.match(end[-1])):
                lines += [f"  | {line}" for line in end]
        self.write("\n".join(lines))

    def write(self, text: str) -> None:
        """Write lines that stay, above the one that is redrawn."""
        with self._lock:
            print(f"{ERASE if self._redraws else ''}{text}", file=self._stream, flush=True)

    def refresh(self) -> None:
        """Show the progress: always on a terminal, elsewhere only if the last line is old enough."""
        now = time.monotonic()
        with self._lock:
            if not self.total or self.done >= self.total:
                return
            if self._redraws:
                # an empty line above the drawn one takes what a job writes on the same terminal
                width = shutil.get_terminal_size().columns - 1
                self._stream.write(f"{ERASE}\n{self._bar()[:width]}{UP}")
                self._stream.flush()
            elif now - self._shown >= max(FIRST_INTERVAL, (now - self._start) / 20):
                self._shown = now
                self.write(f"{self._time()}  {self.done} of {self.total} jobs done. Now: {self._jobs()}")

    def close(self) -> None:
        """Erase the redrawn line, and show how the run ended."""
        if self.total and self.done >= self.total:  # even if a job failed once and was tried again
            self.write(f"{_jobs_text(self.total)} done in {self._time()}.")
        elif self.failed:
            if self.snakemake_log:
                self.write(f"Snakemake's own log: {self.snakemake_log}")
            self.write(
                f"{self.done} of {self.total} jobs are done and kept. Fix the error, then run the same command again."
            )
        elif self._redraws:
            self._stream.write(ERASE)
            self._stream.flush()
        self.total = 0

    def _bar(self) -> str:
        filled = BAR_WIDTH * self.done // self.total
        bar = "#" * filled + "-" * (BAR_WIDTH - filled)
        return f"[{bar}] {self.done} of {self.total} jobs  {self._time()}  {self._jobs()}"

    def _jobs(self) -> str:
        return ", ".join(list(self.running.values())) or "waiting for Snakemake"

    def _time(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._start), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}" if minutes >= 60 else f"{minutes}:{seconds:02}"


def _jobs_text(number: int) -> str:
    return "1 job" if number == 1 else f"{number} jobs"


def job_name(rule: str, wildcards: Mapping[str, str]) -> str:
    """A readable name of a job, such as `train proposer (iter2)`."""
    values = [
        f"iter{value}" if name == "iteration" else value
        for name, value in wildcards.items()
        if value and name not in HIDDEN_VALUES
    ]
    return rule.replace("_", " ") + (f" ({', '.join(values)})" if values else "")


def shown_message(message: str, level: int) -> str:
    """The text that is shown of a Snakemake message; empty if it is not a warning, or repeats what is shown already."""
    if level < logging.WARNING:
        return f"{message}." if NOTHING_TO_DO in message else ""
    if match := BAD_INPUT.search(message):
        return f"error: {match[1]}"
    return "" if REPEATED.search(message) else message


def log_end(file: Path) -> list[str]:
    """The last lines of a log that explain a failure: the error line of its stage, else LOG_LINES lines."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    lines = [line for line in lines if line.strip()]
    return lines[-1:] if lines and STAGE_ERROR.match(lines[-1]) else lines[-LOG_LINES:]


class LogHandler(LogHandlerBase):
    """The logger plug-in: it turns Snakemake's events into calls of a RunDisplay."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        stream = sys.stdout if self.common_settings.stdout else sys.stderr
        self.display = RunDisplay(stream, redraws=stream.isatty())
        self._ended = threading.Event()
        threading.Thread(target=self._tick, daemon=True).start()

    def _tick(self) -> None:
        while not self._ended.wait(1.0):
            self.display.refresh()

    def emit(self, record: logging.LogRecord) -> None:
        """Show the change that an event brings. An error in this does not stop the run."""
        try:
            self._show(record)
        except Exception:
            self.handleError(record)

    def _show(self, record: logging.LogRecord) -> None:
        facts, display = vars(record), self.display
        event = facts.get("event")
        if event == LogEvent.RUN_INFO:
            display.plan(facts["stats"]["total"])
        elif event == LogEvent.JOB_INFO:
            display.start_job(facts["jobid"], facts["rule_name"], facts["wildcards"])
        elif event == LogEvent.JOB_FINISHED:
            display.end_job(facts["job_id"])
        elif event == LogEvent.PROGRESS:
            display.done = facts["done"]
            display.refresh()
        elif event == LogEvent.JOB_ERROR:
            number = facts["jobid"]
            name = display.running.get(number, job_name(facts["rule_name"], {}))
            display.end_job(number)
            display.fail_job(name, facts["log"], elsewhere=bool(facts["aux"]))
        elif match := LOG_FILE.match(record.getMessage()):
            display.snakemake_log = match[1]
        elif text := shown_message(record.getMessage(), record.levelno):
            display.write(text)

    def close(self) -> None:
        """Stop redrawing and show the end; Snakemake calls it more than once."""
        if not self._ended.is_set():
            self._ended.set()
            self.display.close()
        super().close()
