"""Measure a target on its test sets: results/{task}/{variant}/eval.json

python scripts/evaluate_target.py --help
"""

from pathlib import Path

from reversegen.config.task import Evaluation, KindUse
from reversegen.core.files import read_json, write_text
from reversegen.core.records import Confidence, Label, read_answers, read_records
from reversegen.evaluation import evaluation
from reversegen.evaluation.judge_check import read_judge_report
from reversegen.kinds import open_kind
from reversegen.loop.seeds import read_tests
from reversegen.stage import run


def main(
    tests: list[Path],
    labels: Path,
    confidences: list[Path],
    judge: Path,
    target: list[Path],
    selection: list[Path],
    system_texts: Path,
    eval_json: Path,
    task: str,
    kind: KindUse,
    variant: str,
    settings: Evaluation,
    configuration: str,
    random_seed: int,
) -> None:
    """`selection` is empty for the variant `original`."""
    sets = read_tests(tests)
    sure = [row for path in confidences for row in read_records(path, Confidence)]
    labelled = read_answers(labels, Label, {q.id for questions in sets.values() for q in questions})
    errors = read_judge_report(judge)
    metrics, groups = evaluation.evaluate_target(sets, labelled, sure, settings, random_seed, open_kind(kind), errors)
    models = {"target": target[0]} if target else {}
    origin = evaluation.provenance(configuration, models, [*tests, labels, *confidences], random_seed)
    origin["system_texts"] = read_json(system_texts)
    origin["training"] = None
    if selection:
        metrics |= evaluation.kept_metric(target[0])
        manifest = read_json(target[0] / "manifest.json")
        trained = {"rows": manifest["rows"] - manifest["replay_rows"]}  # training leaves out what does not fit
        trained |= {name: manifest[name] for name in ("replay_rows", "dropped_rows", "steps", "tokens")}
        origin["training"] = read_json(selection[0])[variant.removeprefix("enhanced/")] | trained
    result = evaluation.EvaluationReport(
        task=task,
        kind=kind.name,
        role="target",
        arm=None,
        variant=variant,
        iteration=None,
        metrics=metrics,
        groups=groups,
        invalid=evaluation.invalid_questions(sets, labelled, sure),
        provenance=origin,
    )
    write_text(eval_json, result.model_dump_json(indent=2) + "\n")


if __name__ == "__main__":
    run(main)
