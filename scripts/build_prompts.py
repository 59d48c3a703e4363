"""Build the fresh and the held-out three-shot prompts of an iteration: results/{task}/iter{iteration}/prompts.jsonl

python scripts/build_prompts.py --seeds results/tiny-math/seeds.jsonl --probe --prompts results/tiny-math/iter1/prompts.jsonl \
--kind '{"name":"math","worlds":["arithmetic"]}' \
--settings '{"header":"More questions like these :","train":400,"heldout":200}' --iteration 1 --random-seed 0
"""

from pathlib import Path

from reversegen.config.sampling import Prompts
from reversegen.config.task import KindUse
from reversegen.core.records import Label, Seed, read_records, stream_records, write_records
from reversegen.kinds import open_kind
from reversegen.loop.prompts import build_prompts, failed_seeds
from reversegen.stage import run


def main(
    seeds: Path, probe: list[Path], prompts: Path, kind: KindUse, settings: Prompts, iteration: int, random_seed: int
) -> None:
    """Write the prompts of both splits. `probe` holds the labels of the seeds, or is empty."""
    every = stream_records(seeds, Seed)
    usable = failed_seeds(every, read_records(probe[0], Label)) if probe else list(every)
    write_records(prompts, build_prompts(usable, settings, iteration, random_seed, open_kind(kind)))


if __name__ == "__main__":
    run(main)
