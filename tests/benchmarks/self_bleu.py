"""Self-BLEU beside fast-bleu, NLTK and itself at other sizes. Tokenising takes longer and is timed separately."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from tests.benchmarks.corpora import made_corpus, real_corpora, written_corpora
from tests.benchmarks.timing import exponents, interleaved, ratio_row, seconds, value_row

from reversegen.text.self_bleu import ORDERS, bleu_against_others, self_bleu
from reversegen.text.tokens import Tokens, cached_tokens, tokenise

OURS = """
import json, resource, sys, time
from pathlib import Path
sys.path.insert(0, "scripts")
from reversegen.text.self_bleu import self_bleu
from reversegen.text.tokens import read_tokens
tokens = read_tokens(Path(sys.argv[1]))
start = time.perf_counter()
score = self_bleu(tokens)
taken = time.perf_counter() - start
print(json.dumps([score, taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]))
"""
THEIRS = """
import json, resource, sys, time
import numpy as np
from fast_bleu import SelfBLEU
arrays = np.load(sys.argv[1])
ids, starts = list(map(str, arrays["ids"].tolist())), arrays["starts"].tolist()
texts = [ids[a:b] for a, b in zip(starts, starts[1:])]
start = time.perf_counter()
scores = SelfBLEU(texts, {n: (1 / n,) * n for n in (2, 3, 4, 5)}).get_score()
taken = time.perf_counter() - start
score = float(np.mean([np.mean(of) for of in scores.values()]))
print(json.dumps([score, taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]))
"""
SIZES = (10_000, 50_000, 200_000)


def measure() -> list[dict[str, Any]]:
    """First a check of equal values, then time and memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = {size: _words(made_corpus(size).texts, folder / f"{size}.npz") for size in SIZES}
        return [
            _beside_fast_bleu(files[SIZES[0]]),
            _beside_nltk(),
            *_growth(files),
            *_tokenising(folder),
        ]


def _words(texts: list[str], path: Path) -> Path:
    """A file of the words between spaces: made texts have no other tokens."""
    known: dict[str, int] = {}
    ids = [[known.setdefault(word, len(known)) for word in text.split()] for text in texts]
    np.savez(path, ids=np.array([i for of in ids for i in of], np.int32), starts=np.cumsum([0, *map(len, ids)]))
    return path


def _process(program: str, path: Path) -> tuple[float, float, float]:
    """Score, seconds of scoring and largest memory in bytes of a separate process, started as Snakemake starts a job."""
    one_thread = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=os.environ | one_thread)
    score, taken, memory = json.loads(done.stdout)
    return score, taken, memory


def _beside_fast_bleu(path: Path) -> dict[str, Any]:
    ours, theirs = _process(OURS, path)[0], _process(THEIRS, path)[0]
    if abs(ours - theirs) > 1e-7:  # fast-bleu's weights are single precision
        sys.exit(f"Self-BLEU is {ours}, fast-bleu's {theirs}")
    taken = interleaved({"ours": lambda: _process(OURS, path), "theirs": lambda: _process(THEIRS, path)}, 3)
    size = f"{SIZES[0]:,} texts, whole process"
    return ratio_row("Self-BLEU", "fast-bleu 0.0.90", size, taken["ours"], taken["theirs"], 1 / 50)


def _beside_nltk() -> dict[str, Any]:
    tokens = tokenise(made_corpus(400).texts, processes=1)
    texts = [part.tolist() for part in np.split(tokens.ids, tokens.starts[1:-1])]
    smooth = SmoothingFunction().method1

    def theirs() -> list[list[float]]:
        others = [texts[:i] + texts[i + 1 :] for i in range(len(texts))]
        return [[sentence_bleu(o, t, (1 / n,) * n, smooth) for n in ORDERS] for o, t in zip(others, texts, strict=True)]

    worst = float(np.abs(bleu_against_others(tokens) - np.array(theirs())).max())
    if worst > 1e-12:
        sys.exit(f"Self-BLEU of a text differs from NLTK's by {worst}")
    taken = interleaved({"ours": lambda: self_bleu(tokens), "theirs": theirs}, 3)
    return ratio_row(
        "Self-BLEU", "NLTK sentence_bleu", "400 texts, in process", taken["ours"], taken["theirs"], 1 / 500
    )


def _growth(files: dict[int, Path]) -> list[dict[str, Any]]:
    """Time of scoring 200,000 texts over 50,000, in separate processes that take turns, and memory."""
    taken: dict[int, list[float]] = {size: [] for size in files}
    memory = 0.0
    for _ in range(3):
        for size, path in files.items():
            _, seconds_of, bytes_of = _process(OURS, path)
            taken[size].append(seconds_of)
            memory = max(memory, bytes_of)
    small, middle, large = SIZES
    rows = [
        ratio_row("Self-BLEU, scoring", "itself at 50,000", "200,000 texts", taken[large], taken[middle], 6.9),
        value_row("Self-BLEU, memory", "1.5 GB", "200,000 texts", [memory / 1.5e9], 1.0),
    ]
    for few, many in ((small, middle), (middle, large)):
        powers = exponents(few, taken[few], many, taken[many])
        rows.append(value_row("Self-BLEU, growth", "exponent", f"{few:,} to {many:,} texts", powers, 1.4))
    return rows


def _tokenising(folder: Path) -> list[dict[str, Any]]:
    """Texts of people or models: time of tokens from the cache over tokenising, beside the time of scoring."""
    rows = []
    for corpus in [*real_corpora(), *written_corpora()]:
        cache = folder / corpus.name

        def tokens(texts: list[str] = corpus.texts, cache: Path = cache) -> Tokens:
            return cached_tokens(texts, cache, processes=2)

        cut = seconds(tokens)
        read = [seconds(tokens) for _ in range(3)]
        found = tokens()
        scored = seconds(partial(self_bleu, found))
        print(f"{corpus.name}: Self-BLEU {self_bleu(found):.4f}; tokenised in {cut:.2f} s, scored in {scored:.3f} s")
        size = f"{len(corpus.texts):,} texts, {corpus.name}"
        rows.append(ratio_row("tokens from the cache", "tokenising", size, read, [cut] * len(read), 1 / 10))
    return rows
