"""Show the findings of a run on one screen: the summary of its table.md, and the page to open

make demo TASK=tiny-safety
"""

import logging
from pathlib import Path

from reversegen.reporting.table_file import read_summary
from reversegen.stage import run


def main(table: Path, page: Path) -> None:
    """Print the summary of `table`, then the paths of the page and of the table."""
    print(f"\n{read_summary(table)}\n\nThe page to open: {page}\nAll numbers:      {table}")


if __name__ == "__main__":
    logging.disable(logging.INFO)  # the command that repeats it is of no use here
    run(main)
