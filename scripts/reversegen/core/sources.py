"""Names of the enhancement sources, from which the rows that fine-tune a target come. Paths and tables use these names."""

from __future__ import annotations

CONTROL_SOURCES = ("warmup", "warmup_failures", "seeds")
"""Sources with which `reversegen` is compared: valid instructions of proposer 0, its failures at equal target calls, seeds."""
SOURCES = ("reversegen", *CONTROL_SOURCES)
"""All sources. `reversegen` uses failures of the trained proposers."""
