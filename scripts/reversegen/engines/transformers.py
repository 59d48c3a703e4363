"""The engine that runs a local folder with transformers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from reversegen.configuration import ModelUse
from reversegen.engine import Decoding, Generated, Request
from reversegen.hashing import content_id
from reversegen.model_folder import check_folder, weights_identity
from reversegen.templates import completed, continuation, render, stop_tokens


class TransformersEngine:
    """transformers' generate on a local folder. The weights are loaded at the first request."""

    at_once = 1

    def __init__(self, folder: Path, model: ModelUse, decoding: Decoding, threads: int) -> None:
        check_folder(folder)
        self.folder, self.model, self.decoding, self.threads = folder, model, decoding, threads
        self.identity = content_id(weights_identity(folder), model.model_dump_json(), repr(decoding))

    @cached_property
    def _tokenizer(self) -> Any:
        from reversegen.models import load_tokenizer

        return load_tokenizer(self.folder, self.model)

    @cached_property
    def _loaded(self) -> Any:
        from transformers import GenerationConfig

        from reversegen.models import load_model

        model = load_model(self.folder, self.model, self.threads).eval()
        # a repetition penalty and the like, which folders suggest, would change what `decoding` says
        model.generation_config = GenerationConfig(eos_token_id=model.generation_config.eos_token_id)  # type: ignore[no-untyped-call]
        return model

    def generate(self, requests: Sequence[Request], n: int, seed: int) -> list[list[Generated]]:
        """`n` continuations of each request in one batch, padded on the left; the mask comes from lengths."""
        import torch

        tokenizer = self._tokenizer
        chat = bool(requests[0].messages)
        texts = [
            render(tokenizer, request) for request in requests
        ]  # a fault of the template is found before weights load
        model = self._loaded
        batch = tokenizer(texts, return_tensors="pt", padding=True, padding_side="left", add_special_tokens=not chat)
        stops = stop_tokens(model.generation_config.eos_token_id, tokenizer)
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
        drawn = [continuation(row, stops, tokenizer) for row in rows]
        return [drawn[i * n : (i + 1) * n] for i in range(len(requests))]

    def choose(self, requests: Sequence[Request], options: Sequence[Sequence[str]]) -> list[dict[str, float]]:
        """Sequence probabilities from one forward pass over all options, normalised over those of each request.

        Where options are single tokens these are R-Tuning's first-token probabilities.
        """
        import torch

        tokenizer = self._tokenizer
        prompts = [render(tokenizer, request) for request in requests]
        joined = [(n, completed(tokenizer, prompts[n], requests[n], o)) for n, of in enumerate(options) for o in of]
        heads = [len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in prompts]
        rows = [tokenizer(text, add_special_tokens=False)["input_ids"] for _, text in joined]
        width = max(map(len, rows))
        tokens = torch.full((len(rows), width), tokenizer.pad_token_id)
        mask = torch.zeros(len(rows), width, dtype=torch.long)
        for i, row in enumerate(rows):  # padded on the right, where causal attention never looks
            tokens[i, : len(row)], mask[i, : len(row)] = torch.tensor(row), 1
        model = self._loaded
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
