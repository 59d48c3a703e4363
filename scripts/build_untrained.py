"""Copy the held-out prompts for the untrained proposer: results/{task}/untrained/prompts.jsonl

python scripts/build_untrained.py --trained results/tiny-math/iter0/prompts.jsonl \
--prompts results/tiny-math/untrained/prompts.jsonl
"""

from pathlib import Path

from reversegen.core.records import Prompt, read_records, write_records
from reversegen.stage import run


def main(trained: Path, prompts: Path) -> None:
    """Write the held-out prompts, so that the base model is measured on the same prompts as every iteration."""
    write_records(prompts, [p for p in read_records(trained, Prompt) if p.split == "heldout"])


if __name__ == "__main__":
    run(main)
