"""Engines: what turns requests into text. One interface; torch and API clients are imported when an engine starts."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from reversegen.artefacts import read_json
from reversegen.configuration import Endpoint, ModelUse
from reversegen.errors import BadInput
from reversegen.hashing import content_id
from reversegen.records import Message

log = logging.getLogger("reversegen")


@dataclass(frozen=True)
class Request:
    """What a model continues: plain text, or a conversation that its chat template renders."""

    text: str | None = None
    messages: list[Message] = field(default_factory=list)
    template: dict[str, str] = field(default_factory=dict)
    """Arguments that the chat template takes beside the conversation."""
    parts: bool = False
    """Whether the chat template takes a turn's content as a list of typed parts."""


@dataclass(frozen=True)
class Generated:
    """One continuation."""

    text: str
    tokens: int
    """Generated tokens, the end token included."""
    finished: bool
    """Whether it ended by itself."""


@dataclass(frozen=True)
class Decoding:
    """How to draw, under transformers' names; temperature 0 is greedy."""

    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0


class Engine(Protocol):
    """A model that is ready to generate."""

    identity: str
    """Everything about the model and the decoding that decides the text."""

    def generate(self, requests: Sequence[Request], n: int, seed: int) -> list[list[Generated]]:
        """`n` continuations of each request, drawn with this seed."""
        ...

    def choose(self, requests: Sequence[Request], options: Sequence[Sequence[str]]) -> list[dict[str, float]]:
        """The probability of each request's options as what follows, normalised over its options."""
        ...


def open_engine(model: ModelUse, folder: Path | None, decoding: Decoding, threads: int) -> Engine:
    """The engine of a model: its folder by transformers, or its endpoint.

    Raises BadInput for a folder that is no model, and for an endpoint whose key is not in the environment.
    """
    if model.endpoint:
        return OpenAIEngine(model.endpoint, decoding)
    assert folder is not None
    return TransformersEngine(folder, model, decoding, threads)


def check_folder(folder: Path) -> None:
    """Raise BadInput unless the folder holds a model in Hugging Face form, with safetensors weights and a tokenizer."""
    needs = {
        "config.json": [folder / "config.json"],
        "*.safetensors": list(folder.glob("*.safetensors")),
        "tokenizer.json or tokenizer.model": [folder / "tokenizer.json", folder / "tokenizer.model"],
    }
    missing = [name for name, files in needs.items() if not any(file.is_file() for file in files)]
    if missing:
        raise BadInput(f"{folder}: not a model folder: it has no {', no '.join(missing)}")


def weights_identity(folder: Path) -> str:
    """What decides the content of a model folder: the hashes of its manifest, or sizes and times of a user's own files."""
    manifest = folder / "manifest.json"
    if manifest.is_file():
        files: Any = read_json(manifest)["files"]
    else:
        files = sorted((f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in folder.iterdir())
    return content_id(json.dumps(files))


class TransformersEngine:
    """transformers' generate on a local folder. The weights are loaded at the first request."""

    def __init__(self, folder: Path, model: ModelUse, decoding: Decoding, threads: int) -> None:
        check_folder(folder)
        self.folder, self.model, self.decoding, self.threads = folder, model, decoding, threads
        self.identity = content_id(weights_identity(folder), model.model_dump_json(), repr(decoding))

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        from reversegen.models import load_model, load_tokenizer

        tokenizer = load_tokenizer(self.folder, self.model)
        return load_model(self.folder, self.model, self.threads).eval(), tokenizer

    def generate(self, requests: Sequence[Request], n: int, seed: int) -> list[list[Generated]]:
        """`n` continuations of each request in one batch, padded on the left; the mask comes from lengths."""
        import torch

        model, tokenizer = self._loaded
        chat = bool(requests[0].messages)
        texts = [render(tokenizer, request) for request in requests]
        batch = tokenizer(texts, return_tensors="pt", padding=True, padding_side="left", add_special_tokens=not chat)
        stops = stop_tokens(model, tokenizer)
        decoding: dict[str, Any] = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
        if self.decoding.temperature > 0:
            decoding = {
                "do_sample": True,
                "temperature": self.decoding.temperature,
                "top_p": self.decoding.top_p,
                "top_k": 0,
            }
        torch.manual_seed(seed % 2**63)
        with torch.inference_mode():
            output = model.generate(
                **batch.to(model.device),
                **decoding,
                max_new_tokens=self.decoding.max_new_tokens,
                num_return_sequences=n,
                eos_token_id=stops,
                pad_token_id=tokenizer.pad_token_id,
            )
        rows = output[:, batch["input_ids"].shape[1] :].tolist()
        drawn = [_cut(row, stops, tokenizer) for row in rows]
        return [drawn[i * n : (i + 1) * n] for i in range(len(requests))]

    def choose(self, requests: Sequence[Request], options: Sequence[Sequence[str]]) -> list[dict[str, float]]:
        """Sequence probabilities from one forward pass over all options, normalised over those of each request.

        Where options are single tokens these are R-Tuning's first-token probabilities.
        """
        import torch

        model, tokenizer = self._loaded
        prompts = [render(tokenizer, request) for request in requests]
        joined = [(n, _completed(tokenizer, prompts[n], requests[n], o)) for n, of in enumerate(options) for o in of]
        heads = [len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in prompts]
        rows = [tokenizer(text, add_special_tokens=False)["input_ids"] for _, text in joined]
        width = max(map(len, rows))
        tokens = torch.full((len(rows), width), tokenizer.pad_token_id)
        mask = torch.zeros(len(rows), width, dtype=torch.long)
        for i, row in enumerate(rows):  # padded on the right, where causal attention never looks
            tokens[i, : len(row)], mask[i, : len(row)] = torch.tensor(row), 1
        with torch.inference_mode():
            logits = model(input_ids=tokens.to(model.device), attention_mask=mask.to(model.device)).logits
        scores = torch.log_softmax(logits[:, :-1].float(), -1).gather(-1, tokens[:, 1:, None].to(logits.device))[..., 0]
        sums = [float(scores[i, heads[n] - 1 : len(rows[i]) - 1].sum()) for i, (n, _) in enumerate(joined)]
        found, start = [], 0
        for of in options:
            share = torch.softmax(torch.tensor(sums[start : start + len(of)], dtype=torch.float64), 0).tolist()
            found.append(dict(zip(of, share, strict=True)))
            start += len(of)
        return found


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


def _completed(tokenizer: Any, prompt: str, request: Request, option: str) -> str:
    """The prompt with an option as the assistant's turn, without what the template puts after it."""
    turns = [*request.messages, Message(role="assistant", content=option)]
    whole = templated(tokenizer, Request(messages=turns), add_generation_prompt=False)
    if not whole.startswith(prompt):
        raise BadInput("the chat template renders a question differently once it is answered; options cannot be scored")
    return prompt + whole[len(prompt) :].split(option)[0] + option


def stop_tokens(model: Any, tokenizer: Any) -> list[int]:
    """Tokens that end a text: the tokenizer's, the model's, and a chat model's end of turn (Llama 3's `<|eot_id|>`)."""
    of_model = model.generation_config.eos_token_id
    stops = {tokenizer.eos_token_id, *(of_model if isinstance(of_model, list) else [of_model])}
    stops |= {tokenizer.get_vocab().get(token) for token in ("<|eot_id|>", "<|eot|>", "<|im_end|>", "<end_of_turn>")}
    return sorted(stop for stop in stops if stop is not None)


def _cut(row: list[int], stops: list[int], tokenizer: Any) -> Generated:
    end = next((i for i, token in enumerate(row) if token in stops), None)
    kept = row[:end]
    text = tokenizer.decode(kept, skip_special_tokens=True)
    return Generated(text=text, tokens=len(kept) + (end is not None), finished=end is not None)


class OpenAIEngine:
    """Chat completions of an OpenAI-compatible endpoint, one request after the other."""

    def __init__(self, endpoint: Endpoint, decoding: Decoding) -> None:
        if not os.environ.get(endpoint.api_key_env):
            raise BadInput(
                f"config/models.yaml: endpoint {endpoint.base_url}: the environment variable {endpoint.api_key_env} holds no "
                "key; export it before starting snakemake"
            )
        self.endpoint, self.decoding = endpoint, decoding
        self.identity = content_id(endpoint.base_url, endpoint.model, repr(decoding))

    @cached_property
    def _client(self) -> Any:
        from openai import OpenAI

        return OpenAI(base_url=self.endpoint.base_url, api_key=os.environ[self.endpoint.api_key_env])

    def generate(self, requests: Sequence[Request], n: int, seed: int) -> list[list[Generated]]:
        """`n` choices of each conversation. Raises BadInput for plain text: proposers are not asked over a chat API."""
        return [self._ask(request, n, seed) for request in requests]

    def choose(self, requests: Sequence[Request], options: Sequence[Sequence[str]]) -> list[dict[str, float]]:
        """Raises BadInput: a chat API does not give the probabilities of given options."""
        raise BadInput(
            f"endpoint {self.endpoint.base_url}: gives no probabilities of options; a target of the kind honesty must be a "
            "hub id or a folder"
        )

    def _ask(self, request: Request, n: int, seed: int) -> list[Generated]:
        if not request.messages:
            raise BadInput(f"endpoint {self.endpoint.base_url}: cannot continue plain text; it serves conversations")
        if request.template:
            raise BadInput(
                f"endpoint {self.endpoint.base_url}: takes no arguments of a chat template, which this judge needs; name a hub "
                "id or a folder"
            )
        from openai import OpenAIError

        place = f"endpoint {self.endpoint.base_url}, model {self.endpoint.model}"
        try:
            reply = self._client.chat.completions.create(
                model=self.endpoint.model,
                messages=[m.model_dump() for m in request.messages],
                max_tokens=self.decoding.max_new_tokens,
                temperature=self.decoding.temperature,
                top_p=self.decoding.top_p,
                n=n,
                seed=seed % 2**31,
            )
        except OpenAIError as error:  # its message may repeat what was asked, so only its class and status are told
            status = getattr(error, "status_code", None)
            raise BadInput(f"{place}: {type(error).__name__}{f', status {status}' if status else ''}") from None
        choices = getattr(reply, "choices", None) or []
        if len(choices) != n or any(choice.message is None for choice in choices):
            raise BadInput(f"{place}: {len(choices)} answers where {n} were asked for; does it support `n`?")
        tokens = reply.usage.completion_tokens // n if reply.usage else 0
        return [
            Generated((c.message.content or "").encode(errors="replace").decode(), tokens, c.finish_reason == "stop")
            for c in choices
        ]
