"""Let the judge model read answers: results/{task}/{arm}/judgements.jsonl

python scripts/judge_responses.py --instructions results/tiny-safety/iter1/instructions.jsonl --seeds --tests --responses \
results/tiny-safety/iter1/responses.jsonl --references --folder results/models/tiny-policy-judge --judgements \
results/tiny-safety/iter1/judgements.jsonl --kind '{"name":"safety","worlds":["policy"]}' --judge \
'{"model":"tiny-policy-judge","format":"classifier","failed_labels":["failed"],"batch_size":256}' --model '{}' \
--endpoint-limits null --shard 1-of-1 --threads 1
"""

from pathlib import Path

from reversegen.config.models import Limits, ModelUse
from reversegen.config.task import Judge, KindUse
from reversegen.engines.endpoint.call_log import calls_folder
from reversegen.judges.judge import open_judge
from reversegen.kinds import open_kind
from reversegen.loop.judging import judge_answers, read_judged_answers
from reversegen.stage import run


def main(
    instructions: list[Path],
    seeds: list[Path],
    tests: list[Path],
    responses: list[Path],
    references: list[Path],
    folder: list[Path],
    judgements: Path,
    kind: KindUse,
    judge: Judge,
    model: ModelUse,
    endpoint_limits: Limits | None,
    shard: str,
    threads: int,
) -> None:
    """Judge the first response, or the teacher's solution, of each question in the shard that has one."""
    answers = read_judged_answers(instructions, seeds, tests, responses, references, judge.format, open_kind(kind))
    model_folder, calls = folder[0] if folder else None, calls_folder(judgements)
    opened = open_judge(judge, model, model_folder, threads, calls, endpoint_limits)
    judge_answers(judgements, answers, opened, judge.batch_size, shard)


if __name__ == "__main__":
    run(main)
