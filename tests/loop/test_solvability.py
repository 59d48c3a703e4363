"""The teacher's own probabilities decide whether an instruction can be solved, under a system text for this question.

The tests run the stage itself, with the folder of a tiny model and with a server on this machine.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.endpoint_server import KEY, EndpointServer
from tests.support.models import build_model
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

import write_references
from reversegen.config.models import Endpoint, Limits, ModelUse, Thinking
from reversegen.config.task import KindUse, Teaching
from reversegen.core.records import Instruction, Reference, read_records, write_records
from reversegen.loop.solvability import gives_probabilities
from reversegen.training.pretraining import build_tokenizer

QUESTIONS = [f"what is {a} {sign} {b} ?" for sign in ("plus", "minus") for a in (20, 35, 58, 61) for b in (2, 3, 9)]
SOLVABLE, JUDGE = "how many ?", "has more"
DEFAULT = "how many pens"
TEMPLATE = (
    "{% if messages[0]['role'] != 'system' %}" + DEFAULT + " {% endif %}"
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %} {{ message['content'] }}{{ eos_token }}"
    "{% elif message['role'] == 'system' %}{{ message['content'] }} "
    "{% else %}Q: {{ message['content'] }} A:{% endif %}{% endfor %}"
)
"""Like Qwen2.5-Math's template, it writes a system text of its own if none is given."""


def tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer of the arithmetic's words, and of yes and no in the spellings of models."""
    built: PreTrainedTokenizerFast = build_tokenizer("arithmetic")
    built.add_tokens(["Yes", "yes", "No", "no"])
    built.chat_template = TEMPLATE
    return built


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    return build_model(seed=6, vocab_size=len(tokenizer()))


@pytest.fixture(scope="module")
def folder(model: LlamaForCausalLM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("models") / "teacher"
    tokenizer().save_pretrained(place)
    model.save_pretrained(place)
    return place


def teaching(**changes: Any) -> Teaching:
    return Teaching.model_validate(
        {
            "system": None,
            "max_new_tokens": 4,
            "batch_size": 5,
            "samples": 1,
            "agreeing": 1,
            "temperature": 0.7,
            "solvable": SOLVABLE,
            "solvable_system": JUDGE,
            **changes,
        }
    )


def run_stage(
    place: Path, use: ModelUse, folders: list[Path], settings: Teaching, questions: list[str], **limits: Any
) -> list[Reference]:
    """The references that scripts/write_references.py writes for these questions."""
    instructions = [
        Instruction(
            id=f"id {n}",
            text=text,
            answer=None,
            subject=None,
            samples=[],
            splits=["train"],
            invalid=None,
            duplicate_of=None,
        )
        for n, text in enumerate(questions)
    ]
    place.mkdir(exist_ok=True)
    write_records(place / "instructions.jsonl", instructions)
    write_references.main(
        questions=[place / "instructions.jsonl"],
        record="instructions",
        folder=folders,
        references=place / "references.jsonl",
        kind=KindUse(name="math"),
        teacher="teacher",
        model=use,
        endpoint_limits=Limits(**limits) if use.endpoint else None,
        settings=settings,
        arm="iter1",
        checker_timeout=1.0,
        random_seed=0,
        shard="1-of-1",
        threads=1,
    )
    return read_records(place / "references.jsonl", Reference)


SPELLINGS = (("Yes", "yes"), ("No", "no"))


def yes_by_hand(model: LlamaForCausalLM, prompt: str, spellings: Any = SPELLINGS) -> float:
    """The probability of these words in total, by the softmax over the whole vocabulary at the end of a prompt."""
    words = tokenizer()
    with torch.inference_mode():
        logits = model(torch.tensor([words(prompt)["input_ids"]])).logits[0, -1].double()
    shares = torch.softmax(logits, 0)
    yes, no = (sum(float(shares[words.convert_tokens_to_ids(word)]) for word in several) for several in spellings)
    return yes / (yes + no)


@pytest.mark.parametrize("system", [JUDGE, None])
def test_a_local_teacher_answers_what_its_probabilities_call_solvable(
    model: LlamaForCausalLM, folder: Path, tmp_path: Path, system: str | None
) -> None:
    references = run_stage(
        tmp_path / "run", ModelUse(dtype="float32"), [folder], teaching(solvable_system=system), QUESTIONS
    )
    opening = system or DEFAULT  # the system text that the template writes itself
    by_hand = [yes_by_hand(model, f"{opening} Q: {question} {SOLVABLE} A:") for question in QUESTIONS]
    assert min(abs(share - 0.5) for share in by_hand) > 1e-3
    assert [row.invalid != "not solvable" for row in references] == [share > 0.5 for share in by_hand]
    assert 3 < sum(share > 0.5 for share in by_hand) < len(QUESTIONS) - 3
    with_other_text = [yes_by_hand(model, f"{DEFAULT if system else JUDGE} Q: {q} {SOLVABLE} A:") for q in QUESTIONS]
    assert [share > 0.5 for share in with_other_text] != [share > 0.5 for share in by_hand]  # the system text counts
    one = [yes_by_hand(model, f"{opening} Q: {q} {SOLVABLE} A:", (("yes",), ("no",))) for q in QUESTIONS]
    assert [share > 0.5 for share in one] != [share > 0.5 for share in by_hand]  # the other spelling counts too


def endpoint_use(server: EndpointServer) -> ModelUse:
    return ModelUse(endpoint=Endpoint(base_url=server.url, model="some-model", api_key_env="REVERSEGEN_TEST_KEY"))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EndpointServer]:
    monkeypatch.setenv("REVERSEGEN_TEST_KEY", KEY)
    with EndpointServer().running() as running:
        yield running


def test_the_conclusion_of_an_endpoints_reply_counts(server: EndpointServer, tmp_path: Path) -> None:
    replies = {
        "two ?": ("All numbers are given, so the answer is **yes**.", "#### 2"),
        "three ?": ("The price of a pen is missing. Therefore, no.", None),
        "four ?": ("It depends on the pen.", None),
        "five ?": ("Yes", "#### 5"),
    }
    for question, (check, solution) in replies.items():
        server.said[f"{question}\n\n{SOLVABLE}"] = check
        server.said[question] = solution
    references = run_stage(tmp_path / "run", endpoint_use(server), [], teaching(system="Solve it."), list(replies))
    assert [(row.answer, row.invalid) for row in references] == [
        ("2", None),
        (None, "not solvable"),
        (None, "solvability unreadable"),
        ("5", None),
    ]
    checks = [body for body in server.bodies if body["messages"][-1]["content"].endswith(SOLVABLE)]
    assert len(checks) == 4
    for body in checks:
        assert [(turn["role"], turn["content"]) for turn in body["messages"][:-1]] == [("system", JUDGE)]
        assert (body["max_tokens"], body["temperature"]) == (256, 0.0)
    assert {body["max_tokens"] for body in server.bodies if body not in checks} == {4}


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ({}, True),
        ({"engine": "vllm"}, True),
        ({"thinking": Thinking(enabled=False)}, True),
        ({"thinking": Thinking(enabled=True, max_tokens=9)}, False),
        ({"endpoint": Endpoint(base_url="https://api.example.org/v1", model="m", api_key_env="A_KEY")}, False),
    ],
)
def test_a_model_that_thinks_and_an_endpoint_write_a_reply(use: dict[str, Any], expected: bool) -> None:
    assert gives_probabilities(ModelUse(**use)) is expected


def test_a_teacher_that_thinks_is_asked_for_a_reply(folder: Path, tmp_path: Path) -> None:
    thinking = ModelUse(dtype="float32", thinking=Thinking(enabled=True, max_tokens=3))
    references = run_stage(tmp_path / "run", thinking, [folder], teaching(), QUESTIONS[:3])
    assert {row.invalid for row in references} <= {
        "solvability unreadable",
        "response ends inside its thought",
        "not solvable",
    }
