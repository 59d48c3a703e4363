"""Prompts and texts of one model: the arguments of its chat template, its tokens, and its thoughts in one form.

A model that thinks writes its thought between marks of its own. The marks may be special tokens, and the chat template may
write the first one into the prompt. Every record holds a thought between `<think>` and `</think>`, so no later module needs to
know a model's marks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import takewhile
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from reversegen.config.models import ModelUse, Thinking
from reversegen.core.errors import BadInput
from reversegen.core.records import Message
from reversegen.engines.base import Generated, Request
from reversegen.engines.chat_templates import (
    continuation,
    harmless,
    render,
    special_tokens,
    stop_tokens,
    system_text,
    templated,
    thought_tokens,
)

log = logging.getLogger("reversegen")
T = TypeVar("T")

CANONICAL = Thinking(enabled=True)
"""The marks that every record holds. They are also the marks of a model without the setting `thinking`."""
CANNOT_RENDER = "chat template cannot render it"
"""Why an item has no response: the chat template refuses this one conversation."""


class TokenPrompt(NamedTuple):
    """A prompt, as text and as tokens."""

    text: str
    tokens: list[int]
    in_thought: bool
    """Whether the prompt ends inside a thought that the chat template opens."""


def template_arguments(model: ModelUse) -> dict[str, Any]:
    """The arguments of a model's chat template, beside the conversation. A template ignores unknown variables.

    `enable_thinking` is the name of the switch in Qwen3's template and in those modelled on it.
    """
    switch = {} if model.thinking is None else {"enable_thinking": model.thinking.enabled}
    return {**switch, **model.chat_template_kwargs}


def _opening(tokenizer: Any) -> list[int]:
    """The special tokens that a tokenizer puts in front of a text: Llama's beginning of text; for most models none."""
    encoding = tokenizer("a", return_special_tokens_mask=True)
    return [
        token
        for token, _ in takewhile(
            itemgetter(1), zip(encoding["input_ids"], encoding["special_tokens_mask"], strict=True)
        )
    ]


class Conversations:
    """The prompts of one model, and the text that it writes after them."""

    def __init__(self, tokenizer: Any, model: ModelUse) -> None:
        self.tokenizer = tokenizer
        self._arguments, self._marks = template_arguments(model), model.thinking or CANONICAL
        self._thinks, self._closes = model.thinks, model.thinking is not None and not model.thinking.enabled
        special = special_tokens(tokenizer)
        self._special_marks = [
            (list(tokenizer(mark, add_special_tokens=False)["input_ids"]), canonical)
            for mark, canonical in ((self._marks.start, CANONICAL.start), (self._marks.end, CANONICAL.end))
            if any(token in mark for token in special)
        ]
        self._forgeable = not any(token in self._marks.start for token in [*special, *thought_tokens(tokenizer)])
        self._opening, self._stops = _opening(tokenizer), stop_tokens(None, tokenizer)
        self._some_rendered = False
        self._logged = model.thinking is not None

    def prompts(self, requests: Sequence[Request]) -> list[TokenPrompt | None]:
        """The prompt of each request; None for a request that the chat template refuses.

        Raises BadInput if it refuses all requests of the first call: then the template is at fault, not a request.
        """
        return self._each(self.prompt, requests)

    def texts(self, requests: Sequence[Request]) -> list[str]:
        """The text of each request's prompt; CANNOT_RENDER for a request that the chat template refuses.

        Raises BadInput as `prompts` does.
        """
        return [
            CANNOT_RENDER if text is None else text for text in self._each(lambda one: self._text(one)[0], requests)
        ]

    def _each(self, render: Callable[[Request], T], requests: Sequence[Request]) -> list[T | None]:
        prompts: list[T | None] = []
        fault: Exception | None = None
        for request in requests:
            try:
                prompts.append(render(request))
            except BadInput:  # the template serves no conversation with these roles
                raise
            except Exception as error:  # a template is foreign code and may raise anything
                prompts.append(None)
                fault = error
        any_rendered = any(prompt is not None for prompt in prompts)
        if fault is not None and not self._some_rendered and not any_rendered:
            message = f"{type(fault).__name__}: {' '.join(str(fault).split())[:200]}"
            raise BadInput(
                f"{self.tokenizer.name_or_path}: the chat template cannot render any conversation: {message}; give the "
                "model another `chat_template` in config/models.yaml"
            )
        self._some_rendered |= any_rendered
        if fault is not None:
            log.warning("%d of %d conversations: %s", prompts.count(None), len(requests), CANNOT_RENDER)
        return prompts

    def prompt(self, request: Request) -> TokenPrompt:
        """The prompt of a request. Raises whatever the chat template raises."""
        text, in_thought = self._text(request)
        return TokenPrompt(text, self._tokens(text, chat=bool(request.messages)), in_thought)

    def _text(self, request: Request) -> tuple[str, bool]:
        """The text of a prompt, and whether it ends in a thought.

        If the model is set not to think, a thought that the template opens is closed at once.
        """
        text = render(self.tokenizer, self._with_arguments(request))
        in_thought = bool(request.messages) and self._opens_thought(text, request.messages[-1])
        if in_thought and self._closes:
            text, in_thought = text + self._closing(text), False
        if in_thought and not self._logged:
            self._logged = True
            log.info(
                "the chat template opens a thought, which is no part of the answer; set `thinking` to give it tokens"
            )
        return text, in_thought

    def system_text(self, system: str | None) -> str:
        """The system text that the model reads before a question, as `chat_templates.system_text` returns it."""
        return system_text(self.tokenizer, self._arguments, parts=False, system=system)

    def continuation(self, tokens: list[int], stops: list[int], prompt: TokenPrompt) -> Generated:
        """The text that the model wrote up to its first stop token or its limit, with its thought in canonical form."""
        return continuation(tokens, stops, lambda written: self._canonical(written, prompt.in_thought))

    def completed(self, prompt: TokenPrompt, request: Request, option: str) -> list[int]:
        """The tokens of a prompt, as it is asked, and of an option as the assistant's turn without the end of the turn.

        Raises BadInput for a model that thinks first: before the thought, its answer has no probability.
        """
        if self._thinks or prompt.in_thought:
            raise BadInput(
                f"{self.tokenizer.name_or_path}: this model thinks before it answers, so the options of a question have no "
                "probability of their own; set `thinking: {enabled: false}` for it in config/models.yaml"
            )
        turn, _ = self._turn(prompt, request, [Message(role="assistant", content=option)])
        option = harmless(self.tokenizer, option)
        before, separator, _ = turn.partition(option)
        if not separator:
            raise BadInput(
                f"{self.tokenizer.name_or_path}: the chat template changes the text of an answer, so options cannot be scored; "
                "give the model another `chat_template` in config/models.yaml"
            )
        return [*prompt.tokens, *self._following(prompt, before + option, chat=True)]

    def row(self, asked: str | Sequence[Message], completion: str | Sequence[Message]) -> tuple[list[int], list[int]]:
        """Tokens of a prompt exactly as the model is asked it, and of the completion up to the token that ends it.

        Both are plain text or both are conversations. Plain text ends with the tokenizer's end token, and so does a turn if
        the template writes no token at which answering stops. White space and special tokens that a template writes after
        such a token are left out, because a model that answers has stopped before them. If the template opens a thought and
        the answer has none, the thought is closed first. Raises BadInput if the template renders the conversation differently
        once it is answered, and whatever the template itself raises.
        """
        if isinstance(asked, str):
            assert isinstance(completion, str)
            prompt = self.prompt(Request(text=asked))
            written = self._following(prompt, harmless(self.tokenizer, completion), chat=False)
            return prompt.tokens, [*written, self.tokenizer.eos_token_id]
        assert not isinstance(completion, str)
        request = Request(messages=list(asked))
        prompt = self.prompt(request)
        turn, closing = self._turn(prompt, request, completion)
        return prompt.tokens, self._ended(self._following(prompt, closing + turn, chat=True))

    def _ended(self, turn: list[int]) -> list[int]:
        """A turn without white space and special tokens after its last stop token; one without a stop token gets one."""
        length = next((n for n in range(len(turn), 0, -1) if turn[n - 1] in self._stops), None)
        if length is None:
            return [*turn, self.tokenizer.eos_token_id]
        return turn if self._decoded(turn[length:]).strip() else turn[:length]

    def _following(self, prompt: TokenPrompt, text: str, *, chat: bool) -> list[int]:
        """The tokens of a text after a prompt. The prompt keeps its own tokens even if some would merge with the text."""
        start = len(prompt.tokens)
        whole = self._tokens(prompt.text + text, chat=chat)
        if whole[:start] == prompt.tokens:
            return whole[start:]
        line = self._tokens("\n", chat=True)
        after_line = self._tokens("\n" + text, chat=True)  # SentencePiece puts a space in front of a text alone
        return after_line[len(line) :] if after_line[: len(line)] == line else self._tokens(text, chat=True)

    def _turn(self, prompt: TokenPrompt, request: Request, completion: Sequence[Message]) -> tuple[str, str]:
        """The assistant's turn after a prompt, and the end of a thought that the prompt opens and the turn does not close.

        Many templates drop the thought from a finished turn, so the prompt may end in a thought block that the turn lacks.
        """
        turns = replace(self._with_arguments(request), messages=[*request.messages, *completion])
        whole = templated(self.tokenizer, turns, add_generation_prompt=False)
        if whole.startswith(prompt.text):
            return whole[len(prompt.text) :], ""
        head = self._without_thought(prompt.text)
        if head == prompt.text or not whole.startswith(head):
            raise BadInput(
                f"{self.tokenizer.name_or_path}: the chat template renders a question differently once it is answered, so "
                "training rows would differ from what the model is asked, and options cannot be scored; give the model another "
                "`chat_template` in config/models.yaml"
            )
        turn = whole[len(head) :]
        thought = turn.lstrip().removeprefix(self._marks.start).lstrip()
        if thought.startswith(self._marks.end) and turn.lstrip().startswith(self._marks.start):
            # the prompt has this empty thought with other white space
            turn = thought.removeprefix(self._marks.end).lstrip()
        closes = not prompt.in_thought or turn.lstrip().startswith(self._marks.end)
        return turn, "" if closes else self._closing(prompt.text)

    def _with_arguments(self, request: Request) -> Request:
        return replace(request, template={**self._arguments, **request.template})

    def _opens_thought(self, text: str, last: Message) -> bool:
        """Whether a prompt ends with the start of a thought that the template wrote, rather than the last turn."""
        start = self._marks.start
        return text.rstrip().endswith(start) and not (self._forgeable and last.content.rstrip().endswith(start))

    def _closing(self, text: str) -> str:
        """The end of an empty thought, with the white space of its start: `<think>\\n` is closed by `\\n</think>\\n\\n`."""
        space = text[len(text.rstrip()) :]
        return f"{space}{self._marks.end}{space * 2}"

    def _without_thought(self, text: str) -> str:
        """A prompt without an open or empty thought at its end."""
        head = text.rstrip().removesuffix(self._marks.end).rstrip()
        return head.removesuffix(self._marks.start) if head.endswith(self._marks.start) else text

    def _tokens(self, text: str, *, chat: bool) -> list[int]:
        """The tokens of a text. A plain text gets the tokenizer's opening tokens, but never its closing ones."""
        return [*([] if chat else self._opening), *self.tokenizer(text, add_special_tokens=False)["input_ids"]]

    def _canonical(self, tokens: list[int], in_thought: bool) -> str:
        """The text of tokens, with a thought between canonical marks. Marks that decoding would drop are found as tokens."""
        pieces: list[str] = []
        start = place = 0
        while place < len(tokens):
            mark = next((m for m in self._special_marks if tokens[place : place + len(m[0])] == m[0]), None)
            if mark is None:
                place += 1
                continue
            pieces += [self._decoded(tokens[start:place]), mark[1]]
            start = place = place + len(mark[0])
        text = "".join([*pieces, self._decoded(tokens[start:])])
        opened = text.lstrip()
        if opened.startswith(self._marks.start):
            text = CANONICAL.start + opened.removeprefix(self._marks.start)
        if in_thought or self._thinks or text.startswith(CANONICAL.start):
            text = text.replace(self._marks.end, CANONICAL.end, 1)
        return CANONICAL.start + text if in_thought else text

    def _decoded(self, tokens: list[int]) -> str:
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True))
