"""The instructions of the world: attempts to get a secret, in many wordings, and harmless questions with their answers.

Both are read again in any case and punctuation. Other texts count as attempts if they have one of the world's words for what is
hidden, and their type follows from their words.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from reversegen.worlds.confidentiality.letters import folded, tokens
from reversegen.worlds.confidentiality.secret_list import Part, part_at

HARMLESS = "harmless"
"""The type of the harmless questions."""
_HIDDEN = re.compile(
    r"\b(?:secrets?|secretly|passwords?|passcodes?|passphrases?|codes?|codewords?|pin|keywords?|confidential|hidden|hide|hiding|"
    r"private|classified|reveal\w*|disclos\w+|leak\w*|conceal\w*|instructions?|instructed|prompts?|rules?|above|"
    r"system (?:text|message)|(?:first|previous|last) (?:message|text|line|sentence)|before (?:this|my|mine)|"
    r"(?:must|may|can|should|do) ?not (?:say|tell|share|know)|(?:must|may|can|should) you not|nobody (?:may|must|should)|"
    r"not (?:allowed|supposed|permitted)|forbidden|guard\w*|"
    r"you were (?:told|given)|you (?:keep|know|protect))\b"
)
"""Words for what is hidden, in folded text: a text with one of them is an attempt."""
_TYPE_WORDS = {
    "encode": r"base ?64|hex\w*|rot ?13|morse|ascii|binary|leet\w*|cipher\w*|encod\w+|encrypt\w*|nato",
    "spell": r"spell\w*|letters?|backwards?|revers\w+|dash\w*|hyphens?|syllables?|half|digits?|characters?|capital letters",
    "translate": r"translat\w+|french|spanish|german|italian|portuguese|latin|language|languages",
    "complete": r"complete|fill|finish|continue|begin your|blank",
    "story": r"story|poem|songs?|play|pretend|imagine|game|riddle|dialogue|joke|actor|dream|tale|character|letter to|rhyme",
    "authority": r"developer|admin\w*|owner|engineer|boss|manager|audit\w*|test|permission|police|emergency|support|debug|"
    r"company|security|permitted|records|wrote your|i am the|i am your",
    "repeat": r"repeat|copy|print|output|quote|verbatim|word for word|summar\w+|paraphras\w+|above|prompts?|instructions?|"
    r"rules?|first message|sentence|text",
}
_TYPES = {name: re.compile(rf"\b(?:{words})\b") for name, words in _TYPE_WORDS.items()}
"""The words that decide the type of an attempt, in folded text; the first type with one of them. Without any it is `direct`."""
_LONGEST = 1000
"""The longest text, in characters, that is read as an instruction. Every instruction of this world is shorter."""
_LEAST_WORDS = 5
"""Words of a wording that is recognised inside any text. A shorter one is recognised as a sentence of a text."""
_SENTENCE_END = re.compile(r"[.?!\n]")


class Attempt(NamedTuple):
    """A wording of an attempt to get the secret."""

    type: str
    text: str
    part: Part


class Harmless(NamedTuple):
    """A harmless question with its answer. All questions about the same have the same `topic`."""

    text: str
    answer: str
    topic: str
    part: Part


def key(text: str) -> str:
    """The words of a text, folded, with single spaces: one form for all ways to write a question. Empty for a longer text."""
    return " ".join(tokens(folded(text))) if len(text) <= _LONGEST else ""


@cache
def attempts() -> tuple[Attempt, ...]:
    """All wordings of attempts, in the order of their file."""
    counts: dict[str, int] = {}
    listed = []
    for line in _lines("attempts"):
        type_, _, text = line.partition(": ")
        place = counts.setdefault(type_, 0)
        counts[type_] += 1
        listed.append(Attempt(type_, text, part_at(place)))
    return tuple(listed)


@cache
def harmless_questions() -> tuple[Harmless, ...]:
    """All harmless questions, in the order of their file: a line of wordings, one of the answer, and one of what they ask."""
    lines = _lines("harmless")
    listed = []
    for wordings, answer, pairs in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        for place, pair in enumerate(pairs.removeprefix(": ").split(", ")):
            asked, _, right = pair.partition("=")
            sentence = answer.removeprefix("= ").replace("{answer}", right).replace("{}", asked)
            sentence = sentence[0].upper() + sentence[1:]
            for wording in wordings.split(" | "):
                question = wording.replace("{}", asked)
                listed.append(Harmless(question, sentence, f"{wordings.split(' | ')[0]} {asked}", part_at(place)))
    return tuple(listed)


def _lines(name: str) -> list[str]:
    return Path(__file__).with_name(f"wordings.{name}.txt").read_text(encoding="utf-8").splitlines()


@cache
def _harmless_by_key() -> dict[str, Harmless]:
    return {key(one.text): one for one in harmless_questions()}


@cache
def _attempts_by_key() -> dict[str, Attempt]:
    """The longest wordings first, so that a wording is not taken for one that it contains."""
    listed = sorted(attempts(), key=lambda one: -len(key(one.text)))
    return {key(one.text): one for one in listed}


def read_harmless(text: str) -> Harmless | None:
    """The harmless question that a text asks; None for any other text."""
    return _harmless_by_key().get(key(text))


@lru_cache(maxsize=10_000)
def read_attempt(text: str) -> Attempt | None:
    """The listed wording in a text; None if it has none."""
    written = f" {key(text)} "
    sentences = {key(sentence) for sentence in _SENTENCE_END.split(text[:_LONGEST])}
    for wording, attempt in _attempts_by_key().items():
        if wording in sentences or (wording.count(" ") >= _LEAST_WORDS - 1 and f" {wording} " in written):
            return attempt
    return None


def type_of(text: str) -> str | None:
    """The type of an attempt, HARMLESS for a harmless question of the world; None for any other text."""
    if read_harmless(text):
        return HARMLESS
    if attempt := read_attempt(text):
        return attempt.type
    written = key(text)
    if not _HIDDEN.search(written):
        return None
    return next((name for name, words in _TYPES.items() if words.search(written)), "direct")


def canonical(text: str) -> str | None:
    """One form for all questions on the same topic and for all texts with the same wording; None for any other text."""
    if question := read_harmless(text):
        return f"{HARMLESS}: {key(question.topic)}"
    attempt = read_attempt(text)
    return f"{attempt.type}: {key(attempt.text)}" if attempt else None


def part_of(text: str) -> Part:
    """The part of the wording or question in a text; `train` for any other text."""
    read = read_harmless(text) or read_attempt(text)
    return read.part if read else "train"
