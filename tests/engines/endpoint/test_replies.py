"""Replies in the forms of real servers: each is read, tried again or the fault of one item, and never an empty answer."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.endpoint_server import KEY, EndpointServer
from tests.support.usage import read_usage

from reversegen.config.models import Endpoint, Limits, ModelUse, Thinking
from reversegen.core.errors import BadInput
from reversegen.core.records import Message
from reversegen.engines import open_engine
from reversegen.engines.base import Decoding, Generated, Request
from reversegen.engines.endpoint.call_log import Calls
from reversegen.engines.endpoint.calls import Call, EarlierAnswer
from reversegen.engines.endpoint.faults import Fault, body_fault, status_fault
from reversegen.engines.endpoint.replies import Reading, generated
from reversegen.kinds.answers.reply import read_reply

CASES = [json.loads(line) for line in (Path(__file__).parents[2] / "cases/endpoint_replies.jsonl").open()]
OTHERS = [f"question {n}" for n in range(8)]
GREEDY = Decoding(8)
MODES = pytest.mark.parametrize("mode", ["online", "batch"])


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVERSEGEN_TEST_KEY", KEY)


@pytest.fixture
def server() -> Iterator[EndpointServer]:
    with EndpointServer().running() as running:
        yield running


def endpoint(url: str = "http://127.0.0.1:1/v1", **settings: Any) -> Endpoint:
    return Endpoint(base_url=url, model="some-model", api_key_env="REVERSEGEN_TEST_KEY", **settings)


Ask = Callable[..., list[Generated]]


@pytest.fixture
def ask(server: EndpointServer, tmp_path: Path) -> Ask:
    """Asks each text once and returns the answers."""

    def ask(
        *texts: str,
        n: int = 1,
        decoding: Decoding = GREEDY,
        model: dict[str, Any] | None = None,
        limits: dict[str, Any] | None = None,
        **settings: Any,
    ) -> list[Generated]:
        use = ModelUse(endpoint=endpoint(server.url, **settings), **(model or {}))
        limited = Limits(**{"tries": 2, "poll": 0.02, **(limits or {})})
        engine = open_engine(use, None, decoding, 1, tmp_path / "r.jsonl.calls", limited)
        requests = [Request(messages=[Message(role="user", content=text)]) for text in texts]
        return [one for several in engine.generate(requests, n, 7) for one in several]

    return ask


def invalid(reason: str) -> Generated:
    return Generated("", 0, False, reason)


THOUGHT = invalid("reasoning without an answer")
EXPECTED: list[Generated | str] = [
    THOUGHT,
    THOUGHT,
    *[Generated("#### 18", 5, True)] * 8,
    Generated("<think>\n2*9\n</think>\n\n#### 18", 5, True),
    invalid("content filter"),
    *[Generated("fine", 5, True)] * 4,
    "it refuses max_tokens; in config/models.yaml, set endpoint.max_tokens_field: max_completion_tokens",
    "it refuses temperature, top_p; in config/models.yaml, set endpoint.omit: [temperature] or set endpoint.omit: [top_p]",
    "it refuses seed; in config/models.yaml, set endpoint.omit: [seed]",
    "it refuses n; in config/models.yaml, set endpoint.one_choice: true",
]
"""The result of each row of the cases, or the message that ends the job."""


@MODES
@pytest.mark.parametrize(
    ("row", "expected"), list(zip(CASES, EXPECTED, strict=True)), ids=[row["what"] for row in CASES]
)
def test_each_case(server: EndpointServer, ask: Ask, mode: str, row: dict[str, Any], expected: Generated | str) -> None:
    limits = {"mode": mode}
    if isinstance(expected, str):  # every request is refused
        server.replies[""] = row["replies"]
        with pytest.raises(BadInput, match=re.escape(expected)):
            ask("case", limits=limits)
        return
    server.replies["case"] = row["replies"]
    assert ask(*OTHERS[:2], "case", *OTHERS[2:], limits=limits) == [
        *(Generated(f"{text} is 0", 5, True) for text in OTHERS[:2]),
        expected,
        *(Generated(f"{text} is 0", 5, True) for text in OTHERS[2:]),
    ]
    sent = len(server.asked)
    assert sent == len(OTHERS) + len(row["replies"])
    assert ask("case", *OTHERS)[0] == expected
    assert len(server.asked) == sent  # an invalid item is not asked again either
    if expected.invalid is None:
        assert read_reply(expected.text).text in ("#### 18", "fine")


def reply(message: Any, end: Any = "stop", **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": message, "finish_reason": end}
    return {"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 5}} | more


def read(message: Any, end: Any = "stop", limit: int = 8, thinking: Thinking | None = None) -> Generated:
    choices = json.loads(json.dumps(reply(message, end)["choices"]))
    call = Call(key="k", status=200, tokens_in=7, tokens_out=5, batch=False, choices=choices)
    [one] = generated(call, Reading(limit, thinking))
    return one


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "text", "text": "####"}, {"type": "text", "text": " 18"}], "#### 18"),
        ([{"type": "output_text", "text": "#### 18"}], "#### 18"),
        (["#### ", "18"], "#### 18"),
        ([{"text": "#### 18"}], "#### 18"),
        ([{"type": "text", "text": {"value": "#### 18"}}], "#### 18"),
        ([{"type": "reference", "reference_ids": [3]}, {"type": "text", "text": "#### 18"}], "#### 18"),
        ([{"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": "#### 18"}], "#### 18"),
        ([{"type": "refusal", "refusal": "I cannot"}], "I cannot"),
        (
            [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "9"}]}, {"type": "text", "text": "18"}],
            "<think>\n9\n</think>\n\n18",
        ),
        ([{"type": "thinking", "thinking": "9"}, {"type": "text", "text": "18"}], "<think>\n9\n</think>\n\n18"),
    ],
)
def test_content_in_parts(content: Any, text: str) -> None:
    assert read({"content": content}) == Generated(text, 5, True)


@pytest.mark.parametrize(
    "message",
    [
        {"content": [{"type": "image_url", "image_url": {"url": "x"}}]},
        {"content": [{"type": "text"}]},
        {"content": [{"type": "text", "text": 18}]},
        {"content": [7]},
        {"content": 18},
        {"content": {"text": "18"}},
        None,
        "#### 18",
        ["#### 18"],
    ],
)
def test_a_message_of_another_form_is_asked_again_and_then_invalid(
    server: EndpointServer, ask: Ask, message: Any
) -> None:
    server.replies["case"] = [{"status": 200, "body": reply(message)}]
    assert ask(*OTHERS, "case")[-1] == invalid("an unreadable reply")
    assert [text for text, _ in server.asked].count("case") == 2


@pytest.mark.parametrize(
    ("end", "finished"),
    [
        *(
            (end, True)
            for end in ("stop", "EOS_TOKEN", "completed", "end", "tool_calls", "COMPLETE", "stop_token", "x")
        ),
        *((end, False) for end in ("length", "LENGTH", "max_tokens", "MAX_TOKENS", "model_length", "token_limit")),
        *(
            (end, False)
            for end in ("max_new_tokens", "max_output_tokens", "model_context_window_exceeded", "MaxTokens")
        ),
    ],
)
def test_the_end_of_an_answer(end: str, finished: bool) -> None:
    assert read({"content": "#### 18"}, end) == Generated("#### 18", 5, finished)


@pytest.mark.parametrize("end", [None, "", " "])
def test_without_a_word_for_its_end_an_answer_of_as_many_tokens_as_the_limit_is_truncated(end: str | None) -> None:
    assert [read({"content": "18"}, end, limit).finished for limit in (4, 5, 6, 0)] == [False, False, True, True]


@pytest.mark.parametrize("end", ["content_filter", "SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII"])
def test_a_filtered_answer_is_invalid_whatever_it_holds(end: str) -> None:
    for message in ({"content": "half an ans"}, {"content": ""}, {}, None):
        assert read(message, end) == invalid("content filter")


@MODES
@pytest.mark.parametrize(
    "body",
    [
        reply({"content": "half"}, "error"),
        reply({"content": "half"}, "network_error"),
        reply({"content": None}, "MALFORMED_FUNCTION_CALL"),
        reply({"content": "half"}, "abort"),
        {"choices": [{"index": 0, "error": {"code": 502}, "finish_reason": "stop", "message": {"content": "half"}}]},
        reply({"content": "half"}, error={"message": "upstream"}),
        {"error": "upstream"},
        {"object": "error", "message": "upstream", "code": 50001},
        {"choices": {}},
        {"choices": "none"},
        [],
        None,
        reply({"content": "half"}, 7),
        {"choices": [None]},
    ],
)
def test_an_errored_reply_is_repeated_and_never_kept(server: EndpointServer, ask: Ask, mode: str, body: Any) -> None:
    server.replies["case"] = [{"status": 200, "body": body}, {"status": 200, "body": reply({"content": "fine"})}]
    assert ask(*OTHERS[:2], "case", limits={"mode": mode})[-1] == Generated("fine", 5, True)
    assert len(server.asked) == 4


@pytest.mark.parametrize("n", [1, 3])
def test_an_error_in_the_body_that_stays_is_that_item_s_fault_if_others_are_answered(
    server: EndpointServer, ask: Ask, n: int
) -> None:
    server.delay = 0.05
    server.replies["case"] = [{"status": 200, "body": {"error": {"code": 524, "message": "case"}}}]
    found = ask("case", *[f"question {n}" for n in range(60)], n=n, limits={"concurrency": 2})
    assert found[:n] == [invalid("an error in the reply, 524")] * n
    assert not any(one.invalid for one in found[n:])


def test_a_rate_limit_in_the_body_is_no_item_s_fault(server: EndpointServer, ask: Ask) -> None:
    body = {"error": {"message": "Rate limit reached for requests", "type": "requests", "code": "rate_limit_exceeded"}}
    server.replies["case"] = [{"status": 200, "body": body}]
    with pytest.raises(BadInput, match="an error in the reply, rate_limit_exceeded, after 2 tries of one request"):
        ask(*OTHERS, "case")
    server.replies.clear()
    assert ask("case") == [Generated("case is 0", 5, True)]


@MODES
@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"code": "invalid_api_key", "message": "no"}, r"check that the key in REVERSEGEN_TEST_KEY belongs"),
        ({"code": 401, "message": "no"}, r"check that the key in REVERSEGEN_TEST_KEY belongs"),
        ({"code": "model_not_found", "message": "no"}, r"status 404, model_not_found; it was not asked again"),
        ({"message": "The model `x` does not exist"}, r"status 404; it was not asked again"),
        ({"code": "insufficient_quota", "message": "no"}, r"status 402, insufficient_quota; it was not asked again"),
    ],
)
def test_an_error_of_the_set_up_in_the_body_ends_the_job(
    server: EndpointServer, ask: Ask, mode: str, error: dict[str, Any], words: str
) -> None:
    server.replies[""] = [{"status": 200, "body": {"error": error}}]
    with pytest.raises(BadInput, match=words):
        ask("case", limits={"mode": mode})
    assert len(server.asked) == 1


SECRET = "and a secret"
ITEM = [
    (400, {"error": {"code": "content_filter", "message": SECRET}}, "content filter"),
    (400, {"error": {"code": "content_policy_violation", "message": SECRET}}, "content filter"),
    (400, {"error": {"innererror": {"code": "ResponsibleAIPolicyViolation"}, "message": SECRET}}, "content filter"),
    (400, {"error": {"message": "Content Exists Risk", "type": "invalid_request_error"}}, "content filter"),
    (400, {"error": {"code": "data_inspection_failed", "message": SECRET}}, "content filter"),
    (403, {"error": {"code": 403, "message": "your input was flagged", "metadata": {}}}, "content filter"),
    (451, SECRET, "content filter"),
    (400, {"error": {"code": "context_length_exceeded", "message": SECRET}}, "prompt too long"),
    (400, {"message": f"This model's maximum context length is 9 tokens. {SECRET}", "code": 400}, "prompt too long"),
    (400, {"error": {"message": "'max_tokens' is too large: 9. This model's maximum context length is 8 tokens"}},
     "prompt too long"),
    (400, {"error": {"type": "exceed_context_size_error", "message": "the request exceeds the available context size"}},
     "prompt too long"),
    (500, {"error": {"code": 500, "message": "the request exceeds the available context size"}}, "prompt too long"),
    (422, {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000"},
     "prompt too long"),
    (413, SECRET, "prompt too long"),
    (429, {"error": {"message": "Request too large for gpt: limit 9", "code": "rate_limit_exceeded"}},
     "prompt too long"),
    (422, {"detail": [{"type": "value_error", "loc": ["body", "messages", 0, "content"], "msg": SECRET}]},
     "status 422, value_error"),
    (422, {"detail": SECRET}, "status 422"),
    (400, {"error": {"message": SECRET, "code": SECRET, "type": None}}, "status 400"),
    (400, SECRET, "status 400"),
]  # fmt: skip


@MODES
@pytest.mark.parametrize(("status", "body", "reason"), ITEM)
def test_the_fault_of_one_item_makes_that_item_invalid(
    server: EndpointServer,
    ask: Ask,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    mode: str,
    status: int,
    body: Any,
    reason: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    server.replies["case"] = [{"status": status, "body": body}]
    assert ask("case", *OTHERS, limits={"mode": mode}) == [
        invalid(reason),
        *(Generated(f"{text} is 0", 5, True) for text in OTHERS),
    ]
    assert ask("case", *OTHERS)[0] == invalid(reason)
    assert len(server.asked) == 1 + len(OTHERS)
    usage = read_usage(tmp_path / "r.jsonl.calls")
    assert (usage.tries, usage.answered, usage.retries) == (9, 9, 0)
    assert "secret" not in caplog.text
    for path in (tmp_path / "r.jsonl.calls").iterdir():
        assert "secret" not in path.read_text()


@MODES
def test_refusals_of_all_first_requests_are_the_fault_of_the_set_up(
    server: EndpointServer, ask: Ask, tmp_path: Path, mode: str
) -> None:
    server.replies[""] = [{"status": 422, "body": {"detail": SECRET}}]
    with pytest.raises(BadInput, match="status 422; it was not asked again: none of the first 5 requests was answered"):
        ask(*OTHERS, limits={"mode": mode})
    server.replies.clear()
    sent = len(server.asked)
    found = ask(*OTHERS)  # no request was closed
    assert found == [Generated(f"{text} is 0", 5, True) for text in OTHERS]
    assert len(server.asked) == sent + len(OTHERS)
    usage = read_usage(tmp_path / "r.jsonl.calls")
    assert (usage.tries, usage.answered) == (sent + len(OTHERS), len(OTHERS))


@MODES
def test_fewer_refusals_than_that_are_their_items_fault(server: EndpointServer, ask: Ask, mode: str) -> None:
    server.replies[""] = [{"status": 422, "body": {"detail": SECRET}}]
    start = time.monotonic()
    assert ask(*OTHERS[:4], limits={"mode": mode}) == [invalid("status 422")] * 4
    assert time.monotonic() - start < 5


@MODES
def test_refused_choices_of_one_item_count_once(server: EndpointServer, ask: Ask, mode: str) -> None:
    """Otherwise the first item of a vote would end the job."""
    server.replies["case"] = [{"status": 400, "body": SECRET}]
    limits = {"mode": mode, "concurrency": 1}
    found = ask("case", *OTHERS, n=10, decoding=Decoding(8, 0.7), one_choice=True, limits=limits)
    assert found[:10] == [invalid("status 400")] * 10
    assert not any(one.invalid for one in found[10:])


def test_refusals_wait_for_the_first_answer_before_they_are_decided(server: EndpointServer, ask: Ask) -> None:
    """Requests are sent one at a time, and the answer comes last."""
    server.replies.update({text: [{"status": 400, "body": SECRET}] for text in OTHERS[:4]})
    found = ask(*OTHERS[:5], limits={"concurrency": 1})
    assert found == [invalid("status 400")] * 4 + [Generated(f"{OTHERS[4]} is 0", 5, True)]


def test_many_filtered_prompts_are_no_fault_of_the_set_up(server: EndpointServer, ask: Ask) -> None:
    server.replies[""] = [{"status": 400, "body": {"error": {"code": "content_filter"}}}]
    assert ask(*OTHERS) == [invalid("content filter")] * 8


@pytest.mark.parametrize(
    ("refused", "settings", "decoding", "n"),
    [
        ("max_tokens", {"max_tokens_field": "max_completion_tokens"}, Decoding(8), 1),
        ("max_completion_tokens", {"max_tokens_field": "max_tokens"}, Decoding(8), 1),
        ("temperature", {"omit": ["temperature"]}, Decoding(8), 1),
        ("top_p", {"omit": ["top_p"]}, Decoding(8, 0.7, 0.9), 3),
        ("seed", {"omit": ["seed"]}, Decoding(8, 0.7), 3),
        ("n", {"one_choice": True}, Decoding(8, 0.7), 3),
    ],
)
def test_the_setting_that_a_message_names_makes_the_endpoint_usable(
    server: EndpointServer, ask: Ask, refused: str, settings: dict[str, Any], decoding: Decoding, n: int
) -> None:
    """Each message has four forms: `param`, FastAPI's `loc`, plain text, and the body of a status 200."""
    forms = [
        (400, {"error": {"param": refused, "code": "unsupported_parameter", "message": "no"}}),
        (422, {"detail": [{"type": "extra_forbidden", "loc": ["body", refused], "msg": "no"}]}),
        (400, {"message": f"Unrecognized request argument: '{refused}'"}),
        (200, {"error": {"param": refused, "code": 400, "message": "no"}}),
    ]
    other = {"max_tokens_field": "max_completion_tokens"} if refused == "max_completion_tokens" else {}
    for form in forms:
        server.refuse = lambda body, form=form: form if refused in body else None  # type: ignore[misc]
        with pytest.raises(BadInput, match=f"it refuses {refused}; in config/models.yaml, set endpoint") as ended:
            ask(*OTHERS, n=n, decoding=decoding, **other)
        [name] = settings
        assert f"endpoint.{name}: " in str(ended.value)
        assert len(server.asked) <= 16
        server.asked.clear()
    texts = [one.text for one in ask(*OTHERS, n=n, decoding=decoding, **settings)]
    numbers = [0] * n if "one_choice" in settings else range(n)
    assert texts == [f"{text} is {number}" for text in OTHERS for number in numbers]


def test_structured_replies_are_named_too(server: EndpointServer, tmp_path: Path) -> None:
    error = {"error": {"message": "'response_format.type' must be text", "param": None}}
    server.refuse = lambda body: (400, error) if "response_format" in body else None
    use = ModelUse(endpoint=endpoint(server.url, structured=True))
    engine = open_engine(use, None, Decoding(8), 1, tmp_path, Limits())
    request = Request(messages=[Message(role="user", content="case")], schema={"type": "object"})
    with pytest.raises(
        BadInput, match=r"refuses response_format; in config/models.yaml, set endpoint.structured: false"
    ):
        engine.generate([request], 1, 0)


def test_a_mention_of_a_field_counts_only_while_nothing_was_answered(server: EndpointServer, ask: Ask) -> None:
    server.replies["case"] = [{"status": 400, "body": {"error": {"message": "What is the temperature of the sun?"}}}]
    assert len(ask(*OTHERS)) == 8
    server.asked.clear()
    assert ask("another", "case", limits={"concurrency": 1})[1] == invalid("status 400")


@MODES
def test_choices_of_their_own_requests_are_kept_and_repeated_apart(
    server: EndpointServer, ask: Ask, tmp_path: Path, mode: str
) -> None:
    drawn = Decoding(8, 0.7)
    assert ask("a", "b", n=3, decoding=drawn, one_choice=True, limits={"mode": mode}) == [
        Generated(f"{text} is 0", 5, True) for text in "aaabbb"
    ]
    assert len({body["seed"] for body in server.bodies}) == 3
    assert not any("n" in body for body in server.bodies)
    assert read_usage(tmp_path / "r.jsonl.calls").answered == 6
    ask("a", "b", n=4, decoding=drawn, one_choice=True, limits={"mode": mode})
    assert len(server.asked) == 8  # the fourth choice of each request
    assert len(ask("a", n=3, one_choice=True)) == 3  # greedy: both draws are the same
    assert len(server.asked) == 9


def test_one_choice_that_is_refused_leaves_the_others(server: EndpointServer, ask: Ask) -> None:
    seeds: list[int] = []

    def refuse(body: dict[str, Any]) -> tuple[int, Any] | None:
        seeds.append(body["seed"])
        return (400, {"error": {"code": "content_filter"}}) if len(seeds) == 2 else None

    server.refuse = refuse
    found = ask("a", n=3, decoding=Decoding(8, 0.7), one_choice=True, limits={"concurrency": 1})
    assert found == [Generated("a is 0", 5, True), invalid("content filter"), Generated("a is 0", 5, True)]


def test_draws_without_a_seed_are_as_many_as_were_asked_for(server: EndpointServer, ask: Ask) -> None:
    drawn = {"n": 3, "decoding": Decoding(8, 0.7), "omit": ["seed"], "one_choice": True}
    for _ in range(2):
        assert len(ask("a", **drawn)) == 3
    assert len(server.asked) == 3


def test_extra_fields_and_arguments_of_the_template_are_in_each_request(server: EndpointServer, ask: Ask) -> None:
    extra = {"reasoning_effort": "low", "chat_template_kwargs": {"a": [1, {"b": None}], "enable_thinking": True}}
    model = {
        "chat_template_kwargs": {"enable_thinking": False},
        "thinking": {"enabled": True, "max_tokens": 100},
    }
    ask("a", extra_body=extra, model=model)
    [body] = server.bodies
    assert body["reasoning_effort"] == "low"
    assert body["chat_template_kwargs"] == {"a": [1, {"b": None}], "enable_thinking": False}
    assert body["max_tokens"] == 108
    ask("a", model={"thinking": {"enabled": False, "max_tokens": 100}})
    assert server.bodies[1]["max_tokens"] == 8
    assert set(server.bodies[1]) == {"model", "messages", "max_tokens", "temperature", "top_p", "n"}


def test_settings_that_decide_an_answer_are_part_of_the_identity(server: EndpointServer, tmp_path: Path) -> None:
    def identity(model: dict[str, Any], **settings: Any) -> str:
        use = ModelUse(endpoint=endpoint(server.url, **settings), **model)
        return open_engine(use, None, Decoding(8), 1, tmp_path, Limits()).identity

    plain = identity({})
    others: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {"omit": ["seed"]}),
        ({}, {"one_choice": True}),
        ({}, {"extra_body": {"top_k": 1}}),
        ({}, {"max_tokens_field": "max_completion_tokens"}),
        ({"thinking": {"enabled": True}}, {}),
        ({"chat_template_kwargs": {"enable_thinking": True}}, {}),
    ]
    assert len({plain, *(identity(model, **settings) for model, settings in others)}) == 7
    assert identity({}, structured=True, allow_http=True) == plain


THINKS = Thinking(enabled=True)
ANSWERS = Thinking(enabled=False)
HARMONY = Thinking(enabled=True, start="<|channel|>analysis<|message|>", end="<|channel|>final<|message|>")


@pytest.mark.parametrize(
    ("message", "end", "thinking", "text", "answer", "why"),
    [
        ({"content": "18", "reasoning_content": "9"}, "stop", None, "<think>\n9\n</think>\n\n18", "18", None),
        ({"content": "18", "reasoning": "9"}, "stop", THINKS, "<think>\n9\n</think>\n\n18", "18", None),
        ({"content": "18", "reasoning": "9</think>7"}, "stop", None, "<think>\n97\n</think>\n\n18", "18", None),
        ({"content": "", "reasoning": "a </think> b"}, "length", None, "<think>\na  b", "",
         "response ends inside its thought"),
        ({"content": None, "reasoning_content": "9"}, "length", THINKS, "<think>\n9", "",
         "response ends inside its thought"),
        ({"content": None, "reasoning_content": "18"}, "stop", ANSWERS, "18", "18", None),
        ({"content": None, "reasoning": "18"}, "length", ANSWERS, "18", "18", None),
        ({"content": "\n", "reasoning": "18"}, "stop", ANSWERS, "18", "18", None),
        ({"content": "18", "reasoning": {"a": 1}, "reasoning_content": ""}, "stop", None, "18", "18", None),
        ({"content": f"{HARMONY.start}9{HARMONY.end}18"}, "stop", HARMONY, "<think>9</think>18", "18", None),
        ({"content": f"9{HARMONY.end}18"}, "stop", HARMONY, "9</think>18", "18", None),
        ({"content": f"{HARMONY.start}9"}, "length", HARMONY, "<think>9", "", "response ends inside its thought"),
        ({"content": "<think>9</think>18"}, "stop", None, "<think>9</think>18", "18", None),
        ({"content": "9, so #### 9"}, "length", THINKS, "<think>\n9, so #### 9", "", "response ends inside its thought"),
        ({"content": "#### 9"}, "length", ANSWERS, "#### 9", "#### 9", None),
        ({"content": "#### 9", "reasoning": "9"}, "length", THINKS, "<think>\n9\n</think>\n\n#### 9", "#### 9", None),
    ],
)  # fmt: skip
def test_a_thought_is_written_in_one_form(
    message: dict[str, Any], end: str, thinking: Thinking | None, text: str, answer: str, why: str | None
) -> None:
    one = read(message, end, thinking=thinking)
    assert one == Generated(text, 5, end == "stop")
    assert (read_reply(one.text, one.finished).text, read_reply(one.text, one.finished).invalid) == (answer, why)


@pytest.mark.parametrize(
    "message", [{"content": "<think>9</think>"}, {"content": "9</think>\n"}, {"content": None, "reasoning": "9"}]
)
def test_a_thought_alone_is_no_answer(message: dict[str, Any]) -> None:
    assert read(message, "stop") == THOUGHT


def test_an_empty_answer_that_the_limit_cut_is_truncated() -> None:
    assert read({"content": ""}, "length") == Generated("", 5, False)


def test_a_later_setting_reads_kept_replies_again_without_asking(server: EndpointServer, ask: Ask) -> None:
    server.replies["case"] = CASES[0]["replies"]
    assert ask("case") == [THOUGHT]
    assert ask("case", model={"thinking": {"enabled": False}}) == [Generated("2*9=18. #### 18", 5, True)]
    assert len(server.asked) == 1


def test_the_reply_is_kept_with_every_field(server: EndpointServer, ask: Ask, tmp_path: Path) -> None:
    body = CASES[10]["replies"][0]["body"] | {"unknown": 1}
    body["choices"][0] |= {"logprobs": None, "message": body["choices"][0]["message"] | {"refusal": None, "audio": "x"}}
    server.replies["case"] = [{"status": 200, "body": body}]
    ask("case")
    [path] = (tmp_path / "r.jsonl.calls").iterdir()
    [call] = map(json.loads, path.read_text().splitlines())
    assert call["choices"] == body["choices"]
    assert (call["status"], call["tokens_in"], call["tokens_out"], call["invalid"]) == (200, 7, 5, None)


@pytest.mark.parametrize("text", ["half a pair: \ud83d", "\ud83d\ude00 and \udc00", "\x00"])
def test_a_text_that_is_no_text_comes_back_from_the_file(server: EndpointServer, ask: Ask, text: str) -> None:
    server.replies["case"] = [{"status": 200, "body": reply({"content": text})}]
    [first] = ask("case")
    assert ask("case") == [first]
    assert len(server.asked) == 1
    assert first.text.encode()


def test_a_reply_without_end_is_unreadable(server: EndpointServer, ask: Ask) -> None:
    deep: Any = "18"
    for _ in range(400):
        deep = [deep]
    server.replies["case"] = [{"status": 200, "body": reply({"content": deep})}]
    assert ask(*OTHERS, "case")[-1] == invalid("an unreadable reply")


EARLIER = (
    ("a", {"text": "#### 18", "tokens": 5, "finished": False}, Generated("#### 18", 5, True)),
    ("b", {"text": "#### 18", "tokens": 8, "finished": False}, Generated("#### 18", 8, False)),
    ("c", {"text": "#### 18", "tokens": 0, "finished": False}, Generated("#### 18", 0, False)),
    ("d", {"text": "#### 18", "tokens": 8, "finished": True}, Generated("#### 18", 8, True)),
    ("e", {"text": "", "tokens": 5, "finished": True}, Generated("e is 0", 5, True)),
    ("f", {"text": " \n", "tokens": 5, "finished": False}, Generated("f is 0", 5, True)),
)


def test_answers_of_an_earlier_version_are_found_and_empty_ones_asked_again(
    server: EndpointServer, ask: Ask, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    folder = tmp_path / "r.jsonl.calls"
    folder.mkdir()
    rows = []
    for text, answer, _ in EARLIER:
        content = (
            f'{{"model": "some-model", "messages": [{{"role": "user", "content": "{text}"}}], "max_tokens": 8, '
            '"temperature": 0.0, "top_p": 1.0, "n": 1}'
        )
        key = hashlib.sha256(json.dumps([server.url, content]).encode()).hexdigest()[:16]
        row = {"key": key, "status": 200, "tokens_in": 7, "tokens_out": 5, "batch": False, "answers": [answer]}
        rows.append(json.dumps(row) + "\n")
    (folder / "000.jsonl").write_text("".join(rows))
    assert ask(*(text for text, _, _ in EARLIER)) == [found for _, _, found in EARLIER]
    assert sorted(text for text, _ in server.asked) == ["e", "f"]
    assert f"{folder}: 4 answers are kept from earlier runs" in caplog.text
    assert f"{folder}: 2 requests are asked again: an earlier version kept only empty answers" in caplog.text
    caplog.clear()
    assert Calls(folder).look() == 0


def test_the_choices_of_an_earlier_version_are_judged_one_by_one() -> None:
    answers = [EarlierAnswer(text="18", tokens=5, finished=finished) for finished in (True, False)]
    call = Call(key="k", status=200, tokens_in=1, tokens_out=10, batch=False, answers=answers)
    assert [one.finished for one in generated(call, Reading(6))] == [True, True]
    assert [one.finished for one in generated(call, Reading(5))] == [True, False]


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ({"data": [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached", "line": None}]},
         "failed before it began: token_limit_exceeded (Enqueued token limit reached)"),
        ({"data": [{"code": "invalid_json_line", "message": SECRET, "line": 3}, {"code": "invalid_json_line"}]},
         "failed before it began: invalid_json_line (line 3)"),
        ({"data": [{"code": SECRET, "message": SECRET}]}, "see the endpoint's own page for the reason"),
        (None, "see the endpoint's own page for the reason"),
        ([{"code": "model_not_found", "line": 1}, {"code": "x", "message": SECRET * 20}],
         "failed before it began: model_not_found (line 1), x"),
    ],
)  # fmt: skip
def test_a_batch_that_fails_reports_its_codes(server: EndpointServer, ask: Ask, errors: Any, words: str) -> None:
    server.failed_batch = {"errors": errors}
    with pytest.raises(BadInput, match=re.escape(words)) as ended:
        ask("a", "b", limits={"mode": "batch"})
    assert "secret" not in str(ended.value)


def test_an_error_of_a_line_of_a_batch_is_read(server: EndpointServer, ask: Ask) -> None:
    server.batch_errors["case"] = {"code": "content_filter", "message": SECRET}
    assert ask(*OTHERS, "case", limits={"mode": "batch"})[-1] == invalid("content filter")


def test_a_server_s_own_error_for_one_item_is_that_item_s_while_it_answers_others(
    server: EndpointServer, ask: Ask
) -> None:
    server.delay = 0.05
    server.replies["case"] = [{"status": 500, "body": {"error": SECRET}}]
    found = ask("case", *[f"question {n}" for n in range(60)], limits={"concurrency": 2})
    assert found[0] == invalid("status 500")
    server.replies["case"] = [{"status": 503, "body": {"error": SECRET}}]
    with pytest.raises(BadInput, match="status 503, after 2 tries of one request"):
        ask(*[f"more {n}" for n in range(60)], "case", decoding=Decoding(9), limits={"concurrency": 2})


@pytest.mark.parametrize("text", ["a" * 100_000, "context " * 12_000, "prompt too " * 9_000, "tokens" * 16_000])
def test_a_long_hostile_error_is_read_at_once(text: str) -> None:
    start = time.monotonic()
    for body in ({"error": {"message": text, "code": text}}, {"detail": [{"loc": [text], "msg": text}] * 20}):
        fault = status_fault(400, json.dumps(body).encode(), endpoint(extra_body={"a_" * 20: 1}))
        assert isinstance(fault, Fault)
        assert len(fault.words) < 400
        body_fault(body, endpoint())
    read({"content": [{"type": "text", "text": text}]}, text)
    assert time.monotonic() - start < 2


KEY_WORDS = "check that the key in REVERSEGEN_TEST_KEY belongs to this endpoint"
MODEL_WORDS = "it refuses model; in config/models.yaml, change endpoint.model"
RAW = "Provider returned error"
WORLD: list[tuple[str, int, Any, str, str]] = [
    # server, status, error; blame, and the reason or the fix
    ("Gemini", 400, [{"error": {"code": 400, "message": "API key expired. Please renew the API key."}}], "setup", KEY_WORDS),
    ("xAI", 400, {"code": "Client", "error": "Incorrect API key provided: xx. You can obtain one"}, "setup", KEY_WORDS),
    ("an echo", 400, {"error": {"message": "cannot read: my API key expired"}}, "unclear", "status 400"),
    ("LiteLLM", 400, {"error": {"message": "Budget has been exceeded! Current cost: 2", "type": "budget_exceeded"}}, "setup",
     "status 400, budget_exceeded"),
    ("Groq", 400, {"error": {"message": "Organization", "code": "organization_restricted"}}, "setup",
     "status 400, organization_restricted"),
    ("DashScope", 400, {"error": {"message": "Access denied", "code": "Arrearage"}}, "setup", "status 400, Arrearage"),
    ("Groq", 400, {"error": {"message": "no longer", "code": "model_decommissioned"}}, "setup", MODEL_WORDS),
    ("Together", 400, {"error": {"message": "Unable to access model x", "code": "model_not_available"}}, "setup",
     MODEL_WORDS),
    ("OpenRouter", 400, {"error": {"message": "a/b is not a valid model ID", "code": 400}}, "unclear", MODEL_WORDS),
    ("FastAPI", 404, {"detail": "Not Found"}, "setup", "endpoint.base_url its address up to the version"),
    ("LM Studio", 200, {"error": "Unexpected endpoint or method. (POST /chat/completions)"}, "setup", "endpoint.base_url"),
    ("Mistral", 422, {"object": "error", "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"]}]}},
     "setup", "set endpoint.omit: [seed]"),
    ("OpenRouter", 400, {"error": {"message": RAW, "code": 400, "metadata": {
        "raw": '{"error": {"message": "no", "param": "max_tokens", "code": "unsupported_parameter"}}'}}},
     "setup", "it refuses max_tokens"),
    ("OpenRouter", 400, {"error": {"message": RAW, "metadata": {"raw": '{"error": {"code": "content_filter"}}'}}},
     "item", "content filter"),
    ("OpenRouter", 400, {"error": {"message": RAW, "metadata": {"raw": "maximum context length is 9 tokens"}}},
     "item", "prompt too long"),
    ("OpenRouter", 400, {"error": {"message": RAW, "metadata": {"raw": "[" * 9000}}}, "unclear", "status 400"),
    ("llama.cpp", 400, {"error": {"message": "Only one completion choice is allowed"}}, "unclear", "endpoint.one_choice"),
    ("Gemini", 400, [{"error": {"code": 400, "message": "The input token count (12) exceeds the maximum number"}}],
     "item", "prompt too long"),
    ("Anthropic", 400, {"error": {"message": "input length and `max_tokens` exceed context limit: 9 + 9 > 10"}},
     "item", "prompt too long"),
    ("LiteLLM", 400, {"error": {"message": "litellm.ContextWindowExceededError: x"}}, "item", "prompt too long"),
    ("Moonshot", 400, {"error": {"message": "Your request exceeded model token limit: 8"}}, "item", "prompt too long"),
    ("DashScope", 400, {"error": {"message": "Range of input length should be [1, 8]"}}, "item", "prompt too long"),
    ("OpenAI", 400, {"error": {"message": "We've limited access to this content for safety reasons."}},
     "item", "content filter"),
    ("OpenAI", 400, {"error": {"message": "x", "code": "invalid_prompt"}}, "item", "content filter"),
    ("LiteLLM", 400, {"error": {"message": "litellm.ContentPolicyViolationError: x"}}, "item", "content filter"),
    ("MiniMax", 422, {"error": {"message": "input new_sensitive (1026)"}}, "item", "content filter"),
    ("Databricks", 400, {"error_code": "BAD_REQUEST", "message": "input_guardrail_triggered"}, "item", "content filter"),
    ("OpenAI", 400, {"error": {"message": "Could not finish the message because max_tokens was reached."}},
     "item", "no answer within max_new_tokens"),
    ("TGI", 424, {"error": "Request failed during generation", "error_type": "generation"}, "again", "status 424"),
    ("Groq", 498, {"error": {"message": "capacity exceeded"}}, "again", "status 498"),
]  # fmt: skip


@pytest.mark.parametrize(("who", "status", "body", "blame", "words"), WORLD)
def test_the_refusals_of_real_servers(who: str, status: int, body: Any, blame: str, words: str) -> None:
    mine = endpoint()
    fault = body_fault(body, mine) if status == 200 else status_fault(status, json.dumps(body).encode(), mine)
    assert (who, fault.blame) == (who, blame)
    assert words in f"{fault.reason}: {fault.advice}"


def test_a_generation_that_fails_on_each_try_is_that_item_s_while_others_are_answered(
    server: EndpointServer, ask: Ask
) -> None:
    server.delay = 0.05
    server.replies["case"] = [{"status": 424, "body": {"error": SECRET, "error_type": "generation"}}]
    found = ask("case", *[f"question {n}" for n in range(60)], limits={"concurrency": 2})
    assert found[0] == invalid("status 424")
    assert not any(one.invalid for one in found[1:])


@pytest.mark.parametrize("count", [True, -1, 2.5, "5", None, [5]])
def test_a_count_of_tokens_that_is_no_number_costs_no_answer(server: EndpointServer, ask: Ask, count: Any) -> None:
    body = reply({"content": "#### 18"}, usage={"prompt_tokens": count, "completion_tokens": count})
    server.replies["case"] = [{"status": 200, "body": body}]
    assert ask("case") == [Generated("#### 18", 0, True)]
    assert len(server.asked) == 1
