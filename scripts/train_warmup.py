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
    from reversegen.training.trainer import train_supervised

    rows = read_records(warmup, TrainingRow)
    only_completion = settings.completion_only_loss
    train_supervised(
        rows, base, model, proposer, settings.training, settings.lora, only_completion, random_seed, threads,
        "proposer", tracking,
    )  # fmt: skip


if __name__ == "__main__":
    run(main)
