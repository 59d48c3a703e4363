"""From samples to distinct instructions: parsed, merged where equal, near-duplicates marked."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence

from datasketch import MinHash, MinHashLSH

from reversegen.configuration import Deduplication
from reversegen.embeddings import Embeddings
from reversegen.hashing import instruction_id, normalise
from reversegen.kind import Kind
from reversegen.records import Instruction, Sample
from reversegen.semantic_duplicates import semantic_duplicates

log = logging.getLogger("reversegen")


BAND_WEIGHTS = (0.1, 0.9)
"""Of false candidates and misses in MinHashLSH: datasketch's default missed more than half of the pairs at the threshold."""


def collect_instructions(samples: Sequence[Sample], deduplication: Deduplication, kind: Kind) -> list[Instruction]:
    """One record for each distinct text, in order of first appearance; every sample belongs to exactly one.

    An instruction is invalid where the parser refuses it. Of the valid ones of the train split, those that nearly repeat
    another one point to it; held-out ones are never dropped, since their rate counts all that the proposer writes.
    """
    found: dict[str, Instruction] = {}
    for sample in samples:
        parsed = kind.parse_instruction(sample.text, sample.finished)
        identity = instruction_id(parsed.text) if parsed.invalid is None else f"invalid-{sample.id}"
        if identity in found:
            known = found[identity]
            merged = {"samples": [*known.samples, sample.id], "splits": sorted({*known.splits, sample.split})}
            found[identity] = known.model_copy(update=merged)
        else:
            found[identity] = Instruction(
                id=identity,
                text=parsed.text,
                answer=parsed.answer,
                subject=sample.subject,
                samples=[sample.id],
                splits=[sample.split],
                invalid=parsed.invalid,
                duplicate_of=None,
            )
    candidates = {i.id: i.text for i in found.values() if i.invalid is None and "train" in i.splits}
    duplicates = near_duplicates(candidates, deduplication)
    instructions = [i.model_copy(update={"duplicate_of": duplicates.get(i.id)}) for i in found.values()]
    reasons = Counter(i.invalid for i in instructions if i.invalid)
    log.info(
        "%d samples: %d distinct valid instructions, %d near-duplicates in train, %d unreadable %s",
        len(samples), len(found) - reasons.total(), len(duplicates), reasons.total(), dict(reasons),
    )  # fmt: skip
    return instructions


def mark_semantic_duplicates(
    instructions: Sequence[Instruction], embeddings: Embeddings, eps: float, random_seed: int
) -> list[Instruction]:
    """Of what is kept of the train split, mark those that mean nearly what another one means, by its id."""
    kept = sorted(i.id for i in instructions if i.asked and i.duplicate_of is None and "train" in i.splits)
    found = semantic_duplicates(embeddings.of(kept), eps, random_seed)
    means = {kept[n]: kept[of] for n, of in enumerate(found.earlier) if of >= 0}
    return [i.model_copy(update={"duplicate_of": means[i.id]}) if i.id in means else i for i in instructions]


def near_duplicates(texts: dict[str, str], deduplication: Deduplication) -> dict[str, str]:
    """Ids of the texts that nearly repeat a kept one, each with the id of that one.

    Texts are taken in order of their ids, so that the order of rows decides nothing; a text is kept unless the Jaccard
    similarity of its word n-grams with a kept one is at least the threshold. MinHash proposes, the exact value decides: the
    bands are chosen for few misses, and for at most 0.95, above which few permutations allow no bands.
    """
    lsh = MinHashLSH(
        threshold=min(deduplication.threshold, 0.95), num_perm=deduplication.num_perm, weights=BAND_WEIGHTS
    )
    shingles: dict[str, frozenset[str]] = {}
    duplicates = {}
    for identity in sorted(texts):
        own = shingled(texts[identity], deduplication.ngram)
        signature = MinHash(num_perm=deduplication.num_perm, seed=1)
        signature.update_batch([shingle.encode() for shingle in own])
        similar = [k for k in sorted(lsh.query(signature)) if jaccard(own, shingles[k]) >= deduplication.threshold]
        if similar:
            duplicates[identity] = similar[0]
        else:
            shingles[identity] = own
            lsh.insert(identity, signature)
    return duplicates


def shingled(text: str, ngram: int) -> frozenset[str]:
    """The word n-grams of the normalised text; a text of fewer words is one shingle."""
    words = normalise(text).split()
    return frozenset(" ".join(words[i : i + ngram]) for i in range(max(1, len(words) - ngram + 1)))


def jaccard(one: Iterable[str], other: Iterable[str]) -> float:
    """Size of the intersection over size of the union; 1 where both are empty."""
    a, b = set(one), set(other)
    return len(a & b) / len(a | b) if a | b else 1.0
