"""Tabulate a task's proposers and targets: results/{task}/table.md and table.csv

python scripts/write_table.py --help
"""

import logging
from pathlib import Path

from reversegen import tables
from reversegen.artefacts import write_text
from reversegen.stage import run

log = logging.getLogger("reversegen")


def main(proposers: list[Path], targets: list[Path], markdown: Path, csv: Path, task: str, reused: list[str]) -> None:
    """The evaluations are of one task, with one or several random seeds."""
    evaluations = tables.read_evaluations([*proposers, *targets], task, reused)
    write_text(csv, tables.comma_separated(evaluations))
    write_text(markdown, tables.markdown(evaluations))
    log.info("%s\n\n%s", markdown, tables.markdown(evaluations))


if __name__ == "__main__":
    run(main)
