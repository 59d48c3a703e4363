"""Read one test set of the target: results/{task}/tests/{set}.jsonl

python scripts/build_tests.py --help
"""

from pathlib import Path

from reversegen.config.data import DataSource
from reversegen.config.task import KindUse
from reversegen.core.records import write_records
from reversegen.kinds import open_kind
from reversegen.loop import seeds
from reversegen.stage import run


def main(kind: KindUse, name: str, source: DataSource, files: list[Path], questions: Path) -> None:
    """`files` is empty for a corpus, and the source's one file otherwise."""
    write_records(questions, seeds.build_tests(name, source, files[0] if files else None, open_kind(kind)))


if __name__ == "__main__":
    run(main)
