"""Let a judge read the rows of the labelled sets on which it is checked: results/{task}/judge_check/{judge}.jsonl

python scripts/judge_labelled.py --files --openings resources/judge/refusals.jsonl --folder results/models/tiny-policy-judge \
--judgements results/tiny-safety/judge_check/tiny-policy-judge.jsonl --kind '{"name":"safety","worlds":["policy"]}' --sources \
'{"shipped":{"corpus":{"world":"policy","mix":"judged","part":"test","count":400,"random_seed":7,"distinct":false},'\
'"licence":"own"}}' --judge '{"model":"tiny-policy-judge","format":"classifier","failed_labels":["failed"]}' --model '{}' \
--endpoint-limits null --threads 1
"""

from pathlib import Path

from reversegen.config.data import DataSource
from reversegen.config.judge_settings import Judge
from reversegen.config.models import Limits, ModelUse
from reversegen.config.task import KindUse
from reversegen.core.records import Opening, read_records, write_records
from reversegen.engines.endpoint.call_log import calls_folder
from reversegen.evaluation.judge_check import judge_rows
from reversegen.judges import reads_refusals
from reversegen.judges.judge import open_judge
from reversegen.kinds import open_kind
from reversegen.loop.seeds import read_labelled_sets
from reversegen.stage import run


def main(
    files: list[Path], openings: list[Path], folder: list[Path], judgements: Path, kind: KindUse,
    sources: dict[str, DataSource], judge: Judge, model: ModelUse | None, endpoint_limits: Limits | None, threads: int,
) -> None:  # fmt: skip
    """The parameters are those of `check_judge` and `judge_responses`. Openings of answers are shown to a judge whose format
    states refusals."""
    sets = read_labelled_sets(sources, files, open_kind(kind))
    place, calls = next(iter(folder), None), calls_folder(judgements)
    opened = open_judge(judge, model, place, threads, calls, endpoint_limits, kind.worlds)
    refusals = [row for path in openings for row in read_records(path, Opening)] if reads_refusals(judge.format) else []
    write_records(judgements, judge_rows(sets, refusals, opened, judge.batch_size))


if __name__ == "__main__":
    run(main)
