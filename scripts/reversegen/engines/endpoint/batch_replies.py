"""Readers for a batch: for the file that names it on disk, and for the endpoint's replies about it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from reversegen.core.errors import BadInput
from reversegen.core.files import read_json
from reversegen.engines.endpoint.faults import UNREADABLE, Fault


def read_batch(path: Path) -> tuple[str | None, dict[str, int]]:
    """The id of a batch (None if it is unknown), and the number of choices by request key. Both are empty if the file is gone.

    Raises BadInput if the file does not describe a batch.
    """
    try:
        content = read_json(path)
        identity = content["id"]
        return identity and checked_id(identity), {key: int(choices) for key, choices in content["keys"].items()}
    except (BadInput, Fault, ValueError, KeyError, TypeError, AttributeError):
        if not path.exists():
            return None, {}
        raise BadInput(f"{path}: does not name a batch; delete it to ask its requests again, at full price") from None


def why_failed(batch: dict[str, Any]) -> str:
    """The error codes of a failed batch. A message is added only if it is about no line: it might repeat a line's text."""
    errors = batch.get("errors")
    entries = errors.get("data") if isinstance(errors, dict) else errors
    words: dict[str, str] = {}
    for error in entries if isinstance(entries, list) else []:
        if not isinstance(error, dict) or not re.fullmatch(r"[\w.-]{1,40}", code := str(error.get("code"))):
            continue
        line, message = error.get("line"), error.get("message")
        detail = f" (line {line})" if isinstance(line, int) else ""
        if line is None and isinstance(message, str) and len(message) <= 200:
            detail = f" ({' '.join(message.split())})"
        words.setdefault(code, code + detail)
    return f": {', '.join([*words.values()][:5])}" if words else "; see the endpoint's own page for the reason"


def reply_object(reply: bytes) -> dict[str, Any]:
    """The JSON object in a reply. Raises Fault if the reply is anything else."""
    try:
        content = json.loads(reply)
    except (ValueError, RecursionError):
        raise Fault("again", UNREADABLE) from None
    if not isinstance(content, dict):
        raise Fault("again", UNREADABLE)
    return content


def batch_state(reply: bytes) -> dict[str, Any]:
    """The batch in a reply. Raises Fault if it has no status, without which nobody could see that it ends."""
    batch = reply_object(reply)
    if not isinstance(batch.get("status"), str):
        raise Fault("again", UNREADABLE)
    return batch


def reply_id(reply: bytes) -> str:
    """The id of the object that a reply reports as created. Raises Fault if it has none."""
    return checked_id(reply_object(reply).get("id"))


def checked_id(identity: Any) -> str:
    """An id from an endpoint, fit to become part of an address. Raises Fault for anything else."""
    if not isinstance(identity, str) or not re.fullmatch(r"[\w-]{1,200}", identity):
        raise Fault("again", UNREADABLE)
    return identity
