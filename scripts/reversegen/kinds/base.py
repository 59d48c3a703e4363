"""What a kind of task must answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from reversegen.core.errors import BadInput
from reversegen.core.metric import MetricDescription
from reversegen.core.records import Confidence, Judgement, Label, Message, Question, Reference, Response, Verdict
from reversegen.kinds.answers.equivalence import Checker

if TYPE_CHECKING:  # the process that compares answers loads this module and has no memory for numpy
    from reversegen.kinds.scores import Draws

STRICT = "equal answers"
"""Detail of a passed label whose answer stood in the asked form."""
FLEXIBLE = "equal answers, not in the asked form"
"""Detail of a passed label whose answer did not: it does not count as strict."""


ACCURACY = MetricDescription(
    "accuracy", "right answers among all test questions", compared=True, headline=3, counts="passed"
)
"""It is also what confidences are measured for, of a kind whose questions are multiple choice."""
RETAINED = MetricDescription("retained", "what the target could do before and still can", headline=9, counts="passed")


@dataclass(frozen=True, kw_only=True)
class DetailShare(MetricDescription):
    """A share of the questions that count for a measure, by the details of their labels; not measured if none tells it."""

    measure: str
    hit: Callable[[str], bool | None]
    """The detail of a label to whether the question is in the share; None if the detail does not tell."""


@dataclass(frozen=True, kw_only=True)
class ScoreMetric(MetricDescription):
    """A number of the scores that a target's confidences give its answers."""

    computed: Callable[[Draws, Draws, Draws], Draws]
    """(right, score, weights) to its value in each draw, as `scores.average_precision`."""
    ranks: bool = False
    """Whether it needs right and wrong answers."""


@dataclass(frozen=True, kw_only=True)
class ConfidenceShare(MetricDescription):
    """A share of the answers whose confidence was measured."""

    hit: Callable[[Confidence], bool]


@dataclass(frozen=True)
class JudgeShare(MetricDescription):
    """A number of `judge.json` of the same name, which stands beside what it says how far to trust."""


class Unusable(ValueError):
    """A well-formed row that a task cannot use, with the reason: it is counted and left out."""


@dataclass(frozen=True)
class Raw:
    """A row of a data source, read and cleaned."""

    text: str
    answer: str | None
    subject: str | None = None
    """What the demonstrations of one prompt share; None if the kind has no subjects."""
    measure: str | None = None
    """The metric that this row of a test set counts for, where it is not the set's own."""


@dataclass(frozen=True)
class Parsed:
    """What a sample says: an instruction, or the reason why it says none."""

    text: str
    invalid: str | None
    answer: str | None = None
    """The answer that the proposer wrote beside its instruction, where the kind's items carry one."""


@dataclass(frozen=True)
class Case:
    """An instruction or test question with everything that its verdict may rest on."""

    id: str
    text: str
    responses: Sequence[Response]
    reference: Reference | None = None
    judgement: Judgement | None = None


@dataclass(frozen=True)
class Decision:
    """How often the target is asked the same, and at what temperature; 1 and 0 is one greedy answer."""

    samples: int = 1
    temperature: float = 0.0


Conversation = list[Message]


def conversation(question: str, system: str | None) -> Conversation:
    """A question as a user's turn, after the system message; None for no message, an empty one for no system text at all."""
    opening = [] if system is None else [Message(role="system", content=system)]
    return [*opening, Message(role="user", content=question)]


@dataclass(frozen=True)
class Choice:
    """What a kind of multiple choice questions says of them."""

    letters: Callable[[str], list[str]]
    """The letters of a question's options."""
    letter: Callable[[str, str], str | None]
    """(question, response) to the one letter that it chooses; None if it cannot be read."""
    sure_messages: Callable[[str, str, str | None], Conversation]
    """(question, letter, system message) to a conversation that ends by asking whether the target is sure."""
    sure_question: str
    """The turn that asks so."""
    sure: str
    """The reply to it of who is sure."""
    unsure: str
    """The reply to it of who is not."""
    options: int
    """Options of a question, for a plan that cannot read it yet."""
    measure: str = "accuracy"
    """The metric of the test questions whose options get a probability."""


@dataclass(frozen=True)
class Structured:
    """How a teacher replies as one JSON object, where its endpoint holds it to a schema."""

    reply: type[BaseModel]
    """The fields, all required and no other allowed."""
    solution: Callable[[Any], str | None]
    """A reply as a solution in the form that `read_reference` reads; None if it says that there is no answer."""
    request: str
    """What is added to the system message: an endpoint may hold the reply to the schema and not show it to the model."""

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a reply."""
        return self.reply.model_json_schema()


@dataclass(frozen=True)
class Kind:
    """One kind of task as functions. A kind is one module that fills this and nothing else."""

    read_row: Callable[[dict[str, Any]], Raw]
    """Reads a row in one of its data sets' published forms. Raises ValueError naming the field, Unusable with a reason."""
    write_item: Callable[[str, str | None], str]
    """(instruction, answer) as the proposer reads and writes it."""
    build_prompt: Callable[[str, Sequence[str]], str]
    """(header, items) to the proposer prompt; the item that follows it starts with a space."""
    parse_instruction: Callable[[str, bool], Parsed]
    """(text, finished) of a sample to the instruction in it."""
    target_messages: Callable[[str, str | None], Conversation]
    """(instruction, system message) to what the target is asked."""
    decision: Decision
    """How instructions are answered; test questions are always answered once and greedily."""
    needs_references: bool
    """Whether labels need a trusted answer."""
    needs_judge: bool
    """Whether labels need the opinion of a judge model."""
    read_reference: Callable[[str, str], str | None]
    """(instruction, teacher's solution) to its final answer; None if it gives none."""
    label: Callable[[Case, Checker], Label]
    """The verdict on the target's answers to an instruction."""
    label_test: Callable[[Question, Case, Checker], Label]
    """The verdict on the target's answer to a test question: by its own answer, or by what the set measures."""
    enhancement_row: Callable[[str, Reference, Verdict, str | None], tuple[Conversation, Conversation]]
    """(instruction, trusted answer, verdict, system message) to prompt and completion for the target."""
    replay_row: Callable[[str, str, str | None], tuple[Conversation, Conversation]]
    """(instruction that the target passed, its own response, system message) to a row against forgetting."""
    group: Callable[[str], str | None]
    """The type of an instruction, for balance and for tables; None if its text tells none."""
    canonical: Callable[[str], str]
    """The form that decides whether two instructions ask the same."""
    metrics: tuple[MetricDescription, ...] = (ACCURACY, RETAINED)
    """What is measured of a target, in the order of columns."""
    choice: Choice | None = None
    """How options are read, of a kind whose questions are multiple choice."""
    harmful: bool = False
    """Whether a failing instruction or its answer may do harm: what people look at masks them."""
    refuses: Callable[[str], bool] | None = None
    """Whether an answer refuses, of a kind whose tests count refusals."""
    says_none: Callable[[str, str], bool] | None = None
    """(instruction, teacher's solution without a final answer) to whether it says that there is none; None if none does."""
    structured: Structured | None = None
    """How a teacher replies where its endpoint holds it to a schema; None if there are no references."""

    @property
    def measures(self) -> list[str]:
        """What its test sets may count for."""
        return [metric.name for metric in self.metrics if metric.counts and not metric.rows_alone]

    def measure(self, name: str) -> MetricDescription:
        """The metric that a question counts for. Raises BadInput for one that the kind does not have."""
        for metric in self.metrics:
            if metric.name == name and metric.counts:
                return metric
        raise BadInput(
            f"a test question counts for {name!r}, which its kind does not measure; build the test sets again"
        )

    def readable(self, instruction: str, response: str) -> bool:
        """Whether a response counts among `decision.samples`; where too few do, as many are drawn again."""
        return self.choice is None or self.choice.letter(instruction, response) is not None
