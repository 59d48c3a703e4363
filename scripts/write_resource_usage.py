"""Tabulate the resources that the jobs of a task requested and used: results/{task}/resource_usage.md

python scripts/write_resource_usage.py --benchmarks results/tiny-math/benchmarks \
--markdown results/tiny-math/resource_usage.md
"""

from pathlib import Path

from reversegen.core.files import write_text
from reversegen.operations.resource_usage import read_jobs, usage_table
from reversegen.stage import run


def main(benchmarks: Path, markdown: Path) -> None:
    """Read every benchmark file below `benchmarks`."""
    write_text(markdown, usage_table(read_jobs(benchmarks)))


if __name__ == "__main__":
    run(main)
