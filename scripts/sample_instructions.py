"""Let a proposer write instructions: results/{task}/{arm}/samples.jsonl

python scripts/sample_instructions.py --prompts results/tiny-math/iter1/prompts.jsonl --model '{}' --arm iter1 --threads 1 \
--proposer results/tiny-math/iter1/proposer --samples results/tiny-math/iter1/samples.jsonl --random-seed 0 --shard 1-of-1 \
--settings '{"samples_per_prompt":5,"temperature":1.0,"top_p":0.98,"max_new_tokens":28,"batch_size":320}'
"""

from pathlib import Path

from reversegen.config.models import ModelUse
from reversegen.config.sampling import Sampling
from reversegen.core.records import Prompt, read_records
from reversegen.engines import open_engine
from reversegen.engines.base import Decoding
from reversegen.loop.sampling import sample_instructions
from reversegen.stage import run


def main(
    prompts: Path,
    proposer: Path,
    samples: Path,
    model: ModelUse,
    settings: Sampling,
    arm: str,
    random_seed: int,
    shard: str,
    threads: int,
) -> None:
    """Sample continuations of the shard's prompts, of both splits."""
    decoding = Decoding(settings.max_new_tokens, settings.temperature, settings.top_p)
    engine = open_engine(model, proposer, decoding, threads)
    several, size = settings.samples_per_prompt, settings.batch_size
    rows, draw = read_records(prompts, Prompt), (random_seed, arm)
    sample_instructions(samples, rows, engine, several, size, draw, shard)


if __name__ == "__main__":
    run(main)
