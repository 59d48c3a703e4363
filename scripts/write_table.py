"""Tabulate a task's proposers and targets: results/{task}/table.md and table.csv

python scripts/write_table.py --proposers results/tiny-math/iter?/eval.json --targets results/tiny-math/original/eval.json \
results/tiny-math/enhanced/*/eval.json --tests results/tiny-math/tests/*.jsonl --gates results/tiny-math/contamination.json \
--markdown results/tiny-math/table.md --csv results/tiny-math/table.csv --task tiny-math --reused --kind \
'{"name":"math","worlds":["arithmetic"]}'
"""

import logging
from pathlib import Path

from reversegen.config.task import KindUse
from reversegen.core.files import write_text
from reversegen.kinds import open_kind
from reversegen.reporting.rows import read_evaluations, read_outcomes
from reversegen.reporting.table_file import table_markdown
from reversegen.reporting.tables import comma_separated
from reversegen.stage import run


def main(
    proposers: list[Path], targets: list[Path], tests: list[Path], gates: list[Path], markdown: Path, csv: Path,
    task: str, reused: list[str], kind: KindUse,
) -> None:  # fmt: skip
    """Write the tables of one task, with one or several random seeds. The evaluated files lie beside each evaluation.

    `gates` are the contamination reports.
    """
    paths = [*proposers, *targets]
    evaluations = read_evaluations(paths, task, reused)
    outcomes = read_outcomes(paths, tests, task, reused, open_kind(kind))
    write_text(csv, comma_separated(evaluations, outcomes))
    write_text(markdown, text := table_markdown(evaluations, outcomes, gates))
    logging.getLogger("reversegen").info("%s\n\n%s", markdown, text)


if __name__ == "__main__":
    run(main)
