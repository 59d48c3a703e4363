"""Read one test set of the target: results/{task}/tests/{set}.jsonl

python scripts/build_tests.py --kind '{"name":"math","worlds":["arithmetic"]}' --name pretraining --files \
--questions results/tiny-math/tests/pretraining.jsonl --source '{"corpus":{"world":"arithmetic","mix":"pretraining",'\
'"part":"test","count":800,"random_seed":4,"distinct":true},"licence":"made here","measures":"retained"}'
"""

from pathlib import Path

from reversegen.config.data import DataSource
from reversegen.config.task import KindUse
from reversegen.core.records import write_records
from reversegen.kinds import open_kind
from reversegen.loop.seeds import build_tests
from reversegen.stage import run


def main(kind: KindUse, name: str, source: DataSource, files: list[Path], questions: Path) -> None:
    """Write the questions of `source`. `files` is empty for a corpus, and otherwise has the source's one file."""
    write_records(questions, build_tests(name, source, files[0] if files else None, open_kind(kind)))


if __name__ == "__main__":
    run(main)
