"""The engine that runs a local folder with transformers."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from reversegen.configuration import ModelUse
from reversegen.conversations import CANNOT_RENDER, Conversations, Prompt
from reversegen.engine import PROMPT_TOO_LONG, Decoding, Generated, Probabilities, Request
from reversegen.hashing import content_id
from reversegen.model_folder import check_folder, weights_identity
from reversegen.templates import stop_tokens


class TransformersEngine:
    """transformers' generate on a local folder. The weights are loaded at the first request."""

    at_once = 1

    def __init__(self, folder: Path, model: ModelUse, decoding: Decoding, threads: int) -> None:
        check_folder(folder)
        self.folder, self.model, self.decoding, self.threads = folder, model, decoding, threads
        self.identity = content_id(weights_identity(folder), model.model_dump_json(), repr(decoding))

    @cached_property
    def _conversations(self) -> Conversations:
        from reversegen.models import load_tokenizer

        return Conversations(load_tokenizer(self.folder, self.model), self.model)

    @cached_property
    def _loaded(self) -> Any:
        from transformers import GenerationConfig

        from reversegen.models import load_model

        model = load_model(self.folder, self.model, self.threads).eval()
        # a repetition penalty and the like, which folders suggest, would change what `decoding` says
        model.generation_config = GenerationConfig(eos_token_id=model.generation_config.eos_token_id)  # type: ignore[no-untyped-call]
        return model

    @cached_property
    def _longest(self) -> int:
        """Tokens of prompt and answer that the model has places for; without an end for one whose folder names none."""
        config = self._loaded.config.get_text_config()
        return getattr(config, "max_position_embeddings", None) or sys.maxsize

    def request_texts(self, requests: Sequence[Request]) -> list[str]:
        """The rendered text of each request. Raises BadInput for a chat template that renders none."""
        return self._conversations.texts(requests)

    def generate(self, requests: Sequence[Request], n: int, seed: int) -> list[list[Generated]]:
        """`n` continuations of each request, drawn in one batch.

        A prompt that leaves no room in the model's context, or that its chat template refuses, has invalid ones. One that
        leaves less room than `max_new_tokens` is drawn in a batch of its own length, up to the end of the context.
        """
        import torch

        conversations = self._conversations
        prompts = conversations.prompts(requests)  # a fault of the template is found before weights load
        model = self._loaded
        stops = stop_tokens(model.generation_config.eos_token_id, conversations.tokenizer)
        drawn: dict[int, list[Generated]] = {}
        by_room: dict[int, list[tuple[int, Prompt]]] = defaultdict(list)
        for number, (request, prompt) in enumerate(zip(requests, prompts, strict=True)):
            limit = self.decoding.max_new_tokens + (self.model.thought_tokens if request.messages else 0)
            room = min(limit, self._longest - len(prompt.tokens)) if prompt else 0
            if prompt and room > 0:
                by_room[room].append((number, prompt))
            else:
                drawn[number] = [Generated("", 0, False, PROMPT_TOO_LONG if prompt else CANNOT_RENDER)] * n
        torch.manual_seed(seed % 2**63)
        for room in sorted(by_room, reverse=True):
            rows = self._draw([prompt.tokens for _, prompt in by_room[room]], n, room, stops)
            for (number, prompt), several in zip(by_room[room], rows, strict=True):
                drawn[number] = [conversations.continuation(tokens, stops, prompt) for tokens in several]
        return [drawn[number] for number in range(len(requests))]

    def _draw(self, prompts: list[list[int]], n: int, limit: int, stops: list[int]) -> list[list[list[int]]]:
        """The tokens of `n` continuations of each prompt in one batch, padded on the left; the mask comes from lengths."""
        import torch

        model, tokenizer = self._loaded, self._conversations.tokenizer
        batch = tokenizer.pad({"input_ids": prompts}, return_tensors="pt", padding_side="left")
        decoding: dict[str, Any] = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
        if self.decoding.temperature > 0:
            decoding = {
                "do_sample": True,
                "temperature": self.decoding.temperature,
                "top_p": self.decoding.top_p,
                "top_k": 0,
            }
        with torch.inference_mode():
            output = model.generate(
                **batch.to(model.device),
                **decoding,
                max_new_tokens=limit,
                num_return_sequences=n,
                eos_token_id=stops,
                pad_token_id=tokenizer.pad_token_id,
            )
        rows = output[:, batch["input_ids"].shape[1] :].tolist()
        return [rows[i * n : (i + 1) * n] for i in range(len(prompts))]

    def choose(self, requests: Sequence[Request], options: Sequence[Sequence[str]]) -> list[Probabilities]:
        """Sequence probabilities from one forward pass over all options, normalised over those of each request.

        Where options are single tokens these are R-Tuning's first-token probabilities. A question that does not fit the
        model's context, or that its chat template refuses, has the reason instead. Raises BadInput for a model that thinks.
        """
        import torch

        conversations = self._conversations
        rows: list[list[int]] = []
        heads: list[int] = []
        places: list[slice | str] = []
        for request, prompt, several in zip(requests, conversations.prompts(requests), options, strict=True):
            if prompt is None:
                places.append(CANNOT_RENDER)
                continue
            answered = [conversations.completed(prompt, request, option) for option in several]
            if max(map(len, answered)) > self._longest:
                places.append(PROMPT_TOO_LONG)
                continue
            places.append(slice(len(rows), len(rows) + len(several)))
            rows += answered
            heads += [len(prompt.tokens)] * len(several)
        if not rows:
            return [place for place in places if isinstance(place, str)]
        width = max(map(len, rows))
        tokens = torch.full((len(rows), width), conversations.tokenizer.pad_token_id)
        mask = torch.zeros(len(rows), width, dtype=torch.long)
        for i, row in enumerate(rows):  # padded on the right, where causal attention never looks
            tokens[i, : len(row)], mask[i, : len(row)] = torch.tensor(row), 1
        model = self._loaded
        with torch.inference_mode():
            logits = model(input_ids=tokens.to(model.device), attention_mask=mask.to(model.device)).logits
        scores = torch.log_softmax(logits[:, :-1].float(), -1).gather(-1, tokens[:, 1:, None].to(logits.device))[..., 0]
        sums = [float(scores[i, heads[i] - 1 : len(row) - 1].sum()) for i, row in enumerate(rows)]
        chosen: list[Probabilities] = []
        for several, place in zip(options, places, strict=True):
            if isinstance(place, str):
                chosen.append(place)
            else:
                share = torch.softmax(torch.tensor(sums[place], dtype=torch.float64), 0).tolist()
                chosen.append(dict(zip(several, share, strict=True)))
        return chosen
