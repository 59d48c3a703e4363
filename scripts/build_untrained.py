"""Take the held-out prompts, for an untrained proposer to answer: results/{task}/untrained/prompts.jsonl

python scripts/build_untrained.py --trained results/tiny-math/iter0/prompts.jsonl \
--prompts results/tiny-math/untrained/prompts.jsonl
"""

from pathlib import Path

from reversegen.core.records import Prompt, read_records, write_records
from reversegen.stage import run


def main(trained: Path, prompts: Path) -> None:
    """The base model of the proposer is measured on the prompts that every iteration is measured on."""
    write_records(prompts, [p for p in read_records(trained, Prompt) if p.split == "heldout"])


if __name__ == "__main__":
    run(main)
