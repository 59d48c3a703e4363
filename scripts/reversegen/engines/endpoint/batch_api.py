"""The Batch API of an endpoint: requests go up in a file, answers come down in one, within a day and at half the price.

https://platform.openai.com/docs/guides/batch: a line of the input holds `custom_id`, `method`, `url` and `body`; one of the
output `custom_id`, `response` with `status_code` and `body`, and `error`. Lines come in any order.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reversegen.core.errors import BadInput
from reversegen.core.files import alone, write_json
from reversegen.engines.base import Generated
from reversegen.engines.endpoint.batch_replies import (
    batch_state,
    checked_id,
    read_batch,
    reply_id,
    reply_object,
    why_failed,
)
from reversegen.engines.endpoint.call_log import Calls
from reversegen.engines.endpoint.calls import Call
from reversegen.engines.endpoint.connection import LONGEST_PAUSE, Connection
from reversegen.engines.endpoint.faults import Fault, failed_call, status_fault
from reversegen.engines.endpoint.replies import generated
from reversegen.ids import content_id

log = logging.getLogger("reversegen")

MOST_REQUESTS, MOST_BYTES = 50_000, 100_000_000
"""Of one batch. OpenAI takes 50,000 requests and 200 MB."""
QUIET = 1.0
"""Seconds without a new request after which those that wait are sent: the threads that ask do so one after the other."""
ENDED = {"completed", "expired", "cancelled", "failed"}
PAGES = 20
"""Pages of earlier batches that are looked through for one of ours whose id was lost."""


@dataclass
class WaitingRequest:
    """A request that waits for its answer."""

    content: str
    choices: int
    answer: asyncio.Future[list[Generated]]
    tries: int = 0


class Lost(Exception):
    """A batch may have been made, but its id did not arrive."""


class Batches:
    """Requests that wait for a batch, and batches that wait for the endpoint.

    Before a batch is made, `batch-NAME.json` beside the calls names its requests, and NAME is sent with it; then its id is
    added. A process that is killed in between finds the batch by NAME, one that is killed later by its id, so that none is
    made twice. The file goes when all that the batch answered is kept. While a process waits for a batch, it holds
    the lock of that file: others, as of the same stage cut into other shards, wait for what that one keeps.
    """

    def __init__(self, connection: Connection, calls: Calls, read: Callable[[str, int, bytes, bool], Call]) -> None:
        self._connection, self._calls, self._read = connection, calls, read
        self._waiting: dict[str, WaitingRequest] = {}
        self._new: deque[str] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._earlier: dict[str, asyncio.Task[None]] | None = None

    async def ask(self, key: str, content: str, choices: int) -> list[Generated]:
        """The answer to a request, when its batch has ended.

        It is invalid if the endpoint refuses it alone. Raises BadInput if the set-up is refused, and for a file of an earlier
        batch that cannot be read.
        """
        if self._earlier is None:
            self._earlier = self._find_earlier()
        if earlier := self._earlier.get(key):
            await asyncio.shield(earlier)
        if (kept := self._calls.find(key, choices)) is not None:
            return kept
        waiting = self._waiting[key] = WaitingRequest(content, choices, asyncio.get_running_loop().create_future())
        self._put(key)
        return await waiting.answer

    def _put(self, key: str) -> None:
        """Let a request wait for the next batch, which goes when it is full or nothing more comes."""
        self._new.append(key)
        if self._timer:
            self._timer.cancel()
        full = len(self._new) >= MOST_REQUESTS
        self._timer = asyncio.get_running_loop().call_later(0 if full else QUIET, self._send_all)

    def _send_all(self) -> None:
        while self._new:
            keys: list[str] = []
            size = 0
            while self._new and len(keys) < MOST_REQUESTS and size < MOST_BYTES:
                keys.append(self._new.popleft())
                size += len(self._waiting[keys[-1]].content)
            self._start(self._send({key: self._waiting[key].choices for key in keys}))

    async def _send(self, keys: dict[str, int]) -> None:
        """Make a batch of requests, and wait for it."""
        name = content_id(*keys, *(self._waiting[key].tries for key in keys))
        path = self._calls.folder / f"batch-{name}.json"
        with alone(path) as mine:
            if not mine:
                raise self._connection.end(f"another process waits for the batch of {path}; end one of them")
            await self._send_alone(name, path, keys)

    async def _send_alone(self, name: str, path: Path, keys: dict[str, int]) -> None:
        write_json(path, {"id": None, "keys": keys})
        lines = (
            f'{{"custom_id": "{key}", "method": "POST", "url": "/v1/chat/completions", "body": {self._waiting[key].content}}}\n'
            for key in keys
        )
        upload = {"file": ("requests.jsonl", "".join(lines).encode(), "application/jsonl")}
        file = await self._connection.ask("POST", "/files", reply_id, files=upload, data={"purpose": "batch"})
        body = {
            "input_file_id": file,
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
            "metadata": {"reversegen": name},
        }
        identity = await self._make(name, body)
        write_json(path, {"id": identity, "keys": keys})
        log.info("%s: batch %s of %d requests", self._connection.place, identity, len(keys))
        await self._wait_for(path, identity, keys)

    async def _make(self, name: str, body: dict[str, Any]) -> str:
        """The id of a new batch; one whose id was lost on the way is looked for, and not made again."""

        def failed(fault: Fault) -> None:
            raise Lost

        for tries in range(1, self._connection.limits.tries + 1):
            try:
                return await self._connection.ask("POST", "/batches", reply_id, failed, json=body)
            except Lost:
                await asyncio.sleep(min(LONGEST_PAUSE, 0.5 * 2.0**tries))
            if found := await self._find_by_name(name):
                return found
        raise self._connection.end(f"no batch could be made in {self._connection.limits.tries} tries")

    def _find_earlier(self) -> dict[str, asyncio.Task[None]]:
        """By request, the end of the batch of another process that holds it."""
        found = {path: read_batch(path)[1] for path in self._calls.batches()}
        self._calls.look()  # there are the answers of a batch that has ended since
        tasks: dict[str, asyncio.Task[None]] = {}
        for path, keys in found.items():
            tasks |= dict.fromkeys(keys, self._start(self._take_up(path)))
        return tasks

    async def _take_up(self, path: Path) -> None:
        """Go on with the batch of a process that was killed; while it lives, wait for what it keeps."""
        while True:
            with alone(path) as mine:
                if mine:
                    await self._go_on(path)
                    return
            await asyncio.sleep(self._connection.limits.poll)

    async def _go_on(self, path: Path) -> None:
        self._calls.look()  # another may have kept some of it, or all
        if not path.exists():
            return
        identity, keys = read_batch(path)
        identity = identity or await self._find_by_name(path.stem.removeprefix("batch-"))
        if identity is None:  # it was not made
            path.unlink()
            return
        write_json(path, {"id": identity, "keys": keys})
        log.info("%s: going on with batch %s of %d requests", self._connection.place, identity, len(keys))
        await self._wait_for(path, identity, keys)

    async def _find_by_name(self, name: str) -> str | None:
        after = ""
        for _ in range(PAGES):
            page = await self._connection.ask("GET", f"/batches?limit=100{after}", reply_object)
            batches = [batch for batch in page.get("data") or [] if isinstance(batch, dict)]
            for batch in batches:
                named = (batch.get("metadata") or {}).get("reversegen") == name
                if named and batch.get("status") not in ENDED - {"completed"}:
                    return checked_id(batch.get("id"))
            if not page.get("has_more") or not batches:
                break
            after = f"&after={checked_id(batches[-1].get('id'))}"
        return None

    async def _wait_for(self, path: Path, identity: str, keys: dict[str, int]) -> None:
        """Look at a batch until it has ended, keep its answers, and ask again what it did not answer."""
        gone = f"batch {identity} or its output is gone; delete {path} to ask its {len(keys)} requests again, at their price"
        place = f"/batches/{identity}"
        while (batch := await self._connection.ask("GET", place, batch_state, gone=gone))["status"] not in ENDED:
            await asyncio.sleep(self._connection.limits.poll)
        lines: list[bytes] = []
        for name in ("output_file_id", "error_file_id"):
            if batch.get(name):
                file = f"/files/{checked_id(batch[name])}/content"
                lines += (await self._connection.ask("GET", file, lambda content: content, gone=gone)).splitlines()
        left: dict[str, Fault] = {key: Fault("again", "no reply", None) for key in keys}
        before = self._connection.answers
        for line in lines:
            self._keep(line, keys, left)
        path.unlink(missing_ok=True)
        if batch["status"] == "failed":
            raise self._connection.end(f"batch {identity} failed before it began{why_failed(batch)}")
        if left:
            log.warning("%s: batch %s: %d requests unanswered", self._connection.place, identity, len(left))
        self._blame(identity, keys, left, others=self._connection.answers > before)

    def _blame(self, identity: str, keys: dict[str, int], left: dict[str, Fault], *, others: bool) -> None:
        """Close what a batch left by an item's own fault, ask again what another try may answer, and end for what none does.

        `others`: the batch answered some requests.
        """
        refused: BadInput | None = None
        again, closed = [], set[str]()
        for key, fault in left.items():
            tries = self._waiting[key].tries + 1 if key in self._waiting else 0
            try:
                if fault.blame == "setup":
                    raise self._connection.end(f"batch {identity}: {fault.words}")
                if fault.blame == "again" and not self._connection.exhausted(fault, tries, others=others):
                    again.append(key)
                else:
                    self._connection.doubt(fault, self._waiting[key].content if key in self._waiting else key)
                    closed.add(key)
            except BadInput as error:  # raised after all others are kept
                refused = refused or error
        for key, fault in left.items():
            if key in closed and (fault.blame == "item" or not refused):
                self._answer(key, keys[key], failed_call(key, fault, batch=True, invalid=True))
            else:
                self._calls.add(failed_call(key, fault, batch=True))
        if refused:
            raise refused
        again = [key for key in again if key in self._waiting]
        for key in again:
            self._waiting[key].tries += 1
        if again:  # a batch is one try of the job's, however many requests it left
            worst = max(again, key=lambda key: self._waiting[key].tries)
            self._connection.count(self._waiting[worst].tries, left[worst].level, what=left[worst].reason)
        for key in again:
            self._put(key)

    def _keep(self, line: bytes, keys: dict[str, int], left: dict[str, Fault]) -> None:
        """Keep what a line of a batch's output answers, and take it out of what is `left`; note why one answers nothing."""
        try:
            content = json.loads(line)
            key, reply = str(content["custom_id"]), content.get("response") or {}
            status = int(reply.get("status_code") or 500)
            body = json.dumps(reply.get("body") or {"error": content.get("error")}).encode()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return
        if key not in left:
            return
        try:
            if status != 200:
                raise status_fault(status, body, self._connection.endpoint)
            kept = self._calls.find(key, keys[key])  # a process that was killed in the middle of this has kept some
            call = None if kept is not None else self._read(key, keys[key], body, True)
        except Fault as fault:
            left[key] = fault
            return
        del left[key]
        self._connection.answers += 1
        if call:
            self._answer(key, keys[key], call)
        elif waiting := self._waiting.pop(key, None):
            waiting.answer.set_result(kept or [])

    def _answer(self, key: str, n: int, call: Call) -> None:
        """Keep the call that ends a request, and give it to who asks."""
        self._calls.add(call, remember=key not in self._waiting)
        if waiting := self._waiting.pop(key, None):
            waiting.answer.set_result(generated(call, self._calls.reading, n))

    def _start(self, work: Awaitable[None]) -> asyncio.Task[None]:
        """Do something beside; its error is that of all who wait."""

        async def guarded() -> None:
            try:
                await work
            except Exception as error:
                for waiting in self._waiting.values():
                    if not waiting.answer.done():
                        waiting.answer.set_exception(error)
                raise

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            task.exception()  # it has been told

        task = asyncio.ensure_future(guarded())
        self._tasks.add(task)  # the loop itself keeps no hold of a task
        task.add_done_callback(ended)
        return task
