"""Let a target answer instructions, seeds or tests: results/{task}/{arm}/responses.jsonl, also of the probe and of variants

python scripts/answer_questions.py --questions results/tiny-math/tests/test.jsonl --record tests --responses responses.jsonl \
--target results/models/tiny-arithmetic --kind '{"name":"math","worlds":["arithmetic"]}' --model '{}' --endpoint-limits null \
--settings '{"system":null,"max_new_tokens":28,"batch_size":256}' --arm null --random-seed 0 --shard 1-of-1 --threads 1
"""

from pathlib import Path

from reversegen.config.models import Limits, ModelUse
from reversegen.config.task import Answering, KindUse
from reversegen.engines.base import Decoding
from reversegen.kinds import open_kind
from reversegen.kinds.base import Decision
from reversegen.loop.answering import answer_questions
from reversegen.loop.engines import open_stage_engine
from reversegen.loop.questions import QuestionRecord, read_questions
from reversegen.stage import run


def main(
    questions: list[Path], record: QuestionRecord, target: list[Path], responses: Path,
    kind: KindUse, model: ModelUse, endpoint_limits: Limits | None, settings: Answering,
    arm: str | None, random_seed: int, shard: str, threads: int,
) -> None:  # fmt: skip
    """Answer the shard's questions: drawn for `arm`, as often as the kind needs, or once and greedily if `arm` is null."""
    opened, draw = open_kind(kind), (random_seed, arm) if arm else ()
    decision = opened.decision if arm else Decision()
    if record == "chosen" and opened.sampled:
        decision = opened.sampled.decision
    if record == "tests" and arm and opened.repetition:
        decision = opened.repetition.decision
    decoding = Decoding(settings.max_new_tokens, decision.temperature)
    engine = open_stage_engine(model, target, threads, responses, endpoint_limits, decoding)
    answer_questions(
        responses, read_questions(questions, record), engine, opened, settings, decision.samples, draw, shard
    )


if __name__ == "__main__":
    run(main)
