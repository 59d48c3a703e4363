"""The record of a call to an endpoint: a line of a file in `NAME.jsonl.calls`."""

from __future__ import annotations

from pydantic import Field, JsonValue

from reversegen.core.records import Record


class EarlierAnswer(Record):
    """One choice of a reply in the form of earlier versions, which kept only its text."""

    text: str
    tokens: int
    finished: bool


class Call(Record):
    """A line of a file in `NAME.jsonl.calls`: one try at a request, with its result.

    A request that has `choices`, `answers` or `invalid` is not asked again.
    """

    key: str
    """Hash of the address and of the whole request, which decide the answer."""
    status: int | None
    """The HTTP status; None if no reply came."""
    tokens_in: int = Field(ge=0)
    """Tokens of the request, as the endpoint counts them; 0 without an answer."""
    tokens_out: int = Field(ge=0)
    """Tokens of all choices."""
    batch: bool
    """Whether it went through the Batch API."""
    choices: list[JsonValue] | None = None
    """The choices of the reply as they arrived. `replies` reads them when they are used."""
    answers: list[EarlierAnswer] | None = None
    """The choices, if an earlier version wrote the file."""
    invalid: str | None = None
    """Why this request alone has no answer: its fault would repeat in another try."""

    @property
    def ended(self) -> bool:
        """Whether the request needs no further try."""
        return self.choices is not None or self.answers is not None or self.invalid is not None
