"""Vectors of a real MiniLM by both back ends, of a causal model's last token, and the files that keep them."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import AutoModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from reversegen.config.models import ModelUse
from reversegen.config.task import Embedding
from reversegen.core.errors import BadInput
from reversegen.text.embeddings import Vectors, embed, identity, open_encoder, read_embeddings, write_embeddings

TEXTS = ["How many pens are in 3 boxes of 4?", "What is 7 times 8?", "Name a river.", "naïve 数学 🙂", "a", "of " * 400]
USE = ModelUse(dtype="float32")


def settings(**changes: object) -> Embedding:
    given = {"model": "m", "pooling": "sentence", "backend": "torch", "max_length": 256, "batch_size": 4, "eps": 0.05}
    return Embedding.model_validate(given | changes)


def with_transformers(minilm: Path, texts: Sequence[str]) -> Vectors:
    """MiniLM by hand: the mean of the last layer over the tokens of each text alone, as in its model card."""
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(minilm / "tokenizer.json"))
    model = AutoModel.from_pretrained(minilm).eval()
    rows = []
    for text in texts:
        ids = tokenizer(text, truncation=True, max_length=256)["input_ids"]
        with torch.no_grad():
            mean = model(torch.tensor([ids])).last_hidden_state[0].double().mean(dim=0)
        rows.append((mean / mean.norm()).numpy())
    return np.array(rows)


@pytest.fixture(scope="module")
def by_hand(minilm: Path) -> Vectors:
    return with_transformers(minilm, TEXTS)


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_both_back_ends_embed_sentences_as_in_the_model_card(backend: str, minilm: Path, by_hand: Vectors) -> None:
    vectors = open_encoder(minilm, settings(backend=backend), USE, 1)(TEXTS)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert 1 - (vectors.astype(np.float64) * by_hand).sum(axis=1) == pytest.approx(0, abs=1e-6)


def test_longer_texts_are_truncated_at_the_configured_length(minilm: Path) -> None:
    cut = open_encoder(minilm, settings(max_length=6), USE, 1)
    same, other = cut(["one two three four five", "one two three four nine"]), cut(["one two three nine"])
    assert same[0] == pytest.approx(same[1], abs=1e-6)
    assert abs(same[0] - other[0]).max() > 1e-3


@pytest.fixture(scope="module")
def causal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("causal")
    tokenizer = Tokenizer(
        WordLevel({word: n for n, word in enumerate(["?", "a", "b", "c", "d", "e", "f"])}, unk_token="?")
    )
    tokenizer.pre_tokenizer = WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="?", pad_token="?").save_pretrained(folder)
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    LlamaForCausalLM(LlamaConfig(vocab_size=7, **shape)).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("size", [0, 5, 100, -8])
def test_truncated_weights_are_named(causal: Path, tmp_path: Path, size: int) -> None:
    folder = shutil.copytree(causal, tmp_path / "cut")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:size])
    with pytest.raises(BadInput, match=rf"^{weights}: the weights cannot be read .*; copy it here again"):
        open_encoder(folder, settings(pooling="last_token"), USE, 1)


def test_a_causal_models_last_token_does_not_depend_on_its_batch(causal: Path) -> None:
    texts = ["a b c d", "a", "  b b ", "f e d c b a"]
    encode = open_encoder(causal, settings(pooling="last_token"), USE, 1)
    together, alone = encode(texts), np.concatenate([encode([text]) for text in texts])
    assert together == pytest.approx(alone, abs=1e-6)
    model = LlamaForCausalLM.from_pretrained(causal).eval()
    with torch.no_grad():
        last = model(torch.tensor([[1, 2, 3, 4]]), output_hidden_states=True).hidden_states[-1][0, -1]
    assert together[0] == pytest.approx((last / last.norm()).numpy(), abs=1e-6)


def test_a_folder_that_has_no_sentence_model_is_refused(causal: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no modules"):
        open_encoder(causal, settings(), USE, 1)
    with pytest.raises(BadInput, match="not a model folder"):
        open_encoder(tmp_path, settings(), USE, 1)


def lengths(texts: Sequence[str]) -> Vectors:
    return np.array([[len(text), len(set(text)), 1] for text in texts], dtype=np.float32)


class Counting:
    """An encoder that records the texts it gets."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def open(self) -> Counting:
        return self

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return lengths(texts)


def test_no_text_is_embedded_twice_and_rows_keep_their_order(tmp_path: Path) -> None:
    encoder = Counting()
    texts = ["bb", "a", "bb", "a longer one"]
    assert np.array_equal(embed(texts, tmp_path, "m", encoder.open), lengths(texts))
    assert sorted(encoder.asked) == ["a", "a longer one", "bb"]
    more_texts = ["new", *texts, "a"]
    assert np.array_equal(embed(more_texts, tmp_path, "m", encoder.open), lengths(more_texts))
    assert encoder.asked[3:] == ["new"]
    embed(["a"], tmp_path, "another model", encoder.open)
    assert encoder.asked[4:] == ["a"]
    assert np.array_equal(embed(more_texts, tmp_path, "m", pytest.fail), lengths(more_texts))  # no encoder is opened
    assert embed([], tmp_path, "m", pytest.fail).shape == (0, 0)


def embed_some(cache: Path, first: int) -> None:
    texts = [f"text {n}" for n in range(first, first + 60)]
    assert np.array_equal(embed(texts, cache, "m", lambda: lengths), lengths(texts))


def test_processes_share_a_cache(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=embed_some, args=(tmp_path, 20 * n)) for n in range(6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 6
    texts = [f"text {n}" for n in range(160)]
    assert np.array_equal(embed(texts, tmp_path, "m", pytest.fail), lengths(texts))
    assert all(path.suffix == ".npy" and not path.name.startswith(".") for path in tmp_path.iterdir())


def test_all_settings_that_decide_a_vector_decide_its_identity_but_eps_does_not(causal: Path, tmp_path: Path) -> None:
    variants = [settings(), settings(backend="openvino"), settings(pooling="last_token"), settings(max_length=9)]
    names = {identity(causal, s, USE) for s in variants} | {identity(causal, variants[0], ModelUse(dtype="bfloat16"))}
    assert len(names) == 5
    assert identity(causal, settings(eps=0.5, batch_size=1), USE) == identity(causal, settings(), USE)
    (tmp_path / "model.safetensors").write_bytes(b"others")
    assert identity(tmp_path, settings(), USE) != identity(causal, settings(), USE)


def test_embeddings_are_read_by_id_from_several_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one.npy", tmp_path / "two.npy"
    ids = [f"{n:016x}" for n in range(3)]
    write_embeddings(one, ids[:2], lengths(["a", "bcd"]))
    write_embeddings(two, ids[1:], lengths(["another", "ef"]))
    embeddings = read_embeddings([one, two])
    assert np.array_equal(embeddings.vectors_of([ids[2], ids[1], ids[1]]), lengths(["ef", "bcd", "bcd"]))
    assert ids[0] in embeddings
    with pytest.raises(BadInput, match="no embedding of ffff"):
        embeddings.vectors_of(["ffff"])
    assert read_embeddings([]).vectors_of([]).shape[0] == 0


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00", b"PK\x03\x04 a zip"])
def test_a_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(BadInput, match=r"x\.npy: not a file of embeddings: .*delete it"):
        read_embeddings([tmp_path / "x.npy"])


def test_a_file_of_pickles_or_of_other_numbers_is_refused(tmp_path: Path) -> None:
    for array in (np.array([{"a": 1}], dtype=object), np.zeros(3)):
        np.save(tmp_path / "x.npy", array, allow_pickle=True)
        with pytest.raises(BadInput, match=r"x\.npy: not a file of embeddings"):
            read_embeddings([tmp_path / "x.npy"])
    write_embeddings(tmp_path / "x.npy", ["a"], np.ones((1, 2), np.float32))
    write_embeddings(tmp_path / "y.npy", ["b"], np.ones((1, 3), np.float32))
    with pytest.raises(BadInput, match=r"y\.npy: its vectors have 3 dimensions, not 2"):
        read_embeddings([tmp_path / "x.npy", tmp_path / "y.npy"])
