"""Files of two iterations with failing and passing instructions."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from reversegen.core.records import (
    Instruction,
    Label,
    Reference,
    Response,
    Verdict,
    write_records,
)

NAMES = ("instructions", "labels", "responses", "references")


def write_iterations(
    folder: Path, iterations: list[dict[str, Verdict]], answers: int = 1, abstained: Collection[str] = ()
) -> list[list[Path]]:
    """Write iterations in which instructions have these verdicts; the id of an instruction is its text.

    An answer that passed and has one of the ids `abstained`, or one with its iteration as in "a0", abstains.

    Returns a list of paths for each name in NAMES, with one path for each iteration.
    """
    for k, verdicts in enumerate(iterations):
        given: dict[str, Any] = {"answer": None, "subject": "s", "splits": ["train"], "duplicate_of": None}
        rows = [Instruction(id=i, text=i, samples=[f"{k}a{i}", f"{k}b{i}"], invalid=None, **given) for i in verdicts]
        rows.append(Instruction(id=f"unread{k}", text="?", samples=["x"], invalid="unreadable", **given))
        write_records(folder / f"iter{k}/instructions.jsonl", rows)
        unknown = {i for i, v in verdicts.items() if v == "passed" and {i, f"{i}{k}"} & {*abstained}}
        labels = [
            Label(instruction_id=i, verdict=v, score=0.5, detail=f"{v} in {k}", abstained=i in unknown)
            for i, v in verdicts.items()
        ]
        write_records(folder / f"iter{k}/labels.jsonl", labels)
        answered = [(i, n) for i in reversed(list(verdicts)) for n in range(answers)]
        responses = [
            Response(instruction_id=i, sample=n, text=f"{i} {'odd' if n == 1 else 'said'} {k}", tokens=1, finished=True)
            for i, n in answered
        ]
        write_records(folder / f"iter{k}/responses.jsonl", responses)
        trusted = [
            Reference(instruction_id=i, answer=f"{i} right", solution="because", teacher="l", invalid=None)
            for i in verdicts
        ]
        write_records(folder / f"iter{k}/references.jsonl", trusted)
    return [[folder / f"iter{k}/{name}.jsonl" for k in range(len(iterations))] for name in NAMES]
