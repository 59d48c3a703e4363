"""The interface of an engine: requests, continuations, and how they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from reversegen.core.records import Message

PROMPT_TOO_LONG = "prompt too long"
"""Why an item has no response: its prompt leaves no room in the model's context."""
Probabilities = dict[str, float] | str
"""The probability of each option, or the reason why a fault of this one request leaves them unknown."""

START, END = "<think>", "</think>"
"""The marks around a thought in every record, whatever marks the model itself uses."""


@dataclass(frozen=True)
class Request:
    """A text for a model to continue: plain text, or a conversation that its chat template renders."""

    text: str | None = None
    messages: list[Message] = field(default_factory=list)
    template: dict[str, Any] = field(default_factory=dict)
    """Arguments of the chat template for this request, in addition to those of the model."""
    parts: bool = False
    """Whether the chat template takes a turn's content as a list of typed parts."""
    schema: dict[str, Any] | None = None
    """JSON schema that the reply must follow; only for an endpoint that is configured as structured."""
    pattern: str | None = None
    """Regular expression that the whole reply must match, if the engine can enforce it."""


@dataclass(frozen=True)
class Generated:
    """One continuation of a request."""

    text: str
    tokens: int
    """Number of generated tokens, including the end token."""
    finished: bool
    """Whether the model ended the text itself, before the token limit."""
    invalid: str | None = None
    """Why this request alone has no continuation; None if it has one. If there is a reason, the text is empty."""


@dataclass(frozen=True)
class Decoding:
    """How tokens are drawn, in transformers' terms; temperature 0 is greedy."""

    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0


class Engine(Protocol):
    """A model that is ready to generate."""

    identity: str
    """Identifies everything about the model and the decoding that decides the text."""
    at_once: int
    """Number of batches that threads may hand in at the same time: 1 if one batch fills the device."""

    def request_texts(self, requests: Sequence[Request]) -> list[str]:
        """The text that each request gives the model: the rendered prompt, or for an endpoint the messages as they are sent.

        These texts and `identity` together decide the answers: a change of a chat template matters only if it changes them.
        """
        ...

    def generate(self, requests: Sequence[Request], n: int, seed: int) -> list[list[Generated]]:
        """`n` continuations of each request, drawn with this seed. A request that cannot be asked gets `n` invalid ones."""
        ...

    def choose(self, requests: Sequence[Request], options: Sequence[Sequence[str]]) -> Sequence[Probabilities]:
        """The probability of each request's options as its continuation, normalised over the options of that request."""
        ...
