"""The engine that asks an OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reversegen.config.models import Endpoint, Limits, ModelUse, Thinking
from reversegen.core.errors import BadInput
from reversegen.engines.base import Decoding, Generated, Request
from reversegen.engines.endpoint.batch_api import Batches
from reversegen.engines.endpoint.call_log import Calls
from reversegen.engines.endpoint.calls import Call
from reversegen.engines.endpoint.connection import Connection
from reversegen.engines.endpoint.faults import UNREADABLE, Fault, body_fault, failed_call
from reversegen.engines.endpoint.replies import Reading, Unreadable, generated
from reversegen.ids import content_id, hashed_seed

log = logging.getLogger("reversegen")

BATCHES_AT_ONCE = 1000
"""Batches that may wait in the Batch API at once, one thread each. A stage with more of them takes turns; give it a larger
`batch_size`."""


@dataclass(frozen=True)
class KeyedRequest:
    """A request as it is sent, with the key of its answer."""

    key: str
    content: str
    choices: int


class OpenAIEngine:
    """Chat completions of an OpenAI-compatible endpoint, many at the same time. Its answers are kept in `calls`.

    Threads that call `generate` share one event loop and its limits. Identical requests at the same time are sent once.
    `thinking` and `template`, the arguments of the chat template, are settings of the model.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        limits: Limits,
        decoding: Decoding,
        calls: Path,
        thinking: Thinking | None = None,
        template: Mapping[str, Any] | None = None,
    ) -> None:
        self.endpoint, self.decoding, self._template = endpoint, decoding, dict(template or {})
        budget = thinking.max_tokens if thinking and thinking.enabled else 0
        self._reading = Reading(decoding.max_new_tokens + budget, thinking)
        self.identity = content_id(endpoint.base_url, endpoint.model, repr(decoding), *self._settings())
        self.at_once = limits.concurrency if limits.mode == "online" else BATCHES_AT_ONCE
        self._connection, self._calls = Connection(endpoint, limits), Calls(calls, self._reading)
        self._batches = Batches(self._connection, self._calls, self._read) if limits.mode == "batch" else None
        self._uncounted = False
        self._under_way: dict[str, asyncio.Future[list[Generated]]] = {}
        self._starting, self._loop = threading.Lock(), asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="endpoint", daemon=True)

    def _settings(self) -> list[str]:
        """The other settings that decide an answer; empty for an endpoint that is asked in the plain form."""
        sent = self.endpoint.model_dump(
            include={"max_tokens_field", "omit", "extra_body", "one_choice"}, exclude_defaults=True
        )
        thinking = self._reading.thinking
        sent |= {"thinking": thinking.model_dump()} if thinking else {}
        sent |= {"chat_template_kwargs": self._template} if self._template else {}
        return [json.dumps(sent, sort_keys=True)] if sent else []

    def request_texts(self, requests: Sequence[Request]) -> list[str]:
        """The messages of each conversation as they are sent, and the schema. How the endpoint renders them is unknown."""
        return [
            json.dumps({"messages": [m.model_dump() for m in request.messages], "schema": request.schema})
            for request in requests
        ]

    def generate(self, requests: Sequence[Request], n: int, seed: int) -> list[list[Generated]]:
        """`n` choices of each conversation. May be called by `at_once` threads.

        The choices are invalid, with the reason, if the endpoint refuses only this conversation or gives no readable reply to
        it. Raises BadInput for plain text, since proposers are not asked over a chat API, and if the endpoint refuses the
        set-up or fails permanently. The answers that arrived before the error are kept.
        """
        keyed = [self._keyed_requests(request, n, seed) for request in requests]
        with self._starting:
            if not self._thread.ident:
                self._thread.start()
        return asyncio.run_coroutine_threadsafe(self._answers(keyed), self._loop).result()

    def choose(self, requests: Sequence[Request], options: Sequence[Sequence[str]]) -> list[dict[str, float]]:
        """Raises BadInput: a chat API does not give the probabilities of given options."""
        raise BadInput(
            f"endpoint {self.endpoint.base_url}: gives no probabilities of options, which this kind needs; name a hub id or a "
            "folder as target"
        )

    def _keyed_requests(self, request: Request, n: int, seed: int) -> list[KeyedRequest]:
        """The requests for `n` choices: one request, or one for each choice if the endpoint gives one choice at a time."""
        if not request.messages:
            raise BadInput(
                f"endpoint {self.endpoint.base_url}: cannot continue plain text, only conversations; name a hub id or a folder"
            )
        if request.template:
            raise BadInput(
                f"endpoint {self.endpoint.base_url}: takes no arguments of a chat template, which this judge needs; name a hub "
                "id or a folder"
            )
        if not self.endpoint.one_choice:
            return [self._keyed_request(request, n, seed)]
        return [self._keyed_request(request, 1, hashed_seed(seed, number) if number else seed) for number in range(n)]

    def _keyed_request(self, request: Request, n: int, seed: int) -> KeyedRequest:
        """A request with its key. The key distinguishes two draws that differ only in a seed which is not sent."""
        content = json.dumps(self._body(request, n, seed))
        unsent = [seed % 2**31] if self.decoding.temperature > 0 and "seed" in self.endpoint.omit else []
        return KeyedRequest(content_id(self.endpoint.base_url, content, *unsent), content, n)

    def _body(self, request: Request, n: int, seed: int) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.endpoint.model,
            "messages": [m.model_dump() for m in request.messages],
            self.endpoint.max_tokens_field: self._reading.limit,
            "temperature": self.decoding.temperature,
            "top_p": self.decoding.top_p,
        }
        if not self.endpoint.one_choice:
            body["n"] = n
        if self.decoding.temperature > 0:  # a greedy answer needs no seed
            body["seed"] = seed % 2**31
        body = {key: value for key, value in body.items() if key not in self.endpoint.omit} | self.endpoint.extra_body
        if self._template:
            body["chat_template_kwargs"] = body.get("chat_template_kwargs", {}) | self._template
        if request.schema:
            schema = {"name": "reply", "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body

    async def _answers(self, keyed: Sequence[Sequence[KeyedRequest]]) -> list[list[Generated]]:
        """All answers, or the first error once every request has ended: each request is paid for, so its answer is kept."""
        replies = await asyncio.gather(
            *(self._answer(one) for several in keyed for one in several), return_exceptions=True
        )
        drawn: list[list[Generated]] = []
        for one in replies:
            if isinstance(one, BaseException):
                raise one
            drawn.append(one)
        choices = iter(drawn)
        return [[choice for _ in several for choice in next(choices)] for several in keyed]

    def _answer(self, request: KeyedRequest) -> asyncio.Future[list[Generated]]:
        if (earlier := self._calls.find(request.key, request.choices)) is not None:
            future: asyncio.Future[list[Generated]] = self._loop.create_future()
            future.set_result(earlier)
            return future
        if request.key not in self._under_way:
            ask: Callable[..., Awaitable[list[Generated]]] = self._batches.ask if self._batches else self._ask
            self._under_way[request.key] = asyncio.ensure_future(ask(request.key, request.content, request.choices))
            self._under_way[request.key].add_done_callback(lambda _: self._under_way.pop(request.key))
        return self._under_way[request.key]

    async def _ask(self, key: str, content: str, n: int) -> list[Generated]:
        def read(reply: bytes) -> Call:
            return self._read(key, n, reply, batch=False)

        def failed(fault: Fault) -> None:
            self._calls.add(failed_call(key, fault, batch=False))

        tokens = len(content) // 4 + n * self._reading.limit
        try:
            call = await self._connection.ask_item(read, failed, tokens, content)
        except Fault as fault:
            call = failed_call(key, fault, batch=False, invalid=True)
        self._calls.add(call)
        return generated(call, self._reading, n)

    def _read(self, key: str, n: int, reply: bytes, batch: bool) -> Call:
        """The call of a reply with `n` readable choices. Raises Fault for any other reply."""
        try:
            content = json.loads(reply)
        except (ValueError, RecursionError):
            raise Fault("again", UNREADABLE) from None
        choices, usage = (content.get(name) if isinstance(content, dict) else None for name in ("choices", "usage"))
        tokens = (0, 0)
        if choices or usage:
            tokens = self._count(usage, "prompt_tokens"), self._count(usage, "completion_tokens")
        try:
            if not (choices and isinstance(choices, list)) or content.get("error"):
                raise body_fault(content, self.endpoint)
            if len(choices) != n:
                why = f"{len(choices)} answers where {n} were asked for"
                raise Fault("unclear", why, advice="does it support `n`? If not, set endpoint.one_choice: true")
            try:
                return self._call(key, choices, tokens, batch, n)
            except Unreadable as unreadable:
                raise body_fault({"error": unreadable.error}, self.endpoint) from None
        except Fault as fault:
            fault.tokens = tokens
            raise

    def _call(self, key: str, choices: list[Any], tokens: tuple[int, int], batch: bool, n: int) -> Call:
        """The call of a reply, in the form in which its file will return it. Raises Unreadable."""
        fields = {"key": key, "status": 200, "tokens_in": tokens[0], "tokens_out": tokens[1], "batch": batch}
        try:  # a lone surrogate or endless nesting could not be read back from the file
            line = json.dumps({**fields, "choices": choices}, ensure_ascii=False).encode(errors="replace")
            call = Call.model_validate_json(line)
        except (ValueError, RecursionError):
            raise Unreadable from None
        generated(call, self._reading, n)
        return call

    def _count(self, usage: Any, name: str) -> int:
        """The number of tokens that the endpoint counted; 0 if it gives no readable count, which is logged once."""
        count = usage.get(name) if isinstance(usage, dict) else None
        if isinstance(count, int) and not isinstance(count, bool) and count >= 0:
            return count
        if not self._uncounted:
            log.warning("%s: gives no readable %s; they count as 0 in plans and budgets", self._connection.place, name)
        self._uncounted = True
        return 0


def open_engine(
    model: ModelUse, folder: Path | None, decoding: Decoding, threads: int, calls: Path | None, limits: Limits | None
) -> OpenAIEngine:
    """The engine of a model's endpoint. It keeps its answers in the folder `calls`."""
    assert model.endpoint is not None
    assert calls is not None
    return OpenAIEngine(model.endpoint, limits or Limits(), decoding, calls, model.thinking, model.chat_template_kwargs)
