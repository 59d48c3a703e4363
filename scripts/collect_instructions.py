"""Parse samples into distinct instructions and mark near-duplicates: results/{task}/{arm}/instructions.jsonl

python scripts/collect_instructions.py --help
"""

from collections import Counter
from pathlib import Path

from reversegen.config.task import Deduplication, Embedding, KindUse
from reversegen.core.errors import BadInput
from reversegen.core.records import Sample, read_records, write_records
from reversegen.kinds import open_kind
from reversegen.loop import instructions as instruction_module
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
    """Write one record for each distinct text. `embeddings` are those of embed_instructions, where the task has a model."""
    sampled = read_records(samples, Sample)
    several = Counter(sample.prompt_id for sample in sampled)
    if len(set(several.values())) != 1 or len({sample.id for sample in sampled}) < len(sampled):
        raise BadInput(
            f"{samples}: not as many samples of each prompt, each once: it was cut short or edited; delete it, and the same "
            "command makes it again"
        )
    collected = instruction_module.collect_instructions(sampled, settings, open_kind(kind))
    if embedding:
        vectors = read_embeddings(embeddings)
        collected = instruction_module.mark_semantic_duplicates(collected, vectors, embedding.eps, random_seed)
    write_records(instructions, collected)


if __name__ == "__main__":
    run(main)
