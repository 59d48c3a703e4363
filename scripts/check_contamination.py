"""Verify that no training row asks what is kept out of training: results/{task}/contamination.json

python scripts/check_contamination.py --help
"""

from dataclasses import asdict
from pathlib import Path

from reversegen.config.task import ContaminationLimits, Deduplication, Embedding, KindUse
from reversegen.core.files import write_json
from reversegen.kinds import open_kind
from reversegen.loop.contamination import ComparedFiles, check_collapse, find_contamination
from reversegen.stage import run


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
    """Stops the run if a row of `rows` or `pairs` asks what is kept out, or an `evaluation` tells of a collapse."""
    check_collapse(evaluation)
    files = ComparedFiles(rows, pairs, tests, seeds, embeddings)
    meanings = files.meanings(embedding.eps) if embedding else None
    counts = find_contamination(files.training(), files.kept_out(), settings, open_kind(kind), meanings)
    counts.refuse(limits.near_share, limits.semantic_share)
    write_json(contamination, asdict(counts))


if __name__ == "__main__":
    run(main)
