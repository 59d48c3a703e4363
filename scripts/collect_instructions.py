"""Parse samples into distinct instructions and mark near-duplicates: results/{task}/{chain}/instructions.jsonl

python scripts/collect_instructions.py --help
"""

from pathlib import Path

from reversegen import instructions as instruction_module
from reversegen.configuration import Deduplication, KindUse
from reversegen.kinds import open_kind
from reversegen.records import Sample, read_records, write_records
from reversegen.stage import run


def main(samples: Path, instructions: Path, kind: KindUse, settings: Deduplication) -> None:
    """Write one record for each distinct text."""
    collected = instruction_module.collect_instructions(read_records(samples, Sample), settings, open_kind(kind))
    write_records(instructions, collected)


if __name__ == "__main__":
    run(main)
