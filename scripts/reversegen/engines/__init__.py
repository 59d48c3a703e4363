"""Engines: what turns requests into text. One interface; torch and API clients are imported when an engine starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reversegen.config.models import Limits, ModelUse
from reversegen.engines.base import Decoding, Engine
from reversegen.engines.openai import OpenAIEngine
from reversegen.engines.transformers import TransformersEngine
from reversegen.engines.vllm import VllmEngine

ENGINES: dict[str, Callable[[Path, ModelUse, Decoding, int], Engine]] = {
    "transformers": TransformersEngine,
    "vllm": VllmEngine,
}
"""What runs a local folder."""


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
    if model.endpoint:
        assert calls is not None
        return OpenAIEngine(
            model.endpoint, limits or Limits(), decoding, calls, model.thinking, model.chat_template_kwargs
        )
    assert folder is not None
    return ENGINES[model.engine](folder, model, decoding, threads)
