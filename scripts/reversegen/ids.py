"""Ids that are hashes of content, and random seeds for every draw. Both decide outputs."""

from __future__ import annotations

import hashlib
import json
import unicodedata


def normalise(text: str) -> str:
    """The text with case, Unicode compatibility forms and white space folded, so that equal instructions get equal ids."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())  # folding can decompose


def content_id(*parts: str | int) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the parts as a JSON list, which differs for different lists."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def instruction_id(text: str) -> str:
    """The id of an instruction: a hash of its normalised text."""
    return content_id(normalise(text))


def hashed_seed(*parts: str | int) -> int:
    """The 64-bit random seed of the draw that the parts name, such as (random seed, iteration, stage, batch).

    It is a hash, because neighbouring seeds give overlapping draws in some engines.
    """
    return int(content_id(*parts), 16)
