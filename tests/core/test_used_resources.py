"""What a job writes of its use agrees with what the kernel tells its parent, and the table reads it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.warm_python import warm_python
from tests.support.workflows import REPOSITORY

from reversegen.core.used_resources import UsedResources, read_earlier_seconds, read_used, used_line
from reversegen.operations.warm_python import JOB_VARIABLES

SCRIPTS = REPOSITORY / "scripts"
STAGE = f'''
"""Use a processor and memory.

python use.py
"""

import sys

sys.path.insert(0, {str(SCRIPTS)!r})

import os
import subprocess
import time
from pathlib import Path

from reversegen.stage import run

BURN = "import time; end = time.process_time() + 0.6\\nwhile time.process_time() < end: pass"


def main(ticks: Path, fails: bool) -> None:
    """Take 0.7 seconds here, 0.6 seconds in a child, and 150 MB."""
    block = b"x" * (150 << 20)
    end = time.process_time() + 0.7
    while time.process_time() < end:
        pass
    subprocess.run([sys.executable, "-c", BURN], check=True)
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    ticks.write_text(str(sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")))
    if fails:
        raise RuntimeError("as asked")
    del block


if __name__ == "__main__":
    run(main)
'''


@pytest.mark.slow
@pytest.mark.parametrize("fails", [False, True])
def test_an_interpreters_job_writes_what_the_kernel_counts(tmp_path: Path, fails: bool) -> None:
    (tmp_path / "use.py").write_text(STAGE)
    words = ["use.py", "--ticks=ticks", f"--fails={json.dumps(fails)}", "--log=use.log"]
    process = subprocess.Popen([sys.executable, *words], cwd=tmp_path, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == int(fails)
    *_, last = (tmp_path / "use.log").read_text().splitlines()
    found = re.fullmatch(r"used ([\d.]+) s of processor time and at most ([\d.]+) MB: (\w+)", last)
    assert found
    assert found[3] == ("failed" if fails else "finished")
    assert float(found[1]) == pytest.approx(usage.ru_utime + usage.ru_stime, abs=0.15)
    assert float(found[2]) == pytest.approx(usage.ru_maxrss / 1024, abs=5)
    assert float(found[1]) > 1.3
    assert float(found[2]) > 150
    used = read_used(tmp_path / "use.log")
    assert used == (None if fails else UsedResources(float(found[1]), float(found[2])))


def test_a_warm_job_counts_from_its_fork(tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(STAGE)
    words = [warm_python(), "use.py", "--ticks=ticks", "--fails=false", "--log=use.log"]
    subprocess.run(words, cwd=tmp_path, env={**os.environ, **JOB_VARIABLES}, check=True)
    used = read_used(tmp_path / "use.log")
    assert used
    assert used.cpu_seconds == pytest.approx(float((tmp_path / "ticks").read_text()), abs=0.1)
    assert 1.3 < used.cpu_seconds < 2.3, "the server's imports do not count"
    assert used.peak_mb > 300, "the imported packages are in its memory"


def test_seconds_of_work_add_up_over_starts_and_the_log_has_those_of_the_earlier_ones(tmp_path: Path) -> None:
    """Two starts that keep something after 0.2 seconds, and one that reads it; what the first does later is lost."""
    kept, log = tmp_path / "seconds", tmp_path / "stage.log"
    start = (
        f"import sys; sys.path.insert(0, {str(SCRIPTS)!r})\n"
        "import logging, time\nfrom pathlib import Path\nfrom reversegen.core.used_resources import WorkSeconds\n"
        f"logging.basicConfig(level=logging.INFO, format='%(asctime)s %(message)s', datefmt='%H:%M:%S', filename={str(log)!r},"
        f" filemode='w')\nworked = WorkSeconds(Path({str(kept)!r}))\n"
    )
    for kept_before in (False, True):
        done = f"time.sleep(0.2)\nworked.keep(Path({str(kept)!r}))\ntime.sleep(0.3)\n"
        subprocess.run([sys.executable, "-c", start + done], check=True)
        assert (read_earlier_seconds(log) > 0) is kept_before
    subprocess.run([sys.executable, "-c", start], check=True)
    assert 0.4 <= float(kept.read_text()) < 0.6
    assert read_earlier_seconds(log) == pytest.approx(float(kept.read_text()), abs=0.06)
    assert read_earlier_seconds(tmp_path / "none.log") == 0


def test_a_text_that_only_holds_the_line_of_a_resumed_job_is_no_such_line(tmp_path: Path) -> None:
    log = tmp_path / "stage.log"
    line = "12:00:00 the part that was finished before took 9.0 s"
    log.write_text(f"a model said: {line}\n{line} more\n")
    assert read_earlier_seconds(log) == 0
    log.write_text(f"{line}\n")
    assert read_earlier_seconds(log) == 9


def test_processes_of_one_job_add_up_and_a_failed_one_makes_the_log_count_for_nothing(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    assert read_used(log) is None
    log.write_text("12:00:00 by hand: python train.py\n")
    assert read_used(log) is None
    mine = used_line(finished=True)
    log.write_text(
        "used 9.50 s of processor time and at most 100.5 MB: finished\nunused 1 s\n"
        "used 1.25 s of processor time and at most 300.0 MB: finished\n"
    )
    assert read_used(log) == UsedResources(10.75, 400.5)
    log.write_text(f"{mine}\n{used_line(finished=False)}\n")
    assert read_used(log) is None
