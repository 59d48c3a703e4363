"""The sum of the calls of an output, read from their files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reversegen.engines.endpoint.calls import Call


@dataclass(frozen=True)
class Usage:
    """The sum of the calls of one output. The prices of a batch differ, so its tokens are counted apart."""

    tries: int = 0
    answered: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    batch_tokens_in: int = 0
    batch_tokens_out: int = 0

    @property
    def retries(self) -> int:
        """Tries that gave no answer."""
        return self.tries - self.answered

    def plus(self, call: Call) -> Usage:
        """The sum of this usage and one call."""
        return Usage(
            self.tries + 1,
            self.answered + call.ended,
            self.tokens_in + call.tokens_in * (not call.batch),
            self.tokens_out + call.tokens_out * (not call.batch),
            self.batch_tokens_in + call.tokens_in * call.batch,
            self.batch_tokens_out + call.tokens_out * call.batch,
        )


def read_usage(folder: Path) -> Usage:
    """The sum of all calls in a folder, those of killed processes included; a line without an end does not count."""
    usage = Usage()
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                usage = usage.plus(Call.model_validate_json(line))
    return usage
