"""Engines turn requests into text behind one interface. torch and API clients are imported only when an engine starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reversegen.config.models import Limits, ModelUse
from reversegen.engines import openai, transformers, vllm
from reversegen.engines.base import Decoding, Engine

ENGINES: dict[str, Callable[[ModelUse, Path | None, Decoding, int, Path | None, Limits | None], Engine]] = {
    "openai": openai.open_engine,
    "transformers": transformers.open_engine,
    "vllm": vllm.open_engine,
}
"""The function that opens each engine, by the name that `engine_name` returns."""


def engine_name(model: ModelUse) -> str:
    """The name of a model's engine: `openai` for an endpoint, otherwise the engine of its folder."""
    return "openai" if model.endpoint else model.engine


def open_engine(
    model: ModelUse,
    folder: Path | None,
    decoding: Decoding,
    threads: int,
    calls: Path | None = None,
    limits: Limits | None = None,
) -> Engine:
    """Open the engine of a model: transformers or vLLM for a folder, `openai` for an endpoint.

    An endpoint needs `calls`, the folder that keeps its answers, and may have `limits`. Raises BadInput if the folder holds no
    model, and if the environment lacks the endpoint's key.
    """
    return ENGINES[engine_name(model)](model, folder, decoding, threads, calls, limits)
