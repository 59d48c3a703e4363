"""Loading of model folders with transformers. Importing this module imports torch."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

from reversegen.config.models import ModelUse
from reversegen.core.errors import BadInput
from reversegen.core.files import read_json
from reversegen.models.folder import check_folder, vocabulary_size
from reversegen.models.gpus import check_gpus
from reversegen.models.rounding import folder_in
from reversegen.models.template_heads import FIXED_DATE, SYSTEM_IN_USER_TURN
from reversegen.models.tokenizer import open_tokenizer

log = logging.getLogger("reversegen")
set_verbosity_error()  # type: ignore[no-untyped-call]
disable_progress_bar()  # type: ignore[no-untyped-call]


def load_model(folder: Path, model: ModelUse, threads: int) -> Any:
    """The model of a folder, on the GPU if there is one. Raises BadInput if the folder cannot be loaded."""
    with _memory_for(folder):
        return _load(AutoModelForCausalLM, folder, model, threads)


def load_classifier(folder: Path, model: ModelUse, threads: int) -> Any:
    """The sequence classifier of a folder. Raises BadInput if the folder cannot be loaded as one."""
    with _memory_for(folder):
        return _load(AutoModelForSequenceClassification, folder, model, threads)


@contextmanager
def _memory_for(folder: Path) -> Iterator[None]:
    """Raise BadInput if the weights of a folder do not fit the GPU."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise BadInput(
            f"{folder}: its weights do not fit the GPU ({' '.join(str(error).split())[:200]}); in config/models.yaml, give the "
            "model a `size` whose jobs get a GPU with more memory, or a `dtype` of 16 bits"
        ) from error


def _load(auto: Any, folder: Path, model: ModelUse, threads: int) -> Any:
    check_gpus()
    check_folder(folder)
    torch.set_num_threads(threads)
    try:
        with folder_in(folder, model.dtype) as place:
            loaded: Any = auto.from_pretrained(
                place,
                dtype=model.dtype,
                attn_implementation=model.attn_implementation,
                use_safetensors=True,
                local_files_only=True,
            )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RuntimeError) as error:
        raise BadInput(
            f"{folder}: transformers cannot load this model: {' '.join(str(error).split())[:300]}; name another model"
        ) from error
    except SafetensorError as error:
        raise BadInput(
            f"{_torn(folder)}: the weights cannot be read ({error}): the file was truncated or changed; copy it here again"
        ) from error
    loaded.config._name_or_path = str(folder)  # else it names the temporary folder, which is gone
    return loaded.to("cuda" if torch.cuda.is_available() else "cpu")


def _torn(folder: Path) -> Path:
    """The file of weights that cannot be opened. The folder if each can be opened."""
    for path in sorted(folder.glob("*.safetensors")):
        try:
            safe_open(path, "pt")
        except SafetensorError:
            return path
    return folder


def load_tokenizer(folder: Path, model: ModelUse) -> Any:
    """The tokenizer of a folder, with the padding token and the chat template of the configuration.

    If a model has no padding token, its end token is used, which is logged. Masks come from lengths, so the model still learns
    the real end token. Raises BadInput if the tokenizer cannot be loaded, if its padding or end token is not in the model's
    vocabulary, if it has neither token, and if none of several chat templates is chosen.
    """
    check_folder(folder)
    tokenizer = open_tokenizer(folder)
    if model.pad_token is not None:
        if model.pad_token not in tokenizer.get_vocab():
            raise BadInput(
                f"{folder}: pad_token {model.pad_token!r} is not in its vocabulary; name a token of the vocabulary"
            )
        tokenizer.pad_token = model.pad_token
    elif tokenizer.pad_token is None:
        if tokenizer.eos_token is None:
            raise BadInput(
                f"{folder}/tokenizer_config.json: it has neither pad_token nor eos_token; name a token of its vocabulary as "
                "`pad_token` of the model in config/models.yaml"
            )
        tokenizer.pad_token = tokenizer.eos_token
        log.info("%s has no padding token; its end token %s is used", folder, tokenizer.eos_token)
    _check_tokens(folder, tokenizer)
    tokenizer.chat_template = _chat_template(folder, tokenizer.chat_template, model)
    return tokenizer


def _check_tokens(folder: Path, tokenizer: Any) -> None:
    """Raise BadInput for a padding or end token without a row in the model. A tokenizer invents one for an unknown text."""
    rows = vocabulary_size(folder)
    fixes = {
        "eos_token": "correct it there",
        "pad_token": "name a token of the vocabulary as `pad_token` of the model in config/models.yaml",
    }
    for name, fix in fixes.items():
        number = getattr(tokenizer, f"{name}_id")
        if rows is not None and number is not None and number >= rows:
            raise BadInput(
                f"{folder}/tokenizer_config.json: {name} {getattr(tokenizer, name)!r} is not in the vocabulary of the model, "
                f"which has {rows} tokens; {fix}"
            )


def _chat_template(folder: Path, stored: str | dict[str, str] | None, model: ModelUse) -> str | None:
    """The chat template with which a model is asked: the one that the configuration gives or names, or else the folder's."""
    chosen, named = model.chat_template, stored if isinstance(stored, dict) else {}
    if chosen is not None and "{" not in chosen and chosen not in named and not _trained_here(folder):
        choice = (
            f"name one of {', '.join(sorted(named))}" if named else "give a template, because the folder names none"
        )
        raise BadInput(
            f"config/models.yaml: chat_template: {chosen!r} is neither Jinja nor the name of a template in {folder}; {choice}"
        )
    if isinstance(stored, dict):
        if chosen is None and "default" not in stored:
            raise BadInput(
                f"{folder}: none of its several chat templates is the default: {', '.join(sorted(stored))}; name one as "
                "`chat_template` of the model in config/models.yaml"
            )
        name = chosen or "default"
        if name in stored:
            log.info("%s has the chat templates %s; %s is used", folder, ", ".join(sorted(stored)), name)
        stored = stored.get(name)
    if chosen is not None and "{" in chosen:
        stored = chosen
    if stored is None:
        return None
    stored = stored.removeprefix(FIXED_DATE)
    if model.system_turn == "user" and not stored.startswith(SYSTEM_IN_USER_TURN):
        log.info("%s: a system text goes before the first user turn, because of `system_turn`", folder)
        stored = SYSTEM_IN_USER_TURN + stored
    return FIXED_DATE + stored if "strftime_now" in stored else stored


def _trained_here(folder: Path) -> bool:
    """Whether a stage trained this model. Its folder then has only the template that was chosen for its base."""
    manifest = folder / "manifest.json"
    return manifest.is_file() and "base" in read_json(manifest)
