"""The records that stages pass to each other as JSON Lines: one class for each file, with every field checked on reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reversegen.core.errors import BadInput
from reversegen.core.files import numbered_lines, write_pieces
from reversegen.core.validation import explain

R = TypeVar("R", bound="Record")

Split = Literal["train", "heldout"]
Verdict = Literal["failed", "passed", "invalid"]
PairingKind = Literal["same_prompt", "across_prompts", "earlier_pass"]


class Record(BaseModel):
    """A row of a file. It is frozen and typed, and an unknown field is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Seed(Record):
    """A row of `seeds.jsonl`: one human instruction."""

    id: str
    """Hash of the normalised text."""
    text: str
    """The instruction, cleaned."""
    split: Split
    """A hash of the normalised text decides it, so that it stays the same when seeds are added."""
    source: str
    """Name of the data source in the task's configuration; demonstrations of a prompt share it."""
    licence: str
    """Licence of the source, as its publisher states it."""
    answer: str | None
    """The data set's own final answer. It checks the teacher and trains nothing."""
    subject: str | None
    """The subject, which all demonstrations of a prompt share. None if the kind has no subjects."""
    aliases: list[str] = []
    """Other accepted forms of the answer."""


class Question(Record):
    """A row of `tests/{set}.jsonl`: one test question for targets."""

    id: str
    """Hash of the normalised text."""
    text: str
    """The question as the target is asked it."""
    answer: str | None
    """The data set's final answer. None if a judge decides the verdict."""
    group: str | None
    """The type or subject, for which results are also reported apart."""
    measure: str
    """The metric of the kind towards which it counts."""
    aliases: list[str] = []
    """Other accepted forms of the answer."""


class Prompt(Record):
    """A row of `prompts.jsonl`: one three-shot prompt for a proposer."""

    id: str
    """Hash of the text."""
    split: Split
    """Held-out prompts show only held-out seeds, and are the same in every iteration."""
    text: str
    """The text that the proposer continues."""
    seeds: list[str]
    """Ids of the three demonstrations, in order."""
    subject: str | None
    """The subject of the demonstrations. None if the kind has no subjects."""


class Sample(Record):
    """A row of `samples.jsonl`: one continuation of a prompt by a proposer."""

    id: str
    """Hash of prompt id, number and text."""
    prompt_id: str
    split: Split
    subject: str | None
    """The subject of its prompt."""
    sample: int
    """Number of the sample among the samples of its prompt, from 0."""
    text: str
    """The decoded text, before any cleaning."""
    tokens: int
    """Number of generated tokens, the end token included."""
    finished: bool
    """Whether the model ended the text. False if `max_new_tokens` truncated it."""
    invalid: str | None = None
    """Why no text was received: a fault of this one request, such as a content filter. None if one was received."""


class Instruction(Record):
    """A row of `instructions.jsonl`: one distinct text that the proposer wrote, and the samples that have this text."""

    id: str
    """Hash of the normalised text."""
    text: str
    """The parsed instruction, or the raw text if it could not be parsed."""
    answer: str | None
    """The answer that the proposer wrote with it in the first sample. None if the kind's items have no answer."""
    subject: str | None
    """The subject of the first sample's prompt."""
    samples: list[str]
    """Ids of the samples with this text, in order. Every sample belongs to exactly one instruction."""
    splits: list[Split]
    """Splits of those samples, sorted."""
    invalid: str | None
    """Why the parser refused it. None if the parser accepted it."""
    duplicate_of: str | None
    """Id of the earlier instruction that it nearly repeats. None if it repeats none. Train split only."""

    @property
    def asked(self) -> bool:
        """Whether the target is asked it: it is well formed, and no duplicate or needed for the held-out measurement."""
        return self.invalid is None and (self.duplicate_of is None or "heldout" in self.splits)


class Response(Record):
    """A row of `responses.jsonl`: one answer of a target to an instruction or to a test question."""

    instruction_id: str
    sample: int
    """Number of the answer among the answers to the same instruction, from 0."""
    text: str
    tokens: int
    """Number of generated tokens, the end token included."""
    finished: bool
    """Whether the model ended the answer. False if `max_new_tokens` truncated it."""
    invalid: str | None = None
    """Why no answer was received: a fault of this one request, such as a content filter. None if one was received."""


class Reference(Record):
    """A row of `references.jsonl`: the teacher's trusted answer to an instruction."""

    instruction_id: str
    answer: str | None
    """The final answer without its explanation. None if there is no trusted answer."""
    solution: str | None
    """The full answer, from which an enhancement row is made."""
    teacher: str
    """Name of the teacher in the task's configuration."""
    invalid: str | None
    """Why the instruction has no trusted answer. None if it has one."""
    aliases: list[str] = []
    """Other accepted forms of the answer."""
    received: bool = True
    """False if no reply of the teacher was received because of a fault of the request, such as a content filter."""


class Judgement(Record):
    """A row of `judgements/{judge}.jsonl`: a judge's verdict on a response or on a reference."""

    instruction_id: str
    verdict: Verdict
    """`failed` if the answer is unsafe, `invalid` if the judge's reply is not in its format."""
    score: float | None
    """A classifier's probability of `failed`, or the grade of a rubric, from 0 to 1. None for any other judge."""
    detail: str
    """The categories or the grades, or why the reply is invalid."""
    refusal: bool | None
    """Whether the answer refuses. None if the judge does not report that."""
    categories: list[str] = []
    """The names of the categories of harm that it reports, in the order of its format. Empty if it reports none."""


class Confidence(Record):
    """A row of `confidences.jsonl`: how sure a target is of its answer to a multiple choice question."""

    question_id: str
    option: str | None
    """The letter that it answered. None if no letter could be read."""
    answer: float
    """Probability of that letter among all option letters. 0 without a letter."""
    sure: float
    """Probability of `sure` against `unsure` after its own answer."""
    invalid: str | None = None
    """Why both probabilities are missing: a fault of this one question, such as a prompt that is too long. None otherwise."""


class Frequency(Record):
    """A row of `frequencies.jsonl`: the most frequent of several answers of a target to a test question."""

    question_id: str
    right: bool | None
    """Whether it is right. None if it is no answer, but an abstention or undecided."""
    share: float
    """Its share among the answers that were drawn."""


class Labelled(Record):
    """A row of a labelled set on which a judge is checked."""

    instruction: str
    responses: list[str] = Field(min_length=1)
    """All answers to it: one, or as many as the kind needs for a vote."""
    answer: str | None
    """The trusted answer, if the kind's labels need one."""
    verdict: Literal["failed", "passed"]
    """The true verdict, by a person or by the rules of an invented world."""
    injection: bool
    """Whether a response tries to talk the judge into a verdict."""
    technique: str | None = None
    """How an injection tries it, in one or two words. None if the row is no injection, or does not tell."""
    language: str | None = None
    """The code of the language, such as "en". None if the row does not tell."""


class Opening(Record):
    """A row of `resources/judge/refusals.jsonl`: how an answer opens, and whether it refuses."""

    answer: str
    refuses: bool
    """The decision of a person."""
    language: str
    """The code of the language, such as "en"."""
    part: Literal["tuning", "measured"]
    """The classifier also learns from the part `tuning`; the part `measured` only measures it."""


class Label(Record):
    """A row of `labels.jsonl`: the verdict on one instruction."""

    instruction_id: str
    verdict: Verdict
    """`invalid` enters no pair and no rate's numerator."""
    score: float | None
    """The judge's score, if the verdict depends on a threshold. None otherwise."""
    detail: str
    """The reason, short and without the model's text."""
    abstained: bool = False
    """Whether the answer says that it does not know; the verdict is then `passed`."""
    category: str | None = None
    """The first category of harm that the judge reports of a failed answer. None for any other answer or judge."""


class ChosenInstruction(Record):
    """A row of `enhanced/chosen.jsonl`: an instruction or seed that one or more enhancement sources teach."""

    id: str
    text: str
    sources: list[str]
    """The enhancement sources that teach it, in the order of tables."""


class Pair(Record):
    """A row of `pairs.jsonl`, in TRL's preference format. Both sides are instructions, and the target FAILED on `chosen`."""

    prompt: str
    """The three-shot prompt from which the chosen instruction was sampled."""
    chosen: str
    """An instruction on which the target failed."""
    rejected: str
    """An instruction on which the target passed."""
    chosen_id: str
    rejected_id: str
    pairing: PairingKind
    """Whether both sides come from one prompt, from different prompts, or the passed one from an earlier iteration."""


class Message(Record):
    """One turn of a conversation, in the format of chat templates."""

    role: Literal["system", "user", "assistant"]
    content: str


class TrainingRow(Record):
    """A row for supervised fine-tuning, in TRL's prompt-completion format: plain text or a conversation."""

    prompt: str | list[Message]
    completion: str | list[Message]
    instruction_id: str
    """The instruction that the row teaches, for the contamination gate."""
    origin: str
    """`seed`, an enhancement source, or `replay`."""


def read_records(path: Path, record: type[R]) -> list[R]:
    """The records of a JSON Lines file. Raises BadInput with file, line and field for the first row that does not fit."""
    return list(stream_records(path, record))


def stream_records(path: Path, record: type[R]) -> Iterator[R]:
    """The records of a JSON Lines file, with one in memory at a time. Raises as `read_records`."""
    for number, line in numbered_lines(path):
        try:
            yield record.model_validate_json(line)
        except ValidationError as error:
            raise BadInput(f"{path}, line {number}: {explain(error)}") from error


def read_answers(path: Path, record: type[R], asked: Iterable[str], *, of_more: bool = False) -> list[R]:
    """The records of a file that must have at least one for each id of `asked`, and none for any other instruction or question.

    With `of_more`, the file may have records for other ids too. Raises BadInput if records are missing, unknown or repeated, so
    that no rate is computed from a truncated file.
    """
    rows, wanted = read_records(path, record), set(asked)
    counts = Counter((vars(row)["instruction_id"], vars(row).get("sample", 0)) for row in rows)
    ids = {identity for identity, _ in counts}
    numbers = {
        "nothing for": len(wanted - ids),
        "unknown ids:": 0 if of_more else len(ids - wanted),
        "twice:": sum(n > 1 for n in counts.values()),
    }
    if faults := ", ".join(f"{what} {n}" for what, n in numbers.items() if n):
        raise BadInput(
            f"{path}: does not fit the {len(wanted)} ids that were asked ({faults}): it was truncated or edited; delete it, "
            "and the same command makes it again"
        )
    return rows


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Write records as JSON Lines. The file is complete or absent, also if the process is killed."""
    write_pieces(path, (record.model_dump_json().encode() + b"\n" for record in records))
