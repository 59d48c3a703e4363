"""The HTTP connection to one endpoint: rates, retries, outages, and the host that may receive the key."""

from __future__ import annotations

import asyncio
import email.utils
import logging
import os
import re
import ssl
import time
from collections.abc import Awaitable, Callable
from functools import cached_property, partial
from typing import Any, TypeVar

from reversegen.config.models import Endpoint, Limits
from reversegen.core.errors import BadInput
from reversegen.engines.endpoint.faults import KEPT, Fault, status_fault
from reversegen.engines.endpoint.key import endpoint_key
from reversegen.ids import hashed_seed

log = logging.getLogger("reversegen")
T = TypeVar("T")

OUTAGE = 5
"""Consecutive tries without an answer, over all requests, after which the endpoint counts as out of service."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Longest pause, in seconds, after the first try, and after any try, if the endpoint asks for none."""
FIRST = 5
"""Refused requests, without any answer in between, after which the set-up is to blame rather than the items."""
DECIDED = 1.0
"""Seconds without another request under way after which fewer than FIRST refusals are blamed on their items."""


class Connection:
    """An endpoint to ask, within one event loop.

    The key is sent to the endpoint's own host only: no redirect is followed, and on loopback no proxy is taken from the
    environment. No error or log shows the key, a request or an answer.
    """

    def __init__(self, endpoint: Endpoint, limits: Limits) -> None:
        key = endpoint_key(endpoint, os.environ)
        self.endpoint = endpoint
        self.place = f"endpoint {endpoint.base_url}, model {endpoint.model}"
        self.base, self.limits, self._key = endpoint.base_url.rstrip("/"), limits, key
        self._slots, self._free = asyncio.Semaphore(limits.concurrency), list[Any]()
        self._addresses = dict[str, Any]()
        self._alone = asyncio.Lock()
        self._next_request = self._next_token = self._not_before = 0.0
        self._failures, self._looks, self._out_since, self._spare = 0, 0, 0.0, limits.spare_tries
        self.answers = 0
        """Items that this process received an answer for."""
        self._asking = self._deciding = 0
        self._doubts = set[str]()
        self._ended = ""

    def _client(self) -> Any:
        """A client with one connection. A pool of many would check each of them whenever one becomes free.

        Raises BadInput if the environment names an unusable proxy or certificate.
        """
        import httpx2

        try:
            return httpx2.AsyncClient(
                headers={"Authorization": f"Bearer {self._key}"},
                follow_redirects=False,
                trust_env=self.base.startswith("https:"),
                timeout=None,  # `_try` limits the time of the whole try
                limits=httpx2.Limits(max_connections=1),
                verify=self._certificates,
            )
        except (ImportError, OSError, ValueError) as error:
            raise self.end(
                f"it cannot be asked ({type(error).__name__}); check the proxies and certificates in the environment "
                "(ALL_PROXY, HTTPS_PROXY, SSL_CERT_FILE, SSL_CERT_DIR)"
            ) from error

    def _address(self, path: str) -> Any:
        """The URL of a path. It is parsed once, which takes as long as all other preparation of a request."""
        import httpx2

        if path not in self._addresses:
            self._addresses[path] = httpx2.URL(self.base + path)
        return self._addresses[path]

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        """The certificates. They are read once, which takes longer than a request, and only if the endpoint shows one."""
        import httpx2

        https = self.base.startswith("https:")
        return httpx2.create_ssl_context() if https else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which trusts nobody

    async def ask_item(
        self, read: Callable[[bytes], T], failed: Callable[[Fault], None], tokens: int, content: str
    ) -> T:
        """The result of `read` for the reply to one item's request.

        Raises Fault if this item alone has no answer, and BadInput as `ask` does.
        """
        self._asking += 1
        headers = {"Content-Type": "application/json"}
        try:
            reply = await self._in_slot(
                "POST", "/chat/completions", read, failed, tokens, content=content.encode(), headers=headers
            )
        except Fault as fault:
            try:
                self.doubt(fault, content)
                await self._decide(fault)
            except BadInput:
                failed(fault)
                raise
            raise
        finally:
            self._asking -= 1
        self.answers += 1
        return reply

    async def ask(
        self,
        method: str,
        path: str,
        read: Callable[[bytes], T],
        failed: Callable[[Fault], None] = lambda fault: None,
        gone: str = "",
        **content: Any,
    ) -> T:
        """The result of `read` for the reply to one request, which is tried until it succeeds.

        `read` raises Fault for a reply without an answer. `failed` receives each failed try, and may raise to stop the tries.
        `gone` is the reason to give for a status 404. Raises BadInput if another try is useless or no try is left; then nothing
        more is sent, and the requests under way end.
        """
        try:
            return await self._in_slot(method, path, read, failed, 0, gone, **content)
        except Fault as fault:
            raise self.end(fault.words) from None

    async def _in_slot(
        self,
        method: str,
        path: str,
        read: Callable[[bytes], T],
        failed: Callable[[Fault], None],
        tokens: int,
        gone: str = "",
        **content: Any,
    ) -> T:
        async with self._slots:
            client = self._free.pop() if self._free else self._client()
            try:
                request = partial(client.request, method, self._address(path), **content)
                return await self._try_until_answered(request, read, failed, tokens, path, gone)
            finally:
                self._free.append(client)

    async def _try_until_answered(
        self,
        request: Callable[[], Awaitable[Any]],
        read: Callable[[bytes], T],
        failed: Callable[[Fault], None],
        tokens: int,
        path: str,
        gone: str,
    ) -> T:
        """Try a request until it is answered, while it holds one slot. Raises Fault if the item may be to blame."""
        tries, before = 0, self.answers
        while True:
            alone = self._out
            if alone:
                await self._alone.acquire()
            try:
                if alone and not self._out:
                    continue  # another request was answered while this one waited
                await self._turn(tokens)
                try:
                    reply = await self._try(request(), read)
                except Fault as fault:
                    tries += not alone  # a check whether an outage is over costs no try
                    self._take(fault, tries, failed, gone, others=self.answers > before, alone=alone)
                else:
                    self._failures = self._looks = 0
                    return reply
            finally:
                if alone:
                    self._alone.release()
            if not self._out:
                await asyncio.sleep(_pause(tries, path, self._spare))

    def _take(
        self, fault: Fault, tries: int, failed: Callable[[Fault], None], gone: str, *, others: bool, alone: bool
    ) -> None:
        """Count a failed try. Raises Fault if the item may be to blame, BadInput if another try is useless or none is left."""
        if fault.blame in ("item", "unclear"):
            self._failures = self._looks = 0  # the endpoint is in service
            raise fault
        if fault.blame == "again" and self.exhausted(fault, tries, others=others):
            raise fault
        try:
            if fault.blame == "setup":
                raise self.end(gone if gone and fault.status == 404 else fault.words) from None
            self.count(tries, fault.level, fault.retry_after, alone=alone, what=fault.reason)
        finally:
            failed(fault)

    def exhausted(self, fault: Fault, tries: int, *, others: bool) -> bool:
        """Whether the item's own fault has used up its tries; the fault then becomes `unclear`.

        Unreadable replies use up tries, and so do the server's own errors if it meanwhile answered `others`. A request without
        a reply shows nothing about its item, and neither does an overloaded server.
        """
        of_item = fault.level == 200 or (others and fault.status in (200, 424, 500) and (fault.level or 0) >= 500)
        if tries < self.limits.tries or not of_item:
            return False
        fault.blame, fault.tries = "unclear", tries
        return True

    def doubt(self, fault: Fault, content: str) -> None:
        """Count a fault that may be the item's own. Raises BadInput if the set-up is to blame, by the rule in `faults`.

        `content` is the request. Requests that differ only in their seed ask for choices of one item, and count once.
        """
        if fault.blame == "item" or self.answers:
            return
        self._doubts.add(re.sub(r', "seed": \d+', "", content))
        if len(self._doubts) >= FIRST:
            fault.advice = fault.advice or f"none of the first {FIRST} requests was answered"
        if fault.advice:
            raise self.end(fault.words)

    async def _decide(self, fault: Fault) -> None:
        """Wait until it is clear that a refusal is not the set-up's fault. Raises BadInput if it is."""
        if fault.blame == "item":
            return
        quiet = 0.0
        self._deciding += 1
        try:
            while not self.answers and quiet < DECIDED:
                await asyncio.sleep(DECIDED / 10)
                if self._ended:
                    raise BadInput(self._ended) from None
                quiet = quiet + DECIDED / 10 if self._deciding == self._asking else 0.0
        finally:
            self._deciding -= 1

    def end(self, reason: str) -> BadInput:
        """The error after which nothing more is sent. Later callers get the reason of the first call."""
        self._ended = self._ended or f"{self.place}: {reason}"
        return BadInput(self._ended)

    @property
    def _out(self) -> bool:
        return self._failures >= OUTAGE

    async def _turn(self, tokens: int) -> None:
        """Wait until the rates, and a pause that the endpoint asked for, allow another request."""
        now = time.monotonic()
        start = max(now, self._next_request, self._next_token)
        if self.limits.requests_per_minute:
            self._next_request = start + 60 / self.limits.requests_per_minute
        if self.limits.tokens_per_minute:
            self._next_token = start + 60 * tokens / self.limits.tokens_per_minute
        if start > now:
            await asyncio.sleep(start - now)
        while (wait := self._not_before - time.monotonic()) > 0 and not self._ended:
            await asyncio.sleep(min(wait, 1.0))
        if self._ended:
            raise BadInput(self._ended)

    async def _try(self, request: Awaitable[Any], read: Callable[[bytes], T]) -> T:
        """The result of `read` for the reply. Raises Fault."""
        import httpx2

        try:
            async with asyncio.timeout(self.limits.timeout):
                reply = await request
        except (TimeoutError, httpx2.RequestError):
            raise Fault("again", "no reply", None) from None
        try:
            if reply.status_code == 200:
                return read(reply.content)
            raise status_fault(reply.status_code, reply.content, self.endpoint)
        except Fault as fault:
            fault.retry_after = _retry_after(reply.headers)
            raise

    def count(
        self,
        tries: int,
        status: int | None,
        retry_after: float | None = None,
        *,
        alone: bool = False,
        what: str = "no answer",
    ) -> None:
        """Count a failed try, the `tries`-th of its request. `alone` marks a check whether an outage is over.

        Raises BadInput if no further try is allowed.
        """
        now = time.monotonic()
        if status is not None and status < 500:  # any reply shows that it is in service
            self._failures = self._looks = 0
        else:
            self._out_since = self._out_since if self._failures else now
            self._failures += 1
            if self._out:
                if self._failures == OUTAGE:
                    log.warning("%s: out of service (%s); tried now and then until it answers", self.place, what)
                if alone or self._failures == OUTAGE:  # once for all requests under way
                    self._looks += 1
                    self._wait(longest_pause(self._looks))
                if now - self._out_since > self.limits.patience:
                    raise self.end(f"{what}, for {now - self._out_since:.0f} seconds and more; {KEPT}")
        if retry_after is not None:
            self._wait(min(retry_after, self.limits.patience))
        if tries >= self.limits.tries:
            raise self.end(f"{what}, after {tries} tries of one request; {KEPT}")
        if self._spare <= 0:
            raise self.end(f"{what}, and the {self.limits.spare_tries} spare tries of the job are used up; {KEPT}")
        self._spare -= 1

    def _wait(self, seconds: float) -> None:
        self._not_before = max(self._not_before, time.monotonic() + seconds)


def longest_pause(tries: int) -> float:
    """Most seconds to wait after the `tries`-th try: twice as long each time."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (tries - 1))


def _pause(tries: int, *parts: str | int) -> float:
    """Seconds before the next try, with a random reduction so that requests do not collide again."""
    chance = hashed_seed(tries, *parts) / 2**64
    return longest_pause(tries) * (0.5 + 0.5 * chance)


def _retry_after(headers: Any) -> float | None:
    """Seconds that `Retry-After` asks for, given as a number or a date; None if it is absent or unreadable."""
    text = headers.get("retry-after", "")
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
