"""Measure how another model fares on a target's failures: results/{task}/transfer/{model}/eval.json

python scripts/evaluate_transfer.py --help
"""

from pathlib import Path

from reversegen.config.task import Evaluation, KindUse
from reversegen.core.files import write_text
from reversegen.core.records import Instruction, Label, read_records
from reversegen.evaluation import evaluation
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
    labelled = read_records(labels, Label)
    verdicts = {label.instruction_id: label.verdict for label in labelled}
    asked = [i.id for i in read_records(instructions, Instruction)]
    valid = [i for i in asked if verdicts[i] != "invalid"]
    metrics = {
        "failure_rate": evaluation.proportion([verdicts[i] == "failed" for i in valid], valid, settings, random_seed),
        "validity": evaluation.proportion([verdicts[i] != "invalid" for i in asked], asked, settings, random_seed),
    }
    models = {model: target[0]} if target else {}
    result = evaluation.EvaluationReport(
        task=task,
        kind=kind.name,
        role="target",
        arm=None,
        variant=f"transfer/{model}",
        iteration=None,
        metrics=metrics,
        groups={},
        invalid=evaluation.count_reasons(label.detail for label in labelled if label.verdict == "invalid"),
        provenance=evaluation.provenance(configuration, models, [instructions, labels], random_seed),
    )
    write_text(eval_json, result.model_dump_json(indent=2) + "\n")


if __name__ == "__main__":
    run(main)
