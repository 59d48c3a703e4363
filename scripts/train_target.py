"""Enhance the target with the rows of one source: results/{task}/enhanced/{source}/target/

python scripts/train_target.py --help
"""

from pathlib import Path

from reversegen.config.models import ModelUse
from reversegen.config.training import Enhancement
from reversegen.config.workflow import Tracking
from reversegen.core.records import TrainingRow, read_records
from reversegen.stage import run


def main(
    rows: Path,
    base: Path,
    target: Path,
    model: ModelUse,
    settings: Enhancement,
    random_seed: int,
    threads: int,
    tracking: Tracking,
) -> None:
    """Fine-tune the original target on the conversations of `rows`; the loss is on the answers alone."""
    from reversegen.training.common import TrainingRun
    from reversegen.training.sft import train_supervised

    training = TrainingRun(base, model, target, "target", random_seed, threads, tracking)
    train_supervised(
        read_records(rows, TrainingRow), training, settings.training, settings.lora, completion_only_loss=True
    )


if __name__ == "__main__":
    run(main)
