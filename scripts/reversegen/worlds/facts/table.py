"""The table of facts: its rows, and the look-ups that the world needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path

from reversegen.core.errors import BadInput
from reversegen.core.records import Record, read_records
from reversegen.ids import hashed_seed
from reversegen.worlds.facts.names import Names, is_code, key

RELATIONS = (
    "capital",
    "continent",
    "country_of_capital",
    "country_of_city",
    "currency",
    "element",
    "symbol",
)
"""What a question asks for: the capital of a country, its continent, the country of a capital or of a city, the currency of a
country, the element with a symbol, and the symbol of an element."""

ANSWERS = {
    "capital": "city",
    "continent": "continent",
    "country_of_capital": "country",
    "country_of_city": "country",
    "currency": "currency",
    "element": "element",
    "symbol": "symbol",
}
"""The type of each relation's answers."""

SUBJECTS = {
    "capital": "country",
    "continent": "country",
    "country_of_capital": "city",
    "country_of_city": "city",
    "currency": "country",
    "element": "symbol",
    "symbol": "element",
}
"""The type of what each relation is asked of."""


class Fact(Record):
    """A row of `results/worlds/facts.jsonl`: one fact."""

    relation: str
    """One of RELATIONS."""
    unit: str
    """What is held out as a whole: the ISO code of a country with its capital, currency and cities, or `element NUMBER`."""
    subject: tuple[str, ...]
    """Names of what the question asks of. Questions use the first."""
    answer: tuple[str, ...]
    """Names of the answer. Solutions use the first."""
    also: tuple[tuple[str, ...], ...] = ()
    """Names of each further right answer. A fact that has one is read and answered, and no corpus asks it."""
    popularity: float
    """How well known the subject is: people who live in the country or city, or 1 / (rank of the element by its discovery)."""

    @property
    def right(self) -> tuple[tuple[str, ...], ...]:
        """Names of each right answer."""
        return self.answer, *self.also


class Table:
    """The facts of a table, with indices of their names."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self.facts = facts
        self._by_subject: dict[tuple[str, str], list[Fact]] = {}
        for fact in facts:
            for name in {key(name) for name in fact.subject}:
                self._by_subject.setdefault((fact.relation, name), []).append(fact)

    def fact(self, relation: str, name: str) -> Fact | None:
        """The fact of a relation whose subject has this name, as `names.key` writes it. None if not exactly one has it."""
        facts = self._by_subject.get((relation, name), [])
        return facts[0] if len(facts) == 1 else None

    @cached_property
    def answers(self) -> Names[tuple[str, str]]:
        """All names in the table. They mean (type, canonical name), as in ("city", "Paris")."""
        meanings = [(name, (ANSWERS[f.relation], one[0])) for f in self.facts for one in f.right for name in one]
        meanings += [(name, (SUBJECTS[f.relation], f.subject[0])) for f in self.facts for name in f.subject]
        meanings += [(f"{name}s", m) for name, m in meanings if m[0] == "currency" and not is_code(name)]
        return Names((name, m) for name, m in meanings if m[0] != "symbol")

    @cached_property
    def symbols(self) -> dict[str, tuple[str, str]]:
        """Symbol and unit of each element, by the symbol's `key`."""
        return {key(f.answer[0]): (f.answer[0], f.unit) for f in self.facts if f.relation == "symbol"}

    @cached_property
    def units(self) -> Names[str]:
        """All names that stand for a unit, but no symbols: names of subjects, and names of answers that only one unit has."""
        named: dict[str, set[str]] = {}
        for fact in self.facts:
            for name in chain(*fact.right) if ANSWERS[fact.relation] != "symbol" else ():
                named.setdefault(key(name), set()).add(fact.unit)
        names = [(n, f.unit) for f in self.facts if f.relation != "element" for n in f.subject]
        names += [(n, f.unit) for f in self.facts for n in chain(*f.right) if len(named.get(key(n), ())) == 1]
        return Names(names)


def part_of(unit: str) -> str:
    """The part of the world that a unit belongs to: a fifth are `test`, a tenth `validation`, the others `train`.

    A hash of its id decides, so that no fact about a test unit is ever a seed.
    """
    tenth = hashed_seed("part", unit) % 10
    return "test" if tenth < 2 else "validation" if tenth == 2 else "train"


def read_table(path: Path) -> Table:
    """Read the table of facts. Raises BadInput if a rule has not made it yet, or if a row is malformed."""
    if not path.is_file():
        raise BadInput(f"{path}: the table of facts is missing; make it: snakemake -c1 {path}")
    return Table(read_records(path, Fact))


def unambiguous(facts: Iterable[Fact]) -> list[Fact]:
    """The facts without those whose answer stands in the name of their subject, as in the country of Mexico City."""
    return [f for f in facts if f" {key(f.answer[0])} " not in f" {key(f.subject[0])} "]
