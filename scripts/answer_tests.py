"""Let a target answer its test sets, once and greedily: results/{task}/{variant}/responses.jsonl

python scripts/answer_tests.py --help
"""

from pathlib import Path

from reversegen.config.models import Limits, ModelUse
from reversegen.config.task import Answering, KindUse
from reversegen.engines import open_engine
from reversegen.engines.base import Decoding
from reversegen.engines.endpoint.call_log import calls_folder
from reversegen.kinds import open_kind
from reversegen.loop.answering import answer_questions
from reversegen.loop.seeds import read_tests
from reversegen.stage import run


def main(
    tests: list[Path],
    target: list[Path],
    responses: Path,
    kind: KindUse,
    model: ModelUse,
    endpoint_limits: Limits | None,
    settings: Answering,
    shard: str,
    threads: int,
) -> None:
    """Ask every question of every set that is of the shard, once where sets share it."""
    asked = {q.id: q.text for questions in read_tests(tests).values() for q in questions}
    folder = target[0] if target else None
    engine = open_engine(
        model, folder, Decoding(settings.max_new_tokens), threads, calls_folder(responses), endpoint_limits
    )
    questions = list(asked.items())
    answer_questions(
        responses,
        questions,
        engine,
        open_kind(kind),
        settings,
        1,
        (),
        shard,
    )


if __name__ == "__main__":
    run(main)
