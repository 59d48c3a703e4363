"""HTTP to one endpoint: how often and how fast it is asked, what is tried again, and where the key goes."""

from __future__ import annotations

import asyncio
import email.utils
import json
import logging
import os
import re
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Generic, TypeVar

from reversegen.configuration import Endpoint, Limits
from reversegen.endpoint_key import endpoint_key
from reversegen.errors import BadInput
from reversegen.hashing import hashed_seed

log = logging.getLogger("reversegen")
T = TypeVar("T")

AGAIN = {408, 409, 425, 429}
"""Statuses below 500 that a later try may mend."""
OUTAGE = 5
"""Tries in a row without an answer, of whatever requests, after which the endpoint counts as out."""
LONGEST_PAUSE = 60.0
"""Seconds between two tries where the endpoint does not say how long to wait."""


class Unreadable(ValueError):
    """A reply that came whole and is not what was asked for; it is asked again."""


@dataclass(frozen=True)
class Try(Generic[T]):
    """How one try ended: answered where there is something in `found`."""

    status: int | None
    """None where no reply came."""
    retry_after: float | None = None
    """Seconds that the endpoint asks to wait."""
    found: tuple[T] | tuple[()] = ()
    refused: str = ""
    """Why trying again is of no use."""


class Connection:
    """An endpoint as something to ask. Lives in one event loop.

    The key goes to the endpoint's own host alone: no redirect is followed, and on loopback no proxy is taken from the
    environment. Neither it nor what was asked or answered stands in any error or log.
    """

    def __init__(self, endpoint: Endpoint, limits: Limits) -> None:
        key = endpoint_key(endpoint, os.environ)
        self.place = f"endpoint {endpoint.base_url}, model {endpoint.model}"
        self.base, self.limits, self._key = endpoint.base_url.rstrip("/"), limits, key
        self._key_name = endpoint.api_key_env
        self._slots, self._free = asyncio.Semaphore(limits.concurrency), list[Any]()
        self._addresses = dict[str, Any]()
        self._alone = asyncio.Lock()
        self._next_request = self._next_token = self._not_before = 0.0
        self._failures, self._looks, self._out_since, self._spare = 0, 0, 0.0, limits.spare_tries
        self._ended = ""

    def _client(self) -> Any:
        """A client with one connection: a pool of many looks at each of them whenever one becomes free.

        Raises BadInput where the environment names a proxy or certificates that cannot be used.
        """
        import httpx2

        try:
            return httpx2.AsyncClient(
                headers={"Authorization": f"Bearer {self._key}"},
                follow_redirects=False,
                trust_env=self.base.startswith("https:"),
                timeout=None,  # the whole of a try is timed
                limits=httpx2.Limits(max_connections=1),
                verify=self._certificates,
            )
        except (ImportError, OSError, ValueError) as error:
            raise self.end(
                f"it cannot be asked, {type(error).__name__}: look at what the environment says of proxies and certificates "
                "(ALL_PROXY, HTTPS_PROXY, SSL_CERT_FILE, SSL_CERT_DIR)"
            ) from error

    def _address(self, path: str) -> Any:
        """A URL, read once: that takes as long as the rest of making a request."""
        import httpx2

        if path not in self._addresses:
            self._addresses[path] = httpx2.URL(self.base + path)
        return self._addresses[path]

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        """Read once: that takes longer than a request."""
        import httpx2

        return httpx2.create_ssl_context()

    async def ask(
        self,
        method: str,
        path: str,
        read: Callable[[bytes], T],
        failed: Callable[[int | None], None] = lambda status: None,
        tokens: int = 0,
        gone: str = "",
        **content: Any,
    ) -> T:
        """What `read` makes of the reply to one request, tried until there is one.

        `failed` is told the status of each failed try, and may raise to end it. `tokens` are what the request may cost of the
        rate. `gone` is what a status of 404 means. Raises BadInput where trying is of no use, or has been tried enough; then
        nothing more is sent, and what is under way ends.
        """
        async with self._slots:
            client = self._free.pop() if self._free else self._client()
            try:
                request = partial(client.request, method, self._address(path), **content)
                return await self._asked(request, read, failed, tokens, path, gone)
            finally:
                self._free.append(client)

    async def _asked(
        self,
        request: Callable[[], Awaitable[Any]],
        read: Callable[[bytes], T],
        failed: Callable[[int | None], None],
        tokens: int,
        path: str,
        gone: str,
    ) -> T:
        """Try a request, one slot held for it, until it is answered."""
        tries = 0
        while True:
            alone = self._out
            if alone:
                await self._alone.acquire()
            try:
                if alone and not self._out:
                    continue  # another found it answering while this one waited
                await self._turn(tokens)
                done = await self._try(request(), read)
                if done.found:
                    self._failures = self._looks = 0
                    return done.found[0]
                tries += not alone  # an outage is no fault of the request that looks for its end
                try:
                    if done.refused:
                        raise self.end(gone if gone and done.status == 404 else done.refused)
                    self.count(tries, done.status, done.retry_after, alone=alone)
                finally:
                    failed(done.status)
            finally:
                if alone:
                    self._alone.release()
            if not self._out:
                await asyncio.sleep(_pause(tries, path, self._spare))

    def end(self, reason: str) -> BadInput:
        """The error after which nothing more is sent: the first one stays, for all who are told of it later."""
        self._ended = self._ended or f"{self.place}: {reason}"
        return BadInput(self._ended)

    @property
    def _out(self) -> bool:
        return self._failures >= OUTAGE

    async def _turn(self, tokens: int) -> None:
        """Wait until the rates, and a pause that the endpoint asked for, let one more request go."""
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

    async def _try(self, request: Awaitable[Any], read: Callable[[bytes], T]) -> Try[T]:
        import httpx2

        try:
            async with asyncio.timeout(self.limits.timeout):
                reply = await request
        except (TimeoutError, httpx2.RequestError):
            return Try(None)
        status = reply.status_code
        if status == 200:
            try:
                return Try(status, found=(read(reply.content),))
            except Unreadable:
                return Try(status)
        code = _code(reply.content)
        refused = ""
        if 300 <= status < 400:
            refused = f"status {status}: it sends us to another place, where the key must not go; give its own address"
        elif (status not in AGAIN and status < 500) or code == "insufficient_quota":  # a 429 that no waiting mends
            refused = f"status {status}{f', {code}' if code else ''}; it was not asked again"
            if status in (401, 403):
                refused += f": is the key in {self._key_name} one of this endpoint, with a right to the model?"
        return Try(status, _retry_after(reply.headers), refused=refused)

    def count(self, tries: int, status: int | None, retry_after: float | None = None, *, alone: bool = False) -> None:
        """Take note of a failed try, of so many of one request, or of the one that looks whether an outage is over.

        Raises BadInput where it was one too many.
        """
        now = time.monotonic()
        what = "no reply" if status is None else "an unreadable reply" if status == 200 else f"status {status}"
        kept = "what it answered is kept: run the same command again"
        if status is not None and status < 500:  # it answers, whatever it is
            self._failures = self._looks = 0
        else:
            self._out_since = self._out_since if self._failures else now
            self._failures += 1
            if self._out:
                if self._failures == OUTAGE:
                    log.warning("%s: out, %s; asked now and then until it answers", self.place, what)
                if alone or self._failures == OUTAGE:  # not for each that was under way when it went out
                    self._wait(min(LONGEST_PAUSE, 2.0**self._looks))
                    self._looks += 1
                if now - self._out_since > self.limits.patience:
                    raise self.end(f"{what}, for {now - self._out_since:.0f} seconds and more; {kept}")
        if retry_after is not None:
            self._wait(min(retry_after, self.limits.patience))
        if tries >= self.limits.tries:
            raise self.end(f"{what}, after {tries} tries of one request; {kept}")
        if self._spare <= 0:
            raise self.end(f"{what}, and the {self.limits.spare_tries} spare tries of the job are used up; {kept}")
        self._spare -= 1

    def _wait(self, seconds: float) -> None:
        self._not_before = max(self._not_before, time.monotonic() + seconds)


def _pause(tries: int, *parts: str | int) -> float:
    """Seconds before the next try: twice as long each time, and shortened by chance, so that requests do not meet again."""
    chance = hashed_seed(tries, *parts) / 2**64
    return min(LONGEST_PAUSE, 0.5 * 2.0**tries) * (0.5 + 0.5 * chance)


def _retry_after(headers: Any) -> float | None:
    """Seconds that `Retry-After` asks for, as a number or a date; None where it says nothing readable."""
    text = headers.get("retry-after", "")
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _code(content: bytes) -> str:
    """The code of an error in a reply, where it is one word: its message may repeat what was asked."""
    try:
        error = json.loads(content)["error"]
        code = error.get("code") or error.get("type")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    return code if isinstance(code, str) and re.fullmatch(r"[a-z_]{1,40}", code) else ""
