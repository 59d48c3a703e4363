r"""The option that a response to a multiple choice question chooses.

::

    option_letter("I think it is C.", ["Mars", "Venus", "Jupiter"])          "C"
    option_letter("A or C, I cannot tell.", ["Mars", "Venus", "Jupiter"])    None
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from string import ascii_uppercase

_CHARACTERS = str.maketrans(
    {"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'", "`": '"'}
    | {chr(0xFF00 + n): chr(0x20 + n) for n in range(1, 0x5F)}
)
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SPECIAL_TOKEN = re.compile(r"<\|[^<>|\s]{1,40}\|>|</?(?:s|bos|eos|pad|start_of_turn|end_of_turn|answer)>")
_MARKUP = re.compile(
    r"(?<!\w)[*_$]+|[*_$]+(?!\w)|^[ \t]*(?:#+|[>\u2022-])[ \t]+|[\u2705\u2713\u2714\U0001f300-\U0001faff]", re.MULTILINE
)
_QUOTED = re.compile(r'"[^"\n]*"')

_LETTER = r"""(?<![\w'-])[("'\[]{0,2}(?P<letter>[A-Za-z])(?P<close>[)"'\]]{0,2})(?![\w+#'-]|\.\w)"""
_CHOICE = re.compile(_LETTER)
_ELSEWHERE = (
    "antwort|r\u00e9ponse|respuesta|\u7b54\u6848"
    "|\u0627\u0644\u0625\u062c\u0627\u0628\u0629|\u0627\u0644\u062c\u0648\u0627\u0628"
)
"""The word "answer" in German, French, Spanish, Chinese and Arabic."""
_CLAIM = re.compile(
    rf"""\b(?:(?:answer|option|choice|{_ELSEWHERE})"?
        (?:[ ]?(?P<colon>[:=])|[ ](?:ist?|would[ ]be|should[ ]be|must[ ]be|lautet|est|es|\u0647[\u0648\u064a])(?:[ ]?:)?)
    |(?:it|that|this)(?:[ ]is|'s|[ ]must[ ]be|[ ]should[ ]be)
    |I(?:[ ]would|'d|[ ]will|'ll)?[ ](?:choose|pick|select|say|go[ ]with))
    [ \n]?""",
    re.IGNORECASE | re.VERBOSE,
)
_FILLER = re.compile(
    r"(?:(?:most|likely|probably|definitely|clearly|therefore|the|letter|option|choice|answer) ){0,4}", re.IGNORECASE
)
_RIGHT = re.compile(
    rf"(?:\b(?:[Oo]ption|[Cc]hoice|[Aa]nswer) )?{_LETTER} (?:is|must be|would be|seems)"
    r"(?: (?:the|most|likely|probably|clearly|definitely|therefore|best)){0,3} (?:correct|right|best|answer)\b"
)
_ALONE = re.compile(
    rf"^(?i:(?:(?:the|my|final|correct|best) ){{0,3}}(?:answer|option|choice|letter) )?{_LETTER}[.!,:;\u3002]?[)\"']?$",
    re.MULTILINE,
)
_BOXED = re.compile(
    r"\\(?:boxed|fbox) ?\{ ?(?:\\(?:text|textbf|mathrm|mathbf) ?\{ ?)?\(?(?P<letter>[A-Za-z])(?:\)?\.? ?\}|[).:] )"
)
_FIRST = re.compile(rf"\A(?:(?:[Oo]ption|[Cc]hoice|[Aa]nswer|[Ll]etter) )?{_LETTER}")
_LISTED = re.compile(r"^[(\[]?([A-Z])[)\].:](?=\s)", re.MULTILINE)

_ANOTHER = re.compile(r""" ?(?:,|/|&|\+|\bor\b|\band\b)(?: ?(?:or|and))?(?: option)? ?[("'\[]{0,2}([A-Z])(?![\w'-])""")
_BEFORE = re.compile(r"""(?<!\w)[("'\[]{0,2}([A-Z])[)"'\]]{0,2} ?(?:,|/|&|\bor|\band)(?: (?:or|and))? ?$""")
_DELIMITER = re.compile(r""" ?[.,:;)!?\]\u3002]["')]?|["']| (?=\()| [-\u2013\u2014](?= )|[\u2013\u2014]""")
_REASON = re.compile(r" (?:because|since|as|for|due|given|which|based|and|but|so)\b")
_INITIAL = re.compile(r"\. [A-Z]\.")
_DOUBT = re.compile(
    r"\b(?:not|never|cannot|neither|nor|no(?!,)|if|whether|unless|hardly|doubt|unlikely|wrong|incorrect|false|except)\b|n't\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[\n!?;]|\.(?=\s)|\b(?:but|however|so|therefore|thus|hence)\b", re.IGNORECASE)
_OPENING = re.compile(
    r"\W*(?:(?:and|then|the|my|our|final|correct|best|right|here|is)\W+)*(?:\W|correct|final|best|right)*",
    re.IGNORECASE,
)
_THOUGHT = re.compile(r"(?:^|\b(?:that|think|believe|say|and|then)\b)\W*$", re.IGNORECASE)
_LOOKED_BACK = 120
"""Number of characters before a statement that are searched for a doubt about it."""


def option_letter(response: str, options: Sequence[str]) -> str | None:
    r"""The one letter that a response chooses; None if it chooses no letter, several, or one that is not offered.

    A response chooses in these ways, and all its choices must agree:

    1. A statement: "answer is X", "option: X", "it is X", "I choose X", "X is correct", `\boxed{X}`; "answer" may be the word
       of five other languages. A statement after "not", "if" or "whether" in its clause, or within quotation marks, does not
       count. "Answer: X" must begin a sentence.
    2. A line of its own: a letter, or the text of an option, or both unless the lines list several letters.
    3. The beginning: "X", "X) ...", "X. ...", "X: ...", "X because ...", unless the lines list several letters.

    After the letter must come the end, punctuation, a reason or the text of its option: in "A good question" it is an article,
    and "A:" alone is short for "Answer:". The choice is undecided if the text of another option follows ("A. Paris" if Paris
    is C), if another letter is joined to it ("A or B"), or if options are letters themselves or repeat each other. A letter
    that is only mentioned chooses nothing. Full-width letters count as letters, characters without width are removed, and
    special tokens of chat templates end a line. Takes time linear in the length of the response.
    """
    reader = _Reader(options)
    chosen: set[str] = set()
    for letters in reader.choices(_clean(response)):
        chosen |= letters
        if len(chosen) > 1:
            return None
    return next(iter(chosen & reader.offered), None)


def _clean(text: str) -> str:
    text = _INVISIBLE.sub("", text).translate(_CHARACTERS)
    text = _MARKUP.sub("", _SPECIAL_TOKEN.sub("\n", text))
    text = "\n".join(line for line in (" ".join(line.split()) for line in text.splitlines()) if line)
    return text[1:-1] if text[:1] == text[-1:] == '"' and text.count('"') == 2 else text


def _bare(text: str) -> str:
    return text.strip(" \n\"'").rstrip(" .,;:\"'")


class _Reader:
    """Reads the choices of a response among one list of options. Each set holds the letters that one statement names."""

    def __init__(self, options: Sequence[str]) -> None:
        self.lettered = [(letter, _bare(_clean(text))) for letter, text in zip(ascii_uppercase, options, strict=False)]
        self.offered = {letter for letter, _ in self.lettered}
        self.longest = (
            max((len(text) for _, text in self.lettered), default=0) + 8 + len("most probably therefore the letter ")
        )

    def choices(self, text: str) -> Iterator[set[str]]:
        # A quotation that states an answer is the statement of somebody else.
        text = _QUOTED.sub(lambda quoted: '""' if _CLAIM.search(quoted[0]) else quoted[0], text)
        if self.named(text):
            yield self.named(text)
            return
        first = _FIRST.match(text)
        listed = len({line[1] for line in _LISTED.finditer(text)}) > 1
        if first and not listed:
            yield self.after(text, first)
        for line in dict.fromkeys(text.split("\n")):
            if len(line) <= self.longest:
                yield self.named(line)
                yield set() if listed else self.lettered_option(line)
        for match in _ALONE.finditer(text):
            yield {match["letter"].upper()}
        for match in _BOXED.finditer(text):
            yield {match["letter"].upper()}
        for match in self.distinct(_RIGHT, text):
            clause = _clause(text, match.start())
            if match["letter"] in self.offered and not _DOUBT.search(clause):
                before = _BEFORE.search(clause)
                if before:
                    yield {match["letter"], before[1]}
                elif _THOUGHT.search(clause):
                    yield {match["letter"]}
        for match in self.distinct(_CLAIM, text):
            if listed and match[0].endswith("\n"):  # "Choose the answer:", and then the options again
                continue
            line = text[match.end() : match.end() + self.longest].partition("\n")[0]
            filler = _FILLER.match(line)
            begin = filler.end() if filler else 0
            choice = _CHOICE.match(text, match.end() + begin)
            letters = self.named(line) or self.named(line[begin:]) or (self.after(text, choice) if choice else set())
            if letters:
                clause = _clause(text, match.start())
                if _OPENING.fullmatch(clause) if match["colon"] else not _DOUBT.search(clause):
                    yield letters

    def distinct(self, pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
        """Matches with different surroundings, because an endless response may repeat one statement up to its end."""
        seen: set[tuple[str, str]] = set()
        for match in pattern.finditer(text):
            before = text[max(0, match.start() - _LOOKED_BACK) : match.start()]
            surroundings = (before, text[match.start() : match.end() + self.longest])
            if surroundings not in seen:
                seen.add(surroundings)
                yield match

    def named(self, line: str) -> set[str]:
        """Letters of the options whose text is this line, preferably in the same case; and the letter that the line also is."""
        given = _bare(line)
        named = {letter for letter, text in self.lettered if given and text == given}
        if not named and len(given) > 1:
            named = {letter for letter, text in self.lettered if text.casefold() == given.casefold()}
        alone = _ALONE.fullmatch(line) if named else None
        return named | ({alone["letter"].upper()} & self.offered if alone else set())

    def lettered_option(self, line: str) -> set[str]:
        """The letter of a line that is an option with its letter, such as "C. Jupiter"; empty for any other line."""
        first = _FIRST.match(line)
        if not first:
            return set()
        delimiter = _DELIMITER.match(line, first.end())
        option = first["letter"], _bare(line[delimiter.end() if delimiter else first.end() :]).casefold()
        return {first["letter"]} if option in [(letter, text.casefold()) for letter, text in self.lettered] else set()

    def after(self, text: str, match: re.Match[str]) -> set[str]:
        """The letter of a match and the letters that the text after it names; empty if the letter is a word of a sentence."""
        letter, closed = match["letter"].upper(), bool(match["close"])
        tail = text[match.end() : match.end() + self.longest].partition("\n")[0]
        another = _ANOTHER.match(tail)
        if another and match["letter"].isupper() and (another[1] != "I" or "I" in self.offered):
            return {letter, another[1]}
        delimiter = _DELIMITER.match(tail)
        follows = _bare(tail[delimiter.end() :] if delimiter else tail).casefold()
        folded = [(name, text.casefold()) for name, text in self.lettered]
        begun = [
            (len(t), name) for name, t in folded if t and follows.startswith(t) and not follows[len(t) :][:1].isalnum()
        ]
        if begun and (delimiter or closed or match["letter"].isupper()):
            longest = {name for length, name in begun if length == max(begun)[0]}
            return {letter} if letter in longest else {letter} | longest
        if not tail or (closed and match["close"] != "'"):
            return {letter}
        if match["letter"].islower() or letter == "I":
            return {letter} if delimiter and tail.strip(" .,:;)!") == "" else set()
        if (letter == "A" and tail.startswith((":", " :"))) or _INITIAL.match(tail):
            return set()
        return {letter} if delimiter or _REASON.match(tail) else set()


def _clause(text: str, end: int) -> str:
    """The text of a clause before the statement in it."""
    before = text[max(0, end - _LOOKED_BACK) : end]
    return _CLAUSE.split(before.rpartition("\n")[2])[-1]
