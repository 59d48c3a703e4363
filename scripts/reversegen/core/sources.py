"""Enhancement sources: where the rows come from that fine-tune a target. Their names are parts of paths and rows of tables."""

from __future__ import annotations

CONTROL_SOURCES = ("warmup", "warmup_failures", "seeds")
"""What `reversegen` is compared with: valid instructions of proposer 0; its failures, at equal target calls; seeds."""
SOURCES = ("reversegen", *CONTROL_SOURCES)
"""All of them; `reversegen` takes failures of the trained proposers."""
