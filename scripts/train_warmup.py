"""Warm proposer 0 up by supervised fine-tuning: results/{task}/iter0/proposer/

python scripts/train_warmup.py --help
"""

from pathlib import Path

from reversegen.config.models import ModelUse
from reversegen.config.training import Warmup
from reversegen.config.workflow import Tracking
from reversegen.core.records import TrainingRow, read_records
from reversegen.stage import run


def main(
    warmup: Path,
    base: Path,
    proposer: Path,
    model: ModelUse,
    settings: Warmup,
    random_seed: int,
    threads: int,
    tracking: Tracking,
) -> None:
    """Train the model of `base` on the three-shot rows."""
    from reversegen.training.common import TrainingRun
    from reversegen.training.sft import train_supervised

    training = TrainingRun(base, model, proposer, "proposer", random_seed, threads, tracking)
    rows = read_records(warmup, TrainingRow)
    train_supervised(rows, training, settings.training, settings.lora, settings.completion_only_loss)


if __name__ == "__main__":
    run(main)
