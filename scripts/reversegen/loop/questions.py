"""What is asked: instructions, seeds or test questions, read from their files, alike for targets, teachers and labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from reversegen.core.records import Instruction, Question, Seed, read_records
from reversegen.loop.seeds import read_tests

Questions = Sequence[tuple[str, str]]
"""Ids with what is asked."""
QuestionRecord = Literal["instructions", "seeds", "tests"]
"""What the files of questions hold."""


def read_questions(files: list[Path], record: QuestionRecord) -> list[tuple[str, str]]:
    """Id and text of each instruction that is asked, of each seed, or of each test question, once where sets share it."""
    if record == "instructions":
        return [(i.id, i.text) for path in files for i in read_records(path, Instruction) if i.asked]
    if record == "seeds":
        return [(s.id, s.text) for path in files for s in read_records(path, Seed)]
    return [(q.id, q.text) for q in read_test_questions(files)]


def read_test_questions(files: list[Path]) -> list[Question]:
    """The questions of all sets, once where sets share one."""
    return list({q.id: q for questions in read_tests(files).values() for q in questions}.values())
