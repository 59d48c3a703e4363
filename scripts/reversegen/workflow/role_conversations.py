"""The conversations of each role of a task, rendered with the tokenizers of its models before anything runs.

`conversation_forms` gives the conversations of a role. `role_faults` finds models whose tokenizer or chat template cannot
render them. `read_system_texts` gives the system text that each model reads, which its chat template may write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field

from reversegen.config.fields import Section
from reversegen.config.judge_settings import CLASSIFIER
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
    """The folder of a model, and the role that it plays in a task."""

    task: str
    role: Role
    model: str
    folder: Path


class RoleFolders(Section):
    """The model folders to check in one call, with a configuration that has the tasks of all of them."""

    configuration: Configuration
    models: list[RoleFolder]


class ConversationForm(NamedTuple):
    """The form of a conversation, with the arguments of `chat_templates.templated`."""

    roles: tuple[str, ...]
    add_generation_prompt: bool = True
    parts: bool = False
    arguments: tuple[tuple[str, Any], ...] = ()
    empty_system: bool = False
    """Whether the system turn is empty, which asks for no system text."""
    last: Literal["row", "option"] | None = None
    """The use of the last turn: `row` if it is trained on, `option` if its probability is measured."""

    @property
    def request(self) -> Request:
        """A conversation of this form, with placeholder texts."""
        texts = ["" if role == "system" and self.empty_system else f"question{n}" for n, role in enumerate(self.roles)]
        turns = [{"role": role, "content": text} for role, text in zip(self.roles, texts, strict=True)]
        messages = [Message.model_validate(turn) for turn in turns]
        return Request(messages=messages, parts=self.parts, template=dict(self.arguments))


def conversation_forms(task: Task, role: Role, name: str = "") -> list[ConversationForm]:
    """The forms of a role's conversations: those that it is asked, and the rows on which it is trained.

    Empty for a role whose model reads plain text. `name` is the model's, which a judge needs, since a task may have several.
    """
    kind = open_kind(kind_use(task))
    if role in ("target", "transfer"):
        system = kind.system_for("question", task.responses.system)
        question, empty = _question_turns(system), system == ""
        sure = [(*question, "assistant", "user")] if role == "target" and kind.choice else []
        turns = (*(sure or [question])[-1], "assistant")
        row = [ConversationForm(turns, False, empty_system=empty, last="row")] if role == "target" else []
        return [*(ConversationForm(roles, empty_system=empty) for roles in [question, *sure]), *row]
    if role == "teacher":
        system = kind.system_for("question", task.references.system)
        answer = ConversationForm(_question_turns(system), empty_system=system == "")
        if not task.references.solvable:
            return [answer]
        check, empty = _question_turns(task.references.solvable_system), task.references.solvable_system == ""
        option = ConversationForm((*check, "assistant"), False, empty_system=empty, last="option")
        return [answer, ConversationForm(check, empty_system=empty), option]
    if role == "judge" and task.judge and (settings := task.judge.judge(name)):
        if settings.format == CLASSIFIER:
            return [ConversationForm(("user", "assistant"), add_generation_prompt=False)]
        judge = JUDGES[settings.format]
        turns = tuple(message.role for message in judge.messages("question", "answer"))
        return [ConversationForm(turns, parts=judge.parts, arguments=tuple(sorted(judge.template.items())))]
    return []


def _question_turns(system: str | None) -> tuple[str, ...]:
    return ("user",) if system is None else ("system", "user")


def check_rendering(folder: Path, model: ModelUse, forms: list[ConversationForm], *, trained: bool) -> None:
    """Load the tokenizer of a folder and render a conversation of each form. Imports transformers.

    Raises BadInput with file and fix for an unsuitable tokenizer or chat template, such as a template that renders a question
    differently once it is answered. A model that is trained also needs an end token, from which it learns to end an answer.
    """
    from reversegen.engines.chat_templates import templated
    from reversegen.engines.conversations import Conversations, template_arguments
    from reversegen.models.loading import load_tokenizer

    tokenizer = load_tokenizer(folder, model)
    if trained and tokenizer.eos_token is None:
        raise BadInput(
            f"{folder}/tokenizer_config.json: it has no eos_token, from which a model learns to end its text; add one there"
        )
    conversations = Conversations(tokenizer, model)
    for form in forms:
        request = form.request
        if form.add_generation_prompt:
            conversations.prompt(request)
        else:
            arguments = {**template_arguments(model), **dict(form.arguments)}
            templated(tokenizer, replace(request, template=arguments), add_generation_prompt=False)
        *turns, last = request.messages
        if form.last == "row":
            conversations.row(turns, [last])
        elif form.last == "option" and not model.thinks:
            question = Request(messages=turns)
            conversations.completed(conversations.prompt(question), question, last.content)


class SystemTextReader(Section):
    """A role of a task whose model reads conversations, with its configured system text."""

    role: str
    """As in `task_models`."""
    model: str
    use: ModelUse
    folder: Path | None = Field(description="null for an endpoint")
    system: str | None


class SystemTextReaders(Section):
    """The roles to read in one call."""

    readers: list[SystemTextReader]


def system_text_readers(
    task: Task, models: Mapping[str, Model], folders: Mapping[str, Path | None]
) -> SystemTextReaders:
    """The roles in `folders` whose models may read a system text. A folder is None for an endpoint.

    Roles are those of `task_models`. A judge of a published format is left out, because it reads only that format. If a world
    gives each instruction a system text, the text is that of an example.
    """
    kind = open_kind(kind_use(task))
    systems = {
        "target": kind.system_for("question", task.responses.system),
        "teacher": kind.system_for("question", task.references.system),
    }
    names = {"target": task.target, "teacher": task.teacher}
    for judge in task.judges:
        form = JUDGES.get(judge.format)
        if judge.model and (form is None or form.instructs):  # a classifier has no entry
            names[f"judge {judge.model}"] = judge.model
            systems[f"judge {judge.model}"] = form.messages("question", "answer")[0].content if form else None
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
    """By role, the model, its configured system text, and the system text that it really reads. Imports transformers.

    The latter is null for an endpoint, because its server renders the conversation. Raises BadInput for an unsuitable chat
    template.
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
    """The first fault of each model in each role that it cannot play, as task, role and error message."""
    configuration = folders.configuration
    trained_roles = {stage.role for stage in STAGES.values() if stage.training}
    seen: dict[str, str] = {}
    faults: list[tuple[str, Role, str]] = []
    for one in folders.models:
        task = configuration.task(one.task)
        if one.role == "embedding" and task.embedding and task.embedding.pooling == "sentence":
            continue  # sentence-transformers loads its own tokenizer
        forms, trained = conversation_forms(task, one.role, one.model), one.role in trained_roles
        key = repr((one.model, forms, trained))
        if key not in seen:  # checked once, because tasks share models
            seen[key] = ""
            try:
                check_rendering(one.folder, configuration.models[one.model].use, forms, trained=trained)
            except BadInput as error:
                seen[key] = str(error)
        if seen[key]:
            faults.append((one.task, one.role, seen[key]))
    return faults
