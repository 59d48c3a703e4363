"""What a chat template adds on its own: a system text, which can be switched off and is reported, and a fixed date."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from tests.support.models import build_model, write_folder
from tests.support.templates import CHATML, LLAMA, byte_level, fast, real, smol, user
from tests.support.workflows import REPOSITORY

import write_system_texts
from reversegen.config.load import read_yaml
from reversegen.config.models import Model, ModelUse, Thinking
from reversegen.core.errors import BadInput
from reversegen.core.records import Message
from reversegen.engines.base import Decoding, Request
from reversegen.engines.chat_templates import render, system_text
from reversegen.engines.conversations import Conversations
from reversegen.engines.transformers import TransformersEngine
from reversegen.engines.vllm import VllmEngine
from reversegen.judges import JUDGES
from reversegen.models.loading import load_tokenizer
from reversegen.models.template_heads import DATE, FIXED_DATE
from reversegen.workflow.configuration import load_configuration
from reversegen.workflow.role_conversations import (
    ConversationForm,
    SystemTextReaders,
    check_rendering,
    read_system_texts,
    system_text_readers,
)

QWEN = (  # Qwen2.5's form: it replaces a missing system turn, and accepts an empty one
    "{% if messages[0].role == 'system' %}<|im_start|>system\n{{ messages[0].content }}<|im_end|>\n"
    "{% else %}<|im_start|>system\nYou are Qw. You help.<|im_end|>\n{% endif %}"
    "{% for m in messages %}{% if m.role != 'system' %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
DATED = (  # Llama 3.1's form: a block with a date, whatever the system text is
    "<|begin|>{% if date_string is not defined %}{% if strftime_now is defined %}"
    "{% set date_string = strftime_now('%d %b %Y') %}"
    "{% else %}{% set date_string = '1 Jan 1970' %}{% endif %}{% endif %}"
    "{% if messages[0].role == 'system' %}{% set text = messages[0].content %}{% set rest = messages[1:] %}"
    "{% else %}{% set text = '' %}{% set rest = messages %}{% endif %}"
    "<|head|>system<|tail|>\n\nKnowledge: 2023\nToday: {{ date_string }}\n\n{{ text }}<|im_end|>"
    "{% for m in rest %}<|head|>{{ m.role }}<|tail|>\n\n{{ m.content | trim }}<|im_end|>{% endfor %}"
    "{% if add_generation_prompt %}<|head|>assistant<|tail|>\n\n{% endif %}"
)
STUBBORN = (  # an empty text counts as a missing one
    "{% if messages[0].role == 'system' and messages[0].content %}{{ messages[0].content }}{% else %}Be kind.{% endif %}"
    "{% for m in messages %}{% if m.role == 'user' %} USER: {{ m.content }}{% elif m.role == 'assistant' %}"
    " ASSISTANT: {{ m.content }}<eos>{% endif %}{% endfor %}{% if add_generation_prompt %} ASSISTANT:{% endif %}"
)
GEMMA = (
    "<bos>{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}<|head|>{{ 'model' if m.role == 'assistant' else m.role }}\n{{ m.content | trim }}<|tail|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|head|>model\n{% endif %}"
)
MISTRAL = (  # it accepts no system turn, and no end of a first turn except the instruction's
    "<s>{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% else %}{{ m.content }}</s>{% endif %}"
    "{% endfor %}"
)
FOLDED = LLAMA.replace("[INST] ", "[INST] {% if loop.first %}<<SYS>>\nBe good.\n<</SYS>>\n\n{% endif %}")
ONE_TURN = (
    "{% if messages | length > 1 %}{{ raise_exception('one question') }}{% endif %}"
    "Answer it.\n<|head|>{{ messages[0].content }}"
)
SPECIAL = ("<bos>", "<s>", "</s>", "<eos>", "<|im_start|>", "<|im_end|>", "<|begin|>", "<|head|>", "<|tail|>")
BLOCK = "Knowledge: 2023\nToday: 26 Jul 2024"


def tokenizer(template: str) -> object:
    return fast(byte_level(*SPECIAL), template, "<eos>", bos_token="<s>")


def asked(system: str | None, question: str = "a") -> Request:
    opening = [] if system is None else [Message(role="system", content=system)]
    return Request(messages=[*opening, *user(question)])


@pytest.mark.parametrize(
    ("template", "system", "read"),
    [
        (CHATML, None, "You help."),
        (CHATML, "", ""),
        (CHATML, "Be brief.\nBe kind.", "Be brief.\nBe kind."),
        (QWEN, None, "You are Qw. You help."),
        (QWEN, "", ""),
        (QWEN, "Be brief.", "Be brief."),
        (QWEN, "You are <|im_start|>", "You are < |im_start|>"),
        (FIXED_DATE + DATED, None, BLOCK),
        (FIXED_DATE + DATED, "", BLOCK),
        (FIXED_DATE + DATED, "Be brief.", f"{BLOCK}\n\nBe brief."),
        (STUBBORN, None, "Be kind."),
        (STUBBORN, "", "Be kind."),
        (STUBBORN, "Be brief.", "Be brief."),
        (GEMMA, None, ""),
        (MISTRAL, None, ""),
        (LLAMA, None, ""),
        (FOLDED, None, "<<SYS>>\nBe good.\n<</SYS>>"),
        (ONE_TURN, None, "Answer it."),
    ],
)
def test_the_text_that_a_model_reads_before_a_question_is_reported(
    template: str, system: str | None, read: str
) -> None:
    """The expected texts were written by hand from the templates above."""
    assert system_text(tokenizer(template), {}, parts=False, system=system) == read


def test_the_default_system_text_of_smollm2_is_reported() -> None:
    fast_tokenizer = real()
    assert (
        system_text(fast_tokenizer, {}, parts=False, system=None)
        == "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
    )
    assert system_text(fast_tokenizer, {}, parts=False, system="") == ""
    assert "system" not in render(fast_tokenizer, asked("")).replace("<|im_start|>system\n<|im_end|>\n", "")


def test_an_argument_of_the_template_decides_the_reported_text() -> None:
    fast_tokenizer = tokenizer(
        "{% if kind %}You are kind.{% endif %}{% for m in messages %} USER: {{ m.content }}{% endfor %}"
    )
    assert (
        system_text(fast_tokenizer, {"kind": True}, parts=False, system=None),
        system_text(fast_tokenizer, {}, parts=False, system=None),
    ) == ("You are kind.", "")


@pytest.mark.parametrize(
    ("template", "rendered"),
    [
        (CHATML, "<|im_start|>system\n<|im_end|>\n<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n"),
        (QWEN, "<|im_start|>system\n<|im_end|>\n<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n"),
        (GEMMA, "<bos><|head|>user\na<|tail|>\n<|head|>model\n"),
        (MISTRAL, "<s>[INST] a [/INST]"),
        (LLAMA, "<s>[INST] a [/INST]"),
    ],
)
def test_an_empty_system_text_is_left_out_in_the_way_that_the_template_needs(template: str, rendered: str) -> None:
    """No turn if the template then writes nothing, otherwise an empty turn; training rows are the same."""
    fast_tokenizer = tokenizer(template)
    assert render(fast_tokenizer, asked("")) == rendered
    model = Conversations(fast_tokenizer, ModelUse())
    assert model.row(asked("").messages, user("a", "b")[1:])[0] == model.prompt(asked("")).tokens


@pytest.mark.parametrize(("template", "read"), [(STUBBORN, "'Be kind.'"), (FIXED_DATE + DATED, "Today: 26 Jul 2024")])
def test_a_system_text_that_cannot_be_switched_off_is_refused_in_one_line(template: str, read: str) -> None:
    with pytest.raises(BadInput) as refusal:
        render(tokenizer(template), asked(""))
    message = str(refusal.value)
    assert "writes a system text of its own" in message
    assert read in message
    assert 'even if `system` is ""' in message
    assert "\n" not in message


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model")


def write_model(folder: Path) -> Path:
    """Write a folder whose tokenizer has the special tokens of these templates."""
    write_folder(folder, build_model())
    fast(byte_level(*SPECIAL), QWEN, "<eos>", bos_token="<s>").save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 300}))
    return folder


def put(folder: Path, template: str) -> Path:
    (folder / "chat_template.jinja").write_text(template)
    return folder


def test_before_a_run_an_empty_system_text_is_tried(folder: Path) -> None:
    shapes = [ConversationForm(("system", "user"), empty_system=True)]
    check_rendering(put(folder, GEMMA), ModelUse(), shapes, trained=False)
    check_rendering(put(folder, QWEN), ModelUse(), shapes, trained=False)
    with pytest.raises(BadInput, match=r"writes a system text of its own, 'Be kind\.'"):
        check_rendering(put(folder, STUBBORN), ModelUse(), shapes, trained=False)
    with pytest.raises(BadInput, match="System role not supported"):
        check_rendering(put(folder, GEMMA), ModelUse(), [ConversationForm(("system", "user"))], trained=False)


def test_before_a_run_an_answer_is_tried_after_its_question(folder: Path) -> None:
    """A template without training rows or option probabilities is found before the run, not after hours of sampling."""
    counting = "{{ messages | length }}{% for message in messages %}{{ message.content }}{% endfor %}"
    opening = counting.removeprefix("{{ messages | length }}") + "{% if add_generation_prompt %}<think>{% endif %}"
    turns = ("user", "assistant")
    for template, last, reason in (
        (counting, "row", "renders a question differently once it is answered"),
        (counting, "option", "renders a question differently once it is answered"),
        (opening, "option", "this model thinks before it answers"),
    ):
        put(folder, template)
        check_rendering(
            folder, ModelUse(), [ConversationForm(turns, add_generation_prompt=False)], trained=False
        )  # a classifier's
        with pytest.raises(BadInput, match=reason):
            check_rendering(
                folder, ModelUse(), [ConversationForm(turns, add_generation_prompt=False, last=last)], trained=False
            )
    check_rendering(
        folder, ModelUse(), [ConversationForm(turns, add_generation_prompt=False, last="row")], trained=False
    )
    thinks = ModelUse(thinking=Thinking(enabled=True))  # it is asked for a reply
    check_rendering(
        folder, thinks, [ConversationForm(turns, add_generation_prompt=False, last="option")], trained=False
    )


def test_an_empty_system_text_in_the_users_turn_is_none(folder: Path) -> None:
    fast_tokenizer = load_tokenizer(put(folder, GEMMA), ModelUse(system_turn="user"))
    assert render(fast_tokenizer, asked("")) == "<bos><|head|>user\na<|tail|>\n<|head|>model\n"


FORMATS = [f"%{code}" for code in "aAbBdeFHIjmMpSTuUwWyY"] + [
    "%-d",
    "%-m",
    "%d %b %Y",
    "%B %d, %Y",
    "%Y-%m-%d",
    "%d/%m/%y 100%%",
]


@pytest.fixture
def in_auckland() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Pacific/Auckland"
    time.tzset()
    yield
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


@pytest.mark.parametrize("form", FORMATS)
def test_a_template_that_asks_for_today_gets_one_fixed_date(folder: Path, form: str, in_auckland: None) -> None:
    """The library's own clock shows today's date; Python computes each form of the fixed date."""
    written = "{% macro day() %}{{ strftime_now('FORM') }}{% endmacro %}{{ day() }} {{ messages[0].content }}"
    fast_tokenizer = load_tokenizer(put(folder, written.replace("FORM", form)), ModelUse())
    assert render(fast_tokenizer, asked(None)) == f"{DATE.strftime(form)} a"


def test_the_prompts_of_a_dated_template_are_those_of_any_day_and_of_training(folder: Path, tmp_path: Path) -> None:
    fast_tokenizer = load_tokenizer(put(folder, DATED), ModelUse())
    text = render(fast_tokenizer, asked("Be brief."))
    assert "Today: 26 Jul 2024\n\nBe brief." in text
    assert datetime.now().strftime("%d %b %Y") not in text
    trained = write_model(tmp_path / "trained")
    fast_tokenizer.save_pretrained(trained)
    again = load_tokenizer(trained, ModelUse())
    assert again.chat_template == fast_tokenizer.chat_template == FIXED_DATE + DATED
    model = Conversations(again, ModelUse())
    assert model.row(asked("Be brief.").messages, user("a", "b")[1:])[0] == model.prompt(asked("Be brief.")).tokens
    dated = ModelUse(chat_template_kwargs={"date_string": "1 May 2025"})
    assert "Today: 1 May 2025" in Conversations(again, dated).prompt(asked(None)).text


def test_a_template_without_a_date_is_left_as_it_is(folder: Path) -> None:
    assert load_tokenizer(put(folder, QWEN), ModelUse()).chat_template == QWEN


def test_a_broken_dated_template_is_named_by_its_own_line(folder: Path) -> None:
    put(folder, "\n{{ strftime_now('%d') }}\n{{ m.content }\n")
    for turn in ("template", "user"):
        with pytest.raises(BadInput, match=r"chat_template.jinja: the chat template does not parse: line 3: "):
            render(load_tokenizer(folder, ModelUse(system_turn=turn)), asked(None))


@pytest.mark.parametrize("chance", ["{{ ['a', 'b'] | random }}", "{{ lipsum(n=1) }}", "{{ 'ab'|random }}"])
def test_a_template_that_draws_at_random_is_refused(chance: str) -> None:
    with pytest.raises(BadInput, match="the chat template draws at random"):
        render(tokenizer(chance + "{{ messages[0].content }}"), asked(None))


def test_requests_differ_by_everything_that_a_template_writes() -> None:
    """These texts enter the key of finished batches: the messages of these requests are the same."""
    texts = {Conversations(tokenizer(t), ModelUse()).texts([asked(None)])[0] for t in (CHATML, QWEN, GEMMA)}
    texts.add(Conversations(smol(), ModelUse(chat_template_kwargs={"x": 1})).texts([asked(None)])[0])
    assert len(texts) == 3
    model = Conversations(tokenizer(QWEN.replace("You help.", "You harm.")), ModelUse())
    assert model.texts([asked(None)])[0] not in texts
    assert model.texts([asked(None), asked("")]) == [model.prompt(asked(system)).text for system in (None, "")]


CONFIGURATION = load_configuration(read_yaml(REPOSITORY / "config/config.yaml"), REPOSITORY / "config")
JUDGE = "judge llama-guard-2-8b"


def test_each_role_that_reads_conversations_is_reported_with_its_settings(folder: Path) -> None:
    """A teacher that is a solver reads nothing, an endpoint's template is unknown, and a guard reads its published form."""
    shipped = CONFIGURATION.task("safety")
    assert shipped.judge
    places = {"target": put(folder, QWEN), "teacher": None, JUDGE: folder}

    models = dict.fromkeys(CONFIGURATION.models, Model(folder=folder, size="tiny"))

    def reported(format: str, teacher: str) -> dict[str, tuple[str | None, str | None]]:
        labels = ["failed"] if format == "classifier" else []
        judge = shipped.judge.model_copy(update={"format": format, "failed_labels": labels})  # type: ignore[union-attr]
        answering = shipped.responses.model_copy(update={"system": None})
        task = shipped.model_copy(update={"judge": judge, "teacher": teacher, "responses": answering})
        system_texts = read_system_texts(system_text_readers(task, models, places))
        return {role: (one["configured"], one["read"]) for role, one in system_texts.items()}

    default = "You are Qw. You help."
    assert reported("llama-guard-2", "gpt-4o-mini") == {
        "target": (None, default),
        "teacher": (shipped.references.system, None),
    }
    instructed = JUDGES["instructed"].messages("question", "answer")[0].content
    assert reported("instructed", "arithmetic") == {"target": (None, default), JUDGE: (instructed, instructed)}
    for name in ("answer-first", "strongreject"):
        text = JUDGES[name].messages("another question", "another answer")[0].content
        assert reported(name, "arithmetic")[JUDGE] == (text, text)
    assert reported("classifier", "arithmetic")[JUDGE] == (None, default)


def test_the_stage_writes_what_each_model_reads(folder: Path, tmp_path: Path) -> None:
    listed = [
        {"role": "target", "model": "mine", "use": {}, "folder": str(put(folder, QWEN)), "system": ""},
        {"role": "teacher", "model": "remote", "use": {}, "folder": None, "system": "Be brief."},
    ]
    write_system_texts.main(SystemTextReaders.model_validate({"readers": listed}), tmp_path / "system_texts.json")
    assert json.loads((tmp_path / "system_texts.json").read_text()) == {
        "target": {"model": "mine", "configured": "", "read": ""},
        "teacher": {"model": "remote", "configured": "Be brief.", "read": None},
    }


def test_both_local_engines_identify_a_request_by_the_same_text(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """vLLM's engine needs only a tokenizer for it, and many threads may ask at once. Its text includes the pattern."""
    for name in ("VLLM_ENABLE_V1_MULTIPROCESSING", "VLLM_NO_USAGE_STATS", "VLLM_CPU_OMP_THREADS_BIND", "VLLM_HOST_IP"):
        monkeypatch.setenv(name, "0")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    put(folder, QWEN)
    requests = [asked(None, f"a {n}") for n in range(40)] + [Request(text="<|im_end|>")]
    expected = TransformersEngine(folder, ModelUse(), Decoding(4), 1).request_texts(requests)
    assert expected[0] == Conversations(load_tokenizer(folder, ModelUse()), ModelUse()).prompt(requests[0]).text
    assert expected[-1] == "< |im_end|>"
    engine = VllmEngine(folder, ModelUse(engine="vllm"), Decoding(4), 1)
    with ThreadPoolExecutor(8) as pool:
        for texts in pool.map(engine.request_texts, [requests] * 16):
            assert texts == [f"{text}\0" for text in expected]
    assert engine.request_texts([replace(requests[0], pattern="[ab]")]) == [f"{expected[0]}\0[ab]"]
