"""Pair failing with passing instructions: results/{task}/iter{iteration}/pairs.jsonl

python scripts/build_pairs.py --prompts results/tiny-math/iter0/prompts.jsonl --samples results/tiny-math/iter0/samples.jsonl \
--instructions results/tiny-math/iter0/instructions.jsonl --labels results/tiny-math/iter0/labels.jsonl --seeds \
results/tiny-math/seeds.jsonl --tests results/tiny-math/tests/*.jsonl --pairs results/tiny-math/iter0/pairs.jsonl --kind \
'{"name":"math","worlds":["arithmetic"]}' --settings '{"across_prompts":true,"max_reuse":8,"max_pairs":1000}' --iteration 0 \
--random-seed 0
"""

from itertools import chain
from pathlib import Path

from reversegen.config.task import KindUse
from reversegen.config.training import Pairing
from reversegen.core.records import write_records
from reversegen.kinds import open_kind
from reversegen.loop.barred import read_barred
from reversegen.loop.pairs import build_pairs, read_judged
from reversegen.stage import run


def main(
    prompts: list[Path],
    samples: list[Path],
    instructions: list[Path],
    labels: list[Path],
    seeds: Path,
    tests: list[Path],
    pairs: Path,
    kind: KindUse,
    settings: Pairing,
    iteration: int,
    random_seed: int,
) -> None:
    """Write the pairs; the target FAILED on `chosen`. Lists have the files of iterations 0 to this one, in order."""
    barred = read_barred(tests, seeds, open_kind(kind))
    *earlier, current = (
        read_judged(*files, barred) for files in zip(prompts, samples, instructions, labels, strict=True)
    )
    write_records(pairs, build_pairs(current, list(chain(*earlier)), settings, random_seed, iteration))


if __name__ == "__main__":
    run(main)
