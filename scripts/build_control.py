"""Gather the training prompts of iterations 1 to N, for proposer 0 to answer too: results/{task}/control/prompts.jsonl

python scripts/build_control.py --trained results/tiny-math/iter1/prompts.jsonl results/tiny-math/iter2/prompts.jsonl \
results/tiny-math/iter3/prompts.jsonl --prompts results/tiny-math/control/prompts.jsonl
"""

from pathlib import Path

from reversegen.core.records import Prompt, read_records, write_records
from reversegen.stage import run


def main(trained: list[Path], prompts: Path) -> None:
    """Write every training prompt of the trained proposers. Proposer 0 gets the same prompts, so target calls are equal."""
    every = {p.id: p for path in trained for p in read_records(path, Prompt) if p.split == "train"}
    write_records(prompts, every.values())


if __name__ == "__main__":
    run(main)
