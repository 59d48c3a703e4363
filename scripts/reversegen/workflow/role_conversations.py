"""The conversations of each role of a task, rendered by the tokenizers of its models before anything runs.

`role_faults` finds models that cannot be asked what their role is asked; `read_system_texts` says what each reads as a system
text, which its chat template may write. `conversation_forms` is what a role is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field

from reversegen.config.fields import Section
from reversegen.config.models import Model, ModelUse
from reversegen.config.task import Task
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.core.records import Message
from reversegen.engines.base import Request
from reversegen.judges import JUDGES
from reversegen.kinds import kind_use, open_kind
from reversegen.workflow.stages import STAGES, Role


class RoleFolder(Section):
    """A model folder in a role of a task."""

    task: str
    role: Role
    model: str
    folder: Path


class RoleFolders(Section):
    """The model folders that are looked at in one call: the tasks of all of them are in the configuration."""

    configuration: Configuration
    models: list[RoleFolder]


class ConversationForm(NamedTuple):
    """The form of a conversation, as `chat_templates.templated` takes it."""

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


def conversation_forms(task: Task, role: Role) -> list[ConversationForm]:
    """The conversations of a role: what it is asked, and the rows that it is trained on. None for who gets plain text."""
    if role in ("target", "transfer"):
        question, empty = _question_turns(task.responses.system), task.responses.system == ""
        sure = [(*question, "assistant", "user")] if role == "target" and open_kind(kind_use(task)).choice else []
        turns = (*(sure or [question])[-1], "assistant")
        row = [ConversationForm(turns, False, empty_system=empty, last="row")] if role == "target" else []
        return [*(ConversationForm(roles, empty_system=empty) for roles in [question, *sure]), *row]
    if role == "teacher":
        answer = ConversationForm(_question_turns(task.references.system), empty_system=task.references.system == "")
        if not task.references.solvable:
            return [answer]
        check, empty = _question_turns(task.references.solvable_system), task.references.solvable_system == ""
        option = ConversationForm((*check, "assistant"), False, empty_system=empty, last="option")
        return [answer, ConversationForm(check, empty_system=empty), option]
    if role == "judge" and task.judge:
        if task.judge.format == "classifier":
            return [ConversationForm(("user", "assistant"), add_generation_prompt=False)]
        judge = JUDGES[task.judge.format]
        turns = tuple(message.role for message in judge.messages("question", "answer"))
        return [ConversationForm(turns, parts=judge.parts, arguments=tuple(sorted(judge.template.items())))]
    return []


def _question_turns(system: str | None) -> tuple[str, ...]:
    return ("user",) if system is None else ("system", "user")


def check_rendering(folder: Path, model: ModelUse, forms: list[ConversationForm], *, trained: bool) -> None:
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
    for form in forms:
        request = replace(form.request, template={**template_arguments(model), **dict(form.arguments)})
        templated(tokenizer, request, add_generation_prompt=form.add_generation_prompt)
        *turns, last = request.messages
        if form.last == "row":
            conversations.row(turns, [last])
        elif form.last == "option" and not model.thinks:
            question = Request(messages=turns)
            conversations.completed(conversations.prompt(question), question, last.content)


class SystemTextReader(Section):
    """A role of a task that reads conversations, and the system text that it is given."""

    role: Role
    model: str
    use: ModelUse
    folder: Path | None = Field(description="null for an endpoint")
    system: str | None


class SystemTextReaders(Section):
    """The roles that are looked at in one call."""

    readers: list[SystemTextReader]


def system_text_readers(
    task: Task, models: Mapping[str, Model], folders: Mapping[str, Path | None]
) -> SystemTextReaders:
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
    return SystemTextReaders.model_validate({"readers": listed})


def read_system_texts(roles: SystemTextReaders) -> dict[str, dict[str, str | None]]:
    """By role its model, the system text that is configured, and what the model reads as one; imports transformers.

    What an endpoint's model reads is null: its server renders. Raises BadInput for a chat template that cannot serve.
    """
    from reversegen.engines.conversations import Conversations
    from reversegen.models.loading import load_tokenizer

    texts: dict[str, dict[str, str | None]] = {}
    for reader in roles.readers:
        read = None
        if reader.folder:
            conversations = Conversations(load_tokenizer(reader.folder, reader.use), reader.use)
            read = conversations.system_text(reader.system)
        texts[reader.role] = {"model": reader.model, "configured": reader.system, "read": read}
    return texts


def role_faults(folders: RoleFolders) -> list[tuple[str, Role, str]]:
    """The first fault of each model in each role that it cannot play: task, role, and what is wrong."""
    configuration = folders.configuration
    trained_roles = {stage.role for stage in STAGES.values() if stage.training}
    seen: dict[str, str] = {}
    faults: list[tuple[str, Role, str]] = []
    for one in folders.models:
        task = configuration.task(one.task)
        if one.role == "embedding" and task.embedding and task.embedding.pooling == "sentence":
            continue  # sentence-transformers loads a tokenizer of its own
        forms, trained = conversation_forms(task, one.role), one.role in trained_roles
        key = repr((one.model, forms, trained))
        if key not in seen:  # tasks share models
            seen[key] = ""
            try:
                check_rendering(one.folder, configuration.models[one.model].use, forms, trained=trained)
            except BadInput as error:
                seen[key] = str(error)
        if seen[key]:
            faults.append((one.task, one.role, seen[key]))
    return faults
