"""Measure how another model fares on a target's failures: results/{task}/transfer/{model}/eval.json

python scripts/evaluate_transfer.py --help
"""

from pathlib import Path

from reversegen.config.task import Evaluation, KindUse
from reversegen.evaluation.provenance import provenance
from reversegen.evaluation.target import evaluate_transfer, write_target_file
from reversegen.stage import run


def main(
    instructions: Path,
    labels: Path,
    target: list[Path],
    eval_json: Path,
    task: str,
    kind: KindUse,
    model: str,
    settings: Evaluation,
    configuration: str,
    random_seed: int,
) -> None:
    """The rate is over distinct instructions on all of which the task's own target failed."""
    metrics, invalid = evaluate_transfer(instructions, labels, settings, random_seed)
    origin = provenance(configuration, {model: target}, [instructions, labels], random_seed)
    write_target_file(eval_json, (task, kind.name, f"transfer/{model}"), (metrics, {}), invalid, origin)


if __name__ == "__main__":
    run(main)
