"""Let a judge read answers: results/{task}/{arm}/judgements/{judge}.jsonl

python scripts/judge_responses.py --instructions results/tiny-safety/iter1/instructions.jsonl --seeds --tests --responses \
results/tiny-safety/iter1/responses.jsonl --references --folder results/models/tiny-policy-judge --judgements \
results/tiny-safety/iter1/judgements/tiny-policy-judge.jsonl --kind '{"name":"safety","worlds":["policy"]}' --judge \
'{"model":"tiny-policy-judge","format":"classifier","failed_labels":["failed"],"batch_size":256}' --model '{}' \
--endpoint-limits null --holdout false --shard 1-of-1 --threads 1
"""

from pathlib import Path

from reversegen.config.judge_settings import Judge
from reversegen.config.models import Limits, ModelUse
from reversegen.config.task import KindUse
from reversegen.engines.endpoint.call_log import calls_folder
from reversegen.judges.judge import open_judge
from reversegen.kinds import open_kind
from reversegen.loop.judging import judge_answers, read_judged_answers
from reversegen.stage import run


def main(
    instructions: list[Path], seeds: list[Path], tests: list[Path], responses: list[Path], references: list[Path],
    folder: list[Path], judgements: Path, kind: KindUse, judge: Judge, model: ModelUse | None,
    endpoint_limits: Limits | None, holdout: bool, shard: str, threads: int,
) -> None:  # fmt: skip
    """Judge the first response, or the teacher's solution, of each question in the shard that has one. A `holdout` judge reads
    only what it measures. `model` is null for the format exact."""
    files = instructions, seeds, tests, responses, references
    answers = read_judged_answers(*files, judge.format, open_kind(kind), holdout=holdout)
    model_folder, calls = folder[0] if folder else None, calls_folder(judgements)
    opened = open_judge(judge, model, model_folder, threads, calls, endpoint_limits, kind.worlds)
    judge_answers(judgements, answers, opened, judge.batch_size, shard)


if __name__ == "__main__":
    run(main)
