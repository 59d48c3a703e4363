"""Let the teacher answer the instructions or seeds: results/{task}/{arm}/references.jsonl

python scripts/write_references.py --questions results/tiny-math/iter1/instructions.jsonl --record instructions --folder \
--references results/tiny-math/iter1/references.jsonl --kind '{"name":"math","worlds":["arithmetic"]}' --teacher arithmetic \
--model null --endpoint-limits null --settings '{"system":null,"max_new_tokens":2048,"batch_size":32,"samples":1,'\
'"agreeing":1,"temperature":0.7,"solvable":null}' --arm iter1 --checker-timeout 1 --random-seed 0 --shard 1-of-1 --threads 1
"""

from functools import partial
from pathlib import Path

from reversegen.config.models import Limits, ModelUse
from reversegen.config.task import KindUse, Teaching
from reversegen.kinds import open_kind
from reversegen.loop.engines import open_stage_engine
from reversegen.loop.questions import QuestionRecord, read_questions
from reversegen.loop.teaching import answer_by_teacher, open_teacher
from reversegen.stage import run


def main(
    questions: list[Path], record: QuestionRecord, folder: list[Path], references: Path,
    kind: KindUse, teacher: str, model: ModelUse | None, endpoint_limits: Limits | None, settings: Teaching,
    arm: str, checker_timeout: float, random_seed: int, shard: str, threads: int,
) -> None:  # fmt: skip
    """Answer the shard's questions. `folder` is empty for a solver or an endpoint, and `model` is null for a solver."""
    open_engine = partial(open_stage_engine, model, folder, threads, references, endpoint_limits)
    source = open_teacher(teacher, model, open_engine, open_kind(kind), settings, checker_timeout)
    answer_by_teacher(references, read_questions(questions, record), source, (random_seed, arm), shard)


if __name__ == "__main__":
    run(main)
