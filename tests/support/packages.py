"""Wheels in a local folder for pip, so that a test needs no index, and a tiny GGUF file."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

PIP = {"PIP_NO_INDEX": "1", "PIP_NO_CACHE_DIR": "1", "PIP_CONFIG_FILE": "/dev/null"}
"""The environment in which pip asks no index. With PIP_FIND_LINKS it takes wheels from a folder."""


def wheel(
    folder: Path,
    content: Mapping[str, bytes],
    name: str = "some_model",
    version: str = "1.2",
    licence: str = "Apache-2.0",
) -> Path:
    """Write a wheel with the least that pip demands. Returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    information = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nLicense: {licence}\n\nA text.\n"
    tags = "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, data in content.items():
            archive.writestr(file, data)
        archive.writestr(f"{information}/METADATA", metadata)
        archive.writestr(f"{information}/WHEEL", tags)
        archive.writestr(f"{information}/RECORD", "")
    return path
