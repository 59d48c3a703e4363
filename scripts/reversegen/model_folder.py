"""Model folders in Hugging Face form, without loading them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reversegen.artefacts import read_json, write_json
from reversegen.errors import BadInput
from reversegen.hashing import content_id

PRUNED = "pruned.json"
"""Stands in a folder whose weights were removed."""


def check_folder(folder: Path) -> None:
    """Raise BadInput unless the folder holds a model in Hugging Face form, with safetensors weights and a tokenizer."""
    if (folder / PRUNED).is_file():
        raise BadInput(
            f"{folder}: its weights were removed, as the task's `keep` says; delete the folder to have it made again"
        )
    needs = {
        "config.json": [folder / "config.json"],
        "*.safetensors": list(folder.glob("*.safetensors")),
        "tokenizer.json or tokenizer.model": [folder / "tokenizer.json", folder / "tokenizer.model"],
    }
    missing = [name for name, files in needs.items() if not any(file.is_file() for file in files)]
    if missing:
        raise BadInput(f"{folder}: not a model folder: it has no {', no '.join(missing)}")


def prune(folder: Path) -> dict[str, int]:
    """Remove the weights of a model folder; what they were stays in its manifest. Returns the bytes of each file."""
    weights = sorted(folder.glob("*.safetensors"))
    removed = {path.name: path.stat().st_size for path in weights}
    if weights:  # else a killed job has been here
        write_json(folder / PRUNED, removed)
    for path in weights:
        path.unlink()
    return dict(read_json(folder / PRUNED))


def weights_identity(folder: Path) -> str:
    """What decides the content of a model folder: the hashes of its manifest, or sizes and times of a user's own files."""
    manifest = folder / "manifest.json"
    if manifest.is_file():
        files: Any = read_json(manifest)["files"]
    else:
        files = sorted((f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in folder.iterdir())
    return content_id(json.dumps(files))
