"""Parse samples into distinct instructions and mark near-duplicates: results/{task}/{arm}/instructions.jsonl

python scripts/collect_instructions.py --samples results/tiny-math/iter1/samples.jsonl --embeddings \
--instructions results/tiny-math/iter1/instructions.jsonl --kind '{"name":"math","worlds":["arithmetic"]}' \
--settings '{"ngram":3,"threshold":0.85}' --embedding null --random-seed 0
"""

from pathlib import Path

from reversegen.config.task import Deduplication, Embedding, KindUse
from reversegen.core.records import write_records
from reversegen.kinds import open_kind
from reversegen.loop.instructions import collect_instructions, mark_semantic_duplicates, read_samples
from reversegen.stage import run
from reversegen.text.embeddings import read_embeddings


def main(
    samples: Path,
    embeddings: list[Path],
    instructions: Path,
    kind: KindUse,
    settings: Deduplication,
    embedding: Embedding | None,
    random_seed: int,
) -> None:
    """Write one record for each distinct text. `embeddings` come from embed_instructions, if the task has a model."""
    collected = collect_instructions(read_samples(samples), settings, open_kind(kind))
    if embedding:
        collected = mark_semantic_duplicates(collected, read_embeddings(embeddings), embedding.eps, random_seed)
    write_records(instructions, collected)


if __name__ == "__main__":
    run(main)
