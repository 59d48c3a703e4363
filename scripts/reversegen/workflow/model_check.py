"""Whether the models of a task can be asked what their roles are asked, found by their tokenizers before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field

from reversegen.config.load import Configuration, Model, ModelUse, Section, Task
from reversegen.core.errors import BadInput
from reversegen.core.records import Message
from reversegen.engines.base import Request
from reversegen.judges import JUDGES
from reversegen.kinds import kind_use, open_kind

ModelRole = Literal["proposer", "target", "teacher", "judge", "embedding", "transfer"]


class Asked(Section):
    """A model folder in a role of a task."""

    task: str
    role: ModelRole
    model: str
    folder: Path


class AskedModels(Section):
    """What is looked at in one call: the tasks of all of them are in the configuration."""

    configuration: Configuration
    models: list[Asked]


class Shape(NamedTuple):
    """The form of a conversation, as `templates.templated` takes it."""

    roles: tuple[str, ...]
    add_generation_prompt: bool = True
    parts: bool = False
    arguments: tuple[tuple[str, Any], ...] = ()
    empty_system: bool = False
    """Whether the system turn is the empty one that asks for no system text."""
    last: Literal["row", "option"] | None = None
    """What the last turn is behind the question before it: trained on, or scored by its probability."""

    @property
    def request(self) -> Request:
        """A conversation of this form, in plain words."""
        texts = ["" if role == "system" and self.empty_system else f"question{n}" for n, role in enumerate(self.roles)]
        turns = [{"role": role, "content": text} for role, text in zip(self.roles, texts, strict=True)]
        messages = [Message.model_validate(turn) for turn in turns]
        return Request(messages=messages, parts=self.parts, template=dict(self.arguments))


def shapes(task: Task, role: ModelRole) -> list[Shape]:
    """The conversations of a role: what it is asked, and the rows that it is trained on. None for who gets plain text."""
    asked = _asked(task.responses.system)
    empty = task.responses.system == ""
    if role in ("target", "transfer"):
        sure = [(*asked, "assistant", "user")] if role == "target" and open_kind(kind_use(task)).choice else []
        turns = (*(sure or [asked])[-1], "assistant")
        row = [Shape(turns, False, empty_system=empty, last="row")] if role == "target" else []
        return [*(Shape(roles, empty_system=empty) for roles in [asked, *sure]), *row]
    if role == "teacher":
        answer = Shape(_asked(task.references.system), empty_system=task.references.system == "")
        if not task.references.solvable:
            return [answer]
        check, empty = _asked(task.references.solvable_system), task.references.solvable_system == ""
        option = Shape((*check, "assistant"), False, empty_system=empty, last="option")
        return [answer, Shape(check, empty_system=empty), option]
    if role == "judge" and task.judge:
        if task.judge.format == "classifier":
            return [Shape(("user", "assistant"), add_generation_prompt=False)]
        judge = JUDGES[task.judge.format]
        turns = tuple(message.role for message in judge.messages("question", "answer"))
        return [Shape(turns, parts=judge.parts, arguments=tuple(sorted(judge.template.items())))]
    return []


def _asked(system: str | None) -> tuple[str, ...]:
    return ("user",) if system is None else ("system", "user")


def check_model(folder: Path, model: ModelUse, wanted: list[Shape], *, trained: bool) -> None:
    """Load the tokenizer of a folder and render a conversation of each form. Imports transformers.

    Raises BadInput, naming file and fix, for a tokenizer or chat template that cannot serve, such as one that renders a
    question differently once it is answered; for one without an end token if the model is trained, since the end of an
    answer is learnt by it.
    """
    from reversegen.engines.chat_templates import templated
    from reversegen.engines.conversations import Conversations, template_arguments
    from reversegen.models.loading import load_tokenizer

    tokenizer = load_tokenizer(folder, model)
    if trained and tokenizer.eos_token is None:
        raise BadInput(
            f"{folder}/tokenizer_config.json: it has no eos_token, by which a model learns to end its text; name one there"
        )
    conversations = Conversations(tokenizer, model)
    for shape in wanted:
        request = replace(shape.request, template={**template_arguments(model), **dict(shape.arguments)})
        templated(tokenizer, request, add_generation_prompt=shape.add_generation_prompt)
        *asked, last = request.messages
        question = Request(messages=asked)
        if shape.last == "row":
            conversations.row(asked, [last])
        elif shape.last == "option" and not model.thinks:
            conversations.completed(conversations.prompt(question), question, last.content)


class Reader(Section):
    """A role of a task that reads conversations, and the system text that it is given."""

    role: Literal["target", "teacher", "judge"]
    model: str
    use: ModelUse
    folder: Path | None = Field(description="null for an endpoint")
    system: str | None


class Readers(Section):
    """What is rendered in one call."""

    readers: list[Reader]


def readers(task: Task, models: Mapping[str, Model], folders: Mapping[str, Path | None]) -> Readers:
    """The roles of a task, of those in `folders`, that may read a system text; a folder is null for an endpoint.

    A judge of a published form is none: what it reads is that form.
    """
    systems = {"target": task.responses.system, "teacher": task.references.system}
    names = {"target": task.target, "teacher": task.teacher}
    if task.judge and task.judge.format in ("instructed", "classifier"):
        names["judge"], systems["judge"] = task.judge.model, None
        if task.judge.format == "instructed":
            systems["judge"] = JUDGES["instructed"].messages("question", "answer")[0].content
    listed = [
        {
            "role": role,
            "model": name,
            "use": models[name].use.model_dump(),
            "folder": folders[role],
            "system": systems[role],
        }
        for role, name in names.items()
        if name in models and role in folders
    ]
    return Readers.model_validate({"readers": listed})


def system_texts(asked: Readers) -> dict[str, dict[str, str | None]]:
    """By role its model, the system text that is configured, and what the model reads as one; imports transformers.

    What an endpoint's model reads is null: its server renders. Raises BadInput for a chat template that cannot serve.
    """
    from reversegen.engines.conversations import Conversations
    from reversegen.models.loading import load_tokenizer

    told: dict[str, dict[str, str | None]] = {}
    for reader in asked.readers:
        read = None
        if reader.folder:
            conversations = Conversations(load_tokenizer(reader.folder, reader.use), reader.use)
            read = conversations.system_text(reader.system)
        told[reader.role] = {"model": reader.model, "configured": reader.system, "read": read}
    return told


def faults(asked: AskedModels) -> list[tuple[str, ModelRole, str]]:
    """The first fault of each model in each role that it cannot play: task, role, and what is wrong."""
    configuration = asked.configuration
    seen: dict[str, str] = {}
    listed: list[tuple[str, ModelRole, str]] = []
    for one in asked.models:
        task = configuration.task(one.task)
        if one.role == "embedding" and task.embedding and task.embedding.pooling == "sentence":
            continue  # sentence-transformers loads a tokenizer of its own
        wanted, trained = shapes(task, one.role), one.role in ("proposer", "target")
        key = repr((one.model, wanted, trained))
        if key not in seen:  # tasks share models
            seen[key] = ""
            try:
                check_model(one.folder, configuration.models[one.model].use, wanted, trained=trained)
            except BadInput as error:
                seen[key] = str(error)
        if seen[key]:
            listed.append((one.task, one.role, seen[key]))
    return listed
