"""What is read of a batch: the file that names it on disk, and the replies of the endpoint about it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from reversegen.core.errors import BadInput
from reversegen.core.files import read_json
from reversegen.engines.endpoint.faults import UNREADABLE, Fault


def read_batch(path: Path) -> tuple[str | None, dict[str, int]]:
    """The id of a batch and its requests, none if the file is gone by now. Raises BadInput for what is no batch's file."""
    try:
        content = read_json(path)
        identity = content["id"]
        return identity and checked_id(identity), {key: int(choices) for key, choices in content["keys"].items()}
    except (BadInput, Fault, ValueError, KeyError, TypeError, AttributeError):
        if not path.exists():
            return None, {}
        raise BadInput(
            f"{path}: does not name a batch; delete it to ask the requests of its batch again, at their price"
        ) from None


def why_failed(batch: dict[str, Any]) -> str:
    """The codes of a failed batch's errors, and their messages if they are of no line, whose text they might repeat."""
    errors = batch.get("errors")
    listed = errors.get("data") if isinstance(errors, dict) else errors
    words: dict[str, str] = {}
    for error in listed if isinstance(listed, list) else []:
        if not isinstance(error, dict) or not re.fullmatch(r"[\w.-]{1,40}", code := str(error.get("code"))):
            continue
        line, message = error.get("line"), error.get("message")
        more = f" (line {line})" if isinstance(line, int) else ""
        if line is None and isinstance(message, str) and len(message) <= 200:
            more = f" ({' '.join(message.split())})"
        words.setdefault(code, code + more)
    return f": {', '.join([*words.values()][:5])}" if words else "; the endpoint's own page tells why"


def reply_object(reply: bytes) -> dict[str, Any]:
    """A reply that is a JSON object. Raises Fault for another."""
    try:
        content = json.loads(reply)
    except (ValueError, RecursionError):
        raise Fault("again", UNREADABLE) from None
    if not isinstance(content, dict):
        raise Fault("again", UNREADABLE)
    return content


def batch_state(reply: bytes) -> dict[str, Any]:
    """A batch. Raises Fault for what has no status, by which its end would never be seen."""
    batch = reply_object(reply)
    if not isinstance(batch.get("status"), str):
        raise Fault("again", UNREADABLE)
    return batch


def reply_id(reply: bytes) -> str:
    """The id of what a reply says was made. Raises Fault if it has none."""
    return checked_id(reply_object(reply).get("id"))


def checked_id(identity: Any) -> str:
    """An id that an endpoint gave, which becomes part of an address."""
    if not isinstance(identity, str) or not re.fullmatch(r"[\w-]{1,200}", identity):
        raise Fault("again", UNREADABLE)
    return identity
