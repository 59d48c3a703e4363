"""What a question of an invented world is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Example:
    """A question with what belongs to it."""

    question: str
    answer: str | None
    """The full answer of a well-behaved model, or the response that a judge is to judge."""
    subject: str | None = None
    """What the demonstrations of one prompt share; None where the world has no subjects."""
    verdict: Literal["failed", "passed"] | None = None
    """What the response is, in a corpus that judges are trained or checked on."""
