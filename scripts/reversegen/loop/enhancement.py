"""Rows that enhance the target, from four sources of equal size."""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reversegen.config.training import Enhancement
from reversegen.core.errors import BadInput
from reversegen.core.records import (
    Instruction,
    Label,
    Message,
    Reference,
    Response,
    Seed,
    TrainingRow,
    Verdict,
)
from reversegen.core.sources import SOURCES
from reversegen.ids import hashed_seed
from reversegen.kinds.answers.reply import read_reply
from reversegen.kinds.base import Conversation, Kind
from reversegen.loop.barred import Barred
from reversegen.loop.turns import in_turns
from reversegen.text.words import words

log = logging.getLogger("reversegen")

OF_FAILURES = ("reversegen", "warmup_failures")
"""Sources whose rows `in_turns` selects. The rows of the other two sources, which serve as comparisons, are drawn at random."""


@dataclass(frozen=True)
class LabelledArm:
    """The instructions of one arm with their verdicts and references."""

    instructions: Sequence[Instruction]
    labels: Sequence[Label]
    references: Sequence[Reference]


@dataclass(frozen=True)
class Candidate:
    """An instruction that may become a row."""

    text: str
    reference: Reference
    verdict: Verdict
    subject: str | None
    category: str | None = None
    """The category of harm in its label."""


@dataclass(frozen=True)
class Selection:
    """The rows of each source, with the counts that explain their number."""

    rows: dict[str, list[TrainingRow]]
    candidates: dict[str, int]
    """The number of distinct instructions of each source that have a trusted answer."""
    overlaps: dict[str, int]
    """The number of candidates that were dropped because they ask a test question or are a held-out seed."""
    chosen: dict[str, dict[str, Candidate]] = field(default_factory=dict)
    """The instructions that each source teaches, by id, in the order of its rows."""

    @property
    def summary(self) -> dict[str, dict[str, int]]:
        """The counts of each source, for the log and for `selection.json`."""
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
    trained: Sequence[LabelledArm],
    warmup: Sequence[LabelledArm],
    seeds: Sequence[tuple[Seed, Reference, Verdict]],
    responses: Mapping[str, Sequence[Response]],
    barred: Barred,
    enhancement: Enhancement,
    system: str | None,
    random_seed: int,
) -> Selection:
    """Choose equally many rows of each source. The teacher answers all of them, and every source gets the same replay rows.

    `trained` holds the arms of proposers 1 to N. `warmup` holds all arms of proposer 0, which together used as many target
    calls. Each seed has its verdict in the probe, or `failed` if the task has no probe.

    A replay row is an instruction of proposer 0 that the target passed in every arm that asked it, without an abstention, and
    that no source teaches.
    Its answer is the target's own from `responses`; of several draws it is the first that agrees with most of them.

    With `enhancement.in_turns` the failures are selected for variety; all other rows are drawn at random. An instruction that
    asks a test question, or that is a held-out seed, is dropped from every source and from replay.

    Raises BadInput if a source has no instruction left.
    """
    kind = barred.kind
    pools = _candidates(trained, warmup, seeds)
    usable = {name: {i: c for i, c in pool.items() if not barred(i, c.text)} for name, pool in pools.items()}
    if empty := [name for name, pool in usable.items() if not pool]:
        raise BadInput(
            f"enhancement: no rows to train on are left of {', '.join(empty)} after dropping what the test sets ask; sample "
            "more instructions (prompts.train) or give more seeds"
        )
    chosen = _choose(usable, enhancement, random_seed, kind)
    taught = {i for ids in chosen.values() for i in ids}
    # an instruction may have failed in one arm and passed in another
    left_out = taught | pools["warmup_failures"].keys()
    left_out |= {label.instruction_id for arm in warmup for label in arm.labels if label.abstained}
    passed = {
        i: c.text for i, c in _labelled(warmup, {"passed"}).items() if i not in left_out and not barred(i, c.text)
    }
    answers = {
        i: answer
        for i, text in passed.items()
        if (answer := _settled(text, _answers(text, responses.get(i, ()), kind), kind))
    }
    rng = random.Random(hashed_seed(random_seed, "replay"))
    replay = rng.sample(list(answers), min(enhancement.replay_rows, len(answers)))
    replay_rows = [_row(i, *kind.replay_row(passed[i], answers[i], system), "replay") for i in replay]
    replay_rows += _plain_rows(warmup, responses, barred, enhancement.plain_rows, system, random_seed)
    rows = {
        name: [_row(i, *_taught(usable[name][i], system, kind), name) for i in ids] + replay_rows
        for name, ids in chosen.items()
    }
    return Selection(
        rows=rows,
        candidates={name: len(pool) for name, pool in pools.items()},
        overlaps={name: len(pools[name]) - len(usable[name]) for name in pools},
        chosen={name: {i: usable[name][i] for i in ids} for name, ids in chosen.items()},
    )


def _candidates(
    trained: Sequence[LabelledArm],
    warmup: Sequence[LabelledArm],
    seeds: Sequence[tuple[Seed, Reference, Verdict]],
) -> dict[str, dict[str, Candidate]]:
    """The instructions that may become rows, by source and id."""
    return {
        "reversegen": _labelled(trained, {"failed"}),
        "warmup": _labelled(warmup, {"failed", "passed"}),
        "warmup_failures": _labelled(warmup, {"failed"}),
        "seeds": {
            s.id: Candidate(s.text, r, verdict, s.subject)
            for s, r, verdict in seeds
            if s.split == "train" and r.invalid is None and verdict != "invalid"
        },
    }


def _choose(
    pools: Mapping[str, Mapping[str, Candidate]], enhancement: Enhancement, random_seed: int, kind: Kind
) -> dict[str, list[str]]:
    """Choose equally many ids of each source."""
    count = min(enhancement.rows, *(len(pool) for pool in pools.values()))
    chosen = {}
    for name, pool in pools.items():
        rng = random.Random(hashed_seed(random_seed, "enhancement", name))
        selects = enhancement.in_turns and name in OF_FAILURES
        drawn = rng.sample(sorted(pool), len(pool) if selects else count)
        chosen[name] = _most_different(drawn, pool, kind)[:count] if selects else drawn
    return chosen


def margin_warning(selection: Selection, answered: int, enhancement: Enhancement) -> str | None:
    """A warning if every source loses rows because too few of the drawn seeds can be used; else None.

    `answered` is the number of seeds that were drawn for the teacher to answer.
    """
    usable = {name: selection.candidates[name] - selection.overlaps[name] for name in SOURCES}
    possible = min(enhancement.rows, *(count for name, count in usable.items() if name != "seeds"))
    if answered != enhancement.answered_seeds or usable["seeds"] >= possible:
        return None
    return (
        f"enhancement: only {usable['seeds']} of {answered} answered seeds can be used, so every source has that many rows and "
        f"not {possible}; raise enhancement.seed_margin ({enhancement.seed_margin:g}) and start again"
    )


def _plain_rows(
    warmup: Sequence[LabelledArm],
    responses: Mapping[str, Sequence[Response]],
    barred: Barred,
    count: int,
    system: str | None,
    random_seed: int,
) -> list[TrainingRow]:
    """Rows of questions of proposer 0, failed and passed alike. The answer is one of the target's own draws.

    Draws are used because greedy answers would teach the target to be surer than it is. Under a system text a row holds the
    letter alone, like the rows that ask whether the target is sure, because a truncated draw is not a complete turn.
    """
    kind = barred.kind
    texts = {i: c.text for i, c in _labelled(warmup, {"failed", "passed"}).items() if not barred(i, c.text)}
    draws = {i: _answers(text, responses.get(i, ()), kind) for i, text in texts.items()}
    answers = {i: several[0] for i, several in draws.items() if several}
    if system and kind.choice:
        answers = {i: kind.choice.letter(texts[i], answer) or answer for i, answer in answers.items()}
    rng = random.Random(hashed_seed(random_seed, "plain"))
    return [
        _row(i, kind.target_messages(texts[i], system), [Message(role="assistant", content=answers[i])], "replay")
        for i in rng.sample(list(answers), min(count, len(answers)))
    ]


def _labelled(arms: Sequence[LabelledArm], verdicts: set[Verdict]) -> dict[str, Candidate]:
    """The train-split instructions, by id, that have one of the verdicts and a trusted answer and are no near-duplicates."""
    pool: dict[str, Candidate] = {}
    for arm in arms:
        labels = {label.instruction_id: label for label in arm.labels if label.verdict in verdicts}
        trusted = {r.instruction_id: r for r in arm.references if r.invalid is None}
        for i in arm.instructions:
            kept = "train" in i.splits and i.duplicate_of is None and i.id in trusted
            if kept and (label := labels.get(i.id)):
                pool.setdefault(i.id, Candidate(i.text, trusted[i.id], label.verdict, i.subject, label.category))
    return pool


def _most_different(drawn: Sequence[str], pool: Mapping[str, Candidate], kind: Kind) -> list[str]:
    """All ids, one of each type and length in turn. Instructions that repeat the question of an earlier one come last.

    Lengths are grouped by doublings of the number of words. They matter because DPO is known to shift lengths, and with them
    wordings, independently of what fails.
    """
    questions: set[str] = set()
    first: list[str] = []
    repeats: list[str] = []
    for i in drawn:
        question = kind.canonical(pool[i].text)
        (repeats if question in questions else first).append(i)
        questions.add(question)

    def type_and_length(i: str) -> str:
        type_ = kind.type_of(pool[i].text, pool[i].category, pool[i].subject) or ""
        return f"{len(words(pool[i].text)).bit_length()} {type_}"

    return list(in_turns([*first, *repeats], type_and_length))


def _answers(text: str, responses: Sequence[Response], kind: Kind) -> list[str]:
    """The target's readable answers, without thoughts. Truncated ones count only if an option letter is all that is read."""
    replies = (read_reply(r.text, r.finished, r.invalid) for r in responses)
    return [
        reply.text
        for reply in replies
        if not reply.invalid and (reply.finished or kind.choice) and kind.readable(text, reply.text)
    ]


def _settled(text: str, answers: Sequence[str], kind: Kind) -> str | None:
    """The first answer that gives the most frequent option, or the first answer if the kind has no options; None if empty."""
    if (choice := kind.choice) is None:
        return next(iter(answers), None)
    options = [choice.letter(text, answer) for answer in answers]
    return max(answers, key=lambda answer: options.count(choice.letter(text, answer)), default=None)


def _taught(candidate: Candidate, system: str | None, kind: Kind) -> tuple[Conversation, Conversation]:
    return kind.enhancement_row(candidate.text, candidate.reference, candidate.verdict, system)


def _row(identity: str, prompt: Conversation, completion: Conversation, origin: str) -> TrainingRow:
    return TrainingRow(prompt=prompt, completion=completion, instruction_id=identity, origin=origin)
