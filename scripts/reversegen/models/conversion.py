"""Conversion of weights in PyTorch's own format, `pytorch_model*.bin`, to safetensors.

A .bin file is a pickle, which may run any program when it is opened in the usual way. This module is the only one that opens
a pickle. Four measures protect it: the file has the hash that the hub gives; torch's restricted reader builds tensors and
calls nothing else (`weights_only=True`); the process can neither reach a network nor start a program (`refuse_ways_out`); and
the result is safetensors, which all later stages read instead. Importing this module imports torch.
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
"""Largest number of bytes in one written file, unless a single tensor is larger. It bounds the memory: a .bin file is mapped,
and its pages can be released once a shard is written."""
REFUSED = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "pty.", "pickle.find_class")
"""Prefixes of Python's audit events (https://docs.python.org/3/library/audit_events.html) that a conversion never needs."""


def refuse_ways_out() -> None:
    """Forbid this process, until it ends, to open a socket, to start a program, and to open a pickle in the usual way.

    It uses an audit hook, which works on every machine without special rights, and which no Python code can remove.
    """

    def refuse(event: str, _: tuple[Any, ...]) -> None:
        if event.startswith(REFUSED):
            raise BadInput(
                f"a conversion may use no network and no program, but the file asked for {event}; do not use it"
            )

    sys.addaudithook(refuse)


def convert_model(source: Path, folder: Path) -> None:
    """Write a model folder with the tensors of the .bin files in `source`, under their names and dtypes, and its other files.

    Raises BadInput if the files differ from the manifest in `source`, if weights cannot be read or ask for more than
    tensors, and if the index does not match the files.
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
    """The name and the value of every tensor in the .bin files, one file after the other."""
    index = source / PICKLED_INDEX
    places: dict[str, str] = read_json(index)["weight_map"] if index.is_file() else {}
    seen: set[str] = set()
    storages: set[int] = set()
    for name in names:
        tensors = _read(source / name)
        if lacking := sorted(key for key, place in places.items() if place == name and key not in tensors):
            raise BadInput(f"{index}: {name} has no tensor {lacking[0]}, which the index names; name another model")
        if twice := sorted(seen & tensors.keys()):
            raise BadInput(
                f"{source / name}: another file also has {twice[0]}; name another model in config/models.yaml"
            )
        seen |= tensors.keys()
        for key, tensor in tensors.items():
            whole = tensor.detach().contiguous()
            storage = whole.untyped_storage().data_ptr()
            # safetensors cannot store tensors that share memory, such as tied embeddings
            yield key, whole.clone() if storage in storages else whole
            storages.add(storage)
        log.info("%s: %d tensors", source / name, len(tensors))


def _read(path: Path) -> Mapping[str, torch.Tensor]:
    """The tensors of one .bin file. Raises BadInput if the file has, or asks for, anything else."""
    fix = "lock a commit with safetensors weights, or name another model in config/models.yaml"
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"PK"  # files from before torch 1.6 have another format, which cannot be mapped
        content = torch.load(path, weights_only=True, map_location="cpu", mmap=zipped)
    except BadInput:
        raise
    # A file from outside may cause any error. Torch's own message is left out, because it advises to open the file unsafely.
    except Exception as error:
        asked = re.search(r"GLOBAL ([\w.]+\.\w+)", str(error))
        reason = (
            f"it asks for {asked[1]}, which tensors never need"
            if asked
            else f"it is truncated, or not a file of tensors ({type(error).__name__})"
        )
        raise BadInput(
            f"{path}: the weights cannot be read, and no part of the file was run: {reason}; {fix}"
        ) from error
    if not isinstance(content, Mapping) or not content:
        raise BadInput(f"{path}: the content is a {type(content).__name__} instead of tensors by name; {fix}")
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, torch.Tensor):
            raise BadInput(
                f"{path}: {key!r} is a {type(value).__name__} instead of a tensor, as in a training checkpoint; {fix}"
            )
        if value.layout != torch.strided or value.is_quantized or value.is_meta:
            raise BadInput(f"{path}: {key} is not a dense tensor; {fix}")
    return content


def _write(folder: Path, tensors: Iterable[tuple[str, torch.Tensor]]) -> None:
    """Write tensors as safetensors under transformers' file names: one file, or shards of at most SHARD bytes with an index."""
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
