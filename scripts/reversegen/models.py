"""Loading of model folders with transformers. Importing this imports torch."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging as transformers_logging

from reversegen.configuration import ModelUse
from reversegen.errors import BadInput
from reversegen.gpus import check_gpus
from reversegen.model_folder import check_folder

log = logging.getLogger("reversegen")
transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def load_model(folder: Path, model: ModelUse, threads: int) -> Any:
    """The model of a folder, on the GPU where there is one. Raises BadInput where the folder cannot be loaded."""
    return _load(AutoModelForCausalLM, folder, model, threads)


def load_classifier(folder: Path, model: ModelUse, threads: int) -> Any:
    """The sequence classifier of a folder. Raises BadInput where the folder cannot be loaded as one."""
    return _load(AutoModelForSequenceClassification, folder, model, threads)


def _load(auto: Any, folder: Path, model: ModelUse, threads: int) -> Any:
    check_gpus()
    check_folder(folder)
    torch.set_num_threads(threads)
    try:
        loaded: Any = auto.from_pretrained(
            folder,
            dtype=model.dtype,
            attn_implementation=model.attn_implementation,
            use_safetensors=True,
            local_files_only=True,
        )
    except (OSError, ValueError, KeyError) as error:
        raise BadInput(
            f"{folder}: transformers cannot load this model: {' '.join(str(error).split())[:300]}"
        ) from error
    except SafetensorError as error:
        raise BadInput(
            f"{_torn(folder)}: weights that cannot be read, {error}; it was cut short or changed: copy it here again"
        ) from error
    return loaded.to("cuda" if torch.cuda.is_available() else "cpu")


def _torn(folder: Path) -> Path:
    """The file of weights that cannot be opened; the folder where each of them can."""
    for path in sorted(folder.glob("*.safetensors")):
        try:
            safe_open(path, "pt")
        except SafetensorError:
            return path
    return folder


def load_tokenizer(folder: Path, model: ModelUse) -> Any:
    """The tokenizer of a folder, with the padding token and the chat template that the configuration gives.

    A model without a padding token gets its end token, which is logged: masks come from lengths, so a real end token is
    still learnt. Raises BadInput for a folder without a tokenizer and for a padding token that the vocabulary lacks.
    """
    check_folder(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    if model.pad_token is not None:
        if model.pad_token not in tokenizer.get_vocab():
            raise BadInput(f"{folder}: pad_token {model.pad_token!r} is not in its vocabulary; name a token that is")
        tokenizer.pad_token = model.pad_token
    elif tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
        log.info("%s has no padding token: its end token %s serves", folder, tokenizer.eos_token)
    if model.chat_template is not None:
        tokenizer.chat_template = model.chat_template
    return tokenizer
