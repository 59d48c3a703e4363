"""Types of values that several sections share, and the base class of all sections."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _no_truth_value(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a number is needed, not true or false")
    return value


def all_differ(values: list[Any]) -> list[Any]:
    """Return the values if each occurs once. Raises ValueError otherwise."""
    if len(set(values)) < len(values):
        raise ValueError("each may be given once")
    return values


NUMBER = BeforeValidator(_no_truth_value)
"""Refuses YAML's truth values as numbers. It still accepts text, because `--config` passes the numbers of a list as text."""
Positive = Annotated[int, Field(ge=1), NUMBER]
NonNegative = Annotated[int, Field(ge=0), NUMBER]
Name = Annotated[str, Field(pattern=r"^\w[\w-]*$")]
RandomSeed = Annotated[int, Field(ge=0, lt=2**32), NUMBER]
"""A random seed in the range that both numpy and torch accept."""
Number = Annotated[float, NUMBER]
NotNegative = Annotated[float, Field(ge=0), NUMBER]
Rate = Annotated[float, Field(gt=0), NUMBER]
Share = Annotated[float, Field(ge=0, le=1), NUMBER]
UNREADABLE = (
    "Largest share of received replies that cannot be understood. The stage stops above it, once it has 50 such "
    "replies. Above the default, one half, the question asked is the likely cause. A change alters no reply."
)
"""Description of a key that several sections have."""
FILE_PART = r"^[\w.:%+\[\]-]+$"
"""Pattern of a text that becomes part of a file's name. It allows no folder separator, and no braces: Snakemake reads those."""
TASK_NAME = r"[a-z0-9-]+"
TASK_WILDCARD = rf"{TASK_NAME}(\.s(0|[1-9][0-9]*))?"


class Section(BaseModel):
    """A part of the configuration. Each key must be known, and a key without a default must be given."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())
