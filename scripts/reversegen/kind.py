"""What a kind of task must answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from reversegen.equivalence import Checker
from reversegen.records import Label, Message, Question, Reference, Response


@dataclass(frozen=True)
class Raw:
    """A row of a data source, read but not yet cleaned."""

    text: str
    answer: str | None


@dataclass(frozen=True)
class Parsed:
    """What a sample says: an instruction, or the reason why it says none."""

    text: str
    invalid: str | None


@dataclass(frozen=True)
class Kind:
    """One kind of task as functions. A kind is one module that fills this and nothing else."""

    read_row: Callable[[dict[str, Any]], Raw]
    """Reads a row in its data set's published form. Raises KeyError or ValueError naming the field."""
    build_prompt: Callable[[str, Sequence[str]], str]
    """(header, demonstrations) to the proposer prompt; the instruction that follows it starts with a space."""
    parse_instruction: Callable[[str, bool], Parsed]
    """(text, finished) of a sample to the instruction in it."""
    target_messages: Callable[[str, str | None], list[Message]]
    """(instruction, system message) to what the target is asked."""
    needs_references: bool
    """Whether labels need a trusted answer."""
    read_reference: Callable[[str], str | None]
    """A labeller's solution to its final answer; None where it gives none."""
    label: Callable[[str, list[Response], Reference | None, Checker], Label]
    """(instruction id, responses, reference, checker) to the verdict."""
    test_reference: Callable[[Question], Reference]
    """A test question's own answer as the reference that its responses are judged by."""
    enhancement_row: Callable[[str, str, str | None], tuple[list[Message], list[Message]]]
    """(instruction, good answer, system message) to prompt and completion for the target."""
    group: Callable[[str], str | None]
    """The type of an instruction, for balance and for tables; None where it has none."""
    canonical: Callable[[str], str]
    """The form that decides whether two instructions ask the same."""
