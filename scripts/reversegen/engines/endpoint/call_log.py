"""The log of an endpoint's requests and answers. It is written at once, so that nothing is paid for twice.

The folder `NAME.jsonl.calls` lies beside `NAME.jsonl`. Every process appends to its own file there, so no process needs a lock
or tears another's line. A process that is killed while it writes leaves an incomplete last line, which is ignored. The folder
stays after the output is complete, so a stage that runs again pays only for new requests. This also holds if the stage is split
into another number of shards: a shard looks into the folders of all shards that its stage ever had.
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
    """The folder for the calls of an output file."""
    return output.with_name(f"{output.name}.calls")


class Calls:
    """The calls of one output: it looks up those of earlier processes and of other shards, and writes its own to a new file.

    `reading` decides how the choices are read.
    """

    def __init__(self, folder: Path, reading: Reading | None = None) -> None:
        self.folder, self.reading = folder, reading
        self._file: IO[bytes] | None = None
        empty = self.look()
        if self._kept:
            log.info("%s: %d answers are kept from earlier runs", folder, len(self._kept))
        if empty:
            log.info("%s: %d requests are asked again: an earlier version kept only empty answers", folder, empty)

    def look(self) -> int:
        """Index the calls that all processes have kept so far.

        Returns how many requests have nothing but an empty answer of an earlier version.
        """
        self._kept: dict[str, tuple[Path, int]] = {}
        empty = set()
        for path, place, call in (line for one in _stage_folders(self.folder) for line in _lines(one)):
            if any(not answer.text.strip() for answer in call.answers or []):
                empty.add(call.key)
            elif call.ended:
                self._kept[call.key] = (path, place)
        return len(empty - set(self._kept))

    def batches(self) -> list[Path]:
        """The files of batches under way, of this shard and of others."""
        return [path for folder in _stage_folders(self.folder) for path in sorted(folder.glob("batch-*.json"))]

    def find(self, key: str, n: int = 1) -> list[Generated] | None:
        """The `n` answers that an earlier process kept; None if there are none, or if only an earlier version could read them.

        This process's own answers are not indexed, since its caller has them: memory stays flat.
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
        """Keep a call. When this returns, the operating system has it, so a kill does not lose it. Raises OSError.

        With `remember`, this process can find the call too.
        """
        if self._file is None:
            self._file = self._own_file()
        if remember:
            self._kept[call.key] = (Path(self._file.name), self._file.tell())
        self._file.write(call.model_dump_json().encode() + b"\n")
        self._file.flush()

    def _own_file(self) -> IO[bytes]:
        """A new file. Creating it reserves its name, because only one process can do so."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for number in count():
            try:
                return (self.folder / f"{number:03}.jsonl").open("xb")
            except FileExistsError:
                continue
        raise AssertionError


def _stage_folders(folder: Path) -> list[Path]:
    """The folders of calls of a stage's output and of all its shards, for every number of shards."""
    stem = re.sub(r"(\.[0-9]+-of-[0-9]+)?\.jsonl\.calls$", "", folder.name)
    name = re.compile(rf"{re.escape(stem)}(\.[0-9]+-of-[0-9]+)?\.jsonl\.calls")
    return sorted({folder, *(sibling for sibling in folder.parent.glob("*.calls") if name.fullmatch(sibling.name))})


def _lines(folder: Path) -> Iterator[tuple[Path, int, Call]]:
    """The complete lines of all files of a folder, with file and byte offset. Unreadable lines are left out."""
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
