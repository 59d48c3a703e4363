"""Types of values that several sections have, and the class of all sections."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _no_truth_value(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a number is needed, not true or false")
    return value


def all_differ(values: list[Any]) -> list[Any]:
    """The values, of which each may be given once. Raises ValueError."""
    if len(set(values)) < len(values):
        raise ValueError("each may be given once")
    return values


NUMBER = BeforeValidator(_no_truth_value)
"""`--config` gives the numbers of a list as text, so text is converted; YAML's truth values are no numbers."""
Positive = Annotated[int, Field(ge=1), NUMBER]
NonNegative = Annotated[int, Field(ge=0), NUMBER]
Name = Annotated[str, Field(pattern=r"^\w[\w-]*$")]
RandomSeed = Annotated[int, Field(ge=0, lt=2**32), NUMBER]
"""What numpy and torch both take."""
Number = Annotated[float, NUMBER]
NotNegative = Annotated[float, Field(ge=0), NUMBER]
Rate = Annotated[float, Field(gt=0), NUMBER]
Share = Annotated[float, Field(ge=0, le=1), NUMBER]
FILE_PART = r"^[\w.:%+\[\]-]+$"
"""What becomes part of a file's name: no folder, and no braces, which are Snakemake's."""
TASK_NAME = r"[a-z0-9-]+"
TASK_WILDCARD = rf"{TASK_NAME}(\.s(0|[1-9][0-9]*))?"


class Section(BaseModel):
    """A part of the configuration: no defaults, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())
