"""Questions: instructions, seeds or test questions, read from their files in one way for targets, teachers and labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from reversegen.core.records import ChosenInstruction, Instruction, Question, Seed, read_records
from reversegen.loop.seeds import read_tests

Questions = Sequence[tuple[str, str]]
"""Pairs of an id and a text."""
QuestionRecord = Literal["instructions", "seeds", "tests", "chosen"]
"""The kind of record that files of questions hold."""


def read_questions(files: list[Path], record: QuestionRecord) -> list[tuple[str, str]]:
    """Ids and texts of the instructions that are asked or chosen, of the seeds, or of the test questions, each once."""
    if record == "instructions":
        return [(i.id, i.text) for path in files for i in read_records(path, Instruction) if i.asked]
    if record == "seeds":
        return [(s.id, s.text) for path in files for s in read_records(path, Seed)]
    if record == "chosen":
        return [(c.id, c.text) for path in files for c in read_records(path, ChosenInstruction)]
    return [(q.id, q.text) for q in read_test_questions(files)]


def read_test_questions(files: list[Path]) -> list[Question]:
    """The questions of all test sets. A question that several sets share is given once."""
    return list({q.id: q for questions in read_tests(files).values() for q in questions}.values())
