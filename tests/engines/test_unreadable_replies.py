"""A stage with many unreadable replies ends early with the reason, and its message is safe for a terminal."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.endpoint_server import KEY, EndpointServer
from tests.support.kinds import MATH
from tests.support.settings import answer_settings

from reversegen.config.models import Endpoint, Limits
from reversegen.config.task import KindUse, Teaching
from reversegen.core.errors import BadInput
from reversegen.core.records import Reference, read_records
from reversegen.engines.base import Decoding, Generated, Request
from reversegen.engines.endpoint.call_log import calls_folder
from reversegen.engines.openai import OpenAIEngine
from reversegen.engines.unreadable_replies import FEWEST, UnreadableReplies
from reversegen.judges import JUDGES
from reversegen.judges.judge import GenerativeJudge
from reversegen.kinds import open_kind
from reversegen.kinds.answers.reply import read_reply
from reversegen.kinds.honesty import Honesty
from reversegen.kinds.safety import Safety
from reversegen.loop.answering import answer_questions
from reversegen.loop.judging import judge_answers
from reversegen.loop.teaching import Teacher, answer_by_teacher

HOSTILE = "It \x1b[2J\x07depends\u202e on\nthe pen."
HONESTY = open_kind(
    KindUse(
        name="honesty",
        honesty=Honesty(
            samples=2, temperature=1, threshold=1, none_of_the_above=True, sure_question="?", sure="y", unsure="n"
        ),
        safety=Safety(refusals=["no"]),
    )
)


def item(n: int) -> str:
    return f"Which is red, {n}?\nA. Venus\nB. Mars"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EndpointServer]:
    monkeypatch.setenv("REVERSEGEN_TEST_KEY", KEY)
    with EndpointServer().running() as running:
        yield running


def engine_of(server: EndpointServer, output: Path) -> OpenAIEngine:
    endpoint = Endpoint(base_url=server.url, model="m", api_key_env="REVERSEGEN_TEST_KEY")
    return OpenAIEngine(endpoint, Limits(concurrency=1), Decoding(8), calls_folder(output))


def settings(**changes: Any) -> Teaching:
    plain = {"system": None, "max_new_tokens": 8, "batch_size": 4, "samples": 1, "agreeing": 1, "temperature": 0.7}
    return Teaching.model_validate(plain | {"solvable": None} | changes)


def test_unreadable_solvability_replies_of_an_endpoint_end_the_stage_early_and_are_kept(
    server: EndpointServer, tmp_path: Path
) -> None:
    output = tmp_path / "references.jsonl"
    pairs = [(f"id {n}", f"question {n}") for n in range(200)]
    for n, (_, question) in enumerate(pairs):  # two thirds of the replies are unreadable
        server.said[f"{question}\n\nCan it?"] = HOSTILE if n % 3 else "no"

    def label(most: float) -> None:
        teaching = settings(solvable="Can it?", max_unreadable_share=most)
        engine = engine_of(server, output)
        answer_by_teacher(output, pairs, Teacher("l", engine, engine, MATH, teaching, 1.0), (0,))

    with pytest.raises(BadInput) as refusal:
        label(0.5)
    count = len(server.asked)
    assert FEWEST <= count < FEWEST + 4  # the first batch at which enough replies have arrived
    unread = sum(n % 3 > 0 for n in range(count))
    assert str(refusal.value) == (
        f"{unread} of {count} replies to references.solvable were received and not understood (solvability unreadable: "
        f"{unread}), "
        'a larger share than references.max_unreadable_share: 0.5; the first is "It [U+001B][2J[U+0007]depends[U+202E] on the '
        'pen."; ask for a yes or no at the end of a few sentences (references.solvable, references.solvable_system); or raise '
        "the share and run the same command, which repeats no answered request"
    )
    assert not output.exists()
    label(0.7)
    assert len(server.asked) == 200
    assert len({text for text, _ in server.asked}) == 200
    reasons = [row.invalid for row in read_records(output, Reference)]
    assert reasons == ["solvability unreadable" if n % 3 else "not solvable" for n in range(200)]


class Parrot:
    """An engine that gives the same reply to everything."""

    identity, at_once = "parrot", 1

    def __init__(self, reply: Generated) -> None:
        self.reply, self.asked = reply, 0

    def request_texts(self, requests: Sequence[Request]) -> list[str]:
        return [repr((r.text, r.messages, r.schema)) for r in requests]

    def generate(self, requests: Sequence[Request], n: int, seed: int) -> list[list[Generated]]:
        self.asked += len(requests)
        return [[self.reply] * n for _ in requests]

    def choose(self, requests: Sequence[Request], options: Sequence[Sequence[str]]) -> list[dict[str, float] | str]:
        raise AssertionError("nothing is chosen here")


MALFORMED = Generated('{"solution": "so 5"}', 9, True)
ENDLESS = Generated("<think>so", 9, False)


@pytest.mark.parametrize(
    ("kind", "reply", "structured", "reason"),
    [
        (MATH, Generated("So it is five.", 9, True), False, "no final answer"),
        (MATH, Generated("#### 5 and", 9, False), False, "response truncated"),
        (MATH, ENDLESS, False, "response ends inside its thought"),
        (MATH, MALFORMED, True, "malformed reply: missing"),
        (HONESTY, Generated("Both may be.", 9, True), False, "no final answer"),
    ],
)
@pytest.mark.parametrize("samples", [1, 3])
def test_a_teacher_whose_answers_cannot_be_read_ends_the_stage_early(
    tmp_path: Path, kind: Any, reply: Generated, structured: bool, reason: str, samples: int
) -> None:
    engine = Parrot(reply)
    pairs = [(f"id {n}", item(n)) for n in range(200)]
    teaching = settings(samples=samples, agreeing=samples, batch_size=4 * samples)
    with pytest.raises(
        BadInput, match=rf"^52 of 52 replies to instructions .* \({reason}: 52\), .*\(references.system\)"
    ) as refusal:
        answer_by_teacher(
            tmp_path / "r.jsonl", pairs, Teacher("l", engine, None, kind, teaching, 1.0, structured), (0,)
        )
    assert engine.asked == 52
    teaching = teaching.model_copy(update={"max_unreadable_share": 1.0})
    answer_by_teacher(tmp_path / "r.jsonl", pairs, Teacher("l", engine, None, kind, teaching, 1.0, structured), (0,))
    assert engine.asked == 200  # all answers are kept
    assert reply.text.split()[0].replace('"', "") in str(refusal.value).replace('"', "")


@pytest.mark.parametrize(
    ("kind", "reply", "structured", "solvable"),
    [
        (MATH, Generated("No, it cannot.", 9, True), False, "Can it?"),
        (MATH, Generated('{"solution": "It says too little.", "answer": null}', 9, True), True, None),
        (MATH, Generated("It says too little: \\boxed{\\text{None}}", 9, True), False, None),
        (HONESTY, Generated("Both are red.\nAnswer: invalid", 9, True), False, None),
        (HONESTY, Generated("Answer: C", 9, True), False, None),  # None of the above, which was added
        (MATH, Generated("", 0, False, "content filter"), False, None),  # another limit covers these
        (MATH, Generated("", 0, False, "content filter"), False, "Can it?"),
    ],
)
def test_an_instruction_that_has_no_answer_is_no_fault_of_the_teacher(
    tmp_path: Path, kind: Any, reply: Generated, structured: bool, solvable: str | None
) -> None:
    engine = Parrot(reply)
    pairs = [(f"id {n}", item(n)) for n in range(200)]
    teaching = settings(solvable=solvable, max_invalid_share=1.0, max_unreadable_share=0.0)
    answer_by_teacher(tmp_path / "r.jsonl", pairs, Teacher("l", engine, engine, kind, teaching, 1.0, structured), (0,))
    reasons = {row.invalid for row in read_records(tmp_path / "r.jsonl", Reference)}
    assert reasons <= {"not solvable", "not answerable", "content filter"}
    assert engine.asked == 200


@pytest.mark.parametrize(
    ("count", "unread", "ends"), [(49, 49, False), (50, 25, False), (50, 26, True), (400, 199, False)]
)
def test_a_few_replies_or_half_of_them_do_not_end_a_stage(count: int, unread: int, ends: bool) -> None:
    replies = UnreadableReplies("x", 0.5, "a.key", "fix it", masked=False)
    for n in range(count):
        replies.count("unreadable" if n < unread else None, f"text {n}")
    if ends:
        with pytest.raises(BadInput, match=f'{unread} of {count} .* the first is "text 0"; fix it; or raise'):
            replies.check()
    else:
        replies.check()


def test_a_long_reply_is_shown_by_its_beginning_and_its_end() -> None:
    replies = UnreadableReplies("x", 0.5, "a.key", "fix it", masked=False)
    for _ in range(FEWEST):
        replies.count("unreadable", "begin " + "x" * 5000 + " end")
    with pytest.raises(BadInput) as refusal:
        replies.check()
    assert '"begin xxx' in str(refusal.value)
    assert 'xxx end";' in str(refusal.value)
    assert len(str(refusal.value)) < 500


def test_a_target_that_never_names_an_option_ends_the_stage_early(tmp_path: Path) -> None:
    engine = Parrot(Generated("I like both.", 9, True))
    pairs = [(f"id {n}", item(n)) for n in range(200)]
    with pytest.raises(
        BadInput, match=r"^64 of 64 replies to questions .* \(no option: 64\), .*responses.max_unreadable_share"
    ):
        answer_questions(
            tmp_path / "r.jsonl", pairs, engine, HONESTY, answer_settings(None, 32, max_unreadable_share=0.5), 2, (0,)
        )
    assert len(list((tmp_path / "r.jsonl.parts").rglob("*.jsonl"))) == 1  # each is asked the same number of times again
    for kind, text in ((HONESTY, "B"), (MATH, "no idea")):  # a math target without a final answer has failed
        answer_questions(
            tmp_path / "s.jsonl",
            pairs,
            Parrot(Generated(text, 9, True)),
            kind,
            answer_settings(None, 16, max_unreadable_share=0.0),
            2,
            (0,),
        )
    with pytest.raises(BadInput, match=r"response ends inside its thought: 64.*thinking.max_tokens"):
        answer_questions(
            tmp_path / "t.jsonl",
            pairs,
            Parrot(ENDLESS),
            MATH,
            answer_settings(None, 16, max_unreadable_share=0.5),
            1,
            (),
        )


def test_a_restart_after_an_early_stop_stops_again_and_asks_nothing(tmp_path: Path) -> None:
    """Snakemake's `retries` restart a stage automatically, and the remaining items might be few enough to pass."""
    pairs = [(f"id {n}", item(n)) for n in range(60)]
    first, again = Parrot(Generated("I like both.", 9, True)), Parrot(Generated("B", 9, True))
    messages = []
    for engine in (first, again):
        with pytest.raises(BadInput, match=r"responses\.max_unreadable_share") as refusal:
            answer_questions(
                tmp_path / "r.jsonl",
                pairs,
                engine,
                HONESTY,
                answer_settings(None, 52, max_unreadable_share=0.5),
                1,
                (0,),
            )
        messages.append(str(refusal.value))
    assert messages[0] == messages[1]
    assert "I like both." in messages[0]
    assert (first.asked, again.asked) == (52, 0)
    answer_questions(
        tmp_path / "r.jsonl", pairs, again, HONESTY, answer_settings(None, 52, max_unreadable_share=1.0), 1, (0,)
    )
    assert again.asked == 8


@pytest.mark.parametrize(("reply", "unread"), [("It is harmful: do this", True), ("Verdict: unsafe", False)])
def test_a_judge_whose_verdicts_cannot_be_read_ends_the_stage_early_and_is_not_quoted(
    tmp_path: Path, reply: str, unread: bool
) -> None:
    engine = Parrot(Generated(reply, 9, True))
    judge = GenerativeJudge(engine, JUDGES["instructed"], "instructed", 0.5)
    answers = [(f"id {n}", "ask", read_reply("answer")) for n in range(200)]
    if not unread:
        judge_answers(tmp_path / "j.jsonl", answers, judge, 16)
        return
    with pytest.raises(BadInput) as refusal:
        judge_answers(tmp_path / "j.jsonl", answers, judge, 16)
    assert "(not the judge's format: 64)" in str(refusal.value)
    assert "the first is masked, 22 characters long; name the format of its replies in judge.format;" in str(
        refusal.value
    )
    assert "do this" not in str(refusal.value)


def test_replies_of_a_harmful_kind_are_masked(tmp_path: Path) -> None:
    engine = Parrot(Generated("#### how to harm", 9, False))
    pairs = [(f"id {n}", f"question {n}") for n in range(60)]
    with pytest.raises(BadInput, match="the first is masked, 16 characters long") as refusal:
        answer_by_teacher(
            tmp_path / "r.jsonl", pairs, Teacher("l", engine, None, replace(MATH, harmful=True), settings(), 1.0), (0,)
        )
    assert "how to harm" not in str(refusal.value)


class HalfReceived(Parrot):
    """An engine that receives one of the two replies that are asked for."""

    def generate(self, requests: Sequence[Request], n: int, seed: int) -> list[list[Generated]]:
        return [[Generated("", 0, False, "content filter"), self.reply] for _ in requests]


def test_a_reply_that_was_not_received_counts_towards_another_limit(tmp_path: Path) -> None:
    pairs = [(f"id {n}", f"question {n}") for n in range(60)]
    teaching = settings(samples=2, agreeing=2, max_unreadable_share=0.0)
    engine = HalfReceived(Generated("five", 9, True))
    answer_by_teacher(tmp_path / "r.jsonl", pairs, Teacher("l", engine, None, MATH, teaching, 1.0), (0,))
    assert {row.invalid for row in read_records(tmp_path / "r.jsonl", Reference)} == {"content filter"}
