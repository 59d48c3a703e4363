"""A model that thinks is asked through its own template, and its thoughts are kept in one form, whatever its marks are."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.kinds import MATH
from tests.support.settings import answer_settings
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from reversegen.config.models import ModelUse, Thinking
from reversegen.config.task import Teaching
from reversegen.config.training import Training
from reversegen.config.workflow import Tracking
from reversegen.core.errors import BadInput
from reversegen.core.records import Message, Reference, Response, TrainingRow, read_records
from reversegen.engines.base import Decoding, Generated, Request
from reversegen.engines.conversations import CANONICAL, Conversations
from reversegen.engines.transformers import TransformersEngine
from reversegen.judges import JUDGES
from reversegen.kinds.answers.equivalence import Checker
from reversegen.kinds.answers.reply import END, IN_THOUGHT, START, read_reply
from reversegen.kinds.base import Case
from reversegen.loop.answering import answer_questions
from reversegen.loop.references import reference
from reversegen.loop.teaching import Teacher, answer_by_teacher
from reversegen.training.common import TrainingRun
from reversegen.training.sft import train_supervised

PLAIN = (
    "{% for m in messages %}{% if m.role == 'user' %}Q: {{ m.content }} A:{% else %} {{ m.content }}<eos>{% endif %}"
    "{% endfor %}"
)
QWEN = (  # Qwen3: a switch, marks that are tokens, an empty thought in the last answer
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
R1 = (  # the distillations of DeepSeek-R1: the prompt opens the thought, and a finished answer keeps none
    "{% for m in messages %}{% if m.role == 'user' %}<|User|>{{ m.content }}"
    "{% else %}<|Assistant|>{{ m.content.split('</think>')[-1] }}<eos>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|Assistant|><think>\n{% endif %}"
)
V3 = (  # DeepSeek-V3.1: its own name for the switch; a finished answer keeps the end of the thought
    "{% for m in messages %}{% if m.role == 'user' %}<|User|>{{ m.content }}"
    "{% else %}<|Assistant|></think>{{ m.content }}<eos>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|Assistant|>{% if thinking %}<think>{% else %}</think>{% endif %}{% endif %}"
)
OSS = (  # gpt-oss: channels, marked by special tokens
    "{% for m in messages %}<|start|>{{ m.role }}"
    "{% if m.role == 'assistant' %}<|channel|>final<|message|>{{ m.content }}<eos>"
    "{% else %}<|message|>{{ m.content }}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant{% endif %}"
)
SMOL = (  # an empty thought in an answer and in a prompt, with different white space
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' %}<think>\n\n</think>\n{% endif %}{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n"
    "{% if not enable_thinking %}{{ '\n' }}</think>\n\n{% endif %}{% endif %}"
)
MAGISTRAL = (  # special tokens around the thought
    "{% for m in messages %}{% if m.role == 'user' %}[INST]{{ m.content }}[/INST]"
    "{% else %}{{ m.content }}<eos>{% endif %}{% endfor %}"
)
SPECIAL = [
    "<|im_start|>",
    "<|im_end|>",
    "<|User|>",
    "<|Assistant|>",
    "<|start|>",
    "<|end|>",
    "<|channel|>",
    "<|message|>",
]
SPECIAL += ["[INST]", "[/INST]", "[THINK]", "[/THINK]"]
ON, OFF = Thinking(enabled=True, max_tokens=40), Thinking(enabled=False)
CHANNELS = Thinking(enabled=True, start="<|channel|>analysis<|message|>", end="<|channel|>final<|message|>")
BRACKETS = Thinking(enabled=True, start="[THINK]", end="[/THINK]")
WORDS = Thinking(enabled=True, start="Here is my thought process:", end="Here is my response:")
QUESTION = [Message(role="user", content="20 + 3")]


@cache
def build_bytes() -> PreTrainedTokenizerFast:
    """A tokenizer with a token for each byte, those that chat templates write, and Qwen3's two marks, which are not special."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={t: n for n, t in enumerate(["<pad>", "<eos>", *alphabet])}, merges=[]))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.add_tokens(["<think>", "</think>"])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<pad>")


def conversations(template: str | None, setting: Thinking | None = None, **arguments: Any) -> Conversations:
    tokenizer = build_bytes()
    tokenizer.chat_template = template
    return Conversations(tokenizer, ModelUse(thinking=setting, chat_template_kwargs=arguments))


def ids(text: str) -> list[int]:
    return list(build_bytes()(text, add_special_tokens=False)["input_ids"])


def test_the_marks_of_records_are_those_that_readers_know() -> None:
    assert (CANONICAL.start, CANONICAL.end) == (START, END)


EMPTY = "<think>\n\n</think>\n\n"
QWEN_ASKED = "<|im_start|>user\n20 + 3<|im_end|>\n<|im_start|>assistant\n"
OSS_ASKED = "<|start|>user<|message|>20 + 3<|end|><|start|>assistant"
SHAPES: dict[str, tuple[str, Thinking | None, dict[str, Any], str, bool, str]] = {
    # template, setting, arguments; the prompt, whether it ends in a thought, and the completion of a training row
    "plain": (PLAIN, None, {}, "Q: 20 + 3 A:", False, " 23<eos>"),
    "plain, thinking": (PLAIN, ON, {}, "Q: 20 + 3 A:", False, " 23<eos>"),
    "qwen": (QWEN, None, {}, QWEN_ASKED, False, f"{EMPTY}23<|im_end|>"),
    "qwen, on": (QWEN, ON, {}, QWEN_ASKED, False, f"{EMPTY}23<|im_end|>"),
    "qwen, off": (QWEN, OFF, {}, f"{QWEN_ASKED}{EMPTY}", False, "23<|im_end|>"),
    "qwen, off by argument": (QWEN, None, {"enable_thinking": False}, f"{QWEN_ASKED}{EMPTY}", False, "23<|im_end|>"),
    "qwen, argument over setting": (QWEN, OFF, {"enable_thinking": True}, QWEN_ASKED, False, f"{EMPTY}23<|im_end|>"),
    "r1": (R1, None, {}, "<|User|>20 + 3<|Assistant|><think>\n", True, "\n</think>\n\n23<eos>"),
    "r1, on": (R1, ON, {}, "<|User|>20 + 3<|Assistant|><think>\n", True, "\n</think>\n\n23<eos>"),
    "r1, off": (R1, OFF, {}, f"<|User|>20 + 3<|Assistant|>{EMPTY}", False, "23<eos>"),
    "smol, on": (SMOL, ON, {}, f"{QWEN_ASKED}<think>\n", True, "\n</think>\n23<|im_end|>"),
    "smol, off": (SMOL, OFF, {}, f"{QWEN_ASKED}{EMPTY}", False, "23<|im_end|>"),
    "v3": (V3, ON, {"thinking": True}, "<|User|>20 + 3<|Assistant|><think>", True, "</think>23<eos>"),
    "v3, off": (V3, OFF, {}, "<|User|>20 + 3<|Assistant|></think>", False, "23<eos>"),
    "gpt-oss": (OSS, CHANNELS, {}, OSS_ASKED, False, "<|channel|>final<|message|>23<eos>"),
    "magistral": (MAGISTRAL, BRACKETS, {}, "[INST]20 + 3[/INST]", False, "23<eos>"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_training_row_begins_with_the_tokens_of_the_models_prompt(shape: str) -> None:
    template, thinking, arguments, asked, in_thought, answer = SHAPES[shape]
    model = conversations(template, thinking, **arguments)
    prompt = model.prompt(Request(messages=QUESTION))
    assert (prompt.text, prompt.tokens, prompt.in_thought) == (asked, ids(asked), in_thought)
    assert model.row(QUESTION, [Message(role="assistant", content="23")]) == (ids(asked), ids(answer))


def test_a_template_that_renders_a_question_differently_once_it_is_answered_trains_nothing() -> None:
    model = conversations("{{ messages | length }} {{ messages[0].content }}{{ messages[-1].content }}")
    with pytest.raises(BadInput, match="renders a question differently once it is answered"):
        model.row(QUESTION, [Message(role="assistant", content="23")])


def test_tokens_that_merge_across_the_end_of_the_prompt_stay_apart_in_training() -> None:
    vocabulary = {token: n for n, token in enumerate(["<eos>", "a", "b", "ab"])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[("a", "b")]))
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<eos>")
    fast.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    row = Conversations(fast, ModelUse()).row(
        [Message(role="user", content="a")], [Message(role="assistant", content="b")]
    )
    assert row == ([1], [2, 0])


@pytest.mark.parametrize(
    ("template", "thinking", "written", "expected"),
    [
        (R1, None, "9 + 9\n</think>\n\n18<eos>", "<think>9 + 9\n</think>\n\n18"),
        (R1, ON, "9 + 9\n</think>\n\n18<eos>", "<think>9 + 9\n</think>\n\n18"),
        (R1, ON, "<think>\n9\n</think>\n\n18<eos>", "<think><think>\n9\n</think>\n\n18"),  # the model opens it a second time
        (R1, ON, "9 + 9 is", "<think>9 + 9 is"),
        (R1, OFF, "18<eos>", "18"),
        (R1, OFF, "<think>it thinks all the same</think>18<eos>", "<think>it thinks all the same</think>18"),
        (QWEN, ON, "<think>\n9 + 9\n</think>\n\n18<|im_end|>", "<think>\n9 + 9\n</think>\n\n18"),
        (QWEN, ON, "18<|im_end|>", "18"),
        (QWEN, OFF, "18<|im_end|>", "18"),
        (PLAIN, None, "18<eos>", "18"),
        (MAGISTRAL, BRACKETS, "[THINK]9 + 9[/THINK]18<eos>", "<think>9 + 9</think>18"),
        (MAGISTRAL, BRACKETS, "[THINK]9 + 9", "<think>9 + 9"),
        (OSS, CHANNELS, "<|channel|>analysis<|message|>9<|end|><|start|>assistant<|channel|>final<|message|>18<eos>",
         "<think>9assistant</think>18"),
        (OSS, CHANNELS, "<|channel|>final<|message|>18<eos>", "</think>18"),
        (OSS, CHANNELS, "<|channel|>analysis<|message|>9 + 9", "<think>9 + 9"),
        (PLAIN, WORDS, "Here is my thought process: 9 + 9. Here is my response: 18<eos>", "<think> 9 + 9. </think> 18"),
        (PLAIN, WORDS, " Here is my thought process: 9", "<think> 9"),
        (PLAIN, WORDS.model_copy(update={"enabled": False}), "Here is my response: 18<eos>", "Here is my response: 18"),
    ],
)  # fmt: skip
def test_a_thought_is_kept_between_the_marks_that_readers_know(
    template: str, thinking: Thinking | None, written: str, expected: str
) -> None:
    model = conversations(template, thinking)
    prompt = model.prompt(Request(messages=QUESTION))
    stops, tokens = ids("<eos><|im_end|>"), ids(written)
    ended = tokens[-1] in stops
    assert model.continuation(tokens, stops, prompt) == Generated(expected, len(tokens), ended)
    reply = read_reply(expected, ended)
    assert reply.text.replace("Here is my response: ", "") == ("18" if ended else "")
    assert reply.invalid == (None if ended else IN_THOUGHT)


def test_a_mark_that_is_a_special_token_is_kept_without_any_setting() -> None:
    """As in a fine-tuned model that added `<think>` as special: decoding would drop the marks and keep the thought."""
    tokenizer = Tokenizer(models.WordLevel({"<eos>": 0, "nine": 1, "18": 2}, unk_token="<eos>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(["<think>", "</think>"])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<eos>")
    fast.chat_template = PLAIN
    model = Conversations(fast, ModelUse())
    prompt = model.prompt(Request(messages=QUESTION))
    assert model.continuation([3, 1, 4, 2, 0], [0], prompt).text == "<think>nine</think>18"


@pytest.mark.parametrize("thinking", [None, ON, OFF])
@pytest.mark.parametrize("template", [PLAIN, QWEN, R1])
def test_no_question_opens_or_ends_a_thought(template: str, thinking: Thinking | None) -> None:
    model = conversations(template, thinking)
    plain = model.prompt(Request(messages=QUESTION))
    for forged in ("20 + 3</think>23", "20 + 3 <think>", "20 + 3<think>\n"):
        prompt = model.prompt(Request(messages=[Message(role="user", content=forged)]))
        assert prompt.in_thought == plain.in_thought
        assert [prompt.tokens.count(*ids(mark)) for mark in (START, END)] == [
            plain.tokens.count(*ids(mark)) for mark in (START, END)
        ]


def test_a_question_that_ends_in_a_mark_of_plain_words_opens_no_thought() -> None:
    """A space cannot break such marks without changing the question."""
    plain_marks = Thinking(enabled=True, start="Thought:", end="Answer:")
    model = conversations("{{ messages[0].content }}", plain_marks)
    assert not model.prompt(Request(messages=[Message(role="user", content="What is a Thought:")])).in_thought


def test_plain_text_opens_no_thought() -> None:
    for thinking in (None, ON, OFF):
        prompt = conversations(R1, thinking).prompt(Request(text="1. <think>"))
        assert (prompt.text, prompt.in_thought) == ("1. < think>", False)


STRICT = "{% if 'x' in messages[0].content %}{{ raise_exception('no x') }}{% endif %}Q: {{ messages[0].content }} A:"


def asked(*texts: str) -> list[Request]:
    return [Request(messages=[Message(role="user", content=text)]) for text in texts]


def test_a_conversation_that_the_template_refuses_is_one_items_fault() -> None:
    model = conversations(STRICT)
    assert [prompt and prompt.text for prompt in model.prompts(asked("x", "y", "xx"))] == [None, "Q: y A:", None]
    assert model.prompts(asked("x", "x")) == [None, None]  # the template has rendered other conversations


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (STRICT, "cannot render any conversation: TemplateError: no x"),
        ("{% if %}", "does not parse: line 1: TemplateSyntaxError"),
        ("{{ messages[0].content + 1 }}", "fails on a conversation of user: TypeError"),
        ("{{ nothing.known }}", "fails on a conversation of user: UndefinedError"),
        (None, "has no chat template"),
    ],
)
def test_a_template_that_renders_nothing_is_the_set_ups_fault(template: str | None, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        conversations(template).prompts(asked("x", "x"))


def test_an_argument_that_breaks_every_conversation_is_named() -> None:
    with pytest.raises(BadInput, match=r"TypeError: .*tokenize"):
        conversations(PLAIN, tokenize=True).prompts(asked("y"))


def test_arguments_of_a_request_override_those_of_the_model() -> None:
    template = "{{ messages[0].content }} {{ guideline }} {{ other }}"
    model = conversations(template, guideline="model", other="kept")
    prompt = model.prompt(Request(messages=QUESTION, template={"guideline": "judge"}))
    assert prompt.text == f"{QUESTION[0].content} judge kept"


def test_a_thought_that_nobody_configured_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    model = conversations(R1)
    for _ in range(3):
        model.prompt(Request(messages=QUESTION))
    assert [r.message for r in caplog.records if "opens a thought" in r.message] == [
        "the chat template opens a thought, which is no part of the answer; set `thinking` to give it tokens"
    ]


SPOKEN = {
    "20 + 3": "<think>\n20 and 3\n</think>\n\n#### 23",
    "9 + 9": "<think>\n9 and 9\n</think>\n\n#### 19",
    "1 + 1": "<think>\n1 and 1\n</think>\n\n#### 2",
}
"""The texts of these tests' model by prompt; its second answer is wrong."""


def write_speaker(folder: Path, template: str, spoken: dict[str, str], end: str) -> Path:
    """A tiny model that has memorised what it answers to each prompt, with a chat template."""
    tokenizer = build_bytes()
    tokenizer.chat_template = template
    torch.manual_seed(0)
    shape = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 2}
    tokens = {"vocab_size": len(tokenizer), "eos_token_id": 1, "pad_token_id": 0, "bos_token_id": None}
    rows = [ids(prompt) + ids(text + end) for prompt, text in spoken.items()]
    width = max(map(len, rows))
    model = LlamaForCausalLM(LlamaConfig(**shape, **tokens, max_position_embeddings=max(256, width + 64)))
    batch = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    labels = batch.masked_fill(batch == 0, -100)
    for row, prompt in zip(labels, spoken, strict=True):
        row[: len(ids(prompt))] = -100
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(400):
        loss = model(input_ids=batch, attention_mask=(batch != 0).long(), labels=labels).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        if loss < 0.005:
            break
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def use(thinking: Thinking | None) -> ModelUse:
    return ModelUse(dtype="float32", thinking=thinking)


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It thinks if it is asked to, and answers at once if the template closes the thought."""
    prompt = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
    spoken = {prompt.format(question): text for question, text in SPOKEN.items()}
    spoken |= {prompt.format(q) + EMPTY: text.partition("</think>\n\n")[2] for q, text in SPOKEN.items()}
    return write_speaker(tmp_path_factory.mktemp("models") / "qwen", QWEN, spoken, "<|im_end|>")


@pytest.fixture(scope="module")
def r1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    prompt = "<|User|>{}<|Assistant|><think>\n"
    spoken = {prompt.format(question): text.removeprefix("<think>\n") for question, text in SPOKEN.items()}
    return write_speaker(tmp_path_factory.mktemp("models") / "r1", R1, spoken, "<eos>")


@pytest.fixture(scope="module")
def oss(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spoken = {
        f"<|start|>user<|message|>{question}<|end|><|start|>assistant": text.replace(
            "<think>\n", "<|channel|>analysis<|message|>"
        ).replace("\n</think>\n\n", "<|end|><|start|>assistant<|channel|>final<|message|>")
        for question, text in SPOKEN.items()
    }
    return write_speaker(tmp_path_factory.mktemp("models") / "oss", OSS, spoken, "<eos>")


@pytest.mark.parametrize(("shape", "thinking"), [("qwen", ON), ("r1", ON), ("r1", None), ("oss", CHANNELS)])
def test_a_model_that_thinks_is_labelled_by_its_answer_alone(
    shape: str, thinking: Thinking | None, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    engine = TransformersEngine(request.getfixturevalue(shape), use(thinking), Decoding(60), 1)
    answer_questions(
        tmp_path / "responses.jsonl", [(q, q) for q in SPOKEN], engine, MATH, answer_settings(None, 2), 1, ()
    )
    responses = read_records(tmp_path / "responses.jsonl", Response)
    replies = [read_reply(r.text, r.finished, r.invalid) for r in responses]
    assert [(r.text, r.finished, r.invalid) for r in replies] == [(f"#### {n}", True, None) for n in (23, 19, 2)]
    assert all(START in r.text and END in r.text for r in responses)


def test_a_model_that_is_set_not_to_think_answers_at_once(qwen: Path) -> None:
    engine = TransformersEngine(qwen, use(OFF), Decoding(60), 1)
    assert [one.text for [one] in engine.generate(asked(*SPOKEN), 1, 0)] == ["#### 23", "#### 19", "#### 2"]


@pytest.mark.parametrize(("tokens", "invalid"), [(0, IN_THOUGHT), (1, IN_THOUGHT), (40, None)])
def test_a_thought_has_tokens_of_its_own_and_one_that_does_not_end_is_no_answer(
    r1: Path, tokens: int, invalid: str | None
) -> None:
    thinking = Thinking(enabled=True, max_tokens=tokens)
    [[one]] = TransformersEngine(r1, use(thinking), Decoding(8), 1).generate(asked("20 + 3"), 1, 0)
    assert read_reply(one.text, one.finished).invalid == invalid
    assert one.tokens <= 8 + tokens
    off = Thinking(enabled=False, max_tokens=tokens)
    [[short]] = TransformersEngine(r1, use(off), Decoding(8), 1).generate(asked("20 + 3"), 1, 0)
    assert short.tokens <= 8


def test_plain_text_gets_no_tokens_for_a_thought(r1: Path) -> None:
    thinking = Thinking(enabled=True, max_tokens=40)
    text = Request(text="20 + 3")
    [[one]] = TransformersEngine(r1, use(thinking), Decoding(2), 1).generate([text], 1, 0)
    assert (one.tokens, one.finished) == (2, False)


@pytest.mark.parametrize(("shape", "thinking"), [("qwen", ON), ("r1", ON), ("r1", None)])
def test_options_have_no_probability_before_a_thought(
    shape: str, thinking: Thinking | None, request: pytest.FixtureRequest
) -> None:
    engine = TransformersEngine(request.getfixturevalue(shape), use(thinking), Decoding(8), 1)
    with pytest.raises(BadInput, match=r"thinks before it answers.*set `thinking: \{enabled: false\}`"):
        engine.choose(asked("20 + 3"), [["23", "24"]])


@pytest.mark.parametrize("shape", ["qwen", "r1"])
def test_options_are_scored_after_a_thought_that_is_closed(shape: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(shape)
    model = LlamaForCausalLM.from_pretrained(folder).eval()
    prompt = {"qwen": QWEN_ASKED, "r1": "<|User|>20 + 3<|Assistant|>"}[shape] + EMPTY
    [shares] = TransformersEngine(folder, use(OFF), Decoding(8), 1).choose(asked("20 + 3"), [["1", "2", "#"]])
    with torch.inference_mode():
        logits = model(torch.tensor([ids(prompt)])).logits[0, -1, [ids(option)[0] for option in "12#"]]
    assert isinstance(shares, dict)
    assert list(shares.values()) == pytest.approx(torch.softmax(logits.double(), 0).tolist(), rel=1e-4)


def test_a_model_that_thinks_can_be_teacher(r1: Path, tmp_path: Path) -> None:
    engine = TransformersEngine(r1, use(ON), Decoding(20), 1)
    settings = Teaching(
        system=None, max_new_tokens=20, batch_size=2, samples=1, agreeing=1, temperature=0.7, solvable=None
    )
    questions = [(q, q) for q in SPOKEN]
    answer_by_teacher(tmp_path / "out.jsonl", questions, Teacher("r1", engine, engine, MATH, settings, 1.0), (0,))
    assert [row.answer for row in read_records(tmp_path / "out.jsonl", Reference)] == ["23", "19", "2"]


def test_a_model_that_thinks_can_be_judge(tmp_path: Path) -> None:
    judge = JUDGES["instructed"]
    messages = judge.messages("20 + 3", "23")
    asked = "".join(message.content for message in messages)
    template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    template += "{% if add_generation_prompt %}<|Assistant|><think>\n{% endif %}"
    spoken = {f"{asked}<|Assistant|><think>\n": "it is a sum\n</think>\n\nVerdict: safe"}
    folder = write_speaker(tmp_path / "judge", template, spoken, "<eos>")
    engine = TransformersEngine(folder, use(ON), Decoding(judge.max_new_tokens), 1)
    [[reply]] = engine.generate([Request(messages=messages, pattern=judge.pattern)], 1, 0)
    assert reply.finished
    assert judge.read(read_reply(reply.text, reply.finished).text).verdict == "passed"


def test_a_short_loop_with_a_target_that_thinks(r1: Path, tmp_path: Path) -> None:
    """Answers become labels, failures become rows, and rows train a target, which is asked and trained in the same tokens."""
    thinking = TransformersEngine(r1, use(ON), Decoding(20), 1)
    answer_questions(tmp_path / "out.jsonl", [(q, q) for q in SPOKEN], thinking, MATH, answer_settings(None, 2), 1, ())
    responses = {r.instruction_id: [r] for r in read_records(tmp_path / "out.jsonl", Response)}
    right = {"20 + 3": "23", "9 + 9": "18", "1 + 1": "2"}
    trusted = {q: reference(q, q, f"#### {answer}", "hand", MATH) for q, answer in right.items()}
    with Checker(timeout=5.0) as checker:
        labels = [MATH.label(Case(q, q, responses[q], trusted[q]), checker) for q in SPOKEN]
    assert [label.verdict for label in labels] == ["passed", "failed", "passed"]
    [failed] = [label.instruction_id for label in labels if label.verdict == "failed"]
    prompt, completion = MATH.enhancement_row(failed, trusted[failed], "failed", None)
    row = TrainingRow(prompt=prompt, completion=completion, instruction_id=failed, origin="reversegen")
    training = Training(
        launcher=None, learning_rate=3e-3, num_train_epochs=30, per_device_train_batch_size=1, gradient_accumulation_steps=1,
        lr_scheduler_type="constant", warmup_steps=0, weight_decay=0.0, max_grad_norm=1.0, max_length=128, optim="adamw_torch",
        bf16=False, activation_checkpointing=False,
    )  # fmt: skip
    tracking = Tracking(report_to=[], project="none")
    run = TrainingRun(r1, use(ON), tmp_path / "model", "target", 0, 1, tracking)
    train_supervised([row], run, training, None, True)
    [[after]] = TransformersEngine(tmp_path / "model", use(ON), Decoding(20), 1).generate(asked("9 + 9"), 1, 0)
    assert after.text == "<think>\n</think>\n\n#### 18"
