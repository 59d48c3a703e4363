"""Build the three-shot rows that train proposer 0: results/{task}/warmup.jsonl

python scripts/build_warmup.py --help
"""

from pathlib import Path

from reversegen import prompts
from reversegen.kinds import KINDS
from reversegen.records import Seed, read_records, write_records
from reversegen.stage import run


def main(seeds: Path, warmup: Path, kind: str, header: str, rows: int | None, random_seed: int) -> None:
    """One row a training seed, or `rows` of them."""
    built = prompts.build_warmup(read_records(seeds, Seed), rows, header, random_seed, KINDS[kind])
    write_records(warmup, built)


if __name__ == "__main__":
    run(main)
