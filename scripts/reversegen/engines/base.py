"""What a stage knows of a model that generates: requests, continuations, how they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from reversegen.core.records import Message

PROMPT_TOO_LONG = "prompt too long"
"""Why an item has no response: its prompt leaves no room within the model's context."""
Probabilities = dict[str, float] | str
"""By option; the reason if they are not known: a fault of this one request."""

START, END = "<think>", "</think>"
"""What stands around a thought in every record, whatever the model's own marks are."""


@dataclass(frozen=True)
class Request:
    """What a model continues: plain text, or a conversation that its chat template renders."""

    text: str | None = None
    messages: list[Message] = field(default_factory=list)
    template: dict[str, Any] = field(default_factory=dict)
    """Arguments that the chat template takes beside the conversation and those of the model."""
    parts: bool = False
    """Whether the chat template takes a turn's content as a list of typed parts."""
    schema: dict[str, Any] | None = None
    """JSON schema that the reply is held to; only for an endpoint that is configured as structured."""
    pattern: str | None = None
    """Regular expression that the whole reply is held to, where the engine can hold it."""


@dataclass(frozen=True)
class Generated:
    """One continuation."""

    text: str
    tokens: int
    """Generated tokens, the end token included."""
    finished: bool
    """Whether it ended by itself."""
    invalid: str | None = None
    """Why there is no continuation: a fault of this request alone. The text is then empty."""


@dataclass(frozen=True)
class Decoding:
    """How to draw, under transformers' names; temperature 0 is greedy."""

    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0


class Engine(Protocol):
    """A model that is ready to generate."""

    identity: str
    """Everything about the model and the decoding that decides the text."""
    at_once: int
    """Batches that it may be given at the same time, by threads: 1 if one batch is all that a device can take."""

    def request_texts(self, requests: Sequence[Request]) -> list[str]:
        """What the model is asked by each request: its rendered text, or to an endpoint the messages as they are sent.

        With `identity` these decide the answers, whatever in a chat template has changed.
        """
        ...

    def generate(self, requests: Sequence[Request], n: int, seed: int) -> list[list[Generated]]:
        """`n` continuations of each request, drawn with this seed. A request that cannot be asked has invalid ones."""
        ...

    def choose(self, requests: Sequence[Request], options: Sequence[Sequence[str]]) -> Sequence[Probabilities]:
        """The probability of each request's options as what follows, normalised over its options."""
        ...
