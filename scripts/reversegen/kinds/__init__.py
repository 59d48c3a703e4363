"""The kinds of task, by the name that a task's `kind` gives."""

from reversegen.kinds import math
from reversegen.kinds.interface import Kind

KINDS: dict[str, Kind] = {"math": math.KIND}
