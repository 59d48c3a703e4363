"""Texts as numbers of their words, split into words once, as the paper's code splits them.

The published Self-BLEU cuts texts by `nltk.word_tokenize`: Punkt finds the sentences, a Treebank tokenizer their words; what
sentences decide is whether a period is a word of its own. NLTK's package has no model of Punkt, and NLTK downloads one,
`punkt_tab`, that was trained on newspapers. Here Punkt knows ABBREVIATIONS and is not trained. Of the rows of public data,
so many get other tokens than from `punkt_tab` (nltk 3.10.4): 39 of 8,792 questions of GSM8K (0.4 %; 223 without the
abbreviations), 5 of 6,277 published safety targets, 6 of 1,700 ToxiChat titles; but 828 of 2,448 published
multiple-choice items, since the model guesses from words that newspapers wrote in lower case whether `A.` ends a sentence.
Self-BLEU of 500 of those items is .3505 instead of .3561; of the others it differs by at most .0002.

NLTK cuts at spaces and at the punctuation of Latin scripts. In scripts without spaces a character is a token (`words.py`).

What only cutting needs is imported there: scoring 10,000 texts takes about as long as its imports.
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
"""Words whose period ends no sentence."""

CHUNK = 2000
"""Texts that one process cuts at a time, about half a second."""


@dataclass(frozen=True)
class Tokens:
    """The tokens of many texts; equal numbers are equal tokens, numbered from 0 in order of first appearance."""

    ids: npt.NDArray[np.int32]
    """Of all texts, one after the other."""
    starts: npt.NDArray[np.int64]
    """Where each text starts, and the end of the last."""


def tokenise(texts: Sequence[str], processes: int) -> Tokens:
    """The tokens of each text, an equal text cut once; the number of processes changes nothing but the time."""
    distinct = {text: n for n, text in enumerate(dict.fromkeys(texts))}
    chunks = [list(itertools.islice(distinct, start, start + CHUNK)) for start in range(0, len(distinct), CHUNK)]
    if processes == 1 or len(chunks) < 2:
        cut = list(map(_cut, chunks))
    else:
        import multiprocessing

        _word_tokenize()  # loaded once, before the processes are forked
        with multiprocessing.get_context("fork").Pool(min(processes, len(chunks))) as pool:
            cut = pool.map(_cut, chunks, chunksize=1)
    known: defaultdict[str, int] = defaultdict()
    known.default_factory = known.__len__
    parts = [np.array([known[word] for word in words], dtype=np.int32)[ids] for words, ids, _ in cut]
    flat = np.concatenate(parts, dtype=np.int32) if parts else np.zeros(0, dtype=np.int32)
    ends = np.cumsum([0, *(length for _, _, lengths in cut for length in lengths)])
    spans = [slice(ends[n], ends[n + 1]) for n in map(distinct.__getitem__, texts)]
    starts = np.cumsum([0, *(span.stop - span.start for span in spans)])
    return Tokens(np.concatenate([flat[span] for span in spans]) if spans else flat, starts)


def cached_tokens(texts: Sequence[str], folder: Path, processes: int) -> Tokens:
    """The tokens of each text, from the folder's file for these texts where there is one, which is else written."""
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
    """The tokens of a file that `cached_tokens` wrote; nothing in it is run. Raises OSError if it cannot be read."""
    with np.load(path, allow_pickle=False) as arrays:
        return Tokens(arrays["ids"], arrays["starts"])


def _cut(texts: list[str]) -> tuple[list[str], npt.NDArray[np.int32], list[int]]:
    """The words of some texts in order of first appearance, numbers of those for all texts, and the length of each."""
    word_tokenize = _word_tokenize()
    known: defaultdict[str, int] = defaultdict()
    known.default_factory = known.__len__
    ids = [[known[word] for word in word_tokenize(text)] for text in texts]
    return list(known), np.array([i for several in ids for i in several], dtype=np.int32), list(map(len, ids))


@cache
def _word_tokenize() -> Callable[[str], list[str]]:
    """NLTK's word_tokenize but for the model of Punkt and for scripts without spaces.

    `import nltk` loads scipy and scikit-learn where they are installed and takes ten times as long as the tokenizers. So they
    are loaded as members of a package whose own code is not run, which is then forgotten: a later `import nltk` is a whole one.
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
