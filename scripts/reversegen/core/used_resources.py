"""What a job used, as its own processes measure it: the last line that each of them writes into the job's log.

A job that resumes says in its log how long the part took that an earlier start has finished.

Snakemake's benchmark looks at the children of the job's shell a few times a minute. It misses a job that is a child of another
process, and what was computed since it last looked.
"""

from __future__ import annotations

import logging
import re
import resource
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from reversegen.core.files import write_text

log = logging.getLogger("reversegen")

_RESUMED = "the part that was finished before took %.1f s"
_RESUMED_LINE = re.compile(r"^\d\d:\d\d:\d\d the part that was finished before took ([\d.]+) s$", re.MULTILINE)
_LINE = re.compile(r"^used ([\d.]+) s of processor time and at most ([\d.]+) MB: (finished|failed)$", re.MULTILINE)


@dataclass(frozen=True)
class UsedResources:
    """What the processes of a job used, all together."""

    cpu_seconds: float
    """Seconds of processor time of the processes and their ended children, from the start of each or its fork."""
    peak_mb: float
    """Largest resident sets, in megabytes of 2**20 bytes. Memory that processes share counts in each of them."""


def used_line(finished: bool) -> str:
    """A line with what this process has used: its own and its ended children's processor time, and the largest of them."""
    usages = [resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)]
    seconds = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    unit = 2**20 if sys.platform == "darwin" else 2**10  # macOS counts bytes, Linux kilobytes
    peak = max(usage.ru_maxrss for usage in usages) / unit
    return f"used {seconds:.2f} s of processor time and at most {peak:.1f} MB: {'finished' if finished else 'failed'}"


def read_used(log_file: Path) -> UsedResources | None:
    """The sum over the processes of a job, from its log. None if the log has no such line, or one of a process that failed."""
    if not log_file.is_file():
        return None
    lines = _LINE.findall(log_file.read_text(encoding="utf-8", errors="replace"))
    if not lines or any(end == "failed" for *_, end in lines):
        return None
    return UsedResources(sum(float(s) for s, *_ in lines), sum(float(mb) for _, mb, _ in lines))


class WorkSeconds:
    """Seconds of work over all starts of a job that can resume, up to what it has kept. Several threads may keep them.

    They do not hold what a killed start did after it had kept its last part, because the next start does that again.
    """

    def __init__(self, earlier: Path | None = None) -> None:
        """`earlier` is the file that an earlier start may have kept."""
        self._before = float(earlier.read_text()) if earlier and earlier.is_file() else 0.0
        self._start, self._keeping = time.perf_counter(), threading.Lock()
        if self._before:
            log.info(_RESUMED, self._before)

    def keep(self, file: Path) -> None:
        """Write the seconds so far."""
        with self._keeping:
            write_text(file, f"{self._before + time.perf_counter() - self._start:.3f}")


def read_earlier_seconds(log_file: Path) -> float:
    """Seconds of the part that a job has resumed from, by its log; 0 if it has not resumed."""
    if not log_file.is_file():
        return 0.0
    return sum(map(float, _RESUMED_LINE.findall(log_file.read_text(encoding="utf-8", errors="replace"))))
