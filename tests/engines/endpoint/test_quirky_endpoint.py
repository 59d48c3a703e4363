"""A tiny task with a server that has every quirk: its verdicts are those of a plain server, and no request is repeated."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.support.endpoint_server import FORMS, KEY, ONCE, REFUSED, EndpointServer, quirk
from tests.support.settings import answer_settings
from tests.support.usage import read_usage

from reversegen.config.data import Corpus
from reversegen.config.models import Endpoint, Limits
from reversegen.config.task import KindUse
from reversegen.core.records import Label, Reference, Response, read_records
from reversegen.engines.base import Decoding
from reversegen.engines.endpoint.call_log import calls_folder
from reversegen.engines.openai import OpenAIEngine
from reversegen.kinds import open_kind
from reversegen.kinds.answers.reply import read_reply
from reversegen.loop.answering import answer_questions
from reversegen.loop.labels import cases, label_responses
from reversegen.worlds.arithmetic import draw

MATH = open_kind(KindUse(name="math"))
CORPUS = Corpus(world="arithmetic", mix="uniform", part="all", count=150, random_seed=3, distinct=True)
EXAMPLES = draw(CORPUS)
QUESTIONS = [(f"id {n}", example.question) for n, example in enumerate(EXAMPLES)]
SOLVED = {example.question: example.answer.rpartition("#### ")[2] for example in EXAMPLES}
SAID = {
    MATH.target_messages(question, None)[-1].content: f"#### {int(answer) + (n % 3 == 0)}"
    for n, (question, answer) in enumerate(SOLVED.items())
}
"""The target's answers, of which every third is wrong."""


def respond(server: EndpointServer, output: Path, mode: str) -> list[Response]:
    endpoint = Endpoint(base_url=server.url, model="some-model", api_key_env="REVERSEGEN_TEST_KEY")
    engine = OpenAIEngine(endpoint, Limits(mode=mode, poll=0.02), Decoding(8), calls_folder(output))
    answer_questions(output, QUESTIONS, engine, MATH, answer_settings(None, 16), 1, ())
    return read_records(output, Response)


def labels(responses: list[Response]) -> dict[str, Label]:
    references = [
        Reference(instruction_id=identity, answer=SOLVED[question], solution=None, teacher="solver", invalid=None)
        for identity, question in QUESTIONS
    ]
    verdicts = label_responses(cases(QUESTIONS, responses, references), 2.0, MATH)
    return {label.instruction_id: label for label in verdicts}


@pytest.mark.parametrize("mode", ["online", "batch"])
def test_a_quirky_server_gives_the_verdicts_of_a_plain_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("REVERSEGEN_TEST_KEY", KEY)
    with EndpointServer(said=SAID).running() as server:
        plain = respond(server, tmp_path / "plain.jsonl", mode)
    with EndpointServer(said=SAID, quirks=1).running() as server:
        quirky = respond(server, tmp_path / "quirky.jsonl", mode)
        sent = Counter(text for text, _ in server.asked)
        (tmp_path / "quirky.jsonl").unlink()
        assert respond(server, tmp_path / "quirky.jsonl", mode) == quirky
        assert Counter(text for text, _ in server.asked) == sent  # no request is sent twice
        assert len(server.batches) == (mode == "batch") * 2  # the second run repeats what the first left over
    names = {identity: quirk(MATH.target_messages(text, None)[-1].content, 1) for identity, text in QUESTIONS}
    assert set(names.values()) == {*REFUSED, *ONCE, *FORMS}
    prompts = {identity: MATH.target_messages(text, None)[-1].content for identity, text in QUESTIONS}
    for one, other in zip(plain, quirky, strict=True):
        name = names[other.instruction_id]
        assert sent[prompts[other.instruction_id]] == (2 if name in ONCE else 1), name
        if name in REFUSED:
            assert (other.text, other.finished, other.invalid) == ("", False, REFUSED[name])
        else:
            reply = read_reply(other.text, other.finished, other.invalid)
            assert (reply.text, reply.finished, reply.invalid) == (one.text, True, None), name
    expected, actual = labels(plain), labels(quirky)
    assert Counter(label.verdict for label in expected.values()) == {"passed": 100, "failed": 50}
    for identity, label in actual.items():
        assert label.verdict == ("invalid" if names[identity] in REFUSED else expected[identity].verdict)
    usage = read_usage(calls_folder(tmp_path / "quirky.jsonl"))
    assert (usage.tries, usage.answered) == (sum(sent.values()), len(QUESTIONS))
