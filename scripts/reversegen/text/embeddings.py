"""Sentence embeddings: unit vectors of texts by a configured model, cached by content so that no text is embedded twice.

Vectors are in `.npy` files of rows (id, vector), without pickle. In a cache, the id is a hash of the model and the text. In a
file that a stage writes for other stages, it is the id of the instruction, seed or question.
"""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reversegen.config.models import ModelUse
from reversegen.config.task import Embedding
from reversegen.core.errors import BadInput
from reversegen.core.files import write_bytes
from reversegen.ids import content_id
from reversegen.models.folder import check_folder, weights_identity

log = logging.getLogger("reversegen")

Vectors = npt.NDArray[np.float32]
"""Shape (texts, dimensions); each row has length 1."""
Encode = Callable[[Sequence[str]], Vectors]

CHUNK = 4096
"""Largest number of texts in a file of a cache. A killed job loses no more than these."""


@dataclass(frozen=True)
class Embeddings:
    """Vectors by id."""

    rows: dict[str, int]
    vectors: Vectors

    def __contains__(self, identity: str) -> bool:
        return identity in self.rows

    def vectors_of(self, ids: Iterable[str]) -> Vectors:
        """The vectors of some ids, in their order. Raises BadInput for an id without one."""
        ids = list(ids)
        if missing := [i for i in ids if i not in self.rows]:
            raise BadInput(f"no embedding of {missing[0]} and {len(missing) - 1} other ids; make embeddings.npy again")
        return self.vectors[[self.rows[i] for i in ids]]


def read_embeddings(paths: Iterable[Path]) -> Embeddings:
    """The vectors of several files; if several hold an id, the first vector counts.

    Raises BadInput naming a file that holds no embeddings, or whose dimensions differ from the first file's.
    """
    ids: list[bytes] = []
    parts: list[Vectors] = []  # views of mapped files
    for path in paths:
        stored = _read(path)
        if not len(stored):  # it has no dimensions because nothing was embedded
            continue
        if parts and parts[0].shape[1] != stored["vector"].shape[1]:
            raise BadInput(
                f"{path}: its vectors have {stored['vector'].shape[1]} dimensions, not {parts[0].shape[1]} as before: "
                "another model made them; make this file again"
            )
        ids += stored["id"].tolist()
        parts.append(stored["vector"])
    rows = {identity.decode(): n for n, identity in reversed(list(enumerate(ids)))}
    return Embeddings(rows, np.concatenate(parts) if parts else np.empty((0, 0), np.float32))


def write_embeddings(path: Path, ids: Sequence[str], vectors: Vectors) -> None:
    """Write vectors by id, as a whole file or not at all. Each id has 16 characters."""
    stored = np.empty(len(ids), dtype=[("id", "S16"), ("vector", "<f4", (vectors.shape[1],))])
    stored["id"], stored["vector"] = ids, vectors
    file = io.BytesIO()
    np.save(file, stored, allow_pickle=False)
    write_bytes(path, file.getvalue())


def _read(path: Path) -> Any:
    try:
        stored = np.lib.format.open_memmap(path, mode="r")  # maps plain numbers only
        fits = stored.dtype["id"] == np.dtype("S16") and stored.dtype["vector"].base == np.float32
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise BadInput(f"{path}: not a file of embeddings: {' '.join(str(error).split())[:200]}; delete it") from error
    if not fits:
        raise BadInput(f"{path}: not a file of embeddings: it holds {stored.dtype}; delete it")
    return stored


def embed(texts: Sequence[str], cache: Path, identity: str, open_encoder: Callable[[], Encode]) -> Vectors:
    """The vectors of texts, in their order, from `cache` if it has them.

    The encoder is opened only for texts that the cache lacks. Their vectors go into new files, which are named by their
    content and renamed when complete, so any number of processes may share a cache. As in all matrix products, the last bits
    of a vector (about 1e-7) depend on its batch.
    """
    keys = [content_id(identity, text) for text in texts]
    vector_of = _cached(cache, set(keys))
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in vector_of}
    start = time.perf_counter()
    if missing:
        encode = open_encoder()
        order = sorted(missing, key=lambda key: (len(missing[key]), key))  # similar lengths need little padding
        for first in range(0, len(order), CHUNK):
            chunk = order[first : first + CHUNK]
            vectors = encode([missing[key] for key in chunk])
            write_embeddings(cache / f"{content_id(*chunk)}.npy", chunk, vectors)
            vector_of |= dict(zip(chunk, vectors, strict=True))
    seconds = time.perf_counter() - start
    log.info(
        "%d texts: embedded %d distinct texts in %.1f s (%.0f a second); the cache had the others",
        len(texts), len(missing), seconds, len(missing) / max(seconds, 1e-9),
    )  # fmt: skip
    return np.stack([vector_of[key] for key in keys]) if keys else np.empty((0, 0), np.float32)


def _cached(cache: Path, wanted: set[str]) -> dict[str, Vectors]:
    vectors = {}
    for path in sorted(cache.glob("[!.]*.npy")):
        stored = _read(path)
        for n, key in enumerate(stored["id"].tolist()):
            if key.decode() in wanted:
                vectors[key.decode()] = stored["vector"][n]
    return vectors


def identity(folder: Path, settings: Embedding, model: ModelUse) -> str:
    """A hash of everything besides the text that decides a vector: weights, pooling, length, back end and number type."""
    return content_id(
        weights_identity(folder), settings.pooling, settings.max_length, settings.backend, model.model_dump_json()
    )


def open_encoder(folder: Path, settings: Embedding, model: ModelUse, threads: int) -> Encode:
    """The configured function from texts to unit vectors. Raises BadInput for a folder without a fitting model."""
    import torch

    check_folder(folder)
    torch.set_num_threads(threads)
    if settings.pooling == "last_token":
        return _last_token(folder, settings, model, threads)
    sentences = _sentence_transformer(folder, settings, model)
    if settings.backend == "openvino":
        return _openvino(sentences, settings.batch_size, threads)

    def encode(texts: Sequence[str]) -> Vectors:
        vectors = sentences.encode(
            list(texts), batch_size=settings.batch_size, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float32)

    return encode


def _sentence_transformer(folder: Path, settings: Embedding, model: ModelUse) -> Any:
    import torch
    from sentence_transformers import SentenceTransformer

    if not (folder / "modules.json").is_file():
        raise BadInput(
            f"{folder}: not a model of sentence-transformers, because it has no modules.json; name another model, or set "
            "embedding.pooling: last_token for a causal model"
        )
    on_gpu = torch.cuda.is_available() and settings.backend == "torch"
    loaded = SentenceTransformer(
        str(folder),
        device="cuda" if on_gpu else "cpu",
        local_files_only=True,
        model_kwargs={"dtype": model.dtype, "use_safetensors": True},
    )
    loaded.max_seq_length = min(settings.max_length, loaded.max_seq_length or settings.max_length)
    return loaded


def _openvino(sentences: Any, batch_size: int, threads: int) -> Encode:
    """The loaded model, exported here because the export of sentence-transformers needs an older version of transformers.

    The precision is set to f32, because OpenVINO by default uses bfloat16 on CPUs with it, at a cosine loss of 3e-5.
    """
    import openvino
    import torch

    names = ("input_ids", "attention_mask", "token_type_ids")

    def tokenized(texts: Sequence[str]) -> dict[str, torch.Tensor]:
        features = sentences.preprocess(list(texts))
        return {name: features[name] for name in names if name in features}

    class Whole(torch.nn.Module):
        """Tokens to sentence vectors: the transformer, the pooling and all other modules that the model's folder lists."""

        def __init__(self) -> None:
            super().__init__()
            self.sentences = sentences

        def forward(
            self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor | None = None
        ) -> torch.Tensor:
            given = zip(names, (input_ids, attention_mask, token_type_ids), strict=True)
            output = self.sentences({name: tokens for name, tokens in given if tokens is not None})
            return torch.nn.functional.normalize(output["sentence_embedding"], dim=-1)

    with torch.no_grad():
        exported = openvino.convert_model(Whole().eval(), example_input=tokenized(["one two", "three"]))
    compiled = openvino.Core().compile_model(
        exported,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_NUM_THREADS": threads,
        },
    )
    width = sentences.get_embedding_dimension()

    def encode(texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), width), np.float32)

        def keep(request: Any, rows: slice) -> None:
            vectors[rows] = request.get_output_tensor(0).data

        queue = openvino.AsyncInferQueue(compiled)
        queue.set_callback(keep)
        for first in range(0, len(texts), batch_size):
            rows = slice(first, min(first + batch_size, len(texts)))
            queue.start_async({name: t.numpy() for name, t in tokenized(texts[rows]).items()}, rows)
        queue.wait_all()
        return vectors

    return encode


def _last_token(folder: Path, settings: Embedding, model: ModelUse, threads: int) -> Encode:
    """The state of the last layer at the last token of the text with a newline, as in the published SemDeDup step.

    Padding comes after the end of a row, where a causal model does not see it, so it does not shift the positions of a text.
    """
    import torch

    from reversegen.models.loading import load_model, load_tokenizer

    tokenizer = load_tokenizer(folder, model)
    tokenizer.padding_side = "right"
    layers = load_model(folder, model, threads).eval().base_model

    def encode(texts: Sequence[str]) -> Vectors:
        parts = []
        for first in range(0, len(texts), settings.batch_size):
            batch = [text.strip() + "\n" for text in texts[first : first + settings.batch_size]]
            tokens = tokenizer(
                batch,
                padding=True,
                truncation=True,
                max_length=settings.max_length,
                return_tensors="pt",
                return_token_type_ids=False,
            ).to(layers.device)
            with torch.inference_mode():
                states = layers(**tokens, use_cache=False).last_hidden_state
            last = states[torch.arange(len(batch)), tokens["attention_mask"].sum(dim=1) - 1].float()
            parts.append(torch.nn.functional.normalize(last, dim=-1).cpu().numpy())
        return np.concatenate(parts)

    return encode
