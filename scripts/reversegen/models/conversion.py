"""Weights in PyTorch's own form, `pytorch_model*.bin`, written once as safetensors.

A .bin file is a pickle: opened in the usual way it may run anything. This module is the one exception to the rule against
pickle, and nothing else opens one. It stands on four legs: the file is the one whose hash the hub tells; torch's restricted
reader builds tensors and calls nothing else (`weights_only=True`); the process may reach no network and start no program
(`refuse_ways_out`); and what is written is safetensors, which every later stage reads instead. Importing this imports torch.
"""

from __future__ import annotations

import logging
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from reversegen.core.errors import BadInput
from reversegen.core.files import building_folder, check_manifest, read_json, write_json
from reversegen.models.folder import PICKLED_INDEX, pickled_weights

log = logging.getLogger("reversegen")
SHARD = 2_000_000_000
"""Bytes of tensors in one file of what is written, unless a tensor alone is larger. Bounds the memory: a .bin file is mapped,
and its pages can be given back once a shard is written."""
REFUSED = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "pty.", "pickle.find_class")
"""Beginnings of Python's audit events (https://docs.python.org/3/library/audit_events.html) that a conversion never needs."""


def refuse_ways_out() -> None:
    """From here on this process may open no socket, start no program and open no pickle in the usual way; it is for good.

    By an audit hook, which works on any machine and without rights, and which no Python code can take away.
    """

    def refuse(event: str, _: tuple[Any, ...]) -> None:
        if event.startswith(REFUSED):
            raise BadInput(f"a conversion runs without network and programs, and something asked for {event}")

    sys.addaudithook(refuse)


def convert_model(source: Path, folder: Path) -> None:
    """Write a model folder with the tensors of the .bin files in `source`, their names and dtypes, and its other files.

    Raises BadInput for files that are not those of the manifest in `source`, for weights that ask for more than tensors or
    cannot be read, and for an index that does not tell where they are.
    """
    check_manifest(source / "manifest.json")
    facts = read_json(source / "manifest.json")
    hashes = facts.pop("files")
    names = pickled_weights(source, hashes)
    with building_folder(folder, **facts, converted_from={name: hashes[name] for name in names}) as written_folder:
        for name in sorted(hashes.keys() - {*names, PICKLED_INDEX}):
            (written_folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, written_folder / name)
        _write(written_folder, _tensors(source, names))


def _tensors(source: Path, names: Iterable[str]) -> Iterator[tuple[str, torch.Tensor]]:
    """Every tensor of the .bin files by its name, one file after the other."""
    index = source / PICKLED_INDEX
    places: dict[str, str] = read_json(index)["weight_map"] if index.is_file() else {}
    seen: set[str] = set()
    storages: set[int] = set()
    for name in names:
        tensors = _read(source / name)
        if lacking := sorted(key for key, place in places.items() if place == name and key not in tensors):
            raise BadInput(f"{index}: it names {lacking[0]} in {name}, which has no such tensor; name another model")
        if twice := sorted(seen & tensors.keys()):
            raise BadInput(
                f"{source / name}: {twice[0]} is in another file too; name another model in config/models.yaml"
            )
        seen |= tensors.keys()
        for key, tensor in tensors.items():
            whole = tensor.detach().contiguous()
            storage = whole.untyped_storage().data_ptr()
            # safetensors holds no memory that two tensors share, such as tied embeddings
            yield key, whole.clone() if storage in storages else whole
            storages.add(storage)
        log.info("%s: %d tensors", source / name, len(tensors))


def _read(path: Path) -> Mapping[str, torch.Tensor]:
    """The tensors of one .bin file. Raises BadInput for a file that holds, or asks for, anything else."""
    fix = "lock a commit with safetensors weights, or name another model in config/models.yaml"
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"PK"  # the form before torch 1.6 is another, which cannot be mapped
        content = torch.load(path, weights_only=True, map_location="cpu", mmap=zipped)
    except BadInput:
        raise
    except (
        Exception
    ) as error:  # whatever a file made by somebody else brings about; torch's words advise to open it unsafely
        asked = re.search(r"GLOBAL ([\w.]+\.\w+)", str(error))
        reason = (
            f"it asks for {asked[1]}, and tensors need nothing of the kind"
            if asked
            else f"it is truncated, or no file of tensors ({type(error).__name__})"
        )
        raise BadInput(f"{path}: no weights that can be read, and nothing of it was run: {reason}; {fix}") from error
    if not isinstance(content, Mapping) or not content:
        raise BadInput(f"{path}: it holds a {type(content).__name__} where tensors by name are expected; {fix}")
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, torch.Tensor):
            raise BadInput(
                f"{path}: {key!r} is a {type(value).__name__} and no tensor: a training checkpoint, not the weights of a model "
                f"alone; {fix}"
            )
        if value.layout != torch.strided or value.is_quantized or value.is_meta:
            raise BadInput(f"{path}: {key} is no dense tensor; {fix}")
    return content


def _write(folder: Path, tensors: Iterable[tuple[str, torch.Tensor]]) -> None:
    """Write tensors as safetensors in transformers' names: one file, or shards of at most SHARD bytes with their index."""
    shards: list[list[str]] = []
    size = 0
    for batch in _batches(tensors):
        shards.append(list(batch))
        size += sum(tensor.nbytes for tensor in batch.values())
        save_file(batch, folder / f"{len(shards)}.safetensors", metadata={"format": "pt"})
    if len(shards) == 1:
        (folder / "1.safetensors").rename(folder / "model.safetensors")
        return
    places: dict[str, str] = {}
    for number, keys in enumerate(shards, 1):
        name = f"model-{number:05}-of-{len(shards):05}.safetensors"
        (folder / f"{number}.safetensors").rename(folder / name)
        places |= dict.fromkeys(keys, name)
    index = {"metadata": {"total_size": size}, "weight_map": dict(sorted(places.items()))}
    write_json(folder / "model.safetensors.index.json", index)


def _batches(tensors: Iterable[tuple[str, torch.Tensor]]) -> Iterator[dict[str, torch.Tensor]]:
    batch: dict[str, torch.Tensor] = {}
    for key, tensor in tensors:
        if batch and sum(one.nbytes for one in batch.values()) + tensor.nbytes > SHARD:
            yield batch
            batch = {}
        batch[key] = tensor
    yield batch
