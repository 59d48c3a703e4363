"""What the calls of an output add up to, read from their files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reversegen.engines.endpoint.calls import Call


@dataclass(frozen=True)
class Usage:
    """What the calls of one output add up to; the prices of a batch differ, so its tokens are counted apart."""

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
        """This and one call more."""
        return Usage(
            self.tries + 1,
            self.answered + call.ended,
            self.tokens_in + call.tokens_in * (not call.batch),
            self.tokens_out + call.tokens_out * (not call.batch),
            self.batch_tokens_in + call.tokens_in * call.batch,
            self.batch_tokens_out + call.tokens_out * call.batch,
        )


def read_usage(folder: Path) -> Usage:
    """What the calls in a folder add up to, killed processes included; a line without an end is none."""
    usage = Usage()
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                usage = usage.plus(Call.model_validate_json(line))
    return usage
