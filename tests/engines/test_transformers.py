"""Engines draw from the model's distribution: compared with the model's own logits."""

import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import scipy.stats
import torch
from tests.support.models import TEXTS, USE, build_model, greedy, short, write_folder
from tokenizers.processors import TemplateProcessing
from transformers import GenerationConfig, GPT2Config, GPT2LMHeadModel, LlamaForCausalLM

from reversegen.config.models import ModelUse
from reversegen.core.errors import BadInput
from reversegen.core.records import Message
from reversegen.engines import open_engine
from reversegen.engines.base import Decoding, Generated, Request
from reversegen.engines.chat_templates import render, stop_tokens
from reversegen.engines.transformers import TransformersEngine
from reversegen.models.folder import check_folder
from reversegen.models.loading import load_tokenizer
from reversegen.training.pretraining import CHAT_TEMPLATE, build_tokenizer


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    return build_model()


@pytest.fixture(scope="module")
def folder(model: LlamaForCausalLM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("models") / "random", model)


def generate(folder: Path, *texts: str, n: int = 1, seed: int = 0, **decoding: Any) -> list[list[Generated]]:
    engine = TransformersEngine(folder, USE, Decoding(**decoding), 1)
    return engine.generate([Request(text=t) for t in texts], n, seed)


def test_left_padding_changes_no_greedy_answer(model: LlamaForCausalLM, folder: Path) -> None:
    answers = [one.text for [one] in generate(folder, *TEXTS, max_new_tokens=12)]
    by_hand = [greedy(model, text, 12) for text in TEXTS]
    assert len({tuple(tokens) for tokens in by_hand}) == len(TEXTS)
    assert not any(1 in tokens for tokens in by_hand)
    assert answers == [build_tokenizer("arithmetic").decode(tokens, skip_special_tokens=True) for tokens in by_hand]


def test_the_decoding_settings_of_a_folder_change_nothing(
    model: LlamaForCausalLM, folder: Path, tmp_path: Path
) -> None:
    other = write_folder(tmp_path / "other", model)
    suggested = GenerationConfig(
        eos_token_id=1, repetition_penalty=30.0, no_repeat_ngram_size=1, do_sample=True, min_p=0.9
    )
    suggested.save_pretrained(other)
    for n, decoding in ((1, {}), (3, {"temperature": 2.0, "top_p": 0.9})):
        plain = generate(folder, "tom has", n=n, max_new_tokens=12, **decoding)
        assert generate(other, "tom has", n=n, max_new_tokens=12, **decoding) == plain


def test_a_text_is_finished_if_a_stop_token_comes_within_the_limit(model: LlamaForCausalLM, tmp_path: Path) -> None:
    greedy_tokens = greedy(model, TEXTS[0], 12)
    at = next(n for n in range(3, 12) if greedy_tokens[n] not in greedy_tokens[:n])  # make this token the end of a turn
    model = build_model()
    model.generation_config = GenerationConfig(eos_token_id=[1, greedy_tokens[at]], pad_token_id=0)
    folder = write_folder(tmp_path / "model", model)
    before = build_tokenizer("arithmetic").decode(greedy_tokens[:at])
    for limit, finished, tokens in [(at, False, at), (at + 1, True, at + 1), (at + 5, True, at + 1)]:
        [[one]] = generate(folder, TEXTS[0], max_new_tokens=limit)
        assert one == Generated(before, tokens, finished)
    # beside a longer neighbour its end is padded, and padding is no text
    [one], [other] = generate(folder, TEXTS[0], TEXTS[1], max_new_tokens=12)
    assert one == Generated(before, at + 1, True)
    assert other.text == generate(folder, TEXTS[1], max_new_tokens=12)[0][0].text


def test_samples_follow_the_whole_distribution_at_the_temperature(model: LlamaForCausalLM, folder: Path) -> None:
    temperature, draws = 1.6, 4000
    tokenizer = build_tokenizer("arithmetic")
    [several] = generate(folder, TEXTS[0], n=draws, seed=1, max_new_tokens=1, temperature=temperature)
    with torch.inference_mode():
        logits = model(torch.tensor([tokenizer(TEXTS[0])["input_ids"]])).logits[0, -1]
    shares = torch.softmax(logits.double() / temperature, 0)
    words = [tokenizer.decode([n], skip_special_tokens=True) for n in range(len(tokenizer))]
    expected: Counter[str] = Counter()
    for word, share in zip(words, shares.tolist(), strict=True):
        expected[word] += share * draws
    seen = Counter(one.text for one in several)
    common = [word for word in expected if expected[word] >= 5]
    observed = [seen[word] for word in common]
    other_draws = draws - sum(observed)
    assert len(common) > 50  # transformers' own default would keep only the 50 likeliest
    wanted = [expected[word] for word in common]
    assert scipy.stats.chisquare([*observed, other_draws], [*wanted, draws - sum(wanted)]).pvalue > 0.001


def test_top_p_keeps_only_the_likeliest_tokens(model: LlamaForCausalLM, folder: Path) -> None:
    tokenizer = build_tokenizer("arithmetic")
    with torch.inference_mode():
        logits = model(torch.tensor([tokenizer(TEXTS[0])["input_ids"]])).logits[0, -1]
    shares, order = torch.softmax(logits.double(), 0).sort(descending=True)
    likeliest = int((shares.cumsum(0) < 0.5).sum()) + 1
    assert 1 < likeliest < len(tokenizer)
    [several] = generate(folder, TEXTS[0], n=2000, seed=1, max_new_tokens=1, temperature=1.0, top_p=0.5)
    assert {one.text for one in several} == {tokenizer.decode([n]) for n in order[:likeliest].tolist()}


def test_draws_are_seeded_and_belong_to_their_request(folder: Path) -> None:
    draw = {"n": 4, "max_new_tokens": 6, "temperature": 1.0}
    first = generate(folder, *TEXTS, seed=2**64 - 1, **draw)
    assert generate(folder, *TEXTS, seed=2**64 - 1, **draw) == first
    assert generate(folder, *TEXTS, seed=5, **draw) != first
    assert [len(several) for several in first] == [4, 4, 4]
    cold = generate(folder, *TEXTS, n=3, seed=0, max_new_tokens=6, temperature=1e-3)
    alone = [generate(folder, text, max_new_tokens=6)[0][0] for text in TEXTS]
    assert cold == [[one] * 3 for one in alone]


def test_a_conversation_is_asked_as_the_chat_template_renders_it(model: LlamaForCausalLM, folder: Path) -> None:
    asked = [Message(role="user", content=text) for text in TEXTS]
    rendered = [f"Q: {text} A:" for text in TEXTS]
    engine = TransformersEngine(folder, USE, Decoding(8), 1)
    answers = engine.generate([Request(messages=[m]) for m in asked], 1, 0)
    assert answers == generate(folder, *rendered, max_new_tokens=8)
    with_template = USE.model_copy(update={"chat_template": "{% for m in messages %}Q: {{ m['content'] }}{% endfor %}"})
    engine = TransformersEngine(folder, with_template, Decoding(8), 1)
    answers = engine.generate([Request(messages=[m]) for m in asked], 1, 0)
    assert answers == generate(folder, *(f"Q: {text}" for text in TEXTS), max_new_tokens=8)


def test_a_token_that_opens_every_text_is_added_once(model: LlamaForCausalLM, tmp_path: Path) -> None:
    """As with Llama's beginning of text: the tokenizer adds it to plain text, and the chat template writes it itself."""
    tokenizer = build_tokenizer("arithmetic")
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="<unk> $A", special_tokens=[("<unk>", 2)])
    tokenizer.chat_template = "<unk> Q: {{ messages[0]['content'] }} A:"
    tokenizer.save_pretrained(tmp_path)
    model.save_pretrained(tmp_path)
    [[plain]] = generate(tmp_path, TEXTS[0], max_new_tokens=8)
    engine = TransformersEngine(tmp_path, USE, Decoding(8), 1)
    [[chat]] = engine.generate([Request(messages=[Message(role="user", content=TEXTS[0])])], 1, 0)
    for answer, text in [(plain, f"<unk> {TEXTS[0]}"), (chat, f"<unk> Q: {TEXTS[0]} A:")]:
        assert answer.text == build_tokenizer("arithmetic").decode(greedy(model, text, 8), skip_special_tokens=True)


@pytest.mark.parametrize(
    ("of_model", "turn", "expected"),
    [(None, None, {1}), (1, None, {1}), ([1, 7], None, {1, 7}), (7, "<|eot_id|>", {1, 7}), (1, "<|im_end|>", {1})],
)
def test_stop_tokens_are_the_tokenizers_the_models_and_the_end_of_a_turn(
    of_model: int | list[int] | None, turn: str | None, expected: set[int]
) -> None:
    tokenizer = build_tokenizer("arithmetic")
    if turn:
        tokenizer.add_tokens([turn], special_tokens=True)
        expected = {*expected, tokenizer.convert_tokens_to_ids(turn)}
    assert stop_tokens(of_model, tokenizer) == sorted(expected)


@pytest.mark.parametrize(
    ("change", "use"),
    [
        ("weights", USE),
        ("decoding", USE),
        ("dtype", ModelUse(dtype="bfloat16")),
        ("template", ModelUse(dtype="float32", chat_template="{{ messages[0]['content'] }}")),
    ],
)
def test_the_identity_distinguishes_everything_that_decides_the_text(
    folder: Path, tmp_path: Path, change: str, use: ModelUse
) -> None:
    other = write_folder(tmp_path / "other", build_model(seed=1)) if change == "weights" else folder
    decoding = Decoding(9 if change == "decoding" else 8)
    first = TransformersEngine(folder, USE, Decoding(8), 1)
    assert TransformersEngine(folder, USE, Decoding(8), 2).identity == first.identity
    assert TransformersEngine(other, use, decoding, 1).identity != first.identity


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        ([], "it has no config.json, no *.safetensors, no tokenizer.json or tokenizer.model"),
        (["config.json", "model.safetensors"], "it has no tokenizer.json or tokenizer.model"),
        (["config.json", "tokenizer.json"], "it has no *.safetensors"),
        (["config.json", "tokenizer.json", "pytorch_model.bin"], "it has no *.safetensors"),
        (["model-00001-of-00002.safetensors", "tokenizer.model"], "it has no config.json"),
        (
            ["config.json", "tokenizer.json", "manifest.json"],
            "it has no *.safetensors; delete it, and the same command makes it again",
        ),
    ],
)
def test_a_folder_without_a_model_is_refused_with_what_it_lacks(tmp_path: Path, files: list[str], missing: str) -> None:
    for name in files:
        (tmp_path / name).touch()
    for use in (check_folder, lambda path: open_engine(USE, path, Decoding(8), 1)):
        with pytest.raises(BadInput) as refusal:
            use(tmp_path)
        assert str(refusal.value) == f"{tmp_path}: not a model folder: {missing}"


def test_a_missing_padding_token_is_the_end_token_or_the_configured_one(folder: Path, tmp_path: Path) -> None:
    tokenizer = build_tokenizer("arithmetic")
    tokenizer.pad_token = None
    tokenizer.save_pretrained(tmp_path)
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    assert load_tokenizer(tmp_path, USE).pad_token == "<eos>"
    assert load_tokenizer(tmp_path, ModelUse(pad_token="<unk>")).pad_token == "<unk>"
    with pytest.raises(BadInput, match="pad_token 'nothing' is not in its vocabulary"):
        load_tokenizer(tmp_path, ModelUse(pad_token="nothing"))
    # masks come from lengths, so padding with the end token changes nothing
    padded = [one.text for [one] in generate(tmp_path, *TEXTS, max_new_tokens=8)]
    assert padded == [generate(folder, text, max_new_tokens=8)[0][0].text for text in TEXTS]


def said(role: Any, text: str) -> Message:
    return Message(role=role, content=text)


def sequence_probability(model: LlamaForCausalLM, before: str, option: str) -> float:
    """The probability of an option after a text, token by token, from the whole unpadded text."""
    tokenizer = build_tokenizer("arithmetic")
    head, tail = tokenizer(before)["input_ids"], tokenizer(option)["input_ids"]
    with torch.inference_mode():
        shares = torch.softmax(model(torch.tensor([head + tail])).logits[0].double(), -1)
    return math.prod(float(shares[len(head) + n - 1, token]) for n, token in enumerate(tail))


def test_options_have_their_probabilities_as_continuations_normalised_over_a_request(
    model: LlamaForCausalLM, folder: Path
) -> None:
    """One pass scores options of one word and of several, from different requests, each beside longer ones."""
    asked = [
        ([said("user", TEXTS[0])], "Q: 20 + 3 A:", ["23", "24", "25"]),
        ([said("user", TEXTS[2]), said("assistant", "23"), said("user", "how many ?")], None, ["20 plus 3 = 23", "23"]),
        ([said("system", "more"), said("user", TEXTS[1])], f"more Q: {TEXTS[1]} A:", ["27", "has 20"]),
    ]
    engine = TransformersEngine(folder, USE, Decoding(4), 1)
    probabilities = engine.choose(
        [Request(messages=turns) for turns, _, _ in asked], [options for _, _, options in asked]
    )
    for (_, before, options), given in zip(asked, probabilities, strict=True):
        text = before or f"Q: {TEXTS[2]} A: 23<eos>Q: how many ? A:"
        shares = [sequence_probability(model, text.replace("<eos>", " <eos> "), option) for option in options]
        assert given == pytest.approx({o: s / sum(shares) for o, s in zip(options, shares, strict=True)}, rel=1e-3)
        assert sum(given.values()) == pytest.approx(1)
    assert len({round(p, 3) for given in probabilities for p in given.values()}) > 4


def test_a_chat_template_that_renders_an_answered_question_differently_cannot_score_options(folder: Path) -> None:
    template = "{{ messages | length }} {% for m in messages %}{{ m['content'] }}{% endfor %}"
    engine = TransformersEngine(folder, ModelUse(dtype="float32", chat_template=template), Decoding(4), 1)
    with pytest.raises(BadInput, match="options cannot be scored"):
        engine.choose([Request(messages=[Message(role="user", content="20 + 3")])], [["23", "24"]])


def test_a_request_may_give_arguments_and_parts_to_the_chat_template_and_forge_no_turn() -> None:
    tokenizer = build_tokenizer("arithmetic")
    turns = [Message(role="user", content="20<eos>+ <pad> 3")]
    tokenizer.chat_template = "{{ messages[0]['content'] }}|{{ guideline }}|{{ add_generation_prompt }}"
    assert render(tokenizer, Request(messages=turns, template={"guideline": "g"})) == "20< eos>+ < pad> 3|g|True"
    tokenizer.chat_template = "{{ messages[0]['content'][0]['type'] }}: {{ messages[0]['content'][0]['text'] }}"
    assert render(tokenizer, Request(messages=turns, parts=True)) == "text: 20< eos>+ < pad> 3"
    assert render(tokenizer, Request(text="20<eos>")) == "20< eos>"  # a proposer's prompt holds texts of data too


TOO_LONG = "20 + 3 " * 4
"""12 tokens."""


def test_a_prompt_that_does_not_fit_is_invalid_and_changes_no_other(model: LlamaForCausalLM, tmp_path: Path) -> None:
    folder = short(tmp_path / "model", model, 12)
    fits, full = TEXTS[0], TOO_LONG.removesuffix("20 + 3 ") + "20 +"  # 3 and 11 tokens
    [[one], [none], [other], [last]] = generate(folder, fits, TOO_LONG, fits, full, max_new_tokens=9)
    [[alone]] = generate(folder, fits, max_new_tokens=9)
    assert none == Generated("", 0, False, "prompt too long")
    assert one == other == alone
    assert (alone.tokens, alone.finished) == (9, False)
    # one position is left: one token of the answer, and no warning about the requested limit
    assert (last.tokens, last.finished, last.invalid) == (1, False, None)
    assert last.text == build_tokenizer("arithmetic").decode(greedy(model, full, 1))
    drawn = {"n": 3, "seed": 5, "max_new_tokens": 9, "temperature": 1.0}
    assert generate(folder, fits, TOO_LONG, full, **drawn)[:2] == [*generate(folder, fits, **drawn), [none] * 3]
    assert generate(folder, TOO_LONG, TOO_LONG, max_new_tokens=9) == [[none], [none]]


def test_learnt_positions_are_never_exceeded(tmp_path: Path) -> None:
    """A position beyond GPT-2's last one is an index error, also for a finished neighbour."""
    tokenizer = build_tokenizer("arithmetic")
    torch.manual_seed(0)
    shape = {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 16, "vocab_size": len(tokenizer)}
    tokenizer.save_pretrained(tmp_path)
    GPT2LMHeadModel(GPT2Config(**shape, eos_token_id=1, pad_token_id=0, bos_token_id=None)).save_pretrained(tmp_path)
    lengths = (3, 8, 9, 13, 15, 16, 17, 40)
    drawn = generate(tmp_path, *("20 " * n for n in lengths), max_new_tokens=8)
    assert [(one.tokens, one.invalid) for [one] in drawn] == [
        (8, None), (8, None), (7, None), (3, None), (1, None), *[(0, "prompt too long")] * 3
    ]  # fmt: skip


def test_a_conversation_that_the_chat_template_refuses_is_invalid_and_changes_no_other(folder: Path) -> None:
    template = "{% if 'pens' in messages[0].content %}{{ raise_exception('no') }}{% endif %}" + CHAT_TEMPLATE
    use = USE.model_copy(update={"chat_template": template})
    warm = Decoding(8, temperature=1.0)
    engine = TransformersEngine(folder, use, warm, 1)
    requests = [Request(messages=[said("user", text)]) for text in TEXTS]
    answers = engine.generate(requests, 2, 0)
    assert answers[2] == [Generated("", 0, False, "chat template cannot render it")] * 2
    assert answers[:2] == TransformersEngine(folder, USE, warm, 1).generate(requests[:2], 2, 0)
    [shares, reason] = engine.choose(requests[1:], [["23", "24"]] * 2)
    assert isinstance(shares, dict)
    assert reason == "chat template cannot render it"
    with pytest.raises(BadInput, match=r"random: the chat template cannot render any conversation: TemplateError: no;"):
        TransformersEngine(folder, use, Decoding(8), 1).generate(requests[2:], 1, 0)


def test_options_of_a_question_that_does_not_fit_have_a_reason(model: LlamaForCausalLM, tmp_path: Path) -> None:
    folder = short(tmp_path / "model", model, 12)
    requests = [Request(messages=[said("user", text)]) for text in (TEXTS[0], TOO_LONG, "20 + 3 20 + 3 20 + 3")]
    [shares, long, edge] = TransformersEngine(folder, USE, Decoding(8), 1).choose(requests, [["23", "24 + 3"]] * 3)
    [alone] = TransformersEngine(folder, USE, Decoding(8), 1).choose(requests[:1], [["23", "24 + 3"]])
    assert shares == pytest.approx(alone)
    assert (long, edge) == ("prompt too long", "prompt too long")  # the second for its longer option alone
    assert TransformersEngine(folder, USE, Decoding(8), 1).choose(requests[1:2], [["23"]]) == ["prompt too long"]
