"""Train the next proposer by DPO on the pairs of the iteration before it: results/{task}/iter{iteration}/proposer/

python scripts/train_proposer.py --help
"""

from pathlib import Path

from reversegen.config.models import ModelUse
from reversegen.config.training import Preference
from reversegen.config.workflow import Tracking
from reversegen.core.records import Pair, read_records
from reversegen.stage import run


def main(
    pairs: Path,
    previous: Path,
    reference: Path,
    proposer: Path,
    model: ModelUse,
    settings: Preference,
    random_seed: int,
    threads: int,
    tracking: Tracking,
) -> None:
    """Start from `previous`, held to `reference`: the same folder by default, proposer 0 by configuration."""
    from reversegen.training.common import TrainingRun
    from reversegen.training.dpo import train_preference

    training = TrainingRun(previous, model, proposer, "proposer", random_seed, threads, tracking)
    train_preference(read_records(pairs, Pair), training, reference, settings)


if __name__ == "__main__":
    run(main)
