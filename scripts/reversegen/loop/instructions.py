"""Instructions: samples are parsed, equal ones are merged, and near-duplicates are marked."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from reversegen.config.task import Deduplication
from reversegen.core.errors import BadInput
from reversegen.core.records import Instruction, Question, Sample, Seed, read_records
from reversegen.ids import instruction_id
from reversegen.kinds.answers.reply import read_reply
from reversegen.kinds.base import Kind, Parsed
from reversegen.text.embeddings import Embeddings
from reversegen.text.near_duplicates import near_duplicates
from reversegen.text.semantic_duplicates import semantic_duplicates

log = logging.getLogger("reversegen")


def read_samples(path: Path) -> list[Sample]:
    """Read the samples of a proposer. Raises BadInput if prompts have different numbers of samples or a sample repeats."""
    samples = read_records(path, Sample)
    counts = Counter(sample.prompt_id for sample in samples)
    if len(set(counts.values())) != 1 or len({sample.id for sample in samples}) < len(samples):
        raise BadInput(
            f"{path}: prompts have different numbers of samples, or a sample occurs twice; the file was truncated or edited: "
            "delete it, and the same command makes it again"
        )
    return samples


def collect_instructions(samples: Sequence[Sample], deduplication: Deduplication, kind: Kind) -> list[Instruction]:
    """One record for each distinct text, in order of first appearance. Every sample belongs to exactly one record.

    An instruction is invalid if the parser refuses it. A valid instruction of the train split that nearly repeats another one
    points to it by `duplicate_of`. Held-out instructions are never marked, since the failure rate counts all of them.
    """
    instructions_by_id: dict[str, Instruction] = {}
    for sample in samples:
        parsed = _parsed(sample, kind)
        identity = instruction_id(parsed.text) if parsed.invalid is None else f"invalid-{sample.id}"
        if identity in instructions_by_id:
            first = instructions_by_id[identity]
            merged = {"samples": [*first.samples, sample.id], "splits": sorted({*first.splits, sample.split})}
            instructions_by_id[identity] = first.model_copy(update=merged)
        else:
            instructions_by_id[identity] = Instruction(
                id=identity,
                text=parsed.text,
                answer=parsed.answer,
                subject=sample.subject,
                samples=[sample.id],
                splits=[sample.split],
                invalid=parsed.invalid,
                duplicate_of=None,
            )
    candidates = {i.id: i.text for i in instructions_by_id.values() if i.invalid is None and "train" in i.splits}
    duplicates = near_duplicates(candidates, deduplication)
    instructions = [i.model_copy(update={"duplicate_of": duplicates.get(i.id)}) for i in instructions_by_id.values()]
    reasons = Counter(i.invalid for i in instructions if i.invalid)
    log.info(
        "%d samples: %d distinct valid instructions, %d near-duplicates in train, %d unreadable %s",
        len(samples), len(instructions_by_id) - reasons.total(), len(duplicates), reasons.total(), dict(reasons),
    )  # fmt: skip
    if kind.entities:
        valid = [i for i in instructions if i.invalid is None]
        named = sum(bool(kind.entities(i.text)) for i in valid)
        log.info(
            "%d of %d distinct valid instructions name a held-out unit; none trains if tests ask of it",
            named,
            len(valid),
        )
    return instructions


def texts_to_embed(
    samples: Sequence[Path], seeds: Sequence[Path], tests: Sequence[Path], deduplication: Deduplication, kind: Kind
) -> dict[str, str]:
    """The texts to embed, by id: seeds, test questions, and the distinct valid instructions that samples hold."""
    collected = [i for path in samples for i in collect_instructions(read_records(path, Sample), deduplication, kind)]
    texts = {i.id: i.text for i in collected if i.asked}
    texts |= {s.id: s.text for path in seeds for s in read_records(path, Seed)}
    return texts | {q.id: q.text for path in tests for q in read_records(path, Question)}


def _parsed(sample: Sample, kind: Kind) -> Parsed:
    """The instruction in a sample, without the thought. It is invalid if nothing but a thought, or no reply, was received."""
    reply = read_reply(sample.text, sample.finished, sample.invalid)
    if reply.invalid is not None:
        return Parsed(sample.text, reply.invalid)
    return kind.parse_instruction(reply.text, reply.finished)


def mark_semantic_duplicates(
    instructions: Sequence[Instruction], embeddings: Embeddings, eps: float, random_seed: int
) -> list[Instruction]:
    """Mark train-split instructions that mean nearly the same as another one: `duplicate_of` is the other one's id.

    Two texts mean nearly the same if their cosine is above 1 - `eps`.
    """
    ids = sorted(i.id for i in instructions if i.asked and i.duplicate_of is None and "train" in i.splits)
    duplicates = semantic_duplicates(embeddings.vectors_of(ids), eps, random_seed)
    originals = {ids[n]: ids[place] for n, place in enumerate(duplicates.earlier) if place >= 0}
    return [i.model_copy(update={"duplicate_of": originals[i.id]}) if i.id in originals else i for i in instructions]
