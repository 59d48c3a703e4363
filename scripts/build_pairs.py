"""Pair failing with passing instructions: results/{task}/iter{iteration}/pairs.jsonl

python scripts/build_pairs.py --help
"""

import logging
from pathlib import Path

from reversegen.config.task import KindUse
from reversegen.config.training import Pairing
from reversegen.core.records import Instruction, Label, Prompt, Question, Sample, Seed, read_records, write_records
from reversegen.kinds import open_kind
from reversegen.loop import pairs as pair_module
from reversegen.loop.enhancement import Barred
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
    """`chosen` is what made the target FAIL. The lists are those of iterations 0 to this one, in order.

    What asks a test question or is a held-out seed is left out.
    """
    opened = open_kind(kind)
    barred = Barred([*(q for path in tests for q in read_records(path, Question)), *read_records(seeds, Seed)], opened)
    judged = [
        pair_module.judged_instructions(
            read_records(i, Instruction),
            read_records(j, Label),
            read_records(s, Sample),
            read_records(p, Prompt),
            barred,
            opened,
        )
        for p, s, i, j in zip(prompts, samples, instructions, labels, strict=True)
    ]
    earlier = [one for of_iteration in judged[:-1] for one in of_iteration]
    built = pair_module.build_pairs(judged[-1], earlier, settings, random_seed, iteration)
    logging.getLogger("reversegen").info("pairs: %s", pair_module.pair_statistics(built))
    write_records(pairs, built)


if __name__ == "__main__":
    run(main)
