"""The record of a call to an endpoint: a line of a file in `NAME.jsonl.calls`."""

from __future__ import annotations

from pydantic import Field, JsonValue

from reversegen.core.records import Record


class EarlierAnswer(Record):
    """One choice of a reply as earlier versions kept it: only the text that they read in it."""

    text: str
    tokens: int
    finished: bool


class Call(Record):
    """A line of a file in `NAME.jsonl.calls`: one try at a request that ended in some way.

    A request whose `choices`, `answers` or `invalid` is given is not asked again.
    """

    key: str
    """Hash of the address and of the whole request: everything that decides the answer."""
    status: int | None
    """The HTTP status; None if no reply came."""
    tokens_in: int = Field(ge=0)
    """Tokens of the request, as the endpoint counts them; 0 without an answer."""
    tokens_out: int = Field(ge=0)
    """Tokens of all choices."""
    batch: bool
    """Whether it went through the Batch API."""
    choices: list[JsonValue] | None = None
    """The choices of the reply as they came: `replies` reads them when they are used."""
    answers: list[EarlierAnswer] | None = None
    """The choices in a file of an earlier version."""
    invalid: str | None = None
    """Why this request alone has no answer: a fault that another try would repeat."""

    @property
    def ended(self) -> bool:
        """Whether the request needs no other try."""
        return self.choices is not None or self.answers is not None or self.invalid is not None
