"""Draw the corpus that a tiny model is trained on: results/models/{model}.corpus.jsonl

python scripts/write_corpus.py --corpus results/models/tiny-arithmetic.corpus.jsonl \
--settings '{"world":"arithmetic","mix":"pretraining","part":"all","count":44800,"random_seed":1,"distinct":false}'
"""

from pathlib import Path

from reversegen.config.data import Corpus
from reversegen.core.records import Message, TrainingRow, write_records
from reversegen.loop import seeds
from reversegen.stage import run
from reversegen.worlds import draw_examples


def main(settings: Corpus, corpus: Path) -> None:
    """Write questions and answers as conversations. Answers with verdicts become a labelled set, for a classifier."""
    examples = draw_examples(settings)
    if examples[0].verdict is not None:
        write_records(corpus, [seeds.labelled(e.question, str(e.answer), e.verdict) for e in examples])
        return
    rows = [
        TrainingRow(
            prompt=[Message(role="user", content=e.question)],
            completion=[Message(role="assistant", content=str(e.answer))],
            instruction_id=str(n),
            origin="corpus",
        )
        for n, e in enumerate(examples)
    ]
    write_records(corpus, rows)


if __name__ == "__main__":
    run(main)
