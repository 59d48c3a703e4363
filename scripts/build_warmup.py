"""Build the three-shot rows that train proposer 0: results/{task}/warmup.jsonl

python scripts/build_warmup.py --seeds results/tiny-math/seeds.jsonl --probe --warmup results/tiny-math/warmup.jsonl \
--kind '{"name":"math","worlds":["arithmetic"]}' --header 'More questions like these :' --rows 6000 --random-seed 0
"""

from pathlib import Path

from reversegen.config.task import KindUse
from reversegen.core.records import Label, Seed, read_records, stream_records, write_records
from reversegen.kinds import open_kind
from reversegen.loop.prompts import build_warmup, failed_seeds
from reversegen.stage import run


def main(
    seeds: Path, probe: list[Path], warmup: Path, kind: KindUse, header: str, rows: int | None, random_seed: int
) -> None:
    """Write one row for each training seed, or `rows` rows. `probe` holds the labels of the seeds, or is empty."""
    every = stream_records(seeds, Seed)
    usable = failed_seeds(every, read_records(probe[0], Label)) if probe else list(every)
    write_records(warmup, build_warmup(usable, rows, header, random_seed, open_kind(kind)))


if __name__ == "__main__":
    run(main)
