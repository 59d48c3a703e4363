r"""What states an answer: one line, a sentence such as "The answer is 18.", or the last number of a text::

    answer_in("Answer: $1,000.00", titled=False)            ("$1,000.00", True)
    answer_in("2. Multiply", titled=True)                   None: a heading
    said("The answer is 18. (Checked in 2 ways.)")          "18"
    last_number("It is $2^{10}$ in 3^2.")                   "3^2"

Texts have the digits and dashes of `exact_answers.READABLE`. Everything takes time linear in the length of the text.
"""

from __future__ import annotations

import re
from collections import deque

from reversegen.exact_answers import LONGEST_NUMBER, Number, read

SAYS_NONE = (
    r"(?:none|n/?a|unanswerable|undefined|unknown|not enough information|insufficient \w+"
    r"|(?:(?:it|this|the question|the answer) )?can(?: ?not|'t) be (?:determined|answered))"
)
"""Pattern of an answer that says that there is none, in lower case."""
_UNITS = "two|three|four|five|six|seven|eight|nine"
_COUNTS = (
    rf"(?:zero|one|{_UNITS}|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|thousand|million|billion|dozen|half)"
)
_NUMBER_WORDS = rf"{_COUNTS}(?:(?:[ -]| and ){_COUNTS})*"
_WORD_ANSWER = re.compile(rf"(?:(?:minus|negative) )?{_NUMBER_WORDS}|{SAYS_NONE}|yes|no|true|false", re.IGNORECASE)
_WORDED = re.compile(rf"\b(?:(?:minus|negative) )?(?!(?:zero|one)\b){_NUMBER_WORDS}\b", re.IGNORECASE)

_INTEGER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
_NUMBER = re.compile(
    rf"""(?<!\d)(?<![\w)}}]\^)(?<![\w)}}]_)(?<!\^\{{)(?<!_\{{)(?<!\^-)(?<!\^\{{-)
    (?:(?<![\w)])[-+])?
    (?: \\[dt]?frac\ *\{{-?\d+\}}\ *\{{\d+\}}
    | (?:\\?\$[-+]?)? (?: \d+\ \d+/\d+ | {_INTEGER}(?:\.\d+|/{_INTEGER})? | (?<![\d.])\.\d+ )
      (?:[eE][-+]?\d{{1,3}}(?!\w)|[kKM]\b|\ (?:dozen|hundred|thousand|million|billion|trillion)\b)? (?:\ ?\\?%)? )""",
    re.ASCII | re.VERBOSE,
)
_GLUED = re.compile(r"(?:(?<![\w)])[-+])?(?<!\d)\d+(?:[.,'\u2019_:/*+-]\d+)+")
_FORMULA = re.compile(r"[\^\u221a\u03c0]|\\(?!boxed|fbox|text|quad)[a-zA-Z]")
_TOKEN = re.compile("[!-~\u221a\u03c0\u00b0\u2019]+")
_LONGEST_FORMULA = 100
_MATH = re.compile(r"\$([^$\n]{1,100})\$|\\\(([^\n]{1,100}?)\\\)|\\\[(.{1,100}?)\\\]", re.DOTALL)

_LEAD = re.compile(
    r"""[\s*_]*(?:(?:so|thus|hence|therefore),?\ )?(?:(?:the|my)\ )?(?:(?:final|correct)\ )?
    (?:answer|result|total|ans|\u7b54\u6848|antwort|respuesta|r\u00e9ponse|risposta|resposta|\u043e\u0442\u0432\u0435\u0442|\u7b54)
    [*_]*\s*(?:(?:is|are|[=:\u2248\uff1a\u662f])[\s*_:]*|$)""",
    re.IGNORECASE | re.VERBOSE,
)
_EQUALS = re.compile(r"[=~:\u2248\s]+")
_REMARK = re.compile(r"(?<=[\d$)}%])[.!?]\s+(?=\D)|[.!?]\s+(?=[A-Z(\"])|[\u3002\uff01\uff1f]")
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|[\u3002\uff01\uff1f]")
_SOMETHING = re.compile(r"[^\W_]|[\u221e\u2205]|\\\{")
_SPACING = re.compile(r"\\(?:text\w*|math\w+|mbox|q?quad|[,;! ])")
_NUMBER_FIRST = re.compile(r"(?:\\[^A-Za-z]|[^\w\\])*\d")
_NUMBERED_TITLE = re.compile(r"\(?\d{1,3}(?:[.):]| -|st\b|nd\b|rd\b|th\b)\)?\s*[*_]*[^\W\d_]{2}")
_OPERATOR = re.compile(r"[\\^=+*/<>{|\u221a\u03c0\u221e\u00b1\d]")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_PROSE = re.compile(
    r"(?!(?:sin|cos|tan|log|exp|sqrt|mod|gcd|lcm|max|min|and)(?![^\W\d_]))(?<![^\W\d_])[^\W\d_]{3}|[^\W\d_\x00-\u03ff]"
)
_SAID = re.compile(
    r"""\banswer\b["*_ ]*(?:is|are|was|equals|(?:would|must|should)\ be|[=:\uff1a])[\s:*_]*
    (?:(?:therefore|thus|then|simply|just|about|approximately|exactly)[, ]+)?
    |\bfinal\ answer\b[\s*_]*\n\s*""",
    re.IGNORECASE | re.VERBOSE,
)


def says_something(value: str) -> bool:
    """Whether a text can be an answer at all: `?` and `\\text{}` are none."""
    return bool(_SOMETHING.search(_SPACING.sub("", value)))


def after_lead(line: str) -> str:
    """A line without "Answer:", "The answer is", "=" and the like before what it states."""
    lead = _LEAD.match(line)
    line = line[lead.end() :] if lead else line
    equals = _EQUALS.match(line)
    return (line[equals.end() :] if equals else line).strip()


def answer_in(line: str, titled: bool) -> tuple[str, bool] | None:
    """The answer that a line is, and whether it surely is one; None if it is none.

    `titled`: text stands below the line, so that it may be a heading.
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
    if len(value) <= LONGEST_NUMBER and (_WORD_ANSWER.fullmatch(value.strip(" *_\"'")) or read(value)):
        return value, True
    if _PROSE.search(bare):
        return None if titled or re.search(r"\d", value) else (value, True)
    return value, not titled or bool(_OPERATOR.search(value))


def said(text: str) -> str | None:
    """What the last "answer is ..." or "Answer: ..." says that an answer follows at once; None if there is none."""
    for match in reversed(list(_SAID.finditer(text))):
        line = text[match.end() : match.end() + 2 * _LONGEST_FORMULA].partition("\n")[0]
        end = _SENTENCE_END.search(line)
        if value := _leading(line[: end.start()] if end else line):
            return value
    return None


def _leading(sentence: str) -> str | None:
    """The answer that a sentence begins with."""
    found = answer_in(sentence, titled=False)
    if not found:
        return None
    value, _ = found
    if len(value) <= LONGEST_NUMBER and (read(value) or _WORD_ANSWER.fullmatch(value.strip(" *_\"'"))):
        return value
    if not _PROSE.search(_COMMAND.sub(" ", value)):
        return _result(value)
    math = _MATH.match(value)
    formula = next(filter(None, math.groups())) if math else ""
    if formula and not _PROSE.search(_COMMAND.sub(" ", formula)):
        return _result(formula)
    number = _NUMBER.match(value)
    return re.sub(r"\\?\$", "", number[0]) if number else None


def last_number(text: str) -> str | None:
    """The last number, mixed, as a LaTeX fraction or per cent, or the formula or number of another form that it is part of.

    If there are no digits, it is the last number in words but one.
    """
    number = _last(_NUMBER, text)
    if number is None:
        worded = _last(_WORDED, text)
        return worded[0] if worded else None
    begin, end = max(0, number.start() - _LONGEST_FORMULA), number.end() + _LONGEST_FORMULA
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
    for glued in _GLUED.finditer(text, begin, end):
        if glued.start() <= number.start() + len(number[0]) - 1 < glued.end() and len(glued[0]) > len(number[0]):
            return glued[0]
    return re.sub(r"\\?\$", "", number[0])


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = deque(pattern.finditer(text), maxlen=1)
    return found[0] if found else None


def _result(formula: str) -> str:
    """A formula without the calculation before its last equals sign; `x = 5` and lists stay."""
    before, equals, after = formula.rpartition("=")
    return (
        after.strip()
        if equals and after.strip() and ", " not in formula and re.search(r"\d", before)
        else formula.strip()
    )


def amount(text: str | None) -> object:
    """The number that a text begins with, to compare two texts; None if there is none."""
    number = _NUMBER.search(text or "")
    exact = read(number[0]) if number else None
    return exact.value if isinstance(exact, Number) else None
