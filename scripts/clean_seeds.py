"""Read, clean and split the seed instructions: results/{task}/seeds.jsonl

python scripts/clean_seeds.py --kind '{"name":"math","worlds":["arithmetic"]}' --files --tests results/tiny-math/tests/*.jsonl \
--heldout-share 0.1 --seeds results/tiny-math/seeds.jsonl --sources '{"arithmetic":{"corpus":{"world":"arithmetic",'\
'"mix":"seeds","part":"train","count":5000,"random_seed":2,"distinct":true},"licence":"made here"}}'
"""

from pathlib import Path

from reversegen.config.data import DataSource
from reversegen.config.task import KindUse
from reversegen.core.records import Question, read_records, write_records
from reversegen.kinds import open_kind
from reversegen.loop.seeds import clean_seeds
from reversegen.stage import run


def main(
    kind: KindUse,
    sources: dict[str, DataSource],
    files: list[Path],
    tests: list[Path],
    heldout_share: float,
    seeds: Path,
) -> None:
    """Write the seeds. `files` are the files of all sources that are not a corpus, in the order of `sources`."""
    named = dict(zip((name for name, source in sources.items() if not source.corpus), files, strict=True))
    asked = [q for path in tests for q in read_records(path, Question)]
    write_records(seeds, clean_seeds(sources, named, asked, heldout_share, open_kind(kind)))


if __name__ == "__main__":
    run(main)
