"""Embed what a proposer wrote, the seeds, or test questions: results/{task}/{arm}/embeddings.npy

python scripts/embed_instructions.py --help
"""

from functools import partial
from pathlib import Path

from reversegen.config.models import ModelUse
from reversegen.config.task import Deduplication, Embedding, KindUse
from reversegen.kinds import open_kind
from reversegen.loop.instructions import texts_to_embed
from reversegen.stage import run
from reversegen.text.embeddings import embed, identity, open_encoder, write_embeddings


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
    """Exactly one of `samples`, `seeds` and `tests` is given. A text that `cache` holds, of any run, is not embedded again."""
    texts = texts_to_embed(samples, seeds, tests, deduplication, open_kind(kind))
    opening = partial(open_encoder, folder, settings, model, threads)
    vectors = embed(list(texts.values()), cache, identity(folder, settings, model), opening)
    write_embeddings(embeddings, list(texts), vectors)


if __name__ == "__main__":
    run(main)
