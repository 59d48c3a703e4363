"""Chat templates and special tokens: from a request to the text that a model continues, and from tokens to its text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reversegen.engine import Generated, Request


def render(tokenizer: Any, request: Request) -> str:
    """The text of a request. A special token within a turn is broken by a space, so that no text forges a turn."""
    return templated(tokenizer, request, add_generation_prompt=True) if request.messages else str(request.text)


def templated(tokenizer: Any, request: Request, *, add_generation_prompt: bool) -> str:
    """The text of a conversation, with or without the opening of the next turn."""
    turns: list[dict[str, Any]] = []
    tokens = [*special_tokens(tokenizer), *thought_tokens(tokenizer)]
    for message in request.messages:
        content = message.content
        for token in tokens:
            if len(token) > 1:
                content = content.replace(token, f"{token[0]} {token[1:]}")
        turns.append(
            {"role": message.role, "content": [{"type": "text", "text": content}] if request.parts else content}
        )
    text = tokenizer.apply_chat_template(
        turns, tokenize=False, add_generation_prompt=add_generation_prompt, **request.template
    )
    return str(text)


def special_tokens(tokenizer: Any) -> list[str]:
    """Every token that ends or opens something, longest first: the named ones, and those added as special."""
    added = (token.content for token in tokenizer.added_tokens_decoder.values() if token.special)
    return sorted({*tokenizer.all_special_tokens, *added}, key=lambda token: (-len(token), token))


def thought_tokens(tokenizer: Any) -> list[str]:
    """The marks of a thought that are tokens of their own, though not special ones: Qwen3's and DeepSeek-R1's are."""
    added = {token.content for token in tokenizer.added_tokens_decoder.values()}
    return [mark for mark in ("<think>", "</think>") if mark in added]


def stop_tokens(of_model: int | list[int] | None, tokenizer: Any) -> list[int]:
    """Tokens that end a text: the tokenizer's, the model's own, and a chat model's end of turn (Llama 3's `<|eot_id|>`)."""
    stops = {tokenizer.eos_token_id, *(of_model if isinstance(of_model, list) else [of_model])}
    stops |= {tokenizer.get_vocab().get(token) for token in ("<|eot_id|>", "<|eot|>", "<|im_end|>", "<end_of_turn>")}
    return sorted(stop for stop in stops if stop is not None)


def continuation(tokens: list[int], stops: list[int], decode: Callable[[list[int]], str]) -> Generated:
    """What a model wrote up to its first stop token, or to its limit."""
    end = next((i for i, token in enumerate(tokens) if token in stops), None)
    kept = tokens[:end]
    return Generated(text=decode(kept), tokens=len(kept) + (end is not None), finished=end is not None)
