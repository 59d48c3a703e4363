"""Measure the judge on a labelled set, before anything is judged: results/{task}/judge.json

python scripts/check_judge.py --help
"""

from pathlib import Path

from reversegen.config.data import DataSource
from reversegen.config.models import Limits, ModelUse
from reversegen.config.task import Judge, JudgeCheck, KindUse
from reversegen.core.records import Opening, read_records
from reversegen.engines.endpoint.call_log import calls_folder
from reversegen.evaluation.judge_check import check_judge, label_rows, read_refusals, write_judge_report
from reversegen.judges import reads_refusals
from reversegen.judges.judge import open_judge
from reversegen.kinds import open_kind
from reversegen.loop.seeds import read_labelled
from reversegen.stage import run


def main(
    files: list[Path], openings: list[Path], folder: list[Path], judge_json: Path,
    kind: KindUse, source: DataSource, judge: Judge | None, model: ModelUse | None, endpoint_limits: Limits | None,
    limits: JudgeCheck, checker_timeout: float, threads: int,
) -> None:  # fmt: skip
    """Stops the run where the judge misses a limit. `files` is empty for a corpus, `judge` null if none is a model.
    `openings` are labelled refusals, of a kind that counts them."""
    rows, opened_kind = read_labelled(source, files[0] if files else None), open_kind(kind)
    refusals = [row for path in openings for row in read_records(path, Opening)]
    place, calls = folder[0] if folder else None, calls_folder(judge_json)
    opened = open_judge(judge, model, place, threads, calls, endpoint_limits) if judge and model else None
    batch_size = judge.batch_size if judge else 1
    reader = opened if judge and reads_refusals(judge.format) else None
    report = check_judge(rows, label_rows(rows, opened, batch_size, checker_timeout, opened_kind))
    report = report.with_refusals(refusals, read_refusals(refusals, reader, batch_size, opened_kind))
    write_judge_report(judge_json, report, limits)


if __name__ == "__main__":
    run(main)
