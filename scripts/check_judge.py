"""Measure the judge on its labelled sets, before it judges anything: results/{task}/judge.json

python scripts/check_judge.py --files resources/judge/math.jsonl --openings --folder --judge-json results/tiny-math/judge.json \
--kind '{"name":"math","worlds":["arithmetic"]}' --sources '{"shipped":{"file":"resources/judge/math.jsonl","licence":"own"}}' \
--judge null --model null --endpoint-limits null --limits '{"sensitivity":0.8,"specificity":0.8,"injections":0.9,'\
'"invalid":0.2}' --checker-timeout 1 --threads 1
"""

from pathlib import Path

from reversegen.config.data import DataSource
from reversegen.config.models import Limits, ModelUse
from reversegen.config.task import Judge, JudgeCheck, KindUse
from reversegen.core.records import Opening, read_records
from reversegen.engines.endpoint.call_log import calls_folder
from reversegen.evaluation.judge_check import check_judge, label_rows, read_refusals, write_judge_report
from reversegen.judges import reads_refusals, reported_categories
from reversegen.judges.judge import open_judge
from reversegen.kinds import open_kind
from reversegen.loop.seeds import read_labelled_sets
from reversegen.stage import run


def main(
    files: list[Path], openings: list[Path], folder: list[Path], judge_json: Path,
    kind: KindUse, sources: dict[str, DataSource], judge: Judge | None, model: ModelUse | None, endpoint_limits: Limits | None,
    limits: JudgeCheck, checker_timeout: float, threads: int,
) -> None:  # fmt: skip
    """Stop the run if the judge misses a limit. `files` are those of all sets that are not a corpus, in the order of `sources`.
    `judge` is null for a kind that needs no model. `openings` holds labelled refusals if the kind counts refusals."""
    opened_kind, calls, place = open_kind(kind), calls_folder(judge_json), next(iter(folder), None)
    sets = read_labelled_sets(sources, files, opened_kind)
    refusals = [row for path in openings for row in read_records(path, Opening)]
    opened = open_judge(judge, model, place, threads, calls, endpoint_limits) if judge and model else None
    batch_size, categories = (judge.batch_size, reported_categories(judge.format)) if judge else (1, ())
    reader = opened if judge and reads_refusals(judge.format) else None
    report = check_judge(sets, label_rows(sets, opened, batch_size, checker_timeout, opened_kind))
    report = report.with_refusals(refusals, read_refusals(refusals, reader, batch_size, opened_kind))
    write_judge_report(judge_json, report.model_copy(update={"categories": categories}), limits)


if __name__ == "__main__":
    run(main)
