"""Chat templates and special tokens: from a request to the text that a model continues, and from tokens to its text."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reversegen.engine import Generated, Request
from reversegen.errors import BadInput, describe

SYSTEM_IN_USER_TURN = (
    "{%- if messages | length > 1 and messages[0].role == 'system' and messages[1].role == 'user' -%}"
    "{%- set messages = [{'role': 'user', 'content': messages[0].content + '\\n\\n' + messages[1].content}] + messages[2:] -%}"
    "{%- endif %}\n"
)
"""What a chat template begins with that shall take no system turn. The empty line between both texts is that of Gemma 3's
template. Being part of the template, it holds for whatever renders it, and goes with a trained model's folder."""


def render(tokenizer: Any, request: Request) -> str:
    """The text of a request. A special token within a turn is broken by a space, so that no text forges a turn."""
    return templated(tokenizer, request, add_generation_prompt=True) if request.messages else str(request.text)


def templated(tokenizer: Any, request: Request, *, add_generation_prompt: bool) -> str:
    """The text of a conversation, with or without the opening of the next turn."""
    roles = tuple(message.role for message in request.messages)
    arguments = tuple(sorted(request.template.items()))
    check_template(tokenizer, tokenizer.chat_template, roles, request.parts, arguments, add_generation_prompt)
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


@functools.lru_cache(maxsize=64)
def check_template(
    tokenizer: Any,
    template: str | None,
    roles: tuple[str, ...],
    parts: bool,
    arguments: tuple[tuple[str, Any], ...],
    add_generation_prompt: bool,
) -> None:
    """Raise BadInput unless the chat template of a tokenizer writes the text of every turn of a conversation of these roles.

    `parts` and `arguments` are as in `Request`. The turns hold harmless words, so that the template's own message can be
    shown, whatever is asked later.
    """
    folder = tokenizer.name_or_path
    if template is None:
        raise BadInput(
            f"{folder}: it has no chat template, as chat_template.jinja or in tokenizer_config.json; give one as "
            "`chat_template` of the model in config/models.yaml"
        )

    def fault(roles: tuple[str, ...], contents: list[str]) -> str | None:
        turns = [
            {"role": role, "content": [{"type": "text", "text": content}] if parts else content}
            for role, content in zip(roles, contents, strict=True)
        ]
        try:
            text = tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=add_generation_prompt, **dict(arguments)
            )
        except Exception as error:  # the template is somebody else's program: it may raise anything
            if line := getattr(error, "lineno", 0):  # of jinja2.TemplateSyntaxError
                line -= template.startswith(SYSTEM_IN_USER_TURN)
                return f"does not parse: line {line}: {describe(error)}"
            return f"fails on a conversation of {', '.join(roles)}: {describe(error)}"
        lost = [role for role, content in zip(roles, contents, strict=True) if content not in text]
        return f"leaves out the text of the {lost[0]}'s turn" if lost else None

    contents = [f"question{n}" for n in range(len(roles))]
    found = fault(roles, contents)
    if found is None:
        return
    advice = "give another as `chat_template` of the model in config/models.yaml"
    if roles[:2] == ("system", "user") and fault(roles[1:], contents[1:]) is None:
        advice = "give the model `system_turn: user` in config/models.yaml: a system text then opens the user's turn"
    raise BadInput(f"{_place(folder, template)}: the chat template {found}; {advice}")


def _place(folder: str, template: str) -> str:
    """Where a chat template stands: a file of its folder, or the configuration."""
    own = template.removeprefix(SYSTEM_IN_USER_TURN)
    for path in [Path(folder) / "chat_template.jinja", *sorted(Path(folder).glob("additional_chat_templates/*.jinja"))]:
        if path.is_file() and path.read_text(encoding="utf-8") == own:
            return str(path)
    config = Path(folder) / "tokenizer_config.json"
    if config.is_file() and json.dumps(own)[1:-1] in config.read_text(encoding="utf-8"):
        return f"{config}: chat_template"
    return f"config/models.yaml: chat_template of {folder}"


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
