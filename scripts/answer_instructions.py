"""Let the target answer the instructions: results/{task}/{arm}/responses.jsonl

python scripts/answer_instructions.py --help
"""

from pathlib import Path

from reversegen.config.models import Limits, ModelUse
from reversegen.config.task import Answering, KindUse
from reversegen.core.records import Instruction, read_records
from reversegen.engines import open_engine
from reversegen.engines.base import Decoding
from reversegen.engines.endpoint.call_log import calls_folder
from reversegen.kinds import open_kind
from reversegen.loop.answering import answer_questions
from reversegen.stage import run


def main(
    instructions: Path,
    target: list[Path],
    responses: Path,
    kind: KindUse,
    model: ModelUse,
    endpoint_limits: Limits | None,
    settings: Answering,
    arm: str,
    random_seed: int,
    shard: str,
    threads: int,
) -> None:
    """Ask every well-formed instruction of the shard, once or as often as the kind votes. `target` is empty for an endpoint."""
    opened = open_kind(kind)
    asked = [(i.id, i.text) for i in read_records(instructions, Instruction) if i.asked]
    decoding = Decoding(settings.max_new_tokens, opened.decision.temperature)
    folder = target[0] if target else None
    engine = open_engine(model, folder, decoding, threads, calls_folder(responses), endpoint_limits)
    samples = opened.decision.samples
    draw = (random_seed, arm)
    answer_questions(
        responses,
        asked,
        engine,
        opened,
        settings,
        samples,
        draw,
        shard,
    )


if __name__ == "__main__":
    run(main)
