"""Long work in batches. Each finished batch is a file on the disk, so a restart after a killed job skips it."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Generic, TypeVar

from reversegen.core.errors import BadInput
from reversegen.core.files import write_text
from reversegen.core.progress import Progress
from reversegen.core.records import Record, read_records, write_records
from reversegen.core.shards import WHOLE, share
from reversegen.core.used_resources import WorkSeconds
from reversegen.engines.unreadable_replies import UnreadableReplies

log = logging.getLogger("reversegen")
T = TypeVar("T")
R = TypeVar("R", bound=Record)


class BatchedFile(Generic[R]):
    """A file of records that is written in batches. This job writes the batches of its shard.

    Finished batches wait in `<output>.parts/<key>/`, and a restart with the same `key` skips them. `key` must hold everything
    that decides the records. The parts are removed after the output is written. If an earlier job of the same work is still
    running, although its scheduler counts it as lost, and finishes first, this job keeps the output of that job.
    """

    def __init__(self, output: Path, record: type[R], key: str, shard: str = WHOLE) -> None:
        self.output, self.record, self.key, self.shard = output, record, key, shard
        self._parts = output.with_name(f"{output.name}.parts") / key
        self._mark = self._parts / "begun"
        self._began = 0

    def write(
        self,
        items: Sequence[T],
        batch_size: int,
        answer: Callable[[int, Sequence[T]], list[R]],
        at_once: int = 1,
        check: Callable[[Iterable[R]], None] | None = None,
        unreadable: Sequence[UnreadableReplies] = (),
    ) -> None:
        """Write the records of `answer(number, batch)` for each batch of `items` in the shard, in order.

        Up to `at_once` batches are answered at the same time, each in its own thread. `check` reads all records before the
        output is written. The counts of `unreadable` are stored and checked after each batch, and at the start of a restart.
        If `check` or a count raises an error, the parts stay, so a restart does not answer the finished batches again.
        """
        self._begin()
        start = time.perf_counter()
        numbers = share(range(-(-len(items) // batch_size)), self.shard)

        def batch(number: int) -> Sequence[T]:
            return items[number * batch_size : (number + 1) * batch_size]

        counts = {self._parts / f"unreadable-{number}.json": replies for number, replies in enumerate(unreadable)}
        for file, replies in counts.items():
            replies.take_up(file)
            replies.check()
        waiting = self._unfinished(numbers)
        seconds = self._parts / "seconds"
        worked = WorkSeconds(seconds)
        total, unfinished = (sum(len(batch(number)) for number in several) for several in (numbers, waiting))
        if len(waiting) < len(numbers):
            log.info(
                "%d of %d batches were finished before; resuming with the others",
                len(numbers) - len(waiting),
                len(numbers),
            )
        with Progress(total, "items", done=total - unfinished) as progress:

            def finish(number: int) -> None:
                if not self._ended_elsewhere():
                    write_records(self._file(number), answer(number, batch(number)))
                    worked.keep(seconds)
                    progress.advance(len(batch(number)))
                    for file, replies in counts.items():
                        replies.keep(file)
                        replies.check()

            while waiting and not self._ended_elsewhere():
                _do_each(finish, waiting, at_once)
                waiting = self._unfinished(numbers)
        self._join(numbers, check)
        log.info("%d items, %d batches in %.1f s", len(items), len(numbers), time.perf_counter() - start)

    def _begin(self) -> None:
        """Remove the parts of other keys and mark the time when this work began. A restart keeps the first mark."""
        for parts in self._parts.parent.glob("*"):
            if parts != self._parts:
                shutil.rmtree(parts, ignore_errors=True)
        if not self._mark.is_file():
            write_text(self._mark, "")
        self._began = self._mark.stat().st_mtime_ns

    def _file(self, number: int) -> Path:
        return self._parts / f"{number:06}.jsonl"

    def _unfinished(self, numbers: Sequence[int]) -> list[int]:
        return [number for number in numbers if not self._file(number).is_file()]

    def _ended_elsewhere(self) -> bool:
        return not self._mark.is_file() and self.output.is_file() and self.output.stat().st_mtime_ns >= self._began

    def _join(self, numbers: Sequence[int], check: Callable[[Iterable[R]], None] | None) -> None:
        """Join the finished batches into the output and remove them, unless another job has done so."""

        def rows() -> Iterator[R]:
            return (row for number in numbers for row in read_records(self._file(number), self.record))

        try:
            if check:
                check(rows())
            write_records(self.output, rows())
        except BadInput:
            if not self._ended_elsewhere():
                raise
        if self._ended_elsewhere():
            log.warning("%s: an earlier job of the same work has written this file meanwhile; it is kept", self.output)
        shutil.rmtree(self._parts.parent, ignore_errors=True)


def check_received(reasons: Iterable[str | None], most: float, key: str, output: Path) -> None:
    """Raise BadInput, with the reasons counted, if a larger share of answers than `most` was not received.

    `reasons` has the reason of each answer that was not received, and None for each that was. `key` is the setting that holds
    the share, `output` the file of the answers.
    """
    parts = output.with_name(f"{output.name}.parts")
    counts = Counter(reasons)
    total, received = counts.total(), counts.pop(None, 0)
    if total - received > most * total:
        listed = ", ".join(
            f"{reason}: {n}" for reason, n in sorted(counts.items(), key=lambda one: (-one[1], str(one[0])))
        )
        raise BadInput(
            f"{total - received} of {total} answers were not received ({listed}), a larger share than {key}: {most:g}; "
            f"raise {key} and repeat the command, which asks nothing again; or remove the cause and delete {parts} to ask again"
        )


def _do_each(work: Callable[[int], None], numbers: Sequence[int], at_once: int) -> None:
    """Do `work` for each number, in up to `at_once` threads.

    After an error no new work starts; the error is raised once the running work has ended. The threads are daemons, so that an
    interrupt does not wait for them.
    """
    if at_once == 1:
        for number in numbers:
            work(number)
        return
    waiting, taking = iter(numbers), threading.Lock()
    ends: SimpleQueue[BaseException | None] = SimpleQueue()
    failed = threading.Event()

    def take() -> None:
        error = None
        try:
            while not failed.is_set():
                with taking:
                    number = next(waiting, None)
                if number is None:
                    break
                work(number)
        except BaseException as caught:
            error = caught
            failed.set()
        ends.put(error)

    threads = [threading.Thread(target=take, daemon=True) for _ in range(min(at_once, len(numbers)))]
    for thread in threads:
        thread.start()
    errors = [error for error in [ends.get() for _ in threads] if error]
    if errors:
        raise errors[0]
