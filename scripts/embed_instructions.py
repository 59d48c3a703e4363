"""Embed what a proposer wrote, the seeds, or test questions: results/{task}/{arm}/embeddings.npy

python scripts/embed_instructions.py --help
"""

from functools import partial
from pathlib import Path

from reversegen.config.models import ModelUse
from reversegen.config.task import Deduplication, Embedding, KindUse
from reversegen.core.records import Question, Sample, Seed, read_records
from reversegen.kinds import open_kind
from reversegen.loop.instructions import collect_instructions
from reversegen.stage import run
from reversegen.text import embeddings as embedding_module


def main(
    samples: list[Path],
    seeds: list[Path],
    tests: list[Path],
    folder: Path,
    embeddings: Path,
    kind: KindUse,
    deduplication: Deduplication,
    settings: Embedding,
    model: ModelUse,
    cache: Path,
    threads: int,
) -> None:
    """Exactly one of `samples`, `seeds` and `tests` is given.

    Of samples, the instructions are embedded that exact and n-gram duplicates leave. A text that `cache` holds is not
    embedded again, whichever task, iteration or random seed asked for it.
    """
    collected = [
        i for path in samples for i in collect_instructions(read_records(path, Sample), deduplication, open_kind(kind))
    ]
    texts = {i.id: i.text for i in collected if i.asked}
    texts |= {s.id: s.text for path in seeds for s in read_records(path, Seed)}
    texts |= {q.id: q.text for path in tests for q in read_records(path, Question)}
    vectors = embedding_module.embed(
        list(texts.values()),
        cache,
        embedding_module.identity(folder, settings, model),
        partial(embedding_module.open_encoder, folder, settings, model, threads),
    )
    embedding_module.write_embeddings(embeddings, list(texts), vectors)


if __name__ == "__main__":
    run(main)
