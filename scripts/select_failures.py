"""Select the last proposer's failures, to ask another model: results/{task}/transfer/instructions.jsonl

python scripts/select_failures.py --found results/tiny-math/iter3/instructions.jsonl \
--labels results/tiny-math/iter3/labels.jsonl --instructions results/tiny-math/transfer/instructions.jsonl
"""

from pathlib import Path

from reversegen.core.records import Instruction, Label, read_records, write_records
from reversegen.stage import run


def main(found: Path, labels: Path, instructions: Path) -> None:
    """Write the failures that come from held-out prompts, since no proposer was trained on these prompts."""
    failed = {label.instruction_id for label in read_records(labels, Label) if label.verdict == "failed"}
    rows = [i for i in read_records(found, Instruction) if i.id in failed and "heldout" in i.splits]
    write_records(instructions, rows)


if __name__ == "__main__":
    run(main)
