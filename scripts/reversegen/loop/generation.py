"""Long generation in batches that survive a kill: each finished batch is a file, and a restart skips it."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from reversegen.config.task import Honesty, Teaching
from reversegen.core.errors import BadInput
from reversegen.core.files import write_text
from reversegen.core.progress import Progress
from reversegen.core.records import (
    Confidence,
    Judgement,
    Prompt,
    Record,
    Reference,
    Response,
    Sample,
    read_records,
    write_records,
)
from reversegen.core.shards import WHOLE, items_at_once, share
from reversegen.engines.base import Engine, Generated, Probabilities, Request
from reversegen.engines.unreadable_replies import UnreadableReplies
from reversegen.ids import content_id, hashed_seed
from reversegen.judges.judge import Classifier, GenerativeJudge
from reversegen.kinds.answers.equivalence import Checker
from reversegen.kinds.answers.reply import Reply, read_reply
from reversegen.kinds.base import Kind, conversation
from reversegen.loop.references import SPELLINGS, likely_solvable, not_understood, refused, solvable, vote

log = logging.getLogger("reversegen")
T = TypeVar("T")
R = TypeVar("R", bound=Record)


def in_batches(
    output: Path,
    record: type[R],
    items: Sequence[T],
    batch_size: int,
    key: str,
    answer: Callable[[int, Sequence[T]], list[R]],
    at_once: int = 1,
    shard: str = WHOLE,
    check: Callable[[Iterable[R]], None] | None = None,
    unreadable: Sequence[UnreadableReplies] = (),
) -> None:
    """Write `answer(number, batch)` for all batches of `items` that are of this shard to `output`, in order.

    Finished batches wait in `<output>.parts/<key>/`, and a restart with the same `key` skips them; `key` must name everything
    that decides the records. The parts go when the output stands: a job that was given up, and still ran, may be the one that
    ends first, and then this one takes its output. `at_once` batches are answered by threads of their own.

    `check` reads all records before the output is written, and the counts of `unreadable` are kept and checked after each
    batch, and before the first one of a restart. If one raises, the parts stay: a restart answers nothing again.
    """
    parts = output.with_name(f"{output.name}.parts") / key
    for other in parts.parent.glob("*"):
        if other != parts:
            shutil.rmtree(other, ignore_errors=True)
    if not (parts / "begun").is_file():
        write_text(parts / "begun", "")
    start, begun = time.perf_counter(), (parts / "begun").stat().st_mtime_ns
    files = [parts / f"{number:06}.jsonl" for number in range(-(-len(items) // batch_size))]
    own = share(range(len(files)), shard)

    def batch(number: int) -> Sequence[T]:
        return items[number * batch_size : (number + 1) * batch_size]

    def ended_elsewhere() -> bool:
        return not (parts / "begun").is_file() and output.is_file() and output.stat().st_mtime_ns >= begun

    kept_counts = [parts / f"unreadable-{number}.json" for number in range(len(unreadable))]
    for replies, counts in zip(unreadable, kept_counts, strict=True):
        replies.take_up(counts)
        replies.check()
    left = [number for number in own if not files[number].is_file()]
    total, unfinished = (sum(len(batch(number)) for number in numbers) for numbers in (own, left))
    if len(left) < len(own):
        log.info("%d of %d batches were finished before; going on", len(own) - len(left), len(own))
    with Progress(total, "items", done=total - unfinished) as progress:

        def finish(number: int) -> None:
            if not ended_elsewhere():
                write_records(files[number], answer(number, batch(number)))
                progress.advance(len(batch(number)))
                for replies, counts in zip(unreadable, kept_counts, strict=True):
                    replies.keep(counts)
                    replies.check()

        while left and not ended_elsewhere():
            _each(finish, left, at_once)
            left = [n for n in own if not files[n].is_file()]

    def rows() -> Iterator[R]:
        return (row for number in own for row in read_records(files[number], record))

    try:
        if check:
            check(rows())
        write_records(output, rows())
    except BadInput:
        if not ended_elsewhere():
            raise
    if ended_elsewhere():
        log.warning("%s was written meanwhile by an earlier job of the same work; it stands", output)
    shutil.rmtree(parts.parent, ignore_errors=True)
    log.info("%d items, %d batches in %.1f s", len(items), len(own), time.perf_counter() - start)


def check_received(reasons: Iterable[str | None], most: float, key: str, output: Path) -> None:
    """Refuse answers of which more than the share `most` were not received. `reasons` has None for each that was.

    Raises BadInput with the reasons counted. `key` is the setting that holds the share, `output` the file of the answers.
    """
    parts = output.with_name(f"{output.name}.parts")
    counts = Counter(reasons)
    total, received = counts.total(), counts.pop(None, 0)
    if total - received > most * total:
        listed = ", ".join(
            f"{reason}: {n}" for reason, n in sorted(counts.items(), key=lambda one: (-one[1], str(one[0])))
        )
        raise BadInput(
            f"{total - received} of {total} answers were not received ({listed}), a larger share than {key}: {most:g}; "
            f"raise it, and the same command asks nothing again; or remove the cause, and delete {parts} to ask again"
        )


def sample_instructions(
    output: Path,
    prompts: Sequence[Prompt],
    engine: Engine,
    samples_per_prompt: int,
    batch_size: int,
    seed_parts: tuple[str | int, ...],
    shard: str = WHOLE,
) -> None:
    """Sample continuations of every prompt, `batch_size` of them at once.

    A batch's draw is seeded by a hash of `seed_parts` and its number.
    """
    batch_size = items_at_once(batch_size, samples_per_prompt)

    def answer(number: int, batch: Sequence[Prompt]) -> list[Sample]:
        requests = [Request(text=p.text) for p in batch]
        drawn = engine.generate(requests, samples_per_prompt, hashed_seed(*seed_parts, "samples", number))
        return [
            Sample(
                id=content_id(prompt.id, n, one.text),
                prompt_id=prompt.id,
                split=prompt.split,
                subject=prompt.subject,
                sample=n,
                text=one.text,
                tokens=one.tokens,
                finished=one.finished,
                invalid=one.invalid,
            )
            for prompt, several in zip(batch, drawn, strict=True)
            for n, one in enumerate(several)
        ]

    texts = engine.request_texts([Request(text=p.text) for p in prompts])
    key = content_id(*(p.id for p in prompts), *texts, engine.identity, samples_per_prompt, batch_size, *seed_parts)
    in_batches(output, Sample, prompts, batch_size, key, answer, engine.at_once, shard)


def answer_questions(
    output: Path,
    questions: Sequence[tuple[str, str]],
    engine: Engine,
    kind: Kind,
    system: str | None,
    batch_size: int,
    samples: int,
    seed_parts: tuple[str | int, ...],
    shard: str = WHOLE,
    max_invalid_share: float = 1.0,
    max_unreadable_share: float = 1.0,
) -> None:
    """Answers of a target to (id, question) pairs, `samples` to each, `batch_size` of them at once.

    A question with fewer readable answers than that is asked as many times again, once. A batch's draw is seeded by a hash of
    `seed_parts` and its number; greedy answers need none. Raises BadInput if a larger share than `max_invalid_share` of the
    shard's answers was not received, and early if more than `max_unreadable_share` of them cannot be read; what was answered
    is kept.
    """
    batch_size = items_at_once(batch_size, samples)
    unreadable = UnreadableReplies(
        "questions",
        max_unreadable_share,
        "responses.max_unreadable_share",
        "ask for the form of answer that is read (responses.system), or give it room (responses.max_new_tokens, or the "
        "model's thinking.max_tokens)",
        masked=kind.harmful,
    )

    def answer(number: int, batch: Sequence[tuple[str, str]]) -> list[Response]:
        drawn = _asked(engine, batch, kind, system, samples, hashed_seed(*seed_parts, "responses", number))
        if samples > 1:
            short = [
                n for n, ((_, question), several) in enumerate(zip(batch, drawn, strict=True))
                if sum(kind.readable(question, one.text) for one in several) < samples
            ]  # fmt: skip
            seed = hashed_seed(*seed_parts, "more responses", number)
            more = _asked(engine, [batch[n] for n in short], kind, system, samples, seed)
            for n, several in zip(short, more, strict=True):
                drawn[n] = drawn[n] + several
        for (_, question), several in zip(batch, drawn, strict=True):
            for one in several:
                if not one.invalid:
                    unreadable.count(_unread(question, one, kind), one.text)
        return [
            Response(
                instruction_id=identity,
                sample=n,
                text=one.text,
                tokens=one.tokens,
                finished=one.finished,
                invalid=one.invalid,
            )
            for (identity, _), several in zip(batch, drawn, strict=True)
            for n, one in enumerate(several)
        ]

    def check(rows: Iterable[Response]) -> None:
        check_received((row.invalid for row in rows), max_invalid_share, "responses.max_invalid_share", output)

    asked = _key(questions, _requests(questions, kind, system), engine, batch_size)
    key = content_id(asked, samples, *(seed_parts if samples > 1 else ()))
    in_batches(output, Response, questions, batch_size, key, answer, engine.at_once, shard, check, [unreadable])


def answer_by_teacher(
    output: Path,
    questions: Sequence[tuple[str, str]],
    teacher: str,
    engine: Engine,
    yes_or_no: Engine | None,
    kind: Kind,
    teaching: Teaching,
    timeout: float,
    seed_parts: tuple[str | int, ...],
    structured: bool = False,
    shard: str = WHOLE,
) -> None:
    """Reference answers of a teacher model to (id, question) pairs: one greedy answer, or what a majority agrees on.

    If `teaching.solvable` asks a question, the teacher answers only the instructions to which it says yes: by the
    probabilities of yes and no, or, of a teacher that has none, by a greedy reply through the engine `yes_or_no`. `timeout` is
    in seconds, for one comparison of answers. `structured`: the endpoint holds replies to the kind's JSON schema, and they are
    read by it. Raises BadInput if a larger share than `teaching.max_invalid_share` of the shard's references rests on no reply
    that was received, and early if more than `teaching.max_unreadable_share` of the replies cannot be read.
    """
    unread_checks = UnreadableReplies(
        "references.solvable",
        teaching.max_unreadable_share,
        "references.max_unreadable_share",
        "ask for a yes or no at the end of a few sentences (references.solvable, references.solvable_system)",
        masked=kind.harmful,
    )
    unread_answers = UnreadableReplies(
        "instructions",
        teaching.max_unreadable_share,
        "references.max_unreadable_share",
        "ask for the form of final answer that is read (references.system), or give it room (references.max_new_tokens, or the "
        "model's thinking.max_tokens)",
        masked=kind.harmful,
    )
    form = kind.structured if structured else None
    system = teaching.system
    if form:
        system = f"{system}\n\n{form.request}" if system else form.request
    comparing = threading.Lock()

    def answer(number: int, batch: Sequence[tuple[str, str]]) -> list[Reference]:
        reasons: dict[str, str | None] = {}
        missing: set[str] = set()
        if teaching.solvable:
            requests, scored = _checks(batch, teaching), yes_or_no is None
            reasons, missing = _solvability(yes_or_no or engine, batch, requests, unread_checks, scored=scored)
        wanted = [(i, question) for i, question in batch if reasons.get(i) is None]
        seed = hashed_seed(*seed_parts, "references", number)
        schema = form.schema if form else None
        asked = _asked(engine, wanted, kind, system, teaching.samples, seed, schema)
        drawn = dict(zip(wanted, asked, strict=True))
        missing |= {i for (i, _), several in drawn.items() if all(one.invalid for one in several)}
        with comparing, Checker(timeout=timeout) as checker:  # one worker at a time, whatever the number of threads
            voted = [
                vote(i, question, drawn[i, question], teaching.agreeing, teacher, kind, checker, form)
                if (i, question) in drawn
                else refused(i, str(reasons[i]), teacher)
                for i, question in batch
            ]
        for row, (_, question) in zip(voted, batch, strict=True):
            if (several := drawn.get((row.instruction_id, question))) and row.instruction_id not in missing:
                unreceived = {one.invalid for one in several}
                unread = row.invalid if not_understood(row.invalid) and row.invalid not in unreceived else None
                unread_answers.count(unread, next(one.text for one in several if not one.invalid))
        return [row.model_copy(update={"received": row.instruction_id not in missing}) for row in voted]

    def check(rows: Iterable[Reference]) -> None:
        reasons = (None if row.received else row.invalid for row in rows)
        check_received(reasons, teaching.max_invalid_share, "references.max_invalid_share", output)

    key = content_id(
        teacher,
        _key(questions, _requests(questions, kind, system, form.schema if form else None), engine, teaching.batch_size),
        yes_or_no.identity if yes_or_no else "",
        *(yes_or_no or engine).request_texts(_checks(questions, teaching)),
        teaching.model_dump_json(exclude={"max_invalid_share", "max_unreadable_share"}),
        str(timeout),
        *seed_parts,
    )
    size = items_at_once(teaching.batch_size, teaching.samples)
    unread = [unread_checks, unread_answers]
    in_batches(output, Reference, questions, size, key, answer, engine.at_once, shard, check, unread)


def _solvability(
    engine: Engine,
    batch: Sequence[tuple[str, str]],
    requests: Sequence[Request],
    unread: UnreadableReplies,
    *,
    scored: bool,
) -> tuple[dict[str, str | None], set[str]]:
    """By id why an instruction is not answered, None if it is; and the ids to which no reply was received.

    `scored`: the probabilities of the spellings of yes and no decide, else a reply.
    """
    ids = [identity for identity, _ in batch]
    if scored:
        scores = engine.choose(requests, [list(SPELLINGS)] * len(requests))
        missing = {i for i, probabilities in zip(ids, scores, strict=True) if isinstance(probabilities, str)}
        return {i: likely_solvable(probabilities) for i, probabilities in zip(ids, scores, strict=True)}, missing
    replies = [reply for reply, *_ in engine.generate(requests, 1, 0)]
    reasons = {i: solvable(reply) for i, reply in zip(ids, replies, strict=True)}
    for i, reply in zip(ids, replies, strict=True):
        if not reply.invalid:
            unread.count(reasons[i] if not_understood(reasons[i]) else None, reply.text)
    return reasons, {i for i, reply in zip(ids, replies, strict=True) if reply.invalid}


def _checks(questions: Sequence[tuple[str, str]], teaching: Teaching) -> list[Request]:
    """The question after each instruction, under a system text of its own: the one for answers asks for a final answer."""
    if not teaching.solvable:
        return []
    texts = (f"{question}\n\n{teaching.solvable}" for _, question in questions)
    return [Request(messages=conversation(text, teaching.solvable_system)) for text in texts]


def measure_confidence(
    output: Path, answered: Sequence[tuple[str, str, str]], engine: Engine, kind: Kind, honesty: Honesty,
    system: str | None, batch_size: int,
) -> None:  # fmt: skip
    """How sure a target is of its answers: (id, question, its response) to the probabilities of R-Tuning's score.

    `answer` is the probability of the answered letter among the item's letters, `sure` that of `honesty.sure` against
    `honesty.unsure` as the reply to `honesty.sure_question` after the target's own answer.
    """
    assert kind.choice is not None
    choice = kind.choice
    sequences = max((len(choice.letters(question)) for _, question, _ in answered), default=2)  # one an option at most
    batch_size = items_at_once(batch_size, max(2, sequences))

    def answer(number: int, batch: Sequence[tuple[str, str, str]]) -> list[Confidence]:
        options = [choice.letters(question) for _, question, _ in batch]
        letters = [choice.letter(question, response) for _, question, response in batch]
        by_letter = engine.choose(
            [Request(messages=kind.target_messages(question, system)) for _, question, _ in batch], options
        )
        likeliest = [
            max(several, key=p.__getitem__) if isinstance(p, dict) else several[0]
            for several, p in zip(options, by_letter, strict=True)
        ]
        replies = [[honesty.sure, honesty.unsure]] * len(batch)
        sure = engine.choose(
            [
                Request(messages=choice.sure_messages(question, letter or likely, system))
                for (_, question, _), letter, likely in zip(batch, letters, likeliest, strict=True)
            ],
            replies,
        )
        return [
            _confidence(identity, letter, p, q, honesty.sure)
            for (identity, _, _), letter, p, q in zip(batch, letters, by_letter, sure, strict=True)
        ]

    parts = (part for row in answered for part in row)
    questions = [(identity, question) for identity, question, _ in answered]
    after = [Request(messages=choice.sure_messages(q, choice.letters(q)[0], system)) for _, q in questions]
    asked = _key(questions, _requests(questions, kind, system), engine, batch_size)
    key = content_id(*parts, asked, *engine.request_texts(after), honesty.model_dump_json())
    in_batches(output, Confidence, answered, batch_size, key, answer, engine.at_once)


def _confidence(
    identity: str, letter: str | None, by_letter: Probabilities, sure: Probabilities, reply: str
) -> Confidence:
    """The record of one question; invalid if the engine could not ask one of the two."""
    for probabilities in (by_letter, sure):
        if isinstance(probabilities, str):
            return Confidence(question_id=identity, option=letter, answer=0.0, sure=0.0, invalid=probabilities)
    assert isinstance(by_letter, dict)
    assert isinstance(sure, dict)
    answer = round(by_letter[letter], 6) if letter else 0.0
    return Confidence(question_id=identity, option=letter, answer=answer, sure=round(sure[reply], 6))


def judge_answers(
    output: Path,
    answers: Sequence[tuple[str, str, Reply]],
    judge: Classifier | GenerativeJudge,
    batch_size: int,
    shard: str = WHOLE,
) -> None:
    """A judge's opinion of (id, instruction, answer) triples; an answer that is invalid is not shown to it."""

    def answer(number: int, batch: Sequence[tuple[str, str, Reply]]) -> list[Judgement]:
        shown = [(instruction, reply.text) for _, instruction, reply in batch if not reply.invalid]
        opinions = iter(judge.judge(shown) if shown else [])
        return [
            Judgement(instruction_id=i, verdict="invalid", score=None, detail=reply.invalid, refusal=None)
            if reply.invalid
            else next(opinions).model_copy(update={"instruction_id": i})
            for i, _, reply in batch
        ]

    parts = (part for i, instruction, reply in answers for part in (i, instruction, reply.text, reply.invalid or ""))
    texts = judge.request_texts([(instruction, reply.text) for _, instruction, reply in answers if not reply.invalid])
    key = content_id(*parts, *texts, judge.identity, batch_size)
    in_batches(output, Judgement, answers, batch_size, key, answer, judge.at_once, shard, unreadable=judge.unreadable)


def _unread(question: str, one: Generated, kind: Kind) -> str | None:
    """Why a target's answer, which was received, cannot be read; None if it can."""
    return read_reply(one.text, one.finished).invalid or (None if kind.readable(question, one.text) else "no option")


def _asked(
    engine: Engine,
    batch: Sequence[tuple[str, str]],
    kind: Kind,
    system: str | None,
    samples: int,
    seed: int,
    schema: dict[str, Any] | None = None,
) -> list[list[Generated]]:
    if not batch:
        return []
    return engine.generate(_requests(batch, kind, system, schema), samples, seed)


def _requests(
    questions: Sequence[tuple[str, str]], kind: Kind, system: str | None, schema: dict[str, Any] | None = None
) -> list[Request]:
    return [Request(messages=kind.target_messages(q, system), schema=schema) for _, q in questions]


def _key(questions: Sequence[tuple[str, str]], requests: Sequence[Request], engine: Engine, batch_size: int) -> str:
    """What decides the answers to (id, question) pairs, as they are asked."""
    ids = (identity for identity, _ in questions)
    return content_id(*ids, *engine.request_texts(requests), engine.identity, batch_size)


def _each(work: Callable[[int], None], numbers: Sequence[int], at_once: int) -> None:
    """Do `work` for each number, by threads where several go at once.

    The first error is raised when what is under way has ended; nothing new begins after it. The threads are daemons, so that
    an interrupt waits for none of them.
    """
    if at_once == 1:
        for number in numbers:
            work(number)
        return
    left, taking = iter(numbers), threading.Lock()
    ends: SimpleQueue[BaseException | None] = SimpleQueue()
    failed = threading.Event()

    def take() -> None:
        error = None
        try:
            while not failed.is_set():
                with taking:
                    number = next(left, None)
                if number is None:
                    break
                work(number)
        except BaseException as caught:
            error = caught
            failed.set()
        ends.put(error)

    threads = [threading.Thread(target=take, daemon=True) for _ in range(min(at_once, len(numbers)))]
    for thread in threads:
        thread.start()
    errors = [error for error in [ends.get() for _ in threads] if error]
    if errors:
        raise errors[0]
