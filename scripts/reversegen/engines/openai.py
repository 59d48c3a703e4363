"""The engine that asks an OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from reversegen.calls import Calls, generated
from reversegen.configuration import Endpoint, Limits
from reversegen.engine import Decoding, Generated, Request
from reversegen.engines.batches import Batches
from reversegen.engines.connection import Connection, Unreadable
from reversegen.errors import BadInput
from reversegen.hashing import content_id
from reversegen.records import Answer, Call

log = logging.getLogger("reversegen")

BATCHES_AT_ONCE = 1000
"""Through the Batch API: threads that wait. A stage of more batches takes turns; give it a larger `batch_size`."""


class OpenAIEngine:
    """Chat completions of an OpenAI-compatible endpoint, many at the same time; what it answers is kept in `calls`.

    Threads that call `generate` share one event loop and its limits. Requests that are the same word for word at the same
    time are asked once.
    """

    def __init__(self, endpoint: Endpoint, limits: Limits, decoding: Decoding, calls: Path) -> None:
        self.endpoint, self.decoding = endpoint, decoding
        self.identity = content_id(endpoint.base_url, endpoint.model, repr(decoding))
        self.at_once = limits.concurrency if limits.mode == "online" else BATCHES_AT_ONCE
        self._connection, self._calls = Connection(endpoint, limits), Calls(calls)
        self._batches = Batches(self._connection, self._calls, self._read) if limits.mode == "batch" else None
        self._uncounted = False
        self._under_way: dict[str, asyncio.Future[list[Generated]]] = {}
        self._starting, self._loop = threading.Lock(), asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="endpoint", daemon=True)

    def generate(self, requests: Sequence[Request], n: int, seed: int) -> list[list[Generated]]:
        """`n` choices of each conversation. May be called by `at_once` threads.

        Raises BadInput for plain text, since proposers are not asked over a chat API, and where the endpoint refuses or fails
        for good. All that was answered by then is kept.
        """
        bodies = [self._body(request, n, seed) for request in requests]
        with self._starting:
            if not self._thread.ident:
                self._thread.start()
        return asyncio.run_coroutine_threadsafe(self._answers(bodies), self._loop).result()

    def choose(self, requests: Sequence[Request], options: Sequence[Sequence[str]]) -> list[dict[str, float]]:
        """Raises BadInput: a chat API does not give the probabilities of given options."""
        raise BadInput(
            f"endpoint {self.endpoint.base_url}: gives no probabilities of options; a target of the kind honesty must be a "
            "hub id or a folder"
        )

    def _body(self, request: Request, n: int, seed: int) -> dict[str, Any]:
        if not request.messages:
            raise BadInput(f"endpoint {self.endpoint.base_url}: cannot continue plain text; it serves conversations")
        if request.template:
            raise BadInput(
                f"endpoint {self.endpoint.base_url}: takes no arguments of a chat template, which this judge needs; name a hub "
                "id or a folder"
            )
        body = {
            "model": self.endpoint.model,
            "messages": [m.model_dump() for m in request.messages],
            "max_tokens": self.decoding.max_new_tokens,
            "temperature": self.decoding.temperature,
            "top_p": self.decoding.top_p,
            "n": n,
        }
        if self.decoding.temperature > 0:  # a greedy answer depends on no draw
            body["seed"] = seed % 2**31
        if request.schema:
            schema = {"name": "reply", "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body

    async def _answers(self, bodies: Sequence[dict[str, Any]]) -> list[list[Generated]]:
        """All answers, or the first error when all have ended: what is under way is paid for, and kept."""
        found = await asyncio.gather(*map(self._answer, bodies), return_exceptions=True)
        answers = []
        for one in found:
            if isinstance(one, BaseException):
                raise one
            answers.append(one)
        return answers

    def _answer(self, body: dict[str, Any]) -> asyncio.Future[list[Generated]]:
        content = json.dumps(body)
        key = content_id(self.endpoint.base_url, content)
        if (kept := self._calls.find(key)) is not None:
            known: asyncio.Future[list[Generated]] = self._loop.create_future()
            known.set_result(kept)
            return known
        if key not in self._under_way:
            ask: Callable[..., Awaitable[list[Generated]]] = self._batches.ask if self._batches else self._ask
            self._under_way[key] = asyncio.ensure_future(ask(key, content, body["n"]))
            self._under_way[key].add_done_callback(lambda _: self._under_way.pop(key))
        return self._under_way[key]

    async def _ask(self, key: str, content: str, n: int) -> list[Generated]:
        def read(reply: bytes) -> list[Generated]:
            try:
                call = self._read(key, n, reply, batch=False)
            except BadInput as error:
                raise self._connection.end(str(error)) from None
            self._calls.add(call)
            return generated(call)

        def failed(status: int | None) -> None:
            if status != 200:  # `_read` has kept what one that cannot be read has cost
                self._calls.add(Call(key=key, status=status, tokens_in=0, tokens_out=0, batch=False, answers=None))

        tokens = len(content) // 4 + n * self.decoding.max_new_tokens
        headers = {"Content-Type": "application/json"}
        return await self._connection.ask(
            "POST", "/chat/completions", read, failed, tokens, content=content.encode(), headers=headers
        )

    def _read(self, key: str, n: int, reply: bytes, batch: bool) -> Call:
        """A reply's choices. Raises Unreadable where it is none, BadInput where it has more or fewer than `n`.

        Either is paid for all the same: its tokens are kept before.
        """
        tokens_in = tokens_out = 0
        answers: list[Answer] | None = None
        try:
            content = json.loads(reply)
            usage = content.get("usage")
            tokens_in, tokens_out = (self._count(usage, f"{name}_tokens") for name in ("prompt", "completion"))
            answers = [
                Answer(
                    text=_said(choice["message"]).encode(errors="replace").decode(),
                    tokens=tokens_out // n,
                    finished=choice.get("finish_reason") == "stop",
                )
                for choice in content.get("choices") or []
            ]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        call = partial(Call, key=key, status=200, tokens_in=tokens_in, tokens_out=tokens_out, batch=batch)
        if answers is not None and len(answers) == n:
            return call(answers=answers)
        self._calls.add(call(answers=None))
        if answers is None:
            raise Unreadable
        why = "does it support `n`?" if answers else "its reply has no choices, as one that tells an error"
        raise BadInput(f"{len(answers)} answers where {n} were asked for; {why}")

    def _count(self, usage: Any, name: str) -> int:
        """Tokens that the endpoint says it counted; none where it says nothing that can be read, which is logged once."""
        count = usage.get(name) if isinstance(usage, dict) else None
        if isinstance(count, int) and count >= 0:
            return count
        if not self._uncounted:
            log.warning("%s: tells no %s: they count as none in plans and budgets", self._connection.place, name)
        self._uncounted = True
        return 0


def _said(message: dict[str, Any]) -> str:
    """The text of an answer, or of the refusal that stands in its place; none of a call of a tool.

    Raises TypeError where it is no text.
    """
    text = message.get("content")
    if text is None:
        text = message.get("refusal") or ""
    if not isinstance(text, str):
        raise TypeError
    return text
