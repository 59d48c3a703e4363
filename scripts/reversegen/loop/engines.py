"""How a stage opens its engine. A model's folder is an input of the rule; an endpoint's calls are logged beside the output."""

from __future__ import annotations

from pathlib import Path

from reversegen.config.models import Limits, ModelUse
from reversegen.engines import open_engine
from reversegen.engines.base import Decoding, Engine
from reversegen.engines.endpoint.call_log import calls_folder


def open_stage_engine(
    model: ModelUse | None, folders: list[Path], threads: int, output: Path, limits: Limits | None, decoding: Decoding
) -> Engine:
    """Open the engine of the stage that writes `output`. `folders` holds the model's folder, or is empty for an endpoint."""
    assert model is not None
    return open_engine(model, folders[0] if folders else None, decoding, threads, calls_folder(output), limits)
