"""A batch that reads each prompt once and drops the sequences that have ended writes the tokens of transformers' own batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.drawing import STOPS, drawn_tokens, limited, of_transformers
from tests.support.models import TEXTS, build_model, short, write_folder
from transformers import (
    AutoModelForCausalLM,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    MptConfig,
    MptForCausalLM,
)

from reversegen.config.models import ModelUse
from reversegen.engines import shrinking
from reversegen.engines.base import Decoding, Request
from reversegen.engines.transformers import TransformersEngine
from reversegen.training.pretraining import build_tokenizer

USE = ModelUse(dtype="float32")
MANY = [*TEXTS, "20", "tom has 20 pens"]
"""Prompts of 1 to 15 tokens."""


@pytest.fixture(autouse=True)
def every_model_shrinks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shrinking, "SMALLEST", 0)
    monkeypatch.setattr(shrinking, "STEPS", 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose texts end after four tokens on average."""
    model = build_model()
    model.generation_config.eos_token_id = STOPS
    return write_folder(tmp_path_factory.mktemp("models") / "random", model)


def passes(engine: TransformersEngine) -> list[tuple[int, int]]:
    """The numbers of rows and of tokens of each forward pass, from now on."""
    seen: list[tuple[int, int]] = []
    engine._loaded.register_forward_pre_hook(
        lambda module, positional, arguments: seen.append(tuple(arguments["input_ids"].shape)), with_kwargs=True
    )
    return seen


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.7, 1.0), (1.3, 0.85)])
@pytest.mark.parametrize("n", [1, 3])
def test_samples_are_those_of_transformers(folder: Path, temperature: float, top_p: float, n: int) -> None:
    engine = TransformersEngine(folder, USE, Decoding(9, temperature, top_p), 1)
    limits = {"max_new_tokens": 9, "temperature": temperature, "top_p": top_p}
    for seed in range(10):
        assert drawn_tokens(engine, MANY, n, seed) == of_transformers(engine, MANY, n, seed, **limits)


def test_greedy_answers_are_those_of_a_batch_that_keeps_every_sequence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrinks = TransformersEngine(folder, USE, Decoding(12), 1)
    requests = [Request(text=text) for text in MANY]
    answers = shrinks.generate(requests, 1, 0)
    monkeypatch.setattr(shrinking, "SMALLEST", 10**9)
    assert TransformersEngine(folder, USE, Decoding(12), 1).generate(requests, 1, 0) == answers
    assert len({one.tokens for several in answers for one in several}) > 1


def test_each_prompt_is_read_once_and_ended_sequences_are_dropped(folder: Path) -> None:
    engine = TransformersEngine(folder, USE, Decoding(9, 1.0), 1)
    seen = passes(engine)
    drawn = engine.generate([Request(text=text) for text in MANY], 4, 3)
    longest = max(len(build_tokenizer("arithmetic")(text)["input_ids"]) for text in MANY)
    assert seen[0] == (len(MANY), longest - 1)  # not 4 times
    assert {tokens for _, tokens in seen[1:]} == {1}
    rows = [count for count, _ in seen[1:]]
    assert rows == sorted(rows, reverse=True)
    assert rows[0] == 4 * len(MANY)
    lengths = [one.tokens for several in drawn for one in several]
    assert rows[2] == sum(length > 2 for length in lengths)
    assert rows[4] == sum(length > 4 for length in lengths)


@pytest.mark.parametrize(("most", "cached"), [(1, 0), (3, 0), (7, 9)])
def test_parts_that_fit_the_memory_draw_what_the_whole_batch_draws(
    folder: Path, tmp_path: Path, most: int, cached: int
) -> None:
    hasty = AutoModelForCausalLM.from_pretrained(folder)
    place = short(tmp_path / "model", hasty, 18)
    whole, parts = (TransformersEngine(place, USE, Decoding(9, 1.2, 0.95), 1) for _ in range(2))
    tried = limited(parts._loaded, most, cached)
    requests = [Request(text=text) for text in [*MANY, "20 + 3 " * 4, "20 + 3 " * 5]]
    for seed in range(4):
        assert parts.generate(requests, 3, seed) == whole.generate(requests, 3, seed)
    assert max(tried) > most


BEGINNING = "tom has 20 pens and gets 3 more . how many now ? "
ALIKE = [BEGINNING + text for text in ("20", "20 + 3", "what is 20 plus 3 plus 4 ?", "4")]


@pytest.mark.parametrize("n", [1, 3])
def test_what_all_prompts_begin_with_is_read_once(folder: Path, n: int) -> None:
    engine = TransformersEngine(folder, USE, Decoding(9, 0.9, 0.9), 1)
    seen = passes(engine)
    limits = {"max_new_tokens": 9, "temperature": 0.9, "top_p": 0.9}
    beginning = len(build_tokenizer("arithmetic")(BEGINNING)["input_ids"])
    for seed in range(10):
        seen.clear()
        drawn = drawn_tokens(engine, ALIKE, n, seed)
        assert seen[:2] == [(1, beginning), (len(ALIKE), 7)]  # the longest rest has 8 tokens
        assert drawn == of_transformers(engine, ALIKE, n, seed, **limits)


def test_a_prompt_that_is_the_beginning_of_all_others_keeps_its_last_token(folder: Path) -> None:
    engine = TransformersEngine(folder, USE, Decoding(9, 1.0), 1)
    texts = [BEGINNING, *ALIKE]
    for seed in range(5):
        theirs = of_transformers(engine, texts, 2, seed, max_new_tokens=9, temperature=1.0)
        assert drawn_tokens(engine, texts, 2, seed) == theirs


def test_a_model_with_a_sliding_window_draws_what_transformers_samples(tmp_path: Path) -> None:
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = MistralConfig(
        vocab_size=len(build_tokenizer("arithmetic")),
        num_key_value_heads=1,
        sliding_window=6,
        initializer_range=0.6,
        pad_token_id=0,
        eos_token_id=STOPS,
        bos_token_id=None,
        **sizes,
    )
    folder = write_folder(tmp_path / "sliding", MistralForCausalLM(config).eval())  # type: ignore[arg-type]
    engine = TransformersEngine(folder, USE, Decoding(9, 1.0), 1)
    assert shrinking.can_shrink(engine._loaded)
    for seed in range(5):
        theirs = of_transformers(engine, MANY, 3, seed, max_new_tokens=9, temperature=1.0)
        assert drawn_tokens(engine, MANY, 3, seed) == theirs


def test_a_model_that_takes_no_positions_keeps_transformers_own_batch(tmp_path: Path) -> None:
    """Padding between a shared beginning and the rest of a prompt would move the biases of ALiBi."""
    torch.manual_seed(0)
    vocabulary = len(build_tokenizer("arithmetic"))
    model = MptForCausalLM(
        MptConfig(d_model=32, n_heads=4, n_layers=2, vocab_size=vocabulary, eos_token_id=STOPS, initializer_range=0.6)
    )
    folder = write_folder(tmp_path / "mpt", model.eval())  # type: ignore[arg-type]
    use = ModelUse(dtype="float32", attn_implementation="eager")
    engine = TransformersEngine(folder, use, Decoding(9, 0.5), 1)
    for seed in range(20):
        theirs = of_transformers(engine, ALIKE, 4, seed, max_new_tokens=9, temperature=0.5)
        assert drawn_tokens(engine, ALIKE, 4, seed) == theirs


def test_a_model_that_is_small_or_keeps_another_state_does_not_shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = LlamaForCausalLM(build_model().config)
    assert shrinking.can_shrink(model)
    model.config.layer_types = ["linear_attention", "full_attention"]
    assert not shrinking.can_shrink(model)
    monkeypatch.setattr(shrinking, "SMALLEST", 10_000_000)
    assert not shrinking.can_shrink(build_model())
