"""Tokens are those of nltk.word_tokenize except for the Punkt model, do not depend on processes, and are made once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.benchmarks.corpora import made_corpus

from reversegen.text import tokens as module
from reversegen.text.tokens import Tokens, cached_tokens, read_tokens, tokenise


def spelt(texts: list[str]) -> list[list[str]]:
    """The tokens of each text as words. Each number stands for the word that NLTK's tokenizers find at its first place."""
    tokens = tokenise(texts, processes=1)
    words = [word for text in texts for word in module._word_tokenize()(text)]
    spelling = {n: words[int(np.flatnonzero(tokens.ids == n)[0])] for n in set(tokens.ids.tolist())}
    return [[spelling[n] for n in part.tolist()] for part in np.split(tokens.ids, tokens.starts[1:-1])]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What is 2 + 2 ?", ["What", "is", "2", "+", "2", "?"]),
        ("Tom can't pay $3.50.", ["Tom", "ca", "n't", "pay", "$", "3.50", "."]),
        ("It is cold. Is it?", ["It", "is", "cold", ".", "Is", "it", "?"]),  # a period ends each sentence
        ("Mr. Lee met Dr. Poe at 3 p.m. today.", ["Mr.", "Lee", "met", "Dr.", "Poe", "at", "3", "p.m.", "today", "."]),
        ('He said "no".', ["He", "said", "``", "no", "''", "."]),
        ("", []),
    ],
)
def test_texts_are_tokenised_like_word_tokenize(text: str, words: list[str]) -> None:
    assert spelt([text, "no more"])[0] == words


def test_tokens_within_a_sentence_are_those_of_nltk() -> None:
    from nltk.tokenize import word_tokenize

    texts = [f"{text.capitalize()}{end}" for text in made_corpus(60).texts for end in ("?", " !", "; isn't it", ".")]
    assert spelt(texts) == [word_tokenize(text, preserve_line=True) for text in texts]


def check_equal(one: Tokens, other: Tokens) -> None:
    for a, b in ((one.ids, other.ids), (one.starts, other.starts)):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def test_neither_processes_nor_chunks_nor_repeats_change_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = made_corpus(300).texts
    texts = ["", *texts, *texts[5:50], ""]
    whole = tokenise(texts, processes=1)
    monkeypatch.setattr(module, "CHUNK", 64)
    check_equal(tokenise(texts, processes=1), whole)
    check_equal(tokenise(texts, processes=2), whole)
    assert (whole.ids[:3].tolist(), whole.starts[:2].tolist()) == ([0, 1, 2], [0, 0])
    assert whole.starts[-1] == len(whole.ids)


def test_empty_texts_have_no_tokens() -> None:
    assert tokenise([], processes=2).starts.tolist() == [0]
    assert tokenise(["", ""], processes=2).starts.tolist() == [0, 0, 0]


def test_texts_are_tokenised_once_and_other_texts_separately(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = made_corpus(50).texts
    first = cached_tokens(texts, tmp_path, processes=1)
    (path,) = tmp_path.iterdir()
    check_equal(read_tokens(path), first)
    cuts: list[int] = []
    cut = module._cut
    monkeypatch.setattr(module, "_cut", lambda chunk: cuts.append(len(chunk)) or cut(chunk))
    check_equal(cached_tokens(texts, tmp_path, processes=1), first)
    assert cuts == []
    cached_tokens(texts[::-1], tmp_path, processes=1)
    assert cuts == [50]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_cache_that_would_run_code_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "evil.npz", ids=np.array([print], dtype=object), starts=np.array([0, 1]))
    with pytest.raises(ValueError, match="allow_pickle"):
        read_tokens(tmp_path / "evil.npz")


@pytest.mark.slow
def test_the_tokenizers_do_not_load_nltk_and_a_later_import_of_nltk_is_complete() -> None:
    program = """
import sys
from reversegen.text.tokens import tokenise
assert "nltk" not in sys.modules
tokens = tokenise(["It is. Is it?"], processes=1)
assert tokens.ids.tolist() == [0, 1, 2, 3, 4, 5], tokens  # It is . Is it ?
assert not {"scipy", "sklearn", "nltk"} & sys.modules.keys()
import nltk
assert nltk.tokenize.NLTKWordTokenizer().tokenize("It is.") == ["It", "is", "."]
assert nltk.translate.bleu_score.sentence_bleu([["a"]], ["a"], (1,)) == 1
assert tokenise(["It is. Is it?"], processes=1).ids.tolist() == [0, 1, 2, 3, 4, 5]
"""
    environment = {"PYTHONPATH": str(Path(__file__).parents[2] / "scripts")}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
