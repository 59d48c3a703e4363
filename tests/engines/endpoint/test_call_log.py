"""No answer of an endpoint is lost, however its process ends, and the cost of all answers can be added up."""

import json
from pathlib import Path

import pytest
from tests.support.usage import Usage, read_usage

from reversegen.core.files import alone
from reversegen.engines.base import Generated
from reversegen.engines.endpoint.call_log import Calls, calls_folder
from reversegen.engines.endpoint.calls import Call, EarlierAnswer
from reversegen.engines.endpoint.replies import Reading, generated


def call(key: str, *texts: str, batch: bool = False) -> Call:
    answers = [EarlierAnswer(text=text, tokens=2, finished=True) for text in texts]
    return Call(key=key, status=200, tokens_in=7, tokens_out=2 * len(texts), batch=batch, answers=answers)


def failed(key: str, status: int | None) -> Call:
    return Call(key=key, status=status, tokens_in=0, tokens_out=0, batch=False, answers=None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return calls_folder(tmp_path / "responses.jsonl")


def test_the_calls_of_a_file_lie_beside_it(tmp_path: Path) -> None:
    assert calls_folder(tmp_path / "responses.jsonl") == tmp_path / "responses.jsonl.calls"


def test_a_later_process_finds_the_answers_of_every_process_and_no_error(folder: Path) -> None:
    one, other = Calls(folder), Calls(folder)
    one.add(call("a", "first", "ü\n\u2028"))
    other.add(call("b", "second"))
    one.add(failed("c", 500))
    one.add(call("d"))
    assert sorted(path.name for path in folder.iterdir()) == ["000.jsonl", "001.jsonl"]
    later = Calls(folder)
    assert later.find("a") == [Generated("first", 2, True), Generated("ü\n\u2028", 2, True)]
    assert later.find("b") == [Generated("second", 2, True)]
    assert (later.find("c"), later.find("d"), later.find("e")) == (None, [], None)
    assert one.find("a") is None  # its caller has this answer
    one.add(call("f", "late"), remember=True)
    assert one.find("f") == [Generated("late", 2, True)]


@pytest.mark.parametrize("cut", [1, 30, 80])
def test_a_last_line_that_was_torn_is_not_read_and_what_follows_goes_elsewhere(folder: Path, cut: int) -> None:
    calls = Calls(folder)
    calls.add(call("a", "whole"))
    calls.add(call("b", "torn"))
    [path] = folder.iterdir()
    path.write_bytes(path.read_bytes()[:-cut])
    later = Calls(folder)
    assert later.find("a") == [Generated("whole", 2, True)]
    assert later.find("b") is None
    later.add(call("b", "again"))
    last = Calls(folder)
    assert (last.find("a"), last.find("b")) == ([Generated("whole", 2, True)], [Generated("again", 2, True)])


def test_a_line_that_is_no_call_is_left_out_and_its_text_is_not_logged(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder.mkdir()
    lines = ["{", json.dumps({"key": "a secret"}), call("a", "good").model_dump_json()]
    (folder / "000.jsonl").write_text("\n".join(lines) + "\n")
    assert Calls(folder).find("a") == [Generated("good", 2, True)]
    assert "000.jsonl, byte 2: not a call" in caplog.text
    assert "secret" not in caplog.text


def test_usage_counts_every_try_and_separates_batches(folder: Path) -> None:
    assert read_usage(folder) == Usage()
    one, other = Calls(folder), Calls(folder)
    for kept in (failed("a", 429), failed("a", None), call("a", "x", "y")):
        one.add(kept)
    other.add(call("b", "z", batch=True))
    usage = read_usage(folder)
    assert usage == Usage(tries=4, answered=2, tokens_in=7, tokens_out=4, batch_tokens_in=7, batch_tokens_out=2)
    assert usage.retries == 2


def test_another_number_of_shards_finds_what_was_kept_and_writes_to_its_own_folder(tmp_path: Path) -> None:
    def shard(name: str) -> Path:
        return calls_folder(tmp_path / f"{name}.jsonl")

    for name, key in (("responses.1-of-3", "a"), ("responses.3-of-3", "b"), ("responses", "c")):
        Calls(shard(name)).add(call(key, key))
    others = ("responses_more", "more_responses", "responses.more", "references.1-of-3")
    for name in others:
        Calls(shard(name)).add(call("other", name))
    for name in ("responses.2-of-2", "responses"):
        later = Calls(shard(name))
        assert [later.find(key) for key in "abc"] == [[Generated(key, 2, True)] for key in "abc"]
        assert later.find("other") is None
    Calls(shard("responses.2-of-2")).add(call("d", "d"))
    assert read_usage(shard("responses.2-of-2")).answered == read_usage(shard("responses.1-of-3")).answered == 1
    assert [path.name for path in shard("responses.2-of-2").iterdir()] == ["000.jsonl"]
    assert Calls(tmp_path / "judge.json.calls").find("a") is None


def test_replies_are_read_when_they_are_found_and_invalid_ones_are_found_too(folder: Path) -> None:
    def reply(key: str, *messages: object) -> Call:
        choices = [{"message": message, "finish_reason": None} for message in messages]
        return Call(key=key, status=200, tokens_in=7, tokens_out=10, batch=False, choices=choices)

    calls = Calls(folder)
    calls.add(reply("a", {"content": "18"}, {"content": [{"type": "text", "text": "17"}]}))
    calls.add(failed("b", 400).model_copy(update={"invalid": "content filter"}))
    calls.add(reply("c", {"content": 7}))  # the form in which an earlier version might have read it
    assert Calls(folder, Reading(6)).find("a", 2) == [Generated("18", 5, True), Generated("17", 5, True)]
    assert Calls(folder, Reading(5)).find("a", 2) == [Generated("18", 5, False), Generated("17", 5, False)]
    assert Calls(folder).find("b", 3) == [Generated("", 0, False, "content filter")] * 3
    assert Calls(folder).find("c") is None
    assert read_usage(folder) == Usage(tries=3, answered=3, tokens_in=14, tokens_out=20)


def test_answers_of_other_processes_are_found_at_the_next_look(tmp_path: Path) -> None:
    one, other = (Calls(calls_folder(tmp_path / f"responses.{n}-of-2.jsonl")) for n in (1, 2))
    one.add(call("a", "x"))
    assert other.find("a") is None
    other.look()
    assert other.find("a") == [Generated("x", 2, True)]


def test_batches_under_way_are_those_of_all_shards(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.jsonl.calls/batch-a.json" for name in ("r.1-of-2", "r.2-of-2", "r", "r_more")]
    for path in paths:
        path.parent.mkdir()
        path.touch()
    assert Calls(tmp_path / "r.3-of-3.jsonl.calls").batches() == sorted(paths[:3])


def test_one_at_a_time_is_alone_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "calls/batch-a.json"
    with alone(path) as first:
        with alone(path) as second:
            assert (first, second) == (True, False)
        with alone(path.with_stem("batch-b")) as other:
            assert other
        with alone(path) as second:
            assert not second
    with alone(path) as later:
        assert later
    assert not list(path.parent.iterdir())


def test_nothing_is_written_before_the_first_call(folder: Path) -> None:
    Calls(folder).find("a")
    assert not folder.exists()
    assert generated(failed("a", None)) == []
