"""Chat templates and special tokens: they turn a request into the text that a model continues, and tokens back into text."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reversegen.core.errors import BadInput, describe
from reversegen.core.records import Message
from reversegen.engines.base import END, START, Generated, Request
from reversegen.models.folder import adapted
from reversegen.models.template_heads import FIXED_DATE, SYSTEM_IN_USER_TURN

CHANCE = re.compile(r"\|\s*random\b|\blipsum\b")
"""Jinja's random functions: with one of them a template renders another text each time."""
ROLE = re.compile(r"\A(system|developer|user)\b\s*(:|\n|\Z)")
"""The name of a turn's role, as a template may write it in front of the turn's text."""
QUESTIONS = ("question0", "question1")
"""Plain words that stand in for the questions."""
RARE = "\U00013000 \U0001fae8"
"""A hieroglyph and a recent emoji: a tokenizer that lacks tokens for their bytes reads them as unknown."""
TRIES = 8
"""Rounds in which special tokens are broken in a text. One round is enough except for hostile vocabularies."""


class Forged(ValueError):
    """A text holds a special token that cannot be broken, or the chat template joins parts of the texts into one."""


def render(tokenizer: Any, request: Request) -> str:
    """The text that a model continues for a request, with special tokens in its texts broken. Raises as `templated` does."""
    if request.messages:
        return templated(tokenizer, request, add_generation_prompt=True)
    return harmless(tokenizer, str(request.text))


def harmless(tokenizer: Any, text: str) -> str:
    """A text from outside in which no token of `control_tokens` is read: a space after its first character breaks each token.

    This is the only place where texts are made harmless: prompts and completions, for inference and for training, from every
    source. A text without such tokens stays the same. Tokens are found by their spelling and also by the tokenizer itself,
    since it may read other characters as a token (NFKC, lower case). Raises Forged if spaces do not break them, for example if
    the tokenizer drops spaces.
    """
    pattern, numbers = _controls(tokenizer, tokenizer.chat_template, len(tokenizer))
    for _ in range(TRIES):
        spans = [match.span() for match in pattern.finditer(text)] or _spans(tokenizer, text, numbers)
        if not spans:
            return text
        for start, end in reversed(spans):
            place = end - len(text[start:end].lstrip()) + 1
            text = f"{text[:place]} {text[place:]}"
    raise Forged("this text holds special tokens that spaces do not break")


def _spans(tokenizer: Any, text: str, numbers: frozenset[int]) -> list[tuple[int, int]]:
    """The start and end of each place in a text where the tokenizer reads one of these token ids."""
    if not tokenizer.is_fast:
        if numbers.intersection(tokenizer(text, add_special_tokens=False)["input_ids"]):
            raise Forged("this tokenizer reads a special token in this text but does not report its place")
        return []
    encoding = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    return [
        (start, end)
        for number, (start, end) in zip(encoding["input_ids"], encoding["offset_mapping"], strict=True)
        if number in numbers
    ]


def templated(tokenizer: Any, request: Request, *, add_generation_prompt: bool) -> str:
    """The text of a conversation, with or without the opening of the next turn.

    Raises BadInput if the chat template cannot serve these roles, and whatever the template raises for this conversation.
    Raises Forged if the text has other special tokens than the same conversation in plain words: a template may create a token
    when it removes text or joins two texts.
    """
    messages = _without_empty_system(tokenizer, request)
    roles = tuple(message.role for message in messages)
    contents = [harmless(tokenizer, message.content) for message in messages]
    expected = check_template(
        tokenizer,
        tokenizer.chat_template,
        roles,
        request.parts,
        tuple(sorted(request.template.items())),
        add_generation_prompt,
        tuple(None if content.strip() else content for content in contents),
    )
    text = _apply(tokenizer, roles, contents, request.parts, request.template, add_generation_prompt)
    if _written(tokenizer, text) != expected:
        raise Forged("the chat template turns the texts of this conversation into special tokens")
    return text


def _apply(
    tokenizer: Any,
    roles: Sequence[str],
    contents: Sequence[str],
    parts: bool,
    arguments: Mapping[str, Any],
    add_generation_prompt: bool,
) -> str:
    """A conversation as the chat template renders it."""
    turns = [
        {"role": role, "content": [{"type": "text", "text": content}] if parts else content}
        for role, content in zip(roles, contents, strict=True)
    ]
    text = tokenizer.apply_chat_template(
        turns, tokenize=False, add_generation_prompt=add_generation_prompt, **arguments
    )
    return str(text)


def _written(tokenizer: Any, text: str) -> tuple[int, ...]:
    """The tokens of `control_tokens` in a rendered text, in order."""
    _, numbers = _controls(tokenizer, tokenizer.chat_template, len(tokenizer))
    return tuple(number for number in tokenizer(text, add_special_tokens=False)["input_ids"] if number in numbers)


@functools.lru_cache(maxsize=64)
def check_template(
    tokenizer: Any,
    template: str | None,
    roles: tuple[str, ...],
    parts: bool,
    arguments: tuple[tuple[str, Any], ...],
    add_generation_prompt: bool,
    contents: tuple[str | None, ...] = (),
) -> tuple[int, ...]:
    """The tokens of `control_tokens`, in order, that the tokenizer's chat template writes for a conversation with these roles.

    `parts` and `arguments` are as in `Request`. Each turn holds a plain word, so that an error can show the template's own
    message whatever texts are asked later; a text in `contents`, which is blank, replaces the word of its turn. Raises BadInput
    unless the template writes the text of every turn.
    """
    folder = tokenizer.name_or_path
    if template is None:
        raise BadInput(
            f"{folder}: has no chat template in chat_template.jinja or tokenizer_config.json; give one as `chat_template` of "
            "the model in config/models.yaml"
        )
    if chance := CHANCE.search(own_template(template)):
        raise BadInput(
            f"{_place(folder, template)}: the chat template draws at random (`{chance[0]}`), so a prompt changes each time; "
            "give another as `chat_template` of the model in config/models.yaml"
        )
    text = ""

    def fault(roles: tuple[str, ...], contents: list[str]) -> str | None:
        nonlocal text
        try:
            text = _apply(tokenizer, roles, contents, parts, dict(arguments), add_generation_prompt)
        except Exception as error:  # a template is foreign code and may raise anything
            if line := getattr(error, "lineno", 0):  # an attribute of jinja2.TemplateSyntaxError
                line -= template[: -len(own_template(template))].count("\n")
                return f"does not parse: line {line}: {describe(error)}"
            return f"fails on a conversation of {', '.join(roles)}: {describe(error)}"
        missing_roles = [role for role, content in zip(roles, contents, strict=True) if content.strip() not in text]
        return f"leaves out the text of the {missing_roles[0]}'s turn" if missing_roles else None

    texts = contents or (None,) * len(roles)
    words = [f"question{n}" if content is None else content for n, content in enumerate(texts)]
    reason = fault(roles, words)
    if reason is None:
        return _written(tokenizer, text)
    advice = "give another as `chat_template` of the model in config/models.yaml"
    # a system text can open the user's turn if only the system turn is refused
    if roles[:2] == ("system", "user") and fault(roles[1:], words[1:]) is None:
        advice = "give the model `system_turn: user` in config/models.yaml, so that a system text opens the user's turn"
    raise BadInput(f"{_place(folder, template)}: the chat template {reason}; {advice}")


def own_template(template: str) -> str:
    """A chat template without the heads that this repository puts in front of it."""
    return template.removeprefix(FIXED_DATE).removeprefix(SYSTEM_IN_USER_TURN)


def _without_empty_system(tokenizer: Any, request: Request) -> list[Message]:
    """The messages. An empty system turn is dropped, unless the template would then write a system text of its own.

    Raises BadInput if the template writes a system text of its own in both cases.
    """
    if request.messages[0].role != "system" or request.messages[0].content:
        return request.messages
    if not system_text(tokenizer, request.template, parts=request.parts, system=None):
        return request.messages[1:]
    if own_text := system_text(tokenizer, request.template, parts=request.parts, system=""):
        place = _place(tokenizer.name_or_path, tokenizer.chat_template)
        raise BadInput(
            f'{place}: the chat template writes a system text of its own, {own_text[:100]!r}, even if `system` is ""; set '
            "`system` to null to leave it to the template, or give the model another `chat_template` in config/models.yaml"
        )
    return request.messages


def system_text(tokenizer: Any, arguments: Mapping[str, Any], *, parts: bool, system: str | None) -> str:
    """The system text that a model reads before the user's first turn, as its chat template renders it.

    `system` is the given text; None means no system turn, and many templates then write a text of their own. `arguments` and
    `parts` are as in `Request`. The result leaves out special tokens and the names of roles. It also leaves out whatever the
    template repeats before a second user turn, if it renders one. Raises BadInput as `check_template` does.
    """
    roles = ("user",) if system is None else ("system", "user")
    contents = (None,) if system is None else ("" if system == "" else None, None)
    key = tuple(sorted(arguments.items()))
    check_template(tokenizer, tokenizer.chat_template, roles, parts, key, True, contents)
    return _read_system(tokenizer, tokenizer.chat_template, parts, key, system)


@functools.lru_cache(maxsize=64)
def _read_system(
    tokenizer: Any, template: str, parts: bool, arguments: tuple[tuple[str, Any], ...], system: str | None
) -> str:
    """The result of `system_text`. `template` is the tokenizer's own; it is a parameter because it may change."""
    pattern, _ = _controls(tokenizer, template, len(tokenizer))

    def pieces(text: str) -> list[str]:
        return [piece for piece in re.split(f"({pattern.pattern})", text) if piece]

    def rendered(roles: Sequence[str], contents: Sequence[str]) -> str:
        return _apply(tokenizer, roles, contents, parts, dict(arguments), True)

    first, second = QUESTIONS
    opening = [] if system is None else [("system", harmless(tokenizer, system))]
    head = pieces(rendered(*zip(*opening, ("user", first), strict=True)).partition(first)[0])
    try:
        both = rendered(("user", "assistant", "user"), (first, "answer0", second))
        header = pieces(both.partition("answer0")[2].partition(second)[0])
    except Exception:  # a template may accept only one question
        header = []
    while head and header and head[-1] == header[-1]:
        head.pop()
        header.pop()
    if head and header:
        if header[-1].endswith(head[-1]):
            head.pop()
        else:
            whole = head[-1].endswith(header[-1])
            head[-1] = head[-1].removesuffix(header[-1]) if whole else head[-1].removeprefix(header[-1])
    texts = (ROLE.sub("", piece.strip()).strip() for piece in head if not pattern.fullmatch(piece))
    return "\n".join(text for text in texts if text)


def _place(folder: str, template: str) -> str:
    """The place of a chat template: a file of its folder, or the configuration."""
    text = own_template(template)
    for path in [Path(folder) / "chat_template.jinja", *sorted(Path(folder).glob("additional_chat_templates/*.jinja"))]:
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            return str(path)
    config = Path(folder) / "tokenizer_config.json"
    if config.is_file() and json.dumps(text)[1:-1] in config.read_text(encoding="utf-8"):
        return f"{config}: chat_template"
    return f"config/models.yaml: chat_template of {folder}"


def special_tokens(tokenizer: Any) -> list[str]:
    """Every token that opens or ends something, longest first: the tokenizer's named ones, and those added as special."""
    added_tokens = (token.content for token in tokenizer.added_tokens_decoder.values() if token.special)
    return sorted({*tokenizer.all_special_tokens, *added_tokens}, key=lambda token: (-len(token), token))


def thought_tokens(tokenizer: Any) -> list[str]:
    """The marks of a thought that are tokens without being special ones, as in the vocabularies of Qwen3 and DeepSeek-R1."""
    added_tokens = {token.content for token in tokenizer.added_tokens_decoder.values()}
    return [mark for mark in (START, END) if mark in added_tokens]


def control_tokens(tokenizer: Any) -> list[str]:
    """Every token that only a chat template or this repository may write, longest first.

    These are the special tokens and some other tokens that were added to the vocabulary: the marks of a thought, tokens that
    the chat template writes (DeepSeek-R1's turns, Qwen's `<tool_call>`), and tokens of the form `<|tool|>`, with a bar of
    either width, since a template may build them from parts. All other tokens are text, such as Gemma's `<b>` and runs of
    spaces. A token of one character or of white space is left out, because it cannot be broken.
    """
    template = tokenizer.chat_template or ""
    added_tokens = (token.content for token in tokenizer.added_tokens_decoder.values())
    marks = (
        token
        for token in added_tokens
        if not token[:1].isalnum() and (token in template or re.fullmatch(r"<[|\uff5c].*>", token))
    )
    tokens = {*special_tokens(tokenizer), *thought_tokens(tokenizer), *marks}
    return sorted((token for token in tokens if len(token.strip()) > 1), key=lambda token: (-len(token), token))


@functools.lru_cache(maxsize=64)
def _controls(tokenizer: Any, template: str | None, size: int) -> tuple[re.Pattern[str], frozenset[int]]:
    """`control_tokens` as a pattern and as ids, without the ids that the tokenizer gives to unknown characters of any text.

    `template` and `size`, the length of the vocabulary, are parameters because they may change for one tokenizer.
    """
    tokens = control_tokens(tokenizer)
    unknown = tokenizer(RARE, add_special_tokens=False)["input_ids"]
    numbers = {tokenizer.convert_tokens_to_ids(token) for token in tokens}.difference(unknown)
    return re.compile("|".join(map(re.escape, tokens)) or "(?!)"), frozenset(numbers)


def stop_tokens(of_model: int | list[int] | None, tokenizer: Any) -> list[int]:
    """Ids of tokens that end a text: the tokenizer's, the model's own, a chat model's end of turn (Llama 3's `<|eot_id|>`)."""
    stops = {tokenizer.eos_token_id, *(of_model if isinstance(of_model, list) else [of_model])}
    stops |= {tokenizer.get_vocab().get(token) for token in ("<|eot_id|>", "<|eot|>", "<|im_end|>", "<end_of_turn>")}
    return sorted(stop for stop in stops if stop is not None)


def folder_stops(folder: Path, tokenizer: Any) -> list[int]:
    """The stop tokens of a model folder, or of the base of an adapter, without its weights."""
    from transformers import AutoConfig, GenerationConfig

    place, _ = adapted(folder) or (folder, 0)
    if (place / "generation_config.json").is_file():
        end = GenerationConfig.from_pretrained(place, local_files_only=True).eos_token_id
    else:
        end = AutoConfig.from_pretrained(place, local_files_only=True).get_text_config().eos_token_id
    return stop_tokens(end, tokenizer)


def continuation(tokens: list[int], stops: list[int], decode: Callable[[list[int]], str]) -> Generated:
    """The text that a model wrote up to its first stop token or its token limit."""
    end = next((i for i, token in enumerate(tokens) if token in stops), None)
    written = tokens[:end]
    return Generated(text=decode(written), tokens=len(written) + (end is not None), finished=end is not None)
