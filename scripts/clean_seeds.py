"""Read, clean and split the seed instructions: results/{task}/seeds.jsonl

python scripts/clean_seeds.py --help
"""

from pathlib import Path

from reversegen import seeds as seed_module
from reversegen.configuration import DataSource
from reversegen.kinds import KINDS
from reversegen.records import write_records
from reversegen.stage import run


def main(kind: str, sources: dict[str, DataSource], files: list[Path], heldout_share: float, seeds: Path) -> None:
    """`files` are those of the sources that are no corpus, in the order of `sources`."""
    named = dict(zip((name for name, source in sources.items() if not source.corpus), files, strict=True))
    write_records(seeds, seed_module.clean_seeds(sources, named, heldout_share, KINDS[kind]))


if __name__ == "__main__":
    run(main)
