"""Seed instructions and test questions: read from their sources, cleaned, split."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from reversegen import arithmetic
from reversegen.configuration import DataSource
from reversegen.errors import BadInput
from reversegen.hashing import instruction_id
from reversegen.kind import Kind, Raw
from reversegen.records import Question, Seed, Split, read_rows

log = logging.getLogger("reversegen")


def clean_seeds(sources: dict[str, DataSource], files: dict[str, Path], heldout_share: float, kind: Kind) -> list[Seed]:
    """Read all sources, drop repeated instructions, split by a hash of the normalised text.

    `files` gives the file of each source that is no corpus. Raises BadInput for an empty or malformed source, and where a
    split has fewer than the four seeds of one source that a three-shot prompt with its target takes.
    """
    seeds: dict[str, Seed] = {}
    for name, source in sources.items():
        rows = read_source(name, source, files.get(name), kind)
        before = len(seeds)
        for row in rows:
            identity = instruction_id(row.text)
            split: Split = "heldout" if int(identity, 16) < heldout_share * 16 ** len(identity) else "train"
            seed = Seed(id=identity, text=row.text, split=split, source=name, licence=source.licence, answer=row.answer)
            seeds.setdefault(identity, seed)
        log.info("%s: %d rows, %d new distinct seeds", name, len(rows), len(seeds) - before)
        for part in ("train", "heldout"):
            if sum(s.split == part for s in seeds.values() if s.source == name) < 4:
                raise BadInput(
                    f"data.seeds.{name}: fewer than 4 {part} seeds; give more rows or change data.heldout_share"
                )
    return list(seeds.values())


def build_tests(name: str, source: DataSource, file: Path | None, kind: Kind) -> list[Question]:
    """Read one test set and drop repeated questions. Raises BadInput as `read_source` does."""
    questions: dict[str, Question] = {}
    rows = read_source(name, source, file, kind)
    for row in rows:
        if row.answer is None:
            raise BadInput(f"data.tests.{name}: a question without an answer")
        identity = instruction_id(row.text)
        questions.setdefault(
            identity, Question(id=identity, text=row.text, answer=row.answer, group=kind.group(row.text))
        )
    log.info("%s: %d rows, %d distinct questions", name, len(rows), len(questions))
    return list(questions.values())


def read_source(name: str, source: DataSource, file: Path | None, kind: Kind) -> list[Raw]:
    """Rows of a source in its published form, white space folded.

    Raises BadInput naming file, line and field of the first row that does not fit, and for a source without rows.
    """
    if source.corpus:
        rows = list(enumerate(corpus_rows(source), 1))
        place = f"corpus {name}"
    elif file:
        rows, place = read_rows(file), str(file)
    else:
        raise BadInput(f"{name}: no file was given for this source")
    if not rows:
        raise BadInput(f"{place}: no rows")
    raw = []
    for number, row in rows:
        try:
            read = kind.read_row(row)
        except ValueError as error:
            raise BadInput(f"{place}, line {number}: {error}") from error
        raw.append(Raw(" ".join(read.text.split()), read.answer))
    return raw


def corpus_rows(source: DataSource) -> list[dict[str, Any]]:
    """A corpus of the invented arithmetic in GSM8K's form."""
    assert source.corpus is not None
    questions = arithmetic.draw_questions(source.corpus)
    return [{"question": q, "answer": arithmetic.solve(q)} for q in questions]
