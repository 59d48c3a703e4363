"""Train a tiny model from nothing on its corpus: results/models/{model}/

python scripts/train_model.py --help
"""

from pathlib import Path

from reversegen.configuration import TinyModel
from reversegen.records import TrainingRow, read_records
from reversegen.stage import run


def main(corpus: Path, folder: Path, settings: TinyModel, threads: int) -> None:
    """Train on the conversations of `corpus` and write the model folder."""
    from reversegen.pretraining import train_model

    train_model(read_records(corpus, TrainingRow), settings, folder, threads)


if __name__ == "__main__":
    run(main)
