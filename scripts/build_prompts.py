"""Build an iteration's three-shot prompts, fresh and held-out ones: results/{task}/iter{iteration}/prompts.jsonl

python scripts/build_prompts.py --help
"""

from pathlib import Path

from reversegen import prompts as prompt_module
from reversegen.configuration import Prompts
from reversegen.kinds import KINDS
from reversegen.records import Seed, read_records, write_records
from reversegen.stage import run


def main(seeds: Path, prompts: Path, kind: str, settings: Prompts, iteration: int, random_seed: int) -> None:
    """Write the prompts of both splits."""
    built = prompt_module.build_prompts(read_records(seeds, Seed), settings, iteration, random_seed, KINDS[kind])
    write_records(prompts, built)


if __name__ == "__main__":
    run(main)
