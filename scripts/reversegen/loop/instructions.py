"""From samples to distinct instructions: parsed, merged where equal, near-duplicates marked."""

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
    """The samples of a proposer. Raises BadInput if the prompts have not as many samples each, each once."""
    samples = read_records(path, Sample)
    counts = Counter(sample.prompt_id for sample in samples)
    if len(set(counts.values())) != 1 or len({sample.id for sample in samples}) < len(samples):
        raise BadInput(
            f"{path}: not as many samples of each prompt, each once: it was cut short or edited; delete it, and the same "
            "command makes it again"
        )
    return samples


def collect_instructions(samples: Sequence[Sample], deduplication: Deduplication, kind: Kind) -> list[Instruction]:
    """One record for each distinct text, in order of first appearance; every sample belongs to exactly one.

    An instruction is invalid if the parser refuses it. Of the valid ones of the train split, those that nearly repeat
    another one point to it; held-out ones are never dropped, since their rate counts all that the proposer writes.
    """
    instructions_by_id: dict[str, Instruction] = {}
    for sample in samples:
        parsed = _parsed(sample, kind)
        identity = instruction_id(parsed.text) if parsed.invalid is None else f"invalid-{sample.id}"
        if identity in instructions_by_id:
            known = instructions_by_id[identity]
            merged = {"samples": [*known.samples, sample.id], "splits": sorted({*known.splits, sample.split})}
            instructions_by_id[identity] = known.model_copy(update=merged)
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
    return instructions


def texts_to_embed(
    samples: Sequence[Path], seeds: Sequence[Path], tests: Sequence[Path], deduplication: Deduplication, kind: Kind
) -> dict[str, str]:
    """By id, the texts of seeds and questions, and of samples the instructions that exact and n-gram duplicates leave."""
    collected = [i for path in samples for i in collect_instructions(read_records(path, Sample), deduplication, kind)]
    texts = {i.id: i.text for i in collected if i.asked}
    texts |= {s.id: s.text for path in seeds for s in read_records(path, Seed)}
    return texts | {q.id: q.text for path in tests for q in read_records(path, Question)}


def _parsed(sample: Sample, kind: Kind) -> Parsed:
    """The instruction in a sample, whose thought is no part of it; invalid if it was not received or is only a thought."""
    reply = read_reply(sample.text, sample.finished, sample.invalid)
    if reply.invalid is not None:
        return Parsed(sample.text, reply.invalid)
    return kind.parse_instruction(reply.text, reply.finished)


def mark_semantic_duplicates(
    instructions: Sequence[Instruction], embeddings: Embeddings, eps: float, random_seed: int
) -> list[Instruction]:
    """Of what is kept of the train split, mark those that mean nearly what another one means, by its id."""
    kept = sorted(i.id for i in instructions if i.asked and i.duplicate_of is None and "train" in i.splits)
    duplicates = semantic_duplicates(embeddings.vectors_of(kept), eps, random_seed)
    means = {kept[n]: kept[place] for n, place in enumerate(duplicates.earlier) if place >= 0}
    return [i.model_copy(update={"duplicate_of": means[i.id]}) if i.id in means else i for i in instructions]
