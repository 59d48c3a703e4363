"""Ids from content and seeds for every draw: they decide outputs."""

from __future__ import annotations

import hashlib
import json
import unicodedata


def normalise(text: str) -> str:
    """Fold case, Unicode compatibility forms and white space, so that equal instructions get equal ids."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())  # folding can decompose


def content_id(*parts: str | int) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the parts; distinct lists of parts never run together."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def instruction_id(text: str) -> str:
    """The id of an instruction: a hash of its normalised text."""
    return content_id(normalise(text))


def hashed_seed(*parts: str | int) -> int:
    """A 64-bit seed for the draw that the parts name, such as (random seed, iteration, stage, batch).

    Hashed, since neighbouring seeds give overlapping draws in some engines.
    """
    return int(content_id(*parts), 16)
