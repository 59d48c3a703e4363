"""The Batch API of an endpoint: requests go up in a file, answers come down in one, within a day and at half the price.

https://platform.openai.com/docs/guides/batch: a line of the input holds `custom_id`, `method`, `url` and `body`; one of the
output `custom_id`, `response` with `status_code` and `body`, and `error`. Lines come in any order.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reversegen.artefacts import read_json, write_json
from reversegen.calls import Calls, generated
from reversegen.engine import Generated
from reversegen.engines.connection import AGAIN, LONGEST_PAUSE, Connection, Unreadable
from reversegen.hashing import content_id
from reversegen.records import Call

log = logging.getLogger("reversegen")

MOST_REQUESTS, MOST_BYTES = 50_000, 100_000_000
"""Of one batch. OpenAI takes 50,000 requests and 200 MB."""
QUIET = 1.0
"""Seconds without a new request after which those that wait are sent: the threads that ask do so one after the other."""
ENDED = {"completed", "expired", "cancelled", "failed"}
PAGES = 20
"""Pages of earlier batches that are looked through for one of ours whose id was lost."""


@dataclass
class Asked:
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
    made twice. The file goes when all that the batch answered is kept.
    """

    def __init__(self, connection: Connection, calls: Calls, read: Callable[[str, int, bytes, bool], Call]) -> None:
        self._connection, self._calls, self._read = connection, calls, read
        self._asked: dict[str, Asked] = {}
        self._new: deque[str] = deque()
        self._sent: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._found: asyncio.Task[None] | None = None

    async def ask(self, key: str, content: str, choices: int) -> list[Generated]:
        """The answer to a request, when its batch has ended. Raises BadInput where the endpoint refuses it."""
        asked = self._asked[key] = Asked(content, choices, asyncio.get_running_loop().create_future())
        if self._found is None:
            self._found = self._start(self._find_earlier())
        await asyncio.wait([self._found])
        if (kept := self._calls.find(key)) is not None:
            return kept
        if key not in self._sent:
            self._put(key)
        return await asked.answer

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
                size += len(self._asked[keys[-1]].content)
            self._sent |= set(keys)
            self._start(self._send({key: self._asked[key].choices for key in keys}))

    async def _send(self, keys: dict[str, int]) -> None:
        """Make a batch of requests, and wait for it."""
        name = content_id(*keys, *(self._asked[key].tries for key in keys))
        path = self._path(name)
        write_json(path, {"id": None, "keys": keys})
        lines = (
            f'{{"custom_id": "{key}", "method": "POST", "url": "/v1/chat/completions", "body": {self._asked[key].content}}}\n'
            for key in keys
        )
        upload = {"file": ("requests.jsonl", "".join(lines).encode(), "application/jsonl")}
        file = await self._connection.ask("POST", "/files", _identity, files=upload, data={"purpose": "batch"})
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

        def failed(status: int | None) -> None:
            raise Lost

        for tries in range(1, self._connection.limits.tries + 1):
            try:
                return await self._connection.ask("POST", "/batches", _identity, failed, json=body)
            except Lost:
                await asyncio.sleep(min(LONGEST_PAUSE, 0.5 * 2.0**tries))
            if found := await self._find_by_name(name):
                return found
        raise self._connection.end(f"no batch could be made in {self._connection.limits.tries} tries")

    async def _find_earlier(self) -> None:
        """Take up the batches of a process that was killed."""
        for path in sorted(self._calls.folder.glob("batch-*.json")):
            content = read_json(path)
            identity, keys = content["id"], content["keys"]
            identity = identity or await self._find_by_name(path.stem.removeprefix("batch-"))
            if identity is None:  # it was not made
                path.unlink()
                continue
            write_json(path, {"id": identity, "keys": keys})
            log.info("%s: going on with batch %s of %d requests", self._connection.place, identity, len(keys))
            self._sent |= set(keys)
            self._start(self._wait_for(path, identity, keys))

    async def _find_by_name(self, name: str) -> str | None:
        after = ""
        for _ in range(PAGES):
            page = await self._connection.ask("GET", f"/batches?limit=100{after}", _object)
            batches = [batch for batch in page.get("data") or [] if isinstance(batch, dict)]
            for batch in batches:
                named = (batch.get("metadata") or {}).get("reversegen") == name
                if named and batch.get("status") not in ENDED - {"completed"}:
                    return _checked(batch.get("id"))
            if not page.get("has_more") or not batches:
                break
            after = f"&after={_checked(batches[-1].get('id'))}"
        return None

    async def _wait_for(self, path: Path, identity: str, keys: dict[str, int]) -> None:
        """Look at a batch until it has ended, keep its answers, and ask again what it did not answer."""
        gone = f"batch {identity} or its output is gone; delete {path} to ask its {len(keys)} requests again, at their price"
        place = f"/batches/{identity}"
        while (batch := await self._connection.ask("GET", place, _object, gone=gone)).get("status") not in ENDED:
            await asyncio.sleep(self._connection.limits.poll)
        statuses: dict[str, int | None] = {}
        for name in ("output_file_id", "error_file_id"):
            if batch.get(name):
                file = f"/files/{_checked(batch[name])}/content"
                for line in (await self._connection.ask("GET", file, lambda content: content, gone=gone)).splitlines():
                    self._keep(line, keys, statuses)
        path.unlink(missing_ok=True)
        if batch["status"] == "failed":
            raise self._connection.end(f"batch {identity} failed before it began; the endpoint's own page tells why")
        left = [key for key in keys if key not in statuses or statuses[key] != 200]
        if left:
            log.warning("%s: batch %s: %d requests unanswered", self._connection.place, identity, len(left))
        for key in left:
            status = statuses.get(key)
            self._calls.add(Call(key=key, status=status, tokens_in=0, tokens_out=0, batch=True, answers=None))
            self._sent.discard(key)
            if status is not None and status != 200 and status < 500 and status not in AGAIN:
                raise self._connection.end(f"status {status} in batch {identity}; it was not asked again")
        again = [key for key in left if key in self._asked]
        for key in again:
            self._asked[key].tries += 1
        if again:  # a batch is one try of the job's, however many requests it left
            self._connection.count(max(self._asked[key].tries for key in again), statuses.get(again[0]))
        for key in again:
            self._put(key)

    def _keep(self, line: bytes, keys: dict[str, int], statuses: dict[str, int | None]) -> None:
        """Keep what a line of a batch's output answers; one that cannot be read answers nothing."""
        try:
            content = json.loads(line)
            key, reply = content["custom_id"], content.get("response") or {}
            status = int(reply.get("status_code") or 500)
            body = json.dumps(reply.get("body")).encode()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return
        if key not in keys or statuses.get(key) == 200:
            return
        statuses[key] = status
        if status != 200:
            return
        kept = self._calls.find(key)  # a process that was killed in the middle of this has kept some
        if kept is None:
            try:
                call = self._read(key, keys[key], body, True)
            except Unreadable:
                statuses[key] = None
                return
            self._calls.add(call, remember=key not in self._asked)
            kept = generated(call)
        if asked := self._asked.pop(key, None):
            asked.answer.set_result(kept)

    def _start(self, work: Awaitable[None]) -> asyncio.Task[None]:
        """Do something beside; its error is that of all who wait."""

        async def guarded() -> None:
            try:
                await work
            except Exception as error:
                for asked in self._asked.values():
                    if not asked.answer.done():
                        asked.answer.set_exception(error)

        task = asyncio.ensure_future(guarded())
        self._tasks.add(task)  # the loop itself keeps no hold of a task
        task.add_done_callback(self._tasks.discard)
        return task

    def _path(self, name: str) -> Path:
        return self._calls.folder / f"batch-{name}.json"


def _object(reply: bytes) -> dict[str, Any]:
    try:
        content = json.loads(reply)
    except (ValueError, RecursionError):
        raise Unreadable from None
    if not isinstance(content, dict):
        raise Unreadable
    return content


def _identity(reply: bytes) -> str:
    return _checked(_object(reply).get("id"))


def _checked(identity: Any) -> str:
    """An id that an endpoint gave, which becomes part of an address."""
    if not isinstance(identity, str) or not re.fullmatch(r"[\w-]{1,200}", identity):
        raise Unreadable
    return identity
