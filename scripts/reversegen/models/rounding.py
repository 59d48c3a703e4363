"""Stochastic rounding of weights to 16 bits, which on average keeps the changes of a training. Importing this imports torch.

A trained update is often smaller than half the distance of two neighbouring 16-bit numbers. Rounding to the nearest then
restores exactly the old weight. Stochastic rounding keeps the update in the mean over a tensor's weights (Gupta et al. 2015,
arXiv 1502.02551, section 3).
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from reversegen.core.files import read_json, write_json
from reversegen.ids import hashed_seed
from reversegen.models.folder import adapted

log = logging.getLogger("reversegen")

CHUNK = 2**18
"""Number of weights rounded at once. Intermediate results then fit a processor's cache, five times as fast as with 2**24."""


def rounded(tensor: torch.Tensor, dtype: torch.dtype, *seed: str | int) -> torch.Tensor:
    """The float32 tensor in 16 bits. Each number becomes one of its two neighbours, so that the mean is the float32 number.

    The probability of the upper neighbour is the number's distance from the lower neighbour over the distance between both. It
    is exact for bfloat16 and for the normal numbers of float16, which drop at most 16 bits, and a multiple of 2**-16 for other
    numbers. A number that 16 bits can hold stays the same, and no finite number becomes infinite. The draws depend only on the
    seed and the place in the tensor, so every device and every number of processes gives the same bits. A tensor of another
    dtype, and any tensor with the target dtype float32, is cast as torch does.
    """
    if tensor.dtype != torch.float32 or dtype not in (torch.bfloat16, torch.float16):
        return tensor.to(dtype)
    rng = np.random.Generator(np.random.SFC64(hashed_seed("rounding", *seed)))
    flat = tensor.detach().reshape(-1)
    result = torch.empty_like(flat, dtype=dtype)
    for start in range(0, len(flat), CHUNK):
        result[start : start + CHUNK] = _rounded(flat[start : start + CHUNK], dtype, rng)
    return result.reshape(tensor.shape)


def _rounded(numbers: torch.Tensor, dtype: torch.dtype, rng: np.random.Generator) -> torch.Tensor:
    nearest = numbers.to(dtype)
    further = nearest.float().abs() > numbers.abs()
    low = nearest.view(torch.int16) - further.to(torch.int16)  # sign and magnitude: one less is one step towards zero
    high = low + 1
    start, end = (bits.view(dtype).float() for bits in (low, high))
    drawn = torch.from_numpy(rng.integers(0, 2**16, len(numbers), dtype=np.uint16)).to(numbers.device)
    up = (drawn.float() + 0.5) / 2**16 < (numbers - start) / (
        end - start
    )  # False if either neighbour is infinite or not a number
    return torch.where(up, high, low).view(dtype)


def round_model(model: torch.nn.Module, dtype: torch.dtype, *seed: str | int) -> None:
    """Round the weights of a model in place, one tensor at a time. A tensor that two layers share stays shared."""
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if tensor.is_floating_point():
            tensor.data = rounded(tensor, dtype, *seed, name)


@contextmanager
def folder_in(folder: Path, dtype: str) -> Iterator[Path]:
    """Yield the model folder itself, or, if a float32 model is to run in 16 bits, a folder with its weights rounded.

    Libraries round to the nearest on loading, which would undo a fine-tuning whose result is stored in float32. The rounded
    folder exists only while the model is loaded, in the folder for temporary files. It has the same bytes each time, for every
    engine and for training. For a LoRA adapter its base model is rounded.
    """
    below = adapted(folder)
    place = below[0] if below else folder
    if dtype == "auto":  # as in transformers: the dtype in config.json, whatever the dtype of the weights
        config = read_json(place / "config.json")
        dtype = str(config.get("dtype") or config.get("torch_dtype"))
    if dtype not in ("bfloat16", "float16") or not in_float32(folder):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="reversegen-") as name:
        cast, adapter = Path(name) / "model", Path(name) / "adapter"
        log.info("%s: its float32 weights are rounded to %s in %s", place, dtype, name)
        _link(place, cast, leave="*.safetensors")
        for path in sorted(place.glob("*.safetensors")):
            with safe_open(path, "pt") as file:
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            for key, tensor in tensors.items():
                if tensor.is_floating_point():
                    tensors[key] = rounded(tensor, getattr(torch, dtype), key)
            save_file(tensors, cast / path.name, metadata={"format": "pt"})
        if below:
            _link(folder, adapter, leave="adapter_config.json")
            settings = read_json(folder / "adapter_config.json")
            write_json(adapter / "adapter_config.json", {**settings, "base_model_name_or_path": str(cast)})
        yield adapter if below else cast


def in_float32(folder: Path) -> bool:
    """Whether all floating-point weights of a folder are in float32. For a LoRA adapter, the weights of its base model.

    Integer tensors, which older models have for masks and positions, are ignored. False for a quantised model, of which only
    the scales are in float32, and for an unreadable folder, which its loader refuses.
    """
    below = adapted(folder)
    place, kinds = below[0] if below else folder, set()
    for path in place.glob("*.safetensors"):
        try:
            with safe_open(path, "pt") as file:
                kinds |= {file.get_slice(key).get_dtype() for key in file.keys()}  # noqa: SIM118
        except Exception:  # safetensors raises its own exceptions, and the loader reports them
            return False
    return {kind for kind in kinds if "F" in kind} == {"F32"} and "quantization_config" not in read_json(
        place / "config.json"
    )


def _link(folder: Path, place: Path, leave: str) -> None:
    """Make a folder of links to the files of another one, without the files that the pattern `leave` matches."""
    place.mkdir()
    omitted = set(folder.glob(leave))
    for path in folder.iterdir():
        if path not in omitted:
            os.symlink(path.resolve(), place / path.name)
