"""Judgements: what a judge model says of answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reversegen.core.records import Judgement
from reversegen.core.shards import WHOLE
from reversegen.ids import content_id
from reversegen.judges.judge import Classifier, GenerativeJudge
from reversegen.kinds.answers.reply import Reply
from reversegen.loop.batches import BatchedFile


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
    batches = BatchedFile(output, Judgement, key, shard)
    batches.write(answers, batch_size, answer, judge.at_once, unreadable=judge.unreadable)
