"""Choose equally many rows of every source to repair the target: results/{task}/enhanced/{source}/train.jsonl

python scripts/select_enhancement.py --help
"""

import logging
from pathlib import Path

from reversegen import enhancement
from reversegen.artefacts import write_json
from reversegen.configuration import Enhancement
from reversegen.kinds import KINDS
from reversegen.records import Instruction, Label, Question, Reference, Response, Seed, read_records, write_records
from reversegen.stage import run


def main(
    instructions: list[Path],
    labels: list[Path],
    references: list[Path],
    responses: list[Path],
    seeds: Path,
    seed_references: Path,
    tests: list[Path],
    reversegen: Path,
    warmup: Path,
    warmup_failures: Path,
    seed_rows: Path,
    selection: Path,
    kind: str,
    settings: Enhancement,
    system: str | None,
    random_seed: int,
) -> None:
    """Lists are of iteration 0, the control and iterations 1 to N, in this order; `responses` of the first two."""
    found = [
        enhancement.Found(read_records(i, Instruction), read_records(j, Label), read_records(r, Reference))
        for i, j, r in zip(instructions, labels, references, strict=True)
    ]
    trusted = {r.instruction_id: r for r in read_records(seed_references, Reference)}
    selected = enhancement.select_rows(
        trained=found[2:],
        warmup=found[:2],
        seeds=[(s, trusted[s.id]) for s in read_records(seeds, Seed) if s.id in trusted],
        responses={r.instruction_id: r for path in responses for r in read_records(path, Response)},
        tests=[q for path in tests for q in read_records(path, Question)],
        enhancement=settings,
        system=system,
        random_seed=random_seed,
        kind=KINDS[kind],
    )
    logging.getLogger("reversegen").info("selected: %s", selected.summary)
    outputs = (reversegen, warmup, warmup_failures, seed_rows)
    for source, path in zip(enhancement.SOURCES, outputs, strict=True):
        write_records(path, selected.rows[source])
    write_json(selection, selected.summary)


if __name__ == "__main__":
    run(main)
