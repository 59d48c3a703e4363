"""Batches, and shards: the parts that a stage's items are cut into, each of which is a job of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from reversegen.core.errors import BadInput

T = TypeVar("T")
WHOLE = "1-of-1"
"""The shard that is everything."""


def items_at_once(batch_size: int, sequences: int) -> int:
    """Items of a batch of so many sequences, of which each item takes `sequences`: whole items, at least one."""
    return max(1, batch_size // sequences)


def share(items: Sequence[T], shard: str) -> Sequence[T]:
    """The items of a shard such as `2-of-8`, as Snakemake numbers them: neighbours, in each shard equally many or one more.

    Raises BadInput for another form, and for a number that is none of them.
    """
    match = re.fullmatch(r"([1-9][0-9]*)-of-([1-9][0-9]*)", shard)
    if not match or int(match[1]) > int(match[2]):
        raise BadInput(f"shard: {shard!r} is none; the second of eight is 2-of-8")
    number, count = int(match[1]), int(match[2])
    return items[len(items) * (number - 1) // count : len(items) * number // count]
