"""Rows that repair the target, from four sources of equal size, and the gate that no test question is among them."""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reversegen.configuration import Enhancement
from reversegen.errors import BadInput
from reversegen.hashing import hashed_seed
from reversegen.kind import Kind
from reversegen.records import Instruction, Label, Message, Question, Reference, Response, Seed, TrainingRow

log = logging.getLogger("reversegen")

SOURCES = ("reversegen", "warmup", "warmup_failures", "seeds")
"""Failures of the trained proposers; valid instructions of proposer 0; its failures, at equal target calls; seeds."""


@dataclass(frozen=True)
class Found:
    """What one chain of files found in its train split."""

    instructions: Sequence[Instruction]
    labels: Sequence[Label]
    references: Sequence[Reference]


@dataclass(frozen=True)
class Selection:
    """The rows of each source, and how they came to be as many as they are."""

    rows: dict[str, list[TrainingRow]]
    candidates: dict[str, int]
    """Distinct instructions of each source that have a trusted answer."""
    overlaps: dict[str, int]
    """Candidates dropped because a test question asks the same."""

    @property
    def summary(self) -> dict[str, dict[str, int]]:
        """Counts of each source, for the log and for `selection.json`."""
        return {
            name: {
                "candidates": self.candidates[name],
                "test_overlaps_dropped": self.overlaps[name],
                "rows": sum(row.origin != "replay" for row in rows),
                "replay_rows": sum(row.origin == "replay" for row in rows),
            }
            for name, rows in self.rows.items()
        }


def select_rows(
    trained: Sequence[Found],
    warmup: Sequence[Found],
    seeds: Sequence[tuple[Seed, Reference]],
    responses: Mapping[str, Response],
    tests: Sequence[Question],
    enhancement: Enhancement,
    system: str | None,
    random_seed: int,
    kind: Kind,
) -> Selection:
    """Choose equally many rows of each source; all are answered by the labeller, and all get the same replay rows.

    `trained` are the chains of proposers 1 to N; `warmup` is everything that proposer 0 wrote for as many target calls.
    A replay row is an instruction of proposer 0 that the target passed and no source teaches, with the target's own answer
    from `responses`.
    Instructions that ask what a test question asks are dropped from every source and from replay.

    Raises BadInput where a source has nothing left.
    """
    asked = {kind.canonical(question.text) for question in tests}
    pools = {
        "reversegen": _labelled(trained, {"failed"}),
        "warmup": _labelled(warmup, {"failed", "passed"}),
        "warmup_failures": _labelled(warmup, {"failed"}),
        "seeds": {
            s.id: (s.text, r.solution) for s, r in seeds if s.split == "train" and r.solution and r.invalid is None
        },
    }
    kept = {
        name: {i: pair for i, pair in pool.items() if kind.canonical(pair[0]) not in asked}
        for name, pool in pools.items()
    }
    empty = [name for name, pool in kept.items() if not pool]
    if empty:
        raise BadInput(
            f"enhancement: nothing to train on from {', '.join(empty)} after dropping what the test sets ask; sample more "
            "(prompts.train) or give more seeds"
        )
    count = min(enhancement.rows, *(len(pool) for pool in kept.values()))
    chosen = {
        name: random.Random(hashed_seed(random_seed, "enhancement", name)).sample(sorted(pool), count)
        for name, pool in kept.items()
    }
    taught = {i for ids in chosen.values() for i in ids}
    passed = {i: text for i, (text, _) in _labelled(warmup, {"passed"}).items() if i in responses and i not in taught}
    replayable = [i for i, text in passed.items() if kind.canonical(text) not in asked]
    rng = random.Random(hashed_seed(random_seed, "replay"))
    replay = rng.sample(replayable, min(enhancement.replay_rows, len(replayable)))
    replay_rows = [_row(i, passed[i], responses[i].text, "replay", system, kind) for i in replay]
    rows = {
        name: [_row(i, *kept[name][i], name, system, kind) for i in ids] + replay_rows for name, ids in chosen.items()
    }
    return Selection(
        rows=rows,
        candidates={name: len(pool) for name, pool in pools.items()},
        overlaps={name: len(pools[name]) - len(kept[name]) for name in pools},
    )


def _labelled(found: Sequence[Found], verdicts: set[str]) -> dict[str, tuple[str, str]]:
    """Kept train instructions with one of the verdicts, by id, with their text and trusted solution."""
    pool: dict[str, tuple[str, str]] = {}
    for chain in found:
        verdict = {label.instruction_id: label.verdict for label in chain.labels}
        solution = {r.instruction_id: r.solution for r in chain.references if r.invalid is None}
        for i in chain.instructions:
            good = solution.get(i.id)
            if "train" in i.splits and i.duplicate_of is None and verdict.get(i.id) in verdicts and good:
                pool.setdefault(i.id, (i.text, good))
    return pool


def _row(identity: str, text: str, answer: str, origin: str, system: str | None, kind: Kind) -> TrainingRow:
    prompt, completion = kind.enhancement_row(text, answer, system)
    return TrainingRow(prompt=prompt, completion=completion, instruction_id=identity, origin=origin)


def find_leaks(
    rows: Mapping[str, Sequence[TrainingRow]], tests: Mapping[str, Sequence[Question]], kind: Kind
) -> dict[str, dict[str, int]]:
    """Rows of each training set that ask what a question of each test set asks, by exact canonical form."""
    asked = {name: {kind.canonical(q.text) for q in questions} for name, questions in tests.items()}
    taught = {name: [kind.canonical(_question(row)) for row in of_source] for name, of_source in rows.items()}
    return {
        source: {test: sum(form in forms for form in canonical) for test, forms in asked.items()}
        for source, canonical in taught.items()
    }


def _question(row: TrainingRow) -> str:
    """The instruction that a row teaches: the user's turn, or for a warm-up row what follows the demonstrations."""
    if isinstance(row.prompt, str):
        return str(row.completion)
    turns: list[Message] = row.prompt
    return next(turn.content for turn in turns if turn.role == "user")
