"""Checks and facts of model folders in Hugging Face form, without loading the models."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from reversegen.core.errors import BadInput
from reversegen.core.files import check_manifest, read_json, write_json
from reversegen.ids import content_id

PICKLED = "pytorch_model.bin"
PICKLED_INDEX = "pytorch_model.bin.index.json"
PRUNED = "pruned.json"
"""Name of the file that marks a folder whose weights were removed."""


def check_folder(folder: Path) -> None:
    """Raise BadInput unless the folder has a model in Hugging Face form, with safetensors weights and a tokenizer.

    If a rule made or fetched the folder, it must have exactly the files of its manifest. The weights may be those of a LoRA
    adapter in peft's form, which changes the model of another local folder.
    """
    if (folder / PRUNED).is_file():
        raise BadInput(
            f"{folder}: its weights were removed, because the task's `keep` leaves it out; delete the folder, and the same "
            "command makes it again"
        )
    needs = {
        "config.json": [folder / "config.json", folder / "adapter_config.json"],
        "*.safetensors": list(folder.glob("*.safetensors")),
        "tokenizer.json or tokenizer.model": [folder / "tokenizer.json", folder / "tokenizer.model"],
    }
    needs |= {
        f"{name}/config.json": [folder / name / "config.json"]
        for name, kind in module_folders(folder).items()
        if kind in ("Pooling", "Dense")
    }
    manifest = folder / "manifest.json"
    missing = [name for name, files in needs.items() if not any(file.is_file() for file in files)]
    if missing:
        fix = "; delete it, and the same command makes it again" if manifest.is_file() else ""
        raise BadInput(f"{folder}: not a model folder: it has no {', no '.join(missing)}{fix}")
    if manifest.is_file():
        check_manifest(manifest)
        named = {"manifest.json", *read_json(manifest)["files"]}
        added = [
            file for file in sorted(folder.rglob("*")) if file.is_file() and str(file.relative_to(folder)) not in named
        ]
        if added := [file for file in added if not file.name.startswith(".")]:
            raise BadInput(
                f"{added[0]}: the manifest of this folder does not name this file, which might be loaded; remove it"
            )


def faulty_file(folder: Path) -> str | None:
    """The first file of a tokenizer that is not readable as JSON or as UTF-8, with the reason. None if each is readable."""
    jsons = [
        folder / f"{name}.json" for name in ("tokenizer_config", "tokenizer", "special_tokens_map", "added_tokens")
    ]
    templates = [folder / "chat_template.jinja", *sorted((folder / "additional_chat_templates").glob("*.jinja"))]
    for path in [*jsons, *templates]:
        try:
            text = path.read_text(encoding="utf-8")
            if path.suffix == ".json":
                json.loads(text)
        except FileNotFoundError:
            continue
        except (OSError, ValueError, RecursionError) as error:
            return f"{path}: it cannot be read: {' '.join(str(error).split())[:200]}"
    return None


def vocabulary_size(folder: Path) -> int | None:
    """Number of tokens for which a folder's model has a row of weights, from its config.json. None if that does not give it."""
    path = folder / "config.json"
    config = read_json(path) if path.is_file() else {}
    for part in (config, config.get("text_config")):
        if isinstance(part, dict) and isinstance(part.get("vocab_size"), int):
            return int(part["vocab_size"])
    return None


def module_folders(folder: Path) -> dict[str, str]:
    """The module folders of a sentence-transformers model by name, with the class of each. Empty for any other model.

    Raises BadInput if modules.json is not a list of modules, and for a name that is not that of a direct subfolder.
    """
    path = folder / "modules.json"
    if not path.is_file():
        return {}
    try:
        kinds = {module["path"]: module["type"].rpartition(".")[2] for module in read_json(path)}
        wrong = [name for name in kinds if name and not re.fullmatch(r"\w[\w.-]*", name)]
    except (KeyError, TypeError, AttributeError):
        raise BadInput(f"{path}: not a list of modules with path and type; copy the file here again") from None
    if wrong:
        raise BadInput(f"{path}: {wrong[0]!r} is not the name of a folder beside it; correct the name")
    return {name: kind for name, kind in kinds.items() if name}


def pickled_weights(folder: Path, listed: Collection[str]) -> list[str]:
    """The names of the .bin weight files: one file, or the shards in the index of `folder`. `listed` has all file names.

    Raises BadInput if the index is malformed, if it names a file in another folder, or a file that is not listed.
    """
    if PICKLED in listed:
        return [PICKLED]
    index = folder / PICKLED_INDEX
    try:
        names = sorted(set(read_json(index)["weight_map"].values()))
        if not names:
            raise KeyError("weight_map")
    except (KeyError, TypeError, AttributeError):
        raise BadInput(f"{index}: not an index of weights: it has no weight_map of files; name another model") from None
    for name in names:
        if not isinstance(name, str) or not re.fullmatch(r"[\w-]+\.bin", name):
            raise BadInput(f"{index}: {name!r} is not the name of a .bin file beside it; name another model")
        if name not in listed:
            raise BadInput(
                f"{index}: it names {name}, which does not exist; lock a complete commit, or name another model"
            )
    return names


def prune(folder: Path) -> dict[str, int]:
    """Remove the weights of a model folder, whose manifest still names them. Returns the bytes of each file."""
    weights = sorted(folder.glob("*.safetensors"))
    removed = {path.name: path.stat().st_size for path in weights}
    if weights:  # without weights, an earlier job wrote the mark and was killed
        write_json(folder / PRUNED, removed)
    for path in weights:
        path.unlink()
    return dict(read_json(folder / PRUNED))


def weights_identity(folder: Path) -> str:
    """An id of a model folder's content: from the hashes in its manifest, or from sizes and times of the user's own files."""
    manifest = folder / "manifest.json"
    if manifest.is_file():
        files: Any = read_json(manifest)["files"]
    else:
        files = sorted((f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in folder.iterdir())
    return content_id(json.dumps(files))


def adapted(folder: Path) -> tuple[Path, int] | None:
    """The base folder and the rank of a LoRA adapter. None for a folder that is not an adapter.

    Raises BadInput if the base is not a local model folder, for example if peft was given a hub id.
    """
    if not (folder / "adapter_config.json").is_file():
        return None
    adapter = read_json(folder / "adapter_config.json")
    base = Path(adapter["base_model_name_or_path"])
    if not (base / "config.json").is_file():
        raise BadInput(
            f"{folder}/adapter_config.json: base_model_name_or_path: {base} is not a local model folder; give the path of one"
        )
    return base, int(adapter["r"])
