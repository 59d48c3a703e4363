"""The world of real facts: it draws questions by how well known their subjects are, reads and answers them.

Nothing is invented and nothing is planted: the target's weaknesses are its own. A question asks for one relation of one
subject, in one of several wordings::

    Which city is the capital of Angola?        Luanda
    What is the chemical symbol for tungsten?   W

The held-out part consists of units: a country with its capital, currency and cities, or an element with its symbol.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from reversegen.config.data import Corpus
from reversegen.config.paths import FACTS_TABLE
from reversegen.core.errors import BadInput
from reversegen.worlds.base import Example, World
from reversegen.worlds.facts.corrections import WITH_ARTICLE
from reversegen.worlds.facts.names import words_of
from reversegen.worlds.facts.table import ANSWERS, RELATIONS, Fact, Table, part_of, read_table
from reversegen.worlds.facts.wordings import WORDINGS, readings, write


class _Drawing(NamedTuple):
    """How a corpus is drawn. Every relation has the same share."""

    power: float
    """A fact's weight within its relation is its popularity to this power."""
    by_relation: bool = False
    """Whether the relation is the subject of a question, which all demonstrations of one prompt share."""


MIXES = {
    "popularity": _Drawing(0.7),
    "popularity_by_relation": _Drawing(0.7, by_relation=True),
    "uniform": _Drawing(0.0),
}
"""`popularity` imitates what people ask about. `uniform` is for tests that weigh all facts of a relation alike."""

CREDIT = (
    "data of GeoNames (https://www.geonames.org), CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/), changed; the "
    "periodic table of chemlib, MIT"
)

_CHEMISTRY = frozenset(("atomic", "chemical", "chemistry", "element", "elements", "periodic", "symbol", "symbols"))
"""Words of a text in which symbols and names of elements are meant as such."""
_SYMBOL_PLACES = frozenset(("as", "by", "for", "is", "of", "symbol", "was"))
"""Words after which a symbol may have any letter case and be an ordinary word such as `I` or `As`, if it ends the text."""
_SYMBOL_WORDS = frozenset(("Am", "As", "At", "Be", "He", "I", "In", "No"))
"""Symbols that are also ordinary words."""
_SHORT = 3
"""Words of a response that is nothing but an answer, so that capital letters do not matter."""


@dataclass(frozen=True)
class Facts:
    """The world as functions of its table, which is read when it is first needed."""

    path: Path

    @cached_property
    def table(self) -> Table:
        """The table. Raises BadInput if it has not been made."""
        return read_table(self.path)

    @cached_property
    def _read(self) -> dict[str, Fact | None]:
        """What has been read, since a stage reads each question several times."""
        return {}

    def read(self, question: str) -> Fact | None:
        """The fact that a question asks for. None for any other text, and for a name that several subjects share."""
        if question not in self._read:
            facts = (self.table.fact(relation, name) for relation, name in readings(question))
            self._read[question] = next(filter(None, facts), None)
        return self._read[question]

    def solve(self, question: str) -> str | None:
        """The answer to a question; None for any other text. This exact solver teaches tasks on facts."""
        fact = self.read(question)
        return fact.answer[0] if fact else None

    def type_of(self, question: str) -> str | None:
        """The relation of a question, one of RELATIONS; None for any other text."""
        fact = self.read(question)
        return fact.relation if fact else None

    def canonical(self, question: str) -> str | None:
        """The fact that a question asks for, in whatever words, as "capital AO: Angola"; None for any other text."""
        fact = self.read(question)
        return f"{fact.relation} {fact.unit}: {fact.subject[0]}" if fact else None

    def aliases(self, question: str) -> Sequence[str]:
        """All names of all right answers, the one that a solution uses first; empty for a text that is no question."""
        fact = self.read(question)
        return tuple(chain(*fact.right)) if fact else ()

    def subject(self, question: str) -> Sequence[str]:
        """All names of what a question is about; empty for a text that is no question."""
        fact = self.read(question)
        return fact.subject if fact else ()

    def named(self, question: str, response: str) -> Sequence[str]:
        """The canonical names of all answers of the question's type that a response names, in order, each once.

        A name that several answers have, such as `dollar`, means the right one if that is among them. Empty for a text that is
        no question.
        """
        fact = self.read(question)
        if fact is None:
            return ()
        wanted = ANSWERS[fact.relation]
        if wanted == "symbol":
            return tuple(dict.fromkeys(symbol for symbol, _ in self._symbols(response)))
        any_case = wanted in ("currency", "element") or len(words_of(response)) <= _SHORT
        named = []
        for meanings in self.table.answers.find(response, any_case=any_case):
            of_type = [name for type_, name in meanings if type_ == wanted]
            right = [names[0] for names in fact.right if names[0] in of_type]
            named += right[:1] or of_type[:1]
        return tuple(dict.fromkeys(named))

    def entities(self, text: str) -> frozenset[str]:
        """The held-out units that a text names, by any of their names: those of the parts `validation` and `test`."""
        words = {word.key for word in words_of(text)}
        named = {unit for units in self.table.units.find(text, any_case=bool(words & _CHEMISTRY)) for unit in units}
        if words & _CHEMISTRY:
            named |= {unit for _, unit in self._symbols(text)}
        if fact := self.read(text):
            named.add(fact.unit)
        return frozenset(unit for unit in named if part_of(unit) != "train")

    def _symbols(self, text: str) -> list[tuple[str, str]]:
        """Symbol and unit of each element whose symbol stands in a text as a word of its own."""
        words, symbols = words_of(text), []
        for place, word in enumerate(words):
            symbol, unit = self.table.symbols.get(word.key, ("", ""))
            alone = len(words) == 1 or f"({symbol})" in text or f"**{symbol}**" in text or f'"{symbol}"' in text
            ends = place == len(words) - 1 and words[place - 1].key in _SYMBOL_PLACES
            if symbol and (alone or ends or (word.written == symbol and symbol not in _SYMBOL_WORDS)):
                symbols.append((symbol, unit))
        return symbols

    def questions(self, fact: Fact) -> list[str]:
        """The question on a fact in each wording."""
        article = "the " if fact.subject[0] in WITH_ARTICLE else ""
        return [write(fact.relation, n, f"{article}{fact.subject[0]}") for n in range(len(WORDINGS[fact.relation]))]

    def draw(self, corpus: Corpus) -> list[Example]:
        """Draw a corpus in random order, with equally many questions of each relation.

        If it is distinct, a question leaves the draw once it is drawn. Raises BadInput if it asks for more distinct questions
        of a relation than exist.
        """
        rng = random.Random(corpus.random_seed)
        mix = MIXES[corpus.mix]
        facts = [f for f in self.table.facts if not f.also and corpus.part in ("all", part_of(f.unit))]
        shares = [corpus.count // len(RELATIONS)] * len(RELATIONS)
        for place in rng.sample(range(len(RELATIONS)), corpus.count % len(RELATIONS)):
            shares[place] += 1
        examples = []
        for relation, count in zip(RELATIONS, shares, strict=True):
            weights = {
                question: fact.popularity**mix.power
                for fact in facts
                if fact.relation == relation
                for question in self.questions(fact)
            }
            if (corpus.distinct and count > len(weights)) or (count and not weights):
                raise BadInput(
                    f"corpus: part {corpus.part} has {len(weights)} different questions of the relation {relation}, and "
                    f"{count} are asked for; lower `count` or set `distinct: false`"
                )
            subject = relation if mix.by_relation else None
            drawn = _draw(weights, count, corpus.distinct, rng)
            examples += [Example(question, self.solve(question), subject) for question in drawn]
        rng.shuffle(examples)
        return examples

    def vocabulary(self) -> list[str]:
        """Every word of the questions and answers, in a fixed order."""
        texts = [text for fact in self.table.facts for text in (*self.questions(fact), fact.answer[0])]
        return list(dict.fromkeys(word for text in texts for word in text.split()))


def _draw(weights: dict[str, float], count: int, distinct: bool, rng: random.Random) -> list[str]:
    """Draw questions by weight. If distinct, without replacement, by the first of exponential times with the weights as rates:
    the method of Efraimidis and Spirakis (2006), DOI 10.1016/j.ipl.2005.11.003."""
    if not distinct:
        return rng.choices(list(weights), list(weights.values()), k=count)
    times = {question: rng.expovariate(weight) for question, weight in weights.items()}
    return sorted(times, key=lambda question: (times[question], question))[:count]


@cache
def facts_of(path: Path) -> Facts:
    """The world of a table. Each table is read once."""
    return Facts(path)


def open_world(table: Path) -> World:
    """The world of the facts in a table, which a rule makes. Its path is relative to the folder in which a job runs."""

    def facts() -> Facts:
        return facts_of(table.absolute())

    return World(
        teaches=True,
        mixes=MIXES,
        draw=lambda corpus: facts().draw(corpus),
        vocabulary=lambda: facts().vocabulary(),
        solve=lambda question: facts().solve(question),
        type_of=lambda question: facts().type_of(question),
        canonical=lambda question: facts().canonical(question),
        table=table,
        credit=CREDIT,
        aliases=lambda question: facts().aliases(question),
        named=lambda question, response: facts().named(question, response),
        subject=lambda question: facts().subject(question),
        entities=lambda text: facts().entities(text),
    )


WORLD = open_world(FACTS_TABLE)
