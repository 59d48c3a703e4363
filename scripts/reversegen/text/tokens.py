"""Texts as numbers of their words. Each text is tokenised once, in the way of the paper's code.

The published Self-BLEU tokenises with `nltk.word_tokenize`: Punkt finds the sentences and a Treebank tokenizer their words.
The sentences only decide whether a period is a word of its own. NLTK's package contains no Punkt model; NLTK downloads one,
`punkt_tab`, which was trained on newspapers. Here Punkt is not trained and knows only ABBREVIATIONS. On public data, these
numbers of rows get different tokens than with `punkt_tab` (nltk 3.10.4): 39 of 8,792 questions of GSM8K (0.4 %; 223 without
the abbreviations), 5 of 6,277 published safety targets, and 6 of 1,700 ToxiChat titles. But 828 of 2,448 published
multiple-choice items differ, because the model guesses whether `A.` ends a sentence from the words that newspapers wrote in
lower case. Self-BLEU of 500 of those items is .3505 instead of .3561; for the other data it differs by at most .0002.

NLTK splits at spaces and at the punctuation of Latin scripts. In scripts without spaces a character is a token (`words.py`).

Modules that only the tokenisation needs are imported there: their import takes about as long as scoring 10,000 texts.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reversegen.core.files import write_bytes

ABBREVIATIONS = (
    "mr mrs ms dr prof st jr sr gen col maj lt rep sen messrs co corp inc ltd bros jan feb aug sep sept oct nov dec a.m p.m "
    "u.s u.s.a u.k u.n d.c n.y l.a ph.d ft yr v vs c d e f g h j k l m n p r s t w"
)
"""Words whose period does not end a sentence."""

CHUNK = 2000
"""Number of texts that one process tokenises at a time, in about half a second."""


@dataclass(frozen=True)
class Tokens:
    """The tokens of many texts; equal numbers are equal tokens, numbered from 0 in order of first appearance."""

    ids: npt.NDArray[np.int32]
    """The tokens of all texts, one text after another."""
    starts: npt.NDArray[np.int64]
    """The place where each text starts, and the end of the last text."""


def tokenise(texts: Sequence[str], processes: int) -> Tokens:
    """The tokens of each text. Equal texts are tokenised once; the number of processes changes only the time."""
    distinct = {text: n for n, text in enumerate(dict.fromkeys(texts))}
    chunks = [list(itertools.islice(distinct, start, start + CHUNK)) for start in range(0, len(distinct), CHUNK)]
    if processes == 1 or len(chunks) < 2:
        cut = list(map(_cut, chunks))
    else:
        import multiprocessing

        _word_tokenize()  # loaded once, before the processes are forked
        with multiprocessing.get_context("fork").Pool(min(processes, len(chunks))) as pool:
            cut = pool.map(_cut, chunks, chunksize=1)
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    parts = [np.array([numbers[word] for word in words], dtype=np.int32)[ids] for words, ids, _ in cut]
    flat = np.concatenate(parts, dtype=np.int32) if parts else np.zeros(0, dtype=np.int32)
    ends = np.cumsum([0, *(length for _, _, lengths in cut for length in lengths)])
    spans = [slice(ends[n], ends[n + 1]) for n in map(distinct.__getitem__, texts)]
    starts = np.cumsum([0, *(span.stop - span.start for span in spans)])
    return Tokens(np.concatenate([flat[span] for span in spans]) if spans else flat, starts)


def cached_tokens(texts: Sequence[str], folder: Path, processes: int) -> Tokens:
    """The tokens of each text, from the folder's file for exactly these texts, which is written if it is missing."""
    import importlib.metadata

    from reversegen.text.words import spaced_apart

    decides = [importlib.metadata.version("nltk"), ABBREVIATIONS, list(map(spaced_apart, texts))]
    path = folder / f"{hashlib.sha256(json.dumps(decides).encode()).hexdigest()}.npz"
    if not path.is_file():
        tokens = tokenise(texts, processes)
        content = io.BytesIO()
        np.savez(content, ids=tokens.ids, starts=tokens.starts)
        write_bytes(path, content.getvalue())
    return read_tokens(path)


def read_tokens(path: Path) -> Tokens:
    """The tokens of a file that `cached_tokens` wrote, read without running code. Raises OSError if it cannot be read."""
    with np.load(path, allow_pickle=False) as arrays:
        return Tokens(arrays["ids"], arrays["starts"])


def _cut(texts: list[str]) -> tuple[list[str], npt.NDArray[np.int32], list[int]]:
    """The distinct words of texts in order of first appearance, the texts as numbers of these words, and their lengths."""
    word_tokenize = _word_tokenize()
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    ids = [[numbers[word] for word in word_tokenize(text)] for text in texts]
    return list(numbers), np.array([i for several in ids for i in several], dtype=np.int32), list(map(len, ids))


@cache
def _word_tokenize() -> Callable[[str], list[str]]:
    """NLTK's word_tokenize, except for the model of Punkt and for scripts without spaces.

    `import nltk` also loads scipy and scikit-learn if they are installed, which takes ten times as long as the tokenizers. So
    the tokenizers are imported from a package whose `__init__` does not run. That package is then removed from `sys.modules`,
    so that a later `import nltk` loads all of NLTK.
    """
    import importlib.util

    before = set(sys.modules)
    if "nltk" not in before:
        package = importlib.util.find_spec("nltk")
        assert package is not None
        sys.modules["nltk"] = importlib.util.module_from_spec(package)
    from nltk.tokenize.destructive import NLTKWordTokenizer
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    from reversegen.text.words import spaced_apart

    if "nltk" not in before:
        for name in sys.modules.keys() - before:
            if name.split(".")[0] == "nltk":
                del sys.modules[name]
    model = PunktParameters()
    model.abbrev_types = set(ABBREVIATIONS.split())
    sentences, words = PunktSentenceTokenizer(model), NLTKWordTokenizer()
    return lambda text: [
        word for sentence in sentences.tokenize(spaced_apart(text)) for word in words.tokenize(sentence)
    ]
