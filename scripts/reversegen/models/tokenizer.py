"""Loading of the tokenizer in a model folder. Importing this module imports transformers."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tokenizers import Regex, normalizers
from transformers import AutoTokenizer, LlamaTokenizer, PreTrainedTokenizerFast

from reversegen.core.errors import BadInput, describe
from reversegen.core.files import read_json
from reversegen.models.folder import faulty_file

PROBES = ("A river, 2 + 3 = 5.", "Q:  two  spaces\n\n\tA: x  ", "naïve 你好 😀")
"""Texts that must give the same tokens as in sentencepiece. The last one needs byte fallback, which can encode every text."""
OTHER = "or name another model in config/models.yaml"
NEWER = ("did not match any variant", "Unknown tokenizer version")
"""Messages of the library tokenizers about a part of tokenizer.json that it does not know."""


def open_tokenizer(folder: Path) -> Any:
    """The tokenizer of a folder.

    If the folder has only a tokenizer.model, the tokenizer gives the same tokens as sentencepiece, and is saved as
    tokenizer.json in that form. Raises BadInput for unreadable files, a missing package, and a tokenizer that needs its own
    program.
    """
    alone = not (folder / "tokenizer.json").is_file()
    model = _sentencepiece_model(folder) if alone else None
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # the libraries raise many exceptions, also plain Exception
        raise BadInput(_fault(folder, error)) from error
    return (
        _as_sentencepiece(folder, tokenizer, *model) if model and hasattr(tokenizer, "backend_tokenizer") else tokenizer
    )


def _sentencepiece_model(folder: Path) -> tuple[Any, Any]:
    """The sentencepiece tokenizer of tokenizer.model, and its settings."""
    path = folder / "tokenizer.model"
    try:
        from sentencepiece import SentencePieceProcessor, sentencepiece_model_pb2
    except ImportError as error:
        package = "sentencepiece" if error.name == "sentencepiece" else "protobuf"
        raise BadInput(
            f"{path}: the folder has no tokenizer.json, and {package}, which reads this file, is not installed; install it in "
            "this environment, in the version that envs/ and requirements.txt pin"
        ) from error
    settings = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]
    try:
        content = path.read_bytes()
        settings.ParseFromString(content)
        if not settings.pieces:
            raise ValueError("it has no tokens")
        processor = SentencePieceProcessor(model_proto=content)
    except Exception as error:  # sentencepiece's and protobuf's own
        raise BadInput(
            f"{path}: not a readable sentencepiece model: {describe(error)}; copy the file here again, put a "
            f"tokenizer.json of this model beside it, {OTHER}"
        ) from error
    return processor, settings


def _as_sentencepiece(folder: Path, tokenizer: Any, processor: Any, settings: Any) -> Any:
    """The same tokenizer with sentencepiece's handling of spaces and letters, in a class that saves and loads it unchanged.

    transformers 5.23 leaves out a model's normalisation (for example OpenLLaMA's, which joins spaces:
    https://github.com/huggingface/transformers/issues/25069), and LlamaTokenizer rebuilds itself from the vocabulary when it
    loads a tokenizer.json. transformers also drops one space at the very beginning of a text; this difference stays.
    """
    if isinstance(tokenizer, LlamaTokenizer):
        rules = settings.normalizer_spec
        steps: list[Any] = [normalizers.Precompiled(rules.precompiled_charsmap)] if rules.precompiled_charsmap else []
        if rules.remove_extra_whitespaces:
            steps += [normalizers.Replace(Regex(r" +\z"), ""), normalizers.Replace(Regex(" {2,}"), " ")]
        backend = tokenizer.backend_tokenizer
        if steps:
            backend.normalizer = normalizers.Sequence(steps)
        arguments = {name: value for name, value in tokenizer.init_kwargs.items() if name != "vocab_file"}
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, **arguments)  # type: ignore[no-untyped-call]
    for text in PROBES[: None if settings.trainer_spec.byte_fallback else -1]:
        if tokenizer.encode(text, add_special_tokens=False) != processor.encode(text):
            raise BadInput(
                f"{folder}/tokenizer.model: transformers and sentencepiece give different tokens for {text!r}; put a "
                f"tokenizer.json of this model beside it, {OTHER}"
            )
    return tokenizer


def _fault(folder: Path, error: Exception) -> str:
    """A line that states why a tokenizer cannot be loaded, and how to fix it."""
    if unreadable := faulty_file(folder):
        return f"{unreadable}; copy the file here again, or name another folder in config/models.yaml"
    if lacking := re.search(r"requires the ([\w-]+) library|pip install ([\w-]+)", str(error)):
        package = (lacking[1] or lacking[2]).lower()
        return (
            f"{folder}: its tokenizer needs {package}, which is not installed; install it in this environment, {OTHER}"
        )
    configs = [folder / "tokenizer_config.json", folder / "config.json"]
    owned = [path for path in configs if path.is_file() and "auto_map" in (read_json(path) or {})]
    if owned and "trust_remote_code" in str(error):
        return (
            f"{owned[0]}: auto_map: its tokenizer needs its own program, which is not run; {OTHER.removeprefix('or ')}"
        )
    if any(words in str(error) for words in NEWER):
        packages = f"transformers {version('transformers')} and tokenizers {version('tokenizers')}"
        return (
            f"{folder}/tokenizer.json: {packages} do not know its form, which is faulty or newer: {describe(error)}; update "
            f"both in this environment, {OTHER}"
        )
    return (
        f"{folder}: its tokenizer cannot be loaded: {describe(error)}; copy the file here again, or name another folder in "
        "config/models.yaml"
    )
