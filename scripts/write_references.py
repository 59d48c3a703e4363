"""Let the teacher answer the instructions: results/{task}/{arm}/references.jsonl

python scripts/write_references.py --help
"""

from pathlib import Path

from reversegen.config.models import Limits, ModelUse
from reversegen.config.task import KindUse, Teaching
from reversegen.core.records import Instruction, Seed, read_records, write_records
from reversegen.core.shards import share
from reversegen.engines import open_engine
from reversegen.engines.base import Decoding
from reversegen.engines.endpoint.call_log import calls_folder
from reversegen.kinds import open_kind
from reversegen.loop.references import solve
from reversegen.loop.solvability import SOLVABILITY_TOKENS, gives_probabilities
from reversegen.loop.teaching import Teacher, answer_by_teacher
from reversegen.stage import run
from reversegen.worlds import SOLVERS


def main(
    instructions: list[Path],
    seeds: list[Path],
    folder: list[Path],
    references: Path,
    kind: KindUse,
    teacher: str,
    model: ModelUse | None,
    endpoint_limits: Limits | None,
    settings: Teaching,
    arm: str,
    checker_timeout: float,
    random_seed: int,
    shard: str,
    threads: int,
) -> None:
    """Answer the shard's part of `instructions` and `seeds`. `folder` is empty for a solver or an endpoint."""
    asked = [(i.id, i.text) for path in instructions for i in read_records(path, Instruction) if i.asked]
    asked += [(s.id, s.text) for path in seeds for s in read_records(path, Seed)]
    opened = open_kind(kind)
    if teacher in SOLVERS:
        write_records(references, solve(share(asked, shard), teacher, opened))
        return
    assert model is not None
    place = folder[0] if folder else None
    temperature = settings.temperature if settings.samples > 1 else 0.0
    calls = calls_folder(references)
    decoding = Decoding(settings.max_new_tokens, temperature)
    engine = open_engine(model, place, decoding, threads, calls, endpoint_limits)
    yes_or_no = None
    if settings.solvable and not gives_probabilities(model):
        yes_or_no = open_engine(model, place, Decoding(SOLVABILITY_TOKENS), threads, calls, endpoint_limits)
    draw = (random_seed, arm)
    structured = model.endpoint is not None and model.endpoint.structured
    asking = Teacher(teacher, engine, yes_or_no, opened, settings, checker_timeout, structured)
    answer_by_teacher(references, asked, asking, draw, shard)


if __name__ == "__main__":
    run(main)
