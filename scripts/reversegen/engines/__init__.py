"""Engines: what turns requests into text. One interface; torch and API clients are imported when an engine starts."""

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
"""What runs or asks a model, by the name that `engine_name` gives."""


def engine_name(model: ModelUse) -> str:
    """The engine of a model: that of its folder, or the one of endpoints."""
    return "openai" if model.endpoint else model.engine


def open_engine(
    model: ModelUse,
    folder: Path | None,
    decoding: Decoding,
    threads: int,
    calls: Path | None = None,
    limits: Limits | None = None,
) -> Engine:
    """The engine of a model: its folder by transformers or vLLM, or its endpoint.

    An endpoint needs `calls`, the folder that keeps its answers, and may have `limits`. Raises BadInput for a folder that is
    no model, and for an endpoint whose key is not in the environment.
    """
    return ENGINES[engine_name(model)](model, folder, decoding, threads, calls, limits)
