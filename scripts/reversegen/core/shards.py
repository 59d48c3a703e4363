"""Batches and shards. A stage's items are split into shards, and each shard is a separate job."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from reversegen.core.errors import BadInput

T = TypeVar("T")
WHOLE = "1-of-1"
"""The shard that has all items."""


def items_at_once(batch_size: int, sequences: int) -> int:
    """The number of items in a batch of `batch_size` sequences, if each item takes `sequences`. Whole items, at least one."""
    return max(1, batch_size // sequences)


def share(items: Sequence[T], shard: str) -> Sequence[T]:
    """The items of a shard such as `2-of-8`, in Snakemake's notation. They are consecutive. Shards differ by at most one item.

    Raises BadInput for any other notation, and for a number above the number of shards.
    """
    match = re.fullmatch(r"([1-9][0-9]*)-of-([1-9][0-9]*)", shard)
    if not match or int(match[1]) > int(match[2]):
        raise BadInput(f"shard: {shard!r} is not a shard; write the second of eight as 2-of-8")
    number, count = int(match[1]), int(match[2])
    return items[len(items) * (number - 1) // count : len(items) * number // count]
