"""Kinds of the tiny tasks, with the worlds that their questions are of."""

from typing import Any

from reversegen.config.task import KindUse
from reversegen.kinds import open_kind

MATH = open_kind(KindUse(name="math", worlds=["arithmetic"]))

_SECTION: dict[str, Any] = {"samples": 2, "temperature": 0.7, "calibration_samples": None, "abstentions": ["I pass."]}
_SECTION |= {"never_right": "abstention", "sometimes_right": "right_answer", "always_right": "own_answer"}
FACTUAL_USE = KindUse.model_validate({"name": "factual", "factual": _SECTION})
FACTUAL = open_kind(FACTUAL_USE)
"""The kind whose answers may abstain."""
