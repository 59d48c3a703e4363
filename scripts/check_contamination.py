"""Verify that no training row asks what is kept out of training: results/{task}/contamination.json

python scripts/check_contamination.py --help
"""

from dataclasses import asdict
from pathlib import Path

from reversegen.config.task import ContaminationLimits, Deduplication, Embedding, KindUse
from reversegen.core.errors import BadInput
from reversegen.core.files import read_json, write_json
from reversegen.core.records import Pair, Question, Seed, TrainingRow, read_records
from reversegen.kinds import open_kind
from reversegen.loop.contamination import ComparedMeanings, KeptOut, find_contamination, taught
from reversegen.stage import run
from reversegen.text.embeddings import read_embeddings


def main(
    rows: list[Path],
    pairs: list[Path],
    tests: list[Path],
    seeds: Path,
    embeddings: list[Path],
    evaluation: list[Path],
    contamination: Path,
    kind: KindUse,
    settings: Deduplication,
    limits: ContaminationLimits,
    embedding: Embedding | None,
) -> None:
    """Stops the run where a row of `rows` or `pairs` overlaps with a test set or a held-out seed.

    Also where the proposer's `evaluation`, given only where the task asks to stop, tells of a collapse. `embeddings` are
    those of everything that is compared, where the task has a model for them.
    """
    for path in evaluation:
        if broken := read_json(path)["alarms"]:
            raise BadInput(f"{path}: the proposer has collapsed: {'; '.join(broken)}; alarm.action: warn goes on")
    taught_by = {path: read_records(path, TrainingRow) for path in rows}
    lengths = {str(path): len(found) for path, found in taught_by.items()}
    if len(set(lengths.values())) > 1:
        raise BadInput(
            f"unequal numbers of rows, of one selection: {lengths}; delete these files: one was cut short or edited"
        )
    training = {p.parent.name: [t for r in found for t in taught(r)] for p, found in taught_by.items()}
    training |= {f"{p.parent.name} pairs": [t for r in read_records(p, Pair) for t in taught(r)] for p in pairs}
    kept_out = {p.stem: KeptOut([q.text for q in read_records(p, Question)], None) for p in tests}
    heldout = [s for s in read_records(seeds, Seed) if s.split == "heldout"]
    kept_out["heldout seeds"] = KeptOut([s.text for s in heldout], frozenset(s.id for s in heldout))
    meanings = None
    if embedding:
        vectors = read_embeddings(embeddings)
        apart = {p.stem: vectors.of(q.id for q in read_records(p, Question)) for p in tests}
        apart["heldout seeds"] = vectors.of(s.id for s in heldout)
        meanings = ComparedMeanings(vectors, apart, embedding.eps)
    found = find_contamination(training, kept_out, settings, open_kind(kind), meanings)
    if fault := found.fault(limits.near_share, limits.semantic_share):
        raise BadInput(fault)
    write_json(contamination, asdict(found))


if __name__ == "__main__":
    run(main)
