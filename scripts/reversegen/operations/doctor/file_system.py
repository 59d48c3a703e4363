"""The file system of results/: whether renames are atomic and locks work."""

from __future__ import annotations

import fcntl
import sys
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

from reversegen.operations.doctor.finding import Finding, ask, reason


def check_file_system(results: Path) -> Iterable[Finding]:
    """Check whether a reader sees a renamed file or folder at once, and whether a lock holds between processes."""
    results.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".doctor-", dir=results) as folder:
        place = Path(folder)
        reads, torn = _torn_reads(place)
        (place / "new").mkdir()
        (place / "new/file").write_text("whole")
        (place / "new").replace(place / "folder")
        whole = (place / "folder/file").read_text() == "whole" and not (place / "new").exists()
        if torn or not whole:
            text = f"{results.resolve()}: a rename is not atomic: in {torn} of {reads} reads the file was missing or truncated"
            yield Finding("file system", "stops", text, "keep results/ on a file system with POSIX renames")
        else:
            yield Finding("file system", "ok", "renames are atomic for readers on this machine")
        yield _lock(place / "lock")


def _torn_reads(place: Path) -> tuple[int, int]:
    """How often a file is read while a thread replaces it 200 times, and how many reads did not see a whole version."""
    versions = [letter * 65536 for letter in "ab"]
    file = place / "file"
    file.write_text(versions[0])

    def replace() -> None:
        for n in range(200):
            new = place / "own"
            new.write_text(versions[n % 2])
            new.replace(file)

    thread = threading.Thread(target=replace)
    thread.start()
    reads = torn = 0
    while thread.is_alive():
        reads += 1
        try:
            torn += file.read_text() not in versions
        except OSError:
            torn += 1
    return reads, torn


def _lock(file: Path) -> Finding:
    probe = "import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    fix = "run one Snakemake at a time in this folder; check mount options such as local_lock of NFS"
    with file.open("w") as locked_file:
        try:
            fcntl.flock(locked_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return Finding("locks", "warning", f"no file can be locked: {error.strerror}", fix)
        if ask([sys.executable, "-c", probe, str(file)]).returncode == 0:
            return Finding("locks", "warning", "a file that one process has locked can be locked by another", fix)
    if (retry := ask([sys.executable, "-c", probe, str(file)])).returncode:
        return Finding("locks", "warning", f"a lock outlives its process: {reason(retry)}", fix)
    return Finding("locks", "ok", "a lock holds between processes of this machine, and ends with its process")
