"""Verify that no training row asks what a test question asks: results/{task}/leaks.json

python scripts/check_leaks.py --help
"""

from pathlib import Path

from reversegen.artefacts import write_json
from reversegen.enhancement import SOURCES, find_leaks
from reversegen.errors import BadInput
from reversegen.kinds import KINDS
from reversegen.records import Question, TrainingRow, read_records
from reversegen.stage import run


def main(rows: list[Path], tests: list[Path], leaks: Path, kind: str) -> None:
    """`rows` are the training files of the sources in order. Stops the run where a row overlaps with a test."""
    sources = {name: read_records(path, TrainingRow) for name, path in zip(SOURCES, rows, strict=True)}
    sets = {path.stem: read_records(path, Question) for path in tests}
    found = find_leaks(sources, sets, KINDS[kind])
    leaking = {f"{source} with {test}": n for source, counts in found.items() for test, n in counts.items() if n}
    if leaking:
        raise BadInput(
            f"training rows ask what test questions ask: {leaking}; select_enhancement must have dropped them"
        )
    write_json(leaks, {"exact": found})


if __name__ == "__main__":
    run(main)
