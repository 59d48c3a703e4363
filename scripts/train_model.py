"""Train a tiny model from nothing on its corpus: results/models/{model}/

python scripts/train_model.py --help
"""

from pathlib import Path

from reversegen.config.models import TinyModel
from reversegen.core.records import Labelled, TrainingRow, read_records
from reversegen.stage import run


def main(corpus: Path, folder: Path, settings: TinyModel, threads: int) -> None:
    """Train on the conversations, or the judged answers, of `corpus` and write the model folder."""
    from reversegen.training.pretraining import train_classifier, train_model

    if settings.classifier:
        train_classifier(read_records(corpus, Labelled), settings, folder, threads)
    else:
        train_model(read_records(corpus, TrainingRow), settings, folder, threads)


if __name__ == "__main__":
    run(main)
