"""`rendered.md`: every token of one training row and of one prompt of each role, with the loss mask of the rows.

The tokens of rows are those of the trainers' own batches, and the tokens of prompts those that an engine gives its model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from reversegen.config.judge_settings import CLASSIFIER
from reversegen.config.models import ModelUse
from reversegen.config.task import Task
from reversegen.core.errors import BadInput
from reversegen.core.escaping import markdown_text, visible
from reversegen.core.markdown import SCREEN, filled
from reversegen.core.records import Pair, Seed, TrainingRow
from reversegen.engines.base import Request
from reversegen.engines.chat_templates import folder_stops
from reversegen.engines.conversations import CANNOT_RENDER, Conversations
from reversegen.engines.token_texts import TokenTexts
from reversegen.judges.judge import conversation_text
from reversegen.models.loading import load_tokenizer
from reversegen.training.rendering import BatchedRow, preference_batch, supervised_batch
from reversegen.workflow.role_examples import ANSWER, RESPONSE, RoleExamples, role_examples
from reversegen.worlds import SOLVERS

READING = (
    "Tokens are between `│`. A number is the place of the first token of its line, from 0. `␣` is a space, `⏎` a line break, "
    "`⇥` a tab. Tokens in `⟦⟧` are written by the chat template or by this workflow; in a text from outside they are broken.",
    "`loss` stands before tokens whose probability training raises. Other tokens are only read.",
    "Rows are the trainers' own batches, and prompts are what the engine gives the model. So a row must begin with the tokens "
    "in which the model is asked, and end with a token at which answering stops. Each section says whether it does.",
)
STAND_INS = (
    f'The file needs only seeds and tokenizers. "{ANSWER}" and "{RESPONSE}" stand for texts that only a run gives, and two '
    "seeds for the two sides of a pair."
)
HARMFUL = (
    "Texts of this kind may do harm, so numbers stand in for the seeds. `report: {include_text: true}` in the task shows "
    "the seeds themselves."
)
Loaded = tuple[str, ModelUse, Path | None]
"""The name of a model, how it is loaded, and its folder; no folder for an endpoint."""


def rendered_markdown(name: str, task: Task, seeds: Sequence[Seed], models: Mapping[str, Loaded]) -> str:
    """The file of a task. `models` holds the model of each role that is played by one.

    A prompt or row that cannot be rendered has its error in place of its tokens. Raises BadInput for too few seeds, and for a
    tokenizer that cannot be loaded.
    """
    examples = role_examples(task, seeds, {loaded[0]: loaded[1] for loaded in models.values()})
    notes = [*READING, STAND_INS, *([HARMFUL] if examples.masked else [])]
    parts = [f"# Rendered: {markdown_text(name)}", "\n".join(filled(note, "- ") for note in notes)]
    parts += [text for role in models for text in _role(role, models[role], task, examples)]
    if task.teacher in SOLVERS:
        parts.append(f"## Teacher: {markdown_text(task.teacher)}\n\nAn exact solver, which reads no prompt.")
    return "\n\n".join(parts) + "\n"


def _role(role: str, loaded: Loaded, task: Task, examples: RoleExamples) -> Iterator[str]:
    """The sections of a role: how its model is asked, then the rows on which it is trained."""
    name, use, folder = loaded
    title = f"## {role.partition(' ')[0].capitalize()}: {markdown_text(name)}"
    requests = [
        (what.removesuffix(f" {name}"), request)
        for what, request in examples.prompts.items()
        if what.partition(",")[0] == role
    ]
    if folder is None:
        yield f"{title}\n\n" + filled("Its server renders the messages, so their tokens are not known here.")
        yield from (f"### Prompt of the {what}\n\n{_code(_messages(request))}" for what, request in requests)
        return
    model = _TokenView(folder, use)
    yield f"{title}\n\n{model.stops_line()}"
    whole = any(role == f"judge {judge.model}" and judge.format == CLASSIFIER for judge in task.judges)
    for what, request in requests:
        yield f"### Prompt of the {what}\n\n" + _shown(partial(model.prompt, request, whole=whole))
    if role == "proposer":
        yield "### Row of the warm-up\n\n" + _shown(partial(_warmup, model, examples.warmup, task))
        yield "### Pair: chosen, then rejected\n\n" + _shown(partial(_pair, model, examples.pair, task))
    if role == "target":
        yield "### Row of the enhancement\n\n" + _shown(partial(_enhancement, model, examples.enhancement, task))


def _warmup(model: _TokenView, row: TrainingRow, task: Task) -> str:
    only = task.warmup.completion_only_loss
    [batched] = supervised_batch([row], model.folder, model.use, task.warmup.training, completion_only_loss=only)
    return model.row(batched, row)


def _pair(model: _TokenView, pair: Pair, task: Task) -> str:
    sides = preference_batch(pair, model.folder, model.use, task.preference)
    return "\n\n".join(model.row(side, pair) for side in sides)


def _enhancement(model: _TokenView, row: TrainingRow, task: Task) -> str:
    training = task.enhancement.training
    [batched] = supervised_batch([row], model.folder, model.use, training, completion_only_loss=True)
    return model.row(batched, row)


def _shown(tokens: Callable[[], str]) -> str:
    try:
        return tokens()
    except BadInput as error:
        return _fault(str(error))
    except Exception as error:  # a chat template is a program of its author and may raise any error
        return _fault(f"{CANNOT_RENDER}: {type(error).__name__}: {error}")


def _fault(text: str) -> str:
    return filled(f"**Fault:** {markdown_text(text)}")


def _code(lines: Sequence[str]) -> str:
    """A code block. No line may begin with its fence, whatever a text holds: each begins with a place or a bar."""
    return "\n".join(["```text", *lines, "```"])


def _messages(request: Request) -> list[str]:
    """The messages of a request, as text that cannot end a code block."""
    return [
        f"| {line}"
        for message in request.messages
        for line in (f"{message.role}:", *visible(message.content).split("\n"))
    ]


class _TokenView:
    """Prompts and rows of one model, with the facts about them that a reader must check."""

    def __init__(self, folder: Path, use: ModelUse) -> None:
        self.folder, self.use = folder, use
        self._tokenizer = load_tokenizer(folder, use)
        self._conversations = Conversations(self._tokenizer, use)
        self._stops = folder_stops(folder, self._tokenizer)
        self._texts = TokenTexts(self._tokenizer)

    def stops_line(self) -> str:
        """The tokens at which answering stops, and the padding token."""
        stops = " ".join(self._named(token) for token in self._stops)
        padding = self._named(self._tokenizer.pad_token_id)
        return filled(f"Answering stops at {stops}. Padding is {padding}, which no loss counts.")

    def _named(self, token: int) -> str:
        return f"`{self._texts.text(token).replace('`', '[U+0060]')}` (id {token})"

    def prompt(self, request: Request, *, whole: bool) -> str:
        """The tokens of a prompt. A classifier reads the whole conversation."""
        if whole:
            user, assistant = request.messages
            text = conversation_text(self._tokenizer, user.content, assistant.content)
            tokens = list(self._tokenizer(text, add_special_tokens=False)["input_ids"])
        else:
            tokens = self._conversations.prompt(request).tokens
        return f"{len(tokens)} tokens.\n\n{self._block(tokens, [False] * len(tokens))}"

    def row(self, row: BatchedRow, source: TrainingRow | Pair) -> str:
        """The tokens of a batched row, and whether it begins as it is asked and ends as answering does."""
        asked = source.prompt
        request = Request(text=asked) if isinstance(asked, str) else Request(messages=list(asked))
        prompt = self._conversations.prompt(request).tokens
        facts = [f"{len(row.tokens)} tokens, {sum(row.loss)} with loss."]
        if row.tokens[: len(prompt)] == prompt:
            facts.append(f"The first {len(prompt)} are the prompt as the model is asked it.")
        else:
            facts.append("**Fault:** the model is asked in other tokens than those at the beginning of this row.")
        if row.tokens[-1] in self._stops and row.loss[-1]:
            facts.append("The last one has loss, and answering stops at it.")
        else:
            facts.append(
                "**Fault:** the last one has no loss, or answering does not stop at it, so the model learns no end."
            )
        return f"{filled(' '.join(facts))}\n\n{self._block(row.tokens, row.loss)}"

    def _block(self, tokens: Sequence[int], loss: Sequence[bool]) -> str:
        return _code(self._texts.lines(tokens, loss, SCREEN))


def role_models(task: Task, uses: Mapping[str, Any], folders: Mapping[str, Sequence[Path]]) -> dict[str, Loaded]:
    """The model of each role in `folders` that is played by one; `uses` holds all models by name.

    `folders` has the folders of all judges that have one under `judge`, in their order.
    """
    names = {"proposer": task.proposer, "target": task.target, "teacher": task.teacher}
    loaded: dict[str, Loaded] = {
        role: (name, uses[name].use, folders[role][0] if folders[role] else None)
        for role, name in names.items()
        if name in uses
    }
    judge_folders = iter(folders["judge"])
    for name in (judge.model for judge in task.judges if judge.model):
        folder = None if uses[name].endpoint else next(judge_folders)
        loaded[f"judge {name}"] = (name, uses[name].use, folder)
    return loaded
