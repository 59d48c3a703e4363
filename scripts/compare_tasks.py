"""Tabulate and draw several tasks from stored outcomes: results/tables/{table}.csv, .md, .tex, results/figures/{table}.svg

python scripts/compare_tasks.py --outcomes results/tiny-math/outcomes.json --stored --reported resources/reported.csv \
--csv math.csv --markdown math.md --tex math.tex --svg math.svg --table math --missing --faulty
"""

import logging
from pathlib import Path

from reversegen.core.files import write_text
from reversegen.evaluation.outcomes import read_run
from reversegen.reporting import comparison_files
from reversegen.reporting.comparisons import parts
from reversegen.reporting.figures import figure
from reversegen.reporting.reported import read_reported
from reversegen.stage import run


def main(
    outcomes: list[Path], stored: list[Path], reported: Path,
    csv: Path, markdown: Path, tex: Path, svg: Path,
    table: str, missing: list[str], faulty: list[str],
) -> None:  # fmt: skip
    """Write the four files of a table. `outcomes` are those of your own runs, `stored` those that ship with the workflow.

    `missing` names tasks of the table that have no outcomes; `faulty` names tasks whose file has a fault, each with the fault.
    """
    runs, shipped = ([read_run(path) for path in paths] for paths in (outcomes, stored))
    grids, numbers = parts(table, [*runs, *shipped]), read_reported(reported, table)
    below = comparison_files.notes(grids, numbers, [run.task for run in shipped], missing)
    below += [comparison_files.plain(f"Not shown, since its file has a fault: {fault}.") for fault in faulty]
    write_text(csv, comparison_files.comma_separated(table, grids, numbers))
    write_text(tex, comparison_files.tex(table, grids, numbers, below))
    write_text(svg, figure(table, grids))
    write_text(markdown, comparison_files.markdown(table, grids, numbers, below))
    logging.getLogger("reversegen").info("%s\n\n%s", markdown, markdown.read_text())


if __name__ == "__main__":
    run(main)
