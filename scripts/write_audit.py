"""Choose rows of an iteration for a person to judge: results/{task}/iter{iteration}/audit.csv

python scripts/write_audit.py --help
"""

from pathlib import Path

from reversegen.core.records import Instruction, Label, Reference, Response, read_records
from reversegen.evaluation.audit import choose_rows, read_audit, write_audit
from reversegen.stage import run


def main(
    instructions: Path, labels: Path, responses: Path, references: list[Path], audit: Path, random_seed: int
) -> None:
    """Write the rows; what a person has filled in stays, in a file beside where the iteration has another text now."""
    before = read_audit(audit) if audit.is_file() else []
    rows = choose_rows(
        read_records(instructions, Instruction),
        read_records(labels, Label),
        read_records(responses, Response),
        [row for path in references for row in read_records(path, Reference)],
        {row["instruction_id"]: row["person"] for row in before if row["person"]},
        random_seed,
    )
    chosen = {row["instruction_id"] for row in rows}
    if gone := [row for row in before if row["person"] and row["instruction_id"] not in chosen]:
        kept = audit.with_name("audit.before.csv")
        earlier = read_audit(kept) if kept.is_file() else []
        ids = {row["instruction_id"] for row in gone}
        write_audit(kept, [*(row for row in earlier if row["instruction_id"] not in ids), *gone])
    write_audit(audit, rows)


if __name__ == "__main__":
    run(main)
