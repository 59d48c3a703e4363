"""The engine that runs a local folder with transformers."""

from __future__ import annotations

import inspect
import sys
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from reversegen.config.models import Limits, ModelUse
from reversegen.core.errors import BadInput
from reversegen.engines.base import PROMPT_TOO_LONG, Decoding, Generated, Probabilities, Request
from reversegen.engines.chat_templates import stop_tokens
from reversegen.engines.conversations import CANNOT_RENDER, Conversations, TokenPrompt
from reversegen.engines.halving import HalvedBatches
from reversegen.engines.nucleus import Nucleus
from reversegen.engines.shrinking import can_shrink, write_tokens
from reversegen.ids import content_id
from reversegen.models.folder import check_folder, weights_identity


class TransformersEngine:
    """Runs a local folder with transformers' `generate`. The weights are loaded at the first request."""

    at_once = 1

    def __init__(self, folder: Path, model: ModelUse, decoding: Decoding, threads: int) -> None:
        check_folder(folder)
        self.folder, self.model, self.decoding, self.threads = folder, model, decoding, threads
        self.identity = content_id(weights_identity(folder), model.model_dump_json(), repr(decoding))
        self._written, self._scored = HalvedBatches(folder), HalvedBatches(folder)

    @cached_property
    def _conversations(self) -> Conversations:
        from reversegen.models.loading import load_tokenizer

        return Conversations(load_tokenizer(self.folder, self.model), self.model)

    @cached_property
    def _loaded(self) -> Any:
        from transformers import GenerationConfig

        from reversegen.models.loading import load_model

        model = load_model(self.folder, self.model, self.threads).eval()
        # folders suggest settings such as a repetition penalty, which would change the decoding
        model.generation_config = GenerationConfig(eos_token_id=model.generation_config.eos_token_id)  # type: ignore[no-untyped-call]
        return model

    @cached_property
    def _longest(self) -> int:
        """Tokens that the model has positions for, prompt and answer together; unlimited if its folder names no limit."""
        config = self._loaded.config.get_text_config()
        return getattr(config, "max_position_embeddings", None) or sys.maxsize

    @cached_property
    def _shrinks(self) -> bool:
        return can_shrink(self._loaded)

    def request_texts(self, requests: Sequence[Request]) -> list[str]:
        """The rendered text of each request. Raises BadInput for a chat template that cannot render any request."""
        return self._conversations.texts(requests)

    def generate(self, requests: Sequence[Request], n: int, seed: int) -> list[list[Generated]]:
        """`n` continuations of each request, drawn in one batch.

        The continuations are invalid if the prompt leaves no room in the model's context or if its chat template refuses it. A
        prompt that leaves less room than `max_new_tokens` is drawn in a batch with its own limit, up to the end of the context.
        """
        import torch

        conversations = self._conversations
        prompts = conversations.prompts(requests)  # finds a fault of the template before the weights load
        model = self._loaded
        stops = stop_tokens(model.generation_config.eos_token_id, conversations.tokenizer)
        drawn: dict[int, list[Generated]] = {}
        by_room: dict[int, list[tuple[int, TokenPrompt]]] = defaultdict(list)
        for number, (request, prompt) in enumerate(zip(requests, prompts, strict=True)):
            limit = self.decoding.max_new_tokens + (self.model.thought_tokens if request.messages else 0)
            room = min(limit, self._longest - len(prompt.tokens)) if prompt else 0
            if prompt and room > 0:
                by_room[room].append((number, prompt))
            else:
                drawn[number] = [Generated("", 0, False, PROMPT_TOO_LONG if prompt else CANNOT_RENDER)] * n
        generator = torch.Generator(model.device).manual_seed(seed % 2**63)
        for room in sorted(by_room, reverse=True):
            rows = self._draw([prompt.tokens for _, prompt in by_room[room]], n, room, stops, generator)
            for (number, prompt), several in zip(by_room[room], rows, strict=True):
                drawn[number] = [conversations.continuation(tokens, stops, prompt) for tokens in several]
        return [drawn[number] for number in range(len(requests))]

    def _draw(
        self, prompts: list[list[int]], n: int, limit: int, stops: list[int], generator: Any
    ) -> list[list[list[int]]]:
        """The tokens of `n` continuations of each prompt in one batch, padded on the left. The mask comes from the lengths."""
        import torch

        model, tokenizer = self._loaded, self._conversations.tokenizer
        batch = tokenizer.pad({"input_ids": prompts}, return_tensors="pt", padding_side="left").to(model.device)
        draw = _Draw(n * len(prompts), self.decoding, generator) if self.decoding.temperature > 0 else None
        settings = {
            "logits_processor": [draw] if draw else None,
            "do_sample": False,
            "temperature": None,
            "top_p": None,
            "top_k": None,
            "eos_token_id": stops,
            "pad_token_id": tokenizer.pad_token_id,
        }

        def part(rows: slice) -> list[list[int]]:
            numbers = list(range(n * len(prompts)))[rows]
            places = [number // n for number in numbers]
            if draw:
                draw.begin(numbers)
            with torch.inference_mode():
                if self._shrinks:
                    written = write_tokens(model, batch, places, limit, draw.keep if draw else _ignore, **settings)
                else:
                    several = {name: tensor[places] for name, tensor in batch.items()}
                    output = model.generate(**several, max_new_tokens=limit, **settings)
                    written = output[:, batch["input_ids"].shape[1] :].tolist()
            if draw:
                draw.end()
            return written

        rows = [row for several in self._written.run(n * len(prompts), part) for row in several]
        return [rows[i * n : (i + 1) * n] for i in range(len(prompts))]

    def choose(self, requests: Sequence[Request], options: Sequence[Sequence[str]]) -> list[Probabilities]:
        """Sequence probabilities from one forward pass over all options, normalised over the options of each request.

        If options are single tokens, these are R-Tuning's first-token probabilities. A question that does not fit into the
        model's context, or that its chat template refuses, gets the reason instead. Raises BadInput for a model that thinks.
        """
        conversations = self._conversations
        rows: list[_OptionRow] = []
        places: list[slice | str] = []
        for request, prompt, several in zip(requests, conversations.prompts(requests), options, strict=True):
            if prompt is None:
                places.append(CANNOT_RENDER)
                continue
            answered = [conversations.completed(prompt, request, option) for option in several]
            if max(map(len, answered)) > self._longest:
                places.append(PROMPT_TOO_LONG)
                continue
            start = len(rows)
            head = len(prompt.tokens)
            if all(row[:head] == prompt.tokens and len(row) == head + 1 for row in answered):
                rows.append(_OptionRow(prompt.tokens, [[row[-1]] for row in answered]))
            else:
                rows += [_OptionRow(row[:-1], [row[head:]]) for row in answered]
            places.append(slice(start, len(rows)))
        scores = [one for part in self._scored.run(len(rows), lambda part: self._score(rows[part])) for one in part]
        return [
            place if isinstance(place, str) else _shares(several, [s for row in scores[place] for s in row])
            for several, place in zip(options, places, strict=True)
        ]

    def _score(self, rows: Sequence[_OptionRow]) -> list[list[float]]:
        """The log-probability of each tail of each row, from one forward pass that keeps only the logits of the tails."""
        import torch

        model, longest_tail = self._loaded, max(len(tail) for row in rows for tail in row.tails)
        padded = self._conversations.tokenizer.pad(
            {"input_ids": [row.tokens for row in rows]}, return_tensors="pt", padding_side="left"
        ).to(model.device)
        parameters = inspect.signature(model.forward).parameters
        arguments: dict[str, Any] = {"logits_to_keep": longest_tail} if "logits_to_keep" in parameters else {}
        if "position_ids" in parameters:  # padding takes no position
            arguments["position_ids"] = (padded["attention_mask"].cumsum(-1) - 1).clamp(min=0)
        with torch.inference_mode():
            logits = model(**padded, **arguments, use_cache=False).logits[:, -longest_tail:]
            scores = torch.log_softmax(logits.float(), -1)
        return [
            [sum(float(s[place - len(tail), token]) for place, token in enumerate(tail)) for tail in row.tails]
            for row, s in zip(rows, scores, strict=True)
        ]


class _OptionRow(NamedTuple):
    """A sequence that a model reads to score options: it ends before all options of a request, or in one option."""

    tokens: list[int]
    tails: list[list[int]]
    """The tokens that the last positions predict: those of each option, without the prompt."""


def _ignore(places: list[int]) -> None:
    """Greedy answers draw nothing, so nothing must know which sequences remain."""


def _shares(options: Sequence[str], scores: Sequence[float]) -> dict[str, float]:
    import torch

    share = torch.softmax(torch.tensor(scores, dtype=torch.float64), 0).tolist()
    return dict(zip(options, share, strict=True))


class _Draw:
    """Draws the next token of each row as `torch.multinomial` draws it for the whole batch, for any part of its rows.

    From probabilities p it takes argmax(p / q), where q is exponential noise (PyTorch's
    aten/src/ATen/native/Distributions.cpp). Here q has a row for each sequence of the whole batch at every step, including
    finished ones, and a part uses its own rows. So the draw does not depend on how the batch is split, and a whole batch draws
    what `do_sample=True` draws. The class only divides by q; transformers' greedy search takes the argmax.
    """

    def __init__(self, count: int, decoding: Decoding, generator: Any) -> None:
        from transformers import TemperatureLogitsWarper

        self._count, self._generator = count, generator
        self._start = self._after = generator.get_state()
        self._steps = self._most = 0
        self._rows: list[int] = []
        self._warpers: list[Any] = []  # in transformers' order, if they change anything
        if decoding.temperature != 1:
            self._warpers.append(TemperatureLogitsWarper(decoding.temperature))
        if decoding.top_p < 1:
            self._warpers.append(Nucleus(decoding.top_p))

    def begin(self, rows: list[int]) -> None:
        """Draw for these rows of the batch from now on, starting at the first step."""
        self._rows, self._steps = rows, 0
        self._generator.set_state(self._start)

    def keep(self, places: list[int]) -> None:
        """Draw only for those of the current rows that are at these places, at the following steps."""
        self._rows = [self._rows[place] for place in places]

    def end(self) -> None:
        """Set the generator to its state after the longest part so far, which is its state after the whole batch."""
        if self._steps > self._most:
            self._most, self._after = self._steps, self._generator.get_state()
        self._generator.set_state(self._after)

    def __call__(self, tokens: Any, scores: Any) -> Any:
        import torch

        for warper in self._warpers:
            scores = warper(tokens, scores)
        shares = torch.softmax(scores, -1)
        if not torch.isfinite(shares).all():
            raise BadInput(
                "the model's probabilities are NaN or infinite; set another `dtype` for it in config/models.yaml"
            )
        noise = torch.empty((self._count, shares.shape[-1]), dtype=shares.dtype, device=shares.device)
        self._steps += 1
        return shares.div_(noise.exponential_(generator=self._generator)[self._rows])


def open_engine(
    model: ModelUse, folder: Path | None, decoding: Decoding, threads: int, calls: Path | None, limits: Limits | None
) -> TransformersEngine:
    """The engine of a model's folder. `calls` and `limits` are for endpoints only."""
    assert folder is not None
    return TransformersEngine(folder, model, decoding, threads)
