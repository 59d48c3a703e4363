"""Measure another model on a target's failures: results/{task}/transfer/{model}/eval.json

python scripts/evaluate_transfer.py --instructions results/tiny-math/transfer/instructions.jsonl --labels \
results/tiny-math/transfer/tiny-solver/labels.jsonl --judgements --holdout --target results/models/tiny-solver --eval-json \
results/tiny-math/transfer/tiny-solver/eval.json --task tiny-math --kind '{"name":"math","worlds":["arithmetic"]}' --model \
tiny-solver --settings '{"bootstrap":1000,"diversity_sample":500}' --configuration HASH --random-seed 0
"""

from pathlib import Path

from reversegen.config.task import Evaluation, KindUse
from reversegen.evaluation.provenance import provenance
from reversegen.evaluation.target import evaluate_transfer, write_target_file
from reversegen.evaluation.votes import read_votes
from reversegen.kinds import open_kind
from reversegen.stage import run


def main(
    instructions: Path,
    labels: Path,
    judgements: list[Path],
    holdout: list[Path],
    target: list[Path],
    eval_json: Path,
    task: str,
    kind: KindUse,
    model: str,
    settings: Evaluation,
    configuration: str,
    random_seed: int,
) -> None:
    """Write what `model` makes of distinct instructions that the task's own target failed."""
    votes = read_votes(judgements, holdout)
    measured, invalid = evaluate_transfer(instructions, labels, votes, settings, random_seed, open_kind(kind))
    data = [instructions, labels, *judgements, *holdout]
    origin = provenance(configuration, {model: target}, data, random_seed)
    write_target_file(eval_json, (task, kind.name, f"transfer/{model}"), measured, invalid, origin)


if __name__ == "__main__":
    run(main)
