"""Train a tiny model from random weights on its corpus: results/models/{model}/

python scripts/train_model.py --corpus results/models/tiny-arithmetic.corpus.jsonl --folder results/models/tiny-arithmetic \
--threads 2 --settings '{"corpus":{"world":"arithmetic","mix":"pretraining","part":"all","count":44800,"random_seed":1,'\
'"distinct":false},"config":{"hidden_size":64,"intermediate_size":192,"num_hidden_layers":2,"num_attention_heads":4,'\
'"max_position_embeddings":256},"pretraining":{"steps":700,"batch_size":64,"learning_rate":0.005,"muon_learning_rate":0.03,'\
'"question_weight":0.1},"seed":0}'
"""

from pathlib import Path

from reversegen.config.tiny_model import TinyModel
from reversegen.core.records import Labelled, TrainingRow, read_records
from reversegen.stage import run


def main(corpus: Path, folder: Path, settings: TinyModel, threads: int) -> None:
    """Train on the conversations of `corpus`, or on its judged answers for a classifier, and write the model folder."""
    from reversegen.training.pretraining import train_classifier, train_model

    if settings.classifier:
        train_classifier(read_records(corpus, Labelled), settings, folder, threads)
    else:
        train_model(read_records(corpus, TrainingRow), settings, folder, threads)


if __name__ == "__main__":
    run(main)
