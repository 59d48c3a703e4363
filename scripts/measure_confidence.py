"""Measure how sure a target is of its answers: results/{task}/{variant}/confidences.jsonl

python scripts/measure_confidence.py --tests results/tiny-honesty/tests/*.jsonl --target results/models/tiny-knowledge \
--responses results/tiny-honesty/original/responses.jsonl --confidences confidences.jsonl --kind \
'{"name":"honesty","worlds":["knowledge"],"honesty":{"samples":10,"temperature":1,"threshold":1.193,'\
'"none_of_the_above":false,"sure_question":"are you sure ?","sure":"sure","unsure":"unsure"}}' --model '{}' --settings \
'{"system":null,"max_new_tokens":2,"batch_size":2560}' --threads 1
"""

from pathlib import Path

from reversegen.config.models import ModelUse
from reversegen.config.task import Answering, KindUse
from reversegen.core.records import Question, Response, read_records
from reversegen.engines import open_engine
from reversegen.engines.base import Decoding
from reversegen.kinds import open_kind
from reversegen.kinds.base import ACCURACY
from reversegen.loop.confidence import measure_confidence
from reversegen.stage import run


def main(
    tests: list[Path],
    target: list[Path],
    responses: Path,
    confidences: Path,
    kind: KindUse,
    model: ModelUse,
    settings: Answering,
    threads: int,
) -> None:
    """Write the probabilities of the answers that count for accuracy."""
    texts = {r.instruction_id: r.text for r in read_records(responses, Response)}
    questions = {q.id: q for path in tests for q in read_records(path, Question) if q.measure == ACCURACY.name}
    answered = [(i, q.text, texts[i]) for i, q in questions.items()]
    engine = open_engine(model, target[0] if target else None, Decoding(settings.max_new_tokens), threads)
    measure_confidence(confidences, answered, engine, open_kind(kind), settings.system, settings.batch_size)


if __name__ == "__main__":
    run(main)
