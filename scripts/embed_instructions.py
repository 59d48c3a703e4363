"""Embed a proposer's instructions, the seeds, or test questions: results/{task}/{arm}/embeddings.npy

python scripts/embed_instructions.py --samples results/tiny-math/iter1/samples.jsonl --seeds --tests --folder \
resources/downloads/models/minilm --embeddings results/tiny-math/iter1/embeddings.npy --kind \
'{"name":"math","worlds":["arithmetic"]}' --deduplication '{"ngram":3,"threshold":0.85}' --settings \
'{"model":"minilm","pooling":"sentence","backend":"openvino","max_length":256,"batch_size":8,"eps":0.1}' --model \
'{"dtype":"float32"}' --cache results/models/minilm.embeddings --threads 1
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
    """Give exactly one of `samples`, `seeds` and `tests`. Vectors that any run has stored in `cache` are used again."""
    texts = texts_to_embed(samples, seeds, tests, deduplication, open_kind(kind))
    opening = partial(open_encoder, folder, settings, model, threads)
    vectors = embed(list(texts.values()), cache, identity(folder, settings, model), opening)
    write_embeddings(embeddings, list(texts), vectors)


if __name__ == "__main__":
    run(main)
