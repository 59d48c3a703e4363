"""What an endpoint was asked and what it answered, kept on disk at once, so that nothing is paid for twice.

Beside `NAME.jsonl` stands the folder `NAME.jsonl.calls`. Every process appends to a file of its own there, so that none needs
a lock and no line of one is torn by another; a process that is killed while it writes leaves a last line without an end,
which is not read. The folder stays when the output stands: a stage that runs again pays only for what is new, also where it is
cut into another number of shards, since a shard looks into the folders of all that its stage was ever cut into.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from reversegen.engines.base import Generated
from reversegen.engines.endpoint.calls import Call
from reversegen.engines.endpoint.replies import Reading, Unreadable, generated

log = logging.getLogger("reversegen")


def calls_folder(output: Path) -> Path:
    """The folder of the calls that an output file took."""
    return output.with_name(f"{output.name}.calls")


class Calls:
    """The calls of one output: those of earlier processes and of other shards to look up, and a file for this process's own.

    `reading` says how the choices are read.
    """

    def __init__(self, folder: Path, reading: Reading | None = None) -> None:
        self.folder, self.reading = folder, reading
        self._file: IO[bytes] | None = None
        empty = self.look()
        if self._kept:
            log.info("%s: %d answers were kept before", folder, len(self._kept))
        if empty:
            log.info("%s: %d empty answers that an earlier version kept are asked again", folder, empty)

    def look(self) -> int:
        """Find what all processes have kept by now; how many requests have only an empty answer of an earlier version."""
        self._kept: dict[str, tuple[Path, int]] = {}
        empty = set()
        for path, place, call in (line for one in _stage_folders(self.folder) for line in _lines(one)):
            if any(not answer.text.strip() for answer in call.answers or []):
                empty.add(call.key)
            elif call.ended:
                self._kept[call.key] = (path, place)
        return len(empty - set(self._kept))

    def batches(self) -> list[Path]:
        """The files of batches under way, of this and of other shards."""
        return [path for folder in _stage_folders(self.folder) for path in sorted(folder.glob("batch-*.json"))]

    def find(self, key: str, n: int = 1) -> list[Generated] | None:
        """The `n` answers that an earlier process kept. This one's own are in its caller's hands: memory stays flat.

        None also for a reply that was readable to an earlier version only.
        """
        if key not in self._kept:
            return None
        path, place = self._kept[key]
        with path.open("rb") as file:
            file.seek(place)
            call = Call.model_validate_json(file.readline())
        try:
            return generated(call, self.reading, n)
        except Unreadable:
            return None

    def add(self, call: Call, *, remember: bool = False) -> None:
        """Keep a call: with the operating system, and so safe from a kill, when this returns. Raises OSError.

        `remember` lets this process find it too.
        """
        if self._file is None:
            self._file = self._own_file()
        if remember:
            self._kept[call.key] = (Path(self._file.name), self._file.tell())
        self._file.write(call.model_dump_json().encode() + b"\n")
        self._file.flush()

    def _own_file(self) -> IO[bytes]:
        """A new file: its name is taken by creating it, which one process alone can do."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for number in count():
            try:
                return (self.folder / f"{number:03}.jsonl").open("xb")
            except FileExistsError:
                continue
        raise AssertionError


def _stage_folders(folder: Path) -> list[Path]:
    """The folders of calls of a stage's output and of all its shards, whatever their number."""
    stem = re.sub(r"(\.[0-9]+-of-[0-9]+)?\.jsonl\.calls$", "", folder.name)
    name = re.compile(rf"{re.escape(stem)}(\.[0-9]+-of-[0-9]+)?\.jsonl\.calls")
    return sorted({folder, *(other for other in folder.parent.glob("*.calls") if name.fullmatch(other.name))})


def _lines(folder: Path) -> Iterator[tuple[Path, int, Call]]:
    """The whole lines of all files of a folder, with their places in bytes; what cannot be read is left out."""
    for path in sorted(folder.glob("*.jsonl")):
        place = 0
        with path.open("rb") as file:
            for line in file:
                try:
                    if line.endswith(b"\n"):
                        yield path, place, Call.model_validate_json(line)
                except ValidationError:
                    log.warning("%s, byte %d: not a call; left out", path, place)
                place += len(line)
