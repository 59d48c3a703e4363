"""Judgements: a judge model's opinions of answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reversegen.core.records import Instruction, Judgement, Question, Reference, Response, Seed, read_records
from reversegen.core.shards import WHOLE
from reversegen.ids import content_id
from reversegen.judges import reads_refusals
from reversegen.judges.judge import OpenedJudge
from reversegen.kinds.answers.reply import Reply, read_reply
from reversegen.kinds.base import Kind
from reversegen.loop.batches import BatchedFile


def read_judged_answers(
    instructions: Sequence[Path],
    seeds: Sequence[Path],
    tests: Sequence[Path],
    responses: Sequence[Path],
    references: Sequence[Path],
    judge_format: str,
    kind: Kind,
    *,
    holdout: bool = False,
) -> list[tuple[str, str, Reply]]:
    """Ids, texts and answers for the judge. The answer is the first response or the teacher's solution, if there is one.

    A test question is judged only if its measure needs a judge, or if the judge's format also reads refusals. A hold-out judge
    reads no more than it measures: instructions of held-out prompts, and test questions whose measure needs a judge.
    """
    every = reads_refusals(judge_format) and not holdout
    asked = (i for path in instructions for i in read_records(path, Instruction))
    texts = {i.id: i.text for i in asked if not holdout or "heldout" in i.splits}
    texts |= {s.id: s.text for path in seeds for s in read_records(path, Seed)}
    questions = (q for path in tests for q in read_records(path, Question))
    texts |= {q.id: q.text for q in questions if every or kind.measure(q.measure).judged}
    replies = {
        r.instruction_id: read_reply(r.text, r.finished, r.invalid)
        for path in responses
        for r in read_records(path, Response)
        if r.sample == 0
    }
    solved = (r for path in references for r in read_records(path, Reference))
    replies |= {r.instruction_id: read_reply(r.solution) for r in solved if r.solution}
    return [(i, texts[i], reply) for i, reply in replies.items() if i in texts]


def judge_answers(
    output: Path,
    answers: Sequence[tuple[str, str, Reply]],
    judge: OpenedJudge,
    batch_size: int,
    shard: str = WHOLE,
) -> None:
    """Write a judge's opinions of (id, instruction, answer) triples to `output`. The judge does not see invalid answers."""

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
    batches = BatchedFile(output, Judgement, key, shard)
    batches.write(answers, batch_size, answer, judge.at_once, unreadable=judge.unreadable)
