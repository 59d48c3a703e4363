"""Whether a reply says yes or no, in a requested form at its end or in its first word::

    says_yes(read_reply("Yes, it can. No number is missing."))           True
    says_yes(read_reply("The price is missing, so the answer is no."))   False
    says_yes(read_reply("No information is missing."))                   None

The last "no" belongs to another statement. Everything takes time linear in the length of the reply.
"""

from __future__ import annotations

import re

from reversegen.kinds.answers.final import final_answer
from reversegen.kinds.answers.reply import Reply
from reversegen.kinds.answers.statements import answer_places

_END = r"""(?=[*_"'\u2019)}\]]*\s*(?:\Z|[.,;:!\n\u2013\u2014]|-\s
    |(?:since|because|as|it|this|that|there|the|we|you|i)\b))"""
"""What follows a yes or no that is an answer of its own, unlike "no doubt", "no number" or "yes/no"."""
_WORD = rf"""(?P<word>yes|no)(?!['\u2019]?\w){_END}
    (?![*_"'\u2019)}}\]]*[\ \t,;:\u2013\u2014-]*(?:(?:and|or|but)\b\W*)?(?!(?P=word))(?:yes|no)\b{_END})"""
"""One of the two words, if the other does not follow at once."""
_OPENING = re.compile(rf"\W*(?:(?:the\ |my\ |final\ )*answer\W+(?:is\W+)?)?{_WORD}", re.IGNORECASE | re.VERBOSE)
_LAST = re.compile(
    r"""(?:\A|[:\u2013\u2014]\s)\W*
    (?:(?:so|thus|hence|therefore|finally|overall|conclusion|verdict|in\ (?:conclusion|short|summary))\b\W*)?"""
    + _WORD,
    re.IGNORECASE | re.VERBOSE,
)
_BEHIND_ANSWER = re.compile(rf"[\s*_\"'(]*{_WORD}", re.IGNORECASE | re.VERBOSE)
_SENTENCE = re.compile(r"[.!?]\s+|\n")
_WRAPPING = re.compile(r"\\(?:text\w*|mathrm|mathbf)|[{}$*_\"'.]")


def says_yes(reply: Reply) -> bool | None:
    """Whether a valid reply says yes; None if it says neither, or both.

    The last statement in a requested form decides: in a box or after `####`, or else "the answer is ...". A reply without
    such a statement is decided by the word that it opens with and the word in its last sentence; if it has both, they must
    agree. In a truncated reply only two things count: the opening, and a closed box after which the reply only repeats itself.
    """
    final = final_answer(reply.text, reply.finished)
    word = _WRAPPING.sub("", final.value or "").strip().lower() if final.strict and final.settled else ""
    if word in ("yes", "no"):
        return word == "yes"
    opening = _OPENING.match(reply.text)
    if not reply.finished:
        whole = opening and reply.text[opening.end() :].strip(" \t*_\"'")
        return opening["word"].lower() == "yes" if opening and whole else None
    words_after = (_BEHIND_ANSWER.match(reply.text, place) for place in answer_places(reply.text))
    if stated := next(filter(None, words_after), None):
        return stated["word"].lower() == "yes"
    last = next((sentence for sentence in reversed(_SENTENCE.split(reply.text)) if sentence.strip(" \t*_")), "")
    words = {match["word"].lower() == "yes" for match in (opening, _LAST.search(last)) if match}
    return words.pop() if len(words) == 1 else None
