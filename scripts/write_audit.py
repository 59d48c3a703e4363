"""Select rows of an iteration for a person to judge: results/{task}/iter{iteration}/audit.csv

python scripts/write_audit.py --instructions results/tiny-math/iter1/instructions.jsonl \
--labels results/tiny-math/iter1/labels.jsonl --responses results/tiny-math/iter1/responses.jsonl \
--references results/tiny-math/iter1/references.jsonl --judgements --holdout --audit results/tiny-math/iter1/audit.csv \
--random-seed 0
"""

from pathlib import Path

from reversegen.core.records import Instruction, Label, Reference, Response, read_records
from reversegen.evaluation.audit import choose_rows, read_audit, write_audit
from reversegen.evaluation.votes import read_votes
from reversegen.stage import run


def main(
    instructions: Path, labels: Path, responses: Path, references: list[Path], judgements: list[Path], holdout: list[Path],
    audit: Path, random_seed: int,
) -> None:  # fmt: skip
    """Write the rows, first those on which the judges of `judgements` and `holdout` disagree. A person's verdicts are
    kept; if their texts are no longer in the iteration, in audit.before.csv."""
    before = read_audit(audit) if audit.is_file() else []
    rows = choose_rows(
        read_records(instructions, Instruction),
        read_records(labels, Label),
        read_records(responses, Response),
        [row for path in references for row in read_records(path, Reference)],
        {row["instruction_id"]: row["person"] for row in before if row["person"]},
        read_votes(judgements, holdout).disagreements,
        random_seed,
    )
    chosen = {row["instruction_id"] for row in rows}
    if replaced := [row for row in before if row["person"] and row["instruction_id"] not in chosen]:
        backup = audit.with_name("audit.before.csv")
        earlier = read_audit(backup) if backup.is_file() else []
        ids = {row["instruction_id"] for row in replaced}
        write_audit(backup, [*(row for row in earlier if row["instruction_id"] not in ids), *replaced])
    write_audit(audit, rows)


if __name__ == "__main__":
    run(main)
