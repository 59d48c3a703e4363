"""Taking one item of each type in turn, so that shortening the list drops items of common types first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from typing import TypeVar

T = TypeVar("T")
Type = TypeVar("Type", str, int)


def in_turns(items: Iterable[T], type_of: Callable[[T], Type]) -> Iterator[T]:
    """All items: first the first item of each type, in sorted order of the types, then the second of each, and so on."""
    by_type: dict[Type, list[T]] = defaultdict(list)
    for item in items:
        by_type[type_of(item)].append(item)
    return take_turns(by_type[name] for name in sorted(by_type))


def take_turns(lists: Iterable[Iterable[T]]) -> Iterator[T]:
    """All items: first the first item of each list, then the second of each, and so on."""
    for turn in zip_longest(*lists):
        yield from (item for item in turn if item is not None)
