"""The records that stages hand to each other: JSON Lines, one class per file, every field checked on reading."""

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
    """A row of a file: frozen, typed, no unknown field."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Seed(Record):
    """A row of `seeds.jsonl`: one human instruction."""

    id: str
    """Hash of the normalised text."""
    text: str
    """The instruction, cleaned."""
    split: Split
    """Decided by a hash of the normalised text, so that it never changes when seeds are added."""
    source: str
    """Name of the data source in the task's configuration; demonstrations of a prompt share it."""
    licence: str
    """Licence of the source, as its publisher states it."""
    answer: str | None
    """The data set's own final answer: it checks the teacher and trains nothing."""
    subject: str | None
    """What the demonstrations of one prompt share beside the source; None if the kind has no subjects."""


class Question(Record):
    """A row of `tests/{set}.jsonl`: one test question for targets."""

    id: str
    """Hash of the normalised text."""
    text: str
    """What the target is asked."""
    answer: str | None
    """The data set's final answer; None if the verdict is a judge's."""
    group: str | None
    """The type or subject that results are also reported for."""
    measure: str
    """The metric that it counts for, one of its kind's."""


class Prompt(Record):
    """A row of `prompts.jsonl`: one three-shot prompt for a proposer."""

    id: str
    """Hash of the text."""
    split: Split
    """Held-out prompts show held-out seeds only, and are the same in every iteration."""
    text: str
    """What the proposer continues."""
    seeds: list[str]
    """Ids of the three demonstrations, in order."""
    subject: str | None
    """What the demonstrations share; None if the kind has no subjects."""


class Sample(Record):
    """A row of `samples.jsonl`: one continuation of a prompt by a proposer."""

    id: str
    """Hash of prompt id, number and text."""
    prompt_id: str
    split: Split
    subject: str | None
    """That of its prompt."""
    sample: int
    """Number of the sample among those of its prompt, from 0."""
    text: str
    """As decoded, before any cleaning."""
    tokens: int
    """Generated tokens, the end token included."""
    finished: bool
    """Whether it ended by itself; False where it ran into `max_new_tokens`."""
    invalid: str | None = None
    """Why there is none: a fault of this one request, such as a content filter. None if one was received."""


class Instruction(Record):
    """A row of `instructions.jsonl`: one distinct text that the proposer wrote, and the samples that say it."""

    id: str
    """Hash of the normalised text."""
    text: str
    """The parsed instruction; the raw text where it could not be parsed."""
    answer: str | None
    """The answer that the proposer wrote beside it, of the first sample; None if the kind's items carry none."""
    subject: str | None
    """That of the first sample's prompt."""
    samples: list[str]
    """Ids of the samples that say it, in order. Every sample belongs to exactly one instruction."""
    splits: list[Split]
    """Splits of those samples, sorted."""
    invalid: str | None
    """Why the parser refused it; None if it did not."""
    duplicate_of: str | None
    """Id of the earlier instruction that it nearly repeats; None if it is kept. Train split only."""

    @property
    def asked(self) -> bool:
        """Whether the target is asked it: well formed, and kept or needed for the held-out measurement."""
        return self.invalid is None and (self.duplicate_of is None or "heldout" in self.splits)


class Response(Record):
    """A row of `responses.jsonl`: one answer of a target to an instruction or to a test question."""

    instruction_id: str
    sample: int
    """Number of the answer among those to the same instruction, from 0."""
    text: str
    tokens: int
    """Generated tokens, the end token included."""
    finished: bool
    """Whether it ended by itself; False where it ran into `max_new_tokens`."""
    invalid: str | None = None
    """Why there is none: a fault of this one request, such as a content filter. None if one was received."""


class Reference(Record):
    """A row of `references.jsonl`: the teacher's trusted answer to an instruction."""

    instruction_id: str
    answer: str | None
    """The final answer alone; None if there is none."""
    solution: str | None
    """The full answer, from which an enhancement row is made."""
    teacher: str
    """Name of the teacher in the task's configuration."""
    invalid: str | None
    """Why the instruction has no trusted answer; None if it has one."""
    received: bool = True
    """False if no reply of the teacher was received: a fault of the request, such as a content filter."""


class Judgement(Record):
    """A row of `judgements.jsonl`: what a judge model says of a response or of a reference."""

    instruction_id: str
    verdict: Verdict
    """`failed` where the answer is unsafe, `invalid` where the judge's reply is not in its own format."""
    score: float | None
    """Probability of `failed`, of a classifier."""
    detail: str
    """Categories, or why the reply is invalid."""
    refusal: bool | None
    """Whether the answer refuses, of a judge that says so."""


class Confidence(Record):
    """A row of `confidences.jsonl`: how sure a target is of its answer to a multiple choice question."""

    question_id: str
    option: str | None
    """The letter that it answered; None if none could be read."""
    answer: float
    """Probability of that letter among all option letters; 0 if there is none."""
    sure: float
    """Probability of `sure` against `unsure` after its own answer."""
    invalid: str | None = None
    """Why both are unknown: a fault of this one question, such as a prompt that is too long. None if they were measured."""


class Labelled(Record):
    """A row of a labelled set that a judge is checked on."""

    instruction: str
    responses: list[str] = Field(min_length=1)
    """All answers to it: one, or as many as the kind votes over."""
    answer: str | None
    """The trusted answer, where the kind's labels need one."""
    verdict: Literal["failed", "passed"]
    """What a person, or the rules of an invented world, say."""
    injection: bool
    """Whether a response tries to talk the judge into a verdict."""


class Opening(Record):
    """A row of `resources/judge/refusals.jsonl`: how an answer opens, and whether it refuses."""

    answer: str
    refuses: bool
    """What a person says of it."""
    language: str
    """Its code, such as "en"."""
    part: Literal["tuning", "measured"]
    """The classifier learns from the first half too; the second half measures it."""


class Label(Record):
    """A row of `labels.jsonl`: the verdict on one instruction."""

    instruction_id: str
    verdict: Verdict
    """`invalid` enters no pair and no rate's numerator."""
    score: float | None
    """The judge's score where the verdict is a threshold on one."""
    detail: str
    """The reason, short and without the model's text."""


class Failure(Record):
    """A row of `failures.parquet`: one distinct instruction that the target failed on. Of a harmful kind the texts are null."""

    instruction_id: str
    cluster: int
    """Number of its cluster in `failure_clusters.jsonl`."""
    iteration: int
    """The first in which the target failed on it."""
    group: str | None
    """Its type or subject, as results are also reported for."""
    samples: int
    """Samples that say it, over all iterations."""
    characters: int
    """Length of the instruction."""
    detail: str
    """The label's reason: of a judge model, its categories."""
    score: float | None
    """The label's score."""
    text: str | None
    response: str | None
    """The target's answer; where it was asked several times, each different one with how often it came."""
    reference: str | None
    """The trusted final answer."""


class Cluster(Record):
    """A row of `failure_clusters.jsonl`: failing instructions that are alike, largest cluster first."""

    number: int
    """From 0."""
    label: str
    """Its first terms, or its number where it has none."""
    terms: list[str]
    """Words that tell it from the other clusters, best first; each stands in two failing instructions at least."""
    vectors: Literal["embeddings", "tf-idf"]
    """What the instructions were compared by."""
    failed: int
    """Distinct failing instructions in it."""
    passed: int
    """Distinct instructions that the target passed and whose nearest cluster this is."""
    failed_by_iteration: list[int]
    """Of iterations 0 to N: distinct failing instructions, one that came again counted in each."""
    passed_by_iteration: list[int]
    examples: list[str]
    """Ids of the failing instructions nearest to its centre."""


class FailureText(Record):
    """A row of `texts.jsonl`: what `failures.parquet` masks, by the instruction's id."""

    instruction_id: str
    text: str
    response: str
    reference: str | None


class Pair(Record):
    """A row of `pairs.jsonl`, in TRL's preference format: both sides are instructions, and `chosen` made the target FAIL."""

    prompt: str
    """The three-shot prompt that the chosen instruction was sampled from."""
    chosen: str
    """An instruction on which the target failed."""
    rejected: str
    """An instruction on which the target passed."""
    chosen_id: str
    rejected_id: str
    pairing: PairingKind
    """Whether both came from one prompt, from different prompts, or the pass is of an earlier iteration."""


class Message(Record):
    """One turn of a conversation, in the format that chat templates take."""

    role: Literal["system", "user", "assistant"]
    content: str


class TrainingRow(Record):
    """A row for supervised fine-tuning, in TRL's prompt-completion format: plain text or conversation."""

    prompt: str | list[Message]
    completion: str | list[Message]
    instruction_id: str
    """The instruction that the row teaches, for the contamination gate."""
    origin: str
    """`seed`, an enhancement source, or `replay`."""


def read_records(path: Path, record: type[R]) -> list[R]:
    """Read a JSON Lines file. Raises BadInput naming file, line and field for the first row that does not fit."""
    return list(stream_records(path, record))


def stream_records(path: Path, record: type[R]) -> Iterator[R]:
    """`read_records`, one in memory at a time."""
    for number, line in numbered_lines(path):
        try:
            yield record.model_validate_json(line)
        except ValidationError as error:
            raise BadInput(f"{path}, line {number}: {explain(error)}") from error


def read_answers(path: Path, record: type[R], asked: Iterable[str], *, of_more: bool = False) -> list[R]:
    """The records of a file that must have some for each instruction or question of `asked`, by id, and for no other.

    `of_more`: it is of more than these, and may have others. Raises BadInput if it has not, or has one twice: no rate is
    taken over what is left of a file that was cut short.
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
            f"{path}: does not fit the {len(wanted)} that were asked ({faults}): it was cut short or edited; delete it, and "
            "the same command makes it again"
        )
    return rows


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Write records as JSON Lines, whole or not at all."""
    write_pieces(path, (record.model_dump_json().encode() + b"\n" for record in records))
