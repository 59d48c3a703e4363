"""Check that no training row asks a test question or a held-out seed: results/{task}/contamination.json

python scripts/check_contamination.py --rows results/tiny-math/enhanced/*/train.jsonl --pairs --tests \
results/tiny-math/tests/*.jsonl --seeds results/tiny-math/seeds.jsonl --embeddings --evaluation --contamination \
results/tiny-math/contamination.json --kind '{"name":"math","worlds":["arithmetic"]}' --settings \
'{"ngram":3,"threshold":0.85}' --limits '{"near_share":null,"semantic_share":null}' --embedding null
"""

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
    """Stop the run if rows or pairs overlap with tests or held-out seeds, or if an `evaluation` has alarms."""
    check_collapse(evaluation)
    files = ComparedFiles(rows, pairs, tests, seeds, embeddings)
    meanings = files.meanings(embedding.eps) if embedding else None
    counts = find_contamination(files.training(), files.kept_out(), settings, open_kind(kind), meanings)
    counts.refuse(limits.near_share, limits.semantic_share)
    write_json(contamination, counts.content)


if __name__ == "__main__":
    run(main)
