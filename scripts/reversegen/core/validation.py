"""Messages for the faults that pydantic finds: one line, and the new name for a key that was renamed."""

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
"""Fields in which a user may have put a secret, with the fix."""


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
"""New names, by the class and the old name of its field, or by the key and the old value in its list."""


def _new_name(title: str, fault: ErrorDetails) -> str | None:
    """The new name of a field or value at fault. None if it was never renamed."""
    if fault["type"] == "extra_forbidden":
        return _RENAMED.get((title, str(fault["loc"][-1])))
    return _RENAMED.get((str(fault["loc"][0]), str(fault["input"]))) if fault["type"] == "literal_error" else None


def first_fault(error: ValidationError) -> ErrorDetails:
    """The fault of an error to report: an old name if there is one, otherwise the first fault.

    With an old name, pydantic also reports that the new one is missing, which would mislead.
    """
    faults = error.errors(include_url=False)
    return next((fault for fault in faults if _new_name(error.title, fault)), faults[0])


def explain(error: ValidationError, *, show_input: bool = False) -> str:
    """One line with the first field at fault and what is wrong with it.

    `show_input` adds the faulty value. It is off for rows, because they may hold harmful text, which no log repeats. The value
    of a field for secrets, and the value of an unknown key, are never shown, because they may be secret.
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
    """The keys that lead to a fault, without the names that pydantic gives to the members of a union."""
    return [str(part) for part in fault["loc"] if not re.search(r"[\[(]", str(part))]
