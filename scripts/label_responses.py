"""Judge the responses to instructions: results/{task}/{chain}/labels.jsonl

python scripts/label_responses.py --help
"""

from pathlib import Path

from reversegen import labels as label_module
from reversegen.kinds import KINDS
from reversegen.records import Instruction, Reference, Response, read_records, write_records
from reversegen.stage import run


def main(
    instructions: Path, responses: Path, references: Path, labels: Path, kind: str, checker_timeout: float
) -> None:
    """Write one verdict for each instruction that was asked."""
    asked = [i.id for i in read_records(instructions, Instruction) if i.asked]
    answers, trusted = read_records(responses, Response), read_records(references, Reference)
    write_records(labels, label_module.label_responses(asked, answers, trusted, checker_timeout, KINDS[kind]))


if __name__ == "__main__":
    run(main)
