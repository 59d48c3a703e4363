"""How a fault of the user's input ends Snakemake while it plans: one line, without a traceback."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from reversegen.core.errors import BadInput

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def ending_snakemake() -> Iterator[None]:
    """End the process with status 1 and one line for each message of a BadInput that the block raises.

    Snakemake would add the rule, the wildcards and a traceback to any Exception, but it lets SystemExit pass, and unlocks its
    folder.
    """
    try:
        yield
    except BadInput as error:
        print(*(f"error: {line}" for line in str(error).splitlines()), sep="\n", file=sys.stderr, flush=True)
        raise SystemExit(1) from None


def ends_snakemake(function: Callable[P, T]) -> Callable[P, T]:
    """The same function for Snakemake to call, with `ending_snakemake` around each call.

    If it returns a function, such as the input function of a rule, that one ends Snakemake in the same way.
    """

    @functools.wraps(function)
    def call(*arguments: P.args, **names: P.kwargs) -> Any:
        with ending_snakemake():
            result = function(*arguments, **names)
        return ends_snakemake(result) if callable(result) else result

    return call
