"""A run that was interrupted ends in the bytes of an undisturbed one, and pays for no finished batch twice."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from reversegen.engines import Generated, Request
from reversegen.generation import answer_questions, in_batches, label_by_model, sample_instructions
from reversegen.kinds.math import KIND
from reversegen.records import Prompt, Reference, Response, Sample, read_records

ITEMS = [f"item {n}" for n in range(23)]  # five batches of five, the last one short


def row(text: str, number: int = 0) -> Response:
    return Response(instruction_id=text, sample=number, text=f"{text} \u2013 answered", tokens=1, finished=True)


class Killed(Exception):
    """What stands for the end of the process."""


def answering(asked: list[int], die_at: int | None = None) -> Callable[[int, Sequence[str]], list[Response]]:
    """Two records an item, with the batch's number in them; notes every batch in `asked`."""

    def answer(number: int, batch: Sequence[str]) -> list[Response]:
        if number == die_at:
            raise Killed
        asked.append(number)
        return [row(f"{item} in batch {number}", n) for item in batch for n in range(2)]

    return answer


def test_an_interrupted_run_goes_on_with_the_missing_batches_and_ends_in_the_same_bytes(tmp_path: Path) -> None:
    undisturbed, output = tmp_path / "undisturbed.jsonl", tmp_path / "output.jsonl"
    first: list[int] = []
    second: list[int] = []
    in_batches(undisturbed, Response, ITEMS, 5, "key", answering([]))
    with pytest.raises(Killed):
        in_batches(output, Response, ITEMS, 5, "key", answering(first, die_at=3))
    assert not output.exists()
    assert (tmp_path / "output.jsonl.parts").is_dir()
    in_batches(output, Response, ITEMS, 5, "key", answering(second))
    assert (first, second) == ([0, 1, 2], [3, 4])
    assert output.read_bytes() == undisturbed.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["output.jsonl", "undisturbed.jsonl"]
    texts = [r.instruction_id for r in read_records(output, Response)]
    assert texts == [f"{item} in batch {n // 5}" for n, item in enumerate(ITEMS) for _ in range(2)]


@pytest.mark.parametrize("hole", [0, 1])
def test_a_batch_that_is_gone_is_answered_again_in_its_place(tmp_path: Path, hole: int) -> None:
    output = tmp_path / "output.jsonl"
    asked: list[int] = []
    with pytest.raises(Killed):
        in_batches(output, Response, ITEMS, 5, "key", answering([], die_at=2))
    (tmp_path / "output.jsonl.parts" / f"{hole:06}.jsonl").unlink()
    in_batches(output, Response, ITEMS, 5, "key", answering(asked))
    assert asked == [hole, 2, 3, 4]
    assert [r.instruction_id for r in read_records(output, Response)][::10] == [
        f"item {5 * n} in batch {n}" for n in range(5)
    ]


def test_batches_of_another_key_are_not_trusted(tmp_path: Path) -> None:
    output = tmp_path / "output.jsonl"
    asked: list[int] = []
    with pytest.raises(Killed):
        in_batches(output, Response, ITEMS, 5, "key", answering([], die_at=3))
    in_batches(output, Response, ITEMS[:10], 5, "another key", answering(asked))
    assert asked == [0, 1]
    assert len(read_records(output, Response)) == 20


def test_no_items_make_an_empty_file(tmp_path: Path) -> None:
    in_batches(tmp_path / "output.jsonl", Response, [], 5, "key", answering([]))
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("output.jsonl", b"")]


class Recorder:
    """An engine that writes its batch's seed and each request into its answers, and notes what it was asked."""

    def __init__(
        self, identity: str = "a model", die_at: int | None = None, finished: bool = True, words: str | None = None
    ) -> None:
        self.identity, self.die_at, self.finished, self.words = identity, die_at, finished, words
        self.calls: list[tuple[list[Request], int, int]] = []

    def generate(self, requests: Sequence[Request], n: int, seed: int) -> list[list[Generated]]:
        if len(self.calls) == self.die_at:
            raise Killed
        self.calls.append((list(requests), n, seed))
        said = [r.text or r.messages[-1].content for r in requests]
        return [[Generated(self.words or f"{s} {seed} #### {i}", i + 3, self.finished) for i in range(n)] for s in said]


PROMPTS = [Prompt(id=f"id {n}", split="heldout" if n % 3 else "train", text=f"prompt {n}", seeds=[]) for n in range(10)]


def sampled(output: Path, engine: Recorder, *parts: str | int, several: int = 3, size: int = 4) -> list[Sample]:
    sample_instructions(output, PROMPTS, engine, several, size, parts)
    return read_records(output, Sample)


def test_samples_keep_the_order_of_prompts_and_say_whose_they_are(tmp_path: Path) -> None:
    samples = sampled(tmp_path / "samples.jsonl", Recorder(), 0, "iter1")
    assert [(s.prompt_id, s.split, s.sample, s.tokens) for s in samples] == [
        (p.id, p.split, n, n + 3) for p in PROMPTS for n in range(3)
    ]
    assert all(s.text.startswith(f"{p.text} ") for s, p in zip(samples[::3], PROMPTS, strict=True))
    same = sampled(tmp_path / "same.jsonl", Recorder(words="always the same"), 0, "iter1")
    assert len({s.id for s in [*samples, *same]}) == 2 * len(samples)


def test_every_batch_has_a_random_seed_of_its_own(tmp_path: Path) -> None:
    """Of random seed, chain and number: 64-bit hashes that never repeat over many batches of several chains."""
    seeds = []
    for parts in [(0, "iter1"), (0, "iter2"), (1, "iter1"), (0, "control")]:
        engine = Recorder()
        sampled(tmp_path / "samples.jsonl", engine, *parts, size=1)
        seeds += [seed for _, _, seed in engine.calls]
    assert len(set(seeds)) == 4 * len(PROMPTS)
    again = Recorder()
    sampled(tmp_path / "samples.jsonl", again, 0, "iter1", size=1)
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
def test_interrupted_samples_are_reused_only_where_all_that_decides_them_is_the_same(
    tmp_path: Path, engine: Recorder, several: int, parts: tuple[str | int, ...]
) -> None:
    undisturbed = sampled(tmp_path / "undisturbed.jsonl", Recorder(), 0, "iter1")
    for output in (tmp_path / "same.jsonl", tmp_path / "other.jsonl"):
        with pytest.raises(Killed):
            sampled(output, Recorder(die_at=2), 0, "iter1")
    same = Recorder()
    assert sampled(tmp_path / "same.jsonl", same, 0, "iter1") == undisturbed
    assert len(same.calls) == 1
    sampled(tmp_path / "other.jsonl", engine, *parts, several=several)
    assert len(engine.calls) == 3


def test_a_target_is_asked_as_its_kind_says_and_answers_join_by_id(tmp_path: Path) -> None:
    engine, output = Recorder(), tmp_path / "responses.jsonl"
    questions = [(f"id {n}", f"question {n}") for n in range(5)]
    answer_questions(output, questions, engine, KIND, "Think.", 2)
    assert [(r.instruction_id, r.sample, r.text) for r in read_records(output, Response)] == [
        (identity, 0, f"{text} 0 #### 0") for identity, text in questions
    ]
    assert [len(requests) for requests, _, _ in engine.calls] == [2, 2, 1]
    first = engine.calls[0][0][0]
    assert [(m.role, m.content) for m in first.messages] == [("system", "Think."), ("user", "question 0")]


@pytest.mark.parametrize("change", ["question", "system", "engine"])
def test_interrupted_answers_are_not_reused_for_another_question(tmp_path: Path, change: str) -> None:
    output = tmp_path / "responses.jsonl"
    questions = [(f"id {n}", f"question {n}") for n in range(5)]
    with pytest.raises(Killed):
        answer_questions(output, questions, Recorder(die_at=2), KIND, None, 2)
    changed = [("id 0", "another question"), *questions[1:]] if change == "question" else questions
    engine = Recorder("another model" if change == "engine" else "a model")
    answer_questions(output, changed, engine, KIND, "Think." if change == "system" else None, 2)
    assert len(engine.calls) == 3


def test_a_labellers_solution_is_kept_with_its_answer_and_one_cut_off_is_not_trusted(tmp_path: Path) -> None:
    output = tmp_path / "references.jsonl"
    label_by_model(output, [("id 0", "question 0")], "solver", Recorder(), KIND, None, 2)
    assert read_records(output, Reference) == [
        Reference(instruction_id="id 0", answer="0", solution="question 0 0 #### 0", labeller="solver", invalid=None)
    ]
    label_by_model(output, [("id 0", "question 0")], "solver", Recorder(finished=False), KIND, None, 2)
    [cut] = read_records(output, Reference)
    assert (cut.answer, cut.invalid) == (None, "cut off")
