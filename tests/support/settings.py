"""Settings of stages with all that a test leaves out."""

from __future__ import annotations

from typing import Any

from reversegen.config.task import Answering


def answer_settings(system: str | None, batch_size: int, **shares: float) -> Answering:
    """How a target answers; any share of answers may be missing or unreadable if the test does not say."""
    limits: dict[str, Any] = {"max_invalid_share": 1.0, "max_unreadable_share": 1.0, **shares}
    return Answering(system=system, max_new_tokens=8, batch_size=batch_size, **limits)
