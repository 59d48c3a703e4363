"""Whether a clause says that its speaker does not know the answer.

    abstains("I do not have information on that.")      True
    abstains("It is unknown who built it.")             True
    abstains("I am not sure, but I think it is Rome.")  True: `short` reads the second clause apart

The text is expected without contractions, as `short` writes it: "do not", not "don't".
"""

from __future__ import annotations

import re

from reversegen.kinds.answers.names import normal

_ADVERB = (
    r"(?:(?:really|honestly|actually|currently|quite|entirely|completely|exactly|totally|fully|yet|personally|even|simply"
    r"|100 ?%|absolutely|particularly|very|too|specifically|truly) )*"
)
_KNOWING = (
    r"(?:know\b|recall\b|remember\b|have (?:[\w-]+ ){0,4}?(?:information|knowledge|data|details?|records?|"
    r"answer|idea|clue|memory|access|specifics|figures?)\b"
    r"|possess\b|think i (?:know|can)\b|understand the question\b|\W*\Z)"
)
_TELLING = (
    r"(?:answer|provide|determine|find|verify|confirm|say|recall|remember|access|give|identify|tell|state|name|"
    r"help|assist|be (?:sure|certain)|know|look up"
    r"|offer|specify|respond|locate|retrieve|browse|guarantee|think of)\b"
)
_NO_INFORMATION = (
    r"(?:information|data|record|answer|knowledge|details?|reliable source|evidence|specific information"
    r"|definitive answer|known answer|way (?:for me )?to know)"
)
_ABSTAINS = re.compile(
    rf"\bi {_ADVERB}(?:do|did|would) not\b ?{_ADVERB}{_KNOWING}"
    rf"|\b(?:i am|i was|am) {_ADVERB}(?:not {_ADVERB}(?:sure|certain|aware|able|familiar|confident|informed|"
    rf"equipped)|unsure|uncertain|unable|unaware|unfamiliar)\b"
    rf"|\b(?:i )?(?:cannot|can not|could not|am not able to|am unable to|was unable to|"
    rf"will not be able to) {_ADVERB}{_TELLING}"
    rf"|\bi {_ADVERB}have (?:no|never|not (?:been|heard|found|learned)|little|limited|insufficient) "
    r"(?:\w+ ){0,2}?(?:idea|information|knowledge|data|record|clue|memory|details?|heard|trained|given|"
    r"provided|answer|access|about|of)\b"
    r"|\A\W*(?:sorry\W+)?(?:no idea|no clue|not sure|unsure|not certain|unknown|idk|dunno|do not know|"
    r"cannot say|hard to say|who knows|no answer|n/a)\b"
    rf"|\bthere (?:is|are|was) (?:currently )?(?:no|not enough|insufficient|not any) (?:\w+ )?{_NO_INFORMATION}"
    rf"|\b(?:not enough|insufficient|no|lack of) (?:\w+ )?(?:information|data|details) (?:is |are |"
    rf"was )?(?:available|provided|given|to (?:answer|determine)|on|about|in)\b"
    r"|\binformation (?:\w+ ){0,6}(?:is|was) (?:not|un)(?: ?(?:currently |publicly |readily ))?(?:available|"
    r"known|provided|given|clear)"
    r"|\A\W*(?:the|its|it|this|that|answer|which|who|what|his|her|name|information)\b[^,]{0,80}?\b(?:is|was|"
    r"remains) (?:currently |still |generally |largely )?"
    r"(?:unknown|not (?:currently |publicly |well |widely |clearly |yet |readily )*(?:known|clear|available|"
    r"specified|documented|recorded|certain)"
    r"|unclear|uncertain|undetermined|unspecified)\b(?! for\b| as\b)"
    r"|\b(?:cannot|can not) be (?:determined|answered|known|verified|established|confirmed|identified)\b"
    r"|\b(?:beyond|outside|not (?:in|within|part of)) (?:of )?(?:the scope of )?my (?:knowledge|training|"
    r"information|data|expertise)\b"
    r"|\b(?:answer|that|this|it) (?:escapes|eludes) me\b|\bdrawing a blank\b|\byour guess is as good as mine\b|"
    r"\bnot something i know\b"
    r"|\bi would (?:have|need) to (?:look|check|search|guess|look that up|know more)\b|\bi wish i (?:knew|"
    r"could)\b|\bnever heard of\b"
    r"|\bnot familiar with\b|\bmy (?:knowledge|training data|information) (?:does not|is (?:limited|not))\b|"
    r"\bbeats me\b",
    re.IGNORECASE,
)
_WHOLE = frozenset(
    {
        "unknown",
        "none",
        "n a",
        "not available",
        "not known",
        "unsure",
        "uncertain",
        "no answer",
        "not applicable",
        "not sure",
    }
)
"""Clauses in normal form that abstain only if nothing else stands in them."""


def abstains(clause: str) -> bool:
    """Whether a clause without contractions abstains."""
    return normal(clause) in _WHOLE or bool(_ABSTAINS.search(clause))
