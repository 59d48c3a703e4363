"""A fault of a model folder's tokenizer is one line with its file and how to fix it, before a model is loaded or asked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.models import build_model, write_folder
from tests.support.workflows import REPOSITORY, Workflow
from transformers import AutoTokenizer

from reversegen.config.load import read_yaml
from reversegen.config.models import Model, ModelUse
from reversegen.config.task import Task
from reversegen.core.errors import BadInput
from reversegen.core.records import Message
from reversegen.engines.base import Decoding, Request
from reversegen.engines.chat_templates import render
from reversegen.engines.transformers import TransformersEngine
from reversegen.models.loading import load_model, load_tokenizer
from reversegen.operations.doctor.conversations import check_conversations
from reversegen.workflow.configuration import load_configuration
from reversegen.workflow.role_conversations import RoleFolder, RoleFolders, conversation_forms, role_faults

USE = ModelUse(dtype="float32")
TURNS = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" + TURNS
STRICT = (
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{{ m.role }}: {{ m.content }}\n{% endfor %}"
)
QWEN = (
    TURNS + "{% if add_generation_prompt %}assistant:{% if not enable_thinking %}<think></think>{% endif %}{% endif %}"
)
ASKED = Request(messages=[Message(role="system", content="Be brief."), Message(role="user", content="20 + 3")])
PLAIN = Request(messages=ASKED.messages[1:])
ANSWERED = Request(messages=[*PLAIN.messages, Message(role="assistant", content="23"), *PLAIN.messages])
GIVE = "`chat_template` of the model in config/models.yaml"
SYSTEM = "; give the model `system_turn: user` in config/models.yaml, so that a system text opens the user's turn"


def change(file: str, **values: Any) -> Callable[[Path], None]:
    """Set keys of a JSON file in the folder. The value None removes a key."""

    def edit(folder: Path) -> None:
        content = json.loads((folder / file).read_text()) | values
        (folder / file).write_text(json.dumps({key: value for key, value in content.items() if value is not None}))

    return edit


def write(file: str, content: bytes) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        (folder / file).write_bytes(content)

    return edit


def template(text: str) -> Callable[[Path], None]:
    return write("chat_template.jinja", text.encode())


def remove(file: str) -> Callable[[Path], None]:
    return lambda folder: (folder / file).unlink()


def named(*names: str) -> Callable[[Path], None]:
    """Several templates in tokenizer_config.json, as Cohere's folders had them."""

    def edit(folder: Path) -> None:
        (folder / "chat_template.jinja").unlink()
        change("tokenizer_config.json", chat_template=[{"name": n, "template": f"{n} {TURNS}"} for n in names])(folder)

    return edit


def beside(*names: str) -> Callable[[Path], None]:
    """Several templates in a separate folder, as transformers writes them now."""

    def edit(folder: Path) -> None:
        (folder / "chat_template.jinja").unlink()
        (folder / "additional_chat_templates").mkdir()
        for name in names:
            (folder / f"additional_chat_templates/{name}.jinja").write_text(f"{name} {TURNS}")

    return edit


def cut(file: str, keep: int) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        (folder / file).write_bytes((folder / file).read_bytes()[:keep])

    return edit


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("models") / "whole", build_model())


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "mine"))


JINJA, CONFIG = "{folder}/chat_template.jinja", "{folder}/tokenizer_config.json"
FAILS = ": the chat template fails on a conversation of system, user:"
SYNTAX = ": the chat template does not parse: line"
LOST = ": the chat template leaves out the text of the system's turn"
OTHER = f"; give another as {GIVE}"
REFUSED = f"{FAILS} TemplateError: System role not supported{SYSTEM}"
SEVERAL = f"{{folder}}: none of its several chat templates is the default: rag, tool_use; name one as {GIVE}"
UNKNOWN = "is not in the vocabulary of the model, which has {rows} tokens;"
UNREADABLE = "it cannot be read:"


def both(*edits: Callable[[Path], None]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        for one in edits:
            one(folder)

    return edit


FAULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "no template": (
        remove("chat_template.jinja"),
        f"{{folder}}: has no chat template in chat_template.jinja or tokenizer_config.json; give one as {GIVE}",
    ),
    "named in the configuration": (named("rag", "tool_use"), SEVERAL),
    "named in a folder": (beside("rag", "tool_use"), SEVERAL),
    "broken": (
        template("{% for m in messages %}\n{{ m.content }\n{% endfor %}"),
        f"{JINJA}{SYNTAX} 2: TemplateSyntaxError: unexpected '}}}}'{OTHER}",
    ),
    "not closed": (
        template("{% for m in messages %}{{ m.content }}"),
        f"{JINJA}{SYNTAX} 1: TemplateSyntaxError: Unexpected end of template.",
    ),
    "unknown filter": (
        template("{% for m in messages %}{{ m.content | shout }}{% endfor %}"),
        f"{JINJA}{SYNTAX} 1: TemplateAssertionError: No filter named 'shout'.{OTHER}",
    ),
    "refuses a system role": (template(NO_SYSTEM), f"{JINJA}{REFUSED}"),
    "wants strict alternation": (
        template(STRICT),
        f"{JINJA}{FAILS} TemplateError: Conversation roles must alternate user/assistant/user/assistant/...{SYSTEM}",
    ),
    "leaves a system text out": (
        template("{% for m in messages if m.role != 'system' %}{{ m.content }}{% endfor %}"),
        f"{JINJA}{LOST}{SYSTEM}",
    ),
    "leaves all text out": (template("Q: A:"), f"{JINJA}{LOST}{OTHER}"),
    "reads another key": (
        template("{% for m in messages %}{{ m.value }}{% endfor %}"),
        f"{JINJA}{LOST}{OTHER}",
    ),
    "calls what is not there": (
        template("{{ render(messages) }}"),
        f"{JINJA}{FAILS} UndefinedError: 'render' is undefined{OTHER}",
    ),
    "reaches for the machine": (
        template("{{ messages.__class__.__mro__ }}"),
        f"{JINJA}{FAILS} SecurityError: ",
    ),
    "in the configuration": (
        both(remove("chat_template.jinja"), change("tokenizer_config.json", chat_template=NO_SYSTEM)),
        f"{CONFIG}: chat_template{REFUSED}",
    ),
    "no padding and no end": (
        change("tokenizer_config.json", pad_token=None, eos_token=None),
        f"{CONFIG}: it has neither pad_token nor eos_token; name a token of its vocabulary as `pad_token` of the model in",
    ),
    "padding that the model does not know": (
        change("tokenizer_config.json", pad_token="[PAD]"),
        f"{CONFIG}: pad_token '[PAD]' {UNKNOWN} name a token of the vocabulary as `pad_token`",
    ),
    "an end that the model does not know": (
        change("tokenizer_config.json", eos_token="</s>"),
        f"{CONFIG}: eos_token '</s>' {UNKNOWN} correct it there",
    ),
    "half a configuration": (cut("tokenizer_config.json", 60), f"{CONFIG}: {UNREADABLE} "),
    "half a tokenizer": (cut("tokenizer.json", 2000), f"{{folder}}/tokenizer.json: {UNREADABLE} "),
    "an empty tokenizer": (
        cut("tokenizer.json", 0),
        f"{{folder}}/tokenizer.json: {UNREADABLE} Expecting value: line 1 column 1 (char 0); copy the file here again",
    ),
    "a tokenizer of another form": (
        write("tokenizer.json", b'{"version": "1.0"}'),
        "{folder}: its tokenizer cannot be loaded: ",
    ),
    "bytes for a template": (
        write("chat_template.jinja", b"\xff\xfe{{ x }}"),
        f"{JINJA}: {UNREADABLE} 'utf-8' codec can't decode byte 0xff",
    ),
    "a list for a configuration": (
        write("tokenizer_config.json", b"[]"),
        "{folder}: its tokenizer cannot be loaded: ",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_line_before_the_weights_are_loaded(
    folder: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit, line = FAULTS[fault]
    edit(folder)
    monkeypatch.setattr("reversegen.models.loading.load_model", lambda *_: pytest.fail("weights were loaded"))
    with pytest.raises(BadInput) as refusal:
        TransformersEngine(folder, USE, Decoding(4), 1).generate([ASKED], 1, 0)
    message = str(refusal.value)
    assert message.startswith(line.format(folder=folder, rows=build_model().config.vocab_size))
    assert "\n" not in message
    assert len(message) < 600


@pytest.mark.parametrize("text", [NO_SYSTEM, STRICT])
def test_a_system_text_begins_the_user_turn_if_the_model_asks_for_it(folder: Path, text: str) -> None:
    (folder / "chat_template.jinja").write_text(text)
    tokenizer = load_tokenizer(folder, ModelUse(system_turn="user"))
    assert render(tokenizer, ASKED) == "user: Be brief.\n\n20 + 3\n"
    assert render(tokenizer, PLAIN) == "user: 20 + 3\n"
    assert render(tokenizer, ANSWERED) == "user: 20 + 3\nassistant: 23\nuser: 20 + 3\n"
    several = Request(messages=[ASKED.messages[0], *ANSWERED.messages])
    assert render(tokenizer, several) == "user: Be brief.\n\n20 + 3\nassistant: 23\nuser: 20 + 3\n"


def test_a_trained_model_keeps_the_place_of_a_system_text(folder: Path, tmp_path: Path) -> None:
    """Its template alone decides it, for every program that loads the model. The same setting then changes nothing more."""
    (folder / "chat_template.jinja").write_text(NO_SYSTEM)
    own = ModelUse(system_turn="user")
    trained = Path(shutil.copytree(folder, tmp_path / "trained"))
    load_tokenizer(folder, own).save_pretrained(trained)
    turns = [message.model_dump() for message in ASKED.messages]
    alone = AutoTokenizer.from_pretrained(trained).apply_chat_template(turns, tokenize=False)
    again = load_tokenizer(trained, own)
    assert alone == render(again, ASKED) == "user: Be brief.\n\n20 + 3\n"
    assert again.chat_template == load_tokenizer(folder, own).chat_template


def test_a_broken_template_is_named_by_its_own_line_with_either_system_turn(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("\n\n{{ m.content }\n")
    with pytest.raises(BadInput, match=r"mine/chat_template.jinja: the chat template does not parse: line 3: "):
        render(load_tokenizer(folder, ModelUse(system_turn="user")), ASKED)


@pytest.mark.parametrize("edit", [named("default", "rag", "tool_use"), beside("default", "rag", "tool_use")])
def test_of_several_templates_the_default_or_the_named_one_is_used(folder: Path, edit: Callable[[Path], None]) -> None:
    edit(folder)
    assert render(load_tokenizer(folder, USE), PLAIN) == "default user: 20 + 3\n"
    assert render(load_tokenizer(folder, ModelUse(chat_template="rag")), PLAIN) == "rag user: 20 + 3\n"
    assert render(load_tokenizer(folder, ModelUse(chat_template=f"own {TURNS}")), PLAIN) == "own user: 20 + 3\n"
    with pytest.raises(BadInput) as refusal:
        load_tokenizer(folder, ModelUse(chat_template="rags"))
    assert str(refusal.value) == (
        f"config/models.yaml: chat_template: 'rags' is neither Jinja nor the name of a template in {folder}; "
        "name one of default, rag, tool_use"
    )


def test_a_template_name_is_refused_for_a_folder_with_one_template_unless_it_is_trained(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"'rag' is neither Jinja nor the name of a template in .*; give a template"):
        load_tokenizer(folder, ModelUse(chat_template="rag"))


def test_a_template_of_the_configuration_that_fails_is_named_as_such(folder: Path) -> None:
    with pytest.raises(
        BadInput, match=f"^config/models.yaml: chat_template of {folder}: the chat template does not parse"
    ):
        render(load_tokenizer(folder, ModelUse(chat_template="{{ x }")), PLAIN)


def test_a_folder_without_a_chat_template_continues_plain_text(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()
    [[written]] = TransformersEngine(folder, USE, Decoding(4), 1).generate([Request(text="20 + 3")], 1, 0)
    assert written.tokens > 0


def test_strict_alternation_and_a_switch_for_thoughts_are_no_fault(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text(STRICT)
    assert render(load_tokenizer(folder, USE), ANSWERED).startswith("user: 20 + 3\nassistant: 23\n")
    (folder / "chat_template.jinja").write_text(QWEN)
    tokenizer = load_tokenizer(folder, USE)
    asked = Request(messages=PLAIN.messages, template={"enable_thinking": "yes"})
    assert render(tokenizer, asked) == "user: 20 + 3\nassistant:"
    assert render(tokenizer, PLAIN) == "user: 20 + 3\nassistant:<think></think>"


def test_the_message_of_a_template_is_short_and_never_repeats_the_question(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{{ raise_exception('no ' * 5000 ~ messages[0].content) }}")
    with pytest.raises(BadInput) as refusal:
        render(load_tokenizer(folder, USE), Request(messages=[Message(role="user", content="HARMFUL")]))
    assert len(str(refusal.value)) < 700
    (folder / "chat_template.jinja").write_text("{{ raise_exception('no: ' ~ messages[0].content) }}")
    with pytest.raises(BadInput) as refusal:
        render(load_tokenizer(folder, USE), Request(messages=[Message(role="user", content="HARMFUL")]))
    assert "TemplateError: no: question0" in str(refusal.value)
    assert "HARMFUL" not in str(refusal.value)


def test_weights_of_another_shape_are_one_line(folder: Path) -> None:
    change("config.json", hidden_size=32)(folder)
    with pytest.raises(BadInput) as refusal:
        load_model(folder, USE, 1)
    assert str(refusal.value).startswith(f"{folder}: transformers cannot load this model: ")
    assert "\n" not in str(refusal.value)


CONFIGURATION = load_configuration(read_yaml(REPOSITORY / "config/config.yaml"), REPOSITORY / "config")
SYSTEM_AND_USER = ("system", "user")


def with_texts(task: str, **changes: Any) -> Task:
    """A shipped task whose target and teacher get a system text."""
    shipped = CONFIGURATION.task(task)
    texts = {
        part: getattr(shipped, part).model_copy(update={"system": "Be brief."}) for part in ("responses", "references")
    }
    return shipped.model_copy(update=texts | changes)


@pytest.mark.parametrize(
    ("task", "role", "expected"),
    [
        ("tiny-math", "proposer", []),
        ("tiny-math", "target", [(SYSTEM_AND_USER, True), ((*SYSTEM_AND_USER, "assistant"), False)]),
        ("tiny-math", "transfer", [(SYSTEM_AND_USER, True)]),
        ("tiny-math", "judge", []),
        (
            "tiny-honesty",
            "target",
            [
                (SYSTEM_AND_USER, True),
                ((*SYSTEM_AND_USER, "assistant", "user"), True),
                ((*SYSTEM_AND_USER, "assistant", "user", "assistant"), False),
            ],
        ),
        (
            "math",
            "teacher",
            [(SYSTEM_AND_USER, True), (SYSTEM_AND_USER, True), ((*SYSTEM_AND_USER, "assistant"), False)],
        ),
        ("honesty", "teacher", [(SYSTEM_AND_USER, True)]),
        ("tiny-safety", "judge", [(("user", "assistant"), False)]),
        ("safety", "judge", [(("user", "assistant"), True)]),
    ],
)
def test_each_role_has_the_conversations_of_its_task(task: str, role: Any, expected: list[Any]) -> None:
    name = next((judge.name for judge in CONFIGURATION.task(task).judges if role == "judge"), "")
    forms = conversation_forms(with_texts(task), role, name)
    assert [(one.roles, one.add_generation_prompt) for one in forms] == expected


def test_a_judge_is_rendered_in_its_own_format() -> None:
    judge = CONFIGURATION.task("safety").judge
    assert judge
    for name, roles in {"instructed": SYSTEM_AND_USER, "shieldgemma": ("user", "assistant")}.items():
        task = with_texts("safety", judge=judge.model_copy(update={"format": name}))
        [shape] = conversation_forms(task, "judge", "llama-guard-2-8b")
        assert (shape.roles, [key for key, _ in shape.arguments]) == (
            roles,
            ["guideline"] if name == "shieldgemma" else [],
        )


def test_the_first_fault_of_each_role_is_found_and_plain_text_needs_no_template(folder: Path, tmp_path: Path) -> None:
    bare = Path(shutil.copytree(folder, tmp_path / "bare"))
    (bare / "chat_template.jinja").unlink()
    endless = Path(shutil.copytree(folder, tmp_path / "endless"))
    change("tokenizer_config.json", eos_token=None)(endless)
    (folder / "chat_template.jinja").write_text(NO_SYSTEM)
    places = {"mine": folder, "bare": bare, "endless": endless}
    models = {name: Model(folder=place, size="tiny") for name, place in places.items()}
    models["folded"] = Model(folder=folder, size="tiny", system_turn="user")
    own = CONFIGURATION.model_copy(update={"models": models, "tasks": {"math": with_texts("tiny-math")}})
    roles = [(role, name) for role in ("proposer", "target", "teacher") for name in models]
    asked = [
        RoleFolder(task="math.s2" if name == "mine" else "math", role=role, model=name, folder=places.get(name, folder))
        for role, name in roles
    ]
    faults = {
        (role, fault.removeprefix(f"{tmp_path}/").split(":")[0].split("/")[0])
        for _, role, fault in role_faults(RoleFolders(configuration=own, models=asked))
    }
    assert faults == {
        ("proposer", "endless"),
        ("target", "mine"),
        ("target", "bare"),
        ("target", "endless"),
        ("teacher", "mine"),
        ("teacher", "bare"),
    }


@pytest.fixture
def own_models(workflow: Workflow, whole: Path) -> Workflow:
    """A task whose proposer and target are the user's folders."""
    for name in ("good", "bad"):
        shutil.copytree(whole, workflow.folder / name)
    (workflow.folder / "bad/chat_template.jinja").write_text(NO_SYSTEM)
    workflow.change_models({name: {"folder": name, "size": "tiny"} for name in ("good", "bad")})
    workflow.write_task("mine", {"proposer": "good", "target": "bad", "responses": {"system": "Be brief."}})
    return workflow


REFUSAL = (
    "bad/chat_template.jinja: the chat template fails on a conversation of system, user: TemplateError: System role"
)


@pytest.mark.slow
def test_a_run_ends_before_its_first_job_and_names_the_setting_that_fixes_it(own_models: Workflow) -> None:
    done = own_models.run("results/mine/table.md")
    assert done.returncode == 1
    assert f"mine, target: {REFUSAL}" in done.stdout
    assert "system_turn: user" in done.stdout
    assert not list(own_models.folder.glob("results/mine/*.jsonl"))
    assert "Finished job" not in done.stdout
    own_models.change_models({"bad": {"system_turn": "user"}})
    done = own_models.run("results/mine/seeds.jsonl", "results/mine/probe/responses.jsonl")
    assert done.returncode == 0, done.stdout
    log = (own_models.folder / "results/mine/logs/probe/answer_seeds.log").read_text()
    assert "bad: a system text goes before the first user turn, because of `system_turn`" in log


def test_a_run_records_the_system_text_that_a_chat_template_writes(own_models: Workflow) -> None:
    (own_models.folder / "bad/chat_template.jinja").write_text(
        "{% if messages[0].role != 'system' %}system: be kind\n{% endif %}" + TURNS
    )
    for system, read in ((None, "be kind"), ("", ""), ("Be brief.", "Be brief.")):
        own_models.write_task("mine", {"proposer": "good", "target": "bad", "responses": {"system": system}})
        done = own_models.run("results/mine/system_texts.json")
        assert done.returncode == 0, done.stdout
        texts = json.loads((own_models.folder / "results/mine/system_texts.json").read_text())
        assert texts == {"target": {"model": "bad", "configured": system, "read": read}}


@pytest.mark.slow
def test_the_doctor_renders_conversations_and_names_models_that_it_could_not_check(
    own_models: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_models.write_task("mine", {"teacher": "llama3-8b-instruct"}, base="mine")
    places = load_configuration(read_yaml(own_models.folder / "config/config.yaml"), own_models.folder / "config")
    found = list(check_conversations("mine.s1", places, None, own_models.folder))
    skipped, fault, sound = found
    assert (skipped.state, fault.state, sound.state) == ("skipped", "stops", "ok")
    assert skipped.text == "no conversation was rendered for models that are not here yet: teacher llama3-8b-instruct"
    assert fault.text.startswith(f"target: {own_models.folder}/{REFUSAL}")
    shown = "snakemake results/mine.s1/rendered.md shows every token"
    assert sound.text == f"conversations are rendered for proposer; {shown}"
    own_python = places.workflow.python | {"generate": "nonesuch"}
    elsewhere = places.model_copy(update={"workflow": places.workflow.model_copy(update={"python": own_python})})
    skipped, unmade = check_conversations("mine", elsewhere, None, own_models.folder)
    assert (unmade.state, unmade.text) == (
        "skipped",
        "conversations could not be rendered: its environment is not made yet",
    )
