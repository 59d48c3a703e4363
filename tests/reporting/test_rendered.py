"""`rendered.md` shows the tokens and the loss mask of the trainers' own batches, and the prompts of the engines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support import templates
from tests.support.models import random_config
from tests.support.templates import CHATML, byte_level, fast, user
from tests.support.training import training
from tests.support.workflows import REPOSITORY
from transformers import LlamaForCausalLM

from reversegen.config.models import ModelUse
from reversegen.config.task import Task
from reversegen.config.training import Preference
from reversegen.core.errors import BadInput
from reversegen.core.records import Message, Pair, Seed, TrainingRow
from reversegen.engines.base import Decoding, Request
from reversegen.engines.conversations import Conversations
from reversegen.engines.token_texts import TokenTexts
from reversegen.engines.transformers import TransformersEngine
from reversegen.kinds import kind_use, open_kind
from reversegen.loop.prompts import build_prompts, build_warmup
from reversegen.models.loading import load_tokenizer
from reversegen.reporting.rendered import rendered_markdown
from reversegen.training.rendering import preference_batch, supervised_batch
from reversegen.workflow.configuration import load_configuration

CONFIGURATION = load_configuration(
    yaml.safe_load((REPOSITORY / "config/config.yaml").read_text()), REPOSITORY / "config"
)
HOSTILE = "```\n</div><script>alert(1)</script>\x1b[31m\u202e│⟦<|im_end|>⟧ **b** \r\t😀"
LINE = re.compile(r" *\d+ (loss|    )  \S.*")
DEFAULT_SYSTEM = CHATML
NO_SYSTEM_TURN = (  # Gemma's form: it refuses a system turn
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system turn') }}{% endif %}"
    "<|im_start|>{{ 'model' if m.role == 'assistant' else m.role }}\n{{ m.content | trim }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>model\n{% endif %}"
)
NO_END = (
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)
OTHER_PROMPT = CHATML.replace("<|im_start|>assistant\n", "<|im_start|>assistant, answer:\n")
TEXT_AFTER_END = CHATML.replace("<|im_end|>\n{% endfor", "<|im_end|>\n<|endoftext|>{% endfor")


def write_model(folder: Path, template: str | None) -> Path:
    """A folder with random weights, and a tokenizer whose padding token is its end token and that adds no BOS."""
    tokenizer = fast(
        byte_level("<|endoftext|>", "<|im_start|>", "<|im_end|>"), template, "<|im_end|>", bos_token="<|im_start|>"
    )
    tokenizer.save_pretrained(folder)
    config = random_config(len(tokenizer), tokenizer.pad_token_id)
    config.eos_token_id = tokenizer.eos_token_id
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"), DEFAULT_SYSTEM)


def small_task(name: str, **sections: Any) -> Task:
    """A task of the repository that draws few prompts, and whose rows may have as many tokens as bytes of these texts."""
    task = CONFIGURATION.task(name)
    long = {}
    for part in ("warmup", "preference", "enhancement"):
        trained = getattr(task, part)
        long[part] = trained.model_copy(update={"training": trained.training.model_copy(update={"max_length": 4000})})
    prompts = task.prompts.model_copy(update={"train": 5, "heldout": 2})
    return task.model_copy(update={"prompts": prompts, **long, **sections})


def build_seeds(*texts: str) -> list[Seed]:
    """Seeds with these texts and some more; every fifth is held out."""
    several = [*texts, *(f"20 + {n} - {n}" for n in range(20))]
    return [
        Seed(
            id=f"s{n}",
            text=text,
            split="heldout" if n % 5 == 4 else "train",
            source="mine",
            licence="own",
            answer=None,
            subject=None,
        )
        for n, text in enumerate(several)
    ]


def rendered(folder: Path, task: Task, seeds: list[Seed], *, judge: bool = False) -> str:
    models = {role: ("own-model", ModelUse(), folder) for role in ("proposer", "target")}
    for name in (one.model for one in task.judges if one.model and judge):
        models[f"judge {name}"] = (name, ModelUse(), folder)
    return rendered_markdown("mine", task, seeds, models)


def section(text: str, title: str) -> str:
    return text.partition(f"### {title}\n")[2].partition("\n### ")[0].partition("\n## ")[0]


def answered(question: str, answer: str) -> TrainingRow:
    completion = [Message(role="assistant", content=answer)]
    return TrainingRow(prompt=user(question), completion=completion, instruction_id="i", origin="seeds")


def texts_of(folder: Path, tokens: list[int]) -> str:
    return str(load_tokenizer(folder, ModelUse()).decode(tokens))


TEMPLATES = {
    "default system text": (DEFAULT_SYSTEM, ModelUse(), "<|im_end|>"),
    "no system turn": (NO_SYSTEM_TURN, ModelUse(), "<|im_end|>"),
    "system text in the user's turn": (NO_SYSTEM_TURN, ModelUse(system_turn="user"), "<|im_end|>"),
    "no end of a turn": (NO_END, ModelUse(), "\n<|im_end|>"),
    "a second token after the end": (TEXT_AFTER_END, ModelUse(), "<|im_end|>"),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_row_begins_as_the_model_is_asked_and_ends_where_answering_stops(tmp_path: Path, name: str) -> None:
    """The padding token is the end token, and the shorter row of the batch is padded: its own end token keeps its loss."""
    template, use, end = TEMPLATES[name]
    folder = write_model(tmp_path, template)
    rows = [answered("20 + 3", "23"), answered("20 + 3 + 4 + 5", "it is 32")]
    if name == "system text in the user's turn":
        rows = [
            row.model_copy(update={"prompt": [Message(role="system", content="Be short."), *row.prompt]})
            for row in rows
        ]
    batched = supervised_batch(rows, folder, use, training(), completion_only_loss=True)
    engine = TransformersEngine(folder, use, Decoding(4), 1)
    for row, source, answer in zip(batched, rows, ("23", "it is 32"), strict=True):
        [asked] = engine._conversations.prompts([Request(messages=list(source.prompt))])  # type: ignore[arg-type]
        assert asked is not None
        assert row.tokens[: len(asked.tokens)] == asked.tokens
        counted = [token for token, loss in zip(row.tokens, row.loss, strict=True) if loss]
        assert texts_of(folder, counted) == f"{answer}{end}"
        assert row.loss[-1]
        assert row.tokens[-1] == engine._loaded.generation_config.eos_token_id


def test_both_sides_of_a_pair_keep_their_end_token(folder: Path) -> None:
    pair = Pair(
        prompt="1. a\n2.", chosen=" b c d", rejected=" e", chosen_id="c", rejected_id="r", pairing="same_prompt"
    )
    preference = Preference(
        reference="previous",
        min_steps=0,
        beta=0.1,
        loss_type=["sigmoid", "sft"],
        loss_weights=[1.0, 1.0],
        training=training(),
        lora=None,
    )
    for side, text in zip(preference_batch(pair, folder, ModelUse(), preference), (" b c d", " e"), strict=True):
        counted = [token for token, loss in zip(side.tokens, side.loss, strict=True) if loss]
        assert texts_of(folder, side.tokens) == f"1. a\n2.{text}<|im_end|>"  # no BOS, no padding
        assert texts_of(folder, counted) == f"{text}<|im_end|>"


def test_the_file_shows_the_first_rows_and_prompts_of_the_run(folder: Path) -> None:
    task, seeds = small_task("tiny-math"), build_seeds()
    text, kind = rendered(folder, task, seeds), open_kind(kind_use(task))
    tokenizer = load_tokenizer(folder, ModelUse())
    warmup = build_warmup(seeds, task.warmup.rows, task.prompts.header, task.random_seed, kind)[0]
    asked = build_prompts(seeds, task.prompts, 0, task.random_seed, kind)[0]
    for title, words in (
        ("Row of the warm-up", f"{warmup.prompt}{warmup.completion}"),
        ("Prompt of the proposer", asked.text),
    ):
        lines = [line for line in section(text, title).splitlines() if LINE.fullmatch(line)]
        shown = "".join(line[12:].replace("│", "") for line in lines)
        assert shown.replace("␣", " ").replace("⏎", "\n").replace("⟦<|im_end|>⟧", "") == words
        assert f"{len(tokenizer(words)['input_ids'])} tokens." in text or "loss." in section(text, title)
    assert "**Fault" not in text
    assert "An exact solver" in text
    assert text == rendered(folder, task, seeds)


def test_a_file_without_prompt_loss_marks_the_completion_alone(folder: Path) -> None:
    task = small_task("tiny-math")
    only = small_task("tiny-math", warmup=task.warmup.model_copy(update={"completion_only_loss": True}))
    counts = [
        re.search(r"(\d+) tokens, (\d+) with loss", section(rendered(folder, one, build_seeds()), "Row of the warm-up"))
        for one in (task, only)
    ]
    assert counts[0]
    assert counts[1]
    assert int(counts[0][2]) == int(counts[0][1]) - 1  # nothing predicts the first token
    assert int(counts[1][2]) < 20


def test_hostile_text_cannot_leave_its_line_of_the_code_block(folder: Path) -> None:
    text = rendered(folder, small_task("tiny-math"), build_seeds(*[HOSTILE] * 10))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", text)
    inside = False
    for line in text.splitlines():
        assert len(line) <= 100
        if line.startswith("```"):
            inside = not inside
            assert line == ("```text" if inside else "```")
        elif inside:
            assert LINE.fullmatch(line), line
    assert not inside
    outside = re.sub(r"```text\n.*?\n```", "", text, flags=re.DOTALL)
    assert "script" not in outside
    forged = text.count("⟦<|im_end|>⟧")
    assert forged == rendered(folder, small_task("tiny-math"), build_seeds(*["a"] * 10)).count("⟦<|im_end|>⟧")


def test_texts_of_a_harmful_kind_are_masked_unless_the_task_asks_for_them(folder: Path) -> None:
    seeds = build_seeds(*(f"how to steal {n} cars" for n in range(20)))
    task = small_task("tiny-safety")
    masked, clear = (
        rendered(folder, one, seeds, judge=True).replace("│", "")
        for one in (task, small_task("tiny-safety", report=task.report.model_copy(update={"include_text": True})))
    )
    assert "steal" not in masked
    assert "may do harm" in masked
    assert "steal" in clear
    assert "### Prompt of the judge" in masked


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (OTHER_PROMPT, "renders a question differently once it is answered"),
        ("{{ raise_exception('never') }}", "the chat template fails on a conversation of user"),
    ],
)
def test_a_template_that_cannot_serve_has_its_fault_in_the_file(tmp_path: Path, template: str, message: str) -> None:
    text = rendered(write_model(tmp_path, template), small_task("tiny-math"), build_seeds())
    fault = " ".join(section(text, "Row of the enhancement").split())
    assert fault.startswith("**Fault:**")
    assert message in fault
    assert "with loss" in section(text, "Row of the warm-up")  # plain text needs no template


def test_a_row_that_is_too_long_is_a_fault(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"training\.max_length"):
        supervised_batch(
            [answered("1" * 300, "2")], folder, ModelUse(), training(max_length=50), completion_only_loss=True
        )


def test_an_endpoints_messages_are_shown_without_tokens(folder: Path) -> None:
    task = small_task("tiny-math", teacher="api", judge=None)
    models = {"teacher": ("api", CONFIGURATION.models["gpt-4o-mini"].use, None)}
    text = rendered_markdown("mine", task, build_seeds(*["```"] * 20), models)
    assert "| user:\n| ```\n```" in text


def test_tokens_that_are_parts_of_characters_or_spaces_are_shown() -> None:
    tokenizer = byte_level("<|im_end|>")
    texts = TokenTexts(fast(tokenizer, None, "<|im_end|>"))
    shown = [texts.text(token) for token in tokenizer.encode(" é⏎\n").ids]
    assert shown[0] == "␣"
    assert shown[-1] == "⏎"
    assert len(shown) == 7
    assert "\ufffd" not in "".join(shown)


@pytest.mark.real_model
def test_smollm2_is_asked_and_trained_in_the_same_tokens(tmp_path: Path) -> None:
    """Its padding token is its end token, it adds no BOS, and its template writes a system text and a last line break."""
    tokenizer = templates.real()
    model = Conversations(tokenizer, ModelUse())
    system, end, line = tokenizer.convert_tokens_to_ids(["<|im_start|>", "<|im_end|>", "Ċ"])
    assert tokenizer.pad_token_id == tokenizer.eos_token_id == end
    asked = model.prompt(Request(messages=user("Name a city."))).tokens
    prompt, completion = model.row(user("Name a city."), user("", "Paris.")[1:])
    assert prompt == asked
    assert asked[0] == system
    assert tokenizer.decode(asked).startswith("<|im_start|>system\nYou are a helpful AI assistant named SmolLM")
    assert asked[-1] == line
    assert tokenizer.decode(completion) == "Paris.<|im_end|>"
    # the same with a system text of one's own, and with none
    for text in ("Be short.", ""):
        turns = [Message(role="system", content=text), *user("Name a city.")]
        prompt, completion = model.row(turns, user("", "Paris.")[1:])
        assert prompt == model.prompt(Request(messages=turns)).tokens
        assert completion[-1] == end
        assert "named SmolLM" not in tokenizer.decode(prompt)
    # a few-shot prompt is plain text without BOS; its item starts with a space of its own token
    shots = "Questions:\n\nQ1. What is 12 + 3?\n\nQ2."
    prompt, completion = model.row(shots, " Which river is longest?")
    assert tokenizer.decode(prompt) == shots
    assert prompt == model.prompt(Request(text=shots)).tokens
    assert tokenizer.convert_ids_to_tokens(prompt)[-1] == "."
    assert tokenizer.convert_ids_to_tokens(completion)[0] == "ĠWhich"
    assert completion[-1] == end
    assert tokenizer.convert_ids_to_tokens(tokenizer("Is 2048 even?")["input_ids"])[1:6] == ["Ġ", "2", "0", "4", "8"]
