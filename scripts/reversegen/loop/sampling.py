"""Samples: the texts that a proposer writes after each prompt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reversegen.core.records import Prompt, Sample
from reversegen.core.shards import WHOLE, items_at_once
from reversegen.engines.base import Engine, Request
from reversegen.ids import content_id, hashed_seed
from reversegen.loop.batches import BatchedFile


def sample_instructions(
    output: Path,
    prompts: Sequence[Prompt],
    engine: Engine,
    samples_per_prompt: int,
    batch_size: int,
    seed_parts: tuple[str | int, ...],
    shard: str = WHOLE,
) -> None:
    """Write `samples_per_prompt` continuations of every prompt to `output`, `batch_size` continuations at once.

    The random seed of a batch is a hash of `seed_parts` and the batch's number.
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
    BatchedFile(output, Sample, key, shard).write(prompts, batch_size, answer, engine.at_once)
