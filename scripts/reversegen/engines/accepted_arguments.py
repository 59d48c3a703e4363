"""Which arguments the installed vLLM takes. The doctor asks the interpreter of `generate` this, without starting an engine."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
from collections.abc import Iterable


def unknown_arguments(names: Iterable[str]) -> str:
    """The arguments that the installed vLLM does not take, as the beginning of a message; empty if it takes all."""
    from vllm import LLM, EngineArgs, __version__

    direct = inspect.signature(LLM.__init__).parameters.keys() - {"self", "kwargs"}
    known = {*direct, *(field.name for field in dataclasses.fields(EngineArgs))}
    if unknown := [name for name in names if name not in known]:
        near = difflib.get_close_matches(unknown[0], known, 1)
        hint = f", such as {near[0]}" if near else ""
        return f"vllm.{unknown[0]}: vLLM {__version__} has no argument of this name; use one of its own{hint}"
    return ""
