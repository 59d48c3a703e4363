"""Verify that no training row asks what is kept out of training: results/{task}/leaks.json

python scripts/check_leaks.py --help
"""

from dataclasses import asdict
from pathlib import Path

from reversegen.artefacts import write_json
from reversegen.configuration import Deduplication, KindUse
from reversegen.configuration import Leaks as Limits
from reversegen.errors import BadInput
from reversegen.kinds import open_kind
from reversegen.leaks import KeptOut, find_leaks, taught
from reversegen.records import Pair, Question, Seed, TrainingRow, read_records
from reversegen.stage import run


def main(
    rows: list[Path],
    pairs: list[Path],
    tests: list[Path],
    seeds: Path,
    leaks: Path,
    kind: KindUse,
    settings: Deduplication,
    limits: Limits,
) -> None:
    """Stops the run where a row of `rows` or `pairs` overlaps with a test set or a held-out seed."""
    training = {str(p.parent.name): [t for r in read_records(p, TrainingRow) for t in taught(r)] for p in rows}
    training |= {f"{p.parent.name} pairs": [t for r in read_records(p, Pair) for t in taught(r)] for p in pairs}
    kept_out = {p.stem: KeptOut([q.text for q in read_records(p, Question)], None) for p in tests}
    heldout = [s for s in read_records(seeds, Seed) if s.split == "heldout"]
    kept_out["heldout seeds"] = KeptOut([s.text for s in heldout], frozenset(s.id for s in heldout))
    found = find_leaks(training, kept_out, settings, open_kind(kind))
    if fault := found.fault(limits.near_share):
        raise BadInput(fault)
    write_json(leaks, asdict(found))


if __name__ == "__main__":
    run(main)
