"""Kinds of the tiny tasks, with the worlds that their questions are of."""

from reversegen.config.task import KindUse
from reversegen.kinds import open_kind

MATH = open_kind(KindUse(name="math", worlds=["arithmetic"]))
