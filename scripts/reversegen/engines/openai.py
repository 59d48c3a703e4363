"""The engine that asks an OpenAI-compatible endpoint."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from reversegen.configuration import Endpoint
from reversegen.engine import Decoding, Generated, Request
from reversegen.errors import BadInput
from reversegen.hashing import content_id


class OpenAIEngine:
    """Chat completions of an OpenAI-compatible endpoint, one request after the other."""

    at_once = 1

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
