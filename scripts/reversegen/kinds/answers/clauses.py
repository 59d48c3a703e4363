"""The clauses of a response to an open question: without markup, repetitions and contractions, and what each of them states.

clauses("**Not** Sydney, but Canberra.", True)          one clause: "but Canberra"
stated("The capital of France is Paris.", question)     ["Paris"]
stated("Paris is the capital of France.", question)     ["Paris"]
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from reversegen.kinds.answers.abstentions import abstains
from reversegen.kinds.answers.names import normal, words_of

_MARKUP = re.compile(
    r"\*\*|__|~~|[*`\u201c\u201d\u201e\u00ab\u00bb\"]|<[^<>\n]{1,40}>|\\(?:boxed|text\w*|mathrm|mathbf)\{|[{}$]"
)
_BULLET = re.compile(r"^\s*(?:[-\u2022\u2013>]+|#{1,3}(?!#)|\(?\d{1,2}[.)](?=\s))\s*", re.MULTILINE)
_SHORTENED = re.compile(
    r"\b(St|Mt|Ft|Dr|Mr|Mrs|Ms|Jr|Sr|Prof|Gen|Gov|Sen|Rev|Col|Lt|No|vs|approx|ca|c|etc|e\.g|i\.e|Inc|Ltd|Co|"
    r"[A-Z])\.(?=\s?\S)"
)
_CONTRACTIONS = (
    (re.compile(r"\b(ca)n['\u2019]?t\b", re.IGNORECASE), r"\1nnot"),
    (re.compile(r"\bwon['\u2019]t\b", re.IGNORECASE), "will not"),
    (
        re.compile(r"\b(is|was|are|were|do|does|did|has|have|had|could|would|should)n['\u2019]?t\b", re.IGNORECASE),
        r"\1 not",
    ),
    (re.compile(r"\b(I)['\u2019]?m\b"), r"\1 am"),
    (re.compile(r"\b(I)['\u2019]ve\b"), r"\1 have"),
    (re.compile(r"\b(I)['\u2019]d\b"), r"\1 would"),
    (re.compile(r"\b(it|that|this|there|what|he|she)['\u2019]s\b", re.IGNORECASE), r"\1 is"),
    (re.compile(r"\bim (?=not\b|un)", re.IGNORECASE), "I am "),
    (re.compile(r"\bdunno\b", re.IGNORECASE), "I do not know"),
)
_SENTENCE = re.compile(r"(?<=[.!?\u3002\uff1f\uff01])[\s'\")\]]+|\n+|;\s*|(?=####)|(?<=[?!])(?=[A-Z])")
_CLAUSE = re.compile(
    r"[,:]?\s+\b(?:but(?! rather\b)|however|while|whereas|although|though|yet)\b,?\s*"
    r"|,\s+(?=(?:it|that|this|my|the (?:answer|capital|correct)|perhaps|maybe|possibly|i (?:think|believe|"
    r"guess|would))\b)"
    r"|\s+[-\u2013\u2014]+\s+|\s*\u2014\s*|[,:]?\s+\b(?:rather|instead),\s+",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"\A\W*(?:(?:sure|certainly|of course|absolutely|yes|no(?=[,.!]| wait)|wait(?=[,.!])|hello|hi|okay|ok|well(?=,)|so|thus|"
    r"therefore|hence|actually|hmm+|oh|ah|sorry|"
    r"great question|good question|indeed|in fact|in short|here is the answer|let me think|let us see|"
    r"i apologi[sz]e[^,.]*|"
    r"to the best of my knowledge|as far as i know|according to [^,]{1,60}|as of [^,]{1,60}|"
    r"based on [^,]{1,60}|in this case|finally|"
    r"currently|today|if i (?:recall|remember)(?: correctly)?|from memory|but|and|or|i (?:think|believe|guess|"
    r"would (?:say|guess)|am (?:fairly |pretty |quite |almost )?"
    r"(?:sure|certain|confident)|suppose|assume|recall|know|meant?)(?: that)?|perhaps|maybe|probably|possibly|"
    r"most likely|likely|it could be|it might be|it may be|"
    r"my (?:best )?guess (?:is|would be)|it seems|it appears|i would answer)\b[\s,.:!-]*)+",
    re.IGNORECASE,
)
_TITLE = re.compile(
    r"\A\W*(?:the |my |a )?(?:(?:final|correct|short|right|best|possible|most likely) ){0,2}(?:answer|response|"
    r"solution|ans|a)\b(?:\s+(?:to|for) [^:]{1,80}?)?"
    r"\s*(?:[:=\u2013-]|\bis\b|\bwould be\b|\bwas\b)[:\s]*",
    re.IGNORECASE,
)
_HASHES = re.compile(r"\A\s*#{4,6}\s*")
_FINAL = re.compile(
    r"\A\W*(?:the |my )?(?:(?:final|correct|short) )?answer\s*:(?!\s*\Z)|\A\s*#{4,6}\s*\S", re.IGNORECASE
)
_NEGATED = re.compile(
    r"(?:,\s*|\b)(?:and |it is |is |was |are )?\b(?:not|rather than|instead of|unlike|other than|as opposed to|"
    r"never|except)\b(?! only\b| just\b)"
    r"\s+(?:to be confused with )?[^,;.]*?(?=,|;|\.|\s+\bbut\b|\Z)",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\b(?:is|was|are|were) (?:often |sometimes |commonly |frequently |usually |mistakenly |incorrectly |"
    r"widely )*(?:mistaken|confused|thought|assumed|believed)\b"
    r"|\b(?:people|many|some|others|most)\b[^,.]{0,30}\b(?:think|believe|assume|say|confuse)\b",
    re.IGNORECASE,
)
_CORRECTS = re.compile(
    r"\A\W*(?:(?:oh|oops|i am)\W+)?(?:no(?=[,.!]| wait)|sorry|wait|actually|correction|or rather|i meant?)\b"
    r"|\A\W*(?:it|that) (?:is|was) (?:now|actually|really)\b",
    re.IGNORECASE,
)
"""Words before an answer that replaces the one before it."""
_COPULA = re.compile(
    r"\s+\b(?:is|am|was|are|were|remains|became|will be|would be|could be|might be|may be|should be|must be|"
    r"equals|means|refers to|uses|use|has|have|belongs to|"
    r"lies in|lay in|falls in|stands for|comes from|came from)\b\s+|\s*[=:]\s+",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"\A\W*(?:(?:currently|now|officially|also|still|actually|called|known as|named|considered|commonly|"
    r"generally|simply|located|situated|found|in|on|at|of|part|from|by|to be|"
    r"approximately|about|around|roughly|nearly|almost|over|exactly|likely|probably|perhaps|possibly|maybe|"
    r"believed|thought|said|either|indeed|definitely|"
    r"written|painted|directed|composed|invented|discovered|founded|created|sung|played|born|built|designed|"
    r"developed|published|released|won|made|"
    r"abbreviated|represented|denoted|symboli[sz]ed|the (?:city|town|country|state|continent|currency|year|"
    r"number|symbol|element|name|letter|letters) (?:of|called|named)?)\b[\s,:]*)+",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r",(?!\s?\d)|\s+\b(?:which|that|who|whose|where|located|situated|because|since|as|and (?:it|its|is|was|has|"
    r"the)|in (?:the|which)|with|for|based|after|when|"
    r"if|according|due|during|near|for example|also known|per|is|was|are|were|has|by|from|of the|and (?-i:[a-z]+))\b.*|"
    r"\s*[(\[;:].*|\s+[-\u2013\u2014]\s.*|[.!?]+\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_JOINED = re.compile(r",?\s+(?:or|and)\s+(?:maybe |perhaps |possibly |the )?|\s*/\s*", re.IGNORECASE)
_PRONOUN = re.compile(r"\A\W*(?:it|that|this|he|she|they|answer|its name|the name|these|those)\W*\Z", re.IGNORECASE)
_NOBODY = re.compile(r"\A\W*(?:i|you|we|there|here|let us|people)\W*\Z", re.IGNORECASE)
_SPEAKER = re.compile(r"\b(?:I|you|we)\b")
_PLACED = re.compile(r"\W*(?:located|situated|found)\b", re.IGNORECASE)
_ASKS_PLACE = re.compile(
    r"\b(?:where|country|continent|located|situated|region|state|lie|lies|(?:in|on) (?:what|which))\b", re.IGNORECASE
)
_DESCRIPTION = re.compile(
    r"\A\W*(?:a|an|one of|known|famous|home|very|so|not|such|when|where|what|why|how|that|because|if)\b", re.IGNORECASE
)
_UNCOUNTED = frozenset({
    "what", "which", "who", "whom", "whose", "when", "where", "how", "why", "is", "was", "are", "were", "do",
    "does", "did", "has", "have", "had", "of", "in", "on", "at", "to", "by", "for", "from", "with", "and", "or",
    "a", "an", "name", "tell", "me", "can", "you", "please", "give", "say", "state", "question", "answer", "its",
    "his", "her", "their", "this", "that", "there", "as", "it", "be", "been", "called", "many", "much", "i",
})  # fmt: skip
_ASKS = re.compile(
    r"\W*(?:q\w*\W+)?(?:in |on |at |of |for )?(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|"
    r"do|does|did|can|could|would|will|has|have|may)\b",
    re.IGNORECASE,
)
SHORT = 6
"""The most words of a clause without a verb that is an answer as a whole."""


class Clause(NamedTuple):
    """A clause of a response."""

    text: str
    first: bool
    """Whether it is in the first sentence, a line of a list, after "Answer:", or a correction ("No, ...")."""
    whole: bool
    """False if the end of the response may have truncated it."""
    abstains: bool
    """Whether it says that its speaker does not know the answer."""
    final: bool = False
    """Whether it follows "Answer:" or `####`, which end a response with its answer."""


def clauses(text: str, finished: bool, question: str, wordings: Iterable[str] = ()) -> list[Clause]:
    """The clauses of a response, each once, up to a question that the response asks itself after its answer.

    A question of words of `question` alone ("Gold?") is an echo and no clause.

    If some follow "Answer:" or `####`, only these count. Parts that deny something ("not Sydney", "rather than Sydney") are
    removed. `wordings` are further forms of an abstention.
    """
    # long runs of spaces and line breaks would take the patterns quadratic time
    lines = "\n".join(filter(None, (" ".join(line.split()) for line in text.split("\n"))))
    listed = len(_BULLET.findall(lines)) > 1
    plain = _SHORTENED.sub(lambda one: one[1].replace(".", ""), _BULLET.sub("", _MARKUP.sub("", lines)))
    for pattern, replacement in _CONTRACTIONS:
        plain = pattern.sub(replacement, plain)
    sentences = [sentence.strip() for sentence in _SENTENCE.split(plain) if sentence and sentence.strip(" \t.,'\"()-")]
    asked = {word.text for word in words_of(question)}
    seen: dict[str, Clause] = {}
    answered = False
    for number, sentence in enumerate(sentences):
        whole = finished or number < len(sentences) - 1 or bool(re.search(r"[.!?]['\")\]]*\Z", plain.rstrip()))
        if sentence.endswith("?") and {w.text for w in words_of(sentence)} <= asked:
            continue
        if sentence.endswith("?") and _ASKS.match(sentence):
            if seen and normal(sentence) != normal(question):
                break
            continue
        if any(normal(sentence) == normal(wording) for wording in wordings):
            seen.setdefault(normal(sentence), Clause(sentence, not answered, whole, True))
            continue
        final = bool(_FINAL.match(sentence))
        corrects = bool(_CORRECTS.match(sentence))
        sentence, titled = _titled(_HASHES.sub("", sentence))
        for clause in _CLAUSE.split(sentence):
            part = clause if abstains(clause) else _LEAD.sub("", clause)
            first = not answered or listed or titled or corrects or bool(_CORRECTS.match(clause))
            unknown = abstains(part)
            kept = part if unknown else _without_denied(part)
            if kept.strip(" \t.,'\"()-:") and (final or normal(kept) not in seen):
                seen[normal(kept)] = Clause(kept.strip(), first or final, whole, unknown, final)
        answered = any(not clause.abstains for clause in seen.values())
    finals = [clause for clause in seen.values() if clause.final]
    return finals or list(seen.values())


def _titled(sentence: str) -> tuple[str, bool]:
    """A sentence after words without content, such as "Sure!" and "The answer is", and whether the latter is among them."""
    text = _LEAD.sub("", sentence)
    title = _TITLE.match(text)
    text = text[title.end() :] if title and text[title.end() :].strip() else text
    return _LEAD.sub("", text), bool(title)


def _without_denied(clause: str) -> str:
    """A clause without what it denies; of "Sydney is not the capital, it is Rome", what follows the comma.

    Of "It is Rome, which is often confused with Sydney", what stands before the comma remains.
    """
    _, copula, after = _parted(clause)
    denial = re.match(r"\W*(?:not|never)\b(?! only\b| just\b)", after, re.IGNORECASE)
    kept = after.partition(",")[2] if copula and denial else _NEGATED.sub(" ", f" {clause}").strip()
    if not (denied := _DENIED.search(kept)):
        return kept
    statement = kept[: denied.start()].rpartition(",")[0]
    return statement if _COPULA.search(statement) else ""


def _parted(clause: str) -> tuple[str, str, str]:
    copula = _COPULA.search(f" {clause}")
    return (clause[: max(0, copula.start() - 1)], copula[0], clause[copula.end() - 1 :]) if copula else (clause, "", "")


def content_words(question: str) -> set[str]:
    """The words of a question that name what it asks for."""
    return {word.text for word in words_of(question)} - _UNCOUNTED


def _shared(part: str, question: str) -> int:
    """The number of content words of the question in a part of a clause; forms of one word count (Spain, Spanish)."""
    given = {word.text for word in words_of(part)}
    return sum(any(alike(word, one) for one in given) for word in content_words(question))


def alike(one: str, other: str) -> bool:
    """Whether two words are equal or begin with the same four letters or more, up to their endings."""
    least = max(4, min(len(one), len(other)) - 2)
    return one == other or (min(len(one), len(other)) >= 4 and one[:least] == other[:least])


def states(clause: Clause, question: str) -> bool:
    """Whether a clause is about what the question asks, or is the answer alone."""
    return bool(stated(clause, question)) or _shared(clause.text, question) > 0


def stated(clause: Clause, question: str) -> list[str]:
    """The answer that a clause states, as it is written, with what "or", "and" or a slash joins to it; empty if it states none.

    "The capital of France is Paris" and "Paris is the capital of France" state Paris: of the two sides of a verb, the one that
    repeats less of the question is the answer. A description ("a large city") and a truncated end state nothing.
    """
    before, copula, after = _parted(clause.text)
    if not copula:
        words = clause.text.split()
        short = clause.first and len(words) <= SHORT and (len(words) == 1 or not _SPEAKER.search(clause.text))
        return _values(clause.text, clause.whole) if short else []
    if _NOBODY.match(before):
        return []
    if clause.first and _PRONOUN.match(before or "it"):
        return [] if _DESCRIPTION.match(after) else _values(after, clause.whole)
    if (left := _shared(before, question)) >= _shared(after, question):
        placed = _PLACED.match(after) and not _ASKS_PLACE.search(question)
        return [] if not left or placed or _describes(before, copula, after) else _values(after, clause.whole)
    return [] if _PRONOUN.match(before) or copula.strip() in (":", "=") else _values(before, True)


def _describes(before: str, copula: str, after: str) -> bool:
    """Whether a clause describes what it is about ("Australia is large", "It is a country") instead of answering."""
    about_a_name = copula.strip().lower() in ("is", "are", "was", "were") and not re.search(
        r"(?:\A|\s)[a-z]{4,}", before
    )
    plain = not re.search(r"[A-Z\d]", after) and _FILLER.match(after) is None
    return bool(_DESCRIPTION.match(after)) or (about_a_name and plain and bool(re.search(r"[A-Z]", before)))


def _values(text: str, whole: bool) -> list[str]:
    filled = _FILLER.sub("", text) or text
    cut = _AFTER.search(filled)
    value = (filled[: cut.start()] if cut else filled).strip(" .,!?'\"")
    return [] if not value or not (whole or cut) else [value]


def parts(value: str) -> list[str]:
    """The alternatives in a stated value, joined by "or", "and" or a slash; the value alone if it has none."""
    return [part for part in _JOINED.split(value) if part.strip()] or [value]
