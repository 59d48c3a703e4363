"""The short answer in a response to an open question: right, wrong, an abstention, or undecided.

    asked = OpenQuestion("What is the capital of Australia?", ["Canberra"])
    read_short(asked, read_reply("The capital of Australia is **Canberra**.")).state       "right"
    read_short(asked, read_reply("Sydney.")).state                                         "wrong"
    read_short(asked, read_reply("It is not Sydney but Canberra.")).state                  "right"
    read_short(asked, read_reply("I'm not sure, but I think it is Sydney.")).state         "wrong"
    read_short(asked, read_reply("I do not have information on that.")).state              "abstained"
    read_short(asked, read_reply("Sydney or Canberra")).state                              None: several answers

The rules, in this order:

- Clauses that abstain state nothing. If nothing else is left, the response abstains; otherwise what is left is the answer.
- What a clause denies ("not Sydney", "rather than Sydney") is no answer.
- If a world lists the possible answers of the question, the names in the clauses that are about the question decide, and
  otherwise those in all clauses.
- What the question is about is a wrong answer to it, in any letter case, if it is all that a clause states.
- Without such a list, an accepted name anywhere outside a denial is right, and a stated value without one is wrong.
- A correction ("No, ...", "Actually, ...") is about the question too, so an answer and another one that corrects it are two.
- If the accepted answer is a number, the numbers in the clauses that are about the question decide; years, if it asks for one.
- Right and wrong answers together are undecided, as is a response without an answer. A truncated last clause counts only as far
  as it is whole.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from reversegen.kinds.answers.clauses import Clause, alike, clauses, content_words, parts, stated, states
from reversegen.kinds.answers.names import SPELLINGS, Word, as_number, is_any, is_date, normal, numbers_in, words_of
from reversegen.kinds.answers.reply import TRUNCATED, Reply

State = Literal["right", "wrong", "abstained"]
SEVERAL = "right and wrong answers together"
NOTHING = "no answer"
EMPTY = "empty response"

_FUNCTION_WORDS = frozenset({
    "a", "an", "and", "as", "at", "but", "by", "for", "from", "in", "into", "is", "it", "its", "i", "my", "no",
    "of", "on", "or", "our", "perhaps", "maybe", "probably", "so", "that", "then", "this", "to", "was", "yes",
    "with", "answer", "called", "named", "near", "currently", "officially", "actually",
})  # fmt: skip
_TITLES = frozenset({
    "sir", "dame", "lord", "lady", "mr", "mrs", "ms", "dr", "doctor", "professor", "president", "king", "queen",
    "emperor", "empress", "prince", "princess", "pope", "general", "captain", "northern", "southern", "eastern",
    "western", "central", "northwestern", "northeastern", "southeastern", "southwestern", "city", "town", "state",
    "republic", "kingdom", "country", "capital", "lake", "river", "mount", "mountain", "island", "islands",
    "planet", "element", "novelist", "author", "writer", "poet", "painter", "artist", "composer", "physicist",
    "chemist", "scientist", "inventor", "actor", "singer", "director", "american", "english", "british", "french",
    "german", "italian", "spanish", "greek", "russian", "dutch", "austrian", "polish",
})  # fmt: skip
"""Words that may stand beside a name without making it another name."""
_VAGUE = re.compile(
    r"\A\W*(?:not|very|quite|difficult|hard|impossible|important|well known|complicated|subject|debated|based|"
    r"different|the same|"
    r"true|correct|incorrect|wrong|right|false|likely|as follows|follows|yes|no|unknown|unclear|available|here|"
    r"below|thank|thanks|hope|glad|please|"
    r"let|welcome|determined|provided|asked|used|one|something|somewhere|someone|anonymous|sorry|afraid|happy|able)\b",
    re.IGNORECASE,
)
_DIVIDED = ("africa", "asia", "europe")
_PARTS_OF_THE_WORLD = ("north", "south", "east", "west", "southeast", "northeast", "southwest", "northwest")
"""Words that name a part of a continent, which is the continent too. South Africa is a country."""
_ASKS_YEAR = re.compile(r"\A\W*when\b|\b(?:what|which)(?: \w+)? year\b", re.IGNORECASE)
_YEAR = re.compile(r"[12]\d{3}")
_LONGEST = 8
"""The most words of a stated value; longer ones are descriptions."""


@dataclass(frozen=True)
class OpenQuestion:
    """A question, and everything by which answers to it are read."""

    question: str
    accepted: Sequence[str]
    """All accepted names of the answer."""
    wordings: Sequence[str] = ()
    """The task's own wordings of an abstention."""
    named: Callable[[str, str], Sequence[str]] | None = None
    """(question, text) to the names of possible answers in the text; None if no world knows the question."""
    subject: Sequence[str] = ()
    """All names of what the question is about; empty if no world knows the question."""


class ShortAnswer(NamedTuple):
    """What a response answers."""

    state: State | None
    reason: str
    """Why there is no answer; empty if there is one."""


def read_short(asked: OpenQuestion, reply: Reply) -> ShortAnswer:
    """Whether a reply answers rightly, wrongly or not at all, by the rules of this module."""
    if reply.invalid:
        return ShortAnswer(None, reply.invalid)
    if not reply.text.strip():
        return ShortAnswer(None, EMPTY)
    every = clauses(reply.text, reply.finished, asked.question, asked.wordings)
    stating = [clause for clause in every if not clause.abstains]
    right, wrong = _verdicts(asked, stating)
    if right and wrong:
        return ShortAnswer(None, SEVERAL)
    if right or wrong:
        return ShortAnswer("right" if right else "wrong", "")
    if len(stating) < len(every):
        return ShortAnswer("abstained", "")
    return ShortAnswer(None, NOTHING if reply.finished else TRUNCATED)


def stated_answer(question: str, text: str) -> str | None:
    """The one answer that a finished text states, as it is written; None if it states none or several, or abstains."""
    every = [clause for clause in clauses(text, True, question) if not clause.abstains]
    values = [value for clause in every for value in stated(clause, question) if _says(value, question)]
    distinct = {normal(value): value for value in values}
    return next(iter(distinct.values())) if len(distinct) == 1 else None


def abstains_wholly(question: str, text: str) -> bool:
    """Whether a finished text only says that it does not know."""
    every = clauses(text, True, question)
    return bool(every) and stated_answer(question, text) is None and any(clause.abstains for clause in every)


def _verdicts(asked: OpenQuestion, stating: Sequence[Clause]) -> tuple[bool, bool]:
    """Whether the clauses hold a right and a wrong answer."""
    if asked.named:
        names = _named_verdicts(asked, stating)
        if any(names):
            return names
    if asked.accepted and as_number(asked.accepted[0]) is not None:
        return _number_verdicts(asked, stating)
    right = wrong = False
    for clause in stating:
        values = stated(clause, asked.question)
        for value in values:
            for part in [value] if _holds_joined(value, asked) else parts(value):
                if _holds(part, asked):
                    right = True
                elif _says(part, asked.question, _subject(clause, asked)) and not _derives(part, asked):
                    wrong = True
        in_question = _holds(asked.question, asked)
        right = right or (
            (clause.whole or not _ends_with(clause.text, asked)) and not in_question and _holds(clause.text, asked)
        )
    return right, wrong


def _named_verdicts(asked: OpenQuestion, stating: Sequence[Clause]) -> tuple[bool, bool]:
    """The same by the names that a world finds."""
    assert asked.named
    accepted = {normal(name) for name in asked.accepted}
    repeated = {normal(name) for name in asked.named(asked.question, asked.question)}
    by_clause: list[tuple[bool, list[str]]] = []
    for clause in stating:
        text = clause.text if clause.whole else clause.text.rpartition(" ")[0]
        names = [normal(name) for name in asked.named(asked.question, text)]
        values = " , ".join(stated(clause, asked.question))
        in_value = (
            {normal(name) for name in asked.named(asked.question, values)} if repeated.intersection(names) else set()
        )
        kept = [name for name in names if name not in repeated or name in in_value]
        by_clause.append((states(clause, asked.question), kept))
    about = [name for stands, names in by_clause if stands for name in names]
    counted = about or [name for _, names in by_clause for name in names]
    return any(name in accepted for name in counted), any(name not in accepted for name in counted)


def _number_verdicts(asked: OpenQuestion, stating: Sequence[Clause]) -> tuple[bool, bool]:
    """The same by numbers. Numbers of the question count only if they are accepted, or follow "Answer:"."""
    repeated = list(numbers_in(asked.question))
    asks_year = bool(_ASKS_YEAR.search(asked.question) and _YEAR.fullmatch(asked.accepted[0].strip()))
    right = wrong = False
    for number, clause in enumerate(stating):
        if number and not states(clause, asked.question):
            continue
        text = clause.text if clause.whole else re.sub(r"(?<![\w.,])[\w.,]+\Z", "", clause.text)
        numbers = list(numbers_in(text))
        if asks_year:
            numbers = [one for one in numbers if _YEAR.fullmatch(one)] or numbers
        for one in numbers:
            if is_any(one, asked.accepted):
                right = True
            elif clause.final or not is_any(one, repeated):
                wrong = True
        if not numbers and clause.whole:
            wrong = wrong or any(_says(value, asked.question) for value in stated(clause, asked.question))
    return right, wrong


def _subject(clause: Clause, asked: OpenQuestion) -> Sequence[str]:
    """The names of what the question is about that a clause may answer; none if it ends as "the symbol of copper" does."""
    whole = f" {normal(clause.text)}"
    return [name for name in asked.subject if not whole.endswith((f" of {normal(name)}", f" for {normal(name)}"))]


def _says(value: str, question: str, subject: Sequence[str] = ()) -> bool:
    """Whether a stated value may be an answer: it is short, not vague, and a name or more than words of the question.

    It is a name if it has capital letters here or in the question, or if it is what the question is about, as copper is in
    "The symbol of copper is copper".
    """
    words = words_of(value)
    if not words or len(words) > _LONGEST or _VAGUE.match(value):
        return False
    known, counted = content_words(question), [word for word in words if word.text not in _FUNCTION_WORDS]
    names = {word.text for word in words_of(question)[1:] if word.capital}
    if counted and all(word.capital or word.text in names for word in counted):
        return True
    if normal(value) in map(normal, subject):
        return True
    return any(not any(alike(word.text, one) for one in known) for word in counted)


def _derives(value: str, asked: OpenQuestion) -> bool:
    """Whether a value is a part of an accepted name, or formed from one: such a value is undecided.

    A part is its last words (franc, of Swiss franc); a word that begins with a name of one word is formed from it (African).
    """
    if any(normal(name).endswith(f" {normal(value)}") for name in asked.accepted):
        return True
    names = [normal(name) for name in asked.accepted]
    longer = [name for name in names if len(name) > 3 and " " not in name]
    return any(word.text != name and word.text.startswith(name) for word in words_of(value) for name in longer)


def _ends_with(text: str, asked: OpenQuestion) -> bool:
    """Whether a truncated text ends with an accepted name, which may be the beginning of a longer one."""
    return any(normal(text).endswith(normal(name)) for name in asked.accepted)


def _holds_joined(value: str, asked: OpenQuestion) -> bool:
    """Whether a value holds an accepted name of several joined parts, such as Trinidad and Tobago."""
    joined = [name for name in asked.accepted if len(parts(name)) > 1]
    return bool(joined) and _holds(value, replace(asked, accepted=joined))


def _holds(text: str, asked: OpenQuestion) -> bool:
    """Whether a text holds an accepted name as a whole name."""
    whole = f" {normal(text)} "
    if any(f" {normal(name)} " in whole for name in asked.accepted if is_date(name)):
        return True
    words = words_of(text)
    cased = any(word.text.isalpha() and word.capital for word in words)
    known = content_words(asked.question)
    for name in asked.accepted:
        for form in _forms(name):
            for start in range(len(words) - len(form) + 1):
                if tuple(word.text for word in words[start : start + len(form)]) == form:
                    before = words[start - 1] if start and words[start].joined else None
                    after = next(iter(words[start + len(form) :]), None)
                    after = after if after and after.joined else None
                    if not (_widens(before, cased, known) or _widens(after, cased, known)):
                        return True
    return asked.question.lower().startswith("who") and _is_surname(words, asked)


def _widens(word: Word | None, cased: bool, known: set[str]) -> bool:
    """Whether a word beside a name makes it another name, as New in New Guinea."""
    if word is None or word.text in _FUNCTION_WORDS | _TITLES or any(alike(word.text, one) for one in known):
        return False
    return word.capital and not re.fullmatch(r"\d{4}", word.text) if cased else False


def _is_surname(words: Sequence[Word], asked: OpenQuestion) -> bool:
    """Whether a text of one word is the last word of an accepted name of a person."""
    return len(words) == 1 and any(normal(name).split()[-1:] == [words[0].text] for name in asked.accepted)


@functools.lru_cache(maxsize=4096)
def _forms(name: str) -> tuple[tuple[str, ...], ...]:
    """The words of a name in normal form, in each spelling that is known."""
    whole = normal(name)
    forms = {whole, " ".join(word.text for word in words_of(name))}
    if whole in _DIVIDED:
        forms |= {f"{part} {whole}" for part in _PARTS_OF_THE_WORLD if (part, whole) != ("south", "africa")}
    forms |= {
        whole.replace(one, other) for other, one in SPELLINGS.items() if re.search(rf"\b{re.escape(one)}\b", whole)
    }
    return tuple(tuple(form.split()) for form in sorted(forms) if form)
