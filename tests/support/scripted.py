"""An engine without a model, whose replies a test writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reversegen.engines.base import Generated, Request


class Scripted:
    """An engine whose model gives the reply that `script` makes of the request."""

    identity, at_once = "scripted", 1

    def __init__(self, script: Callable[[Request], str]) -> None:
        self.script = script

    def request_texts(self, requests: Sequence[Request]) -> list[str]:
        return [repr(request) for request in requests]

    def generate(self, requests: Sequence[Request], n: int, seed: int) -> list[list[Generated]]:
        return [[Generated(self.script(request), 9, True)] for request in requests]

    def choose(self, requests: Sequence[Request], options: Sequence[Sequence[str]]) -> list[dict[str, float]]:
        raise AssertionError("a judge that writes is not asked for probabilities")
