"""The wordings of questions: those that questions are written in, and the patterns of those that are read.

People and small models ask in more wordings than the world writes, so `WORDINGS` is a small part of what `read` accepts. A
pattern is matched with the `names.key` of a text, so case, accents and punctuation make no difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from reversegen.worlds.facts.names import key

WORDINGS = {
    "capital": (
        "What is the capital of {x}?",
        "What's the capital city of {x}?",
        "Which city is the capital of {x}?",
        "Name the capital of {x}.",
        "Can you tell me the capital of {x}?",
        "What is the name of the capital city of {x}?",
        "Which city serves as the capital of {x}?",
        "Do you know what the capital of {x} is?",
        "what is the capital of {x}",
    ),
    "continent": (
        "Which continent is {x} in?",
        "On which continent is {x} located?",
        "What continent does {x} belong to?",
        "In which continent can {x} be found?",
        "{x} is on which continent?",
        "What continent is {x} part of?",
        "Name the continent on which {x} lies.",
        "Can you tell me which continent {x} is on?",
        "what continent is {x} on",
    ),
    "country_of_capital": (
        "{x} is the capital of which country?",
        "Which country has {x} as its capital?",
        "What country is {x} the capital of?",
        "Which country's capital is {x}?",
        "Name the country whose capital is {x}.",
        "What is the country with the capital {x}?",
        "Of which country is {x} the capital?",
        "Can you tell me which country {x} is the capital of?",
        "what country has the capital {x}",
    ),
    "country_of_city": (
        "In which country is {x}?",
        "What country is {x} in?",
        "Which country is the city of {x} located in?",
        "{x} is a city in which country?",
        "In what country can you find {x}?",
        "To which country does the city of {x} belong?",
        "Name the country in which {x} lies.",
        "Can you tell me which country {x} is in?",
        "what country is {x} in",
    ),
    "currency": (
        "What is the currency of {x}?",
        "Which currency is used in {x}?",
        "What currency do people use in {x}?",
        "What is the official currency of {x}?",
        "What money do they use in {x}?",
        "Name the currency of {x}.",
        "What do people pay with in {x}?",
        "Can you tell me the currency used in {x}?",
        "what currency does {x} use",
    ),
    "element": (
        "Which element has the symbol {x}?",
        "What element does the symbol {x} stand for?",
        "{x} is the chemical symbol of which element?",
        "What is the name of the element with the symbol {x}?",
        "Which chemical element is represented by {x}?",
        "Name the element whose symbol is {x}.",
        "In the periodic table, what does {x} stand for?",
        "Can you tell me which element has the chemical symbol {x}?",
        "what element is {x}",
    ),
    "symbol": (
        "What is the chemical symbol for {x}?",
        "What's the symbol of {x} in the periodic table?",
        "Which symbol stands for {x}?",
        "What is the symbol of the element {x}?",
        "Name the chemical symbol of {x}.",
        "Which symbol is used for {x} on the periodic table?",
        "How is {x} abbreviated in the periodic table?",
        "Can you tell me the chemical symbol for {x}?",
        "what is the symbol for {x}",
    ),
}
"""Wordings of each relation. `{x}` is the subject."""

_W = "(?:(?:what|which)(?: (?:is|s|are|was))?|what do (?:people|they|we|you) call)(?: the)?"
_C = "(?:country|nation|state)"
_CAPITAL = "(?:(?:official|current|national|political) )?capital(?: city)?"
_PLACED = "(?: (?:located|situated|found|lie|lies|based|placed|part of))?"
_MONEY = (
    "(?:(?:main|official|national|local|common|primary|legal|current) )*"
    "(?:currency|currencies|money|monetary unit|unit of currency|currency unit|legal tender)"
)
_SYMBOL = "(?:(?:chemical|atomic|element|scientific) )*(?:symbol|abbreviation|sign)"
_ELEMENT = "(?:(?:chemical|metal|gas) )?element"
_NAMED = "(?: (?:called|named|known as|is|located|situated))*"
_X = "(?P<x>.+?)"

_PATTERNS = {
    "capital": (
        rf"(?:{_W} )?(?:the )?(?:name of )?(?:the )?{_CAPITAL} (?:of|for|in) {_X}{_NAMED}",
        rf"{_W} (?:city|town)(?: (?:is|serves as|acts as|functions as))? (?:the )?{_CAPITAL} (?:of|for|in) {_X}",
        rf"(?:{_W} )?{_X} s {_CAPITAL}{_NAMED}",
        rf"{_W} (?:city )?(?:is )?{_X} s {_CAPITAL}",
        rf"what the {_CAPITAL} of {_X} is",
        rf"where is the {_CAPITAL} (?:of|for) {_X}{_PLACED}",
        rf"{_W} (?:city )?does {_X} have as (?:its|a|the) {_CAPITAL}",
        rf"(?:the )?{_CAPITAL} of {_X} is(?: what| which city)?",
        rf"{_W} {_X} {_CAPITAL}",
    ),
    "continent": (
        rf"(?:in |on |to )?{_W} continent (?:(?:can|do|would) you find |is |does |do |are |would |can (?=.+ be ))*{_X}"
        "(?: (?:be|lies?|is|are|found|located|situated|in|on|part of|belongs?(?: to)?|a part of|considered|find))*",
        rf"{_X}(?: (?:is|are|lies?|belongs?|located|situated|found|part|a|country|nation))* (?:in|on|of|to) {_W} continent",
        rf"(?:{_W} )?(?:the )?(?:name of )?(?:the )?continent (?:of|for|containing|that contains) {_X}",
        rf"(?:{_W} )?(?:the )?(?:name of )?(?:the )?continent (?:in|on|to) which {_X} (?:lies?|is|belongs?)"
        "(?: located| situated)?",
        rf"{_W} continent (?:contains|includes|has|is home to) {_X}",
        rf"{_X} s continent",
    ),
    "country_of_capital": (
        rf"{_X} (?:is|serves as) (?:the|a) {_CAPITAL} of (?:{_W} )?{_C}(?: is it)?",
        rf"(?:{_W} )?(?:the )?(?:name of the )?{_C} (?:has|have|with|that has|uses|that uses) {_X} (?:as|for) "
        rf"(?:its|the|their|a) {_CAPITAL}",
        rf"{_W} {_C} has (?:its|the) {_CAPITAL} (?:in|at) {_X}",
        rf"{_W} {_C} is {_X} (?:the )?{_CAPITAL} (?:of|for)",
        rf"{_W} {_C} {_X} is the {_CAPITAL} of",
        rf"{_W} {_C}(?: s|s) {_CAPITAL} is {_X}",
        rf"(?:{_W} )?(?:the )?(?:name of )?(?:the )?{_C} (?:whose|with|that has|has|where|of which)(?: the| a| its)? {_CAPITAL}"
        rf"(?: is| of| city| called| named)* {_X}",
        rf"(?:of|in|for) {_W} {_C} is {_X} (?:the )?{_CAPITAL}",
        rf"in {_W} {_C} is the {_CAPITAL}(?: of)? {_X}{_PLACED}",
        rf"{_X} is the {_CAPITAL} of(?: what| which)?",
        rf"{_W} {_C} is (?:served by|governed from) {_X} as (?:its|the) {_CAPITAL}",
    ),
    "country_of_city": (
        rf"(?:in |to |within )?{_W} {_C} (?:(?:can|do|would) (?:you|i|we) find |is |does |would |lies |lie |can (?=.+ be ))*"
        rf"(?:the city of )?{_X}(?: (?:be|is|lies?|belongs?|to|found|located|situated|in|within|part of|a part of|a city in|"
        "based))*",
        rf"{_X} (?:is|lies|belongs)(?: (?:located|situated|found|a|the|major|large|big|famous|city|town|part))* "
        rf"(?:in|of|to) {_W} {_C}",
        rf"{_W} {_C} (?:has|contains|includes|is home to)(?: (?:the|a|city|town|of|called|named))* {_X}",
        rf"(?:{_W} )?(?:the )?(?:name of )?(?:the )?(?:home )?{_C} (?:of|for) (?:the city of )?{_X}",
        rf"(?:the )?{_C} (?:in which|where|to which) {_X} (?:is|lies|belongs)(?: located| situated| found)?",
        rf"where (?:in the world )?is {_X}{_PLACED}",
        rf"{_X} is (?:located|situated) in",
    ),
    "currency": (
        rf"(?:{_W} )?(?:the )?(?:name of )?(?:the )?{_MONEY}(?: (?:is|used|that is used|unit|in use))* (?:of|for|in|by) "
        rf"{_X}{_NAMED}",
        rf"{_W} (?:(?:kind|type|sort) of )?{_MONEY} (?:do|does|should|can|would|will) (?:people |they |we |i |you |one |"
        rf"tourists |residents |citizens )*(?:(?:use|spend|need|pay with|have|take|bring|accept) )?(?:in |for )?{_X}(?: "
        "(?:use|have|accept|spend))?",
        rf"(?:{_W} )?{_X} s {_MONEY}(?: called| is| named)*",
        rf"(?:what|how) (?:do|does|can|should) (?:people|they|we|i|you|one) (?:pay|pay with|use for money|use to pay) in "
        rf"{_X}(?: with)?",
        rf"what do (?:people|they|residents|citizens) in {_X} (?:pay with|use for money|use to pay)",
        rf"in {_X} {_W} {_MONEY}(?: is)? used",
        rf"{_W} (?:(?:kind|type) of )?{_MONEY} is (?:used|accepted|spent|legal tender|the {_MONEY}) (?:in|of|by) {_X}",
        rf"{_X} uses {_W} {_MONEY}",
        rf"{_W} the {_MONEY} called in {_X}",
        rf"(?:the )?{_MONEY} of {_X} is(?: what)?",
    ),
    "element": (
        rf"{_W} {_ELEMENT}(?: (?:has|is|does|uses|goes by|with|corresponds to|(?:represented|denoted|symbolized) by|"
        rf"(?:abbreviated|written) as|the|a|{_SYMBOL}))* {_X}(?: (?:stands? for|represents?|belongs? to|denote|refer to|mean|"
        rf"(?:as|for) its {_SYMBOL}|the {_SYMBOL} (?:for|of)))*",
        rf"{_X} is the {_SYMBOL} (?:of|for) {_W} {_ELEMENT}",
        rf"(?:{_W} )?(?:the )?(?:name of )?(?:the )?{_ELEMENT} (?:with|whose|that has|has|represented by|for|having|denoted by|"
        rf"that is represented by|that uses)(?: (?:the|a|{_SYMBOL}|is|of))* {_X}",
        rf"what (?:does|is)(?: the)?(?: {_SYMBOL})? {_X} (?:stand for|represent|mean|the {_SYMBOL} (?:of|for))",
        rf"{_W} the {_ELEMENT} {_X}",
        rf"(?:of|for|to) {_W} {_ELEMENT} (?:is|does) {_X} (?:the {_SYMBOL}|belong)",
        rf"the {_SYMBOL} {_X} (?:stands for|represents|belongs to)(?: {_W} {_ELEMENT})?",
    ),
    "symbol": (
        rf"(?:{_W} )?(?:the )?{_SYMBOL}(?: (?:is|used))*(?: (?:of|for|to represent|representing|representing the))+ (?:the )?"
        rf"(?:{_ELEMENT} )?{_X}",
        rf"{_W} (?:{_SYMBOL}|letters?) (?:is|are|does|do|represents?|stands? for|denotes?|has|used|for|to)(?: (?:used|"
        rf"given|for|to|represent|denote|by|the {_ELEMENT}))* {_X}(?: (?:have|has|use|go by))?",
        rf"(?:{_W} )?{_X} s {_SYMBOL}",
        rf"how is (?:the {_ELEMENT} )?{_X} (?:abbreviated|written|represented|symbolized|shown|denoted)",
        rf"{_W} (?:the )?{_SYMBOL} that (?:represents|stands for) {_X}",
        rf"the {_SYMBOL} (?:of|for) {_X} is(?: what)?",
        rf"{_X} has {_W} {_SYMBOL}",
        rf"how do (?:you|we) (?:write|abbreviate) {_X}",
    ),
}
"""Patterns of questions by relation, tried in this order. One pattern may match several relations; the subject decides."""
_COMPILED = {relation: [re.compile(pattern) for pattern in patterns] for relation, patterns in _PATTERNS.items()}

_BEFORE = re.compile(
    r"(?:(?:please|kindly|hey|hi|hello|so|ok|okay|well|now|question|q|name|identify|give(?: me)?|state|tell me|"
    r"(?:can|could|would|will) you(?: please)?(?: (?:tell|give)(?: me)?| name)?|do you know|i want to know|"
    r"i would like to know|i wonder|in (?:the periodic table|chemistry|geography)|on the periodic table|\d+) )+"
)
_AFTER = re.compile(
    r"(?: (?:please|today|currently|now|right now|nowadays|in the world|of the world|"
    r"(?:in|on|from) (?:(?:the|its) )?periodic table|"
    r"(?:of|in) the periodic table of (?:the )?elements|in chemistry|as a symbol|answer|a))+"
)
_ARTICLE = re.compile(
    r"(?:the|a|an|country|nation|city|town|chemical|metal|element|symbol|state|republic|called|named|of|is|are|does|do) "
)
_CONTRACTED = re.compile(r"\b(what|which|where|how|who) s\b")
_LONGEST = 200
"""The longest text, in characters, that is read as a question. Every question of this world is shorter."""


def write(relation: str, wording: int, subject: str) -> str:
    """A question in one of the relation's WORDINGS. It begins with a capital letter if the wording does."""
    text = WORDINGS[relation][wording].replace("{x}", subject)
    return text[0].upper() + text[1:] if WORDINGS[relation][wording].startswith("{") else text


def readings(text: str) -> Iterator[tuple[str, str]]:
    """What a text may ask: (relation, `key` of the subject), the likelier first. The subject may be no name at all."""
    if len(text) > _LONGEST or "\n" in text.strip():
        return
    whole = _CONTRACTED.sub(r"\1 is", key(text))
    for start in {match.end() if (match := _BEFORE.match(whole)) else 0: None, 0: None}:
        for asked in dict.fromkeys((whole[start:], _shortened(whole[start:]))):
            for relation, patterns in _COMPILED.items():
                for pattern in patterns:
                    if match := pattern.fullmatch(asked):
                        yield from ((relation, name) for name in _subjects(match["x"]))


def _shortened(text: str) -> str:
    """The text without words after the question, such as `please`."""
    match = re.search(rf"{_AFTER.pattern}$", text)
    return text[: match.start()] if match else text


def _subjects(text: str) -> Iterator[str]:
    """A subject as matched, and without words before or after it that are no part of its name."""
    yield text
    shorter = text
    while match := _ARTICLE.match(shorter):
        shorter = shorter[match.end() :]
        yield shorter
    for after in (" element", " city", " is"):
        if text.endswith(after):
            yield text.removesuffix(after)
