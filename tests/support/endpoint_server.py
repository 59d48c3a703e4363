"""An OpenAI-compatible server for tests, which fails on purpose: python -m tests.support.endpoint_server --help

It answers chat completions itself, or forwards them to a real server, and has a Batch API. It notes each request and how it
ended, in memory or in a file of one JSON object per line, so that a test can count them after a kill.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import re
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FAULTS = ("429", "500", "broken", "cut", "dropped", "slow")
"""Too many requests, with Retry-After; a server error; half of the JSON; half of the bytes; no reply; a late reply."""
KEY = "not-a-secret"
REFUSED = {
    "filtered prompt": "content filter",
    "filtered answer": "content filter",
    "does not fit": "prompt too long",
    "too large": "prompt too long",
    "status 422": "status 422, value_error",
    "only a thought": "reasoning without an answer",
}
"""Quirks after which one item has no answer, each with the item's reason."""
ONCE = ("error in the body", "rate limit in the body", "no choices", "null choices", "errored choice", "unparsable")
"""Quirks that occur only at the first try."""
FORMS = ("plain", "parts", "thought part", "thought field", "reasoning", "end")
"""Quirks in the form of an answer."""
ENDS = ("eos_token", "eos", "stop_sequence", "end_turn", "STOP", "", None, "tool_calls", "COMPLETE")


@dataclass
class EndpointServer:
    """The behaviour of the server, and a record of its requests. The first tries of requests take the `faults` in turn."""

    faults: tuple[str, ...] = ()
    every: int = 1
    """One in this many new requests meets a fault, once."""
    delay: float = 0.0
    """Seconds before an answer."""
    slow: float = 30.0
    """Seconds before a slow answer."""
    upstream: int | None = None
    """Port of a real server on this machine, which answers instead."""
    redirect: str | None = None
    """Address to which every request is redirected."""
    status: int | None = None
    """Status with which every request is refused."""
    error_code: str = "made_for_a_test"
    retry_after: float = 0.2
    """Seconds that a reply with status 429 tells the client to wait."""
    said: dict[str, Any] = field(default_factory=dict)
    """The answer to each question; the server repeats any other question."""
    log: Path | None = None
    """File in which requests are noted, instead of memory."""
    batch_looks: int = 1
    """How often a batch is looked at before it is ready."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """(last turn of the conversation, how it ended), in order."""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    """When each request arrived, in seconds of the monotonic clock."""
    most_at_once: int = 0
    batches: list[dict[str, Any]] = field(default_factory=list)
    expire: int = 0
    """Number of requests that the first batch leaves unanswered."""
    gone: str = ""
    """The part of the Batch API's state that no longer exists: the `batch`, or its `output`."""
    replies: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By question, or "" for every other question: the replies in order, each with `status` and `body`. The last one
    repeats."""
    refuse: Callable[[dict[str, Any]], tuple[int, Any] | None] = lambda body: None
    """Status and content of the reply to a request body that the server refuses; None if it does not."""
    quirks: int | None = None
    """Number that draws a quirk of real servers for each question."""
    failed_batch: dict[str, Any] | None = None
    """Fields of the state of every batch; every batch then fails before it begins."""
    batch_errors: dict[str, Any] = field(default_factory=dict)
    """By question: the error of its line in a batch's output, which then has no response."""
    batch_status: str | None = "validating"
    """Status of a new batch. A batch makes progress only with the default."""
    lose_batch_id: bool = False
    """Whether the reply to the first creation of a batch is lost."""
    port: int = 0

    def __post_init__(self) -> None:
        self._tried: Counter[str] = Counter()
        self._replied: Counter[str] = Counter()
        self._now = 0
        self._files: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def answered(self) -> Counter[str]:
        """How often each question was answered completely."""
        return Counter(text for text, end in self.asked if end == "answered")

    @contextlib.contextmanager
    def running(self) -> Iterator[EndpointServer]:
        """Serve from a thread until the context ends."""
        loop = asyncio.new_event_loop()
        server = loop.run_until_complete(self.start())
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            yield self
        finally:
            server.close()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=2048)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.keys.append(headers.get("authorization"))
                method, path, _ = first.split(" ")
                if not await self._reply(writer, method, path, headers, body):
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _reply(
        self, writer: asyncio.StreamWriter, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> bool:
        """Answer one request. Returns whether the connection stays open."""
        if self.redirect:
            return _send(writer, 307, b"", f"Location: {self.redirect}{path}\r\n")
        if headers.get("authorization") != f"Bearer {KEY}":
            return _send(writer, 401, _error("invalid_api_key", headers.get("authorization", "")))
        if path.endswith("/chat/completions"):
            return await self._chat(writer, body)
        return self._batch_api(writer, method, path, body)

    async def _chat(self, writer: asyncio.StreamWriter, body: bytes) -> bool:
        content = json.loads(body)
        text = content["messages"][-1]["content"]
        self._now += 1
        self.times.append(time.monotonic())
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            end = self._fault(text)
            if self.upstream is not None and end in ("answered", "broken", "cut"):
                status, reply = await _from(self.upstream, body)
            else:
                status, answer, end = self._answer(content, end)
                reply = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            wait = self.slow if end == "slow" else self.delay
            if wait:
                await asyncio.sleep(wait)
            self._note(text, end, content)
            if end == "dropped":
                return False
            if end == "cut":
                writer.write(_head(200, len(reply), "") + reply[: len(reply) // 2])
                return False
            if end == "broken":
                return _send(writer, 200, reply[: len(reply) // 2])
            if end.isdigit():
                again = f"Retry-After: {self.retry_after}\r\n" if end == "429" else ""
                return _send(writer, int(end), _error(self.error_code, text), again)
            return _send(writer, status, reply)
        finally:
            self._now -= 1

    def _answer(self, body: dict[str, Any], end: str) -> tuple[int, Any, str]:
        """Status and content of a reply, and how the request ends."""
        text = body["messages"][-1]["content"]
        if refused := self.refuse(body):
            return *refused, "refused"
        listed = self.replies.get(text) or self.replies.get("")
        if end == "answered" and listed:
            reply = listed[min(self._replied[text], len(listed) - 1)]
            self._replied[text] += 1
            return reply["status"], reply["body"], "answered" if reply is listed[-1] else "once"
        plain = completion(body, self.said)
        if end != "answered" or self.quirks is None:
            return 200, plain, end
        name = quirk(text, self.quirks)
        self._replied[text] += 1
        if name in ONCE and self._replied[text] > 1:
            return 200, plain, end
        status, changed = quirky(name, text, plain)
        return status, changed, end if name in FORMS else name

    def _fault(self, text: str) -> str:
        if self.status:
            return str(self.status)
        if (found := re.match(r"status (\d+)", text)) and not self._tried[text]:
            return found[1]
        new = not self._tried[text]
        self._tried[text] += 1
        number = len(self._tried) - 1
        if not (new and self.faults and number % self.every == 0):
            return "answered"
        return self.faults[number // self.every % len(self.faults)]

    def _note(self, text: str, end: str, body: dict[str, Any]) -> None:
        if self.log:
            with self.log.open("a") as file:
                file.write(json.dumps([text, end]) + "\n")
        else:
            self.asked.append((text, end))
            self.bodies.append(body)

    def _batch_api(self, writer: asyncio.StreamWriter, method: str, path: str, body: bytes) -> bool:
        path, _, query = path.removeprefix("/v1/").partition("?")
        parts = path.split("/")
        if (method, parts) == ("POST", ["files"]):
            identity = f"file-{len(self._files)}"
            form = [part.partition(b"\r\n\r\n") for part in body.split(body.partition(b"\r\n")[0])]
            fields = {head.partition(b'name="')[2].partition(b'"')[0]: content[:-2] for head, _, content in form}
            assert fields[b"purpose"] == b"batch"
            self._files[identity] = fields[b"file"]
            return _send(writer, 200, json.dumps({"id": identity}).encode())
        if (method, parts) == ("POST", ["batches"]):
            asked = json.loads(body)
            batch = {"id": f"batch_{len(self.batches)}", "status": self.batch_status, "looks": 0, **asked}
            self.batches.append(batch)
            if self.lose_batch_id and len(self.batches) == 1:
                return False
            return _send(writer, 200, json.dumps(batch).encode())
        if parts == ["batches"]:
            after = urllib.parse.parse_qs(query).get("after")
            newest = self.batches[::-1]
            start = next((n + 1 for n, b in enumerate(newest) if [b["id"]] == after), 0)
            page = newest[start : start + 2]
            reply = {"data": page, "has_more": start + 2 < len(newest)}
            return _send(writer, 200, json.dumps(reply).encode())
        if self.gone == {"batches": "batch", "files": "output"}[parts[0]]:
            return _send(writer, 404, _error("not_found", "gone"))
        if parts[0] == "batches":
            batch = next(b for b in self.batches if b["id"] == parts[1])
            batch["looks"] += 1
            if batch["status"] in ("validating", "in_progress"):
                batch["status"] = "in_progress"
                if batch["looks"] > self.batch_looks:
                    self._finish(batch)
            return _send(writer, 200, json.dumps(batch).encode())
        return _send(writer, 200, self._files[parts[1]])

    def _finish(self, batch: dict[str, Any]) -> None:
        if self.failed_batch is not None:
            batch.update(self.failed_batch, status="failed")
            return
        lines = [json.loads(line) for line in self._files[batch["input_file_id"]].splitlines()]
        expired = self.expire if batch is self.batches[0] else 0
        done, errors = [], []
        for line in lines[expired:][::-1]:  # the API documents no order
            text = line["body"]["messages"][-1]["content"]
            if (found := re.match(r"status (\d+)", text)) and not self._tried[text]:
                self._tried[text] += 1
                reply = {"status_code": int(found[1]), "body": {"error": {"message": text}}}
                errors.append({"custom_id": line["custom_id"], "response": reply, "error": None})
                self._note(text, found[1], line["body"])
            elif text in self.batch_errors:
                errors.append({"custom_id": line["custom_id"], "response": None, "error": self.batch_errors[text]})
                self._note(text, "error", line["body"])
            else:
                status, content, end = self._answer(line["body"], "answered")
                reply = {"status_code": status, "body": content.decode() if isinstance(content, bytes) else content}
                rows = done if status == 200 else errors
                rows.append({"custom_id": line["custom_id"], "response": reply, "error": None})
                self._note(text, end, line["body"])
        for name, rows in (("output", done), ("error", errors)):
            if rows:
                identity = f"{name}-{batch['id']}"
                self._files[identity] = "".join(json.dumps(row) + "\n" for row in rows).encode()
                batch[f"{name}_file_id"] = identity
        batch["status"] = "expired" if expired else "completed"


def completion(body: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
    """A completion with the answer that `answers` has for the question, or else with the question itself."""
    text, n = body["messages"][-1]["content"], body.get("n", 1)
    if text == "one answer":
        n = 1
    special_messages: dict[str, Any] = {
        "refused": {"content": None, "refusal": "I cannot"},
        "tool": {"content": None, "tool_calls": [{"id": "1", "type": "function"}]},
        "silent": {},
    }
    choices = [
        {
            "index": number,
            "finish_reason": "length" if "99 is cut" in text else "stop",
            "message": {
                "role": "assistant",
                **special_messages.get(text, {"content": answers.get(text, f"{text} is {number}")}),
            },
        }
        for number in range(n)
    ]
    usage = {"prompt_tokens": 3, "completion_tokens": 5 * n, "total_tokens": 3 + 5 * n}
    if text == "uncounted":
        usage = {"prompt_tokens": "3"}
    about = {"id": "1", "object": "chat.completion", "created": 1, "model": body["model"]}
    return {**about, "choices": None if text == "no answer" else choices, "usage": usage}


def quirk(text: str, number: int) -> str:
    """The quirk of a question. The question itself draws it, so it does not depend on the order of requests."""
    drawn = int.from_bytes(hashlib.sha256(f"{number} {text}".encode()).digest()[:8])
    names = [*REFUSED, *ONCE, *FORMS, *FORMS]  # most questions are answered
    return names[drawn % len(names)]


def quirky(name: str, text: str, plain: dict[str, Any]) -> tuple[int, Any]:
    """Status and body of a plain reply, changed as a server with this quirk writes it. A body that is not JSON is bytes."""
    azure = {"message": f"The prompt was filtered: {text}", "param": "prompt", "code": "content_filter", "status": 400}
    long = {"message": f"This model's maximum context length is 8 tokens: {text}", "code": "context_length_exceeded"}
    whole: dict[str, tuple[int, Any]] = {
        "filtered prompt": (400, {"error": azure | {"innererror": {"code": "ResponsibleAIPolicyViolation"}}}),
        "does not fit": (400, {"error": long}),
        "too large": (413, f"<html>413: {text}</html>".encode()),
        "status 422": (422, {"detail": [{"type": "value_error", "loc": ["body", "messages", 0], "msg": text}]}),
        "error in the body": (200, {"error": {"message": "Provider returned error", "code": 524}}),
        "rate limit in the body": (200, {"error": {"message": "Rate limit exceeded", "code": 429}}),
        "no choices": (200, {**plain, "choices": []}),
        "null choices": (200, {**plain, "choices": None}),
        "unparsable": (200, json.dumps(plain).encode()[:-9]),
    }
    return whole[name] if name in whole else (200, plain | {"choices": [_choice(name, c) for c in plain["choices"]]})


def _choice(name: str, choice: dict[str, Any]) -> dict[str, Any]:
    content = choice["message"]["content"]
    part = {"type": "text", "text": content}
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "#### 0"}]}
    messages: dict[str, dict[str, Any]] = {
        "parts": {"content": [part]},
        "thought part": {"content": [thought, part]},
        "thought field": {"content": content, "reasoning_content": "#### 0"},
        "reasoning": {"content": content, "reasoning": "#### 0", "reasoning_content": None},
        "only a thought": {"content": None, "reasoning_content": content},
    }
    ends: dict[str, Any] = {"filtered answer": "content_filter", "errored choice": "error"}
    if name == "end" and choice["finish_reason"] == "stop":
        ends[name] = ENDS[len(content) % len(ENDS)]
    message = {"role": "assistant", **messages.get(name, {"content": content})}
    return {**choice, "message": message, "finish_reason": ends.get(name, choice["finish_reason"])}


def _error(code: str, message: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": f"I do not answer: {message}"}}).encode()


def _head(status: int, length: int, more: str) -> bytes:
    return f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n{more}Content-Length: {length}\r\n\r\n".encode()


def _send(writer: asyncio.StreamWriter, status: int, body: bytes, more: str = "") -> bool:
    writer.write(_head(status, len(body), more) + body)
    return True


async def _from(port: int, body: bytes) -> tuple[int, bytes]:
    """The reply of a real server on this machine."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    answer, _, content = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return int(answer.split()[1]), content


async def _main(server: EndpointServer) -> None:
    running = await server.start()
    print(server.port, flush=True)
    await running.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--slow", type=float, default=30.0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--faults", nargs="*", default=[], choices=FAULTS)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--quirks", type=int, help="a number that draws the quirk of each question")
    asyncio.run(
        _main(EndpointServer(**{k: tuple(v) if k == "faults" else v for k, v in vars(parser.parse_args()).items()}))
    )
