"""The invented world of the tiny math tasks: a small grammar of arithmetic questions and its exact solver.

Questions start from a two-digit number, or from the product of two digits, and add or subtract digits. There are eight
types, two common and six rare, in three forms::

    35 + 7                                              symbols
    what is 35 plus 7 ?                                 words
    tom has 35 pens and gets 7 more . how many now ?    story

A worked answer computes one operation per step and ends like an answer of GSM8K::

    5 * 6 = 30 ; 30 + 8 = 38 #### 38

The target is trained on `MIXES["pretraining"]`, in which the rare types make up eight questions in a thousand. The proposer is
trained on seeds from `MIXES["seeds"]`, in which they make up a quarter. The tiny loop finds and closes this gap. The gap is a
design choice: it imitates the one between a model's training data and the questions that people ask.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from reversegen.config.data import Corpus
from reversegen.core.errors import BadInput
from reversegen.ids import hashed_seed
from reversegen.worlds.base import Example, World

LARGEST = 69
"""The largest number. Every operand, intermediate result and answer lies in 0 to LARGEST, so that each is one token."""

START, FACTOR, DIGIT = (18, 48), (3, 7), (1, 9)
"""Ranges of the first number, of a factor and of every other number. They keep each drawn question within LARGEST."""

COMMON = ("add", "subtract")
RARE = ("add_add", "add_subtract", "subtract_add", "subtract_subtract", "multiply_add", "multiply_subtract")
TYPES = COMMON + RARE

MIXES: dict[str, dict[str, float]] = {
    "pretraining": dict.fromkeys(COMMON, 0.496) | dict.fromkeys(RARE[:4], 0.0015) | dict.fromkeys(RARE[4:], 0.001),
    "seeds": dict.fromkeys(COMMON, 0.375) | dict.fromkeys(RARE, 0.25 / 6),
    "uniform": dict.fromkeys(TYPES, 1 / len(TYPES)),
}
"""Share of each type in a corpus. `uniform` is for tests that weigh all types alike."""

FORMS = {"symbols": 0.4, "words": 0.3, "story": 0.3}
"""Share of each surface form, the same in every mix."""

NAMES = ("tom", "anna", "ben", "lisa", "omar", "mia", "sam", "rosa")
THINGS = ("pens", "books", "coins", "apples", "cards", "stones", "cups", "shells")
_SYMBOL = {"add": "+", "subtract": "-", "multiply": "*"}
_OPERATORS_OF = {name: tuple(_SYMBOL[word] for word in name.split("_")) for name in TYPES}
_TYPE_OF = {operators: name for name, operators in _OPERATORS_OF.items()}
SPOKEN = {"+": "plus", "-": "minus", "*": "times"}
GAINS = {"+": "gets {} more", "-": "gives away {}"}
_TRIES = 10_000
"""Failed draws after which `draw_questions` concludes that no new question of a type exists."""
PROMPT_WORDS = ("More", "questions", "like", "these", ":", "Q1.", "Q2.", "Q3.", "Q4.", "Q:", "A:")
"""Words of the proposer prompt and of the tiny models' chat template. The tokenizer must know them."""


@dataclass(frozen=True)
class Expression:
    """A flat expression: `numbers[0] operators[0] numbers[1] ...`, evaluated from left to right.

    Only the first operator may be a multiplication, so evaluation from left to right agrees with the usual precedence.
    """

    numbers: tuple[int, ...]
    operators: tuple[str, ...]

    def steps(self) -> list[tuple[int, str, int, int]]:
        """The operations in order, each as (left, operator, right, result)."""
        steps = []
        value = self.numbers[0]
        for operator, right in zip(self.operators, self.numbers[1:], strict=True):
            result = {"+": value + right, "-": value - right, "*": value * right}[operator]
            steps.append((value, operator, right, result))
            value = result
        return steps

    @property
    def answer(self) -> int:
        """The value of the expression."""
        return self.steps()[-1][3]

    @property
    def valid(self) -> bool:
        """Whether every operand and every result lies in 0 to LARGEST."""
        return all(0 <= n <= LARGEST for n in self.numbers) and all(0 <= s[3] <= LARGEST for s in self.steps())

    @property
    def canonical(self) -> str:
        """One form for all orders of the same addends and factors: `5 * 6 + 8` and `6 * 5 + 8` are one question."""
        numbers, operators = list(self.numbers), self.operators
        if operators[0] == "*":
            return " ".join([*_joined(sorted(numbers[:2]), "*"), *_tail(operators[1:], numbers[2:])])
        plus = sorted([numbers[0]] + [n for o, n in zip(operators, numbers[1:], strict=True) if o == "+"])
        minus = sorted(n for o, n in zip(operators, numbers[1:], strict=True) if o == "-")
        return " ".join([*_joined(plus, "+"), *_tail(["-"] * len(minus), minus)])

    @property
    def type(self) -> str | None:
        """The type, one of TYPES; None for an expression of another form."""
        return _TYPE_OF.get(self.operators)


def _joined(numbers: list[int], operator: str) -> list[str]:
    return f" {operator} ".join(map(str, numbers)).split(" ")


def _tail(operators: tuple[str, ...] | list[str], numbers: list[int]) -> list[str]:
    return [f"{o} {n}" for o, n in zip(operators, numbers, strict=True)]


def draw_expression(type_: str, rng: random.Random) -> Expression:
    """Draw an expression of one type, uniformly over its operands' ranges.

    Raises KeyError for a name that is not in TYPES.
    """
    operators = _OPERATORS_OF[type_]
    ranges = [FACTOR, FACTOR, DIGIT] if operators[0] == "*" else [START, *(DIGIT for _ in operators)]
    return Expression(tuple(rng.randint(*limits) for limits in ranges), operators)


def write_question(expression: Expression, form: str, rng: random.Random) -> str:
    """The expression as a question in one of FORMS. A story expresses a product as a number of boxes."""
    first, *others = expression.numbers
    if form == "symbols":
        return " ".join([str(first), *_tail(expression.operators, others)])
    if form == "words":
        words = [f"{SPOKEN[o]} {n}" for o, n in zip(expression.operators, others, strict=True)]
        return " ".join(["what is", str(first), *words, "?"])
    name, thing = rng.choice(NAMES), rng.choice(THINGS)
    operators = expression.operators
    if operators[0] == "*":
        opening = f"{name} has {first} boxes of {others[0]} {thing}"
        operators, others = operators[1:], others[1:]
    else:
        opening = f"{name} has {first} {thing}"
    events = [GAINS[o].format(n) for o, n in zip(operators, others, strict=True)]
    return " and ".join([opening, *events]) + " . how many now ?"


def worked_answer(expression: Expression) -> str:
    """The steps, then the final answer after `####`, in the format of GSM8K."""
    steps = " ; ".join(f"{left} {operator} {right} = {result}" for left, operator, right, result in expression.steps())
    return f"{steps} #### {expression.answer}"


_OPERATOR = {spoken: symbol for symbol, spoken in SPOKEN.items()} | {symbol: symbol for symbol in SPOKEN}
_NUMBER = "(?:0|[1-9][0-9]?)"
_PLAIN = re.compile(rf"(?:what is )?({_NUMBER}(?: (?:[-+*]|plus|minus|times) {_NUMBER})+)( \?)?")
_STORY = re.compile(
    rf"(?:{'|'.join(NAMES)}) has ({_NUMBER})(?: boxes of ({_NUMBER}))? (?:{'|'.join(THINGS)})"
    rf"((?: and (?:gets {_NUMBER} more|gives away {_NUMBER}))*) \. how many now \?"
)
_EVENT = re.compile(rf"and (?:(gets) ({_NUMBER}) more|gives away ({_NUMBER}))")
_LONGEST = 120
"""The longest text, in characters, that the parser reads. Every question of this world is shorter."""


def read_question(text: str) -> Expression | None:
    """Parse a question in any of the three forms. Returns None if the text has another form or its answer is out of range.

    >>> read_question("tom has 2 boxes of 9 pens and gives away 4 . how many now ?").answer
    14
    """
    text = " ".join(text.split()) if len(text) <= _LONGEST else ""
    if match := _PLAIN.fullmatch(text):
        tokens = match[1].split()
        spoken = any(t in SPOKEN.values() for t in tokens)
        if spoken != text.startswith("what is ") or spoken != bool(match[2]) or (spoken and set(tokens) & set(SPOKEN)):
            return None
        numbers = tuple(int(t) for t in tokens[::2])
        operators = tuple(_OPERATOR[t] for t in tokens[1::2])
    elif match := _STORY.fullmatch(text):
        numbers, operators = (int(match[1]),), ()
        if match[2]:
            numbers, operators = (*numbers, int(match[2])), ("*",)
        for event in _EVENT.finditer(match[3]):
            numbers += (int(event[2] or event[3]),)
            operators += ("+" if event[1] else "-",)
    else:
        return None
    if not operators or "*" in operators[1:]:
        return None
    expression = Expression(numbers, operators)
    return expression if expression.valid and expression.type else None


def solve(question: str) -> str | None:
    """The worked answer to a question; None for any other text. This exact solver teaches the tiny math tasks."""
    expression = read_question(question)
    return worked_answer(expression) if expression else None


def type_of(question: str) -> str | None:
    """The type of a question, one of TYPES; None for any other text."""
    expression = read_question(question)
    return expression.type if expression else None


def canonical(question: str) -> str | None:
    """The expression that a question asks for, in canonical order; None for any other text."""
    expression = read_question(question)
    return expression.canonical if expression else None


def part_of(expression: Expression) -> str:
    """The part of the world that an expression belongs to: a fifth are `test`, a tenth `validation`, the others `train`.

    A hash of the canonical form decides, so that no other form of a test question is ever a seed.
    """
    tenth = hashed_seed("part", expression.canonical) % 10
    return "test" if tenth < 2 else "validation" if tenth == 2 else "train"


def draw_questions(corpus: Corpus) -> list[str]:
    """Draw the questions of a corpus in random order. Type counts follow `MIXES[corpus.mix]` as closely as whole rows allow.

    Raises BadInput if a distinct corpus asks for more questions of a type than exist.
    """
    rng = random.Random(corpus.random_seed)
    shares = MIXES[corpus.mix]
    types = [t for t, share in shares.items() for _ in range(int(share * corpus.count))]
    types += rng.choices(list(shares), list(shares.values()), k=corpus.count - len(types))
    seen: set[str] = set()
    questions = []
    for type_ in types:
        for _ in range(_TRIES):
            expression = draw_expression(type_, rng)
            question = write_question(expression, rng.choices(list(FORMS), list(FORMS.values()))[0], rng)
            if corpus.part in ("all", part_of(expression)) and not (corpus.distinct and question in seen):
                break
        else:
            raise BadInput(
                f"corpus: part {corpus.part} has too few different questions of type {type_} for {corpus}; lower `count` or "
                "set `distinct: false`"
            )
        seen.add(question)
        questions.append(question)
    rng.shuffle(questions)
    return questions


def draw(corpus: Corpus) -> list[Example]:
    """The questions of a corpus with their worked answers. Raises BadInput as `draw_questions` does."""
    return [Example(question, solve(question)) for question in draw_questions(corpus)]


def vocabulary() -> list[str]:
    """Every token of the grammar and of the prompts, numbers first, in a fixed order."""
    texts = [*NAMES, *THINGS, *SPOKEN, *SPOKEN.values(), *GAINS.values(), *PROMPT_WORDS]
    texts += ["what is ?", "has boxes of and . how many now ?", "= ; ####"]
    words = dict.fromkeys(word for text in texts for word in text.replace("{}", "").split())
    return [*map(str, range(LARGEST + 1)), *words]


WORLD = World(
    teaches=True,
    mixes=MIXES,
    draw=draw,
    vocabulary=vocabulary,
    solve=solve,
    type_of=type_of,
    canonical=canonical,
)
