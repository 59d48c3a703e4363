"""Tabulate what the jobs of a task asked for and used: results/{task}/resource_usage.md

python scripts/write_resource_usage.py --help
"""

from pathlib import Path

from reversegen.core.files import write_text
from reversegen.operations import resource_usage as efficiency
from reversegen.stage import run


def main(benchmarks: Path, markdown: Path) -> None:
    """Read every benchmark file below `benchmarks`."""
    write_text(markdown, efficiency.markdown(efficiency.read_jobs(benchmarks)))


if __name__ == "__main__":
    run(main)
