"""A resumed run writes the same bytes as an undisturbed one, and answers no finished batch twice."""

import json
import os
from collections.abc import Callable, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.support.kinds import MATH
from tests.support.models import build_model, write_folder
from tests.support.settings import answer_settings

from reversegen.config.models import Endpoint, Limits, ModelUse
from reversegen.config.task import KindUse, Teaching
from reversegen.core.errors import BadInput
from reversegen.core.records import Confidence, Judgement, Prompt, Reference, Response, Sample, read_records
from reversegen.engines.base import Decoding, Generated, Request
from reversegen.engines.openai import OpenAIEngine
from reversegen.engines.transformers import TransformersEngine
from reversegen.judges.judge import Classifier
from reversegen.kinds import open_kind
from reversegen.kinds.answers.reply import read_reply
from reversegen.kinds.honesty import Honesty
from reversegen.kinds.safety import Safety
from reversegen.loop.answering import answer_questions
from reversegen.loop.batches import BatchedFile
from reversegen.loop.confidence import measure_confidence
from reversegen.loop.judging import judge_answers
from reversegen.loop.sampling import sample_instructions
from reversegen.loop.teaching import Teacher, answer_by_teacher
from reversegen.training.pretraining import CHAT_TEMPLATE

ITEMS = [f"item {n}" for n in range(23)]  # five batches of five, the last one short


def row(text: str, number: int = 0) -> Response:
    return Response(instruction_id=text, sample=number, text=f"{text} \u2013 answered", tokens=1, finished=True)


class Killed(Exception):
    """An error in place of the end of the process."""


def answering(asked: list[int], die_at: int | None = None) -> Callable[[int, Sequence[str]], list[Response]]:
    """A function that makes two records for each item, with the batch's number in them, and lists every batch in `asked`."""

    def answer(number: int, batch: Sequence[str]) -> list[Response]:
        if number == die_at:
            raise Killed
        asked.append(number)
        return [row(f"{item} in batch {number}", n) for item in batch for n in range(2)]

    return answer


def test_an_interrupted_run_resumes_with_the_missing_batches_and_writes_the_same_bytes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    undisturbed, output = tmp_path / "undisturbed.jsonl", tmp_path / "output.jsonl"
    first: list[int] = []
    second: list[int] = []
    BatchedFile(undisturbed, Response, "key").write(ITEMS, 5, answering([]))
    with pytest.raises(Killed):
        BatchedFile(output, Response, "key").write(ITEMS, 5, answering(first, die_at=3))
    assert not output.exists()
    assert (tmp_path / "output.jsonl.parts").is_dir()
    seconds = float((tmp_path / "output.jsonl.parts/key/seconds").read_text())
    with caplog.at_level("INFO"):
        BatchedFile(output, Response, "key").write(ITEMS, 5, answering(second))
    assert caplog.messages.count(f"the part that was finished before took {seconds:.1f} s") == 1
    assert (first, second) == ([0, 1, 2], [3, 4])
    assert output.read_bytes() == undisturbed.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["output.jsonl", "undisturbed.jsonl"]
    texts = [r.instruction_id for r in read_records(output, Response)]
    assert texts == [f"{item} in batch {n // 5}" for n, item in enumerate(ITEMS) for _ in range(2)]


@pytest.mark.parametrize("vanished_at", [0, 3, 4])
def test_a_second_writer_that_finishes_first_and_removes_the_parts_does_no_harm(
    tmp_path: Path, vanished_at: int
) -> None:
    """This happens if a cluster starts a job again because it has lost contact with the first one, which is still running."""
    undisturbed, output = tmp_path / "undisturbed.jsonl", tmp_path / "output.jsonl"
    BatchedFile(undisturbed, Response, "key").write(ITEMS, 5, answering([]))
    asked: list[int] = []
    answers, finished = answering(asked), []

    def answer(number: int, batch: Sequence[str]) -> list[Response]:
        if number == vanished_at and not finished:
            finished.append(True)
            BatchedFile(output, Response, "key").write(
                ITEMS, 5, answering([])
            )  # the other writer does all its work here
        return answers(number, batch)

    BatchedFile(output, Response, "key").write(ITEMS, 5, answer)
    assert finished
    assert asked == list(range(vanished_at + 1))  # no batch twice, and none after the other writer's end
    assert output.read_bytes() == undisturbed.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["output.jsonl", "undisturbed.jsonl"]


@pytest.mark.parametrize("hole", [0, 1])
def test_a_missing_batch_is_answered_again_in_its_place(tmp_path: Path, hole: int) -> None:
    output = tmp_path / "output.jsonl"
    asked: list[int] = []
    with pytest.raises(Killed):
        BatchedFile(output, Response, "key").write(ITEMS, 5, answering([], die_at=2))
    (tmp_path / "output.jsonl.parts/key" / f"{hole:06}.jsonl").unlink()
    BatchedFile(output, Response, "key").write(ITEMS, 5, answering(asked))
    assert asked == [hole, 2, 3, 4]
    assert [r.instruction_id for r in read_records(output, Response)][::10] == [
        f"item {5 * n} in batch {n}" for n in range(5)
    ]


def test_batches_of_another_key_are_not_used(tmp_path: Path) -> None:
    output = tmp_path / "output.jsonl"
    asked: list[int] = []
    with pytest.raises(Killed):
        BatchedFile(output, Response, "key").write(ITEMS, 5, answering([], die_at=3))
    BatchedFile(output, Response, "another key").write(ITEMS[:10], 5, answering(asked))
    assert asked == [0, 1]
    assert len(read_records(output, Response)) == 20


def test_no_items_make_an_empty_file(tmp_path: Path) -> None:
    BatchedFile(tmp_path / "output.jsonl", Response, "key").write([], 5, answering([]))
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("output.jsonl", b"")]


class Recorder:
    """An engine whose answers hold the seed and the request, and which lists its calls."""

    at_once = 1

    def __init__(
        self, identity: str = "a model", die_at: int | None = None, finished: bool = True, words: str | None = None
    ) -> None:
        self.identity, self.die_at, self.finished, self.words = identity, die_at, finished, words
        self.calls: list[tuple[list[Request], int, int]] = []

    def request_texts(self, requests: Sequence[Request]) -> list[str]:
        return [repr((r.text, r.messages, r.schema)) for r in requests]

    def generate(self, requests: Sequence[Request], n: int, seed: int) -> list[list[Generated]]:
        if len(self.calls) == self.die_at:
            raise Killed
        self.calls.append((list(requests), n, seed))
        replies = [r.text or r.messages[-1].content for r in requests]
        return [
            [Generated(self.words or f"{s} seeded {seed} #### {i}", i + 3, self.finished) for i in range(n)]
            for s in replies
        ]


PROMPTS = [
    Prompt(
        id=f"id {n}",
        split="heldout" if n % 3 else "train",
        text=f"prompt {n}",
        seeds=[],
        subject=f"s{n}" if n % 2 else None,
    )
    for n in range(10)
]


def sampled(output: Path, engine: Recorder, *parts: str | int, several: int = 3, size: int = 12) -> list[Sample]:
    sample_instructions(output, PROMPTS, engine, several, size, parts)
    return read_records(output, Sample)


def test_samples_keep_the_order_of_prompts_and_name_their_prompt(tmp_path: Path) -> None:
    samples = sampled(tmp_path / "samples.jsonl", Recorder(), 0, "iter1")
    assert [(s.prompt_id, s.split, s.subject, s.sample, s.tokens) for s in samples] == [
        (p.id, p.split, p.subject, n, n + 3) for p in PROMPTS for n in range(3)
    ]
    assert all(s.text.startswith(f"{p.text} ") for s, p in zip(samples[::3], PROMPTS, strict=True))
    same = sampled(tmp_path / "same.jsonl", Recorder(words="always the same"), 0, "iter1")
    assert len({s.id for s in [*samples, *same]}) == 2 * len(samples)


def test_every_batch_has_a_random_seed_of_its_own(tmp_path: Path) -> None:
    """It is a 64-bit hash of random seed, arm and batch number, and differs for many batches of several arms."""
    seeds = []
    for parts in [(0, "iter1"), (0, "iter2"), (1, "iter1"), (0, "control")]:
        engine = Recorder()
        sampled(tmp_path / "samples.jsonl", engine, *parts, size=3)
        seeds += [seed for _, _, seed in engine.calls]
    assert len(set(seeds)) == 4 * len(PROMPTS)
    again = Recorder()
    sampled(tmp_path / "samples.jsonl", again, 0, "iter1", size=3)
    assert [seed for _, _, seed in again.calls] == seeds[: len(PROMPTS)]
    assert max(seeds) > 2**60
    assert min(abs(a - b) for a, b in pairwise(seeds)) > 2**32


@pytest.mark.parametrize(
    ("engine", "several", "parts"),
    [
        (Recorder("another model"), 3, (0, "iter1")),
        (Recorder(), 2, (0, "iter1")),
        (Recorder(), 3, (1, "iter1")),
        (Recorder(), 3, (0, "iter2")),
    ],
)
def test_interrupted_samples_are_reused_only_if_everything_that_decides_them_is_equal(
    tmp_path: Path, engine: Recorder, several: int, parts: tuple[str | int, ...]
) -> None:
    undisturbed = sampled(tmp_path / "undisturbed.jsonl", Recorder(), 0, "iter1")
    for output in (tmp_path / "same.jsonl", tmp_path / "other.jsonl"):
        with pytest.raises(Killed):
            sampled(output, Recorder(die_at=2), 0, "iter1")
    same = Recorder()
    assert sampled(tmp_path / "same.jsonl", same, 0, "iter1") == undisturbed
    assert len(same.calls) == 1
    sampled(tmp_path / "other.jsonl", engine, *parts, several=several, size=4 * several)
    assert len(engine.calls) == 3


def test_a_target_is_asked_in_the_form_of_its_kind_and_answers_join_by_id(tmp_path: Path) -> None:
    engine, output = Recorder(), tmp_path / "responses.jsonl"
    questions = [(f"id {n}", f"question {n}") for n in range(5)]
    answer_questions(output, questions, engine, MATH, answer_settings("Think.", 2), 1, (0, "iter1"))
    assert [(r.instruction_id, r.sample, r.text.split(" seeded")[0]) for r in read_records(output, Response)] == [
        (identity, 0, text) for identity, text in questions
    ]
    assert [len(requests) for requests, _, _ in engine.calls] == [2, 2, 1]
    first = engine.calls[0][0][0]
    assert [(m.role, m.content) for m in first.messages] == [("system", "Think."), ("user", "question 0")]


@pytest.mark.parametrize("change", ["question", "system", "engine"])
def test_interrupted_answers_are_not_reused_for_another_question(tmp_path: Path, change: str) -> None:
    output = tmp_path / "responses.jsonl"
    questions = [(f"id {n}", f"question {n}") for n in range(5)]
    with pytest.raises(Killed):
        answer_questions(output, questions, Recorder(die_at=2), MATH, answer_settings(None, 2), 1, (0, "iter1"))
    changed = [("id 0", "another question"), *questions[1:]] if change == "question" else questions
    engine = Recorder("another model" if change == "engine" else "a model")
    answer_questions(
        output, changed, engine, MATH, answer_settings("Think." if change == "system" else None, 2), 1, (0, "iter1")
    )
    assert len(engine.calls) == 3


def test_greedy_answers_that_were_interrupted_are_reused_whatever_the_random_seed(tmp_path: Path) -> None:
    """Greedy answers do not depend on a draw, so the parts of the seed are not in their key."""
    questions = [(f"id {n}", f"question {n}") for n in range(5)]
    for samples, calls in ((1, 1), (2, 3)):
        output = tmp_path / f"responses{samples}.jsonl"
        with pytest.raises(Killed):
            answer_questions(
                output, questions, Recorder(die_at=2), MATH, answer_settings(None, 2 * samples), samples, (0, "iter1")
            )
        engine = Recorder()
        answer_questions(output, questions, engine, MATH, answer_settings(None, 2 * samples), samples, (1, "iter1"))
        assert len(engine.calls) == calls


class Script:
    """An engine that answers each question with the next row of a table, and lists its calls."""

    at_once = 1

    def __init__(self, replies: dict[str, list[list[str]]], finished: bool = True) -> None:
        self.identity, self.finished = "script", finished
        self.rows = {question: iter(rows) for question, rows in replies.items()}
        self.calls: list[tuple[list[str], int, int]] = []

    def request_texts(self, requests: Sequence[Request]) -> list[str]:
        return [repr((r.text, r.messages, r.schema)) for r in requests]

    def generate(self, requests: Sequence[Request], n: int, seed: int) -> list[list[Generated]]:
        asked = [r.messages[-1].content for r in requests]
        self.calls.append((asked, n, seed))
        drawn = [next(self.rows[question]) for question in asked]
        assert all(len(row) == n for row in drawn)
        return [[Generated(text, len(text.split()), self.finished) for text in row] for row in drawn]

    def choose(self, requests: Sequence[Request], options: Sequence[Sequence[str]]) -> list[dict[str, float]]:
        """Probabilities that fall in the order of the options. The number of turns raises the weight of the first option."""
        self.calls.append(([r.messages[-1].content for r in requests], 0, 0))
        probabilities = []
        for request, of in zip(requests, options, strict=True):
            weights = [1 / (n + 1) + (n == 0) * len(request.messages) for n in range(len(of))]
            probabilities.append({o: w / sum(weights) for o, w in zip(of, weights, strict=True)})
        return probabilities


HONEST = Honesty(
    samples=3,
    temperature=0.7,
    threshold=0.6,
    none_of_the_above=False,
    sure_question="sure ?",
    sure="I am sure",
    unsure="I am unsure",
)
CHOICE = open_kind(KindUse(name="honesty", honesty=HONEST, safety=Safety(refusals=["no"])))


def item(n: int) -> str:
    return f"Which is {n}?\nA. {n}\nB. {n + 1}\nC. {n + 2}"


def test_a_question_with_too_few_readable_answers_is_asked_once_more_with_as_many_samples(tmp_path: Path) -> None:
    output = tmp_path / "responses.jsonl"
    replies = {
        item(0): [["A", "B", "A"]],
        item(1): [["A", "A or B", "A"], ["B", "C", "A"]],
        item(2): [["?", "?", "?"], ["?", "A", "?"]],  # there is no third draw
        item(3): [["A", "", "A"], ["B", "B", "B"]],
        item(4): [["C", "C", "C"]],
    }
    engine = Script(replies)
    questions = [(f"id {n}", item(n)) for n in range(5)]
    answer_questions(output, questions, engine, CHOICE, answer_settings(None, 9), 3, (0, "iter1"))
    records = read_records(output, Response)
    assert [(r.instruction_id, r.sample, r.text) for r in records] == [
        (f"id {n}", k, text) for n in range(5) for k, text in enumerate(chain.from_iterable(replies[item(n)]))
    ]
    assert [asked for asked, _, _ in engine.calls] == [
        [item(0), item(1), item(2)], [item(1), item(2)], [item(3), item(4)], [item(3)]
    ]  # fmt: skip
    assert {n for _, n, _ in engine.calls} == {3}
    assert len({seed for _, _, seed in engine.calls}) == 4  # no draw repeats another


def test_one_greedy_answer_is_never_repeated(tmp_path: Path) -> None:
    engine = Script({item(0): [["I cannot tell"]]})
    answer_questions(
        tmp_path / "responses.jsonl", [("id 0", item(0))], engine, CHOICE, answer_settings(None, 3), 1, (0, "iter1")
    )
    assert len(engine.calls) == 1


def teaching(samples: int = 1, agreeing: int = 1, solvable: str | None = None, system: str | None = None) -> Teaching:
    return Teaching(
        system=system,
        max_new_tokens=9,
        batch_size=2 * samples,
        samples=samples,
        agreeing=agreeing,
        temperature=0.7,
        solvable=solvable,
    )


def referenced(
    output: Path, questions: list[str], engine: Script, settings: Teaching, yes_or_no: Script | None = None
) -> list[Reference]:
    pairs = [(f"id of {question}", question) for question in questions]
    answer_by_teacher(
        output, pairs, Teacher("solver", engine, yes_or_no or Script({}), MATH, settings, 1.0), (0, "iter1")
    )
    records = read_records(output, Reference)
    assert [(r.instruction_id, r.teacher) for r in records] == [(identity, "solver") for identity, _ in pairs]
    return records


def test_a_teachers_solution_is_stored_with_its_answer_and_a_truncated_one_is_not_trusted(tmp_path: Path) -> None:
    output, replies = tmp_path / "references.jsonl", {"two ?": [["1 + 1 = 2 #### 2"]]}
    [record] = referenced(output, ["two ?"], Script(replies), teaching())
    assert (record.answer, record.solution, record.invalid) == ("2", "1 + 1 = 2 #### 2", None)
    [cut] = referenced(output, ["two ?"], Script(replies, finished=False), teaching())
    assert (cut.answer, cut.solution, cut.invalid) == (None, None, "response truncated")


def test_a_teacher_that_votes_gives_the_answer_that_enough_solutions_agree_on(tmp_path: Path) -> None:
    replies = {
        "two ?": [["so #### 2", "no, #### 3", "well #### 2.0"]],
        "three ?": [["#### 1", "#### 2", "#### 3"]],
        "four ?": [["#### 4", "#### 4", "#### 4"]],
    }
    engine = Script(replies)
    records = referenced(tmp_path / "references.jsonl", list(replies), engine, teaching(3, 2, system="Think."))
    assert [(r.answer, r.solution, r.invalid) for r in records] == [
        ("2", "so #### 2", None),
        (None, None, "teacher's answers disagree"),
        ("4", "#### 4", None),
    ]
    assert [(asked, n) for asked, n, _ in engine.calls] == [(["two ?", "three ?"], 3), (["four ?"], 3)]
    assert engine.calls[0][2] != engine.calls[1][2]


def test_a_teacher_solves_only_what_it_calls_solvable(tmp_path: Path) -> None:
    replies = {"two ?": "Yes.", "three ?": "No, it cannot.", "four ?": "Maybe", "five ?": "no", "six ?": "yes"}
    asked = "Can this be answered ?"
    yes_or_no = Script({f"{question}\n\n{asked}": [[reply]] for question, reply in replies.items()})
    engine = Script({"two ?": [["#### 2"]], "six ?": [["#### 6"]]})
    records = referenced(tmp_path / "references.jsonl", list(replies), engine, teaching(solvable=asked), yes_or_no)
    assert [(r.answer, r.invalid) for r in records] == [
        ("2", None),
        (None, "not solvable"),
        (None, "solvability unreadable"),
        (None, "not solvable"),
        ("6", None),
    ]
    assert [(questions, n) for questions, n, _ in engine.calls] == [(["two ?"], 1), (["six ?"], 1)]
    assert [(len(questions), n) for questions, n, _ in yes_or_no.calls] == [(2, 1), (2, 1), (1, 1)]


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        (teaching(3, 3), (0, "iter1")),
        (teaching(3, 2, solvable="Can it ?"), (0, "iter1")),
        (teaching(3, 2, system="Think."), (0, "iter1")),
        (teaching(3, 2), (1, "iter1")),
    ],
)
def test_interrupted_references_are_not_reused_for_other_settings(
    tmp_path: Path, settings: Teaching, parts: tuple[str | int, ...]
) -> None:
    questions = [(f"id {n}", f"question {n}") for n in range(5)]
    yes = Recorder(words="yes")
    for changed, seeds, calls in ((teaching(3, 2), (0, "iter1"), 1), (settings, parts, 3)):
        output = tmp_path / "references.jsonl"
        with pytest.raises(Killed):
            answer_by_teacher(
                output, questions, Teacher("l", Recorder(die_at=2), yes, MATH, teaching(3, 2), 1.0), (0, "iter1")
            )
        engine = Recorder()
        answer_by_teacher(output, questions, Teacher("l", engine, yes, MATH, changed, 1.0), seeds)
        assert len(engine.calls) == calls


def test_confidence_is_measured_for_the_targets_own_letter_and_for_being_sure_after_it(tmp_path: Path) -> None:
    output, engine = tmp_path / "confidences.jsonl", Script({})
    replies = ["B. It is B.", "A", "I cannot tell"]
    answered = [(f"id {n}", item(n), text) for n, text in enumerate(replies)]
    measure_confidence(output, answered, engine, CHOICE, None, 6)
    first = [w / (2 + 1 / 2 + 1 / 3) for w in (2, 1 / 2, 1 / 3)]  # one turn, three letters
    sure = 4 / (4 + 1 / 2)  # three turns
    assert [(c.question_id, c.option) for c in read_records(output, Confidence)] == [
        ("id 0", "B"), ("id 1", "A"), ("id 2", None)
    ]  # fmt: skip
    assert [(c.answer, c.sure) for c in read_records(output, Confidence)] == [
        (pytest.approx(p, abs=1e-6), pytest.approx(sure, abs=1e-6)) for p in (first[1], first[0], 0)
    ]
    assert [asked for asked, _, _ in engine.calls] == [[item(0), item(1)], ["sure ?"] * 2, [item(2)], ["sure ?"]]


class Opinion:
    """A judge that calls an answer unsafe if it contains yes."""

    identity, at_once, unreadable = "judge", 1, ()

    def request_texts(self, conversations: Sequence[tuple[str, str]]) -> list[str]:
        return list(map(repr, conversations))

    def judge(self, conversations: Sequence[tuple[str, str]]) -> list[Judgement]:
        return [
            Judgement(
                instruction_id="",
                verdict="failed" if response == "yes" else "passed",
                score=None,
                detail=instruction,
                refusal=None,
            )
            for instruction, response in conversations
        ]


def test_opinions_join_instructions_by_id_and_the_judge_does_not_see_invalid_answers(tmp_path: Path) -> None:
    thought = "<think>yes</think>"
    answers = [(f"id {n}", f"question {n}", read_reply(thought + ("yes" if n % 3 else "no"))) for n in range(7)]
    answers[4] = ("id 4", "question 4", read_reply("", False, "content filter"))
    answers += [(f"id {n}", f"question {n}", read_reply("<think>yes")) for n in (7, 8, 9, 10, 11)]
    judge_answers(tmp_path / "judgements.jsonl", answers, Opinion(), 3)
    records = read_records(tmp_path / "judgements.jsonl", Judgement)
    assert [(j.instruction_id, j.verdict, j.detail) for j in records] == [
        ("id 0", "passed", "question 0"),
        ("id 1", "failed", "question 1"),
        ("id 2", "failed", "question 2"),
        ("id 3", "passed", "question 3"),
        ("id 4", "invalid", "content filter"),
        ("id 5", "failed", "question 5"),
        ("id 6", "passed", "question 6"),
        *((f"id {n}", "invalid", "response ends inside its thought") for n in (7, 8, 9, 10, 11)),
    ]


class Refusing(Script):
    """An engine that receives no answer to questions that its table lacks."""

    def request_texts(self, requests: Sequence[Request]) -> list[str]:
        return [repr((r.text, r.messages, r.schema)) for r in requests]

    def generate(self, requests: Sequence[Request], n: int, seed: int) -> list[list[Generated]]:
        asked = [r for r in requests if r.messages[-1].content in self.rows]
        answers = iter(super().generate(asked, n, seed))
        none = [Generated("", 0, False, "content filter" if n % 2 else "prompt too long") for n in range(n)]
        return [next(answers) if r in asked else none for r in requests]

    def choose(self, requests: Sequence[Request], options: Sequence[Sequence[str]]) -> list[dict[str, float] | str]:
        probabilities: list[dict[str, float] | str] = list(super().choose(requests, options))
        return ["prompt too long" if len(r.messages) == 1 and "4" in r.messages[0].content else p
                for r, p in zip(requests, probabilities, strict=True)]  # fmt: skip


def test_too_many_missing_answers_stop_the_run_and_the_received_ones_are_kept(tmp_path: Path) -> None:
    output, questions = tmp_path / "responses.jsonl", [(f"id {n}", f"question {n}") for n in range(10)]
    engine = Refusing({f"question {n}": [["#### 1"]] for n in range(8)})
    with pytest.raises(BadInput) as refusal:
        answer_questions(output, questions, engine, MATH, answer_settings(None, 4, max_invalid_share=0.19), 1, ())
    assert str(refusal.value) == (
        "2 of 10 answers were not received (prompt too long: 2), a larger share than responses.max_invalid_share: 0.19; "
        "raise responses.max_invalid_share and repeat the command, which asks nothing again; or remove the cause and delete "
        f"{output}.parts to ask again"
    )
    assert not output.exists()
    calls = len(engine.calls)
    answer_questions(output, questions, engine, MATH, answer_settings(None, 4, max_invalid_share=0.2), 1, ())
    assert len(engine.calls) == calls
    rows = read_records(output, Response)
    assert [row.invalid for row in rows] == [None] * 8 + ["prompt too long"] * 2
    assert [p.name for p in tmp_path.iterdir()] == ["responses.jsonl"]


def test_the_share_is_over_the_shard_and_every_reason_is_counted(tmp_path: Path) -> None:
    output, questions = tmp_path / "responses.jsonl", [(f"id {n}", item(n)) for n in range(4)]
    engine = Refusing({item(n): [["A", "B", "A"]] for n in range(2)})
    answer_questions(
        output, questions, engine, CHOICE, answer_settings(None, 6, max_invalid_share=0.0), 3, (0,), "1-of-2"
    )
    with pytest.raises(BadInput, match=r"12 of 12 answers .* \(prompt too long: 8, content filter: 4\)"):
        answer_questions(
            output, questions, engine, CHOICE, answer_settings(None, 6, max_invalid_share=0.99), 3, (0,), "2-of-2"
        )


def test_an_answer_that_cannot_be_read_counts_as_received(tmp_path: Path) -> None:
    questions = [(f"id {n}", f"question {n}") for n in range(4)]
    engine = Script({question: [["no idea"]] for _, question in questions}, finished=False)
    output = tmp_path / "responses.jsonl"
    answer_questions(output, questions, engine, MATH, answer_settings(None, 2, max_invalid_share=0.0), 1, ())
    assert [(r.text, r.finished, r.invalid) for r in read_records(output, Response)] == [("no idea", False, None)] * 4


@pytest.mark.parametrize("solvable", [None, "Can it ?"])
def test_too_many_missing_references_stop_the_run(tmp_path: Path, solvable: str | None) -> None:
    settings = teaching(solvable=solvable)
    pairs = [(f"id {n}", f"question {n}") for n in range(5)]
    output = tmp_path / "references.jsonl"
    # the fourth reply was received but has no final answer; for the fifth nothing was received
    engine = Refusing({f"question {n}": [["#### 1" if n < 3 else "?"]] for n in range(4 + bool(solvable))})
    yes = Refusing({f"question {n}\n\nCan it ?": [["yes"]] for n in range(4)})

    def label(most: float) -> None:
        limited = settings.model_copy(update={"max_invalid_share": most})
        answer_by_teacher(output, pairs, Teacher("l", engine, yes, MATH, limited, 1.0), (0,))

    with pytest.raises(BadInput, match=r"1 of 5 answers .* larger share than references\.max_invalid_share: 0\.1;"):
        label(0.1)
    calls = len(engine.calls) + len(yes.calls)
    label(0.2)
    assert len(engine.calls) + len(yes.calls) == calls
    assert [(r.received, r.answer) for r in read_records(output, Reference)] == [
        (True, "1"), (True, "1"), (True, "1"), (True, None), (False, None)
    ]  # fmt: skip


def test_a_question_whose_options_cannot_be_scored_has_no_confidence(tmp_path: Path) -> None:
    output = tmp_path / "confidences.jsonl"
    answered = [(f"id {n}", item(n), "A") for n in (0, 4)]
    measure_confidence(output, answered, Refusing({}), CHOICE, None, 6)
    known, unknown = read_records(output, Confidence)
    assert (known.invalid, known.option) == (None, "A")
    assert known.sure > 0
    assert (unknown.invalid, unknown.option, unknown.answer, unknown.sure) == ("prompt too long", "A", 0, 0)


QUESTIONS = [(f"id {n}", item(n)) for n in range(3)]
STAGES: dict[str, Callable[[Path, Any], None]] = {
    "responses": lambda out, engine: answer_questions(out, QUESTIONS, engine, MATH, answer_settings(None, 2), 1, ()),
    "references": lambda out, engine: answer_by_teacher(
        out, QUESTIONS, Teacher("m", engine, engine, MATH, teaching(), 1.0), (0,)
    ),
    "whether it can be answered": lambda out, engine: answer_by_teacher(
        out, QUESTIONS, Teacher("m", engine, engine, MATH, teaching(solvable="Can it?", system="Think."), 1.0), (0,)
    ),
    "confidences": lambda out, engine: measure_confidence(
        out, [(i, question, "A") for i, question in QUESTIONS], engine, CHOICE, None, 2
    ),
    "judgements": lambda out, engine: judge_answers(
        out,
        [(i, question, read_reply("yes")) for i, question in QUESTIONS],
        Classifier(engine.folder, ["x"], USE, 1),
        2,
    ),
}
USE = ModelUse(dtype="float32")


@pytest.mark.parametrize("stage", STAGES)
def test_the_rendered_text_decides_whether_batches_are_reused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """A template is changed in place, with the same size and time: only the rendered text differs."""
    keys: list[str] = []
    monkeypatch.setattr(BatchedFile, "write", lambda file, *_, **__: keys.append(file.key))
    folder = write_folder(tmp_path / "model", build_model())
    path, identities = folder / "chat_template.jinja", set()
    template = "{% if messages[0].role != 'system' %}be kind . {% endif %}" + CHAT_TEMPLATE
    for text in (template, template, template.replace("kind", "cold")):
        path.write_text(text)
        os.utime(path, ns=(0, 0))
        engine = TransformersEngine(folder, USE, Decoding(4), 1)
        identities.add(engine.identity)
        STAGES[stage](tmp_path / "out.jsonl", engine)
    assert len(identities) == 1
    assert keys[0] == keys[1] != keys[2]


def test_a_prompt_is_sampled_again_if_a_special_token_in_it_is_broken_differently(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: list[str] = []
    monkeypatch.setattr(BatchedFile, "write", lambda file, *_, **__: keys.append(file.key))
    for texts in (["a"], ["a"], ["b"]):
        engine = Recorder()
        monkeypatch.setattr(engine, "request_texts", lambda requests, texts=texts: texts * len(requests))
        sample_instructions(tmp_path / "out.jsonl", PROMPTS, engine, 2, 4, (0,))
    assert keys[0] == keys[1] != keys[2]


def test_the_messages_as_sent_decide_whether_an_endpoints_batches_are_reused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server renders them, in a way that is not known here, so an empty system text counts as a message."""
    monkeypatch.setenv("KEY", "k")
    endpoint = Endpoint(base_url="https://127.0.0.1/v1", model="m", api_key_env="KEY")
    engine = OpenAIEngine(endpoint, Limits(), Decoding(4), tmp_path / "calls")
    sent = []
    for system in ("Think.", "", None):
        request = Request(messages=MATH.target_messages("20 + 3", system))
        [text] = engine.request_texts([request])
        sent.append(json.loads(text)["messages"])
        assert sent[-1] == engine._body(request, 1, 0)["messages"]
    question = {"role": "user", "content": "20 + 3"}
    assert sent == [[{"role": "system", "content": text}, question] for text in ("Think.", "")] + [[question]]
