"""Settings of stages, with defaults for the values that a test does not give."""

from __future__ import annotations

from typing import Any

from reversegen.config.task import Answering


def answer_settings(system: str | None, batch_size: int, **shares: float) -> Answering:
    """Settings of a target's answers. By default any share of them may be missing or unreadable."""
    limits: dict[str, Any] = {"max_invalid_share": 1.0, "max_unreadable_share": 1.0, **shares}
    return Answering(system=system, max_new_tokens=8, batch_size=batch_size, **limits)
