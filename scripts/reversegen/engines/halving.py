"""Runs a batch in parts that fit into a GPU's memory. torch is imported when the first part runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from reversegen.core.errors import BadInput

log = logging.getLogger("reversegen")
T = TypeVar("T")


class HalvedBatches:
    """Splits a model's batches. A part that runs out of memory is halved, and later batches keep the smaller size."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._most: int | None = None

    def run(self, count: int, work: Callable[[slice], T]) -> list[T]:
        """The results of `work` for the parts of `count` sequences, in order. A batch that fits is one part.

        Raises BadInput if a single sequence does not fit into the memory.
        """
        import torch

        done: list[T] = []
        start = 0
        while start < count:
            size = min(self._most or count, count - start)
            try:
                done.append(work(slice(start, start + size)))
                start += size
                continue
            except torch.OutOfMemoryError as error:
                reason = " ".join(str(error).split())[:200]
            # outside the handler the error is freed, and with it the tensors in its frames
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            if size == 1:
                raise BadInput(
                    f"{self.folder}: out of memory with one sequence ({reason}); lower max_new_tokens of this stage, shorten "
                    "its prompts, or give the model a `size` whose jobs get a GPU with more memory (plan.md shows how much)"
                )
            self._most = (size + 1) // 2
            log.warning(
                "%s: out of memory with %d sequences: at most %d run at once from here on; each text stays the same "
                "(another batch_size would change it)",
                self.folder, size, self._most,
            )  # fmt: skip
        return done
