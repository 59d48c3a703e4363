"""Draw the seeds to ask: results/{task}/probe/drawn_seeds.jsonl and results/{task}/enhanced/drawn_seeds.jsonl

python scripts/draw_probe.py --seeds results/tiny-math/seeds.jsonl --probe \
--drawn results/tiny-math/enhanced/drawn_seeds.jsonl --purpose enhancement --most null --random-seed 0
"""

from pathlib import Path
from typing import Literal

from reversegen.core.records import write_records
from reversegen.loop.drawn_seeds import answered_seeds, probed_seeds
from reversegen.stage import run


def main(
    seeds: Path,
    probe: list[Path],
    drawn: Path,
    purpose: Literal["probe", "enhancement"],
    most: int | None,
    random_seed: int,
) -> None:
    """Draw `most` seeds, or take all if it is null. `probe` holds the labels of the seeds, or is empty."""
    if purpose == "probe":
        write_records(drawn, probed_seeds(seeds, most, random_seed))
    else:
        write_records(drawn, answered_seeds(seeds, probe, most, random_seed))


if __name__ == "__main__":
    run(main)
