"""Running out of memory changes how many sequences run at once, but nothing that is drawn, chosen or judged."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.classifiers import ANSWERS, write_classifier
from tests.support.drawing import STOPS, drawn_tokens, limited, of_transformers
from tests.support.models import TEXTS, build_model, short, write_folder
from transformers import LlamaForCausalLM

from reversegen.config.models import ModelUse
from reversegen.core.errors import BadInput
from reversegen.core.records import Message
from reversegen.engines.base import Decoding, Generated, Request
from reversegen.engines.halving import HalvedBatches
from reversegen.engines.transformers import TransformersEngine
from reversegen.judges import JUDGES
from reversegen.judges.judge import Classifier, GenerativeJudge

USE = ModelUse(dtype="float32")
MANY = [f"{text} {number}" for number in range(4) for text in TEXTS]
"""Twelve prompts of different lengths."""


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    return build_model()


@pytest.fixture(scope="module")
def hasty() -> LlamaForCausalLM:
    model = build_model()
    model.generation_config.eos_token_id = STOPS
    return model


@pytest.fixture(scope="module")
def folder(model: LlamaForCausalLM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("models") / "random", model)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.7, 1.0), (1.0, 0.9), (1.3, 0.85)])
def test_a_whole_batch_draws_exactly_what_transformers_samples(
    hasty: LlamaForCausalLM, tmp_path: Path, dtype: Any, temperature: float, top_p: float
) -> None:
    folder = write_folder(tmp_path / "model", hasty)
    engine = TransformersEngine(folder, ModelUse(dtype=dtype), Decoding(9, temperature, top_p), 1)
    ends = set[int]()
    for seed in range(20):
        for n in (1, 3):
            limits = {"max_new_tokens": 9, "temperature": temperature, "top_p": top_p}
            tokens = drawn_tokens(engine, TEXTS, n, seed)
            assert tokens == of_transformers(engine, TEXTS, n, seed, **limits)
            ends |= {len(tokens[0])}
    assert len(ends) > 2  # many batches end before the limit


@pytest.mark.parametrize(("most", "cached"), [(1, 0), (2, 0), (5, 0), (9, 0), (7, 9), (1, 9), (20, 10)])
def test_a_batch_in_parts_draws_what_the_whole_one_draws(
    hasty: LlamaForCausalLM, tmp_path: Path, most: int, cached: int
) -> None:
    """Prompts form three groups with different room: each group starts from the noise where the group before it ended."""
    place = short(tmp_path / "model", hasty, 18)
    texts = [*MANY, "20 + 3 " * 4, "20 + 3 " * 5]  # 12 and 15 tokens: less room than the limit
    requests = [Request(text=text) for text in texts]
    decoding = Decoding(9, 1.2, 0.95)
    whole, parts = (TransformersEngine(place, USE, decoding, 1) for _ in range(2))
    tried = limited(parts._loaded, most, cached)
    lengths = set[int]()
    for seed in range(5):
        expected = whole.generate(requests, 3, seed)
        assert parts.generate(requests, 3, seed) == expected
        lengths |= {one.tokens for several in expected for one in several}
    assert max(tried) > most  # the whole batch was refused
    assert len(lengths) > 4
    assert [len({one.text for one in several}) for several in expected].count(1) < 5  # samples of a prompt differ


def test_greedy_text_is_the_same_in_parts(folder: Path) -> None:
    requests = [Request(text=text) for text in MANY]
    whole, parts = (TransformersEngine(folder, USE, Decoding(12), 1) for _ in range(2))
    limited(parts._loaded, 5)
    assert parts.generate(requests, 1, 0) == whole.generate(requests, 1, 0)


def test_a_smaller_size_is_kept_and_logged_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    engine = TransformersEngine(folder, USE, Decoding(1), 1)
    tried = limited(engine._loaded, 4)
    with caplog.at_level(logging.WARNING):
        engine.generate([Request(text=text) for text in MANY], 1, 0)
        assert tried == [12, 6, 3, 3, 3, 3]
        engine.generate([Request(text=text) for text in MANY[:7]], 1, 0)
    assert tried[6:] == [3, 3, 1]
    lines = [record.getMessage() for record in caplog.records]
    assert [line.partition(": ")[2].partition(";")[0] for line in lines] == [
        "out of memory with 12 sequences: at most 6 run at once from here on",
        "out of memory with 6 sequences: at most 3 run at once from here on",
    ]


def test_one_sequence_that_does_not_fit_ends_the_job_with_one_line(folder: Path) -> None:
    for use in (
        lambda engine: engine.generate([Request(text=text) for text in TEXTS], 2, 0),
        lambda engine: engine.choose([chat(text) for text in TEXTS], [["23", "24"]] * 3),
    ):
        engine = TransformersEngine(folder, USE, Decoding(4, 1.0), 1)
        limited(engine._loaded, 0)
        with pytest.raises(
            BadInput, match=r"random: out of memory with one sequence \(CUDA .*\); lower max_new_tokens"
        ) as end:
            use(engine)
        assert "\n" not in str(end.value)
        assert "a GPU with more memory" in str(end.value)


def test_weights_that_do_not_fit_end_the_job_with_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(module: Any, *where: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 1 GiB")

    monkeypatch.setattr(LlamaForCausalLM, "to", full)
    with pytest.raises(BadInput, match=r"random: its weights do not fit the GPU \(CUDA out of memory\. Tried"):
        TransformersEngine(folder, USE, Decoding(4), 1).generate([Request(text=TEXTS[0])], 1, 0)


def test_another_kind_of_error_halves_nothing(tmp_path: Path) -> None:
    sizes = []

    def work(part: slice) -> None:
        sizes.append(part)
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    with pytest.raises(RuntimeError, match="illegal"):
        HalvedBatches(tmp_path).run(8, work)
    assert sizes == [slice(0, 8)]
    assert HalvedBatches(tmp_path).run(0, work) == []


def chat(text: str) -> Request:
    return Request(messages=[Message(role="user", content=text)])


OPTIONS = [["23", "24", "25"], ["20 plus 3 = 23", "23"], ["27", "has 20"]] * 4


def test_options_have_the_same_probabilities_in_parts(folder: Path) -> None:
    """Rows of single words and of sequences are split anywhere, also between two options of one question."""
    whole, parts = (TransformersEngine(folder, USE, Decoding(4), 1) for _ in range(2))
    requests = [chat(text) for text in MANY]
    tried = limited(parts._loaded, 5)
    expected = whole.choose(requests, OPTIONS)
    in_parts = parts.choose(requests, OPTIONS)
    assert tried[0] == 4 + 8 + 8  # single tokens take one row per question, longer options one row each
    for shares, others in zip(in_parts, expected, strict=True):
        assert shares == pytest.approx(others, abs=1e-6)


@pytest.mark.parametrize(("options", "kept", "rows"), [(["23", "24", "25"], 1, 12), (["20 plus 3", "23"], 3, 24)])
def test_scoring_keeps_the_logits_of_the_options_and_no_cache(
    folder: Path, options: list[str], kept: int, rows: int
) -> None:
    engine = TransformersEngine(folder, USE, Decoding(4), 1)
    seen: list[Any] = []
    engine._loaded.register_forward_hook(lambda module, given, output: seen.append(output))
    engine.choose([chat(text) for text in MANY], [options] * len(MANY))
    [output] = seen
    assert tuple(output.logits.shape) == (rows, kept, engine._loaded.config.vocab_size)
    assert output.past_key_values is None


def test_a_model_that_gives_all_logits_has_the_same_probabilities(folder: Path) -> None:
    """As some architectures do, whose forward takes neither `logits_to_keep` nor `position_ids`."""
    kept, plain = (TransformersEngine(folder, USE, Decoding(4), 1) for _ in range(2))
    forward: Callable[..., Any] = plain._loaded.forward

    def without(input_ids: Any, attention_mask: Any, use_cache: bool) -> Any:
        places = (attention_mask.cumsum(-1) - 1).clamp(min=0)
        return forward(input_ids=input_ids, attention_mask=attention_mask, position_ids=places, use_cache=use_cache)

    plain._loaded.forward = without
    requests = [chat(text) for text in MANY]
    for shares, others in zip(plain.choose(requests, OPTIONS), kept.choose(requests, OPTIONS), strict=True):
        assert shares == pytest.approx(others, abs=1e-6)


def test_a_classifier_judges_the_same_in_parts_and_keeps_no_cache(tmp_path: Path) -> None:
    write_classifier(tmp_path, ["passed", "failed"])
    whole, parts = (Classifier(tmp_path, ["failed"], USE, 1) for _ in range(2))
    tried, seen = limited(parts._loaded[0], 2), list[Any]()
    parts._loaded[0].register_forward_hook(lambda module, given, output: seen.append(output.past_key_values))
    assert parts.judge(ANSWERS * 2) == whole.judge(ANSWERS * 2)
    assert tried == [8, 4, 2, 2, 2, 2]
    assert seen == [None] * 4


def test_a_judge_that_writes_judges_the_same_in_parts(folder: Path) -> None:
    adapter = JUDGES["instructed"]
    whole, parts = (TransformersEngine(folder, USE, Decoding(adapter.max_new_tokens), 1) for _ in range(2))
    tried = limited(parts._loaded, 3)
    replies: list[list[Generated]] = []
    for engine in (whole, parts):
        requests = [Request(messages=adapter.messages(*pair)) for pair in ANSWERS]
        replies.append([reply for [reply] in engine.generate(requests, 1, 0)])
    assert replies[0] == replies[1]
    assert GenerativeJudge(parts, adapter, "instructed").judge(ANSWERS) == GenerativeJudge(
        whole, adapter, "instructed"
    ).judge(ANSWERS)
    assert max(tried) == 4


def void(_: Any) -> None:
    """Makes an output empty, as a hook that changes it in place."""


def test_probabilities_that_are_no_numbers_end_the_job_with_one_line(folder: Path) -> None:
    engine = TransformersEngine(folder, USE, Decoding(4, 1.0), 1)
    engine._loaded.register_forward_hook(lambda module, given, output: void(output.logits.fill_(float("nan"))))
    with pytest.raises(BadInput, match="are NaN or infinite; set another `dtype`"):
        engine.generate([Request(text=TEXTS[0])], 1, 0)
