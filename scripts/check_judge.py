"""Measure the judges on their labelled sets, before they judge anything: results/{task}/judge.json

python scripts/check_judge.py --files resources/judge/math.jsonl --openings --judgements --holdout --judge-json \
results/tiny-math/judge.json --kind '{"name":"math","worlds":["arithmetic"]}' --sources \
'{"shipped":{"file":"resources/judge/math.jsonl","licence":"own"}}' --decision majority --categories \
--limits '{"sensitivity":0.8,"specificity":0.8,"injections":0.9,"invalid":0.2}' --checker-timeout 1
"""

from pathlib import Path

from reversegen.config.data import DataSource
from reversegen.config.judge_settings import Decision
from reversegen.config.task import JudgeCheck, KindUse
from reversegen.core.records import Judgement, Opening, read_records
from reversegen.evaluation.judge_check import check_judges, write_judge_report
from reversegen.kinds import open_kind
from reversegen.loop.seeds import read_labelled_sets
from reversegen.stage import run


def main(
    files: list[Path], openings: list[Path], judgements: list[Path], holdout: list[Path], judge_json: Path,
    kind: KindUse, sources: dict[str, DataSource], decision: Decision, categories: list[str], limits: JudgeCheck,
    checker_timeout: float,
) -> None:  # fmt: skip
    """Stop the run if a judge or the panel misses a limit. `files` are those of all sets that are not a corpus, in the order of
    `sources`. `judgements` and `holdout` hold what each judge says of their rows; they are empty for a kind without a judge.
    `openings` holds labelled refusals if the kind counts refusals. `categories` are those of harm that may be reported."""
    opened_kind = open_kind(kind)
    sets = read_labelled_sets(sources, files, opened_kind)
    refusals = [row for path in openings for row in read_records(path, Opening)]
    members, held = ({path.stem: read_records(path, Judgement) for path in paths} for paths in (judgements, holdout))
    report = check_judges(sets, refusals, (members, held), decision, checker_timeout, opened_kind)
    report = report.model_copy(update={"categories": categories})
    write_judge_report(judge_json, report, limits)


if __name__ == "__main__":
    run(main)
