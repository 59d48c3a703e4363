"""Show a task's findings as one self-contained page: results/{task}/report.html

python scripts/write_report.py --help
"""

from pathlib import Path

from reversegen import report
from reversegen.artefacts import write_text
from reversegen.stage import run
from reversegen.tables import read_evaluations


def main(proposers: list[Path], targets: list[Path], page: Path, task: str, reused: list[str]) -> None:
    """The evaluations are of one task, with one or several random seeds."""
    write_text(page, report.page(read_evaluations([*proposers, *targets], task, reused)))


if __name__ == "__main__":
    run(main)
