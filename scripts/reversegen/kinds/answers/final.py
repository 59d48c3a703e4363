r"""The final answer of a response to a math question, or the reason why it has none.

Statements in a requested form, called strict, come first: after `####` (as in GSM8K,
https://github.com/openai/grade-school-math) or in `\boxed{}` or `\fbox{}` (as in MATH, https://github.com/hendrycks/math)::

    final_answer("2 * 9 = 18\n#### 18").value                       "18"
    final_answer("#### 1. Count\n2\n#### 2. Multiply\n18").value    "18", the last number: the lines are headings
    final_answer(r"$\boxed{3}$ and $\boxed{-3}$").value             "3, -3"
    final_answer("#### 13\n#### 13\n#### 1", finished=False).value  "13"
    final_answer("So 27 minus", finished=False).invalid             "response truncated"
    final_answer("The answer is 9. The answer is 9. The", False).value    "9"

The rules, in their order:

- The last statement in strict form is the answer. Boxes of one paragraph are one statement, a list, if only "and", "or",
  commas and names of variables are between them. Otherwise the last box counts, as in "first \boxed{9}, then \boxed{18}" or
  with boxes in two paragraphs. An empty box and an empty `####` state nothing.
- A line after `####` states an answer if it consists of one: a number in any form, an expression, one letter, or a word for a
  number or for "no answer", also after "Answer:", "The answer is" or "=". A line of other words, or a numbered title such as
  "2. Multiply", is a heading if text follows below, and otherwise an answer. A number with three or more words above further
  text may be either: it counts if the rest of the response has the same answer, and otherwise it is unreadable.
- After a special token, or after "Question:", "Human:" and the like at the start of a line, the model has begun another
  conversation with itself. The first part with a statement counts.
- Without a strict statement, the answer is the last "answer is ..." or "Answer: ..." directly before an answer, or else the
  only number in bold type, or else the last number. A number that is part of something larger (2^10, 3:30 PM, 2 hours and 30
  minutes) is given with all of it. Without any number, a single word after "answer is" counts.
- In a truncated response only complete strict answers count: a line that a line end or another `####` ends, or a closed box.
  The answer is settled if the response then only repeats its lines or begins another question. If the response continues in
  another way, it may have been about to revise the answer. A response that only repeats its sentences up to the limit has
  stopped saying anything new: without a strict answer, its last "answer is ..." before the repetition counts.

Everything takes time linear in the length of the response.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from reversegen.kinds.answers.exact import LONGEST_NUMBER, Number, read
from reversegen.kinds.answers.plain import READABLE
from reversegen.kinds.answers.reply import SPECIAL_TOKEN, TRUNCATED, read_reply
from reversegen.kinds.answers.statements import (
    after_lead,
    amount,
    answer_in,
    bold,
    last_number,
    says_something,
    stated,
    stated_word,
)

NO_ANSWER = "no final answer"
UNREADABLE = "answer unreadable"


class FinalAnswer(NamedTuple):
    """The answer that a response gives."""

    value: str | None
    """The answer as it is written, without the words that introduce it; None if the response has no answer."""
    strict: bool = False
    """Whether the answer is in strict form."""
    settled: bool = True
    """Whether the response cannot have revised it; False if the response was truncated while it continued."""
    invalid: str | None = None
    """Why there is no value: NO_ANSWER, UNREADABLE, or a reason of `read_reply`."""


class _Statement(NamedTuple):
    value: str
    end: int
    """The place where the statement ends in its part of the response."""
    sure: bool
    """Whether it is surely an answer; False if it may be a heading."""


def final_answer(text: str, finished: bool = True, invalid: str | None = None) -> FinalAnswer:
    """The final answer of a response; `finished` and `invalid` as for `read_reply`."""
    reply = read_reply(text, finished, invalid)
    if reply.invalid is not None:
        return FinalAnswer(None, invalid=reply.invalid)
    parts = _parts(reply.text)
    for number, part in enumerate(parts):
        whole = reply.finished or number < len(parts) - 1
        if last := next(_statements(part, whole), None):
            if not last.sure and amount(last.value) != amount(_sure_answer(part, whole)):
                return FinalAnswer(None, invalid=UNREADABLE)
            return FinalAnswer(last.value, True, whole or _repeats(part, last.end))
    if not reply.finished:
        value = next((one for part in parts if (one := stated(_before_repetition(part)))), None)
        return FinalAnswer(value, invalid=None if value else TRUNCATED)
    candidates = (one for find in (stated, bold, last_number, stated_word) for part in parts if (one := find(part)))
    value = next(candidates, None)
    return FinalAnswer(value, invalid=None if value else NO_ANSWER)


def _sure_answer(part: str, whole: bool) -> str | None:
    """The answer of a part if the statements that may be headings are ignored."""
    sure = (one.value for one in _statements(part, whole) if one.sure)
    return next(sure, None) or (stated(part) or last_number(part) if whole else None)


_TURN = re.compile(
    r"""^[ \t#>*\[<-]*(?:
    (?:(?:next|new|another)\ )?(?:question|problem|exercise|q)\ ?(?:\d+\**[ \t]*(?:[:.)\]>\uff1a]|$)|\**[:\]>\uff1a])
    | (?:next|new|another)\ (?:question|problem)\b
    | (?:human|user|instruction|example\ ?\d+)\**[:\uff1a]
    | (?:frage|aufgabe|pregunta|problema|probl\u00e8me|\u0432\u043e\u043f\u0440\u043e\u0441|\u0437\u0430\u0434\u0430\u0447\u0430
      |\u95ee\u9898|\u9898\u76ee|\u554f\u984c|\u8cea\u554f)\ ?\d*\**[:\uff1a] )""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


_TAG = re.compile(r"</?(?:final_)?(?:answer|solution|response|output)>", re.IGNORECASE)


def _parts(text: str) -> list[str]:
    """The parts of a response between the marks of other questions and turns, with uniform line ends and digits."""
    parts = []
    readable = _TAG.sub("\n", text.translate(READABLE))
    for turn in SPECIAL_TOKEN.split("\n".join(f"{readable}\n.".splitlines())[:-2]):
        starts = [0, *(match.end() for match in _TURN.finditer(turn))]
        parts += [turn[start:end] for start, end in zip(starts, [*starts[1:], len(turn)], strict=True)]
    return parts


_MARK = re.compile(r"#{4,}")
_BOX = re.compile(
    r"\\[{}]|\\(?:boxed|fbox)\s*\{|[{}]|\\(?:boxed|fbox)(?P<bare>\s*[-+]?\d+(?:[.,]\d+)*|\s+[A-Za-z](?![A-Za-z]))"
)
_JOINT = re.compile(
    r"""(?: [\s$,;&*\u3001\uff0c\u548c\u6216] | \\[\[\](),;!\ \\] | \\q?quad | \\text\ *\{\s*(?:and|or)\s*\}
    | \b(?:and|or|und|oder|et|ou|y|o)\b | -\ | [A-Za-z](?:_\{?\w\}?)?\s*= )*""",
    re.VERBOSE,
)
"""The text that may be between two boxes of one statement."""
_LONGEST_JOINT = 60
"""In characters."""
_BELOW = re.compile(r"\n\s*(\S[^\n]{0,199})")
_LINE_END = re.compile(r"\n|####|(?<=[.!?])\s")
_EMPTY_LINE = re.compile(r"\n\s*\n")


def _statements(part: str, whole: bool) -> Iterator[_Statement]:
    """The statements in strict form, from the last to the first. A truncated part gives only complete statements."""
    marks = list(_MARK.finditer(part))
    ends = [*(mark.start() for mark in marks[1:]), len(part)]
    places: list[tuple[int, int | _Statement]] = [(mark.start(), n) for n, mark in enumerate(marks)]
    places += _boxes(part, whole)
    for _, answer in sorted(places, key=lambda place: place[0], reverse=True):
        statement = answer if isinstance(answer, _Statement) else _marked(part, marks[answer], ends[answer], whole)
        if statement:
            yield statement


def _marked(part: str, mark: re.Match[str], limit: int, whole: bool) -> _Statement | None:
    """The statement in the line after a `####`; None without one. The next `####` begins at `limit`."""
    end = part.find("\n", mark.end(), limit)
    end = limit if end < 0 else end
    if not whole and end == len(part):
        return None
    line = part[mark.end() : end]
    before = part[max(0, mark.start() - _LONGEST_JOINT) : mark.start()].rpartition("\n")[2]
    below = None if before.strip(" \t>*-") else _BELOW.match(part, end)
    if below and not after_lead(line):
        end = below.end()
        stated = answer_in(below[1], titled=True) if whole or end < len(part) else None
    else:
        stated = answer_in(line, titled=bool(below and not line.strip().startswith(below[1].strip("# \t"))))
    return _Statement(stated[0], end, stated[1]) if stated else None


def _boxes(part: str, whole: bool) -> list[tuple[int, _Statement]]:
    """The statements in closed boxes, with their places. Of nested boxes the innermost counts; a list is one statement."""
    open_boxes: list[
        tuple[int, int]
    ] = []  # the places of each open box and its content; a plain brace has the place -1
    boxes: list[tuple[int, int, str]] = []
    for token in _BOX.finditer(part):
        if token["bare"] and (whole or token.end() < len(part)):
            boxes.append((token.start(), token.end(), token["bare"].strip()))
        elif token[0].endswith("{") and token[0] != r"\{":
            open_boxes.append((-1 if token[0] == "{" else token.start(), token.end()))
        elif token[0] == "}" and open_boxes:
            start, inside = open_boxes.pop()
            if start >= 0 and not (boxes and boxes[-1][0] > start):
                boxes.append((start, token.end(), part[inside : token.start()].strip()))
    groups: list[list[tuple[int, int, str]]] = []
    for box in boxes:
        if says_something(box[2]):
            if groups and _joined(part[groups[-1][-1][1] : box[0]]):
                groups[-1].append(box)
            else:
                groups.append([box])
    listed = [{_key(value): value for *_, value in reversed(group)} for group in groups]
    return [
        (group[-1][0], _Statement(", ".join(reversed(values.values())), group[-1][1], True))
        for group, values in zip(groups, listed, strict=True)
    ]


def _joined(gap: str) -> bool:
    """Whether the text between two boxes makes them one statement."""
    return len(gap) <= _LONGEST_JOINT and not _EMPTY_LINE.search(gap) and bool(_JOINT.fullmatch(gap))


def _key(value: str) -> object:
    """A key that is equal for two boxes that state the same."""
    exact = read(value) if len(value) <= LONGEST_NUMBER else None
    return exact.value if isinstance(exact, Number) else value


def _repeats(part: str, end: int) -> bool:
    """Whether a truncated part only repeats itself after `end`; its last line may be the beginning of an earlier one."""
    earlier = set(_lines(part[:end]))
    *lines, last = [*_lines(part[end:]), ""]
    if lines:
        *lines, last = lines
    return earlier.issuperset(lines) and any(line.startswith(last) for line in earlier)


def _before_repetition(part: str) -> str:
    """A truncated part up to the end of its last new sentence, if at least one whole sentence repeats after it; else empty."""
    seen = dict[str, int]()
    starts = [0, *(match.end() for match in _LINE_END.finditer(part))]
    *whole, (last, _) = [(part[start:end], end) for start, end in zip(starts, [*starts[1:], len(part)], strict=True)]
    sentences = [(line, end) for text, end in whole for line in _lines(text)]
    for line, end in sentences:
        seen.setdefault(line, end)
    [beginning] = _lines(last) or [""]
    if len(seen) == len(sentences) or not any(line.startswith(beginning) for line in seen):
        return ""
    *_, newest = seen.values()
    repeated = any(end > newest for _, end in sentences)
    return part[:newest] if repeated else ""


def _lines(text: str) -> list[str]:
    """The lines, the sentences and the texts after each `####`, without signs at their ends."""
    pieces = (piece.strip(" \t#$*.!?\\()[]") for piece in _LINE_END.split(text))
    return [piece for piece in pieces if piece]
