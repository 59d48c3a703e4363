"""Pair failing with passing instructions: results/{task}/iter{iteration}/pairs.jsonl

python scripts/build_pairs.py --help
"""

import logging
from pathlib import Path

from reversegen import pairs as pair_module
from reversegen.configuration import Pairing
from reversegen.kinds import KINDS
from reversegen.records import Instruction, Label, Prompt, Sample, read_records, write_records
from reversegen.stage import run


def main(
    prompts: list[Path],
    samples: list[Path],
    instructions: list[Path],
    labels: list[Path],
    pairs: Path,
    kind: str,
    settings: Pairing,
    iteration: int,
    random_seed: int,
) -> None:
    """The inputs are those of iterations 0 to this one, in order. `chosen` is what made the target FAIL."""
    judged = [
        pair_module.judged_instructions(
            read_records(i, Instruction), read_records(j, Label), read_records(s, Sample), read_records(p, Prompt)
        )
        for p, s, i, j in zip(prompts, samples, instructions, labels, strict=True)
    ]
    earlier = [one for of_iteration in judged[:-1] for one in of_iteration]
    built = pair_module.build_pairs(judged[-1], earlier, settings, random_seed, iteration, KINDS[kind])
    logging.getLogger("reversegen").info("pairs: %s", pair_module.pair_statistics(built))
    write_records(pairs, built)


if __name__ == "__main__":
    run(main)
