"""The Batch API of an endpoint: requests are uploaded in one file and answered in another, within a day and at half the price.

https://platform.openai.com/docs/guides/batch: an input line holds `custom_id`, `method`, `url` and `body`; an output line holds
`custom_id`, `response` with `status_code` and `body`, and `error`. Output lines come in any order.
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
from reversegen.engines.endpoint.connection import Connection, longest_pause
from reversegen.engines.endpoint.faults import Fault, failed_call, status_fault
from reversegen.engines.endpoint.replies import generated
from reversegen.ids import content_id

log = logging.getLogger("reversegen")

MOST_REQUESTS, MOST_BYTES = 50_000, 100_000_000
"""Limits of one batch. OpenAI accepts 50,000 requests and 200 MB."""
QUIET = 1.0
"""Seconds without a new request after which the waiting ones are sent. Threads add requests one after the other."""
ENDED = {"completed", "expired", "cancelled", "failed"}
PAGES = 20
"""Pages of earlier batches to search for a batch of ours whose id was lost."""


@dataclass
class WaitingRequest:
    """A request that waits for its answer."""

    content: str
    choices: int
    answer: asyncio.Future[list[Generated]]
    tries: int = 0


class BatchIdLost(Exception):
    """A batch may have been created, but its id did not arrive."""


class Batches:
    """Requests that wait for a batch, and batches that wait for the endpoint.

    Before a batch is created, the file `batch-NAME.json` beside the calls names its requests, and NAME is sent with the batch.
    The file then gets the batch's id. A later process finds the batch of a killed one by its id, or by NAME if the kill came
    before the id, so no batch is created twice. The file is deleted once all answers of the batch are kept. While a process
    waits for a batch, it holds the lock of that file. Other processes, such as those of another split of the same stage into
    shards, wait for the answers that it keeps.
    """

    def __init__(self, connection: Connection, calls: Calls, read: Callable[[str, int, bytes, bool], Call]) -> None:
        self._connection, self._calls, self._read = connection, calls, read
        self._waiting: dict[str, WaitingRequest] = {}
        self._new: deque[str] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._earlier: dict[str, asyncio.Task[None]] | None = None

    async def ask(self, key: str, content: str, choices: int) -> list[Generated]:
        """The answer to a request, once its batch has ended.

        The answer is invalid if the endpoint refuses only this request. Raises BadInput if the set-up is refused, and if the
        file of an earlier batch cannot be read.
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
        """Add a request to the next batch, which is sent once it is full or no request has come for a while."""
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
        """Create a batch of requests and wait for it."""
        name = content_id(*keys, *(self._waiting[key].tries for key in keys))
        path = self._calls.folder / f"batch-{name}.json"
        with alone(path) as mine:
            if not mine:
                raise self._connection.end(f"another process waits for the batch of {path}; end one of the two")
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
        """The id of a new batch. If the id is lost on the way, the batch is searched for before another one is created."""

        def failed(fault: Fault) -> None:
            raise BatchIdLost

        for tries in range(1, self._connection.limits.tries + 1):
            try:
                return await self._connection.ask("POST", "/batches", reply_id, failed, json=body)
            except BatchIdLost:
                await asyncio.sleep(longest_pause(tries))
            if identity := await self._find_by_name(name):
                return identity
        tries = self._connection.limits.tries
        raise self._connection.end(f"no batch could be created in {tries} tries; run the same command again")

    def _find_earlier(self) -> dict[str, asyncio.Task[None]]:
        """For each request in a batch of another process, the task that waits for the end of that batch."""
        batches = {path: read_batch(path)[1] for path in self._calls.batches()}
        self._calls.look()  # finds the answers of batches that have ended meanwhile
        tasks: dict[str, asyncio.Task[None]] = {}
        for path, keys in batches.items():
            tasks |= dict.fromkeys(keys, self._start(self._resume_or_wait(path)))
        return tasks

    async def _resume_or_wait(self, path: Path) -> None:
        """Resume the batch of a process that was killed. While that process lives, wait for the answers that it keeps."""
        waiting = False
        while True:
            with alone(path) as mine:
                if mine:
                    await self._resume(path)
                    return
            if not waiting:
                log.info("%s: waiting for the batch of another process, %s", self._connection.place, path)
                waiting = True
            await asyncio.sleep(self._connection.limits.poll)

    async def _resume(self, path: Path) -> None:
        self._calls.look()  # another process may have kept some or all answers
        if not path.exists():
            return
        identity, keys = read_batch(path)
        identity = identity or await self._find_by_name(path.stem.removeprefix("batch-"))
        if identity is None:  # the batch was never created
            path.unlink()
            return
        write_json(path, {"id": identity, "keys": keys})
        log.info("%s: resuming batch %s of %d requests", self._connection.place, identity, len(keys))
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
        """Check a batch until it has ended, keep its answers, and ask its unanswered requests again."""
        gone = f"batch {identity} or its output is gone; delete {path} to ask its {len(keys)} requests again, at full price"
        place = f"/batches/{identity}"
        while (batch := await self._connection.ask("GET", place, batch_state, gone=gone))["status"] not in ENDED:
            await asyncio.sleep(self._connection.limits.poll)
        lines: list[bytes] = []
        for name in ("output_file_id", "error_file_id"):
            if batch.get(name):
                file = f"/files/{checked_id(batch[name])}/content"
                lines += (await self._connection.ask("GET", file, lambda content: content, gone=gone)).splitlines()
        unanswered: dict[str, Fault] = {key: Fault("again", "no reply", None) for key in keys}
        before = self._connection.answers
        for line in lines:
            self._keep(line, keys, unanswered)
        path.unlink(missing_ok=True)
        if batch["status"] == "failed":
            raise self._connection.end(f"batch {identity} failed before it began{why_failed(batch)}")
        if unanswered:
            log.warning("%s: batch %s left %d requests unanswered", self._connection.place, identity, len(unanswered))
        self._blame(identity, keys, unanswered, others=self._connection.answers > before)

    def _blame(self, identity: str, keys: dict[str, int], unanswered: dict[str, Fault], *, others: bool) -> None:
        """Treat each unanswered request by its fault. `others`: whether the batch answered some requests.

        A request that failed by its own fault is closed. One that another try may answer is asked again. Any other fault ends
        the job.
        """
        refused: BadInput | None = None
        again, closed = [], set[str]()
        for key, fault in unanswered.items():
            tries = self._waiting[key].tries + 1 if key in self._waiting else 0
            try:
                if fault.blame == "setup":
                    raise self._connection.end(f"batch {identity}: {fault.words}")
                if fault.blame == "again" and not self._connection.exhausted(fault, tries, others=others):
                    again.append(key)
                else:
                    self._connection.doubt(fault, self._waiting[key].content if key in self._waiting else key)
                    closed.add(key)
            except BadInput as error:  # raised once all other requests are kept
                refused = refused or error
        for key, fault in unanswered.items():
            if key in closed and (fault.blame == "item" or not refused):
                self._answer(key, keys[key], failed_call(key, fault, batch=True, invalid=True))
            else:
                self._calls.add(failed_call(key, fault, batch=True))
        if refused:
            raise refused
        again = [key for key in again if key in self._waiting]
        for key in again:
            self._waiting[key].tries += 1
        if again:  # a batch counts as one try of the job, however many requests it left
            worst = max(again, key=lambda key: self._waiting[key].tries)
            self._connection.count(self._waiting[worst].tries, unanswered[worst].level, what=unanswered[worst].reason)
        for key in again:
            self._put(key)

    def _keep(self, line: bytes, keys: dict[str, int], unanswered: dict[str, Fault]) -> None:
        """Keep the answer in a line of a batch's output, and take its request out of `unanswered`.

        A line without an answer leaves its fault there instead.
        """
        try:
            content = json.loads(line)
            key, reply = str(content["custom_id"]), content.get("response") or {}
            status = int(reply.get("status_code") or 500)
            body = json.dumps(reply.get("body") or {"error": content.get("error")}).encode()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return
        if key not in unanswered:
            return
        try:
            if status != 200:
                raise status_fault(status, body, self._connection.endpoint)
            earlier = self._calls.find(key, keys[key])  # a process that was killed here has kept some
            call = None if earlier is not None else self._read(key, keys[key], body, True)
        except Fault as fault:
            unanswered[key] = fault
            return
        del unanswered[key]
        self._connection.answers += 1
        if call:
            self._answer(key, keys[key], call)
        elif waiting := self._waiting.pop(key, None):
            waiting.answer.set_result(earlier or [])

    def _answer(self, key: str, n: int, call: Call) -> None:
        """Keep the call that ends a request, and give its answer to the waiting caller."""
        self._calls.add(call, remember=key not in self._waiting)
        if waiting := self._waiting.pop(key, None):
            waiting.answer.set_result(generated(call, self._calls.reading, n))

    def _start(self, work: Awaitable[None]) -> asyncio.Task[None]:
        """Start a background task. Its error reaches all waiting requests."""

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
            task.exception()  # marks it as read: `guarded` has passed it on

        task = asyncio.ensure_future(guarded())
        self._tasks.add(task)  # the loop keeps only weak references to tasks
        task.add_done_callback(ended)
        return task
