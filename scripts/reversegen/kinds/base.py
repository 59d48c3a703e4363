"""The interface of a kind of task: its functions, and its metrics and settings as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from reversegen.core.errors import BadInput
from reversegen.core.metric import MetricDescription
from reversegen.core.records import (
    Confidence,
    Judgement,
    Label,
    Labelled,
    Message,
    Question,
    Reference,
    Response,
    Verdict,
)
from reversegen.kinds.answers.equivalence import Checker

if TYPE_CHECKING:  # the process that compares answers loads this module and has no memory for numpy
    from reversegen.kinds.scores import Draws

STRICT = "equal answers"
"""The detail of a passed label whose answer is in the requested form."""
FLEXIBLE = "equal answers, not in the asked form"
"""The detail of a passed label whose answer is in another form; it does not count as strict."""


ACCURACY = MetricDescription(
    "accuracy", "right answers among all test questions", compared=True, headline=3, counts="passed"
)
"""If a kind's questions are multiple choice, confidences are measured on the questions that count for this metric."""
RETAINED = MetricDescription("retained", "what the target could do before and still can", headline=9, counts="passed")


@dataclass(frozen=True, kw_only=True)
class DetailShare(MetricDescription):
    """The share of a measure's questions whose label has a certain detail; not measured if no detail decides it."""

    measure: str
    hit: Callable[[str], bool | None]
    """(detail of a label) to whether its question is in the share; None if the detail does not decide it."""


Outcome = Literal["right", "wrong", "abstained"]
"""What an answer with a verdict is if it may abstain: passed without or with an abstention, or failed."""


def outcome(label: Label) -> Outcome | None:
    """What the answer of a label is; None if it has no verdict."""
    if label.verdict == "invalid":
        return None
    return "wrong" if label.verdict == "failed" else "abstained" if label.abstained else "right"


@dataclass(frozen=True, kw_only=True)
class OutcomeShare(MetricDescription):
    """The share of a measure's questions whose answer has a certain outcome; an answer without a verdict has none."""

    measure: str
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class KeptShare(OutcomeShare):
    """The share of a certain outcome among the questions that `original` answered rightly; null for `original` itself."""


@dataclass(frozen=True, kw_only=True)
class MetricDifference(MetricDescription):
    """A metric of the same questions minus another."""

    minuend: str
    subtrahend: str


@dataclass(frozen=True, kw_only=True)
class ScoreMetric(MetricDescription):
    """A number that is computed from the scores of a target's answers; its confidences give the scores."""

    computed: Callable[[Draws, Draws, Draws], Draws]
    """(right, score, weights) to the metric's value in each draw, as in `scores.average_precision`."""
    ranks: bool = False
    """Whether the metric needs both right and wrong answers."""


@dataclass(frozen=True, kw_only=True)
class ConfidenceShare(MetricDescription):
    """The share of answers whose confidence meets a condition, among the answers with a measured confidence."""

    hit: Callable[[Confidence], bool]


@dataclass(frozen=True)
class JudgeShare(MetricDescription):
    """A number that `judge.json` has under the same name. Tables show it beside the metric whose errors it measures."""


class Unusable(ValueError):
    """A well-formed row that a task cannot use. The message is the reason; the row is counted and left out."""


@dataclass(frozen=True)
class Raw:
    """A row of a data source, read and cleaned."""

    text: str
    answer: str | None
    subject: str | None = None
    """The subject that all demonstrations of one prompt share; None if the kind has no subjects."""
    measure: str | None = None
    """The metric that this row of a test set counts for, if it differs from the metric of the set."""
    aliases: tuple[str, ...] = ()
    """Other accepted forms of the answer."""


@dataclass(frozen=True)
class Parsed:
    """A sample after parsing: its instruction, or the reason why it has none."""

    text: str
    invalid: str | None
    answer: str | None = None
    """The answer that the proposer wrote beside its instruction, if the kind's items carry one."""


@dataclass(frozen=True)
class Case:
    """An instruction or test question with everything that its verdict may depend on."""

    id: str
    text: str
    responses: Sequence[Response]
    reference: Reference | None = None
    judgement: Judgement | None = None
    """The judgement of the one judge, or of the panel."""
    refusals_tie: bool = False
    """Whether as many judges of a panel state that the answer refuses as state that it does not."""


@dataclass(frozen=True)
class Decision:
    """How many answers the target gives to one instruction, and at which temperature; 1 and 0 mean one greedy answer."""

    samples: int = 1
    temperature: float = 0.0


Conversation = list[Message]


def conversation(question: str, system: str | None) -> Conversation:
    """A question as the user's turn, after the system message if `system` is not None.

    An empty system message keeps a chat template from adding its own default text.
    """
    opening = [] if system is None else [Message(role="system", content=system)]
    return [*opening, Message(role="user", content=question)]


@dataclass(frozen=True)
class Choice:
    """How a kind reads and asks its multiple choice questions."""

    letters: Callable[[str], list[str]]
    """The letters of a question's options."""
    letter: Callable[[str, str], str | None]
    """(question, response) to the one letter that the response chooses; None if it cannot be read."""
    sure_messages: Callable[[str, str, str | None], Conversation]
    """(question, letter, system message) to a conversation that ends by asking whether the target is sure."""
    sure_question: str
    """The turn that asks whether the target is sure."""
    sure: str
    """The reply of a target that is sure."""
    unsure: str
    """The reply of a target that is not sure."""
    options: int
    """The number of options that a plan assumes before it can read the questions."""
    measure: str = "accuracy"
    """The metric of the test questions whose options get a probability."""


@dataclass(frozen=True)
class Structured:
    """How a teacher replies with one JSON object, if its endpoint enforces a schema."""

    reply: type[BaseModel]
    """The fields of the object: all are required, and no other field is allowed."""
    solution: Callable[[Any], str | None]
    """(reply) to a solution in the form that `read_reference` reads; None if the reply states that there is no answer."""
    request: str
    """Text that is added to the system message, because an endpoint may enforce the schema without showing it to the model."""
    aliases: Callable[[Any], Sequence[str]] = lambda reply: ()
    """(reply) to other accepted forms of its answer."""

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a reply."""
        return self.reply.model_json_schema()


@dataclass(frozen=True)
class SampledRows:
    """How a kind writes an enhancement row from several answers of the target to an instruction."""

    decision: Decision
    """How many answers are drawn of each chosen instruction, and at which temperature."""
    row: Callable[[Case, str | None], tuple[Conversation, Conversation]]
    """(instruction with its answers and its reference, system message) to prompt and completion for the target."""


@dataclass(frozen=True)
class Repetition:
    """How a kind measures whether the answers that a target repeats are right."""

    decision: Decision
    """How many answers are drawn of each test question, and at which temperature."""
    frequent: Callable[[Question, Case], tuple[bool | None, float]]
    """(test question, its answers) to whether the most frequent answer is right, None if it is no answer, and its share."""


def equal_by_checker(one: str, other: str, checker: Checker) -> bool:
    """Whether the checker finds two answers equal; False if it cannot decide."""
    return checker.equal(one, other) is True


def read_own_labelled(row: dict[str, Any]) -> Labelled:
    """A labelled row in the form of this repository, which every kind reads. Raises pydantic's ValidationError."""
    return Labelled.model_validate(row)


@dataclass(frozen=True)
class Kind:
    """One kind of task as a set of functions. The module of a kind fills in this class and does nothing else."""

    read_row: Callable[[dict[str, Any]], Raw]
    """Reads a row in a published form of the kind's data. Raises ValueError naming the field, or Unusable with a reason."""
    write_item: Callable[[str, str | None], str]
    """(instruction, answer) to the item that the proposer reads and writes."""
    build_prompt: Callable[[str, Sequence[str]], str]
    """(header, items) to the proposer prompt; the item that continues it starts with a space."""
    parse_instruction: Callable[[str, bool], Parsed]
    """(text, finished) of a sample to the instruction in it."""
    target_messages: Callable[[str, str | None], Conversation]
    """(instruction, system message) to the conversation that the target answers."""
    decision: Decision
    """How instructions are answered; test questions are always answered once and greedily."""
    needs_references: bool
    """Whether labels need a trusted answer."""
    needs_judge: bool
    """Whether labels need the opinion of a judge model."""
    read_reference: Callable[[str, str], str | None]
    """(instruction, teacher's solution) to the final answer of the solution; None if it has no final answer."""
    label: Callable[[Case, Checker], Label]
    """The verdict on the target's answers to an instruction."""
    label_test: Callable[[Question, Case, Checker], Label]
    """The verdict on the target's answer to a test question: by the question's answer, or by what the set measures."""
    enhancement_row: Callable[[str, Reference, Verdict, str | None], tuple[Conversation, Conversation]]
    """(instruction, trusted answer, verdict, system message) to prompt and completion for the target."""
    replay_row: Callable[[str, str, str | None], tuple[Conversation, Conversation]]
    """(instruction that the target passed, its own response, system message) to a training row that prevents forgetting."""
    group: Callable[[str], str | None]
    """The type of an instruction, for balance and for tables; None if its text shows no type."""
    canonical: Callable[[str], str]
    """The form that decides whether two instructions ask the same."""
    metrics: tuple[MetricDescription, ...] = (ACCURACY, RETAINED)
    """The metrics of a target, in the order of columns."""
    choice: Choice | None = None
    """How options are read, if the kind's questions are multiple choice."""
    harmful: bool = False
    """Whether a failing instruction or its answer may do harm. Everything that people look at then masks both."""
    read_labelled: Callable[[dict[str, Any]], Labelled] = read_own_labelled
    """Reads a row of a labelled set, in the form of this repository or of a public set of the kind. Raises as `read_row`."""
    refuses: Callable[[str], bool] | None = None
    """Whether an answer refuses, if the kind's tests count refusals."""
    says_none: Callable[[str, str], bool] | None = None
    """(instruction, teacher's solution without a final answer) to whether the solution states that there is no answer.

    None if solutions of this kind never state that."""
    structured: Structured | None = None
    """How a teacher replies if its endpoint enforces a schema; None if the kind has no references."""
    equal_answers: Callable[[str, str, Checker], bool] = equal_by_checker
    """Whether two final answers of a teacher are the same vote; options are the same only if they are the same letter."""
    aliases: Callable[[str, str], Sequence[str]] = lambda instruction, answer: ()
    """(instruction, answer) to other accepted forms of the answer, for a reference without its own."""
    abstains: bool = False
    """Whether an answer may say that it does not know. Tables then show right, wrong and abstained apart."""
    repetition: Repetition | None = None
    """How repeated answers to test questions are measured; None if they are not drawn. Its scores are those of the kind's
    `ScoreMetric`s."""
    sampled: SampledRows | None = None
    """How rows are written from several answers of the target; None if `enhancement_row` needs none."""
    entities: Callable[[str], frozenset[str]] | None = None
    """The held-out units that a text names, such as countries. None if the task's worlds have none; its kind need not know."""
    system_text: Callable[[str], str] | None = None
    """The system text that a world gives an instruction. None if the task's worlds have none; its kind need not know."""

    def system_for(self, instruction: str, configured: str | None) -> str | None:
        """The system text under which an instruction is asked: that of its world, in front of the configured one."""
        if self.system_text is None:
            return configured
        return "\n\n".join(filter(None, (self.system_text(instruction), configured)))

    @property
    def measures(self) -> list[str]:
        """The names of the metrics that a test set may count for."""
        return [metric.name for metric in self.metrics if metric.counts and not metric.rows_alone]

    def measure(self, name: str) -> MetricDescription:
        """The metric that a question counts for. Raises BadInput if the kind does not have it."""
        for metric in self.metrics:
            if metric.name == name and metric.counts:
                return metric
        raise BadInput(
            f"a test question counts for the metric {name!r}, which its kind does not have; build the test sets again"
        )

    def type_of(self, text: str, category: str | None, subject: str | None) -> str | None:
        """The type by which instructions are balanced: that of their world, else the category of their label, else the subject.

        None if the instruction has none of these, as a passed one that no world knows.
        """
        return self.group(text) or category or subject

    def readable(self, instruction: str, response: str) -> bool:
        """Whether a response counts among `decision.samples`. If too few responses count, as many again are drawn."""
        return self.choice is None or self.choice.letter(instruction, response) is not None
