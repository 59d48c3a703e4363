"""Conversion of a GGUF file to a model folder: its weights in float32, with tokenizer and chat template.

A GGUF file holds quantised weights, which transformers can load but neither trains nor saves. Importing this module imports
torch.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

from reversegen.core.errors import BadInput
from reversegen.core.files import building_folder, check_manifest, file_sha256, read_json

log = logging.getLogger("reversegen")
MAGIC = b"GGUF"
"""The first bytes of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md)."""
TOKENS = ("bos_token_id", "eos_token_id", "pad_token_id")
SINGLE_DIGITS = frozenset({"smollm"})
"""Names of tokenizers that take each digit alone before they split a text as GPT-2 does (llama.cpp, `llama-vocab.cpp`). For
these transformers 5.23 only splits as GPT-2 does: each of two line breaks before a digit would become a token of its own."""


def convert_gguf(source: Path, folder: Path, threads: int) -> None:
    """Write a model folder with the dequantised weights of a GGUF file, as float32 safetensors, and its tokenizer.

    The manifest names the file's hash and, for a file out of a package, the package. Raises BadInput for a file that is not
    GGUF, that differs from its manifest, or whose architecture or tokenizer transformers cannot read.
    """
    facts = _origin(source)
    torch.set_num_threads(threads)
    set_verbosity_error()  # type: ignore[no-untyped-call]
    disable_progress_bar()  # type: ignore[no-untyped-call]
    with building_folder(folder, **facts, converted_from={source.name: file_sha256(source)}) as written_folder:
        try:
            tokenizer = _tokenizer(source)
            model = _dequantised(source)
        except ImportError:  # of the package gguf
            raise
        except Exception as error:  # a file from outside may cause any error
            raise BadInput(
                f"{source}: transformers cannot read this GGUF file: {' '.join(str(error).split())[:300]}; name a model in "
                "Hugging Face form, as `hub` or `folder`, in config/models.yaml"
            ) from error
        model.save_pretrained(written_folder)
        tokenizer.save_pretrained(written_folder)
    log.info("%s: %d parameters", source, model.num_parameters())


def _origin(source: Path) -> dict[str, Any]:
    """The facts of the manifest beside a fetched file. None of them for a user's own file."""
    try:
        with source.open("rb") as file:
            start = file.read(len(MAGIC))
    except OSError as error:
        raise BadInput(f"{source}: {error.strerror}; correct the path in config/models.yaml") from error
    if start != MAGIC:
        raise BadInput(f"{source}: not a GGUF file: it does not begin with the bytes GGUF; name another file")
    manifest = source.with_name(f"{source.name}.manifest.json")
    if not manifest.is_file():
        return {}
    check_manifest(manifest)
    return {name: fact for name, fact in read_json(manifest).items() if name != "files"}


def _tokenizer(source: Path) -> Any:
    """The tokenizer of a GGUF file, which splits texts as the file's own name for it demands."""
    from gguf import GGUFReader

    tokenizer: Any = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    field = GGUFReader(source).get_field("tokenizer.ggml.pre")
    if field and field.contents() in SINGLE_DIGITS:
        split = [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]
        tokenizer.backend_tokenizer.pre_tokenizer = Sequence(split)
    return tokenizer


def _dequantised(source: Path) -> Any:
    """The model of a GGUF file with float32 weights, free of all traces of the quantisation."""
    read: Any = AutoModelForCausalLM.from_pretrained(
        source.parent, gguf_file=source.name, dtype=torch.float32, local_files_only=True
    )
    config = read.config
    if hasattr(config, "quantization_config"):  # with it, transformers refuses to save the model
        del config.quantization_config
    config._name_or_path = ""
    model: Any = AutoModelForCausalLM.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call]
    model.load_state_dict(read.state_dict(), assign=True)
    model.tie_weights()
    tokens = {name: getattr(config, name, None) for name in TOKENS}
    model.generation_config = GenerationConfig(**tokens)  # type: ignore[no-untyped-call]
    return model.eval()
