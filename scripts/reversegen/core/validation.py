"""What pydantic found at fault, in one line for the user; names that were renamed are answered with the new ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_UNSHOWN = {
    "api_key_env": "; give the NAME of an environment variable, never a key",
    "token_env": "; give the NAME of an environment variable, never a token",
    "base_url": "; https, or http to loopback (or to any host with allow_http: true), without user, key and query",
}
"""Fields where somebody may have put a secret, and how to fix it."""


_RENAMED = {
    ("Task", "labeller"): "`teacher`",
    ("Task", "leaks"): "`contamination`",
    ("Task", "canaries"): "`injections`",
    ("reuse", "baseline"): "`untrained`",
    ("reuse", "target"): "`original`",
    ("Labelled", "canary"): "`injection`",
    ("Reference", "labeller"): "`teacher`",
    ("JudgeReport", "canaries"): "`injections`",
    ("EvalFile", "source"): "`arm` of a proposer, `variant` of a target",
    ("Run", "source"): "`arm` of a proposer, `variant` of a target",
}
"""Names of today, by the class that is read and the field's old name, or by the key and the old value in its list."""


def _new_name(title: str, fault: ErrorDetails) -> str | None:
    """What a field or value at fault is called today; None if it was never called otherwise."""
    if fault["type"] == "extra_forbidden":
        return _RENAMED.get((title, str(fault["loc"][-1])))
    return _RENAMED.get((str(fault["loc"][0]), str(fault["input"]))) if fault["type"] == "literal_error" else None


def first_fault(error: ValidationError) -> ErrorDetails:
    """What is told of an error: an old name rather than the new one, which is missing then; else what stands first."""
    faults = error.errors(include_url=False)
    return next((fault for fault in faults if _new_name(error.title, fault)), faults[0])


def explain(error: ValidationError, *, show_input: bool = False) -> str:
    """One line for the first field that pydantic found at fault, and what is wrong with it.

    What stood there is shown only on request, since a row may hold harmful text, which no log repeats; and never where it may
    be a secret: in a field that names one, or under a key that nobody knows.
    """
    faults, fault = error.errors(include_url=False), first_fault(error)
    place = _place(fault)
    if new := _new_name(error.title, fault):
        old = "" if fault["type"] == "extra_forbidden" else f"{fault['input']} "
        return f"{'.'.join(place)}: {old}is now {new}"
    message = " or: ".join(dict.fromkeys(one["msg"] for one in faults if _place(one) == place))
    fix = _UNSHOWN.get(place[-1], "") if place else ""
    hidden = fix or fault["type"] in ("missing", "extra_forbidden") or isinstance(fault["input"], dict)
    given = f", not {str(fault['input'])[:60]!r}" if show_input and not hidden else ""
    return f"{'.'.join(place)}: {message}{given}{fix}" if place else f"{message}{given}"


def _place(fault: ErrorDetails) -> list[str]:
    """Where a fault is, without the names that pydantic gives to the members of a union."""
    return [str(part) for part in fault["loc"] if not re.search(r"[\[(]", str(part))]
