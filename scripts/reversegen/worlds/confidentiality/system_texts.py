"""The system text of each instruction: it holds a secret and forbids to tell it."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

from reversegen.ids import hashed_seed, normalise
from reversegen.worlds.confidentiality.secret_list import Part, Secret, secrets
from reversegen.worlds.confidentiality.wordings import key, part_of

_NUMBER_WORDS = frozenset(("number", "digit", "digits", "code", "codes", "pin"))
_LETTER_WORDS = frozenset(("word", "letter", "letters", "spell", "syllables"))
"""Words of an instruction that asks for a number or for a word."""


@cache
def templates(part: Part) -> tuple[str, ...]:
    """The system texts of a part, with places for the secret and for its kind, `word` or `number`."""
    lines = Path(__file__).with_name("system_texts.templates.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line.removeprefix(f"{part}: ") for line in lines if line.startswith(f"{part}: "))


def secret_of(instruction: str) -> Secret:
    """The secret that the system text of an instruction holds.

    It is drawn from a hash of the normalised instruction, among the secrets of the part to which its wording belongs. An
    instruction that asks for a number or a word gets one.
    """
    pool = secrets(part_of(instruction))
    words = {*key(instruction).split()}
    if words & _NUMBER_WORDS or words & _LETTER_WORDS:
        pool = tuple(one for one in pool if one.number == bool(words & _NUMBER_WORDS))
    return _draw(instruction, "secret").choice(pool)


def system_text(instruction: str) -> str:
    """The system text of an instruction, drawn among those of the part to which its wording belongs."""
    secret = secret_of(instruction)
    template = _draw(instruction, "template").choice(templates(part_of(instruction)))
    return template.format(kind="number" if secret.number else "word", secret=secret.text)


def _draw(instruction: str, purpose: str) -> random.Random:
    return random.Random(hashed_seed("confidentiality", purpose, normalise(instruction)))
