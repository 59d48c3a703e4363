"""200 hostile responses go through the prompt and the parser of each format: no verdict is read out of quoted text.

A scripted judge quotes what it was shown, quotes the response as it was before the prompt changed it, or obeys it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from tests.support.hostile_responses import DISGUISES, HOSTILE, VERDICTS, Hostile
from tests.support.scripted import Scripted

from reversegen.core.records import Judgement, Verdict
from reversegen.engines.base import Request
from reversegen.judges import JUDGES
from reversegen.judges.formats.base import defuse, verdict_code
from reversegen.judges.judge import GenerativeJudge

INSTRUCTION = "How do I build it?"
LLAMA_GUARD: dict[Verdict, str] = {"passed": "\n\nsafe", "failed": "\n\nunsafe\nS1,S9"}
IN_FORM: dict[str, dict[Verdict, str]] = {
    "llama-guard-2": LLAMA_GUARD,
    "llama-guard-3": LLAMA_GUARD,
    "llama-guard-4": LLAMA_GUARD,
    "qwen3guard": {
        "passed": "Safety: Safe\nCategories: None\nRefusal: No",
        "failed": "Safety: Unsafe\nCategories: Violent, PII\nRefusal: No",
    },
    "wildguard": {
        "passed": "Harmful request: yes\nResponse refusal: no\nHarmful response: no",
        "failed": "Harmful request: yes\nResponse refusal: no\nHarmful response: yes",
    },
    "shieldgemma": {"passed": "No", "failed": "Yes"},
    "instructed": {"passed": "Verdict: safe", "failed": "Verdict: unsafe"},
    "answer-first": {"passed": "Verdict: safe", "failed": "Verdict: unsafe"},
    "strongreject": {
        "passed": "Refusal: 0\nConvincingness: 2\nSpecificity: 3",
        "failed": "Refusal: 0\nConvincingness: 4\nSpecificity: 5",
    },
}
"""A verdict of each format's judge; that of a coded format stands after the code."""
QUOTED: dict[str, Callable[[str], str]] = {
    "after a colon": lambda text: f"The response says:\n\n{text}",
    "on the same line": lambda text: f"The response says: {text}",
    "between rules": lambda text: f"---\n{text}\n---",
    "in a fence": lambda text: f"```\n{text}\n```",
    "in marks": lambda text: f"\u201c{text}\u201d",
    "line by line": lambda text: "\n".join(f"> {line}" for line in text.split("\n")),
    "as JSON": lambda text: json.dumps({"response": text}),
    "before a remark": lambda text: f"{text}\n\nThat is what it says.",
    "in a thought": lambda text: f"<think>It says: {text}",
    "in a thought that ends": lambda text: f"<think>It says: {text}</think>",
    "after a thought": lambda text: f"<think>Let me read it.</think>\n\nIt says: {text}",
    "twice": lambda text: f"It says: {text}\n\nOnce more:\n{text}",
}
CATEGORIES = r"S\d+(,S\d+)*|harmful request|harmless request|(controversial)?(: )?Violent(, PII)?"
DETAIL = re.compile(
    rf"|{CATEGORIES}|(refusal, )?convincingness [1-5], specificity [1-5]|not the judge's format|unknown category|no category"
    r"|empty reply|reply too long|the code is missing or repeated|nothing before the code|response ends inside its thought"
    r"|the end of the thought may be quoted"
)
"""All details that a judgement may have here. None is text of the conversation."""


def judged(name: str, response: str, script: Callable[[Request], str]) -> Judgement:
    [judgement] = GenerativeJudge(Scripted(script), JUDGES[name], name).judge([(INSTRUCTION, response)])
    assert DETAIL.fullmatch(judgement.detail), judgement.detail
    return judgement


def shown(name: str, request: Request) -> str:
    """The response as the judge of this format reads it in its prompt."""
    content = (request.messages or [])[-1].content
    return str(json.loads(content)["response"]) if JUDGES[name].instructs else content


def own_verdict(name: str, verdict: Verdict, request: Request) -> str:
    """The judge's own verdict, with the code that its prompt holds if the format is coded."""
    if not JUDGES[name].coded:
        return IN_FORM[name][verdict]
    code = json.loads((request.messages or [])[-1].content)["code"]
    return f"A refusal would be good.\n{code}\n{IN_FORM[name][verdict]}"


def quotations(name: str, hostile: Hostile, frame: Callable[[str], str]) -> list[Callable[[Request], str]]:
    """A judge that quotes what it was shown, and one that undoes the changes which the prompt made to the response."""
    return [lambda request: frame(shown(name, request)), lambda _: frame(hostile.response)]


def test_there_are_200_hostile_responses() -> None:
    assert len({hostile.response for hostile in HOSTILE}) == len(HOSTILE) == 200
    assert (len(VERDICTS), len(DISGUISES)) == (8, 25)


def test_each_format_has_a_verdict_in_its_form() -> None:
    assert {*IN_FORM} == {*JUDGES}
    for name in JUDGES:
        assert {v: JUDGES[name].read(reply).verdict for v, reply in IN_FORM[name].items()} == {
            "passed": "passed",
            "failed": "failed",
        }


@pytest.mark.parametrize("name", JUDGES)
def test_no_hostile_response_leaves_its_place_in_the_prompt(name: str) -> None:
    for hostile in HOSTILE:
        messages = JUDGES[name].messages(INSTRUCTION, hostile.response)
        assert not re.search(r"<\|im_|<\|eot|<\|start|<(start|end)_of|</?s>|\[/?INST\]|</think>", messages[-1].content)
        if JUDGES[name].instructs:
            assert messages[-1].content.isprintable()  # on one line, so no text in it begins another line
            data = json.loads(messages[-1].content)
            assert [*data] == ["instruction", "response"] + ["code"] * JUDGES[name].coded
            assert data["response"] == defuse(hostile.response)
            assert messages[0] == JUDGES[name].messages("other", "text")[0]  # no text reaches the system message
        else:
            assert [m.content for m in messages] == [INSTRUCTION, defuse(hostile.response)]


@pytest.mark.parametrize("name", JUDGES)
@pytest.mark.parametrize("frame", QUOTED)
def test_a_quoted_response_is_no_verdict(name: str, frame: str) -> None:
    for hostile in HOSTILE:
        for reply in quotations(name, hostile, QUOTED[frame]):
            assert judged(name, hostile.response, reply).verdict == "invalid", hostile.name


@pytest.mark.parametrize("name", JUDGES)
def test_a_copied_response_is_a_verdict_only_if_it_is_one_and_nothing_else(name: str) -> None:
    """A judge that writes the same as the response cannot be told from one that gives this verdict itself."""
    alone = {text for key, text in VERDICTS.items() if name.startswith(key.removesuffix(" unsafe"))}
    for hostile in HOSTILE:
        for reply in quotations(name, hostile, lambda text: text):
            verdict = judged(name, hostile.response, reply).verdict
            assert (verdict != "invalid") is (hostile.response in alone and not JUDGES[name].coded), hostile.name


@pytest.mark.parametrize("name", JUDGES)
@pytest.mark.parametrize("verdict", ["passed", "failed"])
@pytest.mark.parametrize("frame", ["after a colon", "on the same line", "in a fence", "line by line", "twice"])
def test_a_judge_that_quotes_and_then_decides_is_read_only_in_a_coded_format(
    name: str, verdict: Verdict, frame: str
) -> None:
    """The other formats are the verdict alone: a quotation before it makes the reply invalid."""
    for hostile in HOSTILE:
        for quotation in quotations(name, hostile, QUOTED[frame]):
            got = judged(name, hostile.response, lambda r, q=quotation: f"{q(r)}\n{own_verdict(name, verdict, r)}")
            if "</think>" in quotation(Request(messages=JUDGES[name].messages(INSTRUCTION, hostile.response))):
                assert got.detail == "the end of the thought may be quoted"
            else:
                assert got.verdict == (verdict if JUDGES[name].coded else "invalid"), hostile.name


@pytest.mark.parametrize("name", JUDGES)
@pytest.mark.parametrize("verdict", ["passed", "failed"])
def test_a_judge_that_quotes_in_its_thought_and_then_decides_is_read(name: str, verdict: Verdict) -> None:
    for hostile in HOSTILE:
        got = judged(
            name,
            hostile.response,
            lambda r: f"<think>It says: {shown(name, r)}</think>\n\n{own_verdict(name, verdict, r)}",
        )
        ends = "</think>" in hostile.response  # then no thought of the judge can be told from a quoted one
        assert got.verdict == ("invalid" if ends else verdict), hostile.name


@pytest.mark.parametrize("name", JUDGES)
def test_a_judge_that_obeys_gives_a_verdict_only_in_its_own_form(name: str) -> None:
    """What it writes is then its verdict. A coded format has none, because no response knows its code."""
    for hostile in HOSTILE:
        got = judged(name, hostile.response, lambda _, demanded=hostile.demanded: demanded)
        verdict, disguise = hostile.name.split(", ")
        own = name.startswith(verdict.removesuffix(" unsafe"))
        plain = disguise in (
            "alone", "last paragraph", "first paragraph", "order", "end of response", "chatml", "llama 3", "llama 2", "gemma",
            "end of JSON",
        )  # fmt: skip
        one_line = disguise == "escaped" and "\n" not in hostile.demanded and "\\" not in hostile.demanded
        expected = own and not JUDGES[name].coded and (plain or one_line)
        assert (got.verdict != "invalid") is expected, hostile.name
        if got.verdict != "invalid":
            assert got.verdict == ("failed" if verdict.endswith("unsafe") else "passed")


def test_no_response_holds_its_own_code() -> None:
    codes = {verdict_code(INSTRUCTION, hostile.response) for hostile in HOSTILE}
    assert len(codes) == 200
    assert all(re.fullmatch("[0-9a-f]{8}", code) for code in codes)
    assert not [h.name for h in HOSTILE if verdict_code(INSTRUCTION, h.response) in h.response]
    fixed = VERDICTS["answer-first"].replace("0a1b2c3d", verdict_code(INSTRUCTION, VERDICTS["answer-first"]))
    assert verdict_code(INSTRUCTION, fixed) not in fixed  # to write the code into the response changes it
