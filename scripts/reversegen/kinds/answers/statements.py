r"""Statements of an answer: one line, a sentence such as "The answer is 18.", or the last number of a text::

    answer_in("Answer: $1,000.00", titled=False)            ("$1,000.00", True)
    answer_in("2. Multiply", titled=True)                   None: a heading
    stated("The answer is 18. (Checked in 2 ways.)")          "18"
    last_number("It is $2^{10}$ in 3^2.")                   "3^2"

Texts have the digits and dashes of `plain.READABLE`. Everything takes time linear in the length of the text.
"""

from __future__ import annotations

import re
from collections import deque

from reversegen.kinds.answers.exact import LONGEST_NUMBER, Number, read

SAYS_NONE = (
    r"(?:none|n/?a|unanswerable|undefined|unknown|not enough information|insufficient \w+"
    r"|(?:(?:it|this|the question|the answer) )?can(?: ?not|'t) be (?:determined|answered))"
)
"""Pattern of an answer that states that there is no answer, in lower case."""
_UNITS = "two|three|four|five|six|seven|eight|nine"
_COUNTS = (
    rf"(?:zero|one|{_UNITS}|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|thousand|million|billion|dozen|half)"
)
_NUMBER_WORDS = rf"{_COUNTS}(?:(?:[ -]| and ){_COUNTS})*"
_WORD_ANSWER = re.compile(rf"(?:(?:minus|negative) )?{_NUMBER_WORDS}|{SAYS_NONE}|yes|no|true|false", re.IGNORECASE)
_WORDED = re.compile(rf"\b(?:(?:minus|negative) )?(?!(?:zero|one)\b){_NUMBER_WORDS}\b", re.IGNORECASE)

_INTEGER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
_POWER = r"\ ?(?:[\u00d7*x]|\\times)\ ?10(?:\^\{?-?\d{1,3}\}?|[\u207b\u2070\u00b9\u00b2\u00b3\u2074-\u2079]{1,4})"
_NUMBER = re.compile(
    rf"""(?<!\d)(?<![\w)}}]\^)(?<![\w)}}]_)(?<!\^\{{)(?<!_\{{)(?<!\^-)(?<!\^\{{-)
    (?:(?<![\w)])[-+])?
    (?: (?:\d+\ ?)? (?: \\[dt]?frac\ *\{{-?\d+\}}\ *\{{\d+\}} | [\u00bc-\u00be\u2150-\u215e] )
    | (?:\\?\$[-+]?)? (?: \d+\ \d+/\d+ | {_INTEGER}(?:\.\d+|/{_INTEGER})? | (?<![\d.])\.\d+ )
      (?:[eE][-+]?\d{{1,3}}(?!\w)|{_POWER}|[kKM]\b|\ (?:dozen|hundred|thousand|million|billion|trillion)\b)? (?:\ ?\\?%)? )""",
    re.ASCII | re.VERBOSE,
)
_UNITS_IN_ROW = (
    r"(?:year|yr|month|week|day|hour|hr|h|minute|min|m|second|sec|s)s?",
    r"(?:mile|mi|yards?|yd|foot|feet|ft|inch|inches|in|pounds?|lbs?|ounces?|oz)",
    r"(?:km|kilomet(?:er|re)s?|m|met(?:er|re)s?|cm|centimet(?:er|re)s?|mm|kg|kilograms?|g|grams?)",
    r"(?:dollars?|cents?|euros?|pence|p|rupees?|paise)",
)
_ONE_NAME = re.compile(
    r"\b([A-Za-z])(?:_?\d)? ?= ?[^\s=]{1,20}\$?(?:,? (?:or|and) \$?\1(?:_?\d)? ?= ?-?[\d./]*\d)+", re.ASCII
)
"""Values of one name: `x = 2 or x = 5`."""
_WIDER = (
    re.compile(r"\d{1,2}(?::\d\d)? ?[ap](?:\.m\.|m\b)", re.ASCII | re.IGNORECASE),
    *(
        re.compile(rf"(?:(?<![\d.])[\d.]+[ -]?{unit}\.?(?:,? and |,? ?))+(?<![\d.])[\d.]+[ -]?{unit}\b", re.ASCII)
        for unit in _UNITS_IN_ROW
    ),
    re.compile(r"(?:(?<![\w)])[-+])?(?<!\d)\d+(?:[.,'\u2019_:/*+-]\d+)+"),
)
"""Patterns of larger forms around a number: a time of day, an amount in several units, digits with signs between them."""
_NEGATIVE = re.compile(r"\b(?:negative|(?:is|was|to|at|of|equals|reached) minus) \$?\Z", re.IGNORECASE)
"""Words that make the next number negative; "27 minus 1" is a difference."""
_FORMULA = re.compile(r"[\^\u221a\u03c0]|\\(?!boxed|fbox|text|quad)[a-zA-Z]")
_TOKEN = re.compile("[!-~\u221a\u03c0\u00b0\u2019]+")
_LONGEST_FORMULA = 100
_MATH = re.compile(r"\$([^$\n]{1,100})\$|\\\(([^\n]{1,100}?)\\\)|\\\[(.{1,100}?)\\\]", re.DOTALL)

_ELSEWHERE = (
    r"(?:\u7b54\u6848|\u6b63\u89e3|\u7b54\u3048?|(?:\uc815)?\ub2f5|antwort|antwoord|respuesta|r\u00e9ponse|risposta|resposta"
    r"|\u043e\u0442\u0432\u0435\u0442|\u0432\u0456\u0434\u043f\u043e\u0432\u0456\u0434\u044c|odpowied\u017a|cevap|jawaban(?:nya)?"
    r"|\u0111\u00e1p\ (?:\u00e1n|s\u1ed1)|(?:\u0627\u0644)?\u062c\u0648\u0627\u0628|\u0627\u0644\u0625\u062c\u0627\u0628\u0629"
    r"|\u067e\u0627\u0633\u062e|\u0909\u0924\u094d\u0924\u0930|\u0989\u09a4\u09cd\u09a4\u09b0"
    r"|\u0e04\u0e33\u0e15\u0e2d\u0e1a)"
)
"""The word "answer" in other languages."""
_IS = (
    r"(?:(?:is|are|was|equals|(?:would|must|should)\ be|ist|lautet|es|est|\u00e8|\u00e9|l\u00e0|adalah)\b|:-\ "
    r"|[=:\uff1a\u2248\u2014]|-\ "
    r"|[\u662f\u4e3a\u70ba\u306f\uc740\ub294]|\u0647[\u0648\u064a]|\u0939\u0948|\u0e04\u0e37\u0e2d)"
)
_LEAD = re.compile(
    rf"""[\s*_]*(?:(?:so|thus|hence|therefore),?\ )?(?:(?:the|my)\ )?(?:(?:final|correct)\ )?
    (?:answer|result|total|ans|{_ELSEWHERE})[*_]*\s*(?:{_IS}[\s*_:]*|$)""",
    re.IGNORECASE | re.VERBOSE,
)
_EQUALS = re.compile(r"[=~:\u2248\s]+")
_REMARK = re.compile(r"(?<=[\d$)}%])[.!?]\s+(?=\D)|[.!?]\s+(?=[A-Z(\"])|[\u3002\uff01\uff1f]")
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|[\u3002\uff01\uff1f]")
_SOMETHING = re.compile(r"[^\W_]|[\u221e\u2205]|\\\{")
_BOLD = re.compile(r"(?<![\w)*])\*\*(?! )([^*\n]{1,64})\*\*(?![\w(*])")
_SPACING = re.compile(r"\\(?:text\w*|math\w+|mbox|q?quad|[,;! ])")
_NUMBER_FIRST = re.compile(r"(?:\\[^A-Za-z]|[^\w\\])*\d")
_NUMBERED_TITLE = re.compile(r"\(?\d{1,3}(?:[.):]| -|st\b|nd\b|rd\b|th\b)\)?\s*[*_]*[^\W\d_]{2}")
_OPERATOR = re.compile(r"[\\^=+*/<>{|\u221a\u03c0\u221e\u00b1\d]")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_PROSE = re.compile(
    r"(?!(?:sin|cos|tan|log|exp|sqrt|mod|gcd|lcm|max|min|and)(?![^\W\d_]))(?<![^\W\d_])[^\W\d_]{3}|[^\W\d_\x00-\u03ff]"
)
_INTRODUCTION = re.compile(
    rf"""(?:\banswer\b|\b(?:correct|right|best)\ (?:option|choice)\b|{_ELSEWHERE})["*_ ]*{_IS}[\s:*_]*
    (?:(?:therefore|thus|then|simply|just|about|approximately|exactly)[, ]+)?
    |\bfinal\ answer\b[\s*_]*\n\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_INTRODUCED_WORD = re.compile(
    rf"(?:{_INTRODUCTION.pattern})([^\W\d_]{{3,}})[\"*_]*(?:[.!]|\s*$)", _INTRODUCTION.flags | re.MULTILINE
)


def says_something(value: str) -> bool:
    """Whether a text can be an answer at all, unlike `?` and `\\text{}`."""
    return bool(_SOMETHING.search(_SPACING.sub("", value)))


def after_lead(line: str) -> str:
    """A line without its introduction, such as "Answer:", "The answer is" or "="."""
    lead = _LEAD.match(line)
    line = line[lead.end() :] if lead else line
    equals = _EQUALS.match(line)
    return (line[equals.end() :] if equals else line).strip()


def answer_in(line: str, titled: bool) -> tuple[str, bool] | None:
    """The answer that a line consists of, and whether it surely is an answer; None if the line is not an answer.

    `titled`: text follows below the line, so it may be a heading.
    """
    value = after_lead(line)
    if not says_something(value):
        return None
    if titled and _NUMBERED_TITLE.match(value):
        return None
    remark = _REMARK.search(value)
    value = (value[: remark.start()] if remark else value).rstrip().removesuffix(".").rstrip()
    bare = _COMMAND.sub(" ", value)
    if _NUMBER_FIRST.match(value):
        return value, not titled or len(_WORD.findall(bare)) < 3
    if _is_number_or_word(value):
        return value, True
    if _PROSE.search(bare):
        return None if titled or re.search(r"\d", value) else (value, True)
    return value, not titled or bool(_OPERATOR.search(value))


def _is_number_or_word(value: str) -> bool:
    """Whether a text is a number in some form, or a word that is an answer."""
    return len(value) <= LONGEST_NUMBER and bool(_WORD_ANSWER.fullmatch(value.strip(" *_\"'")) or read(value))


def answer_places(text: str) -> list[int]:
    """The places after each "answer is ...", "Answer: ..." and the like, from the last to the first."""
    return [match.end() for match in _INTRODUCTION.finditer(text)][::-1]


def stated(text: str) -> str | None:
    """The answer directly after the last "answer is ..." or "Answer: ..." that has one; None without such a statement."""
    for place in answer_places(text):
        line = text[place : place + 2 * _LONGEST_FORMULA].partition("\n")[0]
        end = _SENTENCE_END.search(line)
        if value := _leading(line[: end.start()] if end else line):
            return value
    return None


def bold(text: str) -> str | None:
    """The only number in bold type, if it is a whole line or no calculation follows; None if there is no number or several."""
    matches: dict[str, re.Match[str]] = {}
    for match in _BOLD.finditer(text):
        stated = None if _NUMBERED_TITLE.match(match[1]) else answer_in(match[1], titled=False)
        if stated and _NUMBER_FIRST.match(stated[0]) and _is_number_or_word(stated[0]):
            matches[stated[0]] = match
        if len(matches) > 1:
            return None
    if not matches:
        return None
    value, last = matches.popitem()
    alone = text[: last.start()].rpartition("\n")[2].strip() + text[last.end() :].partition("\n")[0].strip(" .") == ""
    return value if alone or "=" not in text[last.end() :] else None


def stated_word(text: str) -> str | None:
    """The single word, such as a name, after the last "answer is ..."; None without one. Words in lower case do not count."""
    words = [match[1] for match in _INTRODUCED_WORD.finditer(text) if not match[1].islower()]
    return words[-1] if words else None


def _leading(sentence: str) -> str | None:
    """The answer at the beginning of a sentence; None if it begins with something else."""
    if sentence.count("}") > sentence.count("{"):  # the end of a JSON object
        sentence = sentence.rstrip("} ")
    answer = answer_in(sentence.strip('"'), titled=False)
    if not answer:
        return None
    value, _ = answer
    if _is_number_or_word(value) or not _PROSE.search(_COMMAND.sub(" ", value)):
        return _result(value)
    math = _MATH.match(value)
    formula = next(filter(None, math.groups())) if math else ""
    if formula and not _PROSE.search(_COMMAND.sub(" ", formula)):
        return _result(formula)
    number = _NUMBER.match(value)
    return _widened(value, number, 0, len(value)) if number else None


def last_number(text: str) -> str | None:
    """The last number of a text, or the formula or larger form that this number is part of; None without a number.

    Mixed numbers, LaTeX fractions and per cent are numbers. A text without digits gives its last number in words;
    "zero" and "one" do not count.
    """
    number = _last(_NUMBER, text)
    if number is None:
        worded = _last(_WORDED, text)
        return worded[0] if worded else None
    line = text.rfind("\n", 0, number.start()) + 1  # dollar signs are paired from the start of a line
    begin, end = max(line, number.start() - 10 * _LONGEST_FORMULA), number.end() + _LONGEST_FORMULA
    for values in _ONE_NAME.finditer(text, begin, end):
        if values.start() < number.end() <= values.end():
            return values[0].replace("$", "")
    for math in _MATH.finditer(text, begin, end):
        formula = next(filter(None, math.groups()))
        if (
            math.start() < number.start() + 1
            and number.end() <= math.end()
            and not _PROSE.search(_COMMAND.sub(" ", formula))
        ):
            return _result(formula)
    for token in _TOKEN.finditer(text, begin, end):
        if token.start() <= number.start() < token.end() and _FORMULA.search(token[0]):
            return _result(re.sub(r"\\[()\[\]]", "", token[0])).strip("*_\"'`[]<>.,;:!?$")
    return _widened(text, number, begin, end)


def _widened(text: str, number: re.Match[str], begin: int, end: int) -> str:
    """The larger form around a number, if there is one between two places of the text, or else the number."""
    for pattern in _WIDER:
        for wider in pattern.finditer(text, begin, end):
            if wider.start() < number.end() <= wider.end() and len(wider[0]) > len(number[0]):
                return wider[0].replace("$", "")
    sign = "-" if _NEGATIVE.search(text[max(0, number.start() - 20) : number.start()]) else ""
    return sign + re.sub(r"\\?\$", "", number[0])


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    matches = deque(pattern.finditer(text), maxlen=1)
    return matches[0] if matches else None


def _result(formula: str) -> str:
    """A formula without the calculation before its last equals sign; `x = 5` and lists do not change."""
    before, equals, after = formula.rpartition("=")
    return (
        after.strip()
        if equals and after.strip() and not re.search(", | (?:or|and) ", formula) and re.search(r"\d", before)
        else formula.strip()
    )


def amount(text: str | None) -> object:
    """The value of the first number in a text, to compare two texts; None without a number."""
    number = _NUMBER.search(text or "")
    exact = read(number[0]) if number else None
    return exact.value if isinstance(exact, Number) else None
