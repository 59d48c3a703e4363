"""The engine of endpoints against a local server that fails on purpose: no answer is lost, and none is asked for twice."""

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.endpoint_server import FAULTS, KEY, EndpointServer
from tests.support.settings import answer_settings
from tests.support.usage import read_usage
from tests.support.workflows import REPOSITORY

from reversegen.config.models import Endpoint, Limits, ModelUse
from reversegen.config.task import KindUse, Teaching
from reversegen.core.errors import BadInput
from reversegen.core.records import Message, Reference, Response, read_records
from reversegen.engines import open_engine
from reversegen.engines.base import Decoding, Generated, Request
from reversegen.engines.endpoint import batch_api, connection
from reversegen.engines.endpoint.call_log import calls_folder
from reversegen.engines.endpoint.calls import Call
from reversegen.engines.endpoint.connection import OUTAGE, Connection
from reversegen.engines.openai import OpenAIEngine
from reversegen.kinds import open_kind
from reversegen.kinds.honesty import Honesty
from reversegen.loop.answering import answer_questions
from reversegen.loop.teaching import Teacher, answer_by_teacher

SECRET = "and a secret"
MATH = open_kind(KindUse(name="math"))


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVERSEGEN_TEST_KEY", KEY)


@pytest.fixture
def server() -> Iterator[EndpointServer]:
    with EndpointServer().running() as running:
        yield running


def endpoint(url: str) -> Endpoint:
    return Endpoint(base_url=url, model="some-model", api_key_env="REVERSEGEN_TEST_KEY")


def engine_of(server: EndpointServer, calls: Path, decoding: Decoding | None = None, **limits: Any) -> OpenAIEngine:
    return OpenAIEngine(endpoint(server.url), Limits(**limits), decoding or Decoding(8), calls)


def requests_of(*texts: str) -> list[Request]:
    return [Request(messages=[Message(role="user", content=text)]) for text in texts]


def answers(*texts: str) -> list[list[Generated]]:
    return [[Generated(f"{text} is 0", 5, True)] for text in texts]


def answer_counts(folder: Path) -> Counter[str]:
    """How often each request was answered, according to the files on disk."""
    calls = (call for path in folder.glob("*.jsonl") for call in read_records(path, Call))
    return Counter(call.key for call in calls if call.ended)


QUESTIONS = [f"question {n}" for n in range(24)]


def test_each_conversation_is_asked_with_model_and_decoding(server: EndpointServer, tmp_path: Path) -> None:
    use = ModelUse(endpoint=endpoint(server.url))
    engine = open_engine(use, None, Decoding(64, 0.7, 0.9), 1, tmp_path / "calls")
    opening = Message(role="system", content="Think.")
    requests = [Request(messages=[opening, Message(role="user", content=text)]) for text in ("98", "99 is cut")]
    assert engine.generate(requests, 2, 2**64 - 1) == [
        [Generated("98 is 0", 5, True), Generated("98 is 1", 5, True)],
        [Generated("99 is cut is 0", 5, False), Generated("99 is cut is 1", 5, False)],
    ]
    assert set(server.keys) == {f"Bearer {KEY}"}
    for text, body in zip(("98", "99 is cut"), sorted(server.bodies, key=lambda b: str(b["messages"])), strict=True):
        turns = [{"role": "system", "content": "Think."}, {"role": "user", "content": text}]
        assert (body["model"], body["messages"]) == ("some-model", turns)
        assert (body["temperature"], body["top_p"], body["n"], body["max_tokens"]) == (0.7, 0.9, 2, 64)
        assert 0 <= body["seed"] < 2**31


def test_a_greedy_answer_is_kept_for_every_seed_and_a_drawn_one_for_its_own(
    server: EndpointServer, tmp_path: Path
) -> None:
    for temperature, count in ((0.0, 1), (0.7, 3)):
        calls = tmp_path / str(temperature)
        for seed in (1, 2):
            engine_of(server, calls, Decoding(8, temperature)).generate(requests_of("a"), 1, seed)
        engine_of(server, calls, Decoding(9, temperature)).generate(requests_of("a"), 1, 2)
        assert sum(answer_counts(calls).values()) == len(answer_counts(calls)) == count + (temperature == 0)
    assert len(server.asked) == 2 + 3


def test_equal_requests_at_the_same_time_are_sent_once(server: EndpointServer, tmp_path: Path) -> None:
    server.delay = 0.1
    assert engine_of(server, tmp_path).generate(requests_of("a", "b", "a"), 1, 0) == answers("a", "b", "a")
    assert server.answered == {"a": 1, "b": 1}


def test_as_many_requests_as_configured_are_under_way_across_batches(server: EndpointServer, tmp_path: Path) -> None:
    server.delay = 0.5
    output = tmp_path / "responses.jsonl"
    questions = [(f"id {n}", f"question {n}") for n in range(192)]
    engine = engine_of(server, calls_folder(output), concurrency=64)
    answer_questions(output, questions, engine, MATH, answer_settings(None, 8), 1, ())
    assert server.most_at_once == 64
    responses = read_records(output, Response)
    assert [(r.instruction_id, r.text) for r in responses] == [(i, f"{question} is 0") for i, question in questions]
    assert set(server.answered.values()) == {1}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_request_that_goes_wrong_is_tried_again_and_every_try_is_counted(
    server: EndpointServer, tmp_path: Path, fault: str
) -> None:
    server.faults, server.every = (fault,), 8
    engine = engine_of(server, tmp_path, concurrency=24, timeout=1.0)
    assert engine.generate(requests_of(*QUESTIONS), 1, 0) == answers(*QUESTIONS)
    assert server.answered == dict.fromkeys(QUESTIONS, 1)
    usage = read_usage(tmp_path)
    assert (usage.answered, usage.retries) == (24, 3)
    if fault != "slow":  # the server is still busy with these requests
        assert len(server.asked) == usage.tries
    assert (usage.tokens_in, usage.tokens_out) == (3 * 24, 5 * 24)
    again = engine_of(server, tmp_path)
    assert again.generate(requests_of(*QUESTIONS), 1, 0) == answers(*QUESTIONS)
    assert server.answered == dict.fromkeys(QUESTIONS, 1)


def test_nothing_is_sent_for_as_long_as_the_server_asks_to_wait(server: EndpointServer, tmp_path: Path) -> None:
    server.faults, server.every, server.retry_after = ("429",), 100, 1.5
    engine = engine_of(server, tmp_path, concurrency=2)
    engine.generate(requests_of(*QUESTIONS), 1, 0)
    first, *later = server.times
    assert all(time < first + 0.5 or time >= first + 1.5 for time in later)
    assert sum(time < first + 0.5 for time in later) <= 1  # the other request was already on its way
    assert server.answered == dict.fromkeys(QUESTIONS, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"status 401 {SECRET}", "status 401, made_for_a_test; it was not asked again"),
        (f"status 404 {SECRET}", "status 404, made_for_a_test; it was not asked again"),
    ],
)
def test_a_fault_that_no_further_try_fixes_ends_the_job_and_is_not_repeated(
    server: EndpointServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, words: str
) -> None:
    caplog.set_level(logging.DEBUG)
    server.delay = 0.05
    engine = engine_of(server, tmp_path, concurrency=4)
    with pytest.raises(BadInput) as refused:
        engine.generate(requests_of(*QUESTIONS[:3], text, *QUESTIONS[3:]), 2, 0)
    assert str(refused.value).startswith(f"endpoint {server.url}, model some-model: {words}")
    assert refused.value.__cause__ is None
    for message in (str(refused.value), caplog.text):
        assert "secret" not in message
    assert [question for question, _ in server.asked].count(text) == 1
    assert len(server.asked) <= 8  # four at a time, and no new request after the refusal
    assert sum(answer_counts(tmp_path).values()) == sum(server.answered.values())
    with pytest.raises(BadInput, match=re.escape(words)):  # later requests are not sent either
        engine.generate(requests_of("another"), 1, 0)
    assert "another" not in server.answered


def test_certificates_that_are_not_there_are_named_by_their_variable(
    server: EndpointServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nowhere.pem"))
    engine = OpenAIEngine(endpoint(server.url.replace("http:", "https:")), Limits(), Decoding(8), tmp_path)
    with pytest.raises(BadInput, match=r"cannot be asked \(FileNotFoundError\); check .* \(.*SSL_CERT_FILE"):
        engine.generate(requests_of("a"), 1, 0)
    assert not server.asked


def test_a_refused_key_is_named_by_its_variable(
    server: EndpointServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVERSEGEN_TEST_KEY", "another")
    with pytest.raises(
        BadInput, match=r"status 401, .*: check that the key in REVERSEGEN_TEST_KEY belongs to this endpoint"
    ):
        engine_of(server, tmp_path).generate(requests_of("a"), 1, 0)


def test_a_refusal_is_an_answer_and_a_reply_that_did_not_arrive_is_none(server: EndpointServer, tmp_path: Path) -> None:
    engine = engine_of(server, tmp_path, tries=2)
    assert engine.generate(requests_of("refused", "silent", "tool"), 1, 0) == [
        [Generated("I cannot", 5, True)],
        [Generated("", 0, False, "empty reply")],
        [Generated("", 0, False, "tool call instead of an answer")],
    ]
    server.said["parts"] = [{"type": "text", "text": "7"}]
    server.said["pictures"] = [{"type": "image_url", "image_url": {"url": "7"}}]
    assert engine.generate(requests_of("parts", "pictures"), 1, 0) == [
        [Generated("7", 5, True)],
        [Generated("", 0, False, "an unreadable reply")],
    ]
    assert sum(answer_counts(tmp_path).values()) == 5
    assert engine_of(server, tmp_path).generate(requests_of("pictures"), 1, 0)[0][0].invalid == "an unreadable reply"
    assert [text for text, _ in server.asked].count("pictures") == 2


@pytest.mark.parametrize("mode", ["online", "batch"])
def test_an_unreadable_reply_is_paid_for_and_is_no_outage(
    server: EndpointServer, tmp_path: Path, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.said.update({question: [7] for question in QUESTIONS[:6]})
    engine = engine_of(server, tmp_path, mode=mode, tries=2, poll=0.02, patience=2)
    with pytest.raises(BadInput, match="an unreadable reply, after 2 tries"):
        engine.generate(requests_of(*QUESTIONS[:6]), 1, 0)
    usage, tries = read_usage(tmp_path), len(server.asked)
    assert 7 <= tries <= 12
    assert (usage.tries, usage.answered) == (tries, 0)
    tokens = (3 * tries, 5 * tries)
    assert (usage.tokens_in, usage.tokens_out) == (tokens if mode == "online" else (0, 0))
    assert (usage.batch_tokens_in, usage.batch_tokens_out) == (tokens if mode == "batch" else (0, 0))
    assert not [line for line in caplog.messages if ": out of service" in line]


def test_an_answer_without_a_readable_count_of_tokens_is_kept_and_logged_once(
    server: EndpointServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = engine_of(server, tmp_path)
    for n in (1, 2):
        assert engine.generate(requests_of("uncounted"), n, 0) == [
            [Generated(f"uncounted is {k}", 0, True) for k in range(n)]
        ]
    assert len(server.asked) == 2
    assert [
        line.getMessage().partition(": gives no readable ")[2]
        for line in caplog.records
        if "gives no readable" in line.getMessage()
    ] == ["prompt_tokens; they count as 0 in plans and budgets"]


def test_an_endpoint_that_answers_too_many_requests_is_not_out() -> None:
    """So tries are spaced again: during an outage only one request checks the endpoint, at times of its own."""
    connection = Connection(endpoint("http://127.0.0.1:1/v1"), Limits())
    for _ in range(OUTAGE):
        connection.count(1, 500)
    assert connection._out
    connection.count(1, 429)
    assert not connection._out


def test_an_account_without_money_is_not_asked_again(server: EndpointServer, tmp_path: Path) -> None:
    server.status, server.error_code = 429, "insufficient_quota"
    with pytest.raises(BadInput, match="status 429, insufficient_quota; it was not asked again"):
        engine_of(server, tmp_path).generate(requests_of("a"), 1, 0)
    assert len(server.asked) == 1


def test_a_request_has_so_many_tries_and_all_of_a_job_so_many_spare_ones(
    server: EndpointServer, tmp_path: Path
) -> None:
    server.status = 503
    with pytest.raises(BadInput, match="status 503, after 2 tries of one request; all answers are kept"):
        engine_of(server, tmp_path / "a", tries=2).generate(requests_of("a"), 1, 0)
    assert len(server.asked) == read_usage(tmp_path / "a").tries == 2
    server.asked.clear()
    with pytest.raises(BadInput, match="status 503, and the 1 spare tries of the job are used up"):
        engine_of(server, tmp_path / "b", spare_tries=1, concurrency=3).generate(requests_of("a", "b", "c"), 1, 0)
    assert len(server.asked) == read_usage(tmp_path / "b").tries == 3


def test_one_request_checks_an_endpoint_that_is_out_until_patience_ends(tmp_path: Path) -> None:
    first = connection.FIRST_PAUSE
    with EndpointServer(status=500).running() as server:
        engine = engine_of(server, tmp_path, concurrency=8, patience=2.5 * first)
        with pytest.raises(BadInput, match=r"status 500, for \d+ seconds and more; all answers are kept"):
            engine.generate(requests_of(*QUESTIONS), 1, 0)
    assert len(server.times) <= 8 + 3  # eight at once, then one check after at most 1, 2 and 4 pauses
    assert all(
        later - earlier > 0.9 * first for earlier, later in zip(server.times[8:], server.times[9:], strict=False)
    )


Start = Callable[..., tuple[subprocess.Popen[str], int]]


@pytest.fixture
def start_server() -> Iterator[Start]:
    """Starts servers as processes, which end with the test."""
    processes: list[subprocess.Popen[str]] = []

    def start(log: Path, port: int = 0) -> tuple[subprocess.Popen[str], int]:
        words = ["--log", str(log), "--port", str(port), "--delay", "0.02"]
        command = [sys.executable, "-m", "tests.support.endpoint_server", *words]
        processes.append(subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True))
        stdout = processes[-1].stdout
        assert stdout
        return processes[-1], int(stdout.readline())

    yield start
    for process in processes:
        process.kill()
        process.wait()


def test_a_server_that_is_killed_and_comes_back_costs_no_answer(tmp_path: Path, start_server: Start) -> None:
    log, output = tmp_path / "log", tmp_path / "responses.jsonl"
    questions = [(f"id {n}", f"question {n}") for n in range(300)]
    process, port = start_server(log)
    engine = OpenAIEngine(
        endpoint(f"http://127.0.0.1:{port}/v1"), Limits(concurrency=8), Decoding(8), calls_folder(output)
    )
    dead: list[int] = []
    add = engine._calls.add

    def adding(call: Call) -> None:
        add(call)
        if call.ended and not dead and len(answer_counts(calls_folder(output))) >= 100:
            process.kill()
            dead.append(process.wait())

    engine._calls.add = adding  # type: ignore[assignment, method-assign]

    def restart() -> None:
        while not dead:
            time.sleep(0.05)
        time.sleep(connection.FIRST_PAUSE)
        start_server(log, port)

    thread = threading.Thread(target=restart)
    thread.start()
    answer_questions(output, questions, engine, MATH, answer_settings(None, 16), 1, ())
    thread.join()
    assert [(r.instruction_id, r.text) for r in read_records(output, Response)] == [
        (i, f"{question} is 0") for i, question in questions
    ]
    assert len(answer_counts(calls_folder(output))) == sum(answer_counts(calls_folder(output)).values()) == 300


def start_job(server: EndpointServer, output: Path, mode: str = "online") -> subprocess.Popen[bytes]:
    """Start a process that asks 200 questions."""
    job = REPOSITORY / "tests/support/endpoint_job.py"
    words = [sys.executable, str(job), server.url, str(output), "--mode", mode, "--quiet", "0.2", "--verbose"]
    with output.with_suffix(".log").open("a") as log:
        return subprocess.Popen(words, stderr=log)


def wait_until(holds: Any) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.slow
def test_a_job_that_is_killed_resumes_at_the_next_request(server: EndpointServer, tmp_path: Path) -> None:
    server.delay = 0.02
    output = tmp_path / "responses.jsonl"
    calls = calls_folder(output)
    for goal in (50, 120):
        job = start_job(server, output)
        wait_until(lambda goal=goal: sum(server.answered.values()) >= goal)
        job.send_signal(signal.SIGKILL)
        job.wait()
        for path in calls.glob("*.jsonl"):  # an incomplete line, as a kill leaves it
            path.write_bytes(path.read_bytes()[: path.read_bytes().rfind(b"\n") + 1])
        before, asked_before = answer_counts(calls), Counter(text for text, _ in server.asked)
        lost = set(asked_before) - {f"question {n}" for n in range(200)}
        assert not lost
        assert sum(asked_before.values()) - sum(before.values()) <= 2 * 8  # requests under way at the kill
    job = start_job(server, output)
    assert job.wait(timeout=60) == 0
    after = answer_counts(calls)
    assert after == dict.fromkeys(after, 1)  # no request with a kept answer was asked again
    assert len(after) == 200
    assert [r.text for r in read_records(output, Response)] == [f"question {n} is 0" for n in range(200)]
    under_way = len(server.asked) - 200
    assert 0 <= under_way <= 2 * 8
    assert read_usage(calls).answered == 200


def test_requests_and_tokens_keep_to_their_rates(server: EndpointServer, tmp_path: Path) -> None:
    engine_of(server, tmp_path / "a", requests_per_minute=600).generate(requests_of(*QUESTIONS[:8]), 1, 0)
    assert 0.65 <= server.times[-1] - server.times[0] < 5
    server.times.clear()
    # the text of a request is about 150 bytes, which is 37 tokens, and its answer may have 63
    limits = {"tokens_per_minute": 60_000}
    engine_of(server, tmp_path / "b", Decoding(63), **limits).generate(requests_of(*QUESTIONS[:8]), 1, 0)
    assert 0.6 <= server.times[-1] - server.times[0] < 5


def test_the_key_goes_to_no_other_host(server: EndpointServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with EndpointServer().running() as other_server:
        server.redirect = other_server.url.removesuffix("/v1")
        with pytest.raises(BadInput, match="status 307: it redirects to another address"):
            engine_of(server, tmp_path / "a").generate(requests_of("a"), 1, 0)
        server.redirect = None
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, other_server.url.removesuffix("/v1"))
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert engine_of(server, tmp_path / "b").generate(requests_of("a"), 1, 0) == answers("a")
        assert other_server.keys == []


@pytest.mark.parametrize("value", [None, "", " "])
def test_an_endpoint_without_its_key_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str | None
) -> None:
    monkeypatch.delenv("REVERSEGEN_TEST_KEY")
    if value is not None:
        monkeypatch.setenv("REVERSEGEN_TEST_KEY", value)
    with pytest.raises(BadInput, match="environment variable REVERSEGEN_TEST_KEY holds no key; export it"):
        OpenAIEngine(endpoint("https://example.org/v1"), Limits(), Decoding(8), tmp_path)


@pytest.mark.parametrize("value", ["two words", "line\nline", "\u00fc"])
def test_a_key_that_no_header_accepts_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str
) -> None:
    monkeypatch.setenv("REVERSEGEN_TEST_KEY", value)
    with pytest.raises(BadInput) as refused:
        OpenAIEngine(endpoint("https://example.org/v1"), Limits(), Decoding(8), tmp_path)
    assert value not in str(refused.value)


def test_requests_that_only_a_folder_can_serve_are_refused_before_they_are_sent(
    server: EndpointServer, tmp_path: Path
) -> None:
    engine = engine_of(server, tmp_path)
    with pytest.raises(BadInput, match=rf"{server.url}: cannot continue plain text"):
        engine.generate([Request(text="20 + 3")], 1, 0)
    with pytest.raises(BadInput, match=rf"{server.url}: gives no probabilities of options"):
        engine.choose(requests_of("20 + 3"), [["23", "24"]])
    [request] = requests_of("20 + 3")
    with pytest.raises(BadInput, match=rf"{server.url}: takes no arguments of a chat template"):
        engine.generate([Request(messages=request.messages, template={"guideline": "g"})], 1, 0)
    assert server.keys == []


def test_one_batch_answers_all_waiting_requests_and_is_paid_for_as_a_batch(
    server: EndpointServer, tmp_path: Path
) -> None:
    output = tmp_path / "responses.jsonl"
    questions = [(f"id {n}", f"question {n}") for n in range(100)]
    engine = engine_of(server, calls_folder(output), mode="batch", poll=0.02)
    answer_questions(output, questions, engine, MATH, answer_settings(None, 8), 1, ())
    assert [r.text for r in read_records(output, Response)] == [f"{question} is 0" for _, question in questions]
    [batch] = server.batches
    assert (batch["endpoint"], batch["completion_window"]) == ("/v1/chat/completions", "24h")
    usage = read_usage(calls_folder(output))
    assert (usage.tries, usage.answered, usage.tokens_in, usage.tokens_out) == (100, 100, 0, 0)
    assert (usage.batch_tokens_in, usage.batch_tokens_out) == (300, 500)
    assert not list(calls_folder(output).glob("batch-*"))
    again = engine_of(server, calls_folder(output), mode="online")  # kept answers serve both modes
    assert again.generate(requests_of("question 7"), 1, 0) == answers("question 7")
    assert len(server.asked) == 100


def killed_with_a_batch_under_way(server: EndpointServer, output: Path) -> Path:
    """Kill a job that waits for its batch. Returns the file in which the job left the batch's id."""
    server.batch_looks = 10**6
    job = start_job(server, output, "batch")
    wait_until(lambda: server.batches and server.batches[0]["looks"] > 1)
    job.send_signal(signal.SIGKILL)
    job.wait()
    [path] = calls_folder(output).glob("batch-*.json")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("unnamed", [False, True], ids=["by its id", "by its name"])
def test_a_job_that_is_killed_while_it_waits_finds_its_batch(
    server: EndpointServer, tmp_path: Path, unnamed: bool
) -> None:
    output = tmp_path / "responses.jsonl"
    path = killed_with_a_batch_under_way(server, output)
    if unnamed:  # as if the kill had come before the id, with newer batches of other processes
        path.write_text(json.dumps({**json.loads(path.read_text()), "id": None}))
        server.batches += [{"id": f"other_{n}", "status": "completed", "metadata": None} for n in range(5)]
    server.batch_looks = 1
    assert start_job(server, output, "batch").wait(timeout=60) == 0
    assert [b["id"] for b in server.batches if not b["id"].startswith("other")] == ["batch_0"]
    assert [r.text for r in read_records(output, Response)] == [f"question {n} is 0" for n in range(200)]
    assert set(server.answered.values()) == {1}


@pytest.mark.parametrize("gone", ["batch", "output"])
def test_a_batch_that_is_gone_is_named_with_the_fix(server: EndpointServer, tmp_path: Path, gone: str) -> None:
    output = tmp_path / "responses.jsonl"
    path = killed_with_a_batch_under_way(server, output)
    server.gone, server.batch_looks = gone, 1
    for _ in range(2):  # the file stays until somebody decides to pay again
        engine = engine_of(server, calls_folder(output), mode="batch", poll=0.02)
        words = f"batch batch_0 or its output is gone; delete {path} to ask its 200 requests again, at full price"
        with pytest.raises(BadInput, match=re.escape(words)):
            engine.generate(requests_of("question 0"), 1, 0)
    path.unlink()
    server.gone = ""
    engine = engine_of(server, calls_folder(output), mode="batch", poll=0.02)
    assert engine.generate(requests_of("question 0"), 1, 0) == answers("question 0")


def test_a_batch_whose_id_is_lost_on_the_way_is_not_created_again(server: EndpointServer, tmp_path: Path) -> None:
    server.lose_batch_id = True
    engine = engine_of(server, tmp_path, mode="batch", poll=0.02)
    assert engine.generate(requests_of("a", "b"), 1, 0) == answers("a", "b")
    assert len(server.batches) == 1


def test_requests_that_a_batch_leaves_unanswered_go_into_the_next(server: EndpointServer, tmp_path: Path) -> None:
    server.expire = 2
    engine = engine_of(server, tmp_path, mode="batch", poll=0.02)
    texts = [*QUESTIONS[:5], "status 500 once"]
    assert engine.generate(requests_of(*texts), 1, 0) == answers(*texts)
    assert len(server.batches) == 2
    assert server.answered == dict.fromkeys(texts, 1)
    usage = read_usage(tmp_path)
    assert (usage.answered, usage.batch_tokens_out) == (6, 30)
    assert usage.retries == 3


def test_a_request_that_a_batch_refuses_is_invalid_and_the_others_are_answered(
    server: EndpointServer, tmp_path: Path
) -> None:
    engine = engine_of(server, tmp_path, mode="batch", poll=0.02)
    refused = f"status 400 {SECRET}"
    assert engine.generate(requests_of("a", refused, "b"), 1, 0) == [
        *answers("a"),
        [Generated("", 0, False, "status 400")],
        *answers("b"),
    ]
    again = engine_of(server, tmp_path, mode="batch", poll=0.02)
    assert again.generate(requests_of(refused), 1, 0) == [[Generated("", 0, False, "status 400")]]
    assert len(server.batches) == 1
    assert read_usage(tmp_path).tries == 3


def test_a_fault_of_the_set_up_in_a_batch_ends_the_job_and_the_other_answers_are_kept(
    server: EndpointServer, tmp_path: Path
) -> None:
    engine = engine_of(server, tmp_path, mode="batch", poll=0.02)
    words = "batch batch_0: status 404; it was not asked again"
    with pytest.raises(BadInput, match=words) as refused:
        engine.generate(requests_of("a", f"status 404 {SECRET}", "status 400", "b"), 1, 0)
    assert "secret" not in str(refused.value)
    assert len(answer_counts(tmp_path)) == 2


def test_a_wrong_number_of_choices_in_a_batch_costs_no_other_answer(server: EndpointServer, tmp_path: Path) -> None:
    engine = engine_of(server, tmp_path, mode="batch", poll=0.02)
    missing = [Generated("", 0, False, "1 answers where 2 were asked for")] * 2
    both = [[Generated(f"{text} is {n}", 5, True) for n in range(2)] for text in "ab"]
    assert engine.generate(requests_of("a", "one answer", "b"), 2, 0) == [both[0], missing, both[1]]
    usage = read_usage(tmp_path)
    assert (usage.tries, usage.answered) == (3, 3)
    assert (usage.batch_tokens_in, usage.batch_tokens_out) == (3 * 3, 10 + 10 + 5)
    again = engine_of(server, tmp_path, mode="batch", poll=0.02)
    assert again.generate(requests_of("a", "one answer", "b"), 2, 0) == [both[0], missing, both[1]]
    assert read_usage(tmp_path) == usage
    assert len(server.batches) == 1


def test_an_endpoint_that_gives_one_choice_to_all_names_the_setting(server: EndpointServer, tmp_path: Path) -> None:
    words = "1 answers where 2 were asked for; it was not asked again: does it support `n`?"
    with pytest.raises(BadInput, match=re.escape(words)):
        engine_of(server, tmp_path).generate(requests_of("one answer"), 2, 0)
    assert server.answered == {"one answer": 1}
    usage = read_usage(tmp_path)  # the reply is paid for, but is no answer
    assert (usage.tokens_in, usage.answered) == (3, 0)


def test_a_batch_without_a_status_is_not_waited_for_forever(server: EndpointServer, tmp_path: Path) -> None:
    engine = engine_of(server, tmp_path, mode="batch", poll=0.02, tries=2)
    server.batch_status = None
    with pytest.raises(BadInput, match="an unreadable reply, after 2 tries of one request"):
        engine.generate(requests_of("a"), 1, 0)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"id": 3, "keys": {}}', '{"id": null, "keys": {"a": "b"}}'])
def test_a_file_that_names_no_batch_fails_all_requests_and_nothing_is_sent(
    server: EndpointServer, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "batch-abc.json"
    path.write_text(text)
    engine = engine_of(server, tmp_path, mode="batch", poll=0.02)
    for questions in (("a", "b"), ("c",)):
        with pytest.raises(BadInput, match=re.escape(f"{path}: does not name a batch; delete it to ask its requests")):
            engine.generate(requests_of(*questions), 1, 0)
    time.sleep(1.2 * batch_api.QUIET)  # as long as requests wait for the others
    assert not server.keys
    path.unlink()
    assert engine_of(server, tmp_path, mode="batch", poll=0.02).generate(requests_of("a"), 1, 0) == answers("a")


def stage_usage(folder: Path) -> tuple[int, int]:
    """Number of tries and answers in all shards."""
    usages = [read_usage(calls) for calls in folder.glob("*.calls")]
    return sum(usage.tries for usage in usages), sum(usage.answered for usage in usages)


@pytest.mark.slow
def test_a_batch_under_way_is_found_by_another_number_of_shards_and_paid_once(
    server: EndpointServer, tmp_path: Path
) -> None:
    killed_with_a_batch_under_way(server, tmp_path / "responses.jsonl")
    server.batch_looks = 1
    outputs = [tmp_path / f"responses.{n}-of-2.jsonl" for n in (1, 2)]
    jobs = [start_job(server, output, "batch") for output in outputs]
    assert [job.wait(timeout=60) for job in jobs] == [0, 0]
    assert len(server.batches) == 1
    assert stage_usage(tmp_path) == (200, 200)
    for output in outputs:
        assert [r.text for r in read_records(output, Response)] == [f"question {n} is 0" for n in range(200)]
    assert not list(tmp_path.glob("*.calls/batch-*"))


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True])
def test_the_batch_of_a_living_process_is_waited_for_and_resumed_when_that_process_is_killed(
    server: EndpointServer, tmp_path: Path, killed: bool
) -> None:
    server.batch_looks = 10**6
    outputs = [tmp_path / f"responses.{n}-of-2.jsonl" for n in (1, 2)]
    first = start_job(server, outputs[0], "batch")
    wait_until(lambda: server.batches and server.batches[0]["looks"] > 1)
    second = start_job(server, outputs[1], "batch")
    wait_until(lambda: "waiting for the batch of another process" in outputs[1].with_suffix(".log").read_text())
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(timeout=1)
    if killed:
        first.kill()
        first.wait()
    server.batch_looks = 1
    assert second.wait(timeout=60) == 0
    if not killed:
        assert first.wait(timeout=60) == 0
    assert len(server.batches) == 1
    assert stage_usage(tmp_path) == (200, 200)
    assert read_usage(calls_folder(outputs[killed])).answered == 200
    assert [r.text for r in read_records(outputs[1], Response)] == [f"question {n} is 0" for n in range(200)]


CHECKED = '{"reasoning": "Mars is near.", "valid": true, "option": "B"}'
MALFORMED = [
    ('{"reasoning": "Mars", "valid": true', "json_invalid"),
    ("Answer: B", "json_invalid"),
    ('{"valid": true, "option": "B"}', "missing"),
    ('{"reasoning": "", "valid": "yes", "option": "B"}', "bool_type"),
    ('{"reasoning": "", "valid": true, "option": 2}', "string_type"),
    ('{"reasoning": "", "valid": true, "option": "B", "and a secret": 1}', "extra_forbidden"),
    ('["reasoning"]', "model_type"),
]


def referenced(
    server: EndpointServer,
    folder: Path,
    kind: str,
    replies: dict[str, str],
    samples: int = 1,
    system: str | None = "Think.",
) -> list[Reference]:
    """References of a structured teacher to questions with these replies."""
    honesty = Honesty(
        samples=3, temperature=0.7, threshold=0.6, none_of_the_above=True, sure_question="?", sure="y", unsure="n"
    )
    opened = open_kind(KindUse(name=kind, honesty=honesty))
    for question, reply in replies.items():
        server.said[opened.target_messages(question, None)[-1].content] = reply
    settings = Teaching(
        system=system,
        max_new_tokens=9,
        batch_size=4 * samples,
        samples=samples,
        agreeing=samples,
        temperature=0.7,
        solvable=None,
    )
    output = folder / "references.jsonl"
    engine = engine_of(server, calls_folder(output), Decoding(9, 0.7 if samples > 1 else 0.0))
    questions = [(f"id {n}", question) for n, question in enumerate(replies)]
    answer_by_teacher(output, questions, Teacher("l", engine, engine, opened, settings, 1.0, True), (0, "iter1"))
    return read_records(output, Reference)


def item(n: int) -> str:
    return f"Which is red, {n}?\nA. Venus\nB. Mars"


def test_a_structured_teacher_says_whether_a_question_is_valid_and_which_option_is_right(
    server: EndpointServer, tmp_path: Path
) -> None:
    replies = [
        CHECKED,
        CHECKED.replace("true", "false"),
        CHECKED.replace('"B"', "null"),
        CHECKED.replace('"B"', '"C"'),  # "None of the above", which was added, means that no option is right
        CHECKED.replace('"B"', '"B. Mars"'),
        CHECKED.replace("Mars is near.", "Answer: invalid. No, Answer: A"),  # only the field `answer` counts
        *(reply for reply, _ in MALFORMED),
    ]
    references = referenced(server, tmp_path, "honesty", {item(n): reply for n, reply in enumerate(replies)})
    assert [(r.answer, r.invalid) for r in references] == [
        ("B", None),
        (None, "not answerable"),
        (None, "not answerable"),
        (None, "not answerable"),
        ("B", None),
        ("B", None),
        *((None, f"malformed reply: {what}") for _, what in MALFORMED),
    ]
    assert "secret" not in (tmp_path / "references.jsonl").read_text()
    for body in server.bodies:
        schema = body["response_format"]["json_schema"]
        assert (body["response_format"]["type"], schema["strict"]) == ("json_schema", True)
        assert schema["schema"]["additionalProperties"] is False
        assert (
            set(schema["schema"]["required"]) == set(schema["schema"]["properties"]) == {"reasoning", "valid", "option"}
        )
        assert body["messages"][0]["content"].startswith("Think.\n\nReply with one JSON object")


def test_a_structured_teacher_solves_a_problem(server: EndpointServer, tmp_path: Path) -> None:
    replies = {
        "two ?": '{"solution": "1 + 1 = 2", "answer": "2"}',
        "three ?": '{"solution": "It says too little.", "answer": null}',
        "four ?": '{"solution": "#### 5, no: 4", "answer": " 4 "}',
        "five ?": '{"solution": "so 5"}',
    }
    references = referenced(server, tmp_path, "math", replies, system=None)
    assert [(r.answer, r.solution, r.invalid) for r in references] == [
        ("2", "1 + 1 = 2\n#### 2", None),
        (None, None, "not answerable"),
        ("4", "5, no: 4\n#### 4", None),
        (None, None, "malformed reply: missing"),
    ]
    [voted] = referenced(server, tmp_path / "vote", "math", {"two ?": replies["two ?"]}, samples=3)
    assert voted.answer == "2"


def test_a_truncated_structured_reply_is_invalid(server: EndpointServer, tmp_path: Path) -> None:
    [reference] = referenced(server, tmp_path, "math", {"99 is cut": '{"solution": "1 + '})
    assert (reference.answer, reference.invalid) == (None, "response truncated")


@pytest.fixture(scope="module")
def vllm(tmp_path_factory: pytest.TempPathFactory, vllm_python: str) -> Iterator[int]:
    """The port of vLLM's own server with a tiny random model."""
    torch = pytest.importorskip("torch")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("models") / "tiny"
    letters = ["<pad>", "<eos>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    of_bytes = Tokenizer(models.BPE({letter: n for n, letter in enumerate(letters)}, []))
    of_bytes.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    of_bytes.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=of_bytes, eos_token="<eos>", pad_token="<pad>")
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }}\n{% endfor %}"
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(letters), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
        initializer_range=0.3, max_position_embeddings=256, eos_token_id=1, pad_token_id=0, bos_token_id=None,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["--model", str(folder), "--served-model-name", "some-model", "--host", "127.0.0.1", "--port", str(port)]
    words += ["--api-key", KEY, "--dtype", "float32", "--enforce-eager", "--max-model-len", "128"]
    variables = {"VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    log = tmp_path_factory.mktemp("vllm") / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [vllm_python, "-m", "vllm.entrypoints.openai.api_server", *words],
            env={**os.environ, **variables},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        end = time.monotonic() + 600
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, log.read_text()[-2000:]
                assert time.monotonic() < end, log.read_text()[-2000:]
                time.sleep(1)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.mark.models
def test_a_real_server_behind_faults_answers_everything_once_and_the_same(vllm: int, tmp_path: Path) -> None:
    questions = [f"what is {n} plus {n % 7} ?" for n in range(60)]
    plain = OpenAIEngine(endpoint(f"http://127.0.0.1:{vllm}/v1"), Limits(), Decoding(12), tmp_path / "plain")
    expected = plain.generate(requests_of(*questions), 1, 0)
    assert len({one.text for [one] in expected}) > 10
    with EndpointServer(upstream=vllm, faults=FAULTS, every=5, slow=4.0).running() as proxy:
        engine = engine_of(proxy, tmp_path / "calls", Decoding(12), timeout=3.0)
        answered = engine.generate(requests_of(*questions), 1, 0)
        assert answered == expected
        usage = read_usage(tmp_path / "calls")
        assert (usage.tries, usage.answered) == (72, 60)
        assert answer_counts(tmp_path / "calls") == dict.fromkeys(answer_counts(tmp_path / "calls"), 1)
        assert proxy.answered == dict.fromkeys(questions, 1)
        assert usage.tokens_out == sum(one.tokens for [one] in answered)
    drawing = OpenAIEngine(endpoint(f"http://127.0.0.1:{vllm}/v1"), Limits(), Decoding(6, 1.0), tmp_path / "drawn")
    several = drawing.generate(requests_of(*questions[:4]), 5, 2**63)
    assert [len(row) for row in several] == [5] * 4
    assert len({one.text for row in several for one in row}) > 4


@pytest.mark.models
def test_a_real_server_holds_replies_to_a_schema(vllm: int, tmp_path: Path) -> None:
    """The model is random, so without the schema hardly any of its replies would begin as JSON."""
    schema = {
        "type": "object",
        "properties": {"valid": {"type": "boolean"}},
        "required": ["valid"],
        "additionalProperties": False,
    }
    requests = [Request(messages=request.messages, schema=schema) for request in requests_of(*QUESTIONS[:6])]
    engine = OpenAIEngine(endpoint(f"http://127.0.0.1:{vllm}/v1"), Limits(), Decoding(40), tmp_path)
    for [one] in engine.generate(requests, 1, 0):
        assert re.match(r'\{\s*("valid"|$)', one.text)
        if one.finished:
            assert set(json.loads(one.text)) == {"valid"}
