"""Let a target answer its test sets, once and greedily: results/{task}/{version}/responses.jsonl

python scripts/answer_tests.py --help
"""

from pathlib import Path

from reversegen import generation
from reversegen.configuration import Answering, KindUse, ModelUse
from reversegen.engine import Decoding
from reversegen.engines import open_engine
from reversegen.kinds import open_kind
from reversegen.seeds import read_questions
from reversegen.stage import run


def main(
    tests: list[Path],
    target: list[Path],
    responses: Path,
    kind: KindUse,
    model: ModelUse,
    settings: Answering,
    shard: str,
    threads: int,
) -> None:
    """Ask every question of every set that is of the shard, once where sets share it."""
    asked = {i: q.text for i, q in read_questions(tests).items()}
    engine = open_engine(model, target[0] if target else None, Decoding(settings.max_new_tokens), threads)
    questions, size = list(asked.items()), settings.batch_size
    generation.answer_questions(responses, questions, engine, open_kind(kind), settings.system, size, 1, (), shard)


if __name__ == "__main__":
    run(main)
