"""Sequences of one batch in parts that a GPU's memory holds. torch is imported when the first part runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from reversegen.core.errors import BadInput

log = logging.getLogger("reversegen")
T = TypeVar("T")


class HalvedBatches:
    """Cuts a model's batches. A part that runs out of memory is halved, and later batches keep the smaller size."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._most: int | None = None

    def run(self, count: int, work: Callable[[slice], T]) -> list[T]:
        """What `work` gives for the parts of `count` sequences, in order; the whole is one part if it fits.

        Raises BadInput if the memory does not hold a single sequence.
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
            # here the error is gone, and with it what its frames held
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            if size == 1:
                raise BadInput(
                    f"{self.folder}: out of memory with one sequence ({reason}): lower max_new_tokens of this stage or shorten "
                    "its prompts, or give the model a `size` whose jobs get a GPU with more memory; plan.md says how much"
                )
            self._most = (size + 1) // 2
            log.warning(
                "%s: out of memory with %d sequences: %d at once from here on; no draw changes (another batch_size changes it)",
                self.folder, size, self._most,
            )  # fmt: skip
        return done
