"""Let the teacher answer the instructions or seeds: results/{task}/{arm}/references.jsonl

python scripts/write_references.py --help
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
    """Answer the shard's part of the questions. `folder` is empty for a solver or an endpoint, `model` null for a solver."""
    open_engine = partial(open_stage_engine, model, folder, threads, references, endpoint_limits)
    source = open_teacher(teacher, model, open_engine, open_kind(kind), settings, checker_timeout)
    answer_by_teacher(references, read_questions(questions, record), source, (random_seed, arm), shard)


if __name__ == "__main__":
    run(main)
