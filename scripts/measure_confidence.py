"""Measure how sure a target is of its answers: results/{task}/{variant}/confidences.jsonl

python scripts/measure_confidence.py --help
"""

from pathlib import Path

from reversegen.config.models import ModelUse
from reversegen.config.task import Answering, KindUse
from reversegen.core.records import Question, Response, read_records
from reversegen.engines import open_engine
from reversegen.engines.base import Decoding
from reversegen.kinds import open_kind
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
    """Take the probabilities of the answers that count for accuracy."""
    said = {r.instruction_id: r.text for r in read_records(responses, Response)}
    questions = {q.id: q for path in tests for q in read_records(path, Question) if q.measure == "accuracy"}
    answered = [(i, q.text, said[i]) for i, q in questions.items()]
    engine = open_engine(model, target[0] if target else None, Decoding(settings.max_new_tokens), threads)
    measure_confidence(confidences, answered, engine, open_kind(kind), settings.system, settings.batch_size)


if __name__ == "__main__":
    run(main)
