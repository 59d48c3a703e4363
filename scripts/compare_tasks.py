"""Tabulate and draw several tasks from stored outcomes: results/tables/{table}.csv, .md, .tex, results/figures/{table}.svg

python scripts/compare_tasks.py --help
"""

import logging
from pathlib import Path

from reversegen.core.files import write_text
from reversegen.evaluation.outcomes import read_run
from reversegen.reporting import comparisons
from reversegen.reporting.figures import figure
from reversegen.stage import run

log = logging.getLogger("reversegen")


def main(
    outcomes: list[Path],
    stored: list[Path],
    reported: Path,
    csv: Path,
    markdown: Path,
    tex: Path,
    svg: Path,
    table: str,
    missing: list[str],
    faulty: list[str],
) -> None:
    """`outcomes` are of runs made here, `stored` those that ship; `missing` names tasks of the table without either.

    `faulty` names those whose file has a fault, each with what it is.
    """
    runs, shipped = ([read_run(path) for path in paths] for paths in (outcomes, stored))
    parts = comparisons.parts(table, [*runs, *shipped])
    told = comparisons.read_reported(reported, table)
    below = comparisons.notes(table, parts, told, [each.task for each in shipped], missing)
    below += [comparisons.plain(f"Not shown, since its file has a fault: {one}.") for one in faulty]
    write_text(csv, comparisons.comma_separated(table, parts, told))
    write_text(tex, comparisons.tex(table, parts, told, below))
    write_text(svg, figure(table, parts))
    write_text(markdown, comparisons.markdown(table, parts, told, below))
    log.info("%s\n\n%s", markdown, comparisons.markdown(table, parts, told, below))


if __name__ == "__main__":
    run(main)
