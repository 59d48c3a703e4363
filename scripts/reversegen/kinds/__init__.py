"""The kinds of task, by the name that a task's `kind` gives."""

from reversegen.kind import Kind
from reversegen.kinds import math

KINDS: dict[str, Kind] = {"math": math.KIND}
