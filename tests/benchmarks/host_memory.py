"""Memory of `clean_seeds` on 0.2, 0.7 and 2.3 million rows of MMIQC's shape: whole, capped, and if 1 row in 24 is usable.

The rows are made: a question of 240 characters and a solution of 560, and no question repeats. MMIQC has 2.3 million rows, of
which some 95,000 different ones are in the published parts: 1 row in 24. Each run is a separate process, which reports its
peak. A row's `ratio` holds the peak in megabytes. Its bar is the memory of the rule's job, less Snakemake's own 230.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[2] / "scripts")]

from tests.benchmarks.timing import value_row

SIZES = (200_000, 700_000, 2_300_000)
LIMIT, CAP = 1_770.0, 40_000
"""Megabytes, and the rows that the task math takes."""
TEXT = "how many pens does each of them have when they share alike what is left after a day of work and rest"
WORDS = TEXT.split()


def measure() -> list[dict[str, Any]]:
    """Three rows for each size."""
    rows = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as name:
            for part, every in (("a row in 24 kept", 24), ("all kept", 1)):
                file = Path(name) / "rows.jsonl"
                _write(file, size, every)
                rows.append(_row(file, f"{size:,} rows, {part}", None))
            rows.append(_row(file, f"{size:,} rows, {CAP:,} drawn", CAP))
    return rows


def _row(file: Path, label: str, cap: int | None) -> dict[str, Any]:
    words = [sys.executable, __file__, str(file), json.dumps(cap)]
    megabytes = float(subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout)
    return value_row("clean_seeds: MB of memory", "a limit", label, [megabytes], LIMIT)


def _write(file: Path, size: int, every: int) -> None:
    """Write rows of which one in `every` is in a part that the task takes."""
    rng = random.Random(0)
    with file.open("w") as lines:
        for number in range(size):
            question = f"Tom has {number} pens and {' '.join(rng.choices(WORDS, k=44))}"[:235] + " ?"
            solution = f"{' '.join(rng.choices(WORDS, k=120))}"[:540] + f"\nThe answer is: {number}"
            source = "GSM_Rephrased" if number % every == 0 else "stack_exchange"
            row = {"instruction": f"{question} The answer is:", "output": solution, "source": source}
            lines.write(f"{json.dumps(row)}\n")


def _clean(file: Path, cap: int | None) -> None:
    """Run the stage in this process and print its peak memory."""
    import clean_seeds
    from reversegen.config.data import DataSource
    from reversegen.config.task import KindUse

    source = DataSource(file=file, licence="made here", rows=cap)
    clean_seeds.main(KindUse(name="math"), {"made": source}, [file], [], 0.1, file.with_name("seeds.jsonl"))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)


if __name__ == "__main__":
    _clean(Path(sys.argv[1]), json.loads(sys.argv[2]))
