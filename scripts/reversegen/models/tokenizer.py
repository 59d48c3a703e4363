"""From the files of a model folder to its tokenizer. Importing this imports transformers."""

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
"""Texts that must become the tokens of sentencepiece; the last only with byte fallback, which knows every text."""
OTHER = "or name another model in config/models.yaml"
NEWER = ("did not match any variant", "Unknown tokenizer version")
"""What the library tokenizers says of a part of tokenizer.json that it does not know."""


def open_tokenizer(folder: Path) -> Any:
    """The tokenizer of a folder, as its files say.

    From a tokenizer.model alone it is what sentencepiece itself makes of a text, and is saved in that form as tokenizer.json.
    Raises BadInput with one line for files that cannot be read, a package that is not installed, and a program that would
    have to be run.
    """
    alone = not (folder / "tokenizer.json").is_file()
    model = _sentencepiece_model(folder) if alone else None
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # the libraries below raise their own, plain Exception among them
        raise BadInput(_fault(folder, error)) from error
    return (
        _as_sentencepiece(folder, tokenizer, *model) if model and hasattr(tokenizer, "backend_tokenizer") else tokenizer
    )


def _sentencepiece_model(folder: Path) -> tuple[Any, Any]:
    """What sentencepiece makes of tokenizer.model: its tokenizer, and its settings."""
    path = folder / "tokenizer.model"
    try:
        from sentencepiece import SentencePieceProcessor, sentencepiece_model_pb2
    except ImportError as error:
        package = "sentencepiece" if error.name == "sentencepiece" else "protobuf"
        raise BadInput(
            f"{path}: there is no tokenizer.json, and {package} is not installed, which reads this file; install it in this "
            "environment, in the version that envs/ and requirements.txt pin"
        ) from error
    settings = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]
    try:
        content = path.read_bytes()
        settings.ParseFromString(content)
        if not settings.pieces:
            raise ValueError("it holds no tokens")
        processor = SentencePieceProcessor(model_proto=content)
    except Exception as error:  # sentencepiece's and protobuf's own
        raise BadInput(
            f"{path}: no sentencepiece model that can be read: {describe(error)}; copy the file here again, put a "
            f"tokenizer.json of this model beside it, {OTHER}"
        ) from error
    return processor, settings


def _as_sentencepiece(folder: Path, tokenizer: Any, processor: Any, settings: Any) -> Any:
    """The same tokenizer with the spaces and letters of sentencepiece, in a class that is loaded again as it was saved.

    transformers 5.23 leaves out a model's normalisation (OpenLLaMA's, which joins spaces:
    https://github.com/huggingface/transformers/issues/25069), and LlamaTokenizer builds itself again from the vocabulary of a
    tokenizer.json. One space fewer at the very beginning of a text is how it is there, and stays.
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
                f"{folder}/tokenizer.model: transformers reads {text!r} as other tokens than sentencepiece does; put a "
                f"tokenizer.json of this model beside it, {OTHER}"
            )
    return tokenizer


def _fault(folder: Path, error: Exception) -> str:
    """Why a tokenizer cannot be loaded, and what helps."""
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
            f"{owned[0]}: auto_map: its tokenizer is a program of its own, and none is run; {OTHER.removeprefix('or ')}"
        )
    if any(words in str(error) for words in NEWER):
        known = f"transformers {version('transformers')} and tokenizers {version('tokenizers')} do not know"
        return (
            f"{folder}/tokenizer.json: {known} its form: {describe(error)}; it is changed, or of a newer version: update both "
            f"in this environment, {OTHER}"
        )
    return (
        f"{folder}: its tokenizer cannot be loaded: {describe(error)}; copy the file here again, or name another folder in "
        "config/models.yaml"
    )
