"""Chat templates and special tokens: from a request to the text that a model continues, and from tokens to its text."""

from __future__ import annotations

from typing import Any

from reversegen.engine import Generated, Request
from reversegen.errors import BadInput
from reversegen.records import Message


def render(tokenizer: Any, request: Request) -> str:
    """The text of a request. A special token within a turn is broken by a space, so that no text forges a turn."""
    return templated(tokenizer, request, add_generation_prompt=True) if request.messages else str(request.text)


def templated(tokenizer: Any, request: Request, *, add_generation_prompt: bool) -> str:
    """The text of a conversation, with or without the opening of the next turn."""
    turns: list[dict[str, Any]] = []
    for message in request.messages:
        content = message.content
        for token in special_tokens(tokenizer):
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


def completed(tokenizer: Any, prompt: str, request: Request, option: str) -> str:
    """The prompt with an option as the assistant's turn, without what the template puts after it."""
    turns = [*request.messages, Message(role="assistant", content=option)]
    whole = templated(tokenizer, Request(messages=turns), add_generation_prompt=False)
    if not whole.startswith(prompt):
        raise BadInput("the chat template renders a question differently once it is answered; options cannot be scored")
    return prompt + whole[len(prompt) :].split(option)[0] + option


def stop_tokens(of_model: int | list[int] | None, tokenizer: Any) -> list[int]:
    """Tokens that end a text: the tokenizer's, the model's own, and a chat model's end of turn (Llama 3's `<|eot_id|>`)."""
    stops = {tokenizer.eos_token_id, *(of_model if isinstance(of_model, list) else [of_model])}
    stops |= {tokenizer.get_vocab().get(token) for token in ("<|eot_id|>", "<|eot|>", "<|im_end|>", "<end_of_turn>")}
    return sorted(stop for stop in stops if stop is not None)


def continuation(tokens: list[int], stops: list[int], tokenizer: Any) -> Generated:
    """What a model wrote up to its first stop token, or to its limit."""
    end = next((i for i, token in enumerate(tokens) if token in stops), None)
    kept = tokens[:end]
    text = tokenizer.decode(kept, skip_special_tokens=True)
    return Generated(text=text, tokens=len(kept) + (end is not None), finished=end is not None)
