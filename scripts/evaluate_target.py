"""Measure a target on its test sets: results/{task}/{variant}/eval.json

python scripts/evaluate_target.py --tests results/tiny-math/tests/*.jsonl --labels results/tiny-math/original/labels.jsonl \
--confidences --frequencies --original --judgements --holdout --judge results/tiny-math/judge.json --target \
results/models/tiny-arithmetic --selection --system-texts results/tiny-math/system_texts.json --eval-json \
results/tiny-math/original/eval.json --task tiny-math --kind \
'{"name":"math","worlds":["arithmetic"]}' --variant original --settings '{"bootstrap":1000,"diversity_sample":500}' \
--configuration HASH --random-seed 0
"""

from pathlib import Path

from reversegen.config.task import Evaluation, KindUse
from reversegen.evaluation.judge_check import read_judge_report
from reversegen.evaluation.provenance import kept_metric, provenance, target_provenance
from reversegen.evaluation.target import invalid_questions, measure_target, read_answered_tests, write_target_file
from reversegen.evaluation.votes import read_votes
from reversegen.kinds import open_kind
from reversegen.stage import run


def main(
    tests: list[Path], labels: Path, confidences: list[Path], frequencies: list[Path], original: list[Path],
    judgements: list[Path], holdout: list[Path], judge: Path, target: list[Path], selection: list[Path], system_texts: Path,
    eval_json: Path,
    task: str, kind: KindUse, variant: str, settings: Evaluation, configuration: str, random_seed: int,
) -> None:  # fmt: skip
    """Write the metrics of one variant. `selection` and the labels `original` are empty for the variant `original`."""
    answered = read_answered_tests(tests, labels, confidences, frequencies, original)
    report, votes = read_judge_report(judge), read_votes(judgements, holdout)
    metrics, groups = measure_target(answered, votes, report, settings, random_seed, open_kind(kind))
    metrics |= kept_metric(target[0]) if selection else {}
    data = [*tests, labels, *confidences, *frequencies, *original, *judgements, *holdout]
    origin = provenance(configuration, {"target": target}, data, random_seed)
    origin |= target_provenance(system_texts, selection, target, variant)
    identity = task, kind.name, variant
    write_target_file(eval_json, identity, (metrics, groups), invalid_questions(answered), origin)


if __name__ == "__main__":
    run(main)
