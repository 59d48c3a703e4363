"""Runs of the stages that fetch, with the hub of `hub_server`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.hub_server import Hub
from tests.support.workflows import REPOSITORY

CONFIG = {"config.json": b'{"model_type": "llama"}', "tokenizer.json": b"{}", "chat_template.jinja": b"{{ x }}"}


def environment(hub: Hub, home: Path, token: str = "") -> dict[str, str]:
    return {**os.environ, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(home), "HF_TOKEN": token}


def command(script: str, **arguments: Any) -> list[str]:
    words = [sys.executable, str(REPOSITORY / "scripts" / f"{script}.py")]
    for name, value in arguments.items():
        several = value if isinstance(value, list) else [value]
        texts = [json.dumps(one) if isinstance(one, dict) else str(one) for one in several]
        words += [f"--{name}", *texts] if isinstance(value, list) else [f"--{name}={texts[0]}"]
    return words


def stage(hub: Hub, home: Path, script: str, token: str = "", **arguments: Any) -> subprocess.CompletedProcess[str]:
    words = command(script, **arguments)
    return subprocess.run(words, env=environment(hub, home / "home", token), text=True, capture_output=True)


def fetch(
    hub: Hub, folder: Path, name: str = "some/model", weights: str = "safetensors"
) -> subprocess.CompletedProcess[str]:
    revision = hub.repositories[f"models/{name}"].commit
    return stage(hub, folder.parent, "fetch_model", repo=name, revision=revision, weights=weights, folder=folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


MODULES = [
    {"path": "", "type": "sentence_transformers.models.Transformer"},
    {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"path": "2_Dense", "type": "sentence_transformers.models.Dense"},
    {"path": "3_Normalize", "type": "sentence_transformers.models.Normalize"},
]


SENTENCES = {
    **CONFIG,
    "model.safetensors": b"\x05" * 900,
    "modules.json": json.dumps(MODULES).encode(),
    "1_Pooling/config.json": b'{"pooling_mode": "mean"}',
    "2_Dense/config.json": b'{"bias": true}',
    "2_Dense/model.safetensors": b"\x06" * 800,
}


NOT_OF_MODULES = {
    "2_Dense/pytorch_model.bin": b"a pickle",
    "2_Dense/own.py": b"raise SystemExit",
    "2_Dense/below/config.json": b"{}",
    "onnx/config.json": b"{}",
    "onnx/model.safetensors": b"of no module",
}
